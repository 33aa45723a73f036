/** Where a request to a route on which the server decrypts is about, before it is looked at any closer. */
import * as Either from "effect/Either"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Answer from "../eras/Answer.js"
import * as Eras from "../eras/eras.js"
import type * as EmulatorState from "../state/EmulatorState.js"
import type { Actor } from "./authentication.js"

/** What completes an input as it was sent, or refuses it. */
export type Complete = (
  state: EmulatorState.State,
  actor: Actor,
  input: unknown
) => Either.Either<unknown, Answer.Answer>

/** The query of a list on v3. Of the slug only machine identities can make use. */
export const list: Complete = (state, actor, query) =>
  Either.filterOrLeft(
    Either.flatMap(
      inScopeOf("workspaceId", actor, query),
      (query) =>
        actor._tag === "Identity"
          ? bySlug(state, query, "workspaceSlug", "Failed to find project by slug")
          : Either.right(query)
    ),
    (query) => has(query, "workspaceId") && has(query, "environment"),
    () => Answer.placeMissing("Missing workspace id or environment")
  )

/** The query of a get on v3. */
export const get: Complete = (state, actor, query) =>
  inScopeOf("workspaceId", actor, query).pipe(
    Either.filterOrLeft(
      (query) => has(query, "environment"),
      () => Answer.placeMissing("Missing environment")
    ),
    Either.flatMap((query) => bySlug(state, query, "workspaceSlug", "Find project by slug")),
    Either.filterOrLeft(
      (query) => has(query, "workspaceId"),
      () => Answer.placeMissing("You must provide workspaceSlug or workspaceId")
    )
  )

const has = (input: unknown, name: string): boolean => Predicate.hasProperty(input, name) && input[name] !== ""

/** The query of a read on v4. */
export const read: Complete = (_, actor, query) => inScopeOf("projectId", actor, query)

/** The body of a batch on v3: servers of July 2024 want the slug, later ones the slug or the id. */
export const batch: Complete = (state, _, body) =>
  Eras.does(state, "batchNeedsSlug") && Predicate.isReadonlyRecord(body) && typeof body["projectSlug"] !== "string"
    ? Either.left(Answer.textMissing("projectSlug"))
    : Either.filterOrLeft(
      bySlug(state, body, "projectSlug", "Find project by slug"),
      (body) => !Predicate.isReadonlyRecord(body) || has(body, "workspaceId"),
      () => Answer.placeMissing("Must provide either project slug or projectId")
    )

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

// If there is an id, the slug is ignored.
const bySlug = (
  { projects }: EmulatorState.State,
  input: unknown,
  nameOfSlug: "workspaceSlug" | "projectSlug",
  operation: "Failed to find project by slug" | "Find project by slug"
): Either.Either<unknown, Answer.Answer> => {
  if (!Predicate.isReadonlyRecord(input) || typeof input[nameOfSlug] !== "string" || has(input, "workspaceId")) {
    return Either.right(input)
  }
  return Option.match(HashMap.findFirst(projects, ({ slug }) => slug === input[nameOfSlug]), {
    onNone: () => Either.left(Answer.projectSlugNotFound(operation)),
    onSome: ([workspaceId]) => Either.right({ ...input, workspaceId })
  })
}
