/**
 * One deadline for a whole call: from the caller's entry to its answer, through login, routes, references, retries and
 * storage.
 *
 * A public method starts it with `within`. The code below waits no longer than `remaining`. Shared work does not inherit
 * the deadline of the caller that started it: it runs with the layer's context, and each caller stops waiting at its own
 * deadline.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import { NetworkError } from "../model/InfisicalError.js"
import { longestPause } from "../support/backoff.js"

/** When the current call must have ended, in milliseconds of the clock. */
export class Deadline extends Context.Reference<Deadline>()("effect-infisical/Deadline", {
  defaultValue: () => Number.POSITIVE_INFINITY
}) {}

/** The milliseconds until the deadline; never negative. Infinite outside of a call. */
export const remaining: Effect.Effect<number> = Effect.flatMap(
  Deadline,
  (deadline) => Effect.map(Clock.currentTimeMillis, (now) => Math.max(0, deadline - now))
)

/**
 * Ends an effect after some milliseconds, even if the caller's region is uninterruptible, where `Effect.timeoutFail`
 * waits for the effect.
 *
 * The effect runs in a fiber of its own, which is interrupted at the end of the time. The caller does not wait for that
 * interruption. In every other way the effect runs as if the caller ran it: it has the caller's context and FiberRefs,
 * the caller gets its result and its FiberRefs, and an interruption of the caller interrupts it and waits for its
 * finalizers, but no longer than the effect may take.
 */
export const endAfter = <A, E, R, E2>(
  effect: Effect.Effect<A, E, R>,
  millis: number,
  onTimeout: () => E2
): Effect.Effect<A, E | E2, R> =>
  millis > longestPause ? effect : Effect.uninterruptibleMask((restore) =>
    Effect.gen(function*() {
      const caller = yield* Effect.fiberId
      const outcome = yield* Deferred.make<Option.Option<Exit.Exit<A, E>>>()
      // Not children: a fiber's interruption reaches its children even while the fiber itself is uninterruptible.
      const work = yield* Effect.interruptible(effect).pipe(
        Effect.onExit((exit) => Deferred.succeed(outcome, Option.some(exit))),
        Effect.forkDaemon,
        // The caller gets the exit. The log would show what a defect quotes.
        Effect.withUnhandledErrorLogLevel(Option.none())
      )
      const timer = yield* Effect.sleep(millis).pipe(
        Effect.zipRight(Deferred.succeed(outcome, Option.none())),
        Effect.interruptible,
        Effect.forkDaemon
      )
      const interruptWork = Fiber.interruptAsFork(work, caller)
      const exit = yield* restore(Deferred.await(outcome)).pipe(
        Effect.onInterrupt(() => Effect.zipRight(interruptWork, Deferred.await(outcome))),
        Effect.ensuring(Fiber.interruptAsFork(timer, caller))
      )
      if (Option.isNone(exit)) {
        yield* interruptWork
        return yield* Effect.fail(onTimeout())
      }
      yield* Fiber.inheritAll(work)
      return yield* exit.value
    })
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
        Math.max(0, deadline - now) + 1,
        () =>
          new NetworkError({
            reason: "Timeout",
            endpoint: options.endpoint,
            mayHaveBeenApplied: options.isWrite
          })
      )
    }))
