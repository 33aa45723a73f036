/** Where a text stops being JSON. */

/** What may come next. */
type Expected = "value" | "value or ]" | "key" | "key or }" | ":" | ", or end"

type Token = "string" | "scalar" | "{" | "}" | "[" | "]" | ":" | "," | "end"

const beginning = String.raw`"(?:[^"\\\u0000-\u001f]+|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*`
const whitespace = /[ \t\n\r]*/y
const stringBeginning = new RegExp(beginning, "y")
const scalar = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.+-])/y

const lengthAt = (pattern: RegExp, text: string, position: number): number => {
  // The last position is the state of every sticky expression.
  pattern.lastIndex = position
  return pattern.exec(text)?.[0].length ?? 0
}

const isPunctuation = (text: string): text is "{" | "}" | "[" | "]" | ":" | "," => /^[{}[\]:,]$/.test(text)

/** The position of the first character that cannot be there: the length of the text, where something is missing. */
export const position = (text: string): number => {
  /** The containers that are open, innermost last. */
  const open: Array<"{" | "["> = []
  let expected: Expected = "value"
  let at = 0
  for (;;) {
    at += lengthAt(whitespace, text, at)
    const { length, token } = tokenAt(text, at)
    if (token === undefined) return at + length
    const next = after(expected, token, open)
    if (next === undefined) return at
    if (token === "end") return at
    expected = next
    at += length
  }
}

/** The token there, or how far there is a beginning of one. */
const tokenAt = (text: string, at: number): { readonly token: Token | undefined; readonly length: number } => {
  const first = text.charAt(at)
  if (first === "") return { token: "end", length: 0 }
  if (isPunctuation(first)) return { token: first, length: 1 }
  if (first === "\"") {
    const length = lengthAt(stringBeginning, text, at)
    return text.charAt(at + length) === "\"" ? { token: "string", length: length + 1 } : { token: undefined, length }
  }
  const length = lengthAt(scalar, text, at)
  return length === 0 ? { token: undefined, length: 0 } : { token: "scalar", length }
}

/** What is expected after this token, or `undefined` where the token is a mistake. */
const after = (expected: Expected, token: Token, open: Array<"{" | "[">): Expected | undefined => {
  const inner = open.at(-1)
  const isEmptied = (expected === "value or ]" && token === "]") || (expected === "key or }" && token === "}")
  switch (expected) {
    case "key":
    case "key or }":
      if (token === "string") return ":"
      break
    case ":":
      return token === ":" ? "value" : undefined
    case ", or end":
      if (token === "," && inner !== undefined) return inner === "{" ? "key" : "value"
      if (token === "end" && inner === undefined) return ", or end"
      if ((token === "}" && inner === "{") || (token === "]" && inner === "[")) {
        open.pop()
        return ", or end"
      }
      return undefined
    default:
      if (token === "string" || token === "scalar") return ", or end"
      if (token === "{" || token === "[") {
        open.push(token)
        return token === "{" ? "key or }" : "value or ]"
      }
  }
  if (!isEmptied) return undefined
  open.pop()
  return ", or end"
}
