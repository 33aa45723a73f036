import { FetchHttpClient } from "@effect/platform"
import { Layer, type Redacted } from "effect"
import { Credential } from "effect-infisical"
import { JwtFile, NodeInfisical } from "effect-infisical-node"
import * as AwsAuth from "effect-infisical-node/AwsAuth"

// #region universal
export const withSecret = (clientSecret: Redacted.Redacted<string>) =>
  NodeInfisical.layer({
    credential: Credential.universalAuth({ clientId: "6bd0c0e5-…", clientSecret }),
    projectId: "7f1a3c52-…",
    environment: "prod"
  }).pipe(Layer.provide(FetchHttpClient.layer))
// #endregion universal

// #region kubernetes
export const InPod = NodeInfisical.layer({
  credential: Credential.jwt({
    method: "kubernetes-auth",
    identityId: "a3b5d1c9-…",
    jwt: JwtFile.read("/var/run/secrets/kubernetes.io/serviceaccount/token")
  }),
  projectId: "7f1a3c52-…"
}).pipe(Layer.provide(FetchHttpClient.layer))
// #endregion kubernetes

// #region aws
export const OnAws = NodeInfisical.layer({
  credential: AwsAuth.awsAuth({ identityId: "a3b5d1c9-…" }),
  projectId: "7f1a3c52-…"
}).pipe(Layer.provide(FetchHttpClient.layer))
// #endregion aws
