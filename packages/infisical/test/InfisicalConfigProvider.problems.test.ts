import { FetchHttpClient, HttpClient } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Config, ConfigProvider, Effect, Exit, Fiber, Layer, Redacted, TestClock } from "effect"
import { Credential, Infisical, InfisicalConfigProvider, InfisicalError, MemorySource, Secrets } from "effect-infisical"
import { Emulator } from "effect-infisical-emulator"
import { settle } from "./support/settle.js"

const planted = "planted0"

const inMemory = (
  secrets: Record<string, string>,
  options?: InfisicalConfigProvider.Options,
  test?: Parameters<typeof Secrets.layerTest>[1],
  change: (service: Secrets.Service) => Secrets.Service = (service) => service
) =>
  Effect.provide(
    InfisicalConfigProvider.layer(options).pipe(
      Layer.provide(Layer.effect(Secrets.Secrets, Effect.map(Secrets.Secrets, change))),
      Layer.provideMerge(Layer.orDie(Secrets.layerTest(secrets, test)))
    )
  )

const environment = (values: Record<string, string>) =>
  Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(values))))

const emulated = (options: Partial<Parameters<typeof Infisical.layer>[0]>, config?: InfisicalConfigProvider.Options) =>
  Effect.provide(
    Layer.unwrapEffect(Effect.gen(function*() {
      const emulator = yield* Emulator.Emulator
      return InfisicalConfigProvider.layer(config).pipe(
        Layer.provide(Infisical.layer({
          siteUrl: emulator.url,
          credential: Credential.serviceToken(yield* emulator.serviceToken()),
          retry: { times: 0 },
          fallback: false,
          ...options
        })),
        Layer.provide(FetchHttpClient.layer)
      )
    })).pipe(
      Layer.provideMerge(
        Emulator.layer({ era: "2024-07", secrets: { WARM: "warm", HOSTS: "a,b" }, serviceTokens: { main: {} } })
      )
    )
  )

describe("A ConfigProvider of secrets", () => {
  // A user expects an error for a part of a record that cannot be decrypted, as for such a secret alone.
  it.effect("does not leave out of a record what cannot be decrypted", () =>
    Effect.gen(function*() {
      const exit = yield* Effect.exit(Config.hashMap(Config.string(), "LIMIT"))
      assert.isTrue(Exit.isFailure(exit), String(exit))
    }).pipe(inMemory({ LIMIT_READS: "1" }, {}, {}, (service) => ({
      ...service,
      list: (options) =>
        Effect.map(service.list(options), (list) => ({
          ...list,
          undecryptable: [
            new InfisicalError.DecryptError({ subject: "secret value", problem: "x", secretName: "LIMIT_WRITES" })
          ]
        }))
    }))))

  // A user expects the same of a part whose references cannot be resolved in an outage.
  it.effect("does not leave out of a record what cannot be resolved now", () =>
    Effect.gen(function*() {
      const exit = yield* Effect.exit(Config.hashMap(Config.string(), "LIMIT"))
      assert.isTrue(Exit.isFailure(exit), String(exit))
    }).pipe(inMemory({ LIMIT_READS: "1", LIMIT_WRITES: "${dev.other.X}" }, {}, {}, (service) => ({
      ...service,
      get: (name, options) =>
        name === "LIMIT_WRITES" ? Effect.fail(MemorySource.unreachable) : service.get(name, options),
      list: (options) =>
        Effect.map(service.list(options), (list) => ({
          ...list,
          secrets: list.secrets.filter(({ name }) => name !== "LIMIT_WRITES"),
          unresolved: [{
            secret: { name: "LIMIT_WRITES", environment: "dev", secretPath: "/", type: "shared" as const },
            error: MemorySource.unreachable
          }]
        }))
    }))))

  // A user expects the secrets' error, or the environment's own mistake, but never a default, where both are asked.
  it.effect("does not use a default in an outage, where it is added to the environment", () =>
    Effect.gen(function*() {
      const exit = yield* Effect.exit(Config.withDefault(Config.string("NOWHERE"), "default"))
      assert.isTrue(Exit.isFailure(exit), String(exit))
    }).pipe(Effect.provide(
      InfisicalConfigProvider.layerAdd().pipe(
        Layer.provide(
          Layer.effectDiscard(
            Effect.flatMap(MemorySource.MemorySource, (server) => server.failWith(MemorySource.unreachable))
          ).pipe(Layer.provideMerge(Layer.orDie(Secrets.layerTest({}))))
        )
      )
    )))

  // A user expects the client's own `Config` to be read where the client was built, and no call that waits for itself.
  it.effect("does not wait for itself where the client's transport reads a Config", () =>
    Effect.gen(function*() {
      const fiber = yield* Effect.fork(Effect.exit(Config.string("WARM")))
      for (let tries = 0; tries < 30; tries++) yield* settle
      yield* TestClock.adjust("1 minute")
      const exit = yield* Fiber.join(fiber)
      assert.deepStrictEqual(exit, Exit.succeed("warm"))
    }).pipe(
      emulated({
        transformClient: (client) =>
          HttpClient.mapRequestEffect(client, (request) =>
            Effect.as(Effect.orElseSucceed(Config.string("PROXY_USER"), () => ""), request))
      }),
      environment({ PROXY_USER: "user" })
    ))

  // "A warm read makes no request": a user expects that of a list, with nesting by folders, too.
  it.effect("makes no request for a warm list, if nesting is folder", () =>
    Effect.gen(function*() {
      const emulator = yield* Emulator.Emulator
      const hosts = Config.array(Config.string(), "HOSTS")
      assert.deepStrictEqual(yield* hosts, ["a", "b"])
      yield* emulator.resetRequests
      for (let count = 0; count < 10; count++) yield* hosts
      assert.strictEqual((yield* emulator.requests).length, 0)
    }).pipe(emulated({}, { nesting: "folder" })))

  it.effect("redacts what is no number, also in a list, a record and an orElse", () =>
    Effect.gen(function*() {
      for (
        const config of [
          Config.redacted(Config.integer("WORD")),
          Config.array(Config.integer(), "WORD"),
          Config.hashMap(Config.integer(), "W"),
          Config.orElse(Config.integer("WORD"), () => Config.boolean("WORD"))
        ] as ReadonlyArray<Config.Config<unknown>>
      ) {
        const error = yield* Effect.flip(config)
        assert.notInclude(String(error) + JSON.stringify(error), planted)
      }
    }).pipe(inMemory({ WORD: planted, W_A: planted })))

  it.effect("gives an empty secret as an empty text, and lists in folders", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* Config.string("EMPTY"), "")
      assert.strictEqual(Redacted.value(yield* Config.redacted("EMPTY")), "")
      assert.strictEqual(yield* Config.withDefault(Config.string("toString"), "default"), "default")
      assert.strictEqual(yield* Config.withDefault(Config.string("__proto__"), "default"), "default")
    }).pipe(inMemory({ EMPTY: "" })))
})
