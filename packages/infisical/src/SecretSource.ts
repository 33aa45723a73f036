/**
 * Where snapshots come from, and where writes go: a port. `layerEndToEndEncrypted` decrypts in this process with the
 * project key.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type { Cipher, Sealed } from "./Crypto.js"
import * as InfisicalApi from "./InfisicalApi.js"
import {
  type AlreadyExistsError,
  DecryptError,
  type ReadError,
  UnexpectedResponseError,
  type WriteError
} from "./InfisicalError.js"
import type * as Location from "./Location.js"
import * as Session from "./Session.js"
import * as Snapshot from "./Snapshot.js"
import type { EncryptedSecret, EncryptedSecretList, SecretType } from "./Wire.js"

/**
 * What a server said of a location, with the ETag under which it will say that nothing changed.
 *
 * @since 0.1.0
 * @category models
 */
export interface Answer {
  readonly content: Snapshot.Content
  readonly etag: Option.Option<string>
}

/**
 * Which secret a write is about.
 *
 * @since 0.1.0
 * @category models
 */
export interface Target {
  readonly location: Location.Location
  readonly name: string
  readonly type: SecretType
}

/**
 * What a write puts there.
 *
 * @since 0.1.0
 * @category models
 */
export interface Written {
  readonly value: Redacted.Redacted<string>
  /** Without one, a new secret has none, and an updated secret keeps what it has. */
  readonly comment: Option.Option<string>
}

/**
 * The service behind `SecretSource`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** All the secrets of a location. Where nothing changed since the previous answer, that very content. */
  readonly fetch: (
    location: Location.Location,
    previous: Option.Option<Answer>
  ) => Effect.Effect<Answer, ReadError>
  /** Creates a secret and gives it as the server holds it now. */
  readonly create: (
    target: Target,
    written: Written
  ) => Effect.Effect<Snapshot.WrittenRow, WriteError | AlreadyExistsError>
  /** Updates a secret and gives it as the server holds it now. */
  readonly update: (target: Target, written: Written) => Effect.Effect<Snapshot.WrittenRow, WriteError>
  /** Deletes a secret; with a shared one, the personal ones of its name. */
  readonly delete: (target: Target) => Effect.Effect<void, WriteError>
}

/**
 * Where snapshots come from, and where writes go.
 *
 * @since 0.1.0
 * @category tags
 */
export class SecretSource extends Context.Tag("effect-infisical/SecretSource")<SecretSource, Service>() {}

/**
 * A source that decrypts and encrypts in this process, for a service token with its key part.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeEndToEndEncrypted: Effect.Effect<
  Service,
  never,
  InfisicalApi.InfisicalApi | Session.Session
> = Effect.gen(function*() {
  const api = yield* InfisicalApi.InfisicalApi
  const session = yield* Session.Session

  const write = <A, E>(
    target: Target,
    request: (access: Session.Access, wireTarget: InfisicalApi.WriteTarget) => Effect.Effect<A, E>
  ) =>
    session.use((access) =>
      request(access, { ...target, accessToken: access.accessToken, projectId: access.projectId })
    )

  return {
    fetch: (location, previous) =>
      session.use(({ accessToken, cipher, projectId }) =>
        Effect.flatMap(
          api.listSecrets({ accessToken, projectId, location, etag: Option.flatMap(previous, ({ etag }) => etag) }),
          (answer): Effect.Effect<Answer, ReadError> =>
            answer._tag === "Modified"
              ? Effect.map(readList(cipher, location, answer.list), (content) => ({ content, etag: answer.etag }))
              : Option.match(previous, {
                onNone: () => unaskedNotModified,
                onSome: Effect.succeed
              })
        )
      ),

    create: (target, written) =>
      write(target, ({ cipher }, wireTarget) =>
        Effect.gen(function*() {
          const name = yield* cipher.encrypt(target.name)
          const encrypted = yield* encrypt(cipher, written)
          const answer = yield* api.createSecret(wireTarget, {
            secretKeyCiphertext: name.ciphertext,
            secretKeyIV: name.iv,
            secretKeyTag: name.tag,
            ...encrypted
          })
          return writtenRow(target, answer, written.value, Option.getOrElse(written.comment, () => ""))
        })),

    update: (target, written) =>
      write(target, ({ cipher }, wireTarget) =>
        Effect.gen(function*() {
          const answer = yield* api.updateSecret(wireTarget, yield* encrypt(cipher, written))
          const [kept] = yield* cipher.decryptAll(Option.toArray(sealedComment(answer)))
          return writtenRow(target, answer, written.value, Option.getOrElse(written.comment, () => kept ?? ""))
        })),

    delete: (target) => write(target, (_, wireTarget) => Effect.asVoid(api.deleteSecret(wireTarget)))
  }
})

/**
 * @since 0.1.0
 * @category layers
 */
export const layerEndToEndEncrypted: Layer.Layer<
  SecretSource,
  never,
  InfisicalApi.InfisicalApi | Session.Session
> = Layer.effect(SecretSource, makeEndToEndEncrypted)

const unaskedNotModified = new UnexpectedResponseError({
  endpoint: "GET /api/v3/secrets",
  status: 304,
  problem: "nothing was said to have changed, though no ETag was sent"
})

// Of the imports the last wins; within one entry the importing folder's own secrets come first (`wire/` "Reads").
const readList = (
  cipher: Cipher,
  location: Location.Location,
  list: EncryptedSecretList
): Effect.Effect<Snapshot.Content> => {
  const placed = [
    ...list.secrets.map((secret) => ({
      secret,
      imported: false,
      secretPath: secret.secretPath ?? location.secretPath
    })),
    ...list.imports.toReversed().flatMap((entry) =>
      entry.secrets.map((secret) => ({ secret, imported: true, secretPath: entry.secretPath }))
    )
  ]
  return Effect.map(cipher.decryptAll(placed.map(({ secret }) => sealedName(secret))), (names) => {
    const own: Array<Snapshot.Row> = []
    const imported: Array<Snapshot.Row> = []
    const nameless: Array<DecryptError> = []
    for (const [index, place] of placed.entries()) {
      const name = names[index]
      if (name === undefined) {
        nameless.push(
          new DecryptError({
            subject: "secret name",
            secretId: place.secret.id,
            problem: "it is not authentic, or was encrypted with another key"
          })
        )
      } else {
        ;(place.imported ? imported : own).push({
          ...row(name, place.secret, location.environment, place.secretPath),
          held: {
            _tag: "Encrypted",
            value: {
              ciphertext: place.secret.secretValueCiphertext,
              iv: place.secret.secretValueIV,
              tag: place.secret.secretValueTag
            },
            comment: sealedComment(place.secret)
          }
        })
      }
    }
    return Snapshot.content({ own, imported, nameless, cipher })
  })
}

const row = (
  name: string,
  secret: EncryptedSecret,
  environment: string,
  secretPath: string
): Omit<Snapshot.Row, "held"> => ({
  id: secret.id,
  name,
  type: secret.type,
  version: secret.version,
  environment: secret.environment ?? environment,
  secretPath
})

const writtenRow = (
  target: Target,
  answer: EncryptedSecret,
  value: Redacted.Redacted<string>,
  comment: string
): Snapshot.WrittenRow => ({
  ...row(target.name, answer, target.location.environment, target.location.secretPath),
  held: { _tag: "Revealed", value, comment }
})

const sealedName = (secret: EncryptedSecret): Sealed => ({
  ciphertext: secret.secretKeyCiphertext,
  iv: secret.secretKeyIV,
  tag: secret.secretKeyTag
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

const encrypt = (cipher: Cipher, written: Written) =>
  Effect.gen(function*() {
    const value = yield* cipher.encrypt(Redacted.value(written.value))
    const comment = yield* Effect.transposeMapOption(written.comment, cipher.encrypt)
    return {
      secretValueCiphertext: value.ciphertext,
      secretValueIV: value.iv,
      secretValueTag: value.tag,
      ...Option.match(comment, {
        onNone: () => ({}),
        onSome: (comment) => ({
          secretCommentCiphertext: comment.ciphertext,
          secretCommentIV: comment.iv,
          secretCommentTag: comment.tag
        })
      })
    }
  })
