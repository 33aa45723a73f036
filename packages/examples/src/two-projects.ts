/**
 * Two projects in one process: two clients, each with a tag, variables and a cache of its own.
 *
 *     npm run example -- two-projects
 *
 * The variables are those of one client with a prefix: `BILLING_INFISICAL_PROJECT_ID`, `SHOP_INFISICAL_PROJECT_ID`, …
 */
import { FetchHttpClient } from "@effect/platform"
import { NodeRuntime } from "@effect/platform-node"
import { Config, Context, Effect, Layer } from "effect"
import { Secrets } from "effect-infisical"
import { NodeInfisical } from "effect-infisical-node"

class BillingSecrets extends Context.Tag("BillingSecrets")<BillingSecrets, Secrets.Service>() {}

class ShopSecrets extends Context.Tag("ShopSecrets")<ShopSecrets, Secrets.Service>() {}

/** Each call of `layerConfig` makes a new client. */
const secretsOf = <Self>(tag: Context.Tag<Self, Secrets.Service>, prefix: string) =>
  Layer.effect(tag, Secrets.Secrets).pipe(
    Layer.provide(NodeInfisical.layerConfig(Config.nested(NodeInfisical.fromEnvironment, prefix)))
  )

const program = Effect.gen(function*() {
  const billing = yield* BillingSecrets
  const shop = yield* ShopSecrets
  const stripeKey = yield* billing.get("STRIPE_KEY")
  const databaseUrl = yield* shop.get("DATABASE_URL")
  yield* Effect.log(`${stripeKey.name} of billing, ${databaseUrl.name} of the shop`)
  return { stripeKey, databaseUrl }
})

const SecretsLive = Layer.merge(secretsOf(BillingSecrets, "BILLING"), secretsOf(ShopSecrets, "SHOP")).pipe(
  Layer.provide(FetchHttpClient.layer)
)

export const main = Effect.provide(program, SecretsLive)

if (process.argv[1] === import.meta.filename) NodeRuntime.runMain(main)
