/**
 * Watches everything that a test file prints, in whatever way: no token, no key and no planted value may be in it.
 */
import { inspect } from "node:util"
import { afterAll, assert } from "vitest"

/** The mark of every secret value that tests plant. */
export const planted = "planted0"

/** A service token with its secret part, and a bearer of anything. */
const patterns = [new RegExp(planted), /st\.[0-9a-f-]{36}\.[0-9a-f]{16,}/, /bearer (?!<redacted>)\S{8,}/i]

const printed: Array<string> = []

const watch = (stream: NodeJS.WriteStream) => {
  const write = stream.write.bind(stream)
  stream.write = (chunk: Uint8Array | string, ...rest: ReadonlyArray<never>) => {
    printed.push(String(chunk))
    return write(chunk, ...rest)
  }
}

watch(process.stdout)
watch(process.stderr)
for (const method of ["debug", "dir", "error", "group", "info", "log", "table", "trace", "warn"] as const) {
  const original = globalThis.console[method].bind(globalThis.console)
  globalThis.console[method] = (...args: Array<unknown>) => {
    printed.push(args.map((arg) => inspect(arg, { depth: null, showHidden: true })).join(" "))
    original(...args)
  }
}

afterAll(() => {
  const all = printed.join("\n")
  for (const pattern of patterns) {
    assert.isFalse(pattern.test(all), `something that tests printed has a secret in it (${pattern})`)
  }
})
