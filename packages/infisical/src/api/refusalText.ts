/**
 * The texts of refusals: which row of the table applies, and the names that a text lists. Each takes time that grows
 * with the length of the text only, whatever the text is.
 */
import { type Answer, emptyMessages, type Row, rows, type Subject } from "./refusals.js"

/** How much of a text is looked at: Infisical's longest are those of a batch, which list names at their end. */
const maxLength = 2048

/** A text of bounded length: of a longer one, both ends. */
export const textOf = (value: unknown): string =>
  typeof value !== "string"
    ? ""
    : value.length <= maxLength
    ? value
    : `${value.slice(0, maxLength / 2)}…${value.slice(-maxLength / 2)}`

/** What is fixed in a text: what comes before, between and after the parts that differ. */
type Template = readonly [first: string, ...rest: ReadonlyArray<string>]

const templateOf = (text: string): Template => {
  const [first = "", ...rest] = text.split("…")
  return [first, ...rest]
}

const isMatch = (text: string, [first, ...rest]: Template): boolean => {
  const last = rest.at(-1)
  if (last === undefined) return text === first
  const end = text.length - last.length
  if (end < first.length || !text.startsWith(first) || !text.endsWith(last)) return false
  let at = first.length
  for (const part of rest.slice(0, -1)) {
    const found = text.indexOf(part, at)
    if (found === -1 || found + part.length > end) return false
    at = found + part.length
  }
  return true
}

/** The first part that differs. It ends where what follows it is for the last time, since a name may contain that. */
const firstPart = (text: string, [first, next = "", ...rest]: Template): string =>
  text.slice(first.length, rest.length === 0 ? text.length - next.length : text.lastIndexOf(next))

interface Rule {
  readonly row: Row
  /** `undefined`: any. */
  readonly error: Template | undefined
  readonly message: Template | undefined
}

const ruleOf = (row: Row, [, , error, message]: Answer): Rule => ({
  row,
  error: emptyMessages.has(message) ? templateOf(error) : undefined,
  message: message === "…" ? undefined : templateOf(message)
})

const rules: ReadonlyArray<Rule> = rows.flatMap((row) => row.answers.map((answer) => ruleOf(row, answer)))

// A refused login is refused, whatever else may be the reason.
const isOf = ({ means, of }: Row, subject: Subject): boolean =>
  of === undefined
    ? subject !== "credential" || means._tag === "AuthenticationError" || means._tag === "NetworkError"
    : of.includes(subject)

export interface Found {
  readonly row: Row
  /** What the text has at its first `…`. */
  readonly part: string
}

/** The first row that applies. */
export const find = (error: string, message: string, subject: Subject): Found | undefined => {
  const rule = rules.find((rule) =>
    isOf(rule.row, subject) &&
    (rule.error === undefined || isMatch(error, rule.error)) &&
    (rule.message === undefined || isMatch(message, rule.message))
  )
  return rule && { row: rule.row, part: rule.message === undefined ? "" : firstPart(message, rule.message) }
}

/** The names that a text lists; `undefined` if it was cut, or if the comma between names may be one of a name. */
export const namesIn = (part: string, sent: ReadonlyArray<string>): ReadonlyArray<string> | undefined =>
  part.includes("…") || sent.some((name) => name.includes(","))
    ? undefined
    : part.split(",").map((name) => name.trim()).filter((name) => name !== "")

/**
 * Which of the names that a batch sent are missing, by the list in the server's answer: none if this cannot be known,
 * `undefined` if all exist, which a server also refuses if a name is there twice.
 *
 * Servers up to 2025 list the secrets that they found, and those of 2026 with the same words those that are missing.
 */
export const missingNames = (
  { part, row: { lists } }: Found,
  sent: ReadonlyArray<string>,
  mayBeOf2026: boolean
): ReadonlyArray<string> | undefined => {
  if (lists === undefined) return sent.filter((name) => [name, `'${name}'`].includes(part.trim()))
  const all = namesIn(part, sent)
  if (all === undefined) return []
  const listed = new Set(all)
  const inside = sent.filter((name) => listed.has(name.trim()))
  const outside = sent.filter((name) => !listed.has(name.trim()))
  if (lists === "missing") return all.length === 0 ? undefined : inside
  if (lists === "missing or existing" && mayBeOf2026) {
    return inside.length === 0 ? outside : outside.length === 0 && all.length === sent.length ? inside : []
  }
  return outside.length === 0 ? undefined : outside
}
