/**
 * Forks work that outlives its caller on the context of the layer: services, FiberRefs and configuration are those of
 * the time when the layer was built, never those of the caller that came first.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import * as RuntimeFlags from "effect/RuntimeFlags"
import type * as Scope from "effect/Scope"
import * as Tracer from "effect/Tracer"

/** Forks an effect in the scope. It starts uninterruptible, so that it runs even if it is interrupted before it starts. */
export type Fork = <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<Fiber.RuntimeFiber<A, E>>

export const make: Effect.Effect<Fork, never, Scope.Scope> = Effect.gen(function*() {
  const scope = yield* Effect.scope
  const { context, fiberRefs, runtimeFlags } = yield* Effect.runtime().pipe(
    // The log would show what a defect quotes, such as a token.
    Effect.withUnhandledErrorLogLevel(Option.none())
  )
  const fork = Runtime.runFork(Runtime.make({
    // The span in which the layer was built has ended by then.
    context: Context.omit(Tracer.ParentSpan)(context),
    fiberRefs,
    runtimeFlags: RuntimeFlags.disable(RuntimeFlags.Interruption)(runtimeFlags)
  }))
  return (effect) => Effect.sync(() => fork(effect, { scope, immediate: false }))
})
