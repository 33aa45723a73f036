/** What may not stop the background refresh while a server answers. */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Duration, Effect, Fiber, FiberId, Option, Schedule, Stream, TestClock } from "effect"
import { type InfisicalError, Secrets } from "effect-infisical"
import { value } from "./Simulation.js"
import { client, fetched, unreachable } from "./support/client.js"
import { settle } from "./support/ManualSource.js"

const advance = (duration: Duration.DurationInput) => Effect.zipRight(TestClock.adjust(duration), settle)

describe("The refresher", () => {
  it.effect("asks again within a minute or two after an outage, though the clock was set back during the fetch", () => {
    const broken = Deferred.unsafeMake<never, InfisicalError.NetworkError>(FiberId.none)
    let isDown = false
    let requests = 0
    return Effect.gen(function*() {
      yield* TestClock.setTime(30 * 24 * 3600 * 1000)
      const secrets = yield* Secrets.Secrets
      assert.strictEqual(value(yield* secrets.get("A")), "old")
      isDown = true
      // The refresh is due in between, and under way when the clock is set back by a day.
      yield* advance("4 minutes")
      assert.strictEqual(requests, 2)
      const now = yield* Effect.clockWith((clock) => clock.currentTimeMillis)
      yield* TestClock.setTime(now - 24 * 3600 * 1000)
      yield* Deferred.fail(broken, unreachable)
      yield* settle
      isDown = false
      // Ten minutes with a server that answers, read every ten seconds.
      let last = yield* secrets.get("A")
      for (let i = 0; i < 60; i++) {
        yield* advance("10 seconds")
        last = yield* secrets.get("A")
      }
      assert.deepStrictEqual([last.source, value(last), requests > 2], ["live", "new", true])
    }).pipe(Effect.provide(client(() =>
      Effect.suspend(() => {
        requests++
        return isDown ? Deferred.await(broken) : Effect.succeed({ A: requests === 1 ? "old" : "new" })
      }), { retry: { deadline: "10 minutes" } })))
  })

  it.effect("keeps watched locations up to date after the clock was set back by a month during a fetch", () => {
    let text = "old"
    let slow = false
    return Effect.gen(function*() {
      yield* TestClock.setTime(365 * 24 * 3600 * 1000)
      const secrets = yield* Secrets.Secrets
      const seen: Array<string> = []
      yield* Effect.fork(Stream.runForEach(secrets.watch("A"), (secret) => Effect.sync(() => seen.push(value(secret)))))
      yield* settle
      slow = true
      yield* advance("4 minutes")
      const now = yield* Effect.clockWith((clock) => clock.currentTimeMillis)
      yield* TestClock.setTime(now - 31 * 24 * 3600 * 1000)
      slow = false
      yield* settle
      yield* advance("10 seconds")
      text = "new"
      yield* advance("1 hour")
      assert.deepStrictEqual(seen, ["old", "new"])
    }).pipe(Effect.provide(client(() =>
      Effect.zipRight(
        Effect.iterate(0, { while: () => slow, body: () => Effect.yieldNow().pipe(Effect.as(0)) }).pipe(Effect.asVoid),
        Effect.sync(() => ({ A: text }))
      )
    )))
  })

  it.effect("does not serve stale answers for long after an outage of a second, because of a rate limit before it", () => {
    let isDown = false
    let requests = 0
    return Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      assert.strictEqual(value(yield* secrets.get("A")), "old")
      // Stale by then; the refresher is due, and waits for the end of the rate limit.
      yield* advance("301 seconds")
      isDown = true
      assert.strictEqual((yield* secrets.get("A")).source, "stale")
      isDown = false
      // The server was gone for a moment. The longest pause between two attempts is a minute and a bit.
      yield* advance("3 minutes")
      const later = yield* secrets.get("A")
      assert.deepStrictEqual([later.source, value(later), requests], ["live", "new", 3])
    }).pipe(Effect.provide(client(() =>
      Effect.suspend(() => {
        requests++
        return isDown ? Effect.fail(unreachable) : Effect.succeed(
          fetched(
            { A: requests === 1 ? "old" : "new" },
            requests === 1
              ? Option.some({ limit: 100, remaining: 5, resetAfter: Duration.minutes(15) })
              : Option.none()
          )
        )
      })
    )))
  })

  it.effect("keeps a watched location up to date, whatever refresh is: a schedule that ends", () => {
    let text = "old"
    return Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      const seen: Array<string> = []
      yield* Effect.fork(Stream.runForEach(secrets.watch("A"), (secret) => Effect.sync(() => seen.push(value(secret)))))
      yield* advance("10 minutes")
      text = "new"
      yield* advance("1 day")
      assert.deepStrictEqual(seen, ["old", "new"])
    }).pipe(Effect.provide(client(() => Effect.sync(() => ({ A: text })), {
      refresh: Schedule.intersect(Schedule.spaced("1 minute"), Schedule.recurs(3))
    })))
  })

  it.effect("fetches before an answer goes stale, though watchers come and go", () => {
    let requests = 0
    return Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      yield* secrets.get("A")
      let waited = 0
      for (let minute = 0; minute < 60; minute++) {
        const before = requests
        const reader = yield* Effect.fork(Stream.runDrain(Stream.take(secrets.watch("A"), 1)))
        yield* settle
        yield* Fiber.join(reader)
        if (requests > before) waited++
        yield* advance("1 minute")
      }
      assert.strictEqual(waited, 0, `${waited} reads had to wait for the server`)
    }).pipe(Effect.provide(client(() => Effect.sync(() => ({ A: `${requests++ && "a"}` })))))
  })
})
