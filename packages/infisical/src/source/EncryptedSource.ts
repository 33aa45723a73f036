/**
 * The source that decrypts and encrypts in this process, for a service token with its key part: `/api/v3/secrets`.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as InfisicalApi from "../api/InfisicalApi.js"
import type { EncryptedSecret } from "../api/Wire.js"
import type { Cipher } from "../crypto/Crypto.js"
import {
  DecryptError,
  PermissionError,
  type ReadError,
  type UnexpectedResponseError,
  type WriteError
} from "../model/InfisicalError.js"
import type * as Location from "../model/Location.js"
import * as Session from "../session/Session.js"
import { encrypted } from "./decryption.js"
import * as Details from "./details.js"
import * as Encrypted from "./encryptedFields.js"
import * as Fit from "./fit.js"
import * as Merge from "./merge.js"
import * as SecretSource from "./SecretSource.js"

/**
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<
  SecretSource.Service,
  never,
  InfisicalApi.InfisicalApi | Session.Session
> = Effect.gen(function*() {
  const api = (yield* InfisicalApi.InfisicalApi).encryptedSecrets
  const session = yield* Session.Session

  const use = <A, E>(
    location: Location.Location,
    request: (cipher: Cipher, place: InfisicalApi.Place) => Effect.Effect<A, E>
  ): Effect.Effect<A, E | Session.LoginError> =>
    session.use(({ accessToken, cipher, projectId }): Effect.Effect<A, E | Session.LoginError> =>
      Option.isNone(cipher) ? withoutKey : request(cipher.value, { accessToken, projectId, location })
    )

  const list = (location: Location.Location, previous: Merge.Previous) =>
    use(
      location,
      (cipher, place) =>
        Effect.flatMap(api.list(place, etagOf(previous)), (response) =>
          Merge.fetchResult(previous, response, (list) => read(cipher, place, list, previous)))
    )

  const getByName = (location: Location.Location, name: string, previous: Merge.Previous) =>
    use(location, (cipher, place) => {
      const target = { ...place, name, type: "shared" } as const
      return Effect.flatMap(
        api.get(target, etagOf(previous)),
        (response) =>
          Merge.fetchResult(previous, response, (secret) =>
            Effect.zipRight(
              checkRead(cipher, target, secret),
              contentOf(cipher, location, { secrets: [secret], imports: [] }, previous)
            ))
      )
    })

  /** The value of a secret that an update must send although it stays the same. */
  const currentValue = (cipher: Cipher, target: InfisicalApi.Target): Effect.Effect<string, ReadError> => {
    const own = { ...target, location: { ...target.location, includeImports: false } }
    return Effect.flatMap(api.get(own, Option.none()), (response): Effect.Effect<string, ReadError> => {
      if (response._tag === "NotModified") return Merge.unexpectedNotModified
      const { answer } = response
      // A service token that asks for a personal secret gets the shared one (`wire/` "Reads").
      if (answer.type !== target.type) return withoutPersonal(target)
      return Effect.zipRight(
        checkRead(cipher, own, answer),
        Effect.mapError(
          cipher.decrypt(Encrypted.value(answer)),
          ({ problem }) => new DecryptError({ subject: "secret value", secretName: target.name, problem })
        )
      )
    })
  }

  const encryptMany = (cipher: Cipher, secrets: SecretSource.Batch) =>
    Effect.forEach(secrets, ([secretName, input]) =>
      Effect.gen(function*() {
        const annotations = yield* Encrypted.annotations(cipher, input)
        return {
          secretName,
          ...yield* Encrypted.encryptName(cipher, secretName),
          ...yield* Encrypted.encryptValue(cipher, Redacted.value(input.value)),
          ...annotations
        }
      }))

  const source: SecretSource.Service = {
    expandsReferences: false,
    readsByName: false,

    fetch: (location, previous) =>
      location.secretName === undefined
        ? list(location, previous)
        : getByName(location, location.secretName, previous),

    create: (target, input) =>
      use(target.location, (cipher, place) =>
        Effect.gen(function*() {
          const wireTarget = { ...place, ...target }
          const annotations = yield* Encrypted.annotations(cipher, input)
          const answer = yield* api.create(wireTarget, {
            ...yield* Encrypted.encryptName(cipher, target.name),
            ...yield* Encrypted.encryptValue(cipher, Redacted.value(input.value)),
            ...annotations
          })
          return yield* written("POST", cipher, wireTarget, [target.name], answer, input.value)
        })),

    update: (target, changes) =>
      use(target.location, (cipher, place) =>
        Effect.gen(function*() {
          const wireTarget = { ...place, ...target }
          const annotations = yield* Encrypted.annotations(cipher, changes)
          const value = changes.value ?? Redacted.make(yield* currentValue(cipher, wireTarget))
          const { newName } = changes
          const answer = yield* api.update(wireTarget, {
            ...newName === undefined
              ? {}
              : { secretName: newName, ...yield* Encrypted.encryptName(cipher, newName) },
            ...yield* Encrypted.encryptValue(cipher, Redacted.value(value)),
            ...annotations
          })
          return yield* written("PATCH", cipher, wireTarget, [newName ?? target.name, target.name], answer, value)
        })),

    upsert: (target, input) => SecretSource.upsertWithRetry(source, target, input),

    delete: (target) => use(target.location, (_, place) => api.delete({ ...place, ...target })),

    createMany: (location, secrets) =>
      SecretSource.withConflictingName(
        use(location, (cipher, place) =>
          Effect.gen(function*() {
            const answer = yield* api.createMany(place, yield* encryptMany(cipher, secrets))
            return yield* writtenMany("POST", cipher, place, secrets, answer)
          })),
        source,
        location,
        secrets.map(([name]) => name)
      ),

    updateMany: (location, secrets) =>
      use(location, (cipher, place) =>
        Effect.gen(function*() {
          const answer = yield* api.updateMany(place, yield* encryptMany(cipher, secrets))
          return yield* writtenMany("PATCH", cipher, place, secrets, answer)
        })),

    deleteMany: (location, names) => use(location, (_, place) => api.deleteMany(place, names))
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
  InfisicalApi.InfisicalApi | Session.Session
> => Layer.effect(SecretSource.SecretSource, make)

const withoutKey = new DecryptError({
  subject: "project key",
  problem: "the credential has no key part, so it cannot decrypt end-to-end encrypted secrets"
})

const withoutPersonal = ({ location }: InfisicalApi.Target) =>
  new PermissionError({
    endpoint: "GET /api/v3/secrets/:secretName",
    problem: "personal secret",
    environment: location.environment,
    secretPath: location.secretPath
  })

const etagOf = (previous: Merge.Previous) => Option.flatMap(previous, ({ etag }) => etag)

interface EncryptedList {
  readonly secrets: ReadonlyArray<EncryptedSecret>
  readonly imports: ReadonlyArray<
    { readonly secretPath?: string | null | undefined; readonly secrets: ReadonlyArray<EncryptedSecret> }
  >
}

const read = (
  cipher: Cipher,
  place: InfisicalApi.Place,
  list: EncryptedList,
  previous: Merge.Previous
): Effect.Effect<SecretSource.Content, UnexpectedResponseError> =>
  Effect.suspend(() => {
    for (const secret of list.secrets) {
      const mismatch = Fit.own(place, secret)
      if (mismatch !== undefined) return Effect.fail(Fit.unexpected("GET /api/v3/secrets", mismatch))
    }
    for (const { secrets } of list.imports) {
      for (const secret of secrets) {
        const mismatch = Fit.imported(place, secret)
        if (mismatch !== undefined) return Effect.fail(Fit.unexpected("GET /api/v3/secrets", mismatch))
      }
    }
    return contentOf(cipher, place.location, list, previous)
  })

const contentOf = (
  cipher: Cipher,
  location: Location.Location,
  { imports, secrets }: EncryptedList,
  previous: Merge.Previous
): Effect.Effect<SecretSource.Content> =>
  Effect.suspend(() => {
    const known = Merge.knownRows(previous)
    const arrivals: Array<Arrival> = []
    const unnamed: Array<EncryptedSecret> = []
    Merge.inOrder(location, secrets, imports, (secret, secretPath, isImported) => {
      if (!hasTags(location, secret)) return
      const known_ = known.get(secret.id)
      const same = isSame(known_, secret, secretPath) ? known_ : undefined
      arrivals.push({ secret, secretPath, isImported, same })
      if (same === undefined) unnamed.push(secret)
    })
    return Effect.map(cipher.decryptAll(unnamed.map(Encrypted.name)), (names) => {
      const own: Array<SecretSource.Row> = []
      const imported: Array<SecretSource.Row> = []
      const undecryptableNames: Array<DecryptError> = []
      let next = 0
      for (const { isImported, same, secret, secretPath } of arrivals) {
        const rows = isImported ? imported : own
        if (same !== undefined) rows.push(same)
        else {
          const name = names[next++]
          if (name === undefined) undecryptableNames.push(undecryptableName(secret))
          else rows.push(encryptedRow(name, secret, location.environment, secretPath))
        }
      }
      return { own, imported, undecryptableNames, cipher }
    })
  })

/** A secret of a response, with its previous row if it is unchanged. */
interface Arrival {
  readonly secret: EncryptedSecret
  readonly secretPath: string
  readonly isImported: boolean
  readonly same: SecretSource.Row | undefined
}

// The server cannot filter what it cannot read, but lists have the tags.
const hasTags = ({ tagSlugs }: Location.Location, { tags }: EncryptedSecret): boolean =>
  tagSlugs.length === 0 || (tags ?? []).some(({ slug }) => tagSlugs.includes(slug))

const undecryptableName = (secret: EncryptedSecret) =>
  new DecryptError({
    subject: "secret name",
    secretId: secret.id,
    problem: "it is not authentic, or was encrypted with another key"
  })

// An unchanged row stays the same object, so neither its name nor its value is decrypted again.
const isSame = (
  row: SecretSource.Row | undefined,
  secret: EncryptedSecret,
  secretPath: string
): row is SecretSource.Row =>
  row !== undefined && row.version === secret.version && row.type === secret.type && row.secretPath === secretPath &&
  Details.areSame(row.details, secret) &&
  (row.payload._tag !== "Encrypted" ||
    (row.payload.value.tag === secret.secretValueTag && row.payload.value.ciphertext === secret.secretValueCiphertext))

const encryptedRow = (
  name: string,
  secret: EncryptedSecret,
  environment: string,
  secretPath: string
): SecretSource.Row => ({
  id: secret.id,
  name,
  type: secret.type,
  version: secret.version,
  environment: secret.environment || environment,
  secretPath,
  details: Details.make(secret),
  payload: encrypted(Encrypted.value(secret), Encrypted.comment(secret))
})

/** The decrypted name, or `undefined` if it cannot be decrypted. */
const nameOf = (cipher: Cipher, secret: EncryptedSecret): Effect.Effect<string | undefined> =>
  Effect.map(cipher.decryptAll([Encrypted.name(secret)]), ([name]) => name)

const checkRead = (cipher: Cipher, target: InfisicalApi.Target, secret: EncryptedSecret) =>
  Effect.flatMap(
    nameOf(cipher, secret),
    (name) => Fit.check("GET /api/v3/secrets/:secretName", Fit.read({ ...target, names: [target.name] }, secret, name))
  )

/** The row of a written secret, after comparing the response with the request. */
const written = (
  method: string,
  cipher: Cipher,
  target: InfisicalApi.Target,
  names: ReadonlyArray<string>,
  answer: EncryptedSecret,
  value: Redacted.Redacted<string>
): Effect.Effect<SecretSource.WrittenRow, WriteError> =>
  Effect.gen(function*() {
    const name = yield* nameOf(cipher, answer)
    yield* Fit.check(`${method} /api/v3/secrets/:secretName`, Fit.named({ ...target, names }, answer, name))
    return yield* writtenRow(cipher, target.location, name ?? names[0] ?? target.name, answer, value)
  })

const writtenMany = (
  method: string,
  cipher: Cipher,
  place: InfisicalApi.Place,
  secrets: SecretSource.Batch,
  answer: ReadonlyArray<EncryptedSecret>
): Effect.Effect<ReadonlyArray<SecretSource.WrittenRow>, WriteError> =>
  Effect.gen(function*() {
    const endpoint = `${method} /api/v3/secrets/batch`
    const sent = new Map(secrets)
    const names = [...sent.keys()]
    const answered = yield* cipher.decryptAll(answer.map(Encrypted.name))
    const rows = yield* Effect.forEach(answer, (secret, index) => {
      const name = answered[index] ?? ""
      const value = sent.get(name)?.value
      return value === undefined
        ? Effect.fail(Fit.unexpected(endpoint, "name"))
        : Effect.zipRight(
          Fit.check(endpoint, Fit.named({ ...place, names, type: "shared" }, secret, name)),
          writtenRow(cipher, place.location, name, secret, value)
        )
    })
    return yield* Fit.batch(endpoint, names, rows)
  })

const writtenRow = (
  cipher: Cipher,
  location: Location.Location,
  name: string,
  answer: EncryptedSecret,
  value: Redacted.Redacted<string>
): Effect.Effect<SecretSource.WrittenRow> =>
  Effect.map(cipher.decryptAll(Option.toArray(Encrypted.comment(answer))), ([comment]) => ({
    id: answer.id,
    name,
    type: answer.type,
    version: answer.version,
    environment: answer.environment || location.environment,
    secretPath: location.secretPath,
    details: Details.make(answer),
    payload: { _tag: "Decrypted", value, comment: comment ?? "" }
  }))
