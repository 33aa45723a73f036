/**
 * One run for all callers that want the same at the same time. A caller that leaves does not disturb the run, which goes
 * on without callers, so that the next caller finds its outcome: a run must end by itself.
 *
 * Runs have the context of the layer. The span of the caller that started one is linked to the spans of the run.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Tracer from "effect/Tracer"
import * as Background from "./background.js"
import { releasedError } from "./released.js"

/** Runs end with the scope. Callers that wait then, and callers that come later, die with an explanation. */
export const make = <A, E>(): Effect.Effect<
  (key: string, run: Effect.Effect<A, E>) => Effect.Effect<A, E>,
  never,
  Scope.Scope
> =>
  Effect.gen(function*() {
    const flights = new Map<string, Deferred.Deferred<A, E>>()
    const scope = yield* Scope.make()
    const fork = yield* Effect.provideService(Background.make, Scope.Scope, scope)
    let isReleased = false
    yield* Effect.addFinalizer((exit) =>
      Effect.suspend(() => {
        // Before the runs are interrupted, so that each knows why.
        isReleased = true
        return Scope.close(scope, exit)
      })
    )

    const finish = (key: string, done: Deferred.Deferred<A, E>, exit: Exit.Exit<A, E>) =>
      Effect.suspend(() => {
        flights.delete(key)
        return Deferred.done(done, isReleased && Exit.isInterrupted(exit) ? Exit.die(releasedError()) : exit)
      })

    const start = (key: string, run: Effect.Effect<A, E>) =>
      Effect.gen(function*() {
        if (isReleased) return yield* Effect.die(releasedError())
        const done = Deferred.unsafeMake<A, E>(FiberId.none)
        flights.set(key, done)
        const caller = yield* Effect.serviceOption(Tracer.ParentSpan)
        const linked = Option.match(caller, { onNone: () => run, onSome: (span) => Effect.linkSpans(run, span) })
        yield* fork(Effect.onExit(Effect.interruptible(linked), (exit) => finish(key, done, exit)))
        return done
      })

    return (key, run) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.flatMap(
          Effect.suspend(() => {
            const done = flights.get(key)
            return done === undefined ? start(key, run) : Effect.succeed(done)
          }),
          (done) => restore(Deferred.await(done))
        )
      )
  })
