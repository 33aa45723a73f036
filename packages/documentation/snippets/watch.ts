// #region watch
import { Effect, Redacted, Stream } from "effect"
import { Secrets } from "effect-infisical"

/** The current value, then each new one. */
export const features = Stream.unwrap(
  Effect.map(Secrets.Secrets, (secrets) => secrets.watch("FEATURES"))
).pipe(Stream.map((secret) => Redacted.value(secret.value)))
// #endregion watch

// #region changes
/** Every change in the folders in use. */
export const changes = Stream.unwrap(Effect.map(Secrets.Secrets, (secrets) => secrets.changes)).pipe(
  Stream.map((change) => change._tag)
)
// #endregion changes
