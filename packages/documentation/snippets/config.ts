// #region all
import { FetchHttpClient } from "@effect/platform"
import { Config, Effect, Layer } from "effect"
import { Infisical, InfisicalConfigProvider } from "effect-infisical"

const ConfigLive = InfisicalConfigProvider.layer().pipe(
  Layer.provide(Infisical.layerConfig()),
  Layer.provide(FetchHttpClient.layer)
)

export const program = Effect.gen(function*() {
  const password = yield* Config.redacted("DATABASE_PASSWORD")
  const hosts = yield* Config.array(Config.string(), "DATABASE_HOSTS")
  const region = yield* Config.string("REGION").pipe(Config.withDefault("eu"))
  return { password, hosts, region }
}).pipe(Effect.provide(ConfigLive))
// #endregion all
