/**
 * A list of 1,000 encrypted secrets, from a new client that has asked nothing yet until its first answer. Clients are
 * made before the time begins, since a program makes one, when it starts; the layers of ours take about a millisecond.
 */
import { Effect } from "effect"
import { Secrets } from "effect-infisical"
import { limit, ours, theirPlace, theirs } from "../clients.js"
import {
  type Benchmark,
  ensure,
  interleave,
  type Measurement,
  median,
  type NotMeasured,
  ratios
} from "../Measurement.js"
import { folders, largeSize, secretName } from "../RecordedServer.js"
import { significant } from "../Table.js"

const warmUps = 20
const rounds = 60

/** How many milliseconds it takes from the start to a whole answer. */
const untilAnswer = <A>(
  ask: () => Promise<A>,
  isWhole: (answer: A) => boolean
): Effect.Effect<number, NotMeasured> =>
  Effect.promise(async () => {
    const start = performance.now()
    const answer = await ask()
    return { answer, time: performance.now() - start }
  }).pipe(
    Effect.tap(({ answer }) => ensure(isWhole(answer), "an answer is not whole")),
    Effect.map(({ time }) => time)
  )

export const coldList: Benchmark = {
  name: "cold",
  run: Effect.gen(function*() {
    const newOurs = yield* ours
    const newTheirs = yield* theirs
    const fetchAll = yield* limit

    const withOurs = <A, E>(program: Effect.Effect<A, E, Secrets.Secrets>, isWhole: (answer: A) => boolean) =>
      Effect.gen(function*() {
        const runtime = newOurs({ secretPath: folders.large })
        yield* runtime.runtimeEffect
        return yield* Effect.ensuring(untilAnswer(() => runtime.runPromise(program), isWhole), runtime.disposeEffect)
      })

    const samples = yield* interleave({
      contestants: {
        get: withOurs(
          Effect.flatMap(Secrets.Secrets, (secrets) => secrets.get(secretName(largeSize / 2))),
          ({ source }) => source === "live"
        ),
        list: withOurs(
          Effect.flatMap(Secrets.Secrets, (secrets) => secrets.list()),
          ({ secrets }) => secrets.length === largeSize
        ),
        theirs: Effect.suspend(() => {
          const client = newTheirs()
          return untilAnswer(
            () =>
              client.getAllSecrets({
                ...theirPlace(folders.large),
                attachToProcessEnv: false,
                includeImports: true
              }),
            (answer) => answer.length === largeSize
          )
        }),
        limit: untilAnswer(() => fetchAll(folders.large), (answer) => answer.size === largeSize)
      },
      warmUps,
      rounds
    })

    const compared = (
      what: string,
      name: "get" | "list",
      other: "theirs" | "limit",
      beside: string,
      budget: number
    ): Measurement => ({
      what,
      beside,
      samples: ratios(samples(name), samples(other)),
      budget,
      unit: "×",
      basis: `${significant(median(samples(name)))} ms / ${significant(median(samples(other)))} ms`
    })
    return [
      compared("1,000 secrets, cold, until a get is answered", "get", "theirs", "infisical-node's getAllSecrets", 0.7),
      compared("… until every value is decrypted", "list", "theirs", "infisical-node's getAllSecrets", 1.1),
      compared("… the same", "list", "limit", "fetch, JSON.parse, node:crypto", 1.25)
    ]
  })
}
