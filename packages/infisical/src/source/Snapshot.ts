/**
 * All secrets of one location as of one response. Names are known from the start. A value is decrypted once, at its
 * first use, and every later read returns the same object.
 */
import * as Cause from "effect/Cause"
import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Deadline from "../api/deadline.js"
import { type DecryptError, NetworkError, type PermissionError, type ReadError } from "../model/InfisicalError.js"
import type * as Location from "../model/Location.js"
import {
  type HiddenSecret,
  Secret,
  type SecretList,
  type SecretType,
  type Source,
  type UnresolvedSecret
} from "../model/Secret.js"
import * as Changes from "./change.js"
import { decryptedExit, decryptRows } from "./decryption.js"
import * as Filter from "./filter.js"
import * as References from "./references.js"
import type { Content, Decrypted, Row } from "./SecretSource.js"

export type { Change } from "./change.js"
export { decryptedRows, encrypted } from "./decryption.js"
export type { Content, Decrypted, Encrypted, Hidden, Row, WrittenRow } from "./SecretSource.js"

/** Replaces the references in a secret's value, for sources whose server does not. */
export type Expand = (secret: Secret) => Effect.Effect<Secret, ReadError>

export interface Options {
  readonly location: Location.Location
  readonly source: Source
  readonly fetchedAt: DateTime.Utc
  /** Makes the next fetch conditional. */
  readonly etag: Option.Option<string>
  readonly content: Content
  /** For a stale or sealed snapshot, the error of the failed fetch. */
  readonly staleBecause: Option.Option<ReadError>
  /** Called for each secret whose value has a reference. */
  readonly expand: Option.Option<Expand>
}

/** All secrets of one location as of one response. */
export interface Snapshot extends Options {
  /** The result of `get`, if it takes no more work. Not an effect, so that a warm read costs next to nothing. */
  readonly ready: (key: string, type: SecretType) => Ready | undefined
  /** The result of `list`, if it takes no more work. Always the same object. */
  readonly readyList: (type: SecretType) => Exit.Exit<SecretList> | undefined
  /** The secret of a key: the personal one if asked for, else the shared one. `undefined` if there is none. */
  readonly get: (key: string, type: SecretType) => Effect.Effect<Secret, ReadError> | undefined
  /** The row that `get` reads, by key. */
  readonly rows: (type: SecretType) => ReadonlyMap<string, Row>
  /**
   * All secrets. For `personal`, each personal secret replaces its shared one. Returns the same object as long as no
   * secret changed, and never fails: a secret that cannot be returned is listed with its error.
   */
  readonly list: (type: SecretType) => Effect.Effect<SecretList>
}

/** The final result of reading one secret. */
type Ready = Exit.Exit<Secret, DecryptError | PermissionError>

/** A secret that refers to others, which may change without it. */
type Expanding = Effect.Effect<Secret, ReadError>

/** The secrets that reads of one type see, with the results so far. */
interface View {
  readonly rows: ReadonlyMap<string, Row>
  readonly ready: Map<string, Ready>
  readonly expanding: Map<string, Expanding>
  /** The last list, to return the same object again if it has the same secrets. */
  lastList: SecretList | undefined
  /** The list, if no secret of it refers to others. */
  readyList: Exit.Exit<SecretList> | undefined
}

/** The key of a secret in a snapshot: its name, and in a recursive snapshot also its path. */
export const keyOf = (location: Location.Location, { name, secretPath }: Pick<Row, "name" | "secretPath">): string =>
  location.recursive ? `${secretPath}\u0000${name}` : name

/** Makes a secret of a decrypted row. */
export const secret = (
  row: Row,
  { comment, value }: Decrypted,
  source: Source,
  fetchedAt: DateTime.Utc
): Secret => {
  const { details, environment, id, name, secretPath, type, version } = row
  return new Secret({ name, value, type, comment, environment, secretPath, source, fetchedAt, id, version, details })
}

/** Makes a snapshot. */
export const make = (options: Options): Snapshot => {
  const { content, expand, fetchedAt, location, source } = options
  const shared = viewOf(index(location, content, "shared"))
  const personal = content.own.some((row) => row.type === "personal")
    ? viewOf(index(location, content, "personal"))
    : shared
  const view = (type: SecretType) => type === "personal" ? personal : shared

  /** The final result of a row, if it is decrypted and needs no expansion. */
  const readyOf = (key: string, row: Row, { expanding, ready }: View): Ready | undefined => {
    const known = ready.get(key)
    if (known !== undefined) return known
    const decrypted = decryptedExit(row)
    if (decrypted === undefined || expanding.has(key)) return undefined
    const plain = Exit.map(decrypted, (decrypted) => secret(row, decrypted, source, fetchedAt))
    if (Option.isSome(expand) && Exit.isSuccess(plain) && References.areIn(plain.value.value)) {
      expanding.set(key, expand.value(plain.value))
      return undefined
    }
    ready.set(key, plain)
    return plain
  }

  const resultOf = (key: string, row: Row, view: View): Ready | Expanding | undefined =>
    readyOf(key, row, view) ?? view.expanding.get(key)

  const assemble = (view: View): Effect.Effect<SecretList> =>
    Effect.suspend(() => {
      if (view.readyList !== undefined) return view.readyList
      const results: Array<Result> = []
      const pending: Array<Pending> = []
      for (const [key, row] of view.rows) {
        const ready = readyOf(key, row, view)
        if (ready === undefined) {
          pending.push({ index: results.length, secret: view.expanding.get(key) ?? stillEncrypted })
        }
        results.push(ready)
      }
      return Effect.map(settle(pending, results), () => {
        const next = listOf(options, view.rows, results)
        const list = view.lastList !== undefined && haveSameSecrets(view.lastList, next) ? view.lastList : next
        view.lastList = list
        if (pending.length === 0) view.readyList = Exit.succeed(list)
        return list
      })
    })

  return {
    ...options,
    ready: (key, type) => view(type).ready.get(key),
    readyList: (type) => view(type).readyList,
    get: (key, type) => {
      const current = view(type)
      const known = current.ready.get(key) ?? current.expanding.get(key)
      if (known !== undefined) return known
      const row = current.rows.get(key)
      if (row === undefined) return undefined
      return resultOf(key, row, current) ??
        Effect.flatMap(decryptRows(content.cipher, [row]), () => resultOf(key, row, current) ?? stillEncrypted)
    },
    rows: (type) => view(type).rows,
    list: (type) =>
      Effect.suspend(() => {
        const current = view(type)
        return current.readyList ??
          Effect.zipRight(decryptRows(content.cipher, current.rows.values()), assemble(current))
      })
  }
}

const stillEncrypted = Effect.dieMessage("BUG: row still encrypted after decryption")

const viewOf = (rows: ReadonlyMap<string, Row>): View => ({
  rows,
  ready: new Map(),
  expanding: new Map(),
  lastList: undefined,
  readyList: undefined
})

/** The result of reading one secret for a list; `undefined` until it is known. */
type Result = Exit.Exit<Secret, ReadError> | undefined

interface Pending {
  readonly index: number
  readonly secret: Expanding
}

/**
 * Expands the secrets of a list, all at the same time: a folder that hangs must not keep the others from being read.
 * Secrets that are not expanded at the caller's deadline have no result.
 */
const settle = (pending: ReadonlyArray<Pending>, results: Array<Result>): Effect.Effect<void> => {
  if (pending.length === 0) return Effect.void
  const all = Effect.forEach(
    pending,
    ({ index, secret }) =>
      Effect.match(secret, {
        onFailure: (error) => void (results[index] = Exit.fail(error)),
        onSuccess: (secret) => void (results[index] = Exit.succeed(secret))
      }),
    { concurrency: "unbounded", discard: true }
  )
  return Effect.flatMap(
    Deadline.remaining,
    (millis) => Effect.ignore(Deadline.endAfter(all, millis, () => timedOut))
  )
}

const timedOut = new NetworkError({ reason: "Timeout", endpoint: "Secrets.list", mayHaveBeenApplied: false })

const listOf = (
  { content, fetchedAt, source }: Options,
  rows: ReadonlyMap<string, Row>,
  results: ReadonlyArray<Result>
): SecretList => {
  const secrets: Array<Secret> = []
  const hidden: Array<HiddenSecret> = []
  const undecryptable: Array<DecryptError> = [...content.undecryptableNames]
  const unresolved: Array<UnresolvedSecret> = []
  let next = 0
  for (const row of rows.values()) {
    const result = results[next++]
    if (result !== undefined && Exit.isSuccess(result)) {
      secrets.push(result.value)
      continue
    }
    const { details, environment, name, secretPath, type } = row
    const error = Option.flatMap(Option.fromNullable(result), ({ cause }) => Cause.failureOption(cause))
    if (row.payload._tag === "Hidden") hidden.push({ name, type, environment, secretPath, details })
    else if (isUndecryptable(row) && Option.isSome(error) && error.value._tag === "DecryptError") {
      undecryptable.push(error.value)
    } else {
      unresolved.push({
        secret: { name, type, environment, secretPath },
        error: Option.getOrElse(error, () => timedOut)
      })
    }
  }
  return { secrets, hidden, undecryptable, unresolved, source, fetchedAt }
}

const isUndecryptable = (row: Row): boolean => {
  const decrypted = decryptedExit(row)
  return decrypted !== undefined && Exit.isFailure(decrypted)
}

/** Whether two lists of one snapshot are the same: only expanded values and failed references can differ. */
const haveSameSecrets = (one: SecretList, other: SecretList): boolean =>
  one.secrets.length === other.secrets.length && one.unresolved.length === other.unresolved.length &&
  one.secrets.every((secret, index) => secret === other.secrets[index]) &&
  one.unresolved.every(({ error }, index) => error === other.unresolved[index]?.error)

// The folder's own secret wins, then the last import (`wire/` "Reads"). Personal wins over shared if asked for.
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
  // Last, so that an imported secret does not take the place of the folder's own one that a filter leaves out.
  if (Filter.isFiltered(location)) {
    for (const [key, { details }] of found) if (!Filter.isWanted(location, details)) found.delete(key)
  }
  return found
}

/** Whether a write may change other values of a snapshot in which the server has replaced the references. */
export const isReferredTo = ({ content }: Snapshot, change: Changes.Change): boolean =>
  Changes.isReferredTo(content, change)

/** The snapshot after one of this client's own writes. It has no ETag, since the server has not sent one for it. */
export const afterWrite = (snapshot: Snapshot, change: Changes.Change): Snapshot =>
  make({ ...snapshot, etag: Option.none(), content: Changes.applied(snapshot.content, change) })
