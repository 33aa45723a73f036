/**
 * All the secrets of one location as of one answer. Names are known when it arrives; a value is decrypted at its first
 * use, once, and from then on a read gives the same object.
 *
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type { Cipher, Sealed } from "../crypto/Crypto.js"
import { DecryptError, PermissionError, type ReadError } from "../model/InfisicalError.js"
import type * as Location from "../model/Location.js"
import { type Details, type HiddenSecret, Secret, type SecretList, type Source } from "../model/Secret.js"
import type { SecretType } from "../model/Secret.js"
import * as References from "./references.js"

/**
 * What decryption brings to light.
 *
 * @since 0.1.0
 * @category models
 */
export interface Decrypted {
  readonly _tag: "Decrypted"
  readonly value: Redacted.Redacted<string>
  /** Empty where there is none. */
  readonly comment: string
}

/**
 * A value and a comment that have yet to be decrypted.
 *
 * What comes of it is kept here, in place, for as long as its row lives: a row that an answer has in common with the
 * last one is the same object, and so is not decrypted again. A map beside it would cost a tenth of a cold list.
 *
 * @since 0.1.0
 * @category models
 */
export interface Encrypted {
  readonly _tag: "Encrypted"
  readonly value: Sealed
  readonly comment: Option.Option<Sealed>
  decrypted: Exit.Exit<Decrypted, DecryptError> | undefined
  inFlight: Deferred.Deferred<void> | undefined
}

/**
 * A value and a comment as they came.
 *
 * @since 0.1.0
 * @category constructors
 */
export const encrypted = (value: Sealed, comment: Option.Option<Sealed>): Encrypted => ({
  _tag: "Encrypted",
  value,
  comment,
  decrypted: undefined,
  inFlight: undefined
})

/**
 * A value that the server does not tell.
 *
 * @since 0.1.0
 * @category models
 */
export interface Hidden {
  readonly _tag: "Hidden"
}

/**
 * One secret of an answer.
 *
 * @since 0.1.0
 * @category models
 */
export interface Row {
  readonly id: string
  readonly name: string
  readonly type: SecretType
  readonly version: number
  readonly environment: string
  readonly secretPath: string
  readonly details: Details
  readonly payload: Decrypted | Encrypted | Hidden
}

/**
 * A secret that we wrote: its value is known.
 *
 * @since 0.1.0
 * @category models
 */
export interface WrittenRow extends Row {
  readonly payload: Decrypted
}

/**
 * The secret that a row stands for, once it is decrypted.
 *
 * @since 0.1.0
 * @category constructors
 */
export const secret = (
  row: Row,
  decrypted: Decrypted,
  source: Source,
  fetchedAt: DateTime.Utc
): Secret =>
  new Secret({
    name: row.name,
    value: decrypted.value,
    type: row.type,
    comment: decrypted.comment,
    environment: row.environment,
    secretPath: row.secretPath,
    source,
    fetchedAt,
    id: row.id,
    version: row.version,
    details: row.details
  })

/**
 * What a server said of a location.
 *
 * @since 0.1.0
 * @category models
 */
export interface Content {
  /** The folder's own secrets; of two with one name and type the first counts. */
  readonly own: ReadonlyArray<Row>
  /** The imported ones; of two with one name the first counts, and only where the folder has none. */
  readonly imported: ReadonlyArray<Row>
  /** Those whose very name could not be decrypted. */
  readonly undecryptableNames: ReadonlyArray<DecryptError>
  /** Opens what is encrypted of them. */
  readonly cipher: Pick<Cipher, "decryptAll">
}

const decryptedExit = (row: Row): Exit.Exit<Decrypted, DecryptError | PermissionError> | undefined => {
  switch (row.payload._tag) {
    case "Decrypted":
      return Exit.succeed(row.payload)
    case "Encrypted":
      return row.payload.decrypted
    case "Hidden":
      return Exit.fail(
        new PermissionError({
          endpoint: `secret "${row.name}"`,
          problem: "hidden value",
          action: "read",
          environment: row.environment,
          secretPath: row.secretPath
        })
      )
  }
}

/**
 * Decrypts rows, each at most once however often and by however many it is asked for.
 *
 * @since 0.1.0
 * @category combinators
 */
export const decryptRows = (cipher: Content["cipher"], rows: ReadonlyArray<Row>): Effect.Effect<void> =>
  Effect.suspend(() => {
    const missing: Array<Missing> = []
    const others = new Set<Deferred.Deferred<void>>()
    for (const { payload, name } of rows) {
      if (payload._tag !== "Encrypted" || payload.decrypted !== undefined) continue
      if (payload.inFlight === undefined) missing.push({ payload, name })
      else others.add(payload.inFlight)
    }
    return Effect.zipRight(
      missing.length === 0 ? Effect.void : decrypt(cipher, missing),
      others.size === 0 ? Effect.void : Effect.forEach(others, Deferred.await, { discard: true })
    )
  })

interface Missing {
  readonly payload: Encrypted
  readonly name: string
}

const decrypt = (cipher: Content["cipher"], missing: ReadonlyArray<Missing>): Effect.Effect<void> =>
  Effect.suspend(() => {
    const done = Deferred.unsafeMake<void>(FiberId.none)
    const sealed: Array<Sealed> = []
    for (const { payload } of missing) {
      payload.inFlight = done
      sealed.push(payload.value)
      if (Option.isSome(payload.comment)) sealed.push(payload.comment.value)
    }
    return Effect.ensuring(
      Effect.map(cipher.decryptAll(sealed), (plaintexts) => {
        let next = 0
        for (const { payload, name } of missing) {
          const value = plaintexts[next++]
          // A comment that cannot be read is no reason to withhold a value that can.
          const comment = (Option.isSome(payload.comment) ? plaintexts[next++] : undefined) ?? ""
          payload.decrypted = value === undefined
            ? undecryptable(name)
            : Exit.succeed({ _tag: "Decrypted", value: Redacted.make(value), comment })
        }
      }),
      Effect.suspend(() => {
        for (const { payload } of missing) payload.inFlight = undefined
        return Deferred.succeed(done, undefined)
      })
    )
  }).pipe(Effect.uninterruptible)

/**
 * Those rows that can be decrypted, each with what it holds.
 *
 * @since 0.1.0
 * @category combinators
 */
export const decryptedRows = (
  cipher: Content["cipher"],
  rows: ReadonlyArray<Row>
): Effect.Effect<ReadonlyArray<readonly [Row, Decrypted]>> =>
  Effect.map(decryptRows(cipher, rows), () =>
    rows.flatMap((row) => {
      const exit = decryptedExit(row)
      return exit !== undefined && Exit.isSuccess(exit) ? [[row, exit.value] as const] : []
    }))

const undecryptable = (secretName: string) =>
  Exit.fail(
    new DecryptError({
      subject: "secret value",
      secretName,
      problem: "it is not authentic, or was encrypted with another key"
    })
  )

/**
 * Replaces the references in a secret's value, where the server did not.
 *
 * @since 0.1.0
 * @category models
 */
export type Expand = (secret: Secret) => Effect.Effect<Secret, ReadError>

/**
 * What a snapshot is made of.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  readonly location: Location.Location
  readonly source: Source
  readonly fetchedAt: DateTime.Utc
  /** Under which the server will say that nothing changed. */
  readonly etag: Option.Option<string>
  readonly content: Content
  /** Why it could not be fetched anew, where it is stale. */
  readonly staleBecause: Option.Option<ReadError>
  /** Called for secrets whose value has a reference. */
  readonly expand: Option.Option<Expand>
}

/**
 * All the secrets of one location as of one answer.
 *
 * @since 0.1.0
 * @category models
 */
export interface Snapshot extends Options {
  /** What `get` would give, if that takes nothing any more. Not an effect, so that a warm read costs next to nothing. */
  readonly ready: (key: string, type: SecretType) => Ready | undefined
  /** The secret of a key: for `personal` the personal one, else the shared one. `undefined` where there is none. */
  readonly get: (key: string, type: SecretType) => Effect.Effect<Secret, ReadError> | undefined
  /** The row that `get` would give, by key. */
  readonly rows: (type: SecretType) => ReadonlyMap<string, Row>
  /** What `list` would give, if it takes no effect any more. */
  readonly readyList: (type: SecretType) => Exit.Exit<SecretList> | undefined
  /** Every secret, for `personal` each personal one in place of its shared one. */
  readonly list: (type: SecretType) => Effect.Effect<SecretList, ReadError>
}

/** A secret that takes no effect any more. */
type Ready = Exit.Exit<Secret, DecryptError | PermissionError>

/** One that refers to others, which may change without it. */
type Expanding = Effect.Effect<Secret, ReadError>

/**
 * By what a snapshot knows a secret: its name, and in a recursive one its path with it.
 *
 * @since 0.1.0
 * @category getters
 */
export const keyOf = (location: Location.Location, { name, secretPath }: Pick<Row, "name" | "secretPath">): string =>
  location.recursive ? `${secretPath}\u0000${name}` : name

/**
 * Makes a snapshot.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options): Snapshot => {
  const { content, expand, fetchedAt, location, source } = options
  const shared = index(location, content, "shared")
  const hasPersonal = content.own.some((row) => row.type === "personal")
  const rows = { shared, personal: hasPersonal ? index(location, content, "personal") : shared }
  const ready = { personal: new Map<string, Ready>(), shared: new Map<string, Ready>() }
  const expanding = { personal: new Map<string, Expanding>(), shared: new Map<string, Expanding>() }

  const known = (key: string, type: SecretType) => ready[type].get(key) ?? expanding[type].get(key)

  const show = (key: string, row: Row, type: SecretType): Ready | Expanding | undefined => {
    const shown = known(key, type)
    if (shown !== undefined) return shown
    const decrypted = decryptedExit(row)
    if (decrypted === undefined) return undefined
    const plain = Exit.map(decrypted, (decrypted) => secret(row, decrypted, source, fetchedAt))
    if (Option.isSome(expand) && Exit.isSuccess(plain) && References.areIn(plain.value.value)) {
      const expanded = expand.value(plain.value)
      expanding[type].set(key, expanded)
      return expanded
    }
    ready[type].set(key, plain)
    return plain
  }

  return {
    ...options,
    ready: (key, type) => ready[type].get(key),
    get: (key, type) => {
      const shown = known(key, type)
      if (shown !== undefined) return shown
      const row = rows[type].get(key)
      return row === undefined ? undefined : show(key, row, type) ?? Effect.flatMap(
        decryptRows(content.cipher, [row]),
        () => show(key, row, type) ?? Effect.dieMessage("a row was decrypted and is not")
      )
    },
    rows: (type) => rows[type],
    readyList: () => undefined,
    list: (type) =>
      Effect.gen(function*() {
        yield* decryptRows(content.cipher, [...rows[type].values()])
        const readable: Array<Secret> = []
        const hidden: Array<HiddenSecret> = []
        const undecryptable: Array<DecryptError> = [...content.undecryptableNames]
        for (const [key, row] of rows[type]) {
          if (row.payload._tag === "Hidden") {
            hidden.push(row)
            continue
          }
          const shown = show(key, row, type)
          if (shown === undefined) continue
          // Most are there already, and need no effect.
          if (Exit.isExit(shown) && Exit.isSuccess(shown)) {
            readable.push(shown.value)
            continue
          }
          const result = yield* Effect.either(shown)
          if (Either.isRight(result)) readable.push(result.right)
          else if (result.left._tag === "DecryptError") undecryptable.push(result.left)
          else return yield* result.left
        }
        return { secrets: readable, hidden, undecryptable, source, fetchedAt }
      })
  }
}

// The folder's own secret wins, then the last import (`wire/` "Reads"); personal wins over shared where asked for.
const index = (location: Location.Location, content: Content, type: SecretType): ReadonlyMap<string, Row> => {
  const found = new Map<string, Row>()
  const add = (rows: ReadonlyArray<Row>, wanted: SecretType) => {
    for (const row of rows) {
      const key = keyOf(location, row)
      if (row.type === wanted && !found.has(key)) found.set(key, row)
    }
  }
  if (type === "personal") add(content.own, "personal")
  add(content.own, "shared")
  add(content.imported, "shared")
  return found
}

/**
 * What a write of our own changed: secrets as the server holds them now, and some that are gone.
 *
 * @since 0.1.0
 * @category models
 */
export interface Change {
  readonly put: ReadonlyArray<Row>
  readonly deleted: ReadonlyArray<{ readonly name: string; readonly type: SecretType }>
}

/**
 * Whether a write may change other values of a snapshot in which the server replaced the references, or is to be changed
 * itself. What it replaced is not marked, but it left there what it put in: a value that refers to a secret has the value
 * of that in it, or as yet the reference to what there was not.
 *
 * @since 0.1.0
 * @category combinators
 */
export const isReferredTo = ({ content }: Snapshot, { deleted, put }: Change): boolean => {
  const values = [...content.own, ...content.imported].flatMap(({ payload, name }) =>
    payload._tag === "Decrypted" ? [{ name, value: payload.value }] : []
  )
  return put.some(({ payload }) => payload._tag === "Decrypted" && References.areIn(payload.value)) ||
    [...put, ...deleted].some((changed) => {
      const earlier = values.filter(({ name }) => name === changed.name)
      // The server trims values (`wire/` "Writes").
      const texts = earlier.map(({ value }) => Redacted.value(value).trim())
      return values.some(({ name, value }) =>
        name !== changed.name && (earlier.length === 0
          ? References.areIn(value)
          : texts.some((text) => Redacted.value(value).includes(text)))
      )
    })
}

/**
 * The snapshot after a write of our own: with those secrets as the server holds them now, or without them. It has no
 * ETag any more, since the server never gave one for it.
 *
 * @since 0.1.0
 * @category combinators
 */
export const afterWrite = (snapshot: Snapshot, { deleted, put }: Change): Snapshot => {
  // Deleting a shared secret deletes its personal ones (`wire/` "Writes").
  const isGone = (row: Row) =>
    deleted.some(({ name, type }) => row.name === name && (type === "shared" || row.type === "personal"))
  const kept = deleted.length === 0 ? snapshot.content.own : snapshot.content.own.filter((row) => !isGone(row))
  const own = put.reduce((rows, row) => {
    const isSame = (other: Row) => other.name === row.name && other.type === row.type
    if (!rows.some(isSame)) return [...rows, row]
    return rows.map((other) => isSame(other) && !(other.id === row.id && other.version > row.version) ? row : other)
  }, kept)
  return make({ ...snapshot, etag: Option.none(), content: { ...snapshot.content, own } })
}
