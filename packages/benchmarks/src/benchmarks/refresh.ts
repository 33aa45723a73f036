/** A refresh of 1,000 secrets that finds nothing changed: what it costs the processor, beside the first fetch. */
import { Effect } from "effect"
import { Secrets } from "effect-infisical"
import { oursScoped } from "../clients.js"
import { type Benchmark, ensure, interleave, median, ratios } from "../Measurement.js"
import { folders, largeSize, RecordedServer, secretName } from "../RecordedServer.js"
import { significant } from "../Table.js"

/** One alone is too short for the processor's clock. */
const repetitions = 20
const warmUps = 3
const rounds = 15

/** How much the processor worked for each of some programs, in milliseconds, on all threads of this process. */
const processorTime = <E, R>(programs: ReadonlyArray<Effect.Effect<unknown, E, R>>): Effect.Effect<number, E, R> =>
  Effect.gen(function*() {
    const start = process.cpuUsage()
    for (const program of programs) yield* program
    const { system, user } = process.cpuUsage(start)
    return (system + user) / 1000 / programs.length
  })

export const refresh: Benchmark = {
  name: "refresh",
  run: Effect.gen(function*() {
    const server = yield* RecordedServer

    // Logged in before, so that both are one request, for the same list. A read comes after both, for what they may
    // have put off.
    const loggedIn = Effect.gen(function*() {
      const secrets = yield* Effect.provide(Secrets.Secrets, yield* oursScoped({ secretPath: folders.large }))
      yield* secrets.list({ secretPath: folders.small })
      const read = secrets.get(secretName(largeSize / 2))
      return { read, readAgain: Effect.zipRight(secrets.refresh({ secretPath: folders.large }), read) }
    })

    const first = Effect.gen(function*() {
      const clients = yield* Effect.replicateEffect(loggedIn, repetitions)
      return yield* processorTime(clients.map(({ read }) => read))
    }).pipe(Effect.scoped)

    const { read, readAgain } = yield* loggedIn
    yield* read
    const again = processorTime(Array.from({ length: repetitions }, () => readAgain))

    const [, { notModified }] = yield* server.counting(again)
    yield* ensure(
      notModified === repetitions,
      `${notModified} of ${repetitions} refreshes were answered with status 304`
    )
    const samples = yield* interleave({ contestants: { again, first }, warmUps, rounds })
    return [{
      what: "a refresh of 1,000 secrets, nothing changed, CPU",
      beside: "the first fetch",
      samples: ratios(samples("again"), samples("first")),
      budget: 0.1,
      unit: "×",
      basis: `${significant(median(samples("again")))} ms / ${significant(median(samples("first")))} ms`
    }]
  }).pipe(Effect.scoped)
}
