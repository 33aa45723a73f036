/**
 * A machine identity instead of a service token: the variables choose the login, and the project has to be named. The
 * program lists the secrets of all folders, without their values.
 *
 *     npm run example -- machine-identity
 *
 * On your own Infisical it needs `INFISICAL_UNIVERSAL_AUTH_CLIENT_ID`, `INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET` and
 * `INFISICAL_PROJECT_ID`, or what `CredentialConfig.fromEnvironment` says of the other methods.
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

const InfisicalLive = NodeInfisical.layerConfig().pipe(Layer.provide(FetchHttpClient.layer))

export const main = Effect.provide(program, InfisicalLive)

if (process.argv[1] === import.meta.filename) NodeRuntime.runMain(main)
