/**
 * Reads the body of a response: no more bytes than the bound, and only JSON that is safe to parse.
 */
import type * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

/** Why a body is refused. */
export interface RefusedBody {
  readonly _tag: "RefusedBody"
  readonly problem: string
}

const refused = (problem: string) => Effect.fail<RefusedBody>({ _tag: "RefusedBody", problem })

/**
 * The deepest nesting of a body. Infisical's own answers have 6 levels.
 *
 * V8 parses any depth, but a level costs 56 bytes of memory for one byte of the body, other engines overflow their stack,
 * and so does `JSON.stringify` of such a value everywhere. The check takes 1 ms a megabyte; decoding the text and parsing
 * it take 6 ms (Node 20).
 */
const maxDepth = 64

/** The body of a response as bytes of JSON that can be parsed; whether it is JSON is not checked. */
export const read = (
  response: HttpClientResponse.HttpClientResponse,
  maxBytes: number
): Effect.Effect<ArrayBuffer, RefusedBody | HttpClientError.ResponseError> =>
  Effect.flatMap(readBytes(response, maxBytes), (body) => {
    const problem = problemOf(new Uint8Array(body))
    return problem === undefined ? Effect.succeed(body) : refused(problem)
  })

const readBytes = (
  response: HttpClientResponse.HttpClientResponse,
  maxBytes: number
): Effect.Effect<ArrayBuffer, RefusedBody | HttpClientError.ResponseError> => {
  const tooLarge = refused(`the body is larger than maxResponseBytes (${maxBytes})`)
  const length = response.headers["content-length"] ?? ""
  const stated = /^\d{1,15}$/.test(length) ? Number(length) : 0
  return stated > maxBytes
    ? tooLarge
    : Effect.flatMap(
      readChunks(response, maxBytes, stated),
      (body) => body === undefined ? tooLarge : Effect.succeed(body)
    )
}

/** What is allocated before it has arrived: a list of several thousand secrets, and little if the length is a lie. */
const maxAllocatedFirst = 1 << 22

/**
 * `undefined` once it has more bytes than the bound: the rest is not read. The stated length bounds nothing: a body that
 * was compressed is longer, and where the header that says so is hidden (a browser, across origins) nobody can tell.
 */
const readChunks = (response: HttpClientResponse.HttpClientResponse, maxBytes: number, stated: number) =>
  Effect.suspend(() => {
    // Grown by doubling: a list of chunks would cost a hundred times the bytes of a body that comes byte by byte.
    let buffer = new Uint8Array(Math.min(stated || 1 << 16, maxAllocatedFirst))
    return response.stream.pipe(
      Stream.runFoldWhile(0, (length) => length <= maxBytes, (length, chunk: Uint8Array) => {
        const total = length + chunk.length
        if (total > maxBytes) return total
        if (total > buffer.length) {
          const larger = new Uint8Array(Math.max(total, 2 * buffer.length))
          larger.set(buffer.subarray(0, length))
          buffer = larger
        }
        buffer.set(chunk, length)
        return total
      }),
      Effect.map((length) =>
        length > maxBytes
          ? undefined
          : length === buffer.length
          ? buffer.buffer
          : buffer.slice(0, length).buffer
      ),
      Effect.catchIf((error) => error.reason === "EmptyBody", () => Effect.succeed(new ArrayBuffer(0)))
    )
  })

const quote = 0x22
const backslash = 0x5c
const comma = 0x2c

/**
 * How many values a body of so many bytes may have. An empty object costs 35 bytes of memory for three of the body, so
 * values have to be bounded as well. A secret of Infisical takes about 20 bytes a value, and its shortest fields
 * (`{"key":"a","value":"b"},`) 8.
 */
const maxValues = (bytes: number) => 10_000 + bytes / 8

/**
 * What makes bytes of JSON unsafe to parse: nesting that is too deep, too many values, or strings that are not UTF-8, whose wrong bytes
 * `TextDecoder` would silently replace in a secret's value. One pass, with no allocation.
 */
const problemOf = (bytes: Uint8Array): string | undefined => {
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
          if (length === undefined) return "the body is not UTF-8"
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
      if (++depth > maxDepth) return `the body is nested more than ${maxDepth} levels deep`
    } else if (bracket === 0x5d) depth--
  }
  return values > maxValues(bytes.length) ? `the body has too many values for its ${bytes.length} bytes` : undefined
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
