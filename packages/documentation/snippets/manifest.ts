// #region layer
import { Context, Effect, Schema } from "effect"
import { SecretManifest } from "effect-infisical"

const manifest = {
  databaseUrl: SecretManifest.secret("DATABASE_URL", Schema.URL),
  poolSize: SecretManifest.withDefault(SecretManifest.plain("POOL_SIZE", Schema.NumberFromString), 10),
  sentryDsn: SecretManifest.optional(SecretManifest.secret("SENTRY_DSN"))
}

class AppSecrets extends Context.Tag("AppSecrets")<AppSecrets, SecretManifest.Type<typeof manifest>>() {
  static readonly layer = SecretManifest.layer(AppSecrets, manifest)
}

export const program = Effect.gen(function*() {
  const { databaseUrl, poolSize } = yield* AppSecrets
  return { databaseUrl, poolSize } // { databaseUrl: Redacted<URL>, poolSize: number }
}).pipe(Effect.provide(AppSecrets.layer))
// #endregion layer

// #region report
export const report = SecretManifest.load({
  region: SecretManifest.plain("REGION"),
  port: SecretManifest.plain("SMTP_PORT", Schema.NumberFromString)
}).pipe(
  Effect.tapErrorTag("ManifestError", (error) => Effect.logError(error.message))
)
// #endregion report
