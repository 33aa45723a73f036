import { NodeHttpClient } from "@effect/platform-node"
import { Effect, Layer } from "effect"
import { Secrets } from "effect-infisical"
import { NodeInfisical } from "effect-infisical-node"

const InfisicalLive = NodeInfisical.layerConfig().pipe(Layer.provide(NodeHttpClient.layerUndici))

export const program = Effect.flatMap(Secrets.Secrets, (secrets) => secrets.get("DATABASE_URL")).pipe(
  Effect.provide(InfisicalLive)
)
