/**
 * Reads the body of a response: no more bytes than the bound, and only JSON that is safe to parse.
 */
import type * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { problemOf } from "../support/json.js"

/** Why a body is refused. */
export interface RefusedBody {
  readonly _tag: "RefusedBody"
  readonly problem: string
}

const refused = (problem: string) => Effect.fail<RefusedBody>({ _tag: "RefusedBody", problem })

/** The body of a response as bytes of JSON that can be parsed; whether it is JSON is not checked. */
export const read = (
  response: HttpClientResponse.HttpClientResponse,
  maxBytes: number
): Effect.Effect<ArrayBuffer, RefusedBody | HttpClientError.ResponseError> =>
  Effect.flatMap(readBytes(response, maxBytes), (body) => {
    const problem = problemOf(new Uint8Array(body))
    return problem === undefined ? Effect.succeed(body) : refused(`the body ${problem}`)
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
 * was compressed is longer, and where the header that says so is hidden (a browser, across origins) it cannot be known.
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
