import { FetchHttpClient } from "@effect/platform"
import { Layer, Redacted } from "effect"
import { Credential, Infisical } from "effect-infisical"

export const InfisicalLive = Infisical.layer({
  credential: Credential.universalAuth({
    clientId: "your-client-id",
    clientSecret: Redacted.make("your-client-secret")
  }),
  projectId: "your-project-id",
  environment: "prod",
  secretPath: "/billing",
  cacheTtl: "1 minute"
}).pipe(Layer.provide(FetchHttpClient.layer))
