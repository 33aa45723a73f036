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
import type { Cipher, Sealed } from "../crypto/Crypto.js"
import { DecryptError, InvalidRequestError, type ReadError, UnexpectedResponseError } from "../model/InfisicalError.js"
import type * as Location from "../model/Location.js"
import * as Session from "../session/Session.js"
import * as Details from "./details.js"
import * as Merge from "./merge.js"
import * as SecretSource from "./SecretSource.js"
import * as Snapshot from "./Snapshot.js"

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

  const fetch: SecretSource.Service["fetch"] = (location, previous) =>
    use(location, (cipher, place) => {
      const etag = Option.flatMap(previous, ({ etag }) => etag)
      const { secretName } = location
      return secretName === undefined
        ? Effect.flatMap(
          api.list(place, etag),
          Merge.answer(previous, ({ imports, secrets }) => read(cipher, location, secrets, imports, previous))
        )
        : Effect.flatMap(
          api.get({ ...place, name: secretName, type: "shared" }, etag),
          Merge.answer(previous, (secret) => read(cipher, location, [secret], [], previous))
        )
    })

  /** The value that a write must carry although it is to stay as it is. */
  const currentValue = (cipher: Cipher, target: InfisicalApi.Target): Effect.Effect<string, ReadError> =>
    Effect.flatMap(
      api.get(target, Option.none()),
      (answered): Effect.Effect<string, ReadError> =>
        answered._tag === "NotModified"
          ? Merge.unexpectedNotModified
          : Effect.mapError(
            cipher.decrypt(sealedValue(answered.answer)),
            ({ problem }) => new DecryptError({ subject: "secret value", secretName: target.name, problem })
          )
    )

  const encryptMany = (
    cipher: Cipher,
    secrets: ReadonlyArray<readonly [name: string, written: SecretSource.SecretInput]>
  ) =>
    Effect.forEach(secrets, ([secretName, written]) =>
      Effect.gen(function*() {
        const annotations = yield* annotate(cipher, written)
        return {
          secretName,
          ...yield* encryptName(cipher, secretName),
          ...yield* encryptValue(cipher, Redacted.value(written.value)),
          ...annotations
        }
      }))

  /** The rows of an answer that is in the order of its own, and has its names encrypted. */
  const rowsOf = (
    cipher: Cipher,
    location: Location.Location,
    secrets: ReadonlyArray<readonly [name: string, written: SecretSource.SecretInput]>,
    answer: ReadonlyArray<EncryptedSecret>
  ) =>
    Effect.gen(function*() {
      const names = yield* cipher.decryptAll(answer.map(sealedName))
      const written = new Map(secrets)
      return yield* Effect.forEach(answer, (secret, index) => {
        const name = names[index] ?? ""
        const { value } = written.get(name) ?? {}
        return value === undefined
          ? Effect.fail(unexpectedSecret)
          : writtenRow(cipher, { location, name }, secret, value)
      })
    })

  const source: SecretSource.Service = {
    expandsReferences: false,
    readsByName: false,

    fetch,

    create: (target, written) =>
      use(target.location, (cipher, place) =>
        Effect.gen(function*() {
          const annotations = yield* annotate(cipher, written)
          const answer = yield* api.create({ ...place, ...target }, {
            ...yield* encryptName(cipher, target.name),
            ...yield* encryptValue(cipher, Redacted.value(written.value)),
            ...annotations
          })
          return yield* writtenRow(cipher, target, answer, written.value)
        })),

    update: (target, changes) =>
      use(target.location, (cipher, place) =>
        Effect.gen(function*() {
          const wireTarget = { ...place, ...target }
          const annotations = yield* annotate(cipher, changes)
          const value = changes.value === undefined
            ? Redacted.make(yield* currentValue(cipher, wireTarget))
            : changes.value
          const { newName } = changes
          const answer = yield* api.update(wireTarget, {
            ...newName === undefined ? {} : { secretName: newName, ...yield* encryptName(cipher, newName) },
            ...yield* encryptValue(cipher, Redacted.value(value)),
            ...annotations
          })
          return yield* writtenRow(cipher, { ...target, name: newName ?? target.name }, answer, value)
        })),

    upsert: (target, written) => SecretSource.upsertWithRetry(source, target, written),

    delete: (target) => use(target.location, (_, place) => api.delete({ ...place, ...target })),

    createMany: (location, secrets) =>
      use(location, (cipher, place) =>
        Effect.gen(function*() {
          const names = secrets.map(([name]) => name)
          const answer = yield* SecretSource.withConflictingName(
            Effect.flatMap(encryptMany(cipher, secrets), (encrypted) => api.createMany(place, encrypted)),
            source,
            location,
            names
          )
          return yield* rowsOf(cipher, location, secrets, answer)
        })),

    updateMany: (location, secrets) =>
      use(location, (cipher, place) =>
        Effect.gen(function*() {
          const answer = yield* api.updateMany(place, yield* encryptMany(cipher, secrets))
          return yield* rowsOf(cipher, location, secrets, answer)
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
  problem: "the credential has no key part, so that it cannot read what is end-to-end encrypted"
})

const unexpectedSecret = new UnexpectedResponseError({
  endpoint: "/api/v3/secrets/batch",
  status: 200,
  problem: "it tells of a secret that was not written"
})

type Imports = ReadonlyArray<
  { readonly secretPath?: string | null | undefined; readonly secrets: ReadonlyArray<EncryptedSecret> }
>

const read = (
  cipher: Cipher,
  location: Location.Location,
  secrets: ReadonlyArray<EncryptedSecret>,
  imports: Imports,
  previous: Merge.Previous
): Effect.Effect<Snapshot.Content> =>
  Effect.suspend(() => {
    const known = Merge.knownRows(previous)
    const arrivals: Array<Arrival> = []
    const unnamed: Array<EncryptedSecret> = []
    Merge.inOrder(location, secrets, imports, (secret, secretPath, imported) => {
      if (!hasTags(location, secret)) return
      const same = known.get(secret.id)
      if (isSame(same, secret, secretPath)) arrivals.push({ secret, secretPath, imported, same })
      else {
        arrivals.push({ secret, secretPath, imported, same: undefined })
        unnamed.push(secret)
      }
    })
    return Effect.map(cipher.decryptAll(unnamed.map(sealedName)), (names) => {
      const own: Array<Snapshot.Row> = []
      const imported: Array<Snapshot.Row> = []
      const undecryptableNames: Array<DecryptError> = []
      let next = 0
      for (const arrival of arrivals) {
        const rows = arrival.imported ? imported : own
        if (arrival.same !== undefined) rows.push(arrival.same)
        else {
          const name = names[next++]
          if (name === undefined) undecryptableNames.push(undecryptableName(arrival.secret))
          else rows.push(encryptedRow(name, arrival.secret, location.environment, arrival.secretPath))
        }
      }
      return { own, imported, undecryptableNames, cipher }
    })
  })

/** A secret of an answer, with the row of the last answer where it is the same. */
interface Arrival {
  readonly secret: EncryptedSecret
  readonly secretPath: string
  readonly imported: boolean
  readonly same: Snapshot.Row | undefined
}

// The server does not filter what it cannot read; tags it gives with the rest.
const hasTags = ({ tagSlugs }: Location.Location, { tags }: EncryptedSecret): boolean =>
  tagSlugs.length === 0 || (tags ?? []).some(({ slug }) => tagSlugs.includes(slug))

const undecryptableName = (secret: EncryptedSecret) =>
  new DecryptError({
    subject: "secret name",
    secretId: secret.id,
    problem: "it is not authentic, or was encrypted with another key"
  })

// A row that did not change is kept as the same object, so that neither name nor value is decrypted again.
const isSame = (
  row: Snapshot.Row | undefined,
  secret: EncryptedSecret,
  secretPath: string
): row is Snapshot.Row =>
  row !== undefined && row.version === secret.version && row.type === secret.type && row.secretPath === secretPath &&
  Details.areSame(row.details, secret) &&
  (row.payload._tag !== "Encrypted" ||
    (row.payload.value.tag === secret.secretValueTag && row.payload.value.ciphertext === secret.secretValueCiphertext))

const encryptedRow = (
  name: string,
  secret: EncryptedSecret,
  environment: string,
  secretPath: string
): Snapshot.Row => ({
  id: secret.id,
  name,
  type: secret.type,
  version: secret.version,
  environment: secret.environment ?? environment,
  secretPath,
  details: Details.make(secret),
  payload: Snapshot.encrypted(sealedValue(secret), sealedComment(secret))
})

const writtenRow = (
  cipher: Cipher,
  { location, name }: { readonly location: Location.Location; readonly name: string },
  answer: EncryptedSecret,
  value: Redacted.Redacted<string>
): Effect.Effect<Snapshot.WrittenRow> =>
  Effect.map(cipher.decryptAll(Option.toArray(sealedComment(answer))), ([comment]) => ({
    id: answer.id,
    name,
    type: answer.type,
    version: answer.version,
    environment: answer.environment ?? location.environment,
    secretPath: location.secretPath,
    details: Details.make(answer),
    payload: { _tag: "Decrypted", value, comment: comment ?? "" }
  }))

const sealedName = (secret: EncryptedSecret): Sealed => ({
  ciphertext: secret.secretKeyCiphertext,
  iv: secret.secretKeyIV,
  tag: secret.secretKeyTag
})

const sealedValue = (secret: EncryptedSecret): Sealed => ({
  ciphertext: secret.secretValueCiphertext,
  iv: secret.secretValueIV,
  tag: secret.secretValueTag
})

// An empty comment has an empty ciphertext, with or without IV and tag.
const sealedComment = (secret: EncryptedSecret): Option.Option<Sealed> =>
  secret.secretCommentCiphertext && secret.secretCommentIV && secret.secretCommentTag
    ? Option.some({
      ciphertext: secret.secretCommentCiphertext,
      iv: secret.secretCommentIV,
      tag: secret.secretCommentTag
    })
    : Option.none()

const encryptName = (cipher: Cipher, name: string) =>
  Effect.map(cipher.encrypt(name), ({ ciphertext, iv, tag }) => ({
    secretKeyCiphertext: ciphertext,
    secretKeyIV: iv,
    secretKeyTag: tag
  }))

const encryptValue = (cipher: Cipher, value: string) =>
  Effect.map(cipher.encrypt(value), ({ ciphertext, iv, tag }) => ({
    secretValueCiphertext: ciphertext,
    secretValueIV: iv,
    secretValueTag: tag
  }))

const annotate = (cipher: Cipher, { comment, metadata, reminder, tagIds }: SecretSource.Annotations) =>
  Effect.gen(function*() {
    if (metadata !== undefined) {
      return yield* new InvalidRequestError({
        parameter: "metadata",
        problem: "end-to-end encrypted secrets have none. Use tags, or a machine identity on a project without it."
      })
    }
    const sealed = yield* Effect.transposeMapOption(Option.fromNullable(comment), cipher.encrypt)
    return {
      ...Option.match(sealed, {
        onNone: () => ({}),
        onSome: ({ ciphertext, iv, tag }) => ({
          secretCommentCiphertext: ciphertext,
          secretCommentIV: iv,
          secretCommentTag: tag
        })
      }),
      ...tagIds === undefined ? {} : { tags: tagIds },
      ...Details.reminderFields(reminder)
    }
  })
