import { Effect, Metric } from "effect"
import { SecretMetrics, Secrets } from "effect-infisical"

export const program = Effect.gen(function*() {
  const secrets = yield* Secrets.Secrets
  yield* secrets.get("DATABASE_URL")
  const { count } = yield* Metric.value(SecretMetrics.refreshes)
  return count
})
