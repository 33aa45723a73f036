/** A pool that stands for the one of a database driver. */
import { Effect } from "effect"

export interface Pool {
  readonly query: (sql: string) => Effect.Effect<string>
  readonly end: Effect.Effect<void>
}

export const makePool = (url: string): Effect.Effect<Pool> =>
  Effect.succeed({ query: (sql) => Effect.succeed(`${sql} at ${new URL(url).host}`), end: Effect.void })
