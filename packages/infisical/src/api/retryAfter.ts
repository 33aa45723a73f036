/** How long a server asks to wait: in seconds or as an HTTP date (RFC 9110, `retry-after`), up to a cap. */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import { longestPause } from "../support/backoff.js"

/**
 * The pause that `retry-after` asks for. A date counts from the response's own `date`, since the server's clock need not
 * be ours; without one, from `now`. A date in the past asks for nothing.
 */
export const parseRetryAfter = (
  headers: { readonly [name: string]: string | undefined },
  now: number,
  max: Duration.Duration
): Option.Option<Duration.Duration> => {
  const text = headers["retry-after"]?.trim() ?? ""
  if (/^\d{1,15}$/.test(text)) return capped(Number(text) * 1000, max)
  return Option.flatMap(
    parseDate(text),
    (until) => capped(until - Option.getOrElse(parseDate(headers["date"]), () => now), max)
  )
}

/** A time in seconds that a header states, as `x-ratelimit-reset` does. */
export const capSeconds = (seconds: number, max: Duration.Duration): Duration.Duration =>
  Duration.millis(Math.min(seconds * 1000, Duration.toMillis(max), longestPause))

// A pause of nothing is none: retries have their own.
const capped = (millis: number, max: Duration.Duration): Option.Option<Duration.Duration> =>
  millis > 0 ? Option.some(capSeconds(millis / 1000, max)) : Option.none()

/** The one form that RFC 9110 lets servers send, such as `Sun, 06 Nov 1994 08:49:37 GMT`. */
const httpDate = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/

const parseDate = (text: string | undefined): Option.Option<number> =>
  Option.filter(
    text !== undefined && httpDate.test(text) ? Option.some(Date.parse(text)) : Option.none(),
    Number.isFinite
  )
