/** What makes JSON from outside unsafe to parse. */

/**
 * The deepest nesting of a text. Infisical's own answers have 6 levels.
 *
 * V8 parses any depth, but a level costs 56 bytes of memory for one byte of the text, other engines overflow their stack,
 * and so does `JSON.stringify` of such a value everywhere. The check takes 1 ms a megabyte; decoding the text and parsing
 * it take 6 ms (Node 20).
 */
const maxDepth = 64

const quote = 0x22
const backslash = 0x5c
const comma = 0x2c

/**
 * How many values a text of so many bytes may have. An empty object costs 35 bytes of memory for three of the text, so
 * values have to be bounded as well. A secret of Infisical takes about 20 bytes a value, and its shortest fields
 * (`{"key":"a","value":"b"},`) 8.
 */
const maxValues = (bytes: number) => 10_000 + bytes / 8

/**
 * What makes bytes of JSON unsafe to parse: nesting that is too deep, too many values, or strings that are not UTF-8, whose
 * wrong bytes `TextDecoder` would silently replace in a secret's value. One pass, with no allocation.
 */
export const problemOf = (bytes: Uint8Array): string | undefined => {
  let depth = 0
  let values = 0
  let next = 0
  while (next < bytes.length) {
    const byte = bytes[next++] ?? 0
    if (byte === quote) {
      // The end of the bytes ends the string.
      for (let inner = bytes[next++] ?? quote; inner !== quote; inner = bytes[next++] ?? quote) {
        if (inner === backslash) next++
        else if (inner > 0x7f) {
          const length = sequenceLength(bytes, next, inner)
          if (length === undefined) return "is not UTF-8"
          next += length
        }
      }
      continue
    }
    if (byte === comma) {
      values++
      continue
    }
    // `[` and `{` differ in one bit, as do `]` and `}`.
    const bracket = byte & 0xdf
    if (bracket === 0x5b) {
      values++
      if (++depth > maxDepth) return `is nested more than ${maxDepth} levels deep`
    } else if (bracket === 0x5d) depth--
  }
  return values > maxValues(bytes.length) ? `has too many values for its ${bytes.length} bytes` : undefined
}

/** How many bytes follow the first one of a character; `undefined` if they are not what UTF-8 wants there. */
const sequenceLength = (bytes: Uint8Array, next: number, first: number): number | undefined => {
  const length = first < 0xc2 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : first < 0xf5 ? 3 : 0
  if (length === 0) return undefined
  // Neither encoded longer than need be, nor surrogates, nor beyond the last character.
  const second = bytes[next] ?? 0
  const least = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80
  const most = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf
  if (second < least || second > most) return undefined
  for (let index = 1; index < length; index++) {
    if (((bytes[next + index] ?? 0) & 0xc0) !== 0x80) return undefined
  }
  return length
}
