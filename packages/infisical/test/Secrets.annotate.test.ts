/** Changes of what belongs to a secret, without its value, on every source. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { Secrets } from "effect-infisical"
import { clientLayer, kinds } from "./support/sources.js"

for (const kind of kinds) {
  describe(`Annotating a secret (${kind})`, () => {
    const world = {
      // Servers of July 2024 store no reminders of secrets that they encrypt.
      ...(kind === "v3" && { era: "2026" as const }),
      secrets: { A: "planted0 value ${B}", B: "b" }
    }

    it.effect("changes its comment and its reminder, and keeps its value as it is written", () =>
      Effect.gen(function*() {
        const secrets = yield* Secrets.Secrets
        yield* secrets.get("A")
        const annotated = yield* secrets.annotate("A", { comment: "new", reminder: { repeatDays: 7, note: "rotate" } })
        assert.notStrictEqual(Redacted.value(annotated.value), "")
        const read = yield* secrets.get("A")
        assert.strictEqual(Redacted.value(read.value), "planted0 value b")
        assert.strictEqual(read.comment, "new")
        const held = yield* secrets.get("A", { expandReferences: false })
        assert.strictEqual(Redacted.value(held.value), "planted0 value ${B}")
      }).pipe(Effect.provide(clientLayer(kind, world))))

    it.effect("without any annotation is refused before any request", () =>
      Effect.gen(function*() {
        const secrets = yield* Secrets.Secrets
        assert.include(yield* Effect.flip(secrets.annotate("A", {})), {
          _tag: "InvalidRequestError",
          parameter: "annotations"
        })
      }).pipe(Effect.provide(clientLayer(kind, world))))

    it.effect("that does not exist is not found", () =>
      Effect.gen(function*() {
        const secrets = yield* Secrets.Secrets
        assert.include(yield* Effect.flip(secrets.annotate("NOPE", { comment: "new" })), { _tag: "NotFoundError" })
      }).pipe(Effect.provide(clientLayer(kind, world))))
  })
}
