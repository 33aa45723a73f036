/** Pauses between retries. */

/** The longest pause in milliseconds: a timer has 31 bits, and `Effect.sleep` of a longer one never ends. */
export const longestPause = 2 ** 31 - 1

/**
 * The pause before a retry, in whole milliseconds: it doubles from `base` with each attempt, up to `max`, and is
 * multiplied by `jitter`. Whole, because a deadline that is computed from fractions is missed by their rounding.
 */
export const backoff = ({ attempt, base, jitter, max }: {
  /** How many attempts failed: 1 before the first retry. */
  readonly attempt: number
  /** The pause before the first retry, in milliseconds. */
  readonly base: number
  /** The longest pause before jitter, in milliseconds. */
  readonly max: number
  /** A random factor around 1, so that clients that failed together do not retry together. */
  readonly jitter: number
}): number => Math.min(Math.round(jitter * Math.min(base * 2 ** Math.min(attempt - 1, 31), max)), longestPause)
