/**
 * A span that ends without a value. `Effect.withSpan` gives the tracer the whole `Exit`, and with it whatever secret the
 * effect succeeds with.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Tracer from "effect/Tracer"

/** The failures of the effect must be errors of ours, which carry no secret. */
export const withSpan =
  (name: string, options: Omit<Tracer.SpanOptions, "captureStackTrace">) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(
        Effect.makeSpan(name, { ...options, captureStackTrace: false }),
        (span) =>
          Effect.onExit(restore(Effect.withParentSpan(effect, span)), (exit) =>
            Effect.map(Clock.currentTimeNanos, (now) => span.end(now, withoutValue(exit))))
      )
    )

const withoutValue = <A, E>(exit: Exit.Exit<A, E>): Exit.Exit<void, E> =>
  Exit.match(exit, {
    onSuccess: () => Exit.void,
    // A defect may be anything.
    onFailure: (cause) =>
      Cause.isDie(cause) ? Exit.die(new Cause.RuntimeException("The effect died")) : Exit.failCause(cause)
  })
