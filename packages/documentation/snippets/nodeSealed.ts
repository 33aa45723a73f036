import { NodeContext, NodeHttpClient } from "@effect/platform-node"
import { Layer } from "effect"
import { NodeInfisical, NodeSnapshotStorage } from "effect-infisical-node"

export const InfisicalLive = NodeInfisical.layerSealedConfig().pipe(
  Layer.provide(NodeSnapshotStorage.layer({ directory: "/var/lib/app/secrets" })),
  Layer.provide([NodeContext.layer, NodeHttpClient.layerUndici])
)
