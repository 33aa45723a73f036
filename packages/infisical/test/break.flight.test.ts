/** Callers that leave at odd moments. */
import { assert, describe, it } from "@effect/vitest"
import { type Duration, Effect, Exit, Fiber, Redacted, Scope, TestClock } from "effect"
import { Secrets } from "effect-infisical"
import { value } from "./Simulation.js"
import { client, fetched } from "./support/breaking.js"
import * as ManualSource from "./support/ManualSource.js"
import { row } from "./support/snapshots.js"

const { settle } = ManualSource

const advance = (duration: Duration.DurationInput) => Effect.zipRight(TestClock.adjust(duration), settle)

const start = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.tap(Effect.fork(effect), () => settle)

describe("A read after the only caller of a fetch left", () => {
  // A request that takes a second to be interrupted, as one does whose socket has to be closed.
  const slowToInterrupt = (log: Array<string>) => {
    let calls = 0
    let now = 0
    return () =>
      Effect.suspend(() => {
        const call = ++calls
        now++
        log.push(`${call} begins, ${now} under way`)
        return Effect.sleep("5 seconds").pipe(
          Effect.as({ A: `${call}` }),
          Effect.onInterrupt(() => Effect.sleep("1 second")),
          Effect.ensuring(Effect.sync(() => {
            now--
          }))
        )
      })
  }

  it.effect("has one request with all readers that come while it is under way", () => {
    const log: Array<string> = []
    return Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      const first = yield* start(secrets.get("A"))
      yield* start(Fiber.interrupt(first))
      const second = yield* start(secrets.get("A"))
      // The interruption of the first fetch has ended, the second fetch is under way.
      yield* advance("2 seconds")
      const third = yield* start(secrets.get("A"))
      yield* advance("10 seconds")
      assert.strictEqual(value(yield* Fiber.join(second)), value(yield* Fiber.join(third)))
      // What was fetched for the two is served to the next.
      const fourth = yield* start(secrets.get("A"))
      yield* advance("10 seconds")
      yield* Fiber.join(fourth)
      assert.lengthOf(log, 2, log.join("; "))
    }).pipe(Effect.provide(client(slowToInterrupt(log), { refresh: false })))
  })

  it.effect("is one that a timeout has retried at once: no other reader asks again", () => {
    let calls = 0
    return Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      const impatient = yield* start(
        secrets.get("A").pipe(Effect.timeout("1 second"), Effect.retry({ times: 1 }), Effect.exit)
      )
      yield* advance("1 second")
      assert.strictEqual(calls, 2)
      const other = yield* start(secrets.get("A"))
      yield* advance("500 millis")
      yield* Fiber.join(impatient)
      yield* Fiber.join(other)
      yield* secrets.get("A")
      assert.strictEqual(calls, 2)
    }).pipe(Effect.provide(client(() =>
      Effect.suspend(() => {
        calls++
        return calls === 1 ? Effect.never : Effect.as(Effect.sleep("500 millis"), { A: "a" })
      }), { refresh: false })))
  })

  it.effect("keeps what it fetched", () => {
    const log: Array<string> = []
    return Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      const first = yield* start(secrets.get("A"))
      yield* start(Fiber.interrupt(first))
      const second = yield* start(secrets.get("A"))
      yield* advance("10 seconds")
      yield* Fiber.join(second)
      const third = yield* start(secrets.get("A"))
      yield* advance("10 seconds")
      yield* Fiber.join(third)
      assert.lengthOf(log, 2, log.join("; "))
    }).pipe(Effect.provide(client(slowToInterrupt(log), { refresh: false })))
  })

  it.effect("does not lose a write of ours that ended while it was under way", () => {
    let calls = 0
    return Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      const first = yield* start(secrets.get("A"))
      yield* start(Fiber.interrupt(first))
      const second = yield* start(secrets.get("A"))
      yield* advance("2 seconds")
      yield* secrets.delete("A")
      yield* advance("10 seconds")
      yield* Fiber.await(second)
      // The server is gone now, so that the last snapshot is served. It must not have what we deleted.
      const third = yield* start(Effect.either(secrets.get("A")))
      yield* advance("10 seconds")
      const result = yield* Fiber.join(third)
      assert.strictEqual(result._tag, "Left", result._tag === "Right" ? result.right.source : "")
    }).pipe(Effect.provide(client(
      () =>
        Effect.suspend(() => {
          calls++
          if (calls > 2) return Effect.fail(ManualSource.unreachable)
          return Effect.sleep("5 seconds").pipe(
            Effect.as({ A: "deleted since" }),
            Effect.onInterrupt(() => Effect.sleep("1 second"))
          )
        }),
      { refresh: false },
      { source: { delete: () => Effect.void } }
    )))
  })
})

describe("Interruption of a reader at every step", () => {
  it.effect("leaves nothing behind that keeps others from reading, or that is never evicted", () =>
    Effect.gen(function*() {
      const stuck: Array<string> = []
      for (let ops = 12; ops < 60; ops += 5) {
        for (let steps = 1; steps < 40; steps++) {
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
    }), 60_000)
})

describe("A write of a secret whose value we may not see", () => {
  it.effect("has values that refer to it fetched again, which the server expands", () => {
    let text = "old"
    return Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      assert.strictEqual(value(yield* secrets.get("B")), "see old")
      yield* secrets.update("A", Redacted.make("new"))
      assert.strictEqual(value(yield* secrets.get("B")), "see new")
    }).pipe(Effect.provide(client(
      () =>
        Effect.sync(() => {
          const { content, ...rest } = fetched({ B: `see ${text}` })
          return { ...rest, content: { ...content, own: [...content.own, { ...row("A", ""), payload: hidden }] } }
        }),
      { refresh: false },
      {
        source: {
          expandsReferences: true,
          update: (target) =>
            Effect.sync(() => {
              text = "new"
              return row(target.name, "new", 2)
            })
        }
      }
    )))
  })
})

const hidden = { _tag: "Hidden" } as const
