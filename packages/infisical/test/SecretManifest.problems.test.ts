/** What may be wrong with the secrets of a manifest, at the start and later. */
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Exit, Layer, Option, Redacted, Schema, SubscriptionRef, TestClock } from "effect"
import { InfisicalError, MemorySource, SecretManifest, Secrets } from "effect-infisical"
import { settle } from "./support/settle.js"

const inMemory = (secrets: Record<string, string>, options?: Parameters<typeof Secrets.layerTest>[1]) =>
  Effect.provide(Layer.orDie(Secrets.layerTest(secrets, options)))

const planted = "planted0"

/** Lets minutes pass, and all that is due in each of them come to its end. */
const passing = (minutes: number) =>
  Effect.replicateEffect(Effect.zipRight(TestClock.adjust("1 minute"), settle), minutes, { discard: true })

describe("A manifest", () => {
  // A user expects no part of a secret in the report. A key of its JSON is a part of it.
  it.effect("does not quote a key of a secret that is JSON", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(SecretManifest.load({
        tenants: SecretManifest.secret(
          "TENANTS",
          Schema.parseJson(Schema.Record({ key: Schema.String, value: Schema.Number }))
        )
      }))
      assert.notInclude(error.message, planted)
    }).pipe(inMemory({ TENANTS: JSON.stringify({ [planted]: "x" }) })))

  // A user expects a value that the schema cannot decode to be in the report, not a defect that quotes it.
  it.effect("reports a value on which a schema throws", () =>
    Effect.gen(function*() {
      const Big = Schema.transform(Schema.String, Schema.BigIntFromSelf, {
        decode: (text) => BigInt(text),
        encode: String
      })
      const exit = yield* Effect.exit(SecretManifest.load({ big: SecretManifest.secret("BIG", Big) }))
      assert.notInclude(String(Exit.isFailure(exit) ? exit.cause : ""), planted)
      assert.isTrue(Exit.isFailure(exit) && exit.cause._tag === "Fail")
    }).pipe(inMemory({ BIG: planted })))

  // A user expects the record to follow later values after one on which the schema throws.
  it.effect("is still watched after a value on which a schema threw", () =>
    Effect.gen(function*() {
      const server = yield* MemorySource.MemorySource
      const secrets = yield* Secrets.Secrets
      const Big = Schema.transform(Schema.String, Schema.BigIntFromSelf, {
        decode: (text) => BigInt(text),
        encode: String
      })
      const ref = yield* SecretManifest.subscribe({ big: SecretManifest.plain("BIG", Big) })
      yield* settle
      for (const text of ["two", "3"]) {
        yield* server.set("BIG", text)
        yield* secrets.refresh()
        yield* settle
      }
      assert.strictEqual((yield* SubscriptionRef.get(ref)).big, 3n)
    }).pipe(Effect.scoped, inMemory({ BIG: "1" })))

  // "Its locations are kept up to date while it runs": a user expects an optional secret to appear once it is created.
  it.effect("notices an optional secret that is created hours later in a folder of its own", () =>
    Effect.gen(function*() {
      const server = yield* MemorySource.MemorySource
      const ref = yield* SecretManifest.subscribe({
        name: SecretManifest.secret("NAME"),
        dsn: SecretManifest.optional(SecretManifest.secret("DSN", Schema.NonEmptyString, { secretPath: "/other" }))
      })
      yield* settle
      yield* TestClock.adjust("3 hours")
      yield* settle
      yield* server.set("DSN", "dsn", { secretPath: "/other" })
      yield* passing(30)
      assert.isTrue(Option.isSome((yield* SubscriptionRef.get(ref)).dsn))
    }).pipe(Effect.scoped, inMemory({ NAME: "name" })))

  it.effect("notices an optional secret that is created soon, in a folder of its own", () =>
    Effect.gen(function*() {
      const server = yield* MemorySource.MemorySource
      const ref = yield* SecretManifest.subscribe({
        name: SecretManifest.secret("NAME"),
        dsn: SecretManifest.optional(SecretManifest.secret("DSN", Schema.NonEmptyString, { secretPath: "/other" }))
      })
      yield* settle
      yield* server.set("DSN", "dsn", { secretPath: "/other" })
      yield* passing(30)
      assert.isTrue(Option.isSome((yield* SubscriptionRef.get(ref)).dsn))
    }).pipe(Effect.scoped, inMemory({ NAME: "name" })))

  it.effect("starts from the fallback in an outage, and takes the server's values afterwards", () =>
    Effect.gen(function*() {
      const server = yield* MemorySource.MemorySource
      yield* server.failWith(MemorySource.unreachable)
      const ref = yield* SecretManifest.subscribe({ name: SecretManifest.plain("NAME") })
      assert.strictEqual((yield* SubscriptionRef.get(ref)).name, "from the environment")
      yield* settle
      yield* server.recover
      yield* passing(10)
      assert.strictEqual((yield* SubscriptionRef.get(ref)).name, "name")
    }).pipe(
      Effect.scoped,
      inMemory({ NAME: "name" }, { fallback: true }),
      Effect.withConfigProvider(ConfigProvider.fromMap(new Map([["NAME", "from the environment"]])))
    ))

  it.effect("stops watching when its scope is closed", () =>
    Effect.gen(function*() {
      const server = yield* MemorySource.MemorySource
      const secrets = yield* Secrets.Secrets
      const ref = yield* Effect.scoped(
        Effect.zipLeft(SecretManifest.subscribe({ name: SecretManifest.plain("NAME") }), settle)
      )
      yield* server.set("NAME", "later")
      yield* secrets.refresh()
      yield* settle
      assert.strictEqual((yield* SubscriptionRef.get(ref)).name, "name")
    }).pipe(inMemory({ NAME: "name" })))

  // `refresh: false` does not matter to `Secrets.watch`; a user expects the same of a manifest's optional secret.
  it.effect("notices an optional secret that is created later, with refresh off", () =>
    Effect.gen(function*() {
      const server = yield* MemorySource.MemorySource
      const ref = yield* SecretManifest.subscribe({
        dsn: SecretManifest.optional(SecretManifest.secret("DSN"))
      })
      yield* settle
      yield* server.set("DSN", "dsn")
      yield* passing(30)
      assert.isTrue(Option.isSome((yield* SubscriptionRef.get(ref)).dsn))
    }).pipe(Effect.scoped, inMemory({}, { refresh: false })))

  // A user expects an environment or a project that does not exist to be a mistake, not a reason to use the default.
  it.effect("does not take a missing environment for a missing secret", () =>
    Effect.gen(function*() {
      const server = yield* MemorySource.MemorySource
      yield* server.failWith(new InfisicalError.NotFoundError({ resource: "environment", environment: "prdo" }))
      const exit = yield* Effect.exit(SecretManifest.load({
        size: SecretManifest.withDefault(SecretManifest.plain("SIZE", Schema.String, { environment: "prdo" }), "10")
      }))
      assert.isTrue(Exit.isFailure(exit))
    }).pipe(inMemory({})))

  // A user expects to see which of two secrets of one name is invalid.
  it.effect("says which of two folders has the invalid secret", () =>
    Effect.gen(function*() {
      const at = (secretPath: string) => SecretManifest.secret("PORT", Schema.NumberFromString, { secretPath })
      const error = yield* Effect.flip(SecretManifest.load({ one: at("/first"), other: at("/second") }))
      assert.include(error.message, "/second")
    }).pipe(inMemory({}, {
      folders: [
        { environment: "dev", secretPath: "/first", secrets: { PORT: "1" } },
        { environment: "dev", secretPath: "/second", secrets: { PORT: "many" } }
      ]
    })))

  // A user expects a name that no server can hold to be missing, as with `Config`.
  it.effect("uses the default for a name that no secret can have", () =>
    Effect.gen(function*() {
      const entry = SecretManifest.withDefault(SecretManifest.plain("N".repeat(200)), "default")
      assert.strictEqual((yield* SecretManifest.load({ entry })).entry, "default")
    }).pipe(inMemory({})))

  it.effect("may have no secret, and a key that is __proto__", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* SecretManifest.load({}), {})
      const record = yield* SecretManifest.load({ ["__proto__"]: SecretManifest.plain("__proto__") })
      assert.strictEqual(record["__proto__"], "value")
    }).pipe(inMemory(Object.fromEntries([["__proto__", "value"]]))))

  it.effect("keeps the last record while a secret is removed or the server is away, and follows afterwards", () =>
    Effect.gen(function*() {
      const server = yield* MemorySource.MemorySource
      const secrets = yield* Secrets.Secrets
      const ref = yield* SecretManifest.subscribe({
        a: SecretManifest.secret("A"),
        b: SecretManifest.optional(SecretManifest.secret("B"))
      })
      const a = Effect.map(SubscriptionRef.get(ref), (record) => Redacted.value(record.a))
      yield* settle
      yield* server.remove("A")
      yield* secrets.refresh()
      yield* settle
      assert.strictEqual(yield* a, "a")
      yield* server.failWith(MemorySource.unreachable)
      yield* Effect.ignore(secrets.refresh())
      yield* settle
      assert.strictEqual(yield* a, "a")
      yield* server.recover
      yield* server.set("A", "again")
      yield* secrets.refresh()
      yield* settle
      assert.strictEqual(yield* a, "again")
      yield* server.remove("B")
      yield* secrets.refresh()
      yield* settle
      assert.isTrue(Option.isNone((yield* SubscriptionRef.get(ref)).b))
    }).pipe(Effect.scoped, inMemory({ A: "a", B: "b" })))
})
