import { FetchHttpClient } from "@effect/platform"
import { NodeRuntime } from "@effect/platform-node"
import { Effect, Layer } from "effect"
import { Secrets } from "effect-infisical"
import { NodeInfisical } from "effect-infisical-node"

const program = Effect.gen(function*() {
  const secrets = yield* Secrets.Secrets
  const url = yield* secrets.get("DATABASE_URL")
  yield* Effect.log(url.name, url.value, url.source) // DATABASE_URL <redacted> live
})

const InfisicalLive = NodeInfisical.layerConfig().pipe(Layer.provide(FetchHttpClient.layer))

program.pipe(Effect.provide(InfisicalLive), NodeRuntime.runMain)
