/**
 * One deadline for a whole call: from the caller's entry to its answer, through login, routes, references, retries and
 * storage.
 *
 * A public method starts it with `within`. Everything below asks `remaining`, and waits no longer. Shared work does not
 * inherit the deadline of the caller that started it: it runs with the layer's context, and each caller stops waiting at
 * its own deadline.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { NetworkError } from "../model/InfisicalError.js"

/** When the call under way must have ended, in milliseconds of the clock. */
export class Deadline extends Context.Reference<Deadline>()("effect-infisical/Deadline", {
  defaultValue: () => Number.POSITIVE_INFINITY
}) {}

/** The milliseconds until the deadline; never negative. Infinite outside of a call. */
export const remaining: Effect.Effect<number> = Effect.flatMap(
  Deadline,
  (deadline) => Effect.map(Clock.currentTimeMillis, (now) => Math.max(0, deadline - now))
)

/** A timer of a longer time fires at once: `setTimeout` takes 31 bits. */
const longestTimer = 2 ** 31 - 1

/**
 * Ends an effect after some milliseconds, even if the caller's region is uninterruptible, where `Effect.timeoutFail`
 * would wait for the effect. The effect runs in a fiber of its own, which is interrupted in the background.
 */
export const endAfter = <A, E, R, E2>(
  effect: Effect.Effect<A, E, R>,
  millis: number,
  onTimeout: () => E2
): Effect.Effect<A, E | E2, R> =>
  millis > longestTimer ?
    effect :
    Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(Effect.forkDaemon(Effect.interruptible(effect)), (fiber) =>
        restore(
          Effect.timeoutFail(Effect.interruptible(Fiber.join(fiber)), { duration: Duration.millis(millis), onTimeout })
        ).pipe(Effect.ensuring(Fiber.interruptFork(fiber))))
    )

/**
 * Runs a call within a deadline. An outer deadline that comes earlier stays in force. At the deadline the call fails with
 * a `NetworkError` of reason `Timeout`.
 */
export const within = (options: {
  readonly duration: Duration.Duration
  /** What ran out of time, for the error. */
  readonly endpoint: string
  /** Whether the call writes, so that it may have been carried out. */
  readonly isWrite: boolean
}) =>
<A, E, R>(call: Effect.Effect<A, E, R>): Effect.Effect<A, E | NetworkError, R> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) =>
    Effect.flatMap(Deadline, (outer) => {
      const deadline = Math.min(outer, now + Duration.toMillis(options.duration))
      return endAfter(
        Effect.provideService(call, Deadline, deadline),
        // A millisecond later, so that the error of the request itself, which names its route, comes first.
        deadline - now + 1,
        () =>
          new NetworkError({
            reason: "Timeout",
            endpoint: options.endpoint,
            mayHaveBeenApplied: options.isWrite
          })
      )
    }))
