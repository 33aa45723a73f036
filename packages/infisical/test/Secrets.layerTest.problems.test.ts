import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Redacted } from "effect"
import { MemorySource, Secrets } from "effect-infisical"

const value = (secret: { readonly value: Redacted.Redacted<string> }) => Redacted.value(secret.value)

const inMemory = (secrets: Record<string, string>, options?: Parameters<typeof Secrets.layerTest>[1]) =>
  Effect.provide(Layer.orDie(Secrets.layerTest(secrets, options)))

describe("Secrets.layerTest", () => {
  // A user expects two parts of one folder to be joined, or refused; not one of them to disappear.
  it.effect("keeps its secrets where a folder of the same place is given", () =>
    Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      assert.strictEqual(value(yield* secrets.get("B")), "b")
      assert.strictEqual(value(yield* secrets.get("A")), "a")
    }).pipe(inMemory({ A: "a" }, { folders: [{ environment: "dev", secretPath: "/", secrets: { B: "b" } }] })))

  // "It refuses what a server refuses": a user expects a name that no read can reach to be refused.
  for (const name of ["", " A", "N".repeat(101)]) {
    it.effect(`does not set a secret that get refuses: ${JSON.stringify(name.slice(0, 5))}`, () =>
      Effect.gen(function*() {
        const server = yield* MemorySource.MemorySource
        assert.isTrue(Exit.isFailure(yield* Effect.exit(server.set(name, "value"))))
      }).pipe(inMemory({})))
  }

  // A user expects the version that was asked for, or NotFoundError; not an error that speaks of servers of 2024.
  it.effect("gives an older version, or says that there is none", () =>
    Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      yield* secrets.update("A", Redacted.make("second"))
      const exit = yield* Effect.either(secrets.get("A", { version: 1 }))
      assert.isTrue(exit._tag === "Right" || exit.left._tag === "NotFoundError", JSON.stringify(exit))
    }).pipe(inMemory({ A: "first" })))

  it.effect("lists by tags and by metadata", () =>
    Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      yield* secrets.create("T", Redacted.make("t"), { tagIds: ["tag"] })
      yield* secrets.create("M", Redacted.make("m"), { metadata: { team: "a" } })
      assert.deepStrictEqual((yield* secrets.list({ tagSlugs: ["tag"] })).secrets.map(({ name }) => name), ["T"])
      assert.deepStrictEqual((yield* secrets.list({ metadata: { team: "a" } })).secrets.map(({ name }) => name), ["M"])
    }).pipe(inMemory({ A: "first" })))

  it.effect("expands references between folders, and again after a change and an outage", () =>
    Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      const server = yield* MemorySource.MemorySource
      assert.strictEqual(value(yield* secrets.get("URL")), "db://host")
      yield* server.set("HOST", "other", { secretPath: "/db" })
      yield* server.failWith(MemorySource.unreachable)
      yield* Effect.ignore(secrets.refresh())
      assert.strictEqual(value(yield* secrets.get("URL")), "db://host")
      yield* server.recover
      yield* secrets.refresh()
      assert.strictEqual(value(yield* secrets.get("URL")), "db://other")
    }).pipe(inMemory({ URL: "db://${dev.db.HOST}" }, {
      folders: [{ environment: "dev", secretPath: "/db", secrets: { HOST: "host" } }]
    })))

  it.effect("writes nothing of a batch or a move that is refused, or while it fails", () =>
    Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      const server = yield* MemorySource.MemorySource
      const two = [{ name: "N", value: Redacted.make("n") }, { name: "A", value: Redacted.make("a") }]
      yield* Effect.flip(secrets.createMany(two))
      yield* Effect.flip(secrets.deleteMany(["A", "NONE"]))
      yield* Effect.flip(secrets.move(["A", "NONE"], { to: { secretPath: "/to" } }))
      yield* server.failWith(MemorySource.unreachable)
      yield* Effect.flip(secrets.createMany(two.slice(0, 1)))
      yield* Effect.flip(secrets.upsert("A", Redacted.make("lost")))
      yield* server.recover
      yield* secrets.refresh()
      assert.deepStrictEqual((yield* secrets.list()).secrets.map(value), ["first"])
    }).pipe(inMemory({ A: "first" })))
})
