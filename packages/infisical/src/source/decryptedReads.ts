/**
 * Reads of secrets that the server decrypts. What servers do differently or leave undone is done here: filters,
 * references, the shared secrets behind personal ones, and lists that are refused because of one hidden value.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import type * as InfisicalApi from "../api/InfisicalApi.js"
import type { DecryptedSecret, DecryptedSecretList } from "../api/Wire.js"
import type { ReadError } from "../model/InfisicalError.js"
import type * as Location from "../model/Location.js"
import type * as Session from "../session/Session.js"
import * as Rows from "./decryptedRows.js"
import * as Filter from "./filter.js"
import * as Fit from "./fit.js"
import * as Merge from "./merge.js"
import type * as Routes from "./routes.js"
import type * as SecretSource from "./SecretSource.js"
import * as Stored from "./stored.js"

/** Runs one request. The session may repeat it with another access token, so it must not be more than one. */
export type Send = <A, E>(
  location: Location.Location,
  request: (place: InfisicalApi.Place) => Effect.Effect<A, E>
) => Effect.Effect<A, E | Session.LoginError>

type Response<A> = InfisicalApi.ConditionalResponse<A>

export interface Reads {
  /** What a server of v3 stores, once a read has shown it. */
  readonly features: Ref.Ref<Option.Option<Stored.Features>>
  readonly fetch: SecretSource.Service["fetch"]
  /** A secret of the folder itself, with its references as written. */
  readonly current: (routes: Routes.Routes, target: SecretSource.Target) => Effect.Effect<DecryptedSecret, ReadError>
  /** All secrets of the folder itself, as they are written. */
  readonly currentList: (
    routes: Routes.Routes,
    location: Location.Location,
    view?: InfisicalApi.View
  ) => Effect.Effect<ReadonlyArray<DecryptedSecret>, ReadError>
  /** These secrets of a location with their tags, which lists of 2024-07 do not state. */
  readonly tagged: (
    location: Location.Location,
    secrets: ReadonlyArray<DecryptedSecret>
  ) => Effect.Effect<ReadonlyArray<DecryptedSecret>, ReadError>
}

export const make = ({ encryptedSecrets, features, find, send }: {
  readonly encryptedSecrets: InfisicalApi.EncryptedSecrets
  readonly features: Reads["features"]
  readonly find: Routes.Service["find"]
  readonly send: Send
}): Reads => {
  const learn = (routes: Routes.Routes, secret: DecryptedSecret | undefined) =>
    routes.keepsValues || secret === undefined ? Effect.void : Ref.set(features, Option.some(Stored.featuresOf(secret)))

  const requestList = (
    routes: Routes.Routes,
    location: Location.Location,
    etag: Option.Option<string>,
    view?: InfisicalApi.View
  ) =>
    send(
      location,
      (place) => Effect.map(routes.list(place, etag, view), (response) => ({ projectId: place.projectId, response }))
    ).pipe(
      Effect.tap(({ response }) =>
        response._tag === "Modified" ? learn(routes, response.answer.secrets[0]) : Effect.void
      )
    )

  const requestSecret = (
    routes: Routes.Routes,
    target: SecretSource.Target,
    etag: Option.Option<string>
  ): Effect.Effect<Response<DecryptedSecret>, ReadError> =>
    send(
      target.location,
      (place) =>
        Effect.tap(routes.get({ ...place, ...target }, etag), (response) =>
          response._tag === "NotModified" ? Effect.void : Fit.check(
            `GET ${routes.path}/:secretName`,
            Fit.read({ ...place, ...target, names: [target.name] }, response.answer, response.answer.secretKey)
          ))
    ).pipe(
      Effect.tap((response) =>
        response._tag === "Modified" ? learn(routes, response.answer) : Effect.void
      )
    )

  const answerOf = <A>(response: Response<A>): Effect.Effect<A, ReadError> =>
    response._tag === "NotModified" ? Merge.unexpectedNotModified : Effect.succeed(response.answer)

  const again = (routes: Routes.Routes, location: Location.Location, view?: InfisicalApi.View) =>
    Effect.flatMap(requestList(routes, location, Option.none(), view), ({ response }) => answerOf(response))

  const tagged: Reads["tagged"] = (location, secrets) =>
    secrets.every(({ tags }) => tags !== undefined)
      ? Effect.succeed(secrets)
      : send(location, (place) => encryptedSecrets.list(place, Option.none())).pipe(
        Effect.flatMap(answerOf),
        Effect.map((list) => withTags(secrets, new Map(list.secrets.map(({ id, tags }) => [id, tags ?? null]))))
      )

  /** What a list needs beside itself, each in a request of its own. */
  const supplements = (routes: Routes.Routes, location: Location.Location) => {
    const requested = Filter.asRequested(location)
    return [
      {
        isNeeded: (list: DecryptedSecretList) => routes.keepsValues && sharedKeysMissing(list),
        add: (list: DecryptedSecretList) => Effect.map(again(routes, requested, { personal: false }), withShared(list))
      },
      {
        isNeeded: ({ secrets }: DecryptedSecretList) =>
          location.tagSlugs.length > 0 && secrets.some(({ tags }) => tags === undefined),
        add: (list: DecryptedSecretList) =>
          Effect.map(tagged(requested, list.secrets), (secrets) => ({ ...list, secrets }))
      },
      {
        isNeeded: ({ imports, secrets }: DecryptedSecretList) =>
          location.expandReferences &&
          (secrets.some(isCrossProject) || imports.some(({ secrets }) => secrets.some(isCrossProject))),
        add: (list: DecryptedSecretList) =>
          Effect.map(again(routes, { ...requested, expandReferences: true }), withCrossProject(list))
      }
    ]
  }

  const list = (location: Location.Location, previous: Merge.Previous): ReturnType<Reads["fetch"]> =>
    Effect.gen(function*() {
      const requested = Filter.asRequested(location)
      const found = yield* find(requested)
      const { routes } = found
      const first = Option.match(found.list, {
        onNone: () => requestList(routes, requested, etagOf(previous)),
        onSome: (outcome) => outcome
      })
      const { projectId, response } = yield* orWithoutValues(
        first,
        () => requestList(routes, requested, etagOf(previous), { values: false })
      )
      let isSupplemented = false
      const result = yield* Merge.fetchResult(previous, response, (answer) =>
        Effect.gen(function*() {
          let list = answer
          for (const { add, isNeeded } of supplements(routes, location)) {
            if (!isNeeded(list)) continue
            list = yield* add(list)
            isSupplemented = true
          }
          return yield* Rows.read(routes, { projectId, location }, list, previous)
        }))
      // The ETag of the list alone does not change with the rest.
      return isSupplemented ? { ...result, etag: Option.none() } : result
    })

  const getByName = (
    location: Location.Location,
    name: string,
    previous: Merge.Previous
  ): ReturnType<Reads["fetch"]> =>
    Effect.gen(function*() {
      const target = { location: Filter.asRequested(location), name, type: "shared" } as const
      const { routes } = yield* find(cheapest(location))
      const response = yield* requestSecret(routes, target, etagOf(previous))
      let isExpanded = false
      const result = yield* Merge.fetchResult(previous, response, (secret) =>
        Effect.gen(function*() {
          isExpanded = location.expandReferences && isCrossProject(secret)
          const expanded = isExpanded
            ? yield* Effect.flatMap(
              requestSecret(
                routes,
                { ...target, location: { ...target.location, expandReferences: true } },
                Option.none()
              ),
              answerOf
            )
            : secret
          return Rows.contentOf(location, { secrets: [expanded], imports: [] }, previous)
        }))
      return isExpanded ? { ...result, etag: Option.none() } : result
    })

  return {
    features,
    fetch: (location, previous) =>
      location.secretName === undefined
        ? list(location, previous)
        : getByName(location, location.secretName, previous),
    current: (routes, target) =>
      Effect.flatMap(
        requestSecret(routes, { ...target, location: cheapest(target.location) }, Option.none()),
        answerOf
      ),
    currentList: (routes, location, view) =>
      Effect.flatMap(
        requestList(routes, cheapest(location), Option.none(), view),
        ({ projectId, response }) =>
          Effect.flatMap(answerOf(response), (list) =>
            Effect.as(Rows.read(routes, { projectId, location }, list, Option.none()), list.secrets))
      ),
    tagged
  }
}

/** The location for a request that is only about the folder itself. */
export const cheapest = (location: Location.Location): Location.Location => ({
  ...Filter.asRequested(location),
  includeImports: false
})

const etagOf = (previous: Merge.Previous) => Option.flatMap(previous, ({ etag }) => etag)

/**
 * Asks again without values if a list is refused. Node servers refuse a whole list if one value may not be read, and
 * servers of 2024 know no such flag, so that they refuse again.
 */
const orWithoutValues = <A>(
  read: Effect.Effect<A, ReadError>,
  withoutValues: () => Effect.Effect<A, ReadError>
): Effect.Effect<A, ReadError> =>
  Effect.catchIf(read, isRefused, (error) => Effect.catchIf(withoutValues(), isRefused, () => Effect.fail(error)))

const isRefused = (error: ReadError): boolean => error._tag === "PermissionError" && error.problem === "scope"

const keyOf = ({ secretKey, secretPath }: DecryptedSecret): string => JSON.stringify([secretPath ?? null, secretKey])

const keysOf = ({ secrets }: DecryptedSecretList, type: DecryptedSecret["type"]): ReadonlySet<string> => {
  const keys = new Set<string>()
  for (const secret of secrets) if (secret.type === type) keys.add(keyOf(secret))
  return keys
}

/** Whether the server gave a user's personal secrets in place of the shared ones. */
const sharedKeysMissing = (list: DecryptedSecretList): boolean => {
  const personal = keysOf(list, "personal")
  if (personal.size === 0) return false
  const shared = keysOf(list, "shared")
  return [...personal].some((key) => !shared.has(key))
}

const withShared = (list: DecryptedSecretList) => (all: DecryptedSecretList): DecryptedSecretList => {
  const known = keysOf(list, "shared")
  return {
    ...list,
    secrets: [...list.secrets, ...all.secrets.filter((secret) => secret.type === "shared" && !known.has(keyOf(secret)))]
  }
}

const withTags = (
  secrets: ReadonlyArray<DecryptedSecret>,
  tags: ReadonlyMap<string, DecryptedSecret["tags"]>
): ReadonlyArray<DecryptedSecret> =>
  secrets.map((secret) => ({ ...secret, tags: secret.tags ?? tags.get(secret.id) ?? null }))

/** A reference such as `${project::env.folder.NAME}`, which only the server can follow. */
const crossProject = /\$\{[^${}]*::/

const isCrossProject = ({ secretValue }: DecryptedSecret): boolean =>
  typeof secretValue === "string" && secretValue.includes("::") && crossProject.test(secretValue)

const withCrossProject = (list: DecryptedSecretList) => (expanded: DecryptedSecretList): DecryptedSecretList => {
  const byId = new Map(
    [...expanded.secrets, ...expanded.imports.flatMap(({ secrets }) => secrets)].map((secret) => [secret.id, secret])
  )
  const replaced = (secret: DecryptedSecret) => isCrossProject(secret) ? byId.get(secret.id) ?? secret : secret
  return {
    secrets: list.secrets.map(replaced),
    imports: list.imports.map((entry) => ({ ...entry, secrets: entry.secrets.map(replaced) }))
  }
}
