import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { backoff, longestPause } from "../src/support/backoff.js"

describe("The pause before a retry", () => {
  it("doubles with each attempt, up to its maximum", () => {
    const pauses = [1, 2, 3, 4, 5].map((attempt) => backoff({ attempt, base: 200, max: 1000, jitter: 1 }))
    assert.deepStrictEqual(pauses, [200, 400, 800, 1000, 1000])
  })

  it("is multiplied by the jitter, and is a whole number of milliseconds", () => {
    assert.strictEqual(backoff({ attempt: 1, base: 100, max: 1000, jitter: 0.8049 }), 80)
    assert.strictEqual(backoff({ attempt: 9, base: 100, max: 1000, jitter: 1.2 }), 1200)
  })

  it.prop("is always one that a timer can wait", [
    FastCheck.nat(),
    FastCheck.oneof(FastCheck.nat(), FastCheck.constantFrom(0, Infinity)),
    FastCheck.oneof(FastCheck.nat(), FastCheck.constantFrom(0, Infinity)),
    FastCheck.double({ min: 0.1, max: 2, noNaN: true })
  ], ([attempt, base, max, jitter]) => {
    const pause = backoff({ attempt: attempt + 1, base, max, jitter })
    assert.isTrue(Number.isInteger(pause))
    assert.isAtLeast(pause, 0)
    assert.isAtMost(pause, longestPause)
  })
})
