/** Typed secrets on a server that refuses lists of folders that do not exist. */
import { assert, describe, it } from "@effect/vitest"
import { Config, Effect, Layer, Option, Schema, SubscriptionRef, TestClock } from "effect"
import { Credential, Infisical, InfisicalConfigProvider, SecretManifest } from "effect-infisical"
import { Emulator } from "effect-infisical-emulator"
import { settle } from "./support/settle.js"

const Client = Layer.unwrapEffect(Effect.gen(function*() {
  const emulator = yield* Emulator.Emulator
  const { clientId, clientSecret } = yield* emulator.universalAuth()
  return Infisical.layer({
    credential: Credential.universalAuth({ clientId, clientSecret }),
    projectId: yield* emulator.projectId(),
    retry: { times: 0 },
    fallback: false
  })
})).pipe(
  Layer.provide(Emulator.layerHttpClient),
  Layer.provideMerge(Emulator.layer({ secrets: { NAME: "name", HOSTS: "a,b" }, identities: { main: {} } }))
)

describe("With a server of 2026", () => {
  it.effect("makes no request for a warm list, if nesting is name", () =>
    Effect.gen(function*() {
      const emulator = yield* Emulator.Emulator
      const hosts = Config.array(Config.string(), "HOSTS")
      assert.deepStrictEqual(yield* hosts, ["a", "b"])
      yield* emulator.resetRequests
      for (let count = 0; count < 3; count++) {
        yield* TestClock.adjust("15 seconds")
        yield* hosts
      }
      assert.deepStrictEqual((yield* emulator.requests).map(({ path }) => path), [])
    }).pipe(Effect.provide(InfisicalConfigProvider.layer().pipe(Layer.provideMerge(Client)))))

  // "Its locations are kept up to date while it runs": a user expects an optional secret to appear once it is created.
  it.effect("notices an optional secret that is created in a folder that was not there", () =>
    Effect.gen(function*() {
      const emulator = yield* Emulator.Emulator
      const ref = yield* SecretManifest.subscribe({
        name: SecretManifest.secret("NAME"),
        dsn: SecretManifest.optional(SecretManifest.secret("DSN", Schema.NonEmptyString, { secretPath: "/other" }))
      })
      yield* settle
      yield* emulator.setSecret({ name: "DSN", value: "dsn", environment: "dev", secretPath: "/other" })
      for (let minutes = 0; minutes < 20; minutes++) {
        yield* TestClock.adjust("1 minute")
        yield* settle
      }
      const seen = (yield* SubscriptionRef.get(ref)).dsn
      const now = yield* SecretManifest.load({
        dsn: SecretManifest.secret("DSN", Schema.NonEmptyString, { secretPath: "/other" })
      })
      assert.strictEqual(String(now.dsn), "<redacted>")
      assert.isTrue(Option.isSome(seen), "it can be read, but was not noticed")
    }).pipe(Effect.scoped, Effect.provide(Client)))

  // A user expects a wrong environment to be a mistake, not a reason to use the default.
  it.effect("does not take a missing environment for a missing secret", () =>
    Effect.gen(function*() {
      const exit = yield* Effect.either(SecretManifest.load({
        size: SecretManifest.withDefault(SecretManifest.plain("SIZE", Schema.String, { environment: "prdo" }), "10")
      }))
      assert.strictEqual(exit._tag, "Left", JSON.stringify(exit))
    }).pipe(Effect.provide(Client)))
})
