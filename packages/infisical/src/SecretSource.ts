/**
 * Where snapshots come from, and where writes go: a port. `layerEndToEndEncrypted` decrypts in this process with the
 * project key.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import type { Cipher, Sealed } from "./Crypto.js"
import * as InfisicalApi from "./InfisicalApi.js"
import {
  AlreadyExistsError,
  DecryptError,
  NotFoundError,
  PermissionError,
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
  /** What is left of the server's rate limit, where it says so. */
  readonly rateLimit: Option.Option<InfisicalApi.RateLimit>
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
    previous: Option.Option<Pick<Answer, "content" | "etag">>
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
    request: (access: Session.Access, wireTarget: InfisicalApi.Target) => Effect.Effect<A, E>
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
              ? Effect.map(readList(cipher, location, answer.list, previous), (content) => ({
                content,
                etag: answer.etag,
                rateLimit: answer.rateLimit
              }))
              : Option.match(previous, {
                onNone: () => unaskedNotModified,
                onSome: ({ content, etag }) => Effect.succeed({ content, etag, rateLimit: answer.rateLimit })
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
        })).pipe(Effect.catchTag("AlreadyExistsError", () => renamedUnasked)),

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

/**
 * The secrets of one folder in memory, by name.
 *
 * @since 0.1.0
 * @category models
 */
export interface MemoryFolder {
  readonly environment: string
  readonly secretPath: string
  readonly secrets: Readonly<Record<string, string | Redacted.Redacted<string>>>
}

/**
 * A source in memory, for tests: it refuses what a server refuses, and every folder exists. It has no imports, and no
 * user who could have personal secrets.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeMemory = (folders: ReadonlyArray<MemoryFolder>): Effect.Effect<Service> =>
  Effect.gen(function*() {
    const place = ({ environment, secretPath }: { readonly environment: string; readonly secretPath: string }) =>
      JSON.stringify([environment, secretPath])
    const created = (target: Omit<Target, "type">, held: Snapshot.Revealed): Snapshot.WrittenRow => ({
      id: JSON.stringify([target.location.environment, target.location.secretPath, target.name]),
      name: target.name,
      type: "shared",
      version: 1,
      environment: target.location.environment,
      secretPath: target.location.secretPath,
      held
    })
    const rows = yield* Ref.make(HashMap.empty<string, ReadonlyArray<Snapshot.WrittenRow>>())
    const own = (location: Location.Location) =>
      Effect.map(Ref.get(rows), (all) => Option.getOrElse(HashMap.get(all, place(location)), () => []))
    const replace = (location: Location.Location, own: ReadonlyArray<Snapshot.WrittenRow>) =>
      Ref.update(rows, HashMap.set(place(location), own))

    for (const { environment, secretPath, secrets } of folders) {
      const location = { environment, secretPath, includeImports: true, key: "" }
      yield* replace(
        location,
        Object.entries(secrets).map(([name, value]) =>
          created({ location, name }, {
            _tag: "Revealed",
            value: typeof value === "string" ? Redacted.make(value) : value,
            comment: ""
          })
        )
      )
    }

    const shared = (target: Target) =>
      target.type === "shared" ? Effect.void : Effect.fail(
        new PermissionError({
          endpoint: "memory",
          problem: "personal secret",
          environment: target.location.environment,
          secretPath: target.location.secretPath
        })
      )
    const placed = ({ location, name }: Target) => ({
      secretName: name,
      environment: location.environment,
      secretPath: location.secretPath
    })
    const existing = (target: Target) =>
      Effect.gen(function*() {
        yield* shared(target)
        const all = yield* own(target.location)
        const row = all.find(({ name }) => name === target.name)
        if (row === undefined) return yield* new NotFoundError({ resource: "secret", ...placed(target) })
        return { all, row }
      })

    return {
      fetch: (location) =>
        Effect.map(own(location), (own) => ({
          content: { own, imported: [], nameless: [], cipher: { decryptAll: () => Effect.succeed([]) } },
          etag: Option.none(),
          rateLimit: Option.none()
        })),

      create: (target, written) =>
        Effect.gen(function*() {
          yield* shared(target)
          const all = yield* own(target.location)
          if (all.some(({ name }) => name === target.name)) return yield* new AlreadyExistsError(placed(target))
          const row = created(target, {
            _tag: "Revealed",
            value: written.value,
            comment: Option.getOrElse(written.comment, () => "")
          })
          yield* replace(target.location, [...all, row])
          return row
        }),

      update: (target, written) =>
        Effect.gen(function*() {
          const { all, row } = yield* existing(target)
          const next: Snapshot.WrittenRow = {
            ...row,
            version: row.version + 1,
            held: {
              _tag: "Revealed",
              value: written.value,
              comment: Option.getOrElse(written.comment, () => row.held.comment)
            }
          }
          yield* replace(target.location, all.map((one) => one === row ? next : one))
          return next
        }),

      delete: (target) =>
        Effect.flatMap(existing(target), ({ all, row }) => replace(target.location, all.filter((one) => one !== row)))
    }
  })

/**
 * @since 0.1.0
 * @category layers
 */
export const layerMemory = (folders: ReadonlyArray<MemoryFolder>): Layer.Layer<SecretSource> =>
  Layer.effect(SecretSource, makeMemory(folders))

const renamedUnasked = new UnexpectedResponseError({
  endpoint: "PATCH /api/v3/secrets/:secretName",
  status: 400,
  problem: "the name was said to be taken, though no new name was sent"
})

const unaskedNotModified = new UnexpectedResponseError({
  endpoint: "GET /api/v3/secrets",
  status: 304,
  problem: "nothing was said to have changed, though no ETag was sent"
})

// Of the imports the last wins; within one entry the importing folder's own secrets come first (`wire/` "Reads").
const readList = (
  cipher: Cipher,
  location: Location.Location,
  list: EncryptedSecretList,
  previous: Option.Option<Pick<Answer, "content">>
): Effect.Effect<Snapshot.Content> =>
  Effect.suspend(() => {
    const known = new Map<string, Snapshot.Row>()
    if (Option.isSome(previous)) {
      for (const row of previous.value.content.imported) known.set(row.id, row)
      for (const row of previous.value.content.own) known.set(row.id, row)
    }
    const sealedNames: Array<Sealed> = []
    const fresh = (secret: EncryptedSecret, secretPath: string) => {
      if (!isSame(known.get(secret.id), secret, secretPath)) sealedNames.push(sealedName(secret))
    }
    const placed = (visit: (secret: EncryptedSecret, secretPath: string, imported: boolean) => void) => {
      for (const secret of list.secrets) visit(secret, secret.secretPath ?? location.secretPath, false)
      for (const entry of list.imports.toReversed()) {
        for (const secret of entry.secrets) visit(secret, entry.secretPath ?? location.secretPath, true)
      }
    }
    placed(fresh)
    return Effect.map(cipher.decryptAll(sealedNames), (names) => {
      const own: Array<Snapshot.Row> = []
      const imported: Array<Snapshot.Row> = []
      const nameless: Array<DecryptError> = []
      let next = 0
      placed((secret, secretPath, isImported) => {
        const same = known.get(secret.id)
        if (isSame(same, secret, secretPath)) {
          ;(isImported ? imported : own).push(same)
          return
        }
        const name = names[next++]
        if (name === undefined) nameless.push(undecryptableName(secret))
        else (isImported ? imported : own).push(encryptedRow(name, secret, location.environment, secretPath))
      })
      return { own, imported, nameless, cipher }
    })
  })

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
  (row.held._tag === "Revealed" ||
    (row.held.value.tag === secret.secretValueTag && row.held.value.ciphertext === secret.secretValueCiphertext))

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
  held: Snapshot.encrypted(
    { ciphertext: secret.secretValueCiphertext, iv: secret.secretValueIV, tag: secret.secretValueTag },
    sealedComment(secret)
  )
})

const writtenRow = (
  { location, name }: Target,
  answer: EncryptedSecret,
  value: Redacted.Redacted<string>,
  comment: string
): Snapshot.WrittenRow => ({
  id: answer.id,
  name,
  type: answer.type,
  version: answer.version,
  environment: answer.environment ?? location.environment,
  secretPath: location.secretPath,
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
