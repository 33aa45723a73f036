import { Effect, Redacted } from "effect"
import { Secrets } from "effect-infisical"

export const program = Effect.gen(function*() {
  const secrets = yield* Secrets.Secrets
  yield* secrets.create("API_KEY", Redacted.make("key-1"), { comment: "for billing" })
  yield* secrets.update("API_KEY", Redacted.make("key-2"))
  yield* secrets.delete("API_KEY")
})
