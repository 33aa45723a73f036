/**
 * A list of 1,000 encrypted secrets, from a new client that has asked nothing yet until its first answer. Clients are
 * made before the time begins, since a program makes one, when it starts; the layers of ours take about a millisecond.
 */
import { Effect, ManagedRuntime } from "effect"
import { Secrets } from "effect-infisical"
import { httpClients, leastOfNames, limit, ours, theirPlace, theirs } from "../clients.js"
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
    const fetchNames = yield* leastOfNames

    const within = <R, E, A, E2>(
      runtime: ManagedRuntime.ManagedRuntime<R, E>,
      program: Effect.Effect<A, E2, R>,
      isWhole: (answer: A) => boolean
    ) =>
      Effect.ensuring(
        Effect.zipRight(runtime.runtimeEffect, untilAnswer(() => runtime.runPromise(program), isWhole)),
        runtime.disposeEffect
      )

    const through = (name: keyof typeof httpClients) => {
      const httpClient = httpClients[name]
      const runtime = Effect.sync(() => newOurs({ secretPath: folders.large }, httpClient))
      return {
        get: Effect.flatMap(runtime, (runtime) =>
          within(
            runtime,
            Effect.flatMap(Secrets.Secrets, (secrets) => secrets.get(secretName(largeSize / 2))),
            ({ source }) => source === "live"
          )),
        list: Effect.flatMap(runtime, (runtime) =>
          within(
            runtime,
            Effect.flatMap(Secrets.Secrets, (secrets) => secrets.list()),
            ({ secrets }) => secrets.length === largeSize
          )),
        least: Effect.suspend(() =>
          within(ManagedRuntime.make(httpClient), fetchNames(folders.large), (names) => names.size === largeSize)
        )
      }
    }
    const undici = through("undici")
    const fetch = through("fetch")

    const samples = yield* interleave({
      contestants: {
        get: undici.get,
        getThroughFetch: fetch.get,
        leastOfGet: undici.least,
        leastOfGetThroughFetch: fetch.least,
        list: undici.list,
        listThroughFetch: fetch.list,
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

    const beside = {
      theirs: "infisical-node's getAllSecrets",
      limit: "fetch, JSON.parse, node:crypto"
    }
    const compared = (
      what: string,
      name: Parameters<typeof samples>[0],
      other: keyof typeof beside,
      budget?: number
    ): Measurement => ({
      what,
      beside: beside[other],
      samples: ratios(samples(name), samples(other)),
      ...budget === undefined ? {} : { budget },
      unit: "×",
      basis: `${significant(median(samples(name)))} ms / ${significant(median(samples(other)))} ms`
    })
    return [
      compared("1,000 secrets, cold, until a get is answered, through undici", "get", "theirs", 0.75),
      compared("… through fetch", "getThroughFetch", "theirs", 0.75),
      compared("… the least that takes, through undici", "leastOfGet", "theirs"),
      compared("… the least that takes, through fetch", "leastOfGetThroughFetch", "theirs"),
      compared("… until every value is decrypted, through undici", "list", "theirs", 1.1),
      compared("… through fetch", "listThroughFetch", "theirs", 1.1),
      compared("… through undici", "list", "limit", 1.25),
      compared("… through fetch", "listThroughFetch", "limit", 1.25)
    ]
  })
}
