import * as Cause from "effect/Cause"

/** The defect of callers that use a client, or wait for it, after its layer was released. */
export const releasedError = (): Cause.RuntimeException =>
  new Cause.RuntimeException(
    "The layer of Infisical has been released. Provide it to the whole program that uses it, not only to the effect that reads from the context."
  )
