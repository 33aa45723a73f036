/**
 * Secrets through Effect's `Config`. Code that reads a `Config` does not change: its values come from Infisical instead of
 * the environment. All of them together cost one request, and none while they are in the cache.
 *
 *     npm run example -- config
 */
import { FetchHttpClient } from "@effect/platform"
import { NodeRuntime } from "@effect/platform-node"
import { Config, Effect, Layer } from "effect"
import { InfisicalConfigProvider } from "effect-infisical"
import { NodeInfisical } from "effect-infisical-node"

/** It names no Infisical: in a test, any other `ConfigProvider` does. */
const DatabaseConfig = Config.all({
  host: Config.withDefault(Config.string("DATABASE_HOST"), "localhost"),
  user: Config.string("DATABASE_USER"),
  password: Config.redacted("DATABASE_PASSWORD")
})

const program = Effect.gen(function*() {
  const database = yield* DatabaseConfig
  yield* Effect.log(`Connecting to ${database.host} as ${database.user}, with the password ${database.password}`)
  return database
})

/** `InfisicalConfigProvider.layerAdd` would ask the environment first, and Infisical for the rest. */
const ConfigLive = InfisicalConfigProvider.layer().pipe(
  Layer.provide(NodeInfisical.layerConfig()),
  Layer.provide(FetchHttpClient.layer)
)

export const main = Effect.provide(program, ConfigLive)

if (process.argv[1] === import.meta.filename) NodeRuntime.runMain(main)
