/** The effect of this client's own writes on known secrets. */
import * as Redacted from "effect/Redacted"
import type { SecretType } from "../model/Secret.js"
import * as References from "./references.js"
import type { Content, Row } from "./SecretSource.js"

/** The result of a write: secrets as the server has stored them, and deleted ones. */
export interface Change {
  readonly put: ReadonlyArray<Row>
  readonly deleted: ReadonlyArray<{ readonly name: string; readonly type: SecretType }>
}

/**
 * Whether a write may change other values in which the server has replaced the references.
 *
 * The server does not mark what it replaced. A value that refers to a secret contains that secret's value, or the
 * reference as written if the secret did not exist. A written value that has references itself must be fetched, too.
 */
export const isReferredTo = (content: Content, { deleted, put }: Change): boolean => {
  if (put.some(({ payload }) => payload._tag === "Decrypted" && References.areIn(payload.value))) return true
  const values = [...content.own, ...content.imported].flatMap(({ payload, name }) =>
    payload._tag === "Decrypted" ? [{ name, value: payload.value }] : []
  )
  const isUnreadable = (changed: { readonly name: string }) =>
    content.own.some(({ name, payload }) => name === changed.name && payload._tag !== "Decrypted")
  return [...put, ...deleted].some((changed) => {
    // Without its value it cannot be told what refers to it.
    if (isUnreadable(changed)) return true
    // The server trims values (`wire/` "Writes").
    const earlier = values.flatMap(({ name, value }) => name === changed.name ? [Redacted.value(value).trim()] : [])
    return values.some(({ name, value }) =>
      name !== changed.name &&
      (earlier.length === 0 ? References.areIn(value) : earlier.some((text) => Redacted.value(value).includes(text)))
    )
  })
}

const keyOf = ({ name, type }: Pick<Row, "name" | "type">) => `${type} ${name}`

/** The older of two versions of one secret does not replace the newer one. */
const newest = (known: Row, written: Row): Row =>
  known.id === written.id && known.version > written.version ? known : written

/** The content with the written secrets as stored, and without the deleted ones. */
export const applied = (content: Content, { deleted, put }: Change): Content => {
  const gone = new Set(deleted.map(keyOf))
  const written = new Map<string, Row>()
  for (const row of put) {
    const key = keyOf(row)
    const earlier = written.get(key)
    written.set(key, earlier === undefined ? row : newest(earlier, row))
  }
  const added = new Map(written)
  const own: Array<Row> = []
  for (const row of content.own) {
    const key = keyOf(row)
    // Deleting a shared secret deletes its personal ones (`wire/` "Writes").
    if (gone.has(key) || gone.has(keyOf({ ...row, type: "shared" }))) continue
    const replacement = written.get(key)
    added.delete(key)
    own.push(replacement === undefined ? row : newest(row, replacement))
  }
  return { ...content, own: [...own, ...added.values()] }
}
