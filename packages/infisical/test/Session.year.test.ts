/** A year of a machine identity, read every six hours, on servers of several kinds: no login or renewal is pointless. */
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect } from "effect"
import type { Rules, Seen } from "./support/TokenServer.js"
import { request, run, settle, TokenServer } from "./support/TokenServer.js"

const year = 365 * 86_400
const step = 6 * 3600

/** A clock that is set by hand, since the test clock waits for all fibers in real time at each step. No sleep ends. */
const makeClock = () => {
  let now = 0
  const clock: Clock.Clock = {
    [Clock.ClockTypeId]: Clock.ClockTypeId,
    unsafeCurrentTimeMillis: () => now,
    unsafeCurrentTimeNanos: () => BigInt(now) * 1_000_000n,
    currentTimeMillis: Effect.sync(() => now),
    currentTimeNanos: Effect.sync(() => BigInt(now) * 1_000_000n),
    sleep: () => Effect.never
  }
  return {
    clock,
    advance: (seconds: number) =>
      Effect.sync(() => {
        now += seconds * 1000
      })
  }
}

/** All that the session asks of the server within a year. Each read must be answered. */
const liveForAYear = (advance: (seconds: number) => Effect.Effect<void>) =>
  Effect.gen(function*() {
    const { take } = yield* TokenServer
    const seen: Array<Seen> = []
    for (let at = 0; at < year; at += step) {
      yield* request
      // A replacement runs in the background.
      yield* Effect.async<void>((resume) => void setImmediate(() => resume(Effect.void)))
      const before = yield* take
      if (before.length > 0) yield* settle
      seen.push(...before, ...yield* take)
      yield* advance(step)
    }
    return seen
  })

const count = (seen: ReadonlyArray<Seen>, route: Seen["route"]) => seen.filter((one) => one.route === route).length

/** How many times a token is replaced in a year that is replaced by the first read after two thirds of this time. */
const replacements = (seconds: number) => Math.floor((year - 1) / (Math.ceil(seconds * 2 / 3 / step) * step))

const days = 86_400

const of2026 = { renewal: "new JWT", isSelfContained: true, longestJwt: 90 * days } as const

const kinds: ReadonlyArray<{
  readonly name: string
  readonly rules: Rules
  readonly logins: readonly [least: number, most: number]
  readonly renewals: readonly [least: number, most: number]
}> = [
  {
    name: "whose tokens have no end logs in once",
    rules: { expiresIn: 0, accessTokenMaxTTL: 0, renewal: "same JWT" },
    logins: [1, 1],
    renewals: [0, 0]
  },
  {
    name: "whose tokens live for three days without a maximum logs in once, and renews",
    rules: { expiresIn: 3 * days, accessTokenMaxTTL: 0, renewal: "same JWT" },
    logins: [1, 1],
    renewals: [replacements(3 * days), replacements(3 * days)]
  },
  {
    name: "whose tokens live for three days and get a new JWT without a stated maximum logs in once, and renews",
    rules: { expiresIn: 3 * days, accessTokenMaxTTL: null, renewal: "new JWT" },
    logins: [1, 1],
    renewals: [replacements(3 * days), replacements(3 * days)]
  },
  {
    name: "whose tokens are periodic logs in once, and renews",
    rules: { expiresIn: 3 * days, accessTokenMaxTTL: 1_000_000_000, renewal: "new JWT" },
    logins: [1, 1],
    renewals: [replacements(3 * days), replacements(3 * days)]
  },
  {
    name: "whose tokens live for three days of thirty and keep their JWT logs in once per maximum, and renews between",
    rules: { expiresIn: 3 * days, accessTokenMaxTTL: 30 * days, renewal: "same JWT" },
    logins: [13, 14],
    renewals: [replacements(3 * days) - 16, replacements(3 * days) - 12]
  },
  {
    name: "whose tokens live for three days of thirty and get a new JWT logs in once per maximum, and renews between",
    rules: { expiresIn: 3 * days, accessTokenMaxTTL: 30 * days, renewal: "new JWT" },
    logins: [13, 14],
    renewals: [replacements(3 * days) - 16, replacements(3 * days) - 12]
  },
  {
    name: "whose tokens have no TTL, on a server that ends every JWT within 90 days, logs in once, and renews",
    rules: { expiresIn: 0, accessTokenMaxTTL: 0, renewal: "new JWT", longestJwt: 90 * days },
    logins: [1, 1],
    renewals: [replacements(90 * days), replacements(90 * days)]
  },
  {
    name: "whose tokens have no TTL but a maximum of 180 days, on such a server, logs in when no renewal fits",
    rules: { expiresIn: 0, accessTokenMaxTTL: 180 * days, renewal: "new JWT", longestJwt: 90 * days },
    logins: [4, 4],
    renewals: [3, 3]
  },
  {
    name: "whose tokens have no TTL but a maximum of 30 days, and keep their JWT, only logs in",
    rules: { expiresIn: 0, accessTokenMaxTTL: 30 * days, renewal: "same JWT" },
    logins: [replacements(30 * days) + 1, replacements(30 * days) + 1],
    renewals: [0, 0]
  },
  {
    name: "whose tokens have a period of 90 days, on such a server, logs in once, and renews",
    rules: { expiresIn: 90 * days, accessTokenMaxTTL: 1_000_000_000, renewal: "new JWT", longestJwt: 90 * days },
    logins: [1, 1],
    renewals: [replacements(90 * days), replacements(90 * days)]
  },
  {
    name: "whose tokens live as long as they may only logs in",
    rules: { expiresIn: 3 * days, accessTokenMaxTTL: 3 * days, renewal: "same JWT" },
    logins: [replacements(3 * days) + 1, replacements(3 * days) + 1],
    renewals: [0, 0]
  },
  {
    name: "whose tokens keep their JWT and have a maximum that is not stated takes it from the JWT",
    rules: { expiresIn: 3 * days, accessTokenMaxTTL: null, hiddenMaximum: 30 * days, renewal: "same JWT" },
    logins: [13, 14],
    renewals: [replacements(3 * days) - 16, replacements(3 * days) - 12]
  },
  {
    name: "of 2025 whose whole TTL does not fit twice only logs in: a renewal would delete the token",
    rules: { expiresIn: 20 * days, accessTokenMaxTTL: 30 * days, renewal: "new JWT" },
    logins: [replacements(20 * days) + 1, replacements(20 * days) + 1],
    renewals: [0, 0]
  },
  {
    name: "of 2026 whose whole TTL does not fit twice renews its tokens for what is left, once",
    rules: { ...of2026, expiresIn: 20 * days, accessTokenMaxTTL: 30 * days },
    logins: [15, 15],
    renewals: [14, 15]
  },
  {
    name: "of 2026 whose tokens live for three days of thirty logs in once per maximum, and renews between",
    rules: { ...of2026, expiresIn: 3 * days, accessTokenMaxTTL: 30 * days },
    logins: [12, 14],
    renewals: [replacements(3 * days) - 16, replacements(3 * days) + 14]
  },
  {
    name: "of 2026 whose tokens are periodic logs in once, and renews",
    rules: { ...of2026, expiresIn: 3 * days, accessTokenMaxTTL: 1_000_000_000 },
    logins: [1, 1],
    renewals: [replacements(3 * days), replacements(3 * days)]
  },
  {
    name: "of 2026 whose tokens have no TTL but a maximum of 180 days renews them up to the maximum",
    rules: { ...of2026, expiresIn: 0, accessTokenMaxTTL: 180 * days },
    logins: [3, 3],
    renewals: [4, 4]
  },
  {
    name: "whose tokens have no end, and a number of uses, logs in once they are used up",
    rules: { expiresIn: 0, accessTokenMaxTTL: 0, renewal: "same JWT", uses: 100 },
    logins: [15, 15],
    renewals: [0, 0]
  },
  {
    name: "whose tokens are renewed, and have a number of uses, logs in once they are used up",
    rules: { expiresIn: 3 * days, accessTokenMaxTTL: 0, renewal: "new JWT", uses: 100 },
    logins: [15, 15],
    renewals: [replacements(3 * days) - 15, replacements(3 * days)]
  }
]

describe("A machine identity in a year", () => {
  for (const { logins, name, renewals, rules } of kinds) {
    it.effect(name, () =>
      Effect.gen(function*() {
        const { advance, clock } = makeClock()
        const seen = yield* liveForAYear(advance).pipe(run(rules), Effect.withClock(clock))
        assert.deepStrictEqual(seen.filter(({ status }) => status !== 200), [])
        assert.isAtLeast(count(seen, "login"), logins[0])
        assert.isAtMost(count(seen, "login"), logins[1])
        assert.isAtLeast(count(seen, "renew"), renewals[0])
        assert.isAtMost(count(seen, "renew"), renewals[1])
      }))
  }
})
