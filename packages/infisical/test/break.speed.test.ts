/** What a fetch costs where the cache holds many locations: `cacheCapacity` may be 1,000,000. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Secrets } from "effect-infisical"
import { client } from "./support/breaking.js"

const costAt = (capacity: number) =>
  Effect.gen(function*() {
    const secrets = yield* Secrets.Secrets
    for (let i = 0; i < capacity; i++) yield* secrets.list({ secretPath: `/f${i}` })
    const begun = performance.now()
    for (let i = 0; i < 50; i++) yield* secrets.list({ secretPath: `/g${i}` })
    return (performance.now() - begun) / 50
  }).pipe(Effect.provide(client(() => Effect.succeed({ A: "a" }), { cacheCapacity: capacity, refresh: false })))

describe("A cold read", () => {
  it.live("costs no more with a full cache of 3,000 locations than ten times what it costs with 100", () =>
    Effect.gen(function*() {
      yield* costAt(100)
      const small = yield* costAt(100)
      const large = yield* costAt(3000)
      assert.isBelow(large / small, 10, `${small} ms with 100, ${large} ms with 3,000`)
    }), 100_000)
})
