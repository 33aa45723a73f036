import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Redacted, Ref, Stream, TestClock } from "effect"
import { MemorySource, Secrets } from "effect-infisical"
import { settle } from "./support/settle.js"

const value = (secret: { readonly value: Redacted.Redacted<string> }) => Redacted.value(secret.value)

describe("Secrets.layerTest", () => {
  it.layer(Secrets.layerTest({ NAME: "value" }, {
    folders: [{ environment: "prod", secretPath: "/folder", secrets: { NAME: Redacted.make("in prod") } }]
  }))("has the semantics of the real one:", (it) => {
    it.effect("it gives the secrets that it was made with, each location its own", () =>
      Effect.gen(function*() {
        const secrets = yield* Secrets.Secrets
        assert.strictEqual(value(yield* secrets.get("NAME")), "value")
        const other = yield* secrets.get("NAME", { environment: "prod", secretPath: "/folder" })
        assert.strictEqual(value(other), "in prod")
        assert.include(other, { environment: "prod", secretPath: "/folder", source: "live", version: 1 })
      }))

    it.effect("it creates, updates, lists and deletes", () =>
      Effect.gen(function*() {
        const secrets = yield* Secrets.Secrets
        yield* secrets.create("OTHER", Redacted.make("first"), { comment: "a comment" })
        yield* secrets.update("OTHER", Redacted.make("second"))
        assert.include(yield* secrets.get("OTHER"), { version: 2, comment: "a comment" })
        const list = yield* secrets.list()
        assert.deepStrictEqual(list.secrets.map(value), ["value", "second"])
        yield* secrets.delete("OTHER")
        assert.include(yield* Effect.flip(secrets.get("OTHER")), { _tag: "NotFoundError" })
      }))

    it.effect("it refuses what a server refuses", () =>
      Effect.gen(function*() {
        const secrets = yield* Secrets.Secrets
        const something = Redacted.make("value")
        assert.include(yield* Effect.flip(secrets.create("NAME", something)), { _tag: "AlreadyExistsError" })
        assert.include(yield* Effect.flip(secrets.update("NONE", something)), { _tag: "NotFoundError" })
        assert.include(yield* Effect.flip(secrets.delete("NONE")), { _tag: "NotFoundError" })
        assert.include(yield* Effect.flip(secrets.create("P", something, { type: "personal" })), {
          _tag: "PermissionError"
        })
        assert.include(yield* Effect.flip(secrets.get("NAME", { secretPath: "folder" })), {
          _tag: "InvalidRequestError"
        })
      }))
  })

  const fromEnvironment = Effect.withConfigProvider(ConfigProvider.fromMap(new Map([["NAME", "from the environment"]])))

  it.effect("does not fall back on the environment, unless asked to", () =>
    Effect.gen(function*() {
      const get = Effect.flatMap(Secrets.Secrets, (secrets) => secrets.get("NAME"))
      const without = yield* Effect.flip(Effect.provide(get, Secrets.layerTest({})))
      assert.include(without, { _tag: "NotFoundError" })
      const secret = yield* Effect.provide(get, Secrets.layerTest({}, { fallback: true }))
      assert.include(secret, { source: "fallback" })
    }).pipe(fromEnvironment))

  it.effect("normalizes the paths of its folders, as reads do", () =>
    Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      assert.strictEqual(Redacted.value((yield* secrets.get("A")).value), "a")
      assert.strictEqual(Redacted.value((yield* secrets.get("A", { secretPath: "/app" })).value), "a")
      assert.strictEqual(Redacted.value((yield* secrets.get("B", { secretPath: "/other" })).value), "b")
    }).pipe(Effect.provide(
      Secrets.layerTest({ A: "a" }, {
        secretPath: "/app/",
        folders: [{ environment: "dev", secretPath: " /other/ ", secrets: { B: "b" } }]
      })
    )))

  it.effect("shows what a test changes on the server once it is fetched again, to reads and to watchers", () =>
    Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      const server = yield* MemorySource.MemorySource
      const seen = yield* Ref.make<ReadonlyArray<string>>([])
      yield* Effect.forkScoped(
        Stream.runForEach(secrets.watch("A"), (secret) => Ref.update(seen, (all) => [...all, value(secret)]))
      )
      assert.strictEqual(value(yield* secrets.get("A")), "a")
      yield* server.set("A", "rotated")
      yield* server.set("B", "new", { secretPath: "/other" })
      assert.strictEqual(value(yield* secrets.get("A")), "a")
      yield* secrets.refresh()
      assert.include(yield* secrets.get("A"), { version: 2 })
      assert.strictEqual(value(yield* secrets.get("B", { secretPath: "/other" })), "new")
      yield* settle
      assert.deepStrictEqual(yield* Ref.get(seen), ["a", "rotated"])
      yield* server.remove("A")
      yield* secrets.refresh()
      assert.include(yield* Effect.flip(secrets.get("A")), { _tag: "NotFoundError" })
    }).pipe(Effect.scoped, Effect.provide(Secrets.layerTest({ A: "a" }))))

  it.effect("fails on demand: what was read is served stale, and what was not fails, until it recovers", () =>
    Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      const server = yield* MemorySource.MemorySource
      yield* secrets.get("A")
      yield* server.failWith(MemorySource.unreachable)
      yield* TestClock.adjust("5 minutes")
      assert.include(yield* secrets.get("A"), { source: "stale" })
      const error = yield* Effect.flip(secrets.get("B", { secretPath: "/other" }))
      assert.include(error, { _tag: "NetworkError", reason: "Transport" })
      assert.include(yield* Effect.flip(secrets.create("N", Redacted.make("n"))), { _tag: "NetworkError" })
      yield* server.recover
      yield* TestClock.adjust("5 minutes")
      assert.include(yield* secrets.get("A"), { source: "live" })
      assert.include(yield* Effect.flip(secrets.get("N")), { _tag: "NotFoundError" })
    }).pipe(Effect.provide(Secrets.layerTest({ A: "a" }))))
})
