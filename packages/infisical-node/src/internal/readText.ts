/** Reads a small secret text from a file, with a bound on size and time. */
import { InfisicalError } from "effect-infisical"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { constants } from "node:fs"
import { type FileHandle, open } from "node:fs/promises"

/** In bytes. A JWT is sent as a header or a field of a request, and a key has a few kilobytes. */
const largest = 64 * 1024

/**
 * The text of a regular file. `part` names it in the error.
 *
 * A FIFO or a device can block or never end, so only regular files are read. `O_NONBLOCK` lets the opening of a FIFO
 * return at once.
 */
export const readText = (
  part: string,
  path: string
): Effect.Effect<Redacted.Redacted<string>, InfisicalError.InvalidCredentialError> => {
  const fail = (problem: string) => new InfisicalError.InvalidCredentialError({ part, problem })
  const unreadable = (error: unknown) =>
    fail(`cannot be read from ${path}${codeOf(error)}: check that the file exists and is readable`)
  return Effect.acquireUseRelease(
    Effect.tryPromise({ try: () => open(path, constants.O_RDONLY | constants.O_NONBLOCK), catch: unreadable }),
    (file) =>
      Effect.gen(function*() {
        const stat = yield* Effect.tryPromise({ try: () => file.stat(), catch: unreadable })
        if (!stat.isFile()) return yield* fail(`cannot be read from ${path}: it is not a regular file`)
        const text = yield* Effect.tryPromise({ try: () => readBounded(file), catch: unreadable })
        if (text === undefined) return yield* fail(`cannot be read from ${path}: it has more than ${largest} bytes`)
        return text.trim() === "" ? yield* fail(`is missing: ${path} is empty`) : Redacted.make(text)
      }),
    (file) => Effect.ignore(Effect.tryPromise(() => file.close()))
  )
}

/** The stated size may be wrong, as in `/proc`, so the bytes are counted. Undefined if there are too many. */
const readBounded = (file: FileHandle): Promise<string | undefined> => {
  const buffer = Buffer.alloc(largest + 1)
  const from = (length: number): Promise<string | undefined> =>
    file.read(buffer, length, buffer.length - length, length).then(({ bytesRead }) =>
      bytesRead === 0
        ? buffer.toString("utf8", 0, length)
        : length + bytesRead > largest
        ? undefined
        : from(length + bytesRead)
    )
  return from(0)
}

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? ` (${error.code})` : ""
