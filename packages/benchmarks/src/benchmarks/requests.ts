/** How many requests 1,000 concurrent `get`s of 100 names in one folder make, cold. */
import { Effect } from "effect"
import { Secrets } from "effect-infisical"
import { oursScoped, theirPlace, theirs } from "../clients.js"
import { type Benchmark, ensure, median } from "../Measurement.js"
import { folders, mediumSize, RecordedServer, secretName } from "../RecordedServer.js"

const gets = 1000
const rounds = 3
const names = Array.from({ length: gets }, (_, index) => secretName(index % mediumSize))

export const requests: Benchmark = {
  name: "requests",
  run: Effect.gen(function*() {
    const server = yield* RecordedServer
    const newTheirs = yield* theirs

    const withOurs = Effect.gen(function*() {
      const runtime = yield* oursScoped({ secretPath: folders.medium })
      const found = yield* Effect.flatMap(
        Secrets.Secrets,
        (secrets) => Effect.forEach(names, (name) => secrets.get(name), { concurrency: "unbounded" })
      ).pipe(Effect.provide(runtime))
      yield* ensure(found.every(({ source }) => source === "live"), "effect-infisical did not find every secret")
    }).pipe(Effect.scoped)

    const withTheirs = Effect.gen(function*() {
      const client = newTheirs()
      const place = theirPlace(folders.medium)
      const found = yield* Effect.promise(() => Promise.all(names.map((name) => client.getSecret(name, place))))
      yield* ensure(found.every(({ isFallback }) => !isFallback), "infisical-node did not find every secret")
    })

    const ourSamples: Array<number> = []
    const theirSamples: Array<number> = []
    for (let round = 0; round < rounds; round++) {
      const [, ours] = yield* server.counting(withOurs)
      const [, theirs] = yield* server.counting(withTheirs)
      ourSamples.push(ours.requests)
      theirSamples.push(theirs.requests)
    }
    return [{
      what: "requests for 1,000 concurrent gets of 100 names, cold",
      beside: "the token's, the list",
      samples: ourSamples,
      budget: 2,
      unit: "",
      basis: `infisical-node: ${median(theirSamples)}`
    }]
  })
}
