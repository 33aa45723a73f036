/**
 * The last good snapshots, encrypted for the next process: one that starts while the server cannot be reached serves
 * from them and says so. Opt-in, by a `SnapshotStorage`.
 *
 * A snapshot is sealed with AES-256-GCM under a key that is derived from the credential, or from `sealingKey`, for this
 * site, holder and location alone. A seal that was changed, cut off, made by another holder, for another site or
 * location, or by another version does not open, and is ignored with a warning. A refused credential voids all seals of
 * its holder that were made before.
 *
 * What sealing does not promise: everyone who can write to the storage can put an older seal back, and remove the mark of a
 * refusal. An older seal is then served while the server is unreachable, until it is older than `sealedTtl`.
 *
 * @since 0.1.0
 */
import type { PlatformError } from "@effect/platform/Error"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Encoding from "effect/Encoding"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { ParseError } from "effect/ParseResult"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { endAfter, remaining } from "../api/deadline.js"
import * as Credential from "../config/Credential.js"
import * as InfisicalConfig from "../config/InfisicalConfig.js"
import * as Crypto from "../crypto/Crypto.js"
import { InvalidRequestError } from "../model/InfisicalError.js"
import type * as Location from "../model/Location.js"
import { SecretType } from "../model/Secret.js"
import * as Snapshot from "../source/Snapshot.js"
import * as Json from "../support/json.js"
import { SnapshotStorage } from "./SnapshotStorage.js"

/**
 * The service behind `SealedSnapshots`. None of it fails: what cannot be stored or read is logged as a warning.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** Whether there is a storage at all. */
  readonly isEnabled: boolean
  /** Seals a snapshot in place of the last one of its location. Secrets that cannot be decrypted are left out. */
  readonly save: (snapshot: Snapshot.Snapshot) => Effect.Effect<void>
  /**
   * The sealed snapshot of a location, if there is one that can be trusted and is no older than `sealedTtl`. Why it is
   * served, `staleBecause`, is for the caller to add.
   */
  readonly load: (location: Location.Location) => Effect.Effect<Option.Option<Snapshot.Snapshot>>
  /** Removes the sealed snapshot of a location. */
  readonly remove: (location: Location.Location) => Effect.Effect<void>
  /**
   * Voids everything that was fetched until a refusal: of the project, or for `credential` of every project. The storage
   * need not list its keys, so a mark with the time is stored, and older seals are ignored.
   */
  readonly removeAll: (of: "project" | "credential", refusedAt: DateTime.Utc) => Effect.Effect<void>
}

/**
 * The last good snapshots, encrypted for the next process.
 *
 * @since 0.1.0
 * @category tags
 */
export class SealedSnapshots extends Context.Tag("effect-infisical/SealedSnapshots")<SealedSnapshots, Service>() {}

/**
 * The longest wait for one operation of the storage, in milliseconds. A file or a row takes milliseconds and a busy Redis
 * less than a second, so a storage that takes longer hangs. It is well below the default deadline of a call, 30 seconds,
 * so that a read can still fail with the reason or come from the fallback.
 */
const storageTimeout = 5000

interface StorageTimeout {
  readonly _tag: "StorageTimeout"
  readonly message: string
}

interface TooLarge {
  readonly _tag: "TooLarge"
  readonly message: string
}

const tooLarge: TooLarge = { _tag: "TooLarge", message: "it is more than twice as large as maxResponseBytes" }

/** An operation of the storage. Its wait is bounded even in uninterruptible regions and finalizers. */
const bounded = <A, E>(operation: Effect.Effect<A, E>): Effect.Effect<A, E | StorageTimeout> =>
  Effect.flatMap(remaining, (left) =>
    endAfter(operation, Math.min(storageTimeout, left), (): StorageTimeout => ({
      _tag: "StorageTimeout",
      message: "the storage did not answer in time"
    })))

/** Raised by one with every change of what follows. */
const formatVersion = 2

const Envelope = Schema.parseJson(Schema.Struct({
  version: Schema.Number,
  ciphertext: Schema.String,
  iv: Schema.String,
  tag: Schema.String
}))

const Details = Schema.Struct({
  tags: Schema.Array(Schema.Struct({ id: Schema.String, slug: Schema.String, name: Schema.String })),
  // Pairs, since a record loses the key `__proto__`.
  metadata: Schema.Array(Schema.Tuple(Schema.String, Schema.String)),
  encryptedMetadata: Schema.Array(Schema.Tuple(Schema.String, Schema.Redacted(Schema.String))),
  reminder: Schema.Option(Schema.Struct({ repeatDays: Schema.Number, note: Schema.String }))
})

const Rows = Schema.Array(Schema.Struct({
  id: Schema.String,
  name: Schema.String,
  type: SecretType,
  version: Schema.Number,
  environment: Schema.String,
  secretPath: Schema.String,
  value: Schema.String,
  comment: Schema.String,
  details: Details
}))

/** What a `Date` holds. */
const Timestamp = Schema.Int.pipe(Schema.between(0, 8.64e15))

const Sealed = Schema.parseJson(Schema.Struct({ fetchedAt: Timestamp, own: Rows, imported: Rows }))

/** When a credential was refused. */
const Mark = Schema.parseJson(Schema.Struct({ refusedAt: Timestamp }))

/**
 * Makes the service from those that it needs. `layer` is the usual way to have it.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<
  Service,
  InvalidRequestError,
  Crypto.Crypto | InfisicalConfig.InfisicalConfig | SnapshotStorage
> = Effect.gen(
  function*() {
    const storage = yield* SnapshotStorage
    const store = {
      get: (key: string) => bounded(storage.get(key)),
      set: (key: string, text: string) => bounded(storage.set(key, text)),
      remove: (key: string) => bounded(storage.remove(key))
    }
    const crypto = yield* Crypto.Crypto
    const { credential, logDebug, maxResponseBytes, projectId, sealedTtl, sealingKey, siteUrl } = yield* InfisicalConfig
      .InfisicalConfig
    if (Option.isNone(sealingKey)) {
      return yield* new InvalidRequestError({
        parameter: "sealingKey",
        problem: "it is needed, since this credential has no secret that a key can be derived from"
      })
    }

    const holder = Credential.holderOf(credential)
    // Without a holder's name the token itself is part of the key, so that no other token opens the seal.
    const secret = Option.match(holder, {
      onSome: () => sealingKey.value,
      onNone: () => joined([sealingKey.value, ...Option.toArray(Credential.secretOf(credential))])
    })
    const holderName = [siteUrl, Option.getOrElse(holder, () => credential.id)]
    const projectName = [...holderName, ...Option.toArray(projectId)]
    const cipherFor = (name: string) =>
      crypto.derivedCipher({ secret, purpose: `effect-infisical sealed snapshot ${formatVersion} ${name}` })
    const place = (location: Location.Location) => JSON.stringify([...projectName, location.key])
    const keyOf = (location: Location.Location) => hashed("sealed", place(location))
    const cipherOf = (location: Location.Location) => cipherFor(place(location))
    const markNames = {
      credential: JSON.stringify(["refused credential", ...holderName]),
      project: JSON.stringify(["refused project", ...projectName])
    }
    /** When the credential was last refused. A mark that does not open voids everything. */
    const refusedAt = (name: string) =>
      Effect.flatMap(
        Effect.flatMap(hashed("refused", name), store.get),
        Option.match({
          onNone: () => Effect.succeed(Number.NEGATIVE_INFINITY),
          onSome: (text) =>
            Effect.gen(function*() {
              const envelope = yield* envelopeIn(text)
              const plaintext = yield* (yield* cipherFor(name)).decrypt(envelope)
              return (yield* Schema.decode(Mark)(plaintext)).refusedAt
            }).pipe(Effect.orElseSucceed(() => Number.POSITIVE_INFINITY))
        })
      )
    const mark = (name: string, refusedAt: DateTime.Utc) =>
      Effect.gen(function*() {
        const plaintext = yield* Schema.encode(Mark)({ refusedAt: DateTime.toEpochMillis(refusedAt) })
        const sealed = yield* (yield* cipherFor(name)).encrypt(plaintext)
        yield* store.set(
          yield* hashed("refused", name),
          yield* Schema.encode(Envelope)({ version: formatVersion, ...sealed })
        )
      })
    // A seal is decrypted and in base64, so that it may be longer than the responses that it was made of.
    const longest = 2 * maxResponseBytes
    const envelopeIn = (text: string) =>
      text.length > longest || Json.problemOf(new TextEncoder().encode(text)) !== undefined
        ? Option.none()
        : Schema.decodeOption(Envelope)(text)
    const ignored = ({ environment, secretPath }: Location.Location, why: string) =>
      Effect.as(
        Effect.logWarning(`The sealed snapshot of ${environment} at ${secretPath} is ignored: ${why}`),
        Option.none()
      )

    return {
      isEnabled: true,

      save: (snapshot) =>
        Effect.gen(function*() {
          const { content, fetchedAt, location } = snapshot
          const [own, imported] = yield* Effect.all([
            Snapshot.decryptedRows(content.cipher, content.own),
            Snapshot.decryptedRows(content.cipher, content.imported)
          ])
          const plaintext = yield* Schema.encode(Sealed)({
            fetchedAt: DateTime.toEpochMillis(fetchedAt),
            own: plain(own),
            imported: plain(imported)
          })
          const sealed = yield* (yield* cipherOf(location)).encrypt(plaintext)
          const text = yield* Schema.encode(Envelope)({ version: formatVersion, ...sealed })
          if (text.length > longest) return yield* Effect.fail(tooLarge)
          yield* store.set(yield* keyOf(location), text)
        }).pipe(
          Effect.catchAllCause((cause) =>
            Effect.logWarning(
              `The snapshot of ${snapshot.location.environment} at ${snapshot.location.secretPath} could not be sealed: ${
                problemOf(cause)
              }`
            )
          ),
          Effect.uninterruptible
        ),

      load: (location) =>
        Effect.gen(function*() {
          const text = yield* store.get(yield* keyOf(location))
          if (Option.isNone(text)) return Option.none()
          const envelope = envelopeIn(text.value)
          if (Option.isNone(envelope)) return yield* ignored(location, "it is corrupt or cut off")
          if (envelope.value.version !== formatVersion) {
            return yield* ignored(location, "it was made by another version of this library")
          }
          const plaintext = yield* Effect.option((yield* cipherOf(location)).decrypt(envelope.value))
          if (Option.isNone(plaintext)) {
            return yield* ignored(
              location,
              "it was changed, or sealed with another credential, for another site or location"
            )
          }
          const sealed = Schema.decodeOption(Sealed)(plaintext.value)
          if (Option.isNone(sealed)) return yield* ignored(location, "it has another shape")
          const { fetchedAt, imported, own } = sealed.value
          const age = (yield* Clock.currentTimeMillis) - fetchedAt
          if (age < 0 || age > Duration.toMillis(sealedTtl)) {
            yield* store.remove(yield* keyOf(location))
            return yield* ignored(
              location,
              age < 0 ? "it is from the future: a clock was ahead" : `it is older than ${Duration.format(sealedTtl)}`
            )
          }
          const refusals = yield* Effect.all([refusedAt(markNames.credential), refusedAt(markNames.project)], {
            concurrency: 2
          })
          if (fetchedAt <= Math.max(...refusals)) {
            yield* store.remove(yield* keyOf(location))
            return yield* ignored(location, "the credential was refused after it was sealed")
          }
          yield* logDebug(`A sealed snapshot of ${location.environment} at ${location.secretPath} was loaded`)
          return Option.some(Snapshot.make({
            location,
            source: "sealed",
            fetchedAt: DateTime.unsafeMake(fetchedAt),
            etag: Option.none(),
            staleBecause: Option.none(),
            expand: Option.none(),
            content: { own: rows(own), imported: rows(imported), undecryptableNames: [], cipher: openNothing }
          }))
        }).pipe(Effect.catchAllCause((cause) => ignored(location, `it could not be read: ${problemOf(cause)}`))),

      remove: (location) =>
        Effect.catchAllCause(Effect.flatMap(keyOf(location), store.remove), (cause) =>
          Effect.logWarning(
            `The sealed snapshot of ${location.environment} at ${location.secretPath} could not be removed: ${
              problemOf(cause)
            }`
          )),

      removeAll: (of, refusedAt) =>
        Effect.catchAllCause(
          mark(markNames[of], refusedAt),
          (cause) =>
            Effect.logWarning(`The sealed snapshots of a refused ${of} could not be voided: ${problemOf(cause)}`)
        )
    }
  }
)

const disabled: Service = {
  isEnabled: false,
  save: () => Effect.void,
  load: () => Effect.succeedNone,
  remove: () => Effect.void,
  removeAll: () => Effect.void
}

/**
 * The service as a layer. Each call makes a new one.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (): Layer.Layer<
  SealedSnapshots,
  InvalidRequestError,
  Crypto.Crypto | InfisicalConfig.InfisicalConfig | SnapshotStorage
> => Layer.effect(SealedSnapshots, make)

/**
 * Seals nothing, whatever storage there is.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerDisabled: Layer.Layer<SealedSnapshots> = Layer.succeed(SealedSnapshots, disabled)

// A storage that dies must break no read either. What it died of may quote anything, and a ParseError does.
const problemOf = (cause: Cause.Cause<PlatformError | ParseError | StorageTimeout | TooLarge>): string =>
  Option.match(Cause.failureOption(cause), {
    onNone: () => "the storage failed",
    onSome: (error) => error._tag === "ParseError" ? "it cannot be encoded" : error.message
  })

/** A key of the storage: short enough for the name of a file, the same for each process, and it reveals no names. */
const hashed = (kind: "sealed" | "refused", name: string): Effect.Effect<string> =>
  Effect.map(
    Effect.promise(() => globalThis.crypto.subtle.digest("SHA-256", new TextEncoder().encode(name))),
    (hash) => `${kind}-${Encoding.encodeHex(new Uint8Array(hash))}`
  )

const joined = (parts: ReadonlyArray<Redacted.Redacted<string>>): Redacted.Redacted<string> =>
  Redacted.make(parts.map(Redacted.value).join(" "))

const openNothing: Snapshot.Content["cipher"] = { decryptAll: () => Effect.succeed([]) }

const plain = (
  rows: ReadonlyArray<readonly [Snapshot.Row, Snapshot.Decrypted]>
): ReadonlyArray<(typeof Rows.Type)[number]> =>
  rows.map(([{ details, payload: _, ...fields }, { comment, value }]) => ({
    ...fields,
    value: Redacted.value(value),
    comment,
    details: {
      ...details,
      metadata: Object.entries(details.metadata),
      encryptedMetadata: Object.entries(details.encryptedMetadata)
    }
  }))

const rows = (plain: typeof Rows.Type): ReadonlyArray<Snapshot.Row> =>
  plain.map(({ comment, details, value, ...fields }) => ({
    ...fields,
    details: {
      ...details,
      metadata: Object.fromEntries(details.metadata),
      encryptedMetadata: Object.fromEntries(details.encryptedMetadata)
    },
    payload: { _tag: "Decrypted", value: Redacted.make(value), comment }
  }))
