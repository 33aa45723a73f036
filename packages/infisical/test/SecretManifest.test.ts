import { FetchHttpClient } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Equal, Fiber, Layer, Logger, Option, Redacted, Schema, Stream, SubscriptionRef } from "effect"
import { Credential, Infisical, SecretManifest, Secrets } from "effect-infisical"
import { Emulator } from "effect-infisical-emulator"
import { inspect } from "node:util"
import { settle } from "./support/settle.js"

const planted = "planted0"

const inMemory = (secrets: Record<string, string>, options?: Parameters<typeof Secrets.layerTest>[1]) =>
  Effect.provide(Layer.orDie(Secrets.layerTest(secrets, options)))

describe("A manifest", () => {
  const manifest = {
    url: SecretManifest.secret("DATABASE_URL", Schema.URL),
    password: SecretManifest.secret("PASSWORD"),
    poolSize: SecretManifest.plain("POOL_SIZE", Schema.NumberFromString),
    region: SecretManifest.withDefault(SecretManifest.plain("REGION"), "eu"),
    dsn: SecretManifest.optional(SecretManifest.secret("DSN")),
    certificate: SecretManifest.secret("CERTIFICATE", Schema.NonEmptyString, { secretPath: "/tls" })
  }

  it.effect("gives one record, each value as its schema describes it", () =>
    Effect.gen(function*() {
      const record: {
        readonly url: Redacted.Redacted<URL>
        readonly password: Redacted.Redacted<string>
        readonly poolSize: number
        readonly region: string
        readonly dsn: Option.Option<Redacted.Redacted<string>>
        readonly certificate: Redacted.Redacted<string>
      } = yield* SecretManifest.load(manifest)
      assert.strictEqual(Redacted.value(record.url).hostname, "db")
      assert.strictEqual(Redacted.value(record.password), planted)
      assert.strictEqual(record.poolSize, 5)
      assert.strictEqual(record.region, "eu")
      assert.isTrue(Option.isNone(record.dsn))
      assert.strictEqual(Redacted.value(record.certificate), "pem")
      assert.notInclude(inspect(record, { depth: null, showHidden: true }), planted)
    }).pipe(inMemory({ DATABASE_URL: "postgres://db/app", PASSWORD: planted, POOL_SIZE: "5" }, {
      folders: [{ environment: "dev", secretPath: "/tls", secrets: { CERTIFICATE: "pem" } }]
    })))

  it.effect("reports five missing and two invalid secrets in one error, without a value", () =>
    Effect.gen(function*() {
      const names = ["A", "B", "C", "D", "E"]
      const error = yield* Effect.flip(SecretManifest.load({
        ...Object.fromEntries(names.map((name) => [name, SecretManifest.secret(name)])),
        url: SecretManifest.secret("DATABASE_URL", Schema.URL),
        settings: SecretManifest.secret("SETTINGS", Schema.parseJson(Schema.Struct({ port: Schema.Int }))),
        fine: SecretManifest.secret("FINE")
      }))
      assert.deepStrictEqual(error.missing.map(({ name }) => name), names)
      assert.deepStrictEqual(error.invalid, [
        { name: "DATABASE_URL", problem: "must be of type URL (dev:/)" },
        { name: "SETTINGS", problem: "port must be a number (dev:/)" }
      ])
      assert.deepStrictEqual(error.unreachable, [])
      assert.include(error.message, "7 of the secrets")
      for (const name of [...names, "DATABASE_URL", "SETTINGS"]) assert.match(error.message, new RegExp(`  ${name} `))
      for (const text of [String(error), JSON.stringify(error), inspect(error, { depth: null, showHidden: true })]) {
        assert.notInclude(text, planted)
      }
    }).pipe(inMemory({
      DATABASE_URL: planted,
      SETTINGS: JSON.stringify({ port: planted }),
      FINE: "fine"
    })))

  it.effect("does not take an invalid value for a missing one", () =>
    Effect.gen(function*() {
      const entry = SecretManifest.plain("POOL_SIZE", Schema.NumberFromString)
      for (const one of [SecretManifest.optional(entry), SecretManifest.withDefault(entry, 1)]) {
        const error = yield* Effect.flip(SecretManifest.load({ one }))
        assert.deepStrictEqual(error.invalid.map(({ name }) => name), ["POOL_SIZE"])
      }
    }).pipe(inMemory({ POOL_SIZE: "many" })))

  it.effect("may have names that every object has", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(SecretManifest.load({ toString: SecretManifest.secret("toString") }))
      assert.deepStrictEqual(error.missing.map(({ name }) => name), ["toString"])
    }).pipe(inMemory({})))

  class AppSecrets extends Context.Tag("test/AppSecrets")<AppSecrets, SecretManifest.Type<typeof manifest>>() {}

  it.effect("is a layer, which is not built where a secret is missing", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Layer.build(SecretManifest.layer(AppSecrets, manifest)))
      assert.deepStrictEqual(error.missing.map(({ name }) => name), ["PASSWORD", "POOL_SIZE", "CERTIFICATE"])
    }).pipe(Effect.scoped, inMemory({ DATABASE_URL: "postgres://db/app" })))
})

const client = Layer.unwrapEffect(Effect.gen(function*() {
  const emulator = yield* Emulator.Emulator
  return Infisical.layer({
    siteUrl: emulator.url,
    credential: Credential.serviceToken(yield* emulator.serviceToken()),
    retry: { times: 0 },
    fallback: false
  })
})).pipe(
  Layer.provide(FetchHttpClient.layer),
  Layer.provideMerge(Emulator.layer({
    era: "2024-07",
    secrets: { PORT: "5432", PASSWORD: "first", OTHER: "other" },
    serviceTokens: { main: {} }
  }))
)

const manifest = {
  port: SecretManifest.plain("PORT", Schema.NumberFromString),
  password: SecretManifest.secret("PASSWORD")
}

describe("A manifest with a server", () => {
  it.effect("makes one request for each location", () =>
    Effect.gen(function*() {
      const emulator = yield* Emulator.Emulator
      yield* SecretManifest.load(manifest)
      assert.strictEqual((yield* emulator.requestCounts)["GET /api/v3/secrets"], 1)
    }).pipe(Effect.provide(client)))

  it.effect("says of an outage what is unreachable, and not that it is missing", () =>
    Effect.gen(function*() {
      const emulator = yield* Emulator.Emulator
      yield* emulator.setAvailable(false)
      const error = yield* Effect.flip(SecretManifest.load(manifest))
      assert.deepStrictEqual(error.missing, [])
      assert.deepStrictEqual(error.unreachable.map(({ error, name }) => [name, error._tag]), [
        ["PORT", "NetworkError"],
        ["PASSWORD", "NetworkError"]
      ])
    }).pipe(Effect.provide(client)))

  it.scoped("keeps the last valid record through a rotation to an invalid value and back, and warns once", () =>
    Effect.gen(function*() {
      const warnings: Array<string> = []
      const logger = Logger.replace(
        Logger.defaultLogger,
        Logger.make(({ message }) => void warnings.push(String(message)))
      )
      yield* Effect.gen(function*() {
        const secrets = yield* Secrets.Secrets
        const ref = yield* SecretManifest.subscribe(manifest)
        const rotate = (port: string, password: string) =>
          Effect.zipRight(
            secrets.updateMany([
              { name: "PORT", value: Redacted.make(port) },
              { name: "PASSWORD", value: Redacted.make(password) }
            ]),
            settle
          )
        const current = Effect.map(
          SubscriptionRef.get(ref),
          ({ password, port }) => [port, Redacted.value(password)]
        )
        assert.deepStrictEqual(yield* current, [5432, "first"])
        yield* rotate("5433", "second")
        assert.deepStrictEqual(yield* current, [5433, "second"])
        yield* rotate(planted, "third")
        assert.deepStrictEqual(yield* current, [5433, "second"])
        assert.lengthOf(warnings, 1)
        assert.include(warnings[0], "PORT")
        assert.notInclude(warnings[0], planted)
        yield* rotate("5434", "fourth")
        assert.deepStrictEqual(yield* current, [5434, "fourth"])
        assert.lengthOf(warnings, 1)
      }).pipe(Effect.provide(logger))
    }).pipe(Effect.provide(client)))

  it.scoped("emits nothing where another secret of the location changes", () =>
    Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      const fiber = yield* SecretManifest.watch(manifest).pipe(
        Stream.take(2),
        Stream.runCollect,
        Effect.fork
      )
      yield* settle
      yield* secrets.update("OTHER", Redacted.make("changed"))
      yield* secrets.update("PASSWORD", Redacted.make("first"))
      yield* settle
      yield* secrets.update("PASSWORD", Redacted.make("second"))
      const [first, second] = [...yield* Fiber.join(fiber)]
      assert.isTrue(Equal.equals(first?.password, Redacted.make("first")))
      assert.isTrue(Equal.equals(second?.password, Redacted.make("second")))
    }).pipe(Effect.provide(client)))
})
