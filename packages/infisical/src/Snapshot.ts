/**
 * All the secrets of one location as of one answer. Names are known when it arrives; a value is decrypted at its first
 * use, once, and from then on a read gives the same object.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import type * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type { Cipher, Sealed } from "./Crypto.js"
import { DecryptError, type ReadError } from "./InfisicalError.js"
import type * as Location from "./Location.js"
import { Secret, type SecretList, type Source } from "./Secret.js"
import type { SecretType } from "./Wire.js"

/**
 * What decryption brings to light.
 *
 * @since 0.1.0
 * @category models
 */
export interface Revealed {
  readonly _tag: "Revealed"
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
  decrypted: Exit.Exit<Revealed, DecryptError> | undefined
  underWay: Deferred.Deferred<void> | undefined
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
  underWay: undefined
})

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
  readonly held: Revealed | Encrypted
}

/**
 * A secret that we wrote: its value is known.
 *
 * @since 0.1.0
 * @category models
 */
export interface WrittenRow extends Row {
  readonly held: Revealed
}

/**
 * The secret that a row stands for, once it is revealed.
 *
 * @since 0.1.0
 * @category constructors
 */
export const secret = (
  row: Row,
  revealed: Revealed,
  source: Source,
  fetchedAt: DateTime.Utc
): Secret =>
  new Secret({
    name: row.name,
    value: revealed.value,
    type: row.type,
    comment: revealed.comment,
    environment: row.environment,
    secretPath: row.secretPath,
    source,
    fetchedAt,
    id: row.id,
    version: row.version
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
  readonly nameless: ReadonlyArray<DecryptError>
  /** Opens what is encrypted of them. */
  readonly cipher: Pick<Cipher, "decryptAll">
}

const peek = ({ held }: Row): Exit.Exit<Revealed, DecryptError> | undefined =>
  held._tag === "Revealed" ? Exit.succeed(held) : held.decrypted

/**
 * Decrypts rows, each at most once however often and by however many it is asked for.
 *
 * @since 0.1.0
 * @category combinators
 */
export const reveal = (cipher: Content["cipher"], rows: ReadonlyArray<Row>): Effect.Effect<void> =>
  Effect.suspend(() => {
    const missing: Array<Missing> = []
    const others = new Set<Deferred.Deferred<void>>()
    for (const { held, name } of rows) {
      if (held._tag === "Revealed" || held.decrypted !== undefined) continue
      if (held.underWay === undefined) missing.push({ held, name })
      else others.add(held.underWay)
    }
    return Effect.zipRight(
      missing.length === 0 ? Effect.void : decrypt(cipher, missing),
      others.size === 0 ? Effect.void : Effect.forEach(others, Deferred.await, { discard: true })
    )
  })

interface Missing {
  readonly held: Encrypted
  readonly name: string
}

const decrypt = (cipher: Content["cipher"], missing: ReadonlyArray<Missing>): Effect.Effect<void> =>
  Effect.suspend(() => {
    const done = Deferred.unsafeMake<void>(FiberId.none)
    const sealed: Array<Sealed> = []
    for (const { held } of missing) {
      held.underWay = done
      sealed.push(held.value)
      if (Option.isSome(held.comment)) sealed.push(held.comment.value)
    }
    return Effect.ensuring(
      Effect.map(cipher.decryptAll(sealed), (plaintexts) => {
        let next = 0
        for (const { held, name } of missing) {
          const value = plaintexts[next++]
          // A comment that cannot be read is no reason to withhold a value that can.
          const comment = (Option.isSome(held.comment) ? plaintexts[next++] : undefined) ?? ""
          held.decrypted = value === undefined
            ? undecryptable(name)
            : Exit.succeed({ _tag: "Revealed", value: Redacted.make(value), comment })
        }
      }),
      Effect.suspend(() => {
        for (const { held } of missing) held.underWay = undefined
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
export const revealed = (
  cipher: Content["cipher"],
  rows: ReadonlyArray<Row>
): Effect.Effect<ReadonlyArray<readonly [Row, Revealed]>> =>
  Effect.map(reveal(cipher, rows), () =>
    rows.flatMap((row) => {
      const exit = peek(row)
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
 * All the secrets of one location as of one answer.
 *
 * @since 0.1.0
 * @category models
 */
export interface Snapshot {
  readonly location: Location.Location
  readonly source: Source
  readonly fetchedAt: DateTime.Utc
  /** Under which the server will say that nothing changed. */
  readonly etag: Option.Option<string>
  readonly content: Content
  /** Why it could not be fetched anew, where it is stale. */
  readonly staleBecause: Option.Option<ReadError>
  /**
   * The secret of a name: for `personal` the personal one, else the shared one. `undefined` where there is none.
   *
   * It is not an effect itself, so that a warm read costs next to nothing.
   */
  readonly get: (name: string, type: SecretType) => Effect.Effect<Secret, DecryptError> | undefined
  /** The row that `get` would give, by name. */
  readonly rows: (type: SecretType) => ReadonlyMap<string, Row>
  /** Every secret, for `personal` each personal one in place of its shared one. */
  readonly list: (type: SecretType) => Effect.Effect<SecretList>
}

/**
 * Makes a snapshot.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: {
  readonly location: Location.Location
  readonly source: Source
  readonly fetchedAt: DateTime.Utc
  readonly etag: Option.Option<string>
  readonly content: Content
  readonly staleBecause: Option.Option<ReadError>
}): Snapshot => {
  const { content, fetchedAt, source } = options
  const shared = index(content, "shared")
  const hasPersonal = content.own.some((row) => row.type === "personal")
  const rows = { shared, personal: hasPersonal ? index(content, "personal") : shared }
  const secrets = {
    personal: new Map<string, Exit.Exit<Secret, DecryptError>>(),
    shared: new Map<string, Exit.Exit<Secret, DecryptError>>()
  }

  const show = (row: Row, type: SecretType): Exit.Exit<Secret, DecryptError> | undefined => {
    const known = secrets[type].get(row.name)
    if (known !== undefined) return known
    const revealed = peek(row)
    if (revealed === undefined) return undefined
    const shown = Exit.map(revealed, (revealed) => secret(row, revealed, source, fetchedAt))
    secrets[type].set(row.name, shown)
    return shown
  }

  return {
    ...options,
    get: (name, type) => {
      const known = secrets[type].get(name)
      if (known !== undefined) return known
      const row = rows[type].get(name)
      return row === undefined ? undefined : show(row, type) ?? Effect.flatMap(
        reveal(content.cipher, [row]),
        () => show(row, type) ?? Effect.dieMessage("a row was revealed and is not")
      )
    },
    rows: (type) => rows[type],
    list: (type) => {
      const all = [...rows[type].values()]
      return Effect.map(reveal(content.cipher, all), () => {
        const readable: Array<Secret> = []
        const undecryptable: Array<DecryptError> = [...content.nameless]
        for (const row of all) {
          const shown = show(row, type)
          if (shown === undefined) continue
          if (Exit.isSuccess(shown)) readable.push(shown.value)
          else undecryptable.push(...Cause.failures(shown.cause))
        }
        return { secrets: readable, undecryptable, source, fetchedAt }
      })
    }
  }
}

// The folder's own secret wins, then the last import (`wire/` "Reads"); personal wins over shared where asked for.
const index = (content: Content, type: SecretType): ReadonlyMap<string, Row> => {
  const found = new Map<string, Row>()
  const add = (rows: ReadonlyArray<Row>, wanted: SecretType) => {
    for (const row of rows) if (row.type === wanted && !found.has(row.name)) found.set(row.name, row)
  }
  if (type === "personal") add(content.own, "personal")
  add(content.own, "shared")
  add(content.imported, "shared")
  return found
}

/**
 * What a write of our own changed: a secret as the server holds it now, or one that is gone.
 *
 * @since 0.1.0
 * @category models
 */
export type Change =
  | { readonly _tag: "Put"; readonly row: Row }
  | { readonly _tag: "Deleted"; readonly name: string; readonly type: SecretType }

/**
 * The snapshot after a write of our own: with that secret as the server holds it now, or without it. It has no ETag any
 * more, since the server never gave one for it.
 *
 * @since 0.1.0
 * @category combinators
 */
export const afterWrite = (snapshot: Snapshot, change: Change): Snapshot => {
  const { own } = snapshot.content
  const same = (row: Row, name: string, type: SecretType) => row.name === name && row.type === type
  const next = change._tag === "Deleted"
    // Deleting a shared secret deletes its personal ones (`wire/` "Writes").
    ? own.filter((row) => row.name !== change.name || (change.type === "personal" && row.type === "shared"))
    : own.some((row) => same(row, change.row.name, change.row.type))
    ? own.map((row) =>
      same(row, change.row.name, change.row.type) && !(row.id === change.row.id && row.version > change.row.version)
        ? change.row
        : row
    )
    : [...own, change.row]
  return make({ ...snapshot, etag: Option.none(), content: { ...snapshot.content, own: next } })
}
