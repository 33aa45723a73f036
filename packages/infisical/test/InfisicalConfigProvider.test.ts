import { FetchHttpClient } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Config, ConfigError, ConfigProvider, Effect, HashMap, Layer, Logger, Option, Redacted } from "effect"
import { Credential, Infisical, InfisicalConfigProvider, Secrets } from "effect-infisical"
import { Emulator } from "effect-infisical-emulator"

const planted = "planted0"

const secrets = {
  DATABASE_PASSWORD: `${planted} password`,
  DATABASE_PORT: "5432",
  HOSTS: "a, b,c",
  "NAMES[0]": "zero",
  "NAMES[1]": "one",
  WORD: planted,
  LIMIT_READS: "1",
  LIMIT_WRITES: "2"
}

const inMemory = (options?: InfisicalConfigProvider.Options) =>
  InfisicalConfigProvider.layer(options).pipe(
    Layer.provide(Secrets.layerTest(secrets, {
      folders: [{ environment: "dev", secretPath: "/db/main", secrets: { PASSWORD: "nested", USER: "user" } }]
    })),
    Layer.orDie
  )

const flip = <A>(config: Config.Config<A>, layer = inMemory()) => Effect.flip(Effect.provide(config, layer))

describe("A ConfigProvider of secrets", () => {
  it.effect("gives a secret as a redacted value", () =>
    Effect.gen(function*() {
      const password = yield* Config.redacted("DATABASE_PASSWORD")
      assert.strictEqual(Redacted.value(password), `${planted} password`)
    }).pipe(Effect.provide(inMemory())))

  it.effect("joins nested names, and parses numbers", () =>
    Effect.gen(function*() {
      const database = yield* Config.nested(
        Config.all({ password: Config.redacted("PASSWORD"), port: Config.port("PORT") }),
        "DATABASE"
      )
      assert.strictEqual(database.port, 5432)
      assert.strictEqual(Redacted.value(database.password), `${planted} password`)
    }).pipe(Effect.provide(inMemory())))

  it.effect("splits a value where a list is read, and nowhere else", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* Config.array(Config.string(), "HOSTS"), ["a", "b", "c"])
      assert.strictEqual(yield* Config.string("HOSTS"), "a, b,c")
    }).pipe(Effect.provide(inMemory())))

  it.effect("gives a list from names with an index", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* Config.array(Config.string(), "NAMES"), ["zero", "one"])
    }).pipe(Effect.provide(inMemory())))

  it.effect("gives a record of the names that begin alike", () =>
    Effect.gen(function*() {
      const limits = yield* Config.hashMap(Config.integer(), "LIMIT")
      assert.deepStrictEqual(HashMap.toEntries(limits).toSorted(), [["READS", 1], ["WRITES", 2]])
    }).pipe(Effect.provide(inMemory())))

  it.effect("reads nested names in folders, if nesting is folder", () =>
    Effect.gen(function*() {
      const password = Config.nested(Config.nested(Config.string("PASSWORD"), "main"), "db")
      assert.strictEqual(yield* password, "nested")
      const main = yield* Config.nested(Config.hashMap(Config.string(), "main"), "db")
      assert.deepStrictEqual(HashMap.toEntries(main).toSorted(), [["PASSWORD", "nested"], ["USER", "user"]])
      assert.isTrue(Option.isNone(yield* Config.option(Config.nested(Config.string("PASSWORD"), "nowhere"))))
      assert.strictEqual(yield* Config.string("WORD"), planted)
    }).pipe(Effect.provide(inMemory({ nesting: "folder" }))))

  it.effect("uses the default of a secret that is missing, of any kind", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* Config.withDefault(Config.string("NOPE"), "default"), "default")
      assert.isTrue(Option.isNone(yield* Config.option(Config.redacted("NOPE"))))
      assert.strictEqual(yield* Config.orElse(Config.string("NOPE"), () => Config.string("WORD")), planted)
      assert.strictEqual(yield* Config.withDefault(Config.string("N".repeat(200)), "default"), "default")
    }).pipe(Effect.provide(inMemory())))

  it.effect("says where a missing secret was looked for", () =>
    Effect.gen(function*() {
      const error = yield* flip(Config.string("NOPE"))
      assert.isTrue(ConfigError.isMissingData(error))
      assert.include(String(error), "NOPE")
      assert.include(String(error), "environment \"dev\" at path \"/\"")
    }))

  const typed = {
    integer: Config.integer("WORD"),
    number: Config.number("WORD"),
    boolean: Config.boolean("WORD"),
    port: Config.port("WORD")
  }
  for (const [type, config] of Object.entries(typed)) {
    it.effect(`does not quote a value that is no ${type}`, () =>
      Effect.gen(function*() {
        const error = yield* flip(Config.map<number | boolean, string>(config, String))
        assert.isTrue(ConfigError.isInvalidData(error))
        assert.notInclude(String(error), planted)
        assert.notInclude(JSON.stringify(error), planted)
      }))
  }

  it.effect("comes after the current provider where it is added", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* Config.string("WORD"), "from the environment")
      assert.strictEqual(yield* Config.string("DATABASE_PORT"), "5432")
    }).pipe(
      Effect.provide(InfisicalConfigProvider.layerAdd().pipe(Layer.provide(Secrets.layerTest(secrets)))),
      Effect.withConfigProvider(ConfigProvider.fromMap(new Map([["WORD", "from the environment"]])))
    ))

  const emulator = Emulator.layer({ era: "2024-07", secrets: { WARM: "warm" }, serviceTokens: { main: {} } })
  const withEmulator = (options: { readonly fallback: boolean }) =>
    Layer.unwrapEffect(Effect.gen(function*() {
      const emulator = yield* Emulator.Emulator
      return InfisicalConfigProvider.layer().pipe(
        Layer.provideMerge(Infisical.layer({
          siteUrl: emulator.url,
          credential: Credential.serviceToken(yield* emulator.serviceToken()),
          retry: { times: 0 },
          ...options
        })),
        Layer.provide(FetchHttpClient.layer)
      )
    })).pipe(Layer.provideMerge(emulator))

  it.effect("makes no request for what is in the cache", () =>
    Effect.gen(function*() {
      const emulator = yield* Emulator.Emulator
      assert.strictEqual(yield* Config.string("WARM"), "warm")
      yield* emulator.resetRequests
      for (let count = 0; count < 100; count++) yield* Config.redacted("WARM")
      assert.deepStrictEqual(yield* emulator.requests, [])
    }).pipe(Effect.provide(withEmulator({ fallback: false }))))

  it.effect("does not take an outage for a missing secret", () =>
    Effect.gen(function*() {
      const emulator = yield* Emulator.Emulator
      yield* emulator.setAvailable(false)
      const error = yield* Effect.flip(Config.withDefault(Config.string("COLD"), "default"))
      assert.isTrue(ConfigError.isSourceUnavailable(error))
      assert.include(String(error), "did not reach Infisical")
    }).pipe(Effect.provide(withEmulator({ fallback: false }))))

  it.effect("does not ask itself where the client falls back on the environment", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* Config.string("ELSEWHERE"), "from the environment")
      assert.isTrue(Option.isNone(yield* Config.option(Config.string("NOPE"))))
    }).pipe(
      Effect.provide([withEmulator({ fallback: true }), Logger.remove(Logger.defaultLogger)]),
      Effect.withConfigProvider(ConfigProvider.fromMap(new Map([["ELSEWHERE", "from the environment"]])))
    ))
})
