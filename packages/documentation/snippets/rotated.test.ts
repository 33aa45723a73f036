// #region all
import { assert, it } from "@effect/vitest"
import { Effect, Redacted, TestClock } from "effect"
import { MemorySource, Secrets } from "effect-infisical"

it.effect("reads a rotated value, and keeps it through an outage", () =>
  Effect.gen(function*() {
    const secrets = yield* Secrets.Secrets
    const server = yield* MemorySource.MemorySource
    yield* secrets.get("PASSWORD")
    yield* server.set("PASSWORD", "rotated")
    yield* secrets.refresh()
    yield* server.failWith(MemorySource.unreachable)
    yield* TestClock.adjust("10 minutes")

    const password = yield* secrets.get("PASSWORD")
    assert.strictEqual(Redacted.value(password.value), "rotated")
    assert.strictEqual(password.source, "stale")
  }).pipe(Effect.provide(Secrets.layerTest({ PASSWORD: "first" }))))
// #endregion all
