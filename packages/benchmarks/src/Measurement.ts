/**
 * How things are measured: contestants in turn, round after round, so that whatever else the machine does hits all of
 * them alike. Ratios are taken within a round.
 */
import { Array, Data, Effect } from "effect"
import type { InfisicalError } from "effect-infisical"
import type { RecordedServer, ServerFailed } from "./RecordedServer.js"

/** One line of the table: what was measured in each round, and what the budget allows. */
export interface Measurement {
  readonly what: string
  readonly beside: string
  /** One for each round. */
  readonly samples: ReadonlyArray<number>
  /** What the median may be at most; a limit that a budget is to be seen beside has none itself. */
  readonly budget?: number
  /** Behind each number, such as `×`. */
  readonly unit: string
  /** What the samples came from, in absolute terms. */
  readonly basis: string
}

/** Some of the budgets of the design, by a name to choose them by. */
export interface Benchmark {
  readonly name: string
  readonly run: Effect.Effect<ReadonlyArray<Measurement>, Failure, RecordedServer>
}

/** Whatever can go wrong with what is measured, or with the measuring. */
export type Failure =
  | NotMeasured
  | ServerFailed
  | InfisicalError.ReadError
  | InfisicalError.InvalidCredentialError

/** What was measured is not what was to be measured, so that no number may be given. */
export class NotMeasured extends Data.TaggedError("NotMeasured")<{ readonly problem: string }> {
  override get message(): string {
    return `Nothing was measured: ${this.problem}`
  }
}

/** Refuses a measurement that went wrong, such as a warm read that made a request. */
export const ensure = (holds: boolean, problem: string): Effect.Effect<void, NotMeasured> =>
  holds ? Effect.void : Effect.fail(new NotMeasured({ problem }))

/**
 * Runs each contestant once a round, A B C A B C …, after some rounds that only warm up the JIT. Gives what each
 * measured of itself, round by round.
 */
export const interleave = <Name extends string, E, R>(options: {
  readonly contestants: Readonly<Record<Name, Effect.Effect<number, E, R>>>
  readonly warmUps: number
  readonly rounds: number
}): Effect.Effect<(name: Name) => ReadonlyArray<number>, E | NotMeasured, R> =>
  Effect.gen(function*() {
    const contestants = Object.entries<Effect.Effect<number, E, R>>(options.contestants)
    const samples = new Map<string, Array<number>>(contestants.map(([name]) => [name, []]))
    for (let round = -options.warmUps; round < options.rounds; round++) {
      for (const [name, measure] of contestants) {
        // What one leaves behind, in memory or to be done, is not for the next one to clean up.
        yield* Effect.sleep("2 millis")
        yield* collectGarbage("young")
        const sample = yield* measure
        if (round >= 0) samples.get(name)?.push(sample)
      }
    }
    return (name) => samples.get(name) ?? []
  })

/** How many times the first took as much as the second, round by round. */
export const ratios = (ours: ReadonlyArray<number>, theirs: ReadonlyArray<number>): ReadonlyArray<number> =>
  Array.zipWith(ours, theirs, (one, other) => one / other)

/** The value below which a part of the samples lies; `quantile(samples, 0.5)` is the median. */
export const quantile = (samples: ReadonlyArray<number>, part: number): number => {
  const sorted = samples.toSorted((one, other) => one - other)
  const position = (sorted.length - 1) * part
  const below = sorted[Math.floor(position)] ?? Number.NaN
  const above = sorted[Math.ceil(position)] ?? Number.NaN
  return below + (above - below) * (position - Math.floor(position))
}

/** The value in the middle. */
export const median = (samples: ReadonlyArray<number>): number => quantile(samples, 0.5)

/** Collects garbage: the young generation, or all of it. */
export const collectGarbage = (what: "young" | "all"): Effect.Effect<void, NotMeasured> =>
  Effect.suspend(() => {
    if (globalThis.gc === undefined) return new NotMeasured({ problem: "node was started without --expose-gc" })
    // Node 20 collects but the young for any argument, even for `{ type: "major" }`.
    if (what === "young") globalThis.gc(true)
    else globalThis.gc()
    return Effect.void
  })
