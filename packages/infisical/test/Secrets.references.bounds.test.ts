/** What the references of one list may cost. */
import { assert, describe, it } from "@effect/vitest"
import { type Duration, Effect, Stream, TestClock } from "effect"
import { Secrets } from "effect-infisical"
import { value } from "./Simulation.js"
import { client } from "./support/client.js"
import { withLongestTurn } from "./support/cpuTime.js"
import { settle } from "./support/ManualSource.js"

const advance = (duration: Duration.DurationInput) => Effect.zipRight(TestClock.adjust(duration), settle)

describe("References", () => {
  it.effect("that a watched value has no more are not kept up to date for ever", () => {
    let target = 0
    const asked = new Map<string, number>()
    return Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      yield* Effect.fork(Stream.runDrain(secrets.watch("A")))
      yield* settle
      for (target = 1; target <= 20; target++) yield* advance("4 minutes")
      yield* advance("90 minutes")
      asked.clear()
      yield* advance("5 minutes")
      const old = [...asked.keys()].filter((path) => path !== "/" && path !== `/folder${target}`)
      assert.isAtMost(old.length, 4, `${old.length} folders that nothing refers to are still refreshed`)
    }).pipe(
      Effect.provide(client(({ secretPath }) =>
        Effect.sync(() => {
          asked.set(secretPath, (asked.get(secretPath) ?? 0) + 1)
          return secretPath === "/" ? { A: `\${dev.folder${target}.B}` } : { B: "b" }
        }), { cacheCapacity: 4 }))
    )
  })

  it.effect("in one list do not become as many requests at the same time", () => {
    let now = 0
    let most = 0
    return Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      const fiber = yield* Effect.fork(secrets.list())
      yield* settle
      yield* advance("1 minute")
      yield* fiber
      assert.isAtMost(most, 64, `${most} requests at the same time`)
    }).pipe(Effect.provide(client(({ secretPath }) =>
      Effect.gen(function*() {
        if (secretPath === "/") {
          return Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`A${i}`, `\${dev.folder${i}.B}`]))
        }
        most = Math.max(most, ++now)
        yield* Effect.sleep("1 second")
        now--
        return { B: "b" }
      })
    )))
  })

  it.effect("to more folders than the cache holds do not make each warm list fetch them again", () => {
    let requests = 0
    return Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      const first = yield* secrets.list()
      assert.lengthOf(first.secrets, 200)
      requests = 0
      yield* secrets.list()
      assert.strictEqual(requests, 0)
    }).pipe(Effect.provide(client(({ secretPath }) =>
      Effect.sync(() => {
        requests++
        return secretPath === "/"
          ? Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`A${i}`, `\${dev.folder${i}.B}`]))
          : { B: "b" }
      })
    )))
  })

  it.live("that one list has in a quarter of a megabyte do not block the event loop", () =>
    Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      const [{ secrets: all }, longest] = yield* withLongestTurn(secrets.list())
      assert.lengthOf(all, 301)
      assert.isBelow(longest, 200, `blocked for ${longest} ms`)
    }).pipe(Effect.provide(client(() =>
      Effect.sync(() => ({
        HUB: Array.from({ length: 10_000 }, () => "${B}").join(" "),
        ...Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`A${i}`, "${HUB}"]))
      }))
    ))))

  it.live("multiply no more in a list than in a value: a megabyte for each secret", () =>
    Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      const { secrets: all } = yield* secrets.list()
      const characters = all.reduce((sum, secret) => sum + value(secret).length, 0)
      assert.isBelow(characters, 64 * 1024 * 1024, `${characters} characters from ${200 * 20 + 65536}`)
    }).pipe(Effect.provide(client(() =>
      Effect.sync(() => ({
        BIG: "x".repeat(65536),
        ...Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`A${i}`, "${BIG}".repeat(15)]))
      }))
    ))))
})
