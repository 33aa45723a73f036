import { Effect } from "effect"
import { InfisicalError, Secrets } from "effect-infisical"

export const program = Effect.gen(function*() {
  const secrets = yield* Secrets.Secrets
  return yield* secrets.get("STRIPE_KEY", { secretPath: "/billing" })
}).pipe(
  Effect.catchTag("NotFoundError", () => Effect.succeedNone),
  Effect.tapError((error) =>
    InfisicalError.isUnreachable(error) ? Effect.logWarning("Infisical is down") : Effect.logError(error.message)
  )
)
