/** Time of the CPU, which other processes take none of: what a busy machine does not change. */
import { Effect } from "effect"

/** The CPU time of this process so far, in milliseconds. */
export const cpuTime: Effect.Effect<number> = Effect.sync(() => {
  const { system, user } = process.cpuUsage()
  return (system + user) / 1000
})

/** Runs an effect, and gives the most CPU time, in milliseconds, that passed between two turns of the event loop. */
export const withLongestTurn = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    let last = yield* cpuTime
    let longest = 0
    const turn = Effect.map(cpuTime, (now) => {
      longest = Math.max(longest, now - last)
      last = now
    })
    const timer = setInterval(() => Effect.runSync(turn), 5)
    const result = yield* Effect.ensuring(effect, Effect.sync(() => clearInterval(timer)))
    // The loop turns once more, so that a block at the end is seen.
    yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 20)))
    yield* turn
    return [result, longest] as const
  })
