/**
 * A machine identity in the place of a service token: only the credential changes, and the project has to be named.
 *
 * Run it with `INFISICAL_UNIVERSAL_AUTH_CLIENT_ID`, `INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET` and `INFISICAL_PROJECT_ID`
 * set, or with what `CredentialConfig.fromEnvironment` says of the other methods.
 */
import { FetchHttpClient } from "@effect/platform"
import { NodeRuntime } from "@effect/platform-node"
import { Effect, Layer } from "effect"
import { Secrets } from "effect-infisical"
import { NodeInfisical } from "effect-infisical-node"

const program = Effect.gen(function*() {
  const secrets = yield* Secrets.Secrets
  const list = yield* secrets.list({ recursive: true })
  for (const { name, secretPath, source } of list.secrets) yield* Effect.log(`${secretPath} ${name} (${source})`)
  for (const { name, secretPath } of list.hidden) yield* Effect.log(`${secretPath} ${name}, whose value is hidden`)
})

program.pipe(
  Effect.provide(NodeInfisical.layerConfig().pipe(Layer.provide(FetchHttpClient.layer))),
  NodeRuntime.runMain
)
