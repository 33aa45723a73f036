/** What `Secrets` does with the emulator, and what it refuses before any request. `Live.test` runs the same on a live server. */
import { assert, describe, it, layer } from "@effect/vitest"
import { Effect, Layer, Option, Redacted } from "effect"
import { Credential, Secrets } from "effect-infisical"
import { behaviours } from "./support/behaviours.js"
import { eras, hasNewestRoutes } from "./support/eras.js"
import * as TestServer from "./TestServer.js"

/** Every source on every era that has its routes. */
const servers = eras.flatMap((era) =>
  (["end-to-end-encrypted", "v3", "v4"] as const)
    .filter((source) => source !== "v4" || hasNewestRoutes(era))
    .map((source) => ({ era, source }))
)

describe("Secrets", () => {
  for (const { era, source } of servers) {
    layer(Layer.provideMerge(TestServer.client({ fallback: false }), TestServer.emulated({ era, source })), {
      excludeTestServices: true,
      timeout: "1 minute"
    })(`on a server of ${era}, ${source}`, (it) => {
      behaviours(it, { cannotWrite: Option.none(), isEndToEndEncrypted: source === "end-to-end-encrypted" })
    })
  }

  for (
    const [kind, name] of Object.entries({
      "empty": "",
      "blank": "  ",
      "padded with spaces": " NAME ",
      "of 101 characters": "L".repeat(101),
      "with half a surrogate pair": "A\ud800B"
    })
  ) {
    it.effect(`refuses a name that is ${kind}, before any request`, () =>
      Effect.gen(function*() {
        const secrets = yield* Secrets.Secrets
        for (
          const call of [
            secrets.get(name),
            secrets.create(name, Redacted.make("value")),
            secrets.update(name, Redacted.make("value")),
            secrets.delete(name)
          ]
        ) {
          assert.include(yield* Effect.flip(call), { _tag: "InvalidRequestError", parameter: "secretName" })
        }
      }).pipe(Effect.provide(TestServer.unreachable)))
  }

  for (const name of [".", "..", "raw", "batch", "move"]) {
    it.effect(`refuses to write the name "${name}", which no URL or route can carry, before any request`, () =>
      Effect.gen(function*() {
        const secrets = yield* Secrets.Secrets
        for (
          const call of [
            secrets.create(name, Redacted.make("value")),
            secrets.update(name, Redacted.make("value")),
            secrets.delete(name)
          ]
        ) {
          assert.include(yield* Effect.flip(call), { _tag: "InvalidRequestError", parameter: "secretName" })
        }
      }).pipe(Effect.provide(TestServer.unreachable)))
  }

  for (const secretPath of ["foo", "", "/foo//bar", "/foo/../bar", "/*", "/a b", "./foo"]) {
    it.effect(`refuses the path "${secretPath}" before any request, and says how a path begins`, () =>
      Effect.gen(function*() {
        const secrets = yield* Secrets.Secrets
        for (
          const error of [
            yield* Effect.flip(secrets.get("NAME", { secretPath })),
            yield* Effect.flip(secrets.list({ secretPath })),
            yield* Effect.flip(secrets.create("NAME", Redacted.make("value"), { secretPath }))
          ]
        ) {
          assert.include(error, { _tag: "InvalidRequestError", parameter: "secretPath" })
        }
      }).pipe(Effect.provide(TestServer.unreachable)))
  }

  it.effect("refuses a value that UTF-8 would change, before any request", () =>
    Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      const error = yield* Effect.flip(secrets.create("NAME", Redacted.make("half \ud83d a pair")))
      assert.include(error, { _tag: "InvalidRequestError", parameter: "value" })
    }).pipe(Effect.provide(TestServer.unreachable)))

  it.effect("is not built with a malformed token", () =>
    Effect.gen(function*() {
      const credential = Credential.serviceToken(Redacted.make("st.id"))
      const error = yield* Effect.flip(Layer.build(TestServer.clientOf("http://127.0.0.1:65535", { credential })))
      assert.include(error, { _tag: "InvalidCredentialError" })
    }).pipe(Effect.scoped))
})
