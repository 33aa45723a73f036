// #region tags
import { Effect, Redacted } from "effect"
import { InfisicalError, Secrets } from "effect-infisical"

export const theme = Effect.flatMap(Secrets.Secrets, (secrets) => secrets.get("THEME")).pipe(
  Effect.map((secret) => Redacted.value(secret.value)),
  Effect.catchTags({
    NotFoundError: () => Effect.succeed("light"),
    PermissionError: (error) => Effect.as(Effect.logWarning(error.message), "light")
  })
)
// #endregion tags

// #region unreachable
export const themeOffline = Effect.flatMap(Secrets.Secrets, (secrets) => secrets.get("THEME")).pipe(
  Effect.map((secret) => Redacted.value(secret.value)),
  Effect.catchIf(InfisicalError.isUnreachable, () => Effect.succeed("light"))
)
// #endregion unreachable
