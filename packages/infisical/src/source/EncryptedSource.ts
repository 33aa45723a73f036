/**
 * The source that decrypts and encrypts in this process, for a service token with its key part: `/api/v3/secrets`.
 *
 * If the token's project is one whose secrets the server decrypts, as all projects of servers from 2024-10 on, the
 * source reads and writes as `DecryptedSource` does.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as InfisicalApi from "../api/InfisicalApi.js"
import type { EncryptedSecret } from "../api/Wire.js"
import type * as InfisicalConfig from "../config/InfisicalConfig.js"
import type { Cipher } from "../crypto/Crypto.js"
import {
  type AlreadyExistsError,
  DecryptError,
  type InvalidRequestError,
  PermissionError,
  type ReadError,
  type WriteError
} from "../model/InfisicalError.js"
import type * as Location from "../model/Location.js"
import * as Session from "../session/Session.js"
import * as DecryptedSource from "./DecryptedSource.js"
import * as Details from "./details.js"
import * as Encrypted from "./encryptedFields.js"
import { contentOf, nameOf, read } from "./encryptedRows.js"
import * as Engine from "./engine.js"
import * as Fit from "./fit.js"
import * as Merge from "./merge.js"
import * as SecretSource from "./SecretSource.js"
import * as Stored from "./stored.js"

type Dependencies = InfisicalApi.InfisicalApi | InfisicalConfig.InfisicalConfig | Session.Session

/**
 * Makes the service from those that it needs. `layer` is the usual way to have it.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<SecretSource.Service, never, Dependencies | Scope.Scope> = Effect.gen(function*() {
  return yield* Engine.make(yield* encryptedOnly, yield* DecryptedSource.make)
})

/**
 * The service as a layer. Each call makes a new one.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (): Layer.Layer<SecretSource.SecretSource, never, Dependencies> =>
  Layer.scoped(SecretSource.SecretSource, make)

const encryptedOnly: Effect.Effect<
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

  const patch = (
    cipher: Cipher,
    target: InfisicalApi.Target,
    changes: SecretSource.Changes,
    value: Redacted.Redacted<string>,
    known: SecretSource.Known | undefined
  ): Effect.Effect<SecretSource.WrittenRow, WriteError | AlreadyExistsError> =>
    Effect.gen(function*() {
      const annotations = yield* Encrypted.annotations(cipher, changes)
      const { newName } = changes
      const answer = yield* api.update(target, {
        ...newName === undefined
          ? {}
          : { secretName: newName, ...yield* Encrypted.encryptName(cipher, newName) },
        ...yield* Encrypted.encryptValue(cipher, Redacted.value(value)),
        ...annotations
      })
      const row = yield* written("PATCH", cipher, target, [newName ?? target.name], answer, value)
      const [stored = row] = yield* withTags(target, [{ row, answer, changes }], known)
      return stored
    })

  const patchMany = (
    cipher: Cipher,
    place: InfisicalApi.Place,
    secrets: SecretSource.Batch,
    known: SecretSource.Known | undefined
  ): Effect.Effect<ReadonlyArray<SecretSource.WrittenRow>, WriteError> =>
    Effect.gen(function*() {
      const answers = yield* api.updateMany(place, yield* encryptMany(cipher, secrets))
      const rows = yield* writtenMany("PATCH", cipher, place, secrets, answers)
      const byId = new Map(answers.map((answer) => [answer.id, answer]))
      const inputs = new Map(secrets)
      return yield* withTags(
        place,
        rows.map((row) => ({ row, answer: byId.get(row.id), changes: inputs.get(row.name) ?? {} })),
        known
      )
    })

  /**
   * The rows of updated secrets with their tags, which only lists have. They are those that were known of the version
   * before, or are read by one list.
   */
  const withTags = (
    place: InfisicalApi.Place,
    updated: ReadonlyArray<Updated>,
    known: SecretSource.Known | undefined
  ): Effect.Effect<ReadonlyArray<SecretSource.WrittenRow>, InvalidRequestError> => {
    const certain = Option.all(updated.map((one) => knownTags(one, known)))
    if (Option.isSome(certain)) return Effect.succeed(certain.value)
    const own = { ...place, location: { ...place.location, includeImports: false } }
    return Effect.matchEffect(api.list(own, Option.none()), {
      // The write was carried out. The next read fetches the tags.
      onFailure: () => Effect.succeed(updated.map(({ row }) => ({ ...row, isPartial: true }))),
      onSuccess: (response) => {
        const secrets = response._tag === "Modified" ? response.answer.secrets : []
        const byId = new Map(secrets.map((secret) => [secret.id, secret]))
        return Effect.forEach(updated, ({ changes, row }) => {
          const stored = byId.get(row.id)
          if (stored === undefined) return Effect.succeed({ ...row, isPartial: true })
          return Stored.ignoresTags(changes, stored)
            ? Effect.fail(Stored.notStored("tagIds", "updated"))
            : Effect.succeed({ ...row, details: { ...row.details, tags: Details.make(stored).tags } })
        })
      }
    })
  }

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
          const row = yield* written("POST", cipher, wireTarget, [target.name], answer, input.value)
          if (!Stored.needsConfirmation(input)) return row
          // Servers ignore the tags and the reminder of a new secret, and store those of an update.
          const failed = Stored.afterWrite(
            "PATCH /api/v3/secrets/:secretName",
            "created",
            "but not its tags and reminder"
          )
          const { reminder, tagIds } = input
          return yield* Effect.mapError(patch(cipher, wireTarget, { reminder, tagIds }, input.value, undefined), failed)
        })),

    update: (target, changes, known) =>
      use(target.location, (cipher, place) =>
        Effect.gen(function*() {
          const wireTarget = { ...place, ...target }
          const value = changes.value ?? Redacted.make(yield* currentValue(cipher, wireTarget))
          return yield* patch(cipher, wireTarget, changes, value, known)
        })),

    upsert: (target, input, known) => SecretSource.upsertWithRetry(source, target, input, known),

    delete: (target) => use(target.location, (_, place) => api.delete({ ...place, ...target })),

    createMany: (location, secrets) =>
      SecretSource.withConflictingName(
        use(location, (cipher, place) =>
          Effect.gen(function*() {
            const answer = yield* api.createMany(place, yield* encryptMany(cipher, secrets))
            const rows = yield* writtenMany("POST", cipher, place, secrets, answer)
            const annotated = secrets.filter(([, input]) => Stored.needsConfirmation(input))
            if (annotated.length === 0) return rows
            const failed = Stored.afterWrite("PATCH /api/v3/secrets/batch", "created", "but not its tags and reminder")
            const patched = yield* Effect.mapError(patchMany(cipher, place, annotated, undefined), failed)
            const byId = new Map(patched.map((row) => [row.id, row]))
            return rows.map((row) => byId.get(row.id) ?? row)
          })),
        source,
        location,
        secrets.map(([name]) => name)
      ),

    updateMany: (location, secrets, known) =>
      use(location, (cipher, place) => patchMany(cipher, place, secrets, known)),

    deleteMany: (location, names) => use(location, (_, place) => api.deleteMany(place, names)),

    getById: () => Effect.fail(SecretSource.onlyOnV4("read a secret by its id")),

    move: () => Effect.fail(SecretSource.onlyOnV4("move secrets"))
  }
  return source
})

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

/** A secret that was updated, with the response to that. */
interface Updated {
  readonly row: SecretSource.WrittenRow
  readonly answer: EncryptedSecret | undefined
  readonly changes: SecretSource.Annotations
}

/** The row with its tags, if they are known without a request. */
const knownTags = (
  { answer, changes, row }: Updated,
  known: SecretSource.Known | undefined
): Option.Option<SecretSource.WrittenRow> => {
  if (answer?.tags !== undefined) return Option.some(row)
  if (changes.tagIds !== undefined) {
    return changes.tagIds.length === 0 ? Option.some({ ...row, details: { ...row.details, tags: [] } }) : Option.none()
  }
  const before = known?.(row.name)
  return before !== undefined && Stored.isVersionBefore(before, row)
    ? Option.some({ ...row, details: { ...row.details, tags: before.details.tags } })
    : Option.none()
}

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
