// #region all
import { FetchHttpClient } from "@effect/platform"
import { Effect, Layer, Redacted } from "effect"
import { Infisical, Secrets } from "effect-infisical"

const InfisicalLive = Infisical.layerConfig().pipe(Layer.provide(FetchHttpClient.layer))

export const program = Effect.gen(function*() {
  const secrets = yield* Secrets.Secrets
  const url = yield* secrets.get("DATABASE_URL")
  return Redacted.value(url.value)
}).pipe(Effect.provide(InfisicalLive))
// #endregion all
