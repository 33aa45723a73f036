/** Pauses between attempts, by our own clock. Pure functions, in milliseconds. */
import * as Duration from "effect/Duration"

/** Long enough that a client that reads all the time adds no load; short enough that an operator does not restart it first. */
const shortest = Duration.toMillis("10 seconds")

/** Short enough that a mistaken refusal heals without an operator. */
const longest = Duration.toMillis("10 minutes")

/** The pause after so many failures in a row: 10 seconds, doubled with each, up to 10 minutes. */
export const pauseAfter = (failures: number): number =>
  failures <= 0 ? 0 : Math.min(longest, shortest * 2 ** Math.min(failures - 1, 10))

/** Whether the pause that began at `since` is not over. It is over if the clock was set back. */
export const isPausing = (since: number, pause: number, now: number): boolean => now >= since && now < since + pause
