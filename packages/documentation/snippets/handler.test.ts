// #region all
import { assert, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { Secrets } from "effect-infisical"

const greeting = Effect.flatMap(Secrets.Secrets, (secrets) => secrets.get("NAME")).pipe(
  Effect.map((name) => `Hello, ${Redacted.value(name.value)}`),
  Effect.catchTag("NotFoundError", () => Effect.succeed("Hello, stranger"))
)

it.effect("greets by name", () =>
  Effect.gen(function*() {
    assert.strictEqual(yield* greeting, "Hello, Ada")
  }).pipe(Effect.provide(Secrets.layerTest({ NAME: "Ada" }))))

it.effect("greets a stranger", () =>
  Effect.gen(function*() {
    assert.strictEqual(yield* greeting, "Hello, stranger")
  }).pipe(Effect.provide(Secrets.layerTest({}))))
// #endregion all
