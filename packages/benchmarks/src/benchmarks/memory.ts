/** What a cached secret holds in memory, beside what it is on the wire. */
import { Effect } from "effect"
import { Secrets } from "effect-infisical"
import { oursScoped } from "../clients.js"
import { type Benchmark, collectGarbage, type Measurement, median } from "../Measurement.js"
import { folders, largeSize, RecordedServer, secretName } from "../RecordedServer.js"
import { significant } from "../Table.js"

/** Each holds a list of its own. */
const clients = 20
const rounds = 3

const held = Effect.gen(function*() {
  // What is freed by finalizers is free after the second time only.
  yield* collectGarbage("all")
  yield* Effect.sleep("10 millis")
  yield* collectGarbage("all")
  const { external, heapUsed } = process.memoryUsage()
  return external + heapUsed
})

export const memory: Benchmark = {
  name: "memory",
  run: Effect.gen(function*() {
    const { largeBytes } = yield* RecordedServer
    const bytesOnWire = largeBytes / largeSize

    const round = Effect.gen(function*() {
      const runtimes = yield* Effect.replicateEffect(oursScoped({ secretPath: folders.large }), clients)
      const inEach = <A, E>(program: Effect.Effect<A, E, Secrets.Secrets>) =>
        Effect.forEach(runtimes, (runtime) => Effect.provide(Effect.asVoid(program), runtime), { discard: true })

      // The client itself is none of its secrets.
      yield* inEach(Effect.flatMap(Secrets.Secrets, (secrets) => secrets.list({ secretPath: folders.small })))
      const before = yield* held
      yield* inEach(Effect.flatMap(Secrets.Secrets, (secrets) => secrets.get(secretName(0))))
      const encrypted = yield* held
      yield* inEach(Effect.flatMap(Secrets.Secrets, (secrets) => secrets.list()))
      const decrypted = yield* held
      const perSecret = (bytes: number) => bytes / (clients * largeSize)
      return { encrypted: perSecret(encrypted - before), decrypted: perSecret(decrypted - before) }
    }).pipe(Effect.scoped)

    yield* round
    const samples = yield* Effect.replicateEffect(round, rounds)
    const compared = (what: string, bytes: ReadonlyArray<number>): Measurement => ({
      what,
      beside: "its bytes on the wire",
      samples: bytes.map((bytes) => bytes / bytesOnWire),
      budget: 1.2,
      unit: "×",
      basis: `${significant(median(bytes))} B / ${significant(bytesOnWire)} B`
    })
    return [
      compared("memory held per cached secret, not yet read", samples.map(({ encrypted }) => encrypted)),
      compared("… decrypted", samples.map(({ decrypted }) => decrypted))
    ]
  })
}
