import { NodeHttpClient, NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Layer } from "effect"
import { Secrets } from "effect-infisical"
import { NodeInfisical } from "effect-infisical-node"

const program = Effect.gen(function*() {
  const secrets = yield* Secrets.Secrets
  const secret = yield* secrets.get("DATABASE_URL")
  yield* Console.log(`${secret.name}, version ${secret.version}: ${secret.value}`)
})

const InfisicalLive = NodeInfisical.layerConfig().pipe(Layer.provide(NodeHttpClient.layerUndici))

NodeRuntime.runMain(Effect.provide(program, InfisicalLive))
