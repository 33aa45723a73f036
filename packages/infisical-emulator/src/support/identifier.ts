/** What a server makes up: ids, tokens and moments. Random and time are Effect's, so that tests can fix both. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"

const hexadecimalWord = Effect.map(
  Random.nextIntBetween(0, 2 ** 32),
  (word) => word.toString(16).padStart(8, "0")
)

/** Random hexadecimal characters, eight for each word. */
export const hexadecimal = (words: number): Effect.Effect<string> =>
  Effect.map(Effect.replicateEffect(hexadecimalWord, words), (all) => all.join(""))

/** A random UUID (version 4). */
export const uuid: Effect.Effect<string> = Effect.map(
  hexadecimal(4),
  (text) =>
    [
      text.slice(0, 8),
      text.slice(8, 12),
      `4${text.slice(13, 16)}`,
      `${"89ab".charAt(Number.parseInt(text.charAt(16), 16) % 4)}${text.slice(17, 20)}`,
      text.slice(20)
    ].join("-")
)

/** A moment as the wire writes it. */
export const timestamp = (milliseconds: number): string => new Date(milliseconds).toISOString()

/** Now, as the wire writes it. */
export const now: Effect.Effect<string> = Effect.map(Clock.currentTimeMillis, timestamp)
