import { NodeHttpClient } from "@effect/platform-node"
import { Layer } from "effect"
import { NodeInfisical } from "effect-infisical-node"
import * as AwsAuth from "effect-infisical-node/AwsAuth"

export const InfisicalLive = NodeInfisical.layer({
  credential: AwsAuth.awsAuth({ identityId: "your-identity-id" }),
  projectId: "your-project-id",
  environment: "prod"
}).pipe(Layer.provide(NodeHttpClient.layerUndici))
