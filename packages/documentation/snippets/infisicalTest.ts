import { Effect, Redacted } from "effect"
import { Secrets } from "effect-infisical"

const SecretsTest = Secrets.layerTest({ DATABASE_URL: "postgres://localhost/test" })

export const test = Effect.gen(function*() {
  const secrets = yield* Secrets.Secrets
  return Redacted.value((yield* secrets.get("DATABASE_URL")).value)
}).pipe(Effect.provide(SecretsTest))
