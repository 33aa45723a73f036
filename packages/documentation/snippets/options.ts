// #region all
import { FetchHttpClient } from "@effect/platform"
import { Config, Effect, Layer } from "effect"
import { Credential, Infisical, Secrets } from "effect-infisical"

const InfisicalLive = Infisical.layerConfig({
  credential: Config.map(
    Config.all({
      clientId: Config.string("CLIENT_ID"),
      clientSecret: Config.redacted("CLIENT_SECRET")
    }),
    Credential.universalAuth
  ),
  projectId: Config.string("PROJECT_ID"),
  siteUrl: Config.string("SITE_URL"),
  cacheTtl: Config.succeed("1 minute"),
  fallback: Config.succeed(false)
}).pipe(Layer.provide(FetchHttpClient.layer))

export const program = Effect.flatMap(Secrets.Secrets, (secrets) => secrets.get("DATABASE_URL")).pipe(
  Effect.provide(InfisicalLive)
)
// #endregion all
