import { FetchHttpClient } from "@effect/platform"
import { Config, Effect, Layer } from "effect"
import { Infisical, InfisicalConfigProvider } from "effect-infisical"

const ConfigLive = InfisicalConfigProvider.layer().pipe(
  Layer.provide(Infisical.layerConfig()),
  Layer.provide(FetchHttpClient.layer)
)

export const program = Config.redacted("DATABASE_PASSWORD").pipe(Effect.provide(ConfigLive))
