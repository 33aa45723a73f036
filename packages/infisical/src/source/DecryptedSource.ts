/**
 * The source that has the server decrypt and encrypt, for machine identities, access tokens, and service tokens without
 * their key part: `/api/v4/secrets`, or `/api/v3/secrets/raw` where the server does not have that.
 *
 * What differs from `EncryptedSource` is the wire's: the server trims values, but for one final newline; a value may be
 * hidden; a GET by name of a server of 2024-07 replaces no references to the same folder.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import { isRouteMissing } from "../api/classify.js"
import * as InfisicalApi from "../api/InfisicalApi.js"
import type { DecryptedSecret, DecryptedSecretList } from "../api/Wire.js"
import * as InfisicalConfig from "../config/InfisicalConfig.js"
import { PermissionError, type ReadError, UnexpectedResponseError } from "../model/InfisicalError.js"
import type * as Location from "../model/Location.js"
import * as Session from "../session/Session.js"
import { defined } from "../support/defined.js"
import * as Details from "./details.js"
import * as Merge from "./merge.js"
import * as SecretSource from "./SecretSource.js"
import type * as Snapshot from "./Snapshot.js"

/** Which routes the server has. */
type Version = "v3" | "v4"

/**
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<
  SecretSource.Service,
  never,
  InfisicalApi.InfisicalApi | InfisicalConfig.InfisicalConfig | Session.Session
> = Effect.gen(function*() {
  const api = yield* InfisicalApi.InfisicalApi
  const { logDebug, source: chosen } = yield* InfisicalConfig.InfisicalConfig
  const session = yield* Session.Session
  const version = yield* Ref.make(
    Option.filter(chosen, (source): source is Version => source !== "end-to-end-encrypted")
  )
  const findingOut = yield* Effect.makeSemaphore(1)

  /** Runs a request on the routes that the server has. The first one finds that out, and all others wait for it. */
  const onVersion = <A, E extends { readonly _tag: string }>(
    request: (version: Version) => Effect.Effect<A, E>
  ): Effect.Effect<A, E> =>
    Effect.flatMap(
      Ref.get(version),
      Option.match({
        onSome: request,
        onNone: () =>
          findingOut.withPermits(1)(Effect.flatMap(
            Ref.get(version),
            Option.match({ onSome: request, onNone: () => findOut(request) })
          ))
      })
    )

  const findOut = <A, E extends { readonly _tag: string }>(
    request: (version: Version) => Effect.Effect<A, E>
  ): Effect.Effect<A, E> =>
    request("v4").pipe(
      Effect.tapBoth({
        // Whatever else it refuses, it has the route.
        onFailure: (error) => isAnswer(error) ? Ref.set(version, Option.some("v4")) : Effect.void,
        onSuccess: () => Ref.set(version, Option.some("v4"))
      }),
      Effect.catchIf(isRouteMissing, () =>
        logDebug("The server has no v4 routes; v3 is used").pipe(
          Effect.zipRight(Ref.set(version, Option.some("v3"))),
          Effect.zipRight(request("v3"))
        ))
    )

  const use = <A, E extends { readonly _tag: string }>(
    location: Location.Location,
    request: (routes: Routes, place: InfisicalApi.Place) => Effect.Effect<A, E>
  ) =>
    onVersion((version) =>
      session.use(({ accessToken, projectId }) => request(routesOf(api, version), { accessToken, projectId, location }))
    )

  const fetch: SecretSource.Service["fetch"] = (location, previous) =>
    use(location, ({ get, list }, place) => {
      const etag = Option.flatMap(previous, ({ etag }) => etag)
      const { secretName } = location
      return secretName === undefined
        ? Effect.flatMap(list(place, etag), Merge.answer(previous, (list) => read(location, list, previous)))
        : Effect.flatMap(
          get({ ...place, name: secretName, type: "shared" }, etag),
          Merge.answer(previous, (secret) => read(location, { secrets: [secret], imports: [] }, previous))
        )
    })

  const source: SecretSource.Service = {
    expandsReferences: true,
    readsByName: true,

    fetch,

    create: (target, written) =>
      use(target.location, (routes, place) =>
        Effect.map(
          routes.create({ ...place, ...target }, {
            secretValue: Redacted.value(written.value),
            ...annotations(written)
          }),
          (secret) => writtenRow(target.location, secret, written.value)
        )),

    update: (target, changes) =>
      use(target.location, (routes, place) =>
        Effect.gen(function*() {
          const wireTarget = { ...place, ...target }
          const value = changes.value ?? (routes.keepsValues ? undefined : yield* currentValue(routes, wireTarget))
          const secret = yield* routes.update(wireTarget, {
            ...defined({
              secretValue: value === undefined ? undefined : Redacted.value(value),
              newSecretName: changes.newName
            }),
            ...annotations(changes)
          })
          return writtenRow(target.location, secret, value)
        })),

    upsert: (target, written) =>
      use(target.location, (routes, place) =>
        routes.upsert === undefined || target.type === "personal"
          ? SecretSource.upsertWithRetry(source, target, written)
          : Effect.map(
            routes.upsert({ ...place, ...target }, {
              secretValue: Redacted.value(written.value),
              ...annotations(written)
            }),
            (secret) => writtenRow(target.location, secret, written.value)
          )),

    delete: (target) => use(target.location, (routes, place) => routes.delete({ ...place, ...target })),

    createMany: (location, secrets) =>
      SecretSource.withConflictingName(
        use(location, (routes, place) =>
          Effect.map(routes.createMany(place, secrets.map(flat)), rowsOf(location, secrets))),
        source,
        location,
        secrets.map(([name]) =>
          name
        )
      ),

    updateMany: (location, secrets) =>
      use(
        location,
        (routes, place) => Effect.map(routes.updateMany(place, secrets.map(flat)), rowsOf(location, secrets))
      ),

    deleteMany: (location, names) => use(location, (routes, place) => routes.deleteMany(place, names))
  }
  return source
})

/**
 * @since 0.1.0
 * @category layers
 */
export const layer = (): Layer.Layer<
  SecretSource.SecretSource,
  never,
  InfisicalApi.InfisicalApi | InfisicalConfig.InfisicalConfig | Session.Session
> => Layer.effect(SecretSource.SecretSource, make)

/** What either version can do, and what only one of them can. */
interface Routes extends Omit<InfisicalApi.RawSecrets, "update"> {
  readonly update: InfisicalApi.DecryptedSecrets["update"]
  /** Whether an update may leave the value out. */
  readonly keepsValues: boolean
  readonly upsert: InfisicalApi.DecryptedSecrets["upsert"] | undefined
}

const routesOf = ({ rawSecrets, secrets }: InfisicalApi.Service, version: Version): Routes =>
  version === "v4" ? { ...secrets, keepsValues: true } : {
    ...rawSecrets,
    update: (target, { secretValue = "", ...written }) => rawSecrets.update(target, { ...written, secretValue }),
    keepsValues: false,
    upsert: undefined
  }

const isAnswer = (error: { readonly _tag: string }): boolean =>
  !isRouteMissing(error) && error._tag !== "NetworkError" && error._tag !== "UnexpectedResponseError" &&
  error._tag !== "AuthenticationError" && error._tag !== "InvalidCredentialError"

/** The value that a write must carry although it is to stay as it is: as it is written, not as it reads. */
const currentValue = (
  { get }: Routes,
  target: InfisicalApi.Target
): Effect.Effect<Redacted.Redacted<string>, ReadError> =>
  Effect.flatMap(
    get({ ...target, location: { ...target.location, expandReferences: false, includeImports: false } }, Option.none()),
    (answered): Effect.Effect<Redacted.Redacted<string>, ReadError> => {
      if (answered._tag === "NotModified") return Merge.unexpectedNotModified
      const { answer } = answered
      return answer.secretValueHidden === true
        ? new PermissionError({
          endpoint: "GET /api/v3/secrets/raw/:secretName",
          problem: "hidden value",
          action: "read",
          environment: target.location.environment,
          secretPath: target.location.secretPath
        })
        : Effect.succeed(Redacted.make(answer.secretValue ?? ""))
    }
  )

const read = (
  location: Location.Location,
  list: DecryptedSecretList,
  previous: Merge.Previous
): Effect.Effect<Snapshot.Content, UnexpectedResponseError> =>
  Effect.suspend(() => {
    const known = Merge.knownRows(previous)
    const own: Array<Snapshot.Row> = []
    const imported: Array<Snapshot.Row> = []
    let isElsewhere = false
    Merge.inOrder(location, list.secrets, list.imports, (secret, secretPath, isImported) => {
      const same = known.get(secret.id)
      const row = isSame(same, secret, secretPath) ? same : rowOf(secret, location.environment, secretPath)
      if (!isImported && location.secretName === undefined) {
        isElsewhere ||= row.environment !== location.environment ||
          (!location.recursive && secretPath !== location.secretPath)
      }
      ;(isImported ? imported : own).push(row)
    })
    return isElsewhere ? elsewhere : Effect.succeed({ own, imported, undecryptableNames: [], cipher: nothingToDecrypt })
  })

// One value must never be served for another, so nothing of it is.
const elsewhere = new UnexpectedResponseError({
  endpoint: "GET /api/v3/secrets/raw",
  status: 200,
  problem:
    "it has the secrets of another folder than was asked for, as the server answers a service token that is for one folder alone"
})

const nothingToDecrypt: Snapshot.Content["cipher"] = { decryptAll: () => Effect.succeed([]) }

// A row that did not change is kept as the same object, so that a secret stays the same one.
const isSame = (row: Snapshot.Row | undefined, secret: DecryptedSecret, secretPath: string): row is Snapshot.Row =>
  row !== undefined && row.version === secret.version && row.type === secret.type && row.name === secret.secretKey &&
  row.secretPath === secretPath && Details.areSame(row.details, secret) &&
  (row.payload._tag === "Decrypted"
    ? secret.secretValueHidden !== true && Redacted.value(row.payload.value) === (secret.secretValue ?? "") &&
      row.payload.comment === (secret.secretComment ?? "")
    : row.payload._tag === "Hidden" && secret.secretValueHidden === true)

const rowOf = (secret: DecryptedSecret, environment: string, secretPath: string): Snapshot.Row => ({
  id: secret.id,
  name: secret.secretKey,
  type: secret.type,
  version: secret.version,
  environment: secret.environment ?? environment,
  secretPath,
  details: Details.make(secret),
  payload: secret.secretValueHidden === true
    ? { _tag: "Hidden" }
    : { _tag: "Decrypted", value: Redacted.make(secret.secretValue ?? ""), comment: secret.secretComment ?? "" }
})

// The server says what it made of the value, unless it does not show it: then it is what was sent.
const writtenRow = (
  location: Location.Location,
  secret: DecryptedSecret,
  sent: Redacted.Redacted<string> | undefined
): Snapshot.WrittenRow => ({
  ...rowOf(secret, location.environment, location.secretPath),
  payload: {
    _tag: "Decrypted",
    value: secret.secretValueHidden === true && sent !== undefined ? sent : Redacted.make(secret.secretValue ?? ""),
    comment: secret.secretComment ?? ""
  }
})

const rowsOf = (
  location: Location.Location,
  secrets: ReadonlyArray<readonly [name: string, written: SecretSource.SecretInput]>
) => {
  const sent = new Map(secrets)
  return (answer: ReadonlyArray<DecryptedSecret>): ReadonlyArray<Snapshot.WrittenRow> =>
    answer.map((secret) => writtenRow(location, secret, sent.get(secret.secretKey)?.value))
}

const flat = ([secretKey, written]: readonly [name: string, written: SecretSource.SecretInput]) => ({
  secretKey,
  written: { secretValue: Redacted.value(written.value), ...annotations(written) }
})

const annotations = ({ comment, metadata, reminder, tagIds }: SecretSource.Annotations) => ({
  ...defined({
    secretComment: comment,
    tagIds,
    secretMetadata: metadata === undefined
      ? undefined
      : Object.entries(metadata).map(([key, value]) => ({ key, value }))
  }),
  ...Details.reminderFields(reminder)
})
