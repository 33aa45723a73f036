/**
 * One run for all who want the same thing at the same time. Whoever leaves early does not disturb the others; when all
 * have left, the run stops.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import type * as Scope from "effect/Scope"

interface Flight<A, E> {
  readonly done: Deferred.Deferred<A, E>
  fiber: Fiber.RuntimeFiber<A, E> | undefined
  waiting: number
}

const released =
  "The layer of Infisical has been released. Provide it to all of the program that uses it, not only to what gets it."

/** Runs end with the scope; whoever wants one after that has made a mistake, and is told so. */
export const make = <A, E>(): Effect.Effect<
  (key: string, run: Effect.Effect<A, E>) => Effect.Effect<A, E>,
  never,
  Scope.Scope
> =>
  Effect.gen(function*() {
    const scope = yield* Effect.scope
    const flights = new Map<string, Flight<A, E>>()
    let isReleased = false
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        isReleased = true
      })
    )

    const leave = (key: string, flight: Flight<A, E>) =>
      Effect.suspend(() => {
        flight.waiting -= 1
        if (flight.waiting > 0 || flight.fiber === undefined) return Effect.void
        // Nobody may join a run that is being stopped.
        if (flights.get(key) === flight) flights.delete(key)
        return Effect.asVoid(Fiber.interruptFork(flight.fiber))
      })

    const start = (key: string, run: Effect.Effect<A, E>) =>
      Effect.suspend(() => {
        if (isReleased) return Effect.dieMessage(released)
        const flight: Flight<A, E> = { done: Deferred.unsafeMake(FiberId.none), fiber: undefined, waiting: 0 }
        flights.set(key, flight)
        return Effect.interruptible(run).pipe(
          Effect.onExit((exit) => {
            if (flights.get(key) === flight) flights.delete(key)
            flight.fiber = undefined
            return Deferred.done(flight.done, exit)
          }),
          Effect.forkIn(scope),
          Effect.map((fiber) => {
            flight.fiber = fiber
            return flight
          })
        )
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
