// #region part
import { FetchHttpClient } from "@effect/platform"
import { Config, Effect, Layer } from "effect"
import { Credential, Infisical, type InfisicalConfig, Secrets } from "effect-infisical"

export const InfisicalLive = Infisical.layerConfig({ cacheTtl: "1 minute", fallback: false }).pipe(
  Layer.provide(FetchHttpClient.layer)
)
// #endregion part

// #region all
const options: Config.Config<InfisicalConfig.Options> = Config.all({
  credential: Config.map(
    Config.all({
      clientId: Config.string("CLIENT_ID"),
      clientSecret: Config.redacted("CLIENT_SECRET")
    }),
    Credential.universalAuth
  ),
  projectId: Config.string("PROJECT_ID"),
  siteUrl: Config.string("SITE_URL")
})

export const program = Effect.flatMap(Secrets.Secrets, (secrets) => secrets.get("DATABASE_URL")).pipe(
  Effect.provide(Infisical.layerConfig(options).pipe(Layer.provide(FetchHttpClient.layer)))
)
// #endregion all
