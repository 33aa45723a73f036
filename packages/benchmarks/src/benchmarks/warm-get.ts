/** A warm `get` inside a fiber: a lookup, no I/O. */
import { Cache, Config, ConfigProvider, Effect } from "effect"
import { InfisicalConfigProvider, Secrets } from "effect-infisical"
import { oursScoped, theirPlace, theirs } from "../clients.js"
import { type Benchmark, ensure, interleave, type Measurement, median, ratios } from "../Measurement.js"
import { folders, mediumSize, RecordedServer, secretName } from "../RecordedServer.js"
import { significant } from "../Table.js"

const reads = 20_000
const warmUps = 10
const rounds = 60
const names = Array.from({ length: mediumSize }, (_, index) => secretName(index))

/** How many microseconds one read takes, of many one after the other in one fiber. */
const inOneFiber = <A, E>(read: (name: string) => Effect.Effect<A, E>): Effect.Effect<number, E> =>
  Effect.gen(function*() {
    const start = performance.now()
    for (let index = 0; index < reads; index++) yield* read(names[index % mediumSize] ?? "")
    return (performance.now() - start) * 1000 / reads
  })

/** The same loop for who knows no fibers. */
const inOnePromise = (read: (name: string) => Promise<unknown>): Effect.Effect<number> =>
  Effect.promise(async () => {
    const start = performance.now()
    for (let index = 0; index < reads; index++) await read(names[index % mediumSize] ?? "")
    return (performance.now() - start) * 1000 / reads
  })

export const warmGet: Benchmark = {
  name: "warm",
  run: Effect.gen(function*() {
    const server = yield* RecordedServer

    const secrets = yield* Effect.provide(Secrets.Secrets, yield* oursScoped({ secretPath: folders.medium }))
    const found = new Map(
      yield* Effect.forEach(
        names,
        (name) => Effect.map(secrets.get(name), (secret) => [name, Effect.succeed(secret)] as const)
      )
    )
    const provider = yield* Effect.provideService(InfisicalConfigProvider.make(), Secrets.Secrets, secrets)
    const configs = new Map(names.map((name) => [name, Config.redacted(name)]))
    const readConfigs = (provider: ConfigProvider.ConfigProvider) =>
      inOneFiber((name) => configs.get(name) ?? absent).pipe(
        Effect.withConfigProvider(provider),
        // As for a secret that is not there.
        Effect.orDie
      )
    const options = { environment: "dev", secretPath: folders.medium, type: "shared" } as const
    const large = { secretPath: folders.large }
    yield* Effect.forEach(names, (name) => secrets.get(name, options))
    yield* secrets.list(large)
    const absent = Effect.dieMessage("There is no such secret")
    const lookup = (name: string) => found.get(name) ?? absent

    const cache = yield* Cache.make({ capacity: mediumSize, timeToLive: "5 minutes", lookup })
    yield* Effect.forEach(names, (name) => cache.get(name))

    const client = (yield* theirs)()
    const place = theirPlace(folders.medium)
    const bundles = yield* Effect.promise(() => Promise.all(names.map((name) => client.getSecret(name, place))))
    yield* ensure(bundles.every(({ isFallback }) => !isFallback), "infisical-node did not find every secret")

    const [samples, { requests }] = yield* server.counting(interleave({
      contestants: {
        ours: inOneFiber((name) => secrets.get(name)),
        map: inOneFiber((name) => Effect.suspend(() => lookup(name))),
        cache: inOneFiber((name) => cache.get(name)),
        theirs: inOnePromise((name) => client.getSecret(name, place)),
        withOptions: inOneFiber((name) => secrets.get(name, options)),
        list: inOneFiber(() => secrets.list(large)),
        config: readConfigs(provider),
        configOfMap: readConfigs(
          ConfigProvider.fromMap(new Map(Array.from(found.keys(), (name) => [name, name])))
        )
      },
      warmUps,
      rounds
    }))
    yield* ensure(requests === 0, `a warm read made a request (${requests} in all)`)

    const compared = (
      what: string,
      name: "map" | "cache" | "theirs",
      beside: string,
      budget: number
    ): Measurement => ({
      what,
      beside,
      samples: ratios(samples("ours"), samples(name)),
      budget,
      unit: "×",
      basis: `${significant(median(samples("ours")))} µs / ${significant(median(samples(name)))} µs`
    })
    const besideGet = (
      what: string,
      name: "withOptions" | "list" | "config",
      beside: string,
      budget: number
    ): Measurement => ({
      what,
      beside,
      samples: ratios(samples(name), samples("ours")),
      budget,
      unit: "×",
      basis: `${significant(median(samples(name)))} µs / ${significant(median(samples("ours")))} µs`
    })
    return [
      compared("a warm get inside a fiber", "map", "Effect.suspend around Map.get", 1.5),
      compared("… the same", "cache", "a hit in Effect's Cache", 0.3),
      compared("… the same", "theirs", "infisical-node's getSecret", 0.3),
      besideGet("a warm get with secretPath, type, environment", "withOptions", "a warm get without", 2),
      besideGet("a warm list of 1,000", "list", "a warm get", 3),
      besideGet("a warm Config.redacted", "config", "a warm get", 3),
      {
        what: "… the same",
        beside: "Config.redacted of ConfigProvider.fromMap",
        samples: ratios(samples("config"), samples("configOfMap")),
        budget: 1.5,
        unit: "×",
        basis: `${significant(median(samples("config")))} µs / ${significant(median(samples("configOfMap")))} µs`
      }
    ]
  }).pipe(Effect.scoped)
}
