/**
 * A server that costs next to nothing: in a process of its own, it gives the bytes that the emulator once gave. See
 * `recorded-server.ts`, which is that process.
 */
import { Context, Data, Effect, Layer, Redacted, Schema } from "effect"
import { fork } from "node:child_process"

/** The folders that it has, all in environment `dev`. */
export const folders = {
  /** 1,000 secrets. */
  large: "/",
  /** 100 secrets, and only here by name as well. */
  medium: "/medium",
  /** One secret. */
  small: "/small"
} as const

export const largeSize = 1000
export const mediumSize = 100

/** What a name of a folder's secret is; of realistic length, and each another. */
export const secretName = (index: number): string => `SERVICE_${String(index).padStart(4, "0")}_DATABASE_URL`

/** What it tells when it listens. */
export const Ready = Schema.Struct({
  siteUrl: Schema.String,
  token: Schema.String,
  /** The length of the list of the large folder. */
  largeBytes: Schema.Number
})

/** How many requests it has answered since it started. */
export const Count = Schema.Struct({
  requests: Schema.Number,
  /** Those of them with status 304. */
  notModified: Schema.Number
})

/** The process ended, or said something else than was asked. */
export class ServerFailed extends Data.TaggedError("ServerFailed")<{ readonly cause: unknown }> {}

/** The service behind `RecordedServer`. */
export interface Service {
  readonly siteUrl: string
  readonly token: Redacted.Redacted<string>
  readonly largeBytes: number
  /** Runs something, and counts its requests. */
  readonly counting: <A, E, R>(
    effect: Effect.Effect<A, E, R>
  ) => Effect.Effect<readonly [answer: A, count: typeof Count.Type], E | ServerFailed, R>
}

/** A server that costs next to nothing. */
export class RecordedServer extends Context.Tag("benchmarks/RecordedServer")<RecordedServer, Service>() {}

/** Starts the process, and ends it with the scope. */
export const layer: Layer.Layer<RecordedServer, ServerFailed> = Layer.scoped(
  RecordedServer,
  Effect.gen(function*() {
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => fork(new URL("recorded-server.js", import.meta.url), { execArgv: [] })),
      (child) => Effect.sync(() => child.kill())
    )

    const answer = <A, I>(schema: Schema.Schema<A, I>, ask: () => void) =>
      Effect.async<unknown, ServerFailed>((resume) => {
        const ended = (code: number | null) => {
          resume(Effect.fail(new ServerFailed({ cause: `the process ended with ${code}` })))
        }
        child.once("exit", ended)
        child.once("message", (message) => {
          child.off("exit", ended)
          resume(Effect.succeed(message))
        })
        ask()
      }).pipe(
        Effect.flatMap(Schema.decodeUnknown(schema)),
        Effect.catchTag("ParseError", (cause) => Effect.fail(new ServerFailed({ cause })))
      )

    const ready = yield* answer(Ready, () => undefined)
    const count = answer(Count, () => child.send("count"))
    return {
      siteUrl: ready.siteUrl,
      token: Redacted.make(ready.token),
      largeBytes: ready.largeBytes,
      counting: (effect) =>
        Effect.gen(function*() {
          const before = yield* count
          const answer = yield* effect
          const after = yield* count
          return [answer, {
            requests: after.requests - before.requests,
            notModified: after.notModified - before.notModified
          }]
        })
    }
  })
)
