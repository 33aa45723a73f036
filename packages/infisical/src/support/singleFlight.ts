/**
 * One run for all callers that want the same at the same time. A caller that leaves early does not disturb the others;
 * when all have left, the run is interrupted.
 *
 * Runs have the context of the layer. The span of the caller that started one is linked to the spans of the run.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Tracer from "effect/Tracer"
import * as Background from "./background.js"
import { releasedError } from "./released.js"

interface Flight<A, E> {
  readonly done: Deferred.Deferred<A, E>
  fiber: Fiber.RuntimeFiber<A, E> | undefined
  waiting: number
}

/** Runs end with the scope. Callers that wait then, and callers that come later, die with an explanation. */
export const make = <A, E>(): Effect.Effect<
  (key: string, run: Effect.Effect<A, E>) => Effect.Effect<A, E>,
  never,
  Scope.Scope
> =>
  Effect.gen(function*() {
    const flights = new Map<string, Flight<A, E>>()
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

    const leave = (key: string, flight: Flight<A, E>) =>
      Effect.suspend(() => {
        flight.waiting -= 1
        if (flight.waiting > 0 || flight.fiber === undefined) return Effect.void
        // No caller may join a run that is being interrupted.
        if (flights.get(key) === flight) flights.delete(key)
        return Effect.asVoid(Fiber.interruptFork(flight.fiber))
      })

    const finish = (key: string, flight: Flight<A, E>, exit: Exit.Exit<A, E>) =>
      Effect.suspend(() => {
        if (flights.get(key) === flight) flights.delete(key)
        flight.fiber = undefined
        return Deferred.done(flight.done, isReleased && Exit.isInterrupted(exit) ? Exit.die(releasedError()) : exit)
      })

    const start = (key: string, run: Effect.Effect<A, E>) =>
      Effect.gen(function*() {
        if (isReleased) return yield* Effect.die(releasedError())
        const flight: Flight<A, E> = { done: Deferred.unsafeMake(FiberId.none), fiber: undefined, waiting: 0 }
        flights.set(key, flight)
        const caller = yield* Effect.serviceOption(Tracer.ParentSpan)
        const linked = Option.match(caller, { onNone: () => run, onSome: (span) => Effect.linkSpans(run, span) })
        flight.fiber = yield* fork(
          Effect.onExit(Effect.interruptible(linked), (exit) => finish(key, flight, exit))
        )
        return flight
      })

    return (key, run) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.flatMap(
          Effect.suspend(() => {
            const flight = flights.get(key)
            return flight === undefined ? start(key, run) : Effect.succeed(flight)
          }),
          (flight) => {
            flight.waiting += 1
            return Effect.ensuring(restore(Deferred.await(flight.done)), leave(key, flight))
          }
        )
      )
  })
