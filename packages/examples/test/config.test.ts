import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { Emulator } from "effect-infisical-emulator"
import { main } from "../src/config.js"
import * as Emulated from "./support/emulated.js"

describe("The example of Config", () => {
  it.scoped("reads all its values with one request, and a default for the missing one", () =>
    Effect.gen(function*() {
      const { requestCounts } = yield* Emulator.Emulator
      const { password, ...others } = yield* main
      assert.deepStrictEqual(others, { host: "localhost", user: "app" })
      assert.strictEqual(Redacted.value(password), "s3cr3t")
      assert.deepStrictEqual(yield* requestCounts, {
        "POST /api/v1/auth/universal-auth/login": 1,
        "GET /api/v4/secrets": 1
      })
    }).pipe(Emulated.withVariablesOf("config"), Effect.provide(Emulated.layer)))
})
