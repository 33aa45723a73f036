import { Context, Effect, Schema } from "effect"
import { SecretManifest } from "effect-infisical"

const manifest = {
  databaseUrl: SecretManifest.secret("DATABASE_URL", Schema.URL),
  sentryDsn: SecretManifest.optional(SecretManifest.secret("SENTRY_DSN"))
}

class AppSecrets extends Context.Tag("AppSecrets")<AppSecrets, SecretManifest.Type<typeof manifest>>() {
  static readonly layer = SecretManifest.layer(AppSecrets, manifest)
}

export const program = Effect.flatMap(AppSecrets, ({ databaseUrl }) => Effect.log(databaseUrl)).pipe(
  Effect.provide(AppSecrets.layer) // needs Secrets, from InfisicalLive
)
