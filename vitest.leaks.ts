/**
 * Watches everything that a test file prints, in whatever way, and all that its spans give to a tracer: no token, no key
 * and no planted value may be in it.
 */
import { Cause, DefaultServices, Exit, GlobalValue, Option, Tracer } from "effect"
import { inspect } from "node:util"
import { afterAll, assert } from "vitest"

/** The mark of every secret value that tests plant. */
export const planted = "planted0"

/** A service token with its secret part, and a bearer of anything. */
const patterns = [new RegExp(planted), /st\.[0-9a-f-]{36}\.[0-9a-f]{16,}/, /bearer (?!<redacted>)\S{8,}/i]

/** In every way in which something may be printed, at full depth. */
const printings = (value: unknown): ReadonlyArray<string> => [
  String(value),
  json(value),
  inspect(value, { depth: null, showHidden: true, maxArrayLength: null, maxStringLength: null })
]

const json = (value: unknown): string => {
  try {
    return JSON.stringify(value, (_, part: unknown) => typeof part === "bigint" ? String(part) : part) ?? ""
  } catch {
    // Values with cycles have no JSON.
    return ""
  }
}

/**
 * A tracer that prints all that it is given, as a span exporter may: names, attributes, events, links, and the exit. It
 * prints the spans for which `isOurs`; by default every span.
 */
export const printingTracer = (
  print: (text: string) => void,
  isOurs: (span: { readonly name: string; readonly kind: Tracer.SpanKind }) => boolean = () => true
): Tracer.Tracer => {
  let count = 0
  return Tracer.make({
    context: (run) => run(),
    span: (name, parent, context, links, startTime, kind) => {
      const show = (...values: ReadonlyArray<unknown>) => {
        if (isOurs({ name, kind })) { for (const value of values) for (const text of printings(value)) print(text) }
      }
      const attributes = new Map<string, unknown>()
      const all = [...links]
      let status: Tracer.SpanStatus = { _tag: "Started", startTime }
      count++
      show(name, ...links.map((link) => link.attributes))
      return {
        _tag: "Span",
        name,
        spanId: String(count).padStart(16, "0"),
        traceId: Option.match(parent, {
          onNone: () => String(count).padStart(32, "0"),
          onSome: (span) => span.traceId
        }),
        parent,
        context,
        links: all,
        kind,
        sampled: true,
        attributes,
        get status() {
          return status
        },
        attribute: (key, value) => {
          attributes.set(key, value)
          show(key, value)
        },
        event: (name, _time, attributes) => show(name, attributes),
        addLinks: (links) => {
          all.push(...links)
          show(...links.map((link) => link.attributes))
        },
        end: (endTime, exit) => {
          status = { _tag: "Ended", startTime, endTime, exit }
          show(exit)
          if (Exit.isFailure(exit)) {
            show(Cause.pretty(exit.cause, { renderErrorCause: true }))
            for (const error of [...Cause.failures(exit.cause), ...Cause.defects(exit.cause)]) {
              show(error, error instanceof Error ? [error.message, error.stack, error.cause] : undefined)
            }
          } else show(exit.value)
        }
      }
    }
  })
}

/** What the tests of a worker print: it runs this module for each file of tests, and watches its output once. */
const { leaked, printed } = GlobalValue.globalValue(Symbol.for("test/leaks"), () => {
  const printed: Array<string> = []
  /** The first texts of spans in which a pattern was found; the others are not kept, since a run has thousands. */
  const leaked: Array<string> = []

  // The tracer of every fiber that has none of its own. Spans of servers are those of the emulator, and those of the
  // platform's client are of requests that tests make themselves: the library switches them off, which leaks.test.ts holds.
  DefaultServices.liveServices.unsafeMap.set(
    Tracer.Tracer.key,
    printingTracer(
      (text) => {
        if (patterns.some((pattern) => pattern.test(text))) leaked.push(text.slice(0, 2000))
      },
      ({ kind, name }) => kind !== "server" && !/^(http|sql)\./.test(name)
    )
  )

  for (const stream of [process.stdout, process.stderr]) {
    const write = stream.write.bind(stream)
    stream.write = (chunk: Uint8Array | string, ...rest: ReadonlyArray<never>) => {
      printed.push(String(chunk))
      return write(chunk, ...rest)
    }
  }
  for (const method of ["debug", "dir", "error", "group", "info", "log", "table", "trace", "warn"] as const) {
    const original = globalThis.console[method].bind(globalThis.console)
    globalThis.console[method] = (...args: Array<unknown>) => {
      printed.push(args.map((arg) => inspect(arg, { depth: null, showHidden: true })).join(" "))
      original(...args)
    }
  }
  return { leaked, printed }
})

afterAll(() => {
  const all = printed.splice(0).join("\n")
  for (const pattern of patterns) {
    assert.isFalse(pattern.test(all), `something that tests printed has a secret in it (${pattern})`)
  }
  assert.deepStrictEqual(leaked.splice(0), [], "a span has a secret in it")
})
