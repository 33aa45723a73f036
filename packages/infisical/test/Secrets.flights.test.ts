/** Callers that leave while a fetch is under way. */
import { assert, describe, it } from "@effect/vitest"
import { type Duration, Effect, Exit, Fiber, Scope, TestClock } from "effect"
import { Secrets } from "effect-infisical"
import { value } from "./Simulation.js"
import { client } from "./support/client.js"
import * as ManualSource from "./support/ManualSource.js"

const { settle } = ManualSource

const advance = (duration: Duration.DurationInput) => Effect.zipRight(TestClock.adjust(duration), settle)

const start = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.tap(Effect.fork(effect), () => settle)

describe("A fetch whose only caller left", () => {
  const slow = (log: Array<string>) => () =>
    Effect.suspend(() => {
      log.push("begins")
      return Effect.onInterrupt(
        Effect.as(Effect.sleep("5 seconds"), { A: "a" }),
        () => Effect.sync(() => log.push("is interrupted"))
      )
    })

  it.effect("goes on, and is the only request for all that come while it is under way or later", () => {
    const log: Array<string> = []
    return Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      const first = yield* start(secrets.get("A"))
      yield* start(Fiber.interrupt(first))
      const second = yield* start(secrets.get("A"))
      yield* advance("2 seconds")
      const third = yield* start(secrets.get("A"))
      yield* advance("10 seconds")
      for (const reader of [second, third]) assert.strictEqual(value(yield* Fiber.join(reader)), "a")
      assert.strictEqual(value(yield* secrets.get("A")), "a")
      assert.deepStrictEqual(log, ["begins"])
    }).pipe(Effect.provide(client(slow(log), { refresh: false })))
  })

  it.effect("answers the caller that timed out and retries", () => {
    const log: Array<string> = []
    return Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      const impatient = yield* start(
        secrets.get("A").pipe(Effect.timeout("3 seconds"), Effect.retry({ times: 1 }))
      )
      yield* advance("6 seconds")
      assert.strictEqual(value(yield* Fiber.join(impatient)), "a")
      assert.deepStrictEqual(log, ["begins"])
    }).pipe(Effect.provide(client(slow(log), { refresh: false })))
  })

  it.effect("ends by itself at the deadline, and the next caller begins another one", () => {
    let requests = 0
    return Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      const first = yield* start(secrets.get("A"))
      yield* start(Fiber.interrupt(first))
      yield* advance("40 seconds")
      assert.strictEqual(value(yield* secrets.get("A")), "a")
      assert.strictEqual(requests, 2)
    }).pipe(Effect.provide(client(
      () => Effect.suspend(() => ++requests === 1 ? Effect.never : Effect.succeed({ A: "a" })),
      { refresh: false }
    )))
  })

  it.effect("does not lose a write that ended while it was under way", () => {
    let requests = 0
    return Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      const first = yield* start(secrets.get("A"))
      yield* start(Fiber.interrupt(first))
      const second = yield* start(secrets.get("A"))
      yield* advance("2 seconds")
      yield* secrets.delete("A")
      yield* advance("10 seconds")
      yield* Fiber.await(second)
      // The server is gone now, so that the last snapshot is served. It does not have what was deleted.
      const third = yield* start(Effect.flip(secrets.get("A")))
      yield* advance("10 seconds")
      assert.strictEqual((yield* Fiber.join(third))._tag, "NetworkError")
    }).pipe(Effect.provide(client(
      () =>
        Effect.suspend(() =>
          ++requests > 1
            ? Effect.fail(ManualSource.unreachable)
            : Effect.as(Effect.sleep("5 seconds"), { A: "deleted since" })
        ),
      { refresh: false },
      { source: { delete: () => Effect.void } }
    )))
  })
})

describe("Interruption of a reader at every step", () => {
  it.effect(
    "leaves nothing behind that keeps others from reading, or that is never evicted",
    () =>
      Effect.gen(function*() {
        const stuck: Array<string> = []
        for (let ops = 12; ops < 60; ops += 15) {
          for (let steps = 1; steps < 40; steps += 2) {
            const scope = yield* Scope.make()
            const { calls, secrets } = yield* Scope.extend(ManualSource.make({ cacheCapacity: 1 }), scope)
            const reader = yield* Effect.fork(
              Effect.withMaxOpsBeforeYield(secrets.list({ environment: "prod" }), ops)
            )
            yield* Effect.repeatN(Effect.yieldNow(), steps)
            yield* Fiber.interruptFork(reader)
            yield* Effect.repeatN(Effect.yieldNow(), 60)
            yield* Effect.forEach(calls, (call) => call.end(Exit.succeed({ A: "a" })))
            const before = calls.length
            // The next reader gets an answer.
            const next = yield* start(secrets.list({ environment: "prod" }))
            yield* Effect.forEach(calls.slice(before), (call) => call.end(Exit.succeed({ A: "a" })))
            yield* settle
            if (next.unsafePoll() === null) stuck.push(`${ops} ${steps}: the next reader waits`)
            // What was fetched is kept.
            const kept = calls.length
            const again = yield* start(secrets.list({ environment: "prod" }))
            if (calls.length > kept) stuck.push(`${ops} ${steps}: asked again`)
            yield* Fiber.interruptFork(again)
            yield* Scope.close(scope, Exit.void)
          }
        }
        assert.deepStrictEqual(stuck, [])
      }),
    60_000
  )
})
