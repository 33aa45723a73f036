/**
 * The source whose server decrypts and encrypts, for machine identities, access tokens, and service tokens without their
 * key part: `/api/v4/secrets`, or `/api/v3/secrets/raw` on servers without v4.
 *
 * Unlike with `EncryptedSource`, the server trims values except for one final newline, and may hide values. References
 * and filters are left to this client, since servers of 2024 leave some of them undone, give a user's shared secret the
 * personal value where they expand references, and quote multi-line values. Only references to other projects
 * (`${project::env.folder.NAME}`) are replaced by the server, by a list of its own for a folder that has any.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import type * as Scope from "effect/Scope"
import * as InfisicalApi from "../api/InfisicalApi.js"
import type { DecryptedSecret } from "../api/Wire.js"
import * as InfisicalConfig from "../config/InfisicalConfig.js"
import { InvalidRequestError, NotFoundError, type ReadError } from "../model/InfisicalError.js"
import type * as Location from "../model/Location.js"
import * as Session from "../session/Session.js"
import * as Batch from "./decryptedBatch.js"
import * as Reads from "./decryptedReads.js"
import * as Rows from "./decryptedRows.js"
import * as Writes from "./decryptedWrites.js"
import * as Fit from "./fit.js"
import * as Routes from "./routes.js"
import * as SecretSource from "./SecretSource.js"
import type * as Stored from "./stored.js"

/**
 * Makes the service from those that it needs. `layer` is the usual way to have it.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<
  SecretSource.Service,
  never,
  InfisicalApi.InfisicalApi | InfisicalConfig.InfisicalConfig | Scope.Scope | Session.Session
> = Effect.gen(function*() {
  const session = yield* Session.Session
  const { encryptedSecrets, secrets } = yield* InfisicalApi.InfisicalApi
  const { defaultLocation } = yield* InfisicalConfig.InfisicalConfig
  const { find } = yield* Routes.make
  const features = yield* Ref.make(Option.none<Stored.Features>())

  const send: Reads.Send = (location, request) =>
    session.use(({ accessToken, projectId }) => request({ accessToken, projectId, location }))

  const use = <A, E>(
    location: Location.Location,
    request: (routes: Routes.Routes) => Effect.Effect<A, E>
  ): Effect.Effect<A, E | ReadError> => Effect.flatMap(find(Reads.cheapest(location)), ({ routes }) => request(routes))

  const reads = Reads.make({ encryptedSecrets, features, find, send })
  const single = Writes.single({ ...reads, send })
  const batch = Batch.make({ ...reads, send })

  const source: SecretSource.Service = {
    expandsReferences: false,
    readsByName: true,

    fetch: reads.fetch,

    create: (target, input) => use(target.location, (routes) => single.create(routes, target, input)),

    update: (target, changes, known) => use(target.location, (routes) => single.update(routes, target, changes, known)),

    upsert: (target, input, known) =>
      use(target.location, (routes) =>
        routes.upsert === undefined || target.type === "personal"
          ? SecretSource.upsertWithRetry(source, target, input, known)
          : single.upsert(routes, routes.upsert, target, input, known)),

    delete: (target) =>
      use(target.location, (routes) => send(target.location, (place) => routes.delete({ ...place, ...target }))),

    createMany: (location, secrets) =>
      SecretSource.withConflictingName(
        use(location, (routes) => batch.createMany(routes, location, secrets)),
        source,
        location,
        secrets.map(([name]) => name)
      ),

    updateMany: (location, secrets, known) =>
      use(location, (routes) => batch.updateMany(routes, location, secrets, known)),

    deleteMany: (location, names) =>
      use(location, (routes) => send(location, (place) => routes.deleteMany(place, names))),

    getById: (id) =>
      Effect.gen(function*() {
        if (!isId(id)) return yield* invalidId
        return yield* use(defaultLocation, (routes) =>
          routes.keepsValues
            ? send(defaultLocation, (place) =>
              Effect.flatMap(secrets.getById(place, id), (secret) =>
                Effect.zipRight(
                  Fit.check("GET /api/v4/secrets/id/:secretId", Fit.imported(place, secret)),
                  Rows.readableRow(routes, placeOf(secret, defaultLocation), withMask(secret))
                )))
            : Effect.fail(SecretSource.onlyOnV4("read a secret by its id")))
      }),

    move: ({ destination, location, names, overwrite }) =>
      use(location, (routes) =>
        Effect.gen(function*() {
          if (!routes.keepsValues) return yield* SecretSource.onlyOnV4("move secrets")
          const own = yield* reads.currentList(routes, location, { values: false })
          const ids = new Map(own.flatMap(({ id, secretKey, type }) => type === "shared" ? [[secretKey, id]] : []))
          const secretIds = yield* Effect.forEach(names, (secretName) =>
            Effect.mapError(Option.fromNullable(ids.get(secretName)), () =>
              new NotFoundError({
                resource: "secret",
                secretName,
                environment: location.environment,
                secretPath: location.secretPath
              })))
          return yield* send(location, (place) => secrets.move(place, { destination, names, secretIds, overwrite }))
        }))
  }
  return source
})

/**
 * The service as a layer. Each call makes a new one.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (): Layer.Layer<
  SecretSource.SecretSource,
  never,
  InfisicalApi.InfisicalApi | InfisicalConfig.InfisicalConfig | Session.Session
> => Layer.scoped(SecretSource.SecretSource, make)

const isId = (id: string): boolean => /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(id)

const invalidId = new InvalidRequestError({ parameter: "id", problem: "it must be a UUID, as `Secret.id` is" })

const placeOf = (secret: DecryptedSecret, location: Location.Location): Location.Location => ({
  ...location,
  environment: secret.environment ?? "",
  secretPath: secret.secretPath ?? ""
})

/** A read by id does not say whether the value is hidden. */
const withMask = (secret: DecryptedSecret): DecryptedSecret =>
  secret.secretValue === "<hidden-by-infisical>" ? { ...secret, secretValueHidden: true } : secret
