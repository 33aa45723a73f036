/**
 * All the secrets that a program needs, declared once. The program does not start if one of them is missing or invalid:
 * it reports all of them at once, without their values. Later a new value arrives without a restart, if it is valid.
 *
 *     npm run example -- manifest
 */
import { FetchHttpClient } from "@effect/platform"
import { NodeRuntime } from "@effect/platform-node"
import { Context, Effect, Layer, Option, Schema, Stream, type SubscriptionRef } from "effect"
import { SecretManifest } from "effect-infisical"
import { NodeInfisical } from "effect-infisical-node"

const manifest = {
  databaseUrl: SecretManifest.secret("DATABASE_URL", Schema.URL),
  poolSize: SecretManifest.withDefault(SecretManifest.plain("POOL_SIZE", Schema.NumberFromString), 10),
  sentryDsn: SecretManifest.optional(SecretManifest.secret("SENTRY_DSN"))
}

type Manifest = SecretManifest.Type<typeof manifest>

/** The record now, and its changes. `SecretManifest.layer` gives the record alone, if it need not be watched. */
export class AppSecrets extends Context.Tag("AppSecrets")<AppSecrets, SubscriptionRef.SubscriptionRef<Manifest>>() {
  static readonly layer = SecretManifest.layerWatched(AppSecrets, manifest)
}

const describe = ({ databaseUrl, poolSize, sentryDsn }: Manifest) =>
  `A pool of ${poolSize} connections to ${databaseUrl}, ${Option.isSome(sentryDsn) ? "with" : "without"} Sentry`

const program = Effect.gen(function*() {
  const secrets = yield* AppSecrets
  yield* Stream.runForEach(secrets.changes, (record) => Effect.log(describe(record)))
})

const AppSecretsLive = AppSecrets.layer.pipe(
  Layer.provide(NodeInfisical.layerConfig()),
  Layer.provide(FetchHttpClient.layer)
)

export const main = Effect.provide(program, AppSecretsLive)

if (process.argv[1] === import.meta.filename) NodeRuntime.runMain(main)
