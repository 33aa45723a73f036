/**
 * Work that callers share: a login, a renewal. It runs on the layer's context and goes on if its callers leave, since the
 * next caller needs the result. Each caller waits until its own deadline.
 */
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Tracer from "effect/Tracer"
import { endAfter, remaining } from "../api/deadline.js"
import { NetworkError } from "../model/InfisicalError.js"
import * as Background from "../support/background.js"
import { releasedError } from "../support/released.js"

export interface Flight<A, E> {
  /** What the callers wait for. */
  readonly result: Deferred.Deferred<A, E>
  /** Done when the work has ended, even if the layer was released and the callers were sent away before. */
  readonly ended: Deferred.Deferred<void>
}

/** What a caller does next. */
export type Decision<A, E> =
  | { readonly _tag: "Use"; readonly value: A }
  /** Use the value, and run the flight for the callers to come. */
  | { readonly _tag: "UseAndStart"; readonly value: A; readonly flight: Flight<A, E> }
  | { readonly _tag: "Fail"; readonly error: E }
  | { readonly _tag: "Wait"; readonly flight: Flight<A, E> }
  | { readonly _tag: "Start"; readonly flight: Flight<A, E> }
  | { readonly _tag: "Released" }

export const make = <A, E>(): Effect.Effect<Flight<A, E>> =>
  Effect.all({ result: Deferred.make<A, E>(), ended: Deferred.make<void>() })

/** Sends the callers that wait away, with an explanation. The work goes on. */
export const release = <A, E>(flight: Option.Option<Flight<A, E>>): Effect.Effect<void> =>
  Option.match(flight, {
    onNone: () => Effect.void,
    onSome: ({ result }) => Effect.asVoid(Deferred.die(result, releasedError()))
  })

/** Waits until the work has ended. */
export const awaitEnd = <A, E>(flight: Option.Option<Flight<A, E>>): Effect.Effect<void> =>
  Option.match(flight, { onNone: () => Effect.void, onSome: ({ ended }) => Deferred.await(ended) })

/** A release takes no longer, so that a process ends within seconds although the server hangs. */
export const longestRelease = Duration.toMillis("5 seconds")

export interface Flights {
  /** Decides, starts the flight if the decision says so, and waits for it. */
  readonly follow: <A, E>(
    decide: (flight: Flight<A, E>) => Effect.Effect<Decision<A, E>>,
    run: (flight: Flight<A, E>) => Effect.Effect<A, E>
  ) => Effect.Effect<A, E | NetworkError>
  /** Interrupts the flight that is under way. */
  readonly close: Effect.Effect<void>
}

/** Must be closed. `endpoint` is for the error of a caller whose deadline passes. */
export const makeFlights = (endpoint: string): Effect.Effect<Flights> =>
  Effect.gen(function*() {
    const scope = yield* Scope.make()
    const fork = yield* Effect.provideService(Background.make, Scope.Scope, scope)

    const start = <A, E>(flight: Flight<A, E>, run: Effect.Effect<A, E>) =>
      Effect.flatMap(Effect.serviceOption(Tracer.ParentSpan), (caller) =>
        (Option.isSome(caller) ? Effect.linkSpans(run, caller.value) : run).pipe(
          Effect.interruptible,
          Effect.onExit((exit) =>
            Effect.zipRight(Deferred.done(flight.result, exit), Deferred.succeed(flight.ended, undefined))
          ),
          fork
        ))

    const wait = <A, E>({ result }: Flight<A, E>): Effect.Effect<A, E | NetworkError> =>
      Effect.flatMap(remaining, (millis) =>
        endAfter(
          Deferred.await(result),
          millis,
          () =>
            new NetworkError({ reason: "Timeout", endpoint, mayHaveBeenApplied: false })
        ))

    const follow = <A, E>(
      decide: (flight: Flight<A, E>) => Effect.Effect<Decision<A, E>>,
      run: (flight: Flight<A, E>) => Effect.Effect<A, E>
    ): Effect.Effect<A, E | NetworkError> =>
      Effect.uninterruptibleMask((restore) =>
        Effect.gen(function*() {
          const decision = yield* Effect.flatMap(make<A, E>(), decide)
          switch (decision._tag) {
            case "Use":
              return decision.value
            case "UseAndStart":
              yield* start(decision.flight, run(decision.flight))
              return decision.value
            case "Fail":
              return yield* Effect.fail(decision.error)
            case "Wait":
              return yield* restore(wait(decision.flight))
            case "Start":
              yield* start(decision.flight, run(decision.flight))
              return yield* restore(wait(decision.flight))
            case "Released":
              return yield* Effect.die(releasedError())
          }
        })
      )

    return {
      follow,
      close: Effect.ignore(endAfter(Scope.close(scope, Exit.void), longestRelease, () =>
        "timeout" as const))
    }
  })
