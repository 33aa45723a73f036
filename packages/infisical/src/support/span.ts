/** Spans that end without a value: `Effect.withSpan` gives the whole `Exit`, secrets included, to the tracer. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Tracer from "effect/Tracer"

/**
 * Runs an effect in a span. The tracer sees whether it succeeded, its typed error, and whether it was interrupted; of a
 * defect, which may quote anything, only that there was one. The typed errors must be safe to show.
 */
export const withSpan =
  (name: string, options: Tracer.SpanOptions) => <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(
        Effect.makeSpan(name, { captureStackTrace: false, ...options }),
        (span) =>
          Effect.onExit(restore(Effect.withParentSpan(effect, span)), (exit) =>
            Effect.map(Clock.currentTimeNanos, (now) => span.end(now, withoutValue(exit))))
      )
    )

const withoutValue = <A, E>(exit: Exit.Exit<A, E>): Exit.Exit<void, E> =>
  Exit.isSuccess(exit) ? Exit.void : Exit.failCause(withoutDefects(exit.cause))

const withoutDefects = <E>(cause: Cause.Cause<E>): Cause.Cause<E> =>
  Cause.match(cause, {
    onEmpty: Cause.empty,
    onFail: (error): Cause.Cause<E> => Cause.fail(error),
    onDie: () => Cause.die("a defect, which the caller has"),
    onInterrupt: Cause.interrupt,
    onSequential: Cause.sequential,
    onParallel: Cause.parallel
  })
