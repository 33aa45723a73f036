// #region all
import { NodeContext, NodeHttpClient } from "@effect/platform-node"
import { Config, Effect, Layer } from "effect"
import { Secrets } from "effect-infisical"
import { NodeInfisical, NodeSnapshotStorage } from "effect-infisical-node"

const InfisicalLive = Layer.unwrapEffect(
  Effect.map(
    Config.string("SNAPSHOT_DIRECTORY"),
    (directory) => NodeInfisical.layerSealedConfig().pipe(Layer.provide(NodeSnapshotStorage.layer({ directory })))
  )
).pipe(Layer.provide([NodeHttpClient.layerUndici, NodeContext.layer]))

export const program = Effect.flatMap(Secrets.Secrets, (secrets) => secrets.get("DATABASE_URL")).pipe(
  Effect.map(({ source }) => source), // "sealed" if the server cannot be reached
  Effect.provide(InfisicalLive)
)
// #endregion all
