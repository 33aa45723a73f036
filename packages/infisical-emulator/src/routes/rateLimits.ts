/** How often each client address has asked each route of late, as the server counts it: by fixed windows. */
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Answer from "../eras/Answer.js"
import type * as EmulatorState from "../state/EmulatorState.js"

/**
 * Answers a request unless there were too many before it, and says how many more there may be.
 *
 * The server counts after it knows who asks, and before it looks at what is asked.
 */
export const limit = <R>(
  self: EmulatorState.Service,
  route: string,
  answer: Effect.Effect<Answer.Answer, Answer.Answer, R>
): Effect.Effect<Answer.Answer, never, R | HttpServerRequest.HttpServerRequest> =>
  Effect.flatMap(
    Ref.get(self.state),
    ({ rateLimit }) =>
      Option.match(rateLimit, {
        onNone: () => Effect.merge(answer),
        onSome: (rateLimit) => counted(self, rateLimit, route, answer)
      })
  )

const counted = <R>(
  self: EmulatorState.Service,
  { limit, routes, window }: EmulatorState.RateLimit,
  route: string,
  answer: Effect.Effect<Answer.Answer, Answer.Answer, R>
) =>
  Effect.gen(function*() {
    const { method, remoteAddress } = yield* HttpServerRequest.HttpServerRequest
    const now = yield* Clock.currentTimeMillis
    const most = routes[`${method} ${route}`] ?? limit
    const key = JSON.stringify([Option.getOrElse(remoteAddress, () => ""), method, route])
    const { endsAt, times } = yield* Ref.modify(self.counted, (all) => {
      // One that ends later than a window can was begun while the clock was off.
      const before = Option.filter(HashMap.get(all, key), ({ endsAt }) => now < endsAt && endsAt <= now + window)
      const after = Option.match(before, {
        onNone: () => ({ times: 1, endsAt: now + window }),
        onSome: ({ endsAt, times }) => ({ times: times + 1, endsAt })
      })
      return [after, HashMap.set(all, key, after)]
    })
    const rest = Math.ceil((endsAt - now) / 1000)
    const headers = {
      "x-ratelimit-limit": String(most),
      "x-ratelimit-remaining": String(Math.max(0, most - times)),
      "x-ratelimit-reset": String(rest)
    }
    return times > most
      ? { ...Answer.rateLimited(inWords(window), rest), headers: { ...headers, "retry-after": String(rest) } }
      : { ...(yield* Effect.merge(answer)), headers }
  })

const units: ReadonlyArray<readonly [milliseconds: number, name: string]> = [
  [86_400_000, "day"],
  [3_600_000, "hour"],
  [60_000, "minute"],
  [1000, "second"]
]

const inWords = (milliseconds: number): string => {
  const [size, name] = units.find(([size]) => milliseconds >= size) ?? [1, "ms"]
  const count = Math.round(milliseconds / size)
  return `${count} ${name}${count === 1 || name === "ms" ? "" : "s"}`
}
