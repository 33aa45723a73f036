import { FetchHttpClient } from "@effect/platform"
import { Console, Effect, Layer } from "effect"
import { Infisical, Secrets } from "effect-infisical"

const program = Effect.gen(function*() {
  const secrets = yield* Secrets.Secrets
  const secret = yield* secrets.get("DATABASE_URL")
  yield* Console.log(`${secret.name}, version ${secret.version}: ${secret.value}`)
})

const InfisicalLive = Infisical.layerConfig().pipe(Layer.provide(FetchHttpClient.layer))

Effect.runPromise(Effect.provide(program, InfisicalLive))
