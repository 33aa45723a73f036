import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { main } from "../src/two-projects.js"
import * as Emulated from "./support/emulated.js"

describe("The example of two projects", () => {
  it.scoped("reads each secret from its own project", () =>
    Effect.gen(function*() {
      const { databaseUrl, stripeKey } = yield* main
      assert.strictEqual(Redacted.value(stripeKey.value), "sk_test_1")
      assert.strictEqual(Redacted.value(databaseUrl.value), "postgres://shop:s3cr3t@localhost/shop")
    }).pipe(Emulated.withVariablesOf("two-projects"), Effect.provide(Emulated.layer)))
})
