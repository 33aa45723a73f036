import { Effect } from "effect"

/** Lets all fibers run until they wait for the clock, for a test or for the network. */
export const settle: Effect.Effect<void> = Effect.replicateEffect(
  Effect.async<void>((resume) => void setImmediate(() => resume(Effect.void))),
  4,
  { discard: true }
)
