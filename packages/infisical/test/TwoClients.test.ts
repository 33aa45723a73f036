/** Two clients for two projects in one process, over real HTTP, in each way of composing layers. */
import { FetchHttpClient, KeyValueStore } from "@effect/platform"
import { assert, describe, expectTypeOf, it } from "@effect/vitest"
import { Config, ConfigProvider, Context, Effect, Layer, ManagedRuntime, Redacted } from "effect"
import { Credential, Infisical, InfisicalConfig, Secrets, SnapshotStorage } from "effect-infisical"
import { Emulator } from "effect-infisical-emulator"
import { NodeInfisical } from "effect-infisical-node"

class BillingSecrets extends Context.Tag("BillingSecrets")<BillingSecrets, Secrets.Service>() {}

class ShopSecrets extends Context.Tag("ShopSecrets")<ShopSecrets, Secrets.Service>() {}

const asBilling = <E, R>(client: Layer.Layer<Secrets.Secrets, E, R>) =>
  Layer.effect(BillingSecrets, Secrets.Secrets).pipe(Layer.provide(client))

const asShop = <E, R>(client: Layer.Layer<Secrets.Secrets, E, R>) =>
  Layer.effect(ShopSecrets, Secrets.Secrets).pipe(Layer.provide(client))

/** The value of one name in both projects. */
const readBoth = Effect.gen(function*() {
  const billing = yield* Effect.flatMap(BillingSecrets, (secrets) => secrets.get("DATABASE_URL"))
  const shop = yield* Effect.flatMap(ShopSecrets, (secrets) => secrets.get("DATABASE_URL"))
  return [Redacted.value(billing.value), Redacted.value(shop.value)]
})

const both = ["postgres://billing", "postgres://shop"]

const folders = (value: string) => ({ dev: { "/": { secrets: { DATABASE_URL: value } } } })

const server = Emulator.layer({
  era: "2026",
  // Of the engine whose secrets service tokens read as they are encrypted.
  projects: {
    billing: { engine: "v1", folders: folders(both[0] ?? "") },
    shop: { engine: "v1", folders: folders(both[1] ?? "") }
  },
  serviceTokens: { billing: { project: "billing" }, shop: { project: "shop" } },
  identities: { main: {} }
})

type Project = "billing" | "shop"

/** The options of a service token, which belongs to one project. */
const tokenOptions = (project: Project) =>
  Effect.gen(function*() {
    const emulator = yield* Emulator.Emulator
    return {
      credential: Credential.serviceToken(yield* emulator.serviceToken(project)),
      siteUrl: emulator.url,
      fallback: false
    } satisfies InfisicalConfig.Options
  })

/** The options of one identity in either project. */
const identityOptions = (project: Project) =>
  Effect.gen(function*() {
    const emulator = yield* Emulator.Emulator
    const { clientId, clientSecret } = yield* emulator.universalAuth()
    return {
      credential: Credential.universalAuth({ clientId, clientSecret }),
      projectId: yield* emulator.projectId(project),
      siteUrl: emulator.url,
      fallback: false
    } satisfies InfisicalConfig.Options
  })

const optionsOf = { "service tokens": tokenOptions, "machine identities": identityOptions }

const logins = Effect.gen(function*() {
  const { requestCounts } = yield* Emulator.Emulator
  return (yield* requestCounts)["POST /api/v1/auth/universal-auth/login"] ?? 0
})

describe("Two clients of two projects", () => {
  for (
    const [front, layer] of [
      ["Infisical.layer", Infisical.layer],
      ["NodeInfisical.layer", NodeInfisical.layer]
    ] as const
  ) {
    for (const [credentials, options] of Object.entries(optionsOf)) {
      it.scoped(`by ${front} with ${credentials}, merged, each read their own`, () =>
        Effect.gen(function*() {
          const billing = asBilling(layer(yield* options("billing")))
          const shop = asShop(layer(yield* options("shop")))
          for (const merged of [Layer.merge(billing, shop), Layer.mergeAll(shop, billing)]) {
            const values = yield* Effect.provide(readBoth, Layer.provide(merged, FetchHttpClient.layer))
            assert.deepStrictEqual(values, both)
          }
        }).pipe(Effect.provide(server)))

      it.scoped(`by ${front} with ${credentials}, in a ManagedRuntime, each read their own`, () =>
        Effect.gen(function*() {
          const runtime = yield* Effect.acquireRelease(
            Effect.map(Effect.all([options("billing"), options("shop")]), ([billing, shop]) =>
              ManagedRuntime.make(
                Layer.mergeAll(asBilling(layer(billing)), asShop(layer(shop))).pipe(
                  Layer.provide(FetchHttpClient.layer)
                )
              )),
            (runtime) => runtime.disposeEffect
          )
          assert.deepStrictEqual(yield* Effect.promise(() => runtime.runPromise(readBoth)), both)
        }).pipe(Effect.provide(server)))
    }
  }

  for (
    const [front, layerConfig] of [
      ["Infisical.layerConfig", Infisical.layerConfig],
      ["NodeInfisical.layerConfig", NodeInfisical.layerConfig]
    ] as const
  ) {
    it.scoped(`by ${front}, each with variables of its own, each read their own`, () =>
      Effect.gen(function*() {
        const emulator = yield* Emulator.Emulator
        const variables = {
          BILLING_INFISICAL_TOKEN: Redacted.value(yield* emulator.serviceToken("billing")),
          BILLING_SITE_URL: emulator.url,
          SHOP_INFISICAL_TOKEN: Redacted.value(yield* emulator.serviceToken("shop")),
          SHOP_SITE_URL: emulator.url
        }
        const values = yield* readBoth.pipe(
          Effect.provide(
            Layer.merge(
              asBilling(layerConfig(Config.nested(InfisicalConfig.fromEnvironment, "BILLING"))),
              asShop(layerConfig(Config.nested(InfisicalConfig.fromEnvironment, "SHOP")))
            ).pipe(Layer.provide(FetchHttpClient.layer))
          ),
          Effect.withConfigProvider(
            ConfigProvider.fromMap(new Map(Object.entries(variables)), { pathDelim: "_" })
          )
        )
        assert.deepStrictEqual(values, both)
      }).pipe(Effect.provide(server)))
  }

  it.effect("by Secrets.layerTest, each read their own", () =>
    Effect.gen(function*() {
      const values = yield* Effect.provide(
        readBoth,
        Layer.merge(
          asBilling(Secrets.layerTest({ DATABASE_URL: "postgres://billing" })),
          asShop(Secrets.layerTest({ DATABASE_URL: "postgres://shop" }))
        )
      )
      assert.deepStrictEqual(values, both)
    }))

  it.scoped("with two stores each seal their snapshots in their own", () =>
    Effect.gen(function*() {
      const emulator = yield* Emulator.Emulator
      const stores = { billing: yield* emptyStore, shop: yield* emptyStore }
      const sealed = (project: Project) =>
        Effect.map(tokenOptions(project), (options) =>
          Infisical.layerSealed({ ...options, retry: { times: 0 } }).pipe(
            Layer.provide(SnapshotStorage.layerKeyValueStore()),
            Layer.provide(Layer.succeed(KeyValueStore.KeyValueStore, stores[project]))
          ))
      const clients = Layer.merge(asBilling(yield* sealed("billing")), asShop(yield* sealed("shop"))).pipe(
        Layer.provide(FetchHttpClient.layer)
      )
      yield* Effect.provide(readBoth, clients)
      assert.strictEqual(yield* stores.billing.size, 1)
      assert.strictEqual(yield* stores.shop.size, 1)
      yield* emulator.setAvailable(false)
      assert.deepStrictEqual(yield* Effect.provide(readBoth, clients), both)
    }).pipe(Effect.provide(server)))
})

const emptyStore = Effect.provide(KeyValueStore.KeyValueStore, Layer.fresh(KeyValueStore.layerMemory))

describe("A client", () => {
  it.scoped("is one, with one login and one request, however often a graph uses its layer", () =>
    Effect.gen(function*() {
      const { requestCounts } = yield* Emulator.Emulator
      const one = Infisical.layer(yield* identityOptions("billing")).pipe(Layer.provide(FetchHttpClient.layer))
      const values = yield* Effect.provide(readBoth, Layer.mergeAll(asBilling(one), asShop(one)))
      assert.deepStrictEqual(values, ["postgres://billing", "postgres://billing"])
      assert.strictEqual(yield* logins, 1)
      assert.strictEqual((yield* requestCounts)["GET /api/v4/secrets"], 1)
    }).pipe(Effect.provide(server)))

  it.scoped("is another one, with a login and a cache of its own, for each call of the layer's function", () =>
    Effect.gen(function*() {
      const { requestCounts } = yield* Emulator.Emulator
      const options = yield* identityOptions("billing")
      const clients = Layer.mergeAll(asBilling(Infisical.layer(options)), asShop(Infisical.layer(options))).pipe(
        Layer.provide(FetchHttpClient.layer)
      )
      assert.deepStrictEqual(yield* Effect.provide(readBoth, clients), ["postgres://billing", "postgres://billing"])
      assert.strictEqual(yield* logins, 2)
      assert.strictEqual((yield* requestCounts)["GET /api/v4/secrets"], 2)
    }).pipe(Effect.provide(server)))

  it("needs a SnapshotStorage exactly if it seals snapshots, and the type says so", () => {
    type Needs<F extends (...parameters: never) => Layer.Layer.Any> = Layer.Layer.Context<ReturnType<F>>
    type HttpClient = Layer.Layer.Success<typeof FetchHttpClient.layer>
    for (const front of [Infisical, NodeInfisical]) {
      expectTypeOf<Needs<typeof front.layer>>().toEqualTypeOf<HttpClient>()
      expectTypeOf<Needs<typeof front.layerConfig>>().toEqualTypeOf<HttpClient>()
      expectTypeOf<Needs<typeof front.layerSealed>>()
        .toEqualTypeOf<HttpClient | SnapshotStorage.SnapshotStorage>()
      expectTypeOf<Needs<typeof front.layerSealedConfig>>()
        .toEqualTypeOf<HttpClient | SnapshotStorage.SnapshotStorage>()
    }
  })
})
