import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

/** Runs an effect that needs nothing at its first use, and gives what it gave from then on. */
export const once = <A>(effect: Effect.Effect<A>): Effect.Effect<A> => {
  let known = Option.none<A>()
  // What the effect would see of its first user it must not keep.
  const run = Effect.mapInputContext(effect, (_: Context.Context<never>) => Context.empty())
  return Effect.suspend(() =>
    Option.isSome(known) ? Effect.succeed(known.value) : Effect.tap(run, (value) => {
      known = Option.some(value)
    })
  )
}
