/** Where a request to a route on which the server decrypts is about, before it is looked at any closer. */
import * as Either from "effect/Either"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Answer from "../eras/Answer.js"
import type * as EmulatorState from "../state/EmulatorState.js"
import type { Actor } from "./authentication.js"

/** What completes an input as it was sent, or refuses it. */
export type Complete = (
  state: EmulatorState.State,
  actor: Actor,
  input: unknown
) => Either.Either<unknown, Answer.Answer>

/** The query of a list on v3. */
export const list: Complete = (state, actor, query) =>
  Either.filterOrLeft(
    Either.flatMap(inScopeOf("workspaceId", actor, query), (query) => bySlug(state, query, "workspaceSlug")),
    (query) => Predicate.hasProperty(query, "workspaceId") && Predicate.hasProperty(query, "environment"),
    () => Answer.placeMissing("Missing workspace id or environment")
  )

/** The query of a get on v3. */
export const get: Complete = (state, actor, query) =>
  inScopeOf("workspaceId", actor, query).pipe(
    Either.filterOrLeft(
      Predicate.hasProperty("environment"),
      () => Answer.placeMissing("Missing environment")
    ),
    Either.flatMap((query) => bySlug(state, query, "workspaceSlug")),
    Either.filterOrLeft(
      Predicate.hasProperty("workspaceId"),
      () => Answer.placeMissing("You must provide workspaceSlug or workspaceId")
    )
  )

/** The query of a read on v4. */
export const read: Complete = (_, actor, query) => inScopeOf("projectId", actor, query)

/** The body of a batch on v3, for which servers of 2024-07 want the slug. */
export const batch: Complete = (state, _, body) =>
  state.era === "2024-07" && Predicate.isReadonlyRecord(body) && typeof body["projectSlug"] !== "string"
    ? Either.left(Answer.textMissing("projectSlug"))
    : bySlug(state, body, "projectSlug")

// A service token for one folder alone reads that one, whatever it asks for.
const inScopeOf = (
  nameOfProject: "workspaceId" | "projectId",
  actor: Actor,
  query: unknown
): Either.Either<unknown, Answer.Answer> => {
  if (actor._tag !== "ServiceToken" || !Predicate.isReadonlyRecord(query)) return Either.right(query)
  const { projectId, scopes: [scope, ...more] } = actor.token
  return Either.right(
    scope === undefined || more.length > 0 || /[*?[{]/.test(scope.secretPath)
      ? query
      : { ...query, [nameOfProject]: projectId, ...scope }
  )
}

const bySlug = (
  { projects }: EmulatorState.State,
  input: unknown,
  nameOfSlug: "workspaceSlug" | "projectSlug"
): Either.Either<unknown, Answer.Answer> => {
  if (!Predicate.isReadonlyRecord(input) || typeof input[nameOfSlug] !== "string") return Either.right(input)
  return Option.match(HashMap.findFirst(projects, ({ slug }) => slug === input[nameOfSlug]), {
    onNone: () => Either.left(Answer.projectSlugNotFound),
    onSome: ([workspaceId]) => Either.right({ ...input, workspaceId })
  })
}
