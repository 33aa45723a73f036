import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer } from "effect"
import { MemorySource, Secrets } from "effect-infisical"
import { ProcessEnvironment } from "effect-infisical-node"

const names = ["TEST_A", "TEST_EMPTY", "test space", "TEST_KEPT"]

const cleaned = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.ensuring(
    effect,
    Effect.sync(() => {
      for (const name of names) delete process.env[name]
    })
  )

describe("ProcessEnvironment.attach", () => {
  it.effect("attaches empty values and odd names, keeps what is set, and changes nothing in an outage", () =>
    Effect.gen(function*() {
      const server = yield* MemorySource.MemorySource
      yield* server.failWith(MemorySource.unreachable)
      assert.isTrue(Exit.isFailure(yield* Effect.exit(ProcessEnvironment.attach())))
      assert.isUndefined(process.env["TEST_A"])
      yield* server.recover
      yield* Effect.flatMap(Secrets.Secrets, (secrets) => secrets.refresh({}))
      process.env["TEST_KEPT"] = ""
      const { attached, kept, unsuitable } = yield* ProcessEnvironment.attach({ overwrite: false })
      assert.deepStrictEqual(attached.toSorted(), ["TEST_A", "TEST_EMPTY", "test space"])
      assert.deepStrictEqual(kept, ["TEST_KEPT"])
      assert.deepStrictEqual(unsuitable, ["A=B", "NUL"])
      assert.strictEqual(process.env["TEST_EMPTY"], "")
    }).pipe(
      cleaned,
      Effect.provide(Layer.orDie(Secrets.layerTest({
        TEST_A: "a",
        TEST_EMPTY: "",
        "test space": "x",
        TEST_KEPT: "secret",
        "A=B": "x",
        NUL: "a\0b"
      })))
    ))

  // "What became of each secret, by name": a user expects to be told of one whose references cannot be resolved now.
  it.effect("says of each secret what became of it", () =>
    Effect.gen(function*() {
      const { attached, hidden, kept, unresolved, unsuitable } = yield* ProcessEnvironment.attach()
      assert.sameMembers([...attached, ...hidden, ...kept, ...unresolved, ...unsuitable], ["TEST_A", "TEST_KEPT"])
    }).pipe(cleaned, Effect.provide(withUnresolved)))
})

/** As in an outage of the folder that TEST_KEPT refers to. */
const withUnresolved = Layer.effect(
  Secrets.Secrets,
  Effect.map(Secrets.Secrets, (service): Secrets.Service => ({
    ...service,
    list: (options) =>
      Effect.map(service.list(options), (list) => ({
        ...list,
        secrets: list.secrets.filter(({ name }) => name !== "TEST_KEPT"),
        unresolved: [{
          secret: { name: "TEST_KEPT", environment: "dev", secretPath: "/", type: "shared" as const },
          error: MemorySource.unreachable
        }]
      }))
  }))
).pipe(Layer.provide(Layer.orDie(Secrets.layerTest({ TEST_A: "a", TEST_KEPT: "${dev.other.X}" }))))
