import { FetchHttpClient } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import { Credential, Secrets } from "effect-infisical"
import { Emulator, type World } from "effect-infisical-emulator"
import { NodeInfisical, ProcessEnvironment } from "effect-infisical-node"

const client = Layer.unwrapEffect(Effect.gen(function*() {
  const emulator = yield* Emulator.Emulator
  return NodeInfisical.layer({
    credential: Credential.serviceToken(yield* emulator.serviceToken()),
    siteUrl: emulator.url,
    retry: { times: 0 }
  }).pipe(Layer.provide(FetchHttpClient.layer))
}))

/** Runs with a server that holds this world; afterwards the process environment is what it was. */
const withWorld = (world: World.Input) => <A, E>(effect: Effect.Effect<A, E, Secrets.Secrets | Emulator.Emulator>) =>
  Effect.acquireUseRelease(
    Effect.sync(() => ({ ...process.env })),
    () => Effect.provide(effect, Layer.provideMerge(client, Emulator.layer({ era: "2024-07", ...world }))),
    (before) =>
      Effect.sync(() => {
        for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name]
        Object.assign(process.env, before)
      })
  )

describe("Attaching to the process environment", () => {
  it.effect("sets a variable for each secret of the location, imports among them", () =>
    Effect.gen(function*() {
      const { attached } = yield* ProcessEnvironment.attach()
      assert.sameMembers([...attached], ["TEST_OWN", "TEST_IMPORTED", "TEST_EMPTY"])
      assert.strictEqual(process.env["TEST_OWN"], "planted0 own")
      assert.strictEqual(process.env["TEST_IMPORTED"], "planted0 imported")
      assert.strictEqual(process.env["TEST_EMPTY"], "")
    }).pipe(withWorld({
      projects: {
        main: {
          folders: {
            dev: {
              "/": {
                secrets: { TEST_OWN: "planted0 own", TEST_EMPTY: "" },
                imports: [{ environment: "dev", path: "/shared" }]
              },
              "/shared": { secrets: { TEST_IMPORTED: "planted0 imported" } }
            }
          }
        }
      }
    })))

  it.effect("replaces a variable that is set, unless told not to", () =>
    Effect.gen(function*() {
      process.env["TEST_SET"] = "before"
      const kept = yield* ProcessEnvironment.attach({ overwrite: false })
      assert.deepStrictEqual(kept, {
        attached: ["TEST_NEW"],
        kept: ["TEST_SET"],
        unsuitable: [],
        hidden: [],
        unresolved: []
      })
      assert.strictEqual(process.env["TEST_SET"], "before")
      yield* ProcessEnvironment.attach()
      assert.strictEqual(process.env["TEST_SET"], "planted0 set")
    }).pipe(withWorld({ secrets: { TEST_SET: "planted0 set", TEST_NEW: "planted0 new" } })))

  it.effect("attaches secrets whose names every object has, such as toString, where no variable is set", () =>
    Effect.gen(function*() {
      yield* (yield* Secrets.Secrets).create("__proto__", Redacted.make("planted0 kind"))
      const { attached, kept } = yield* ProcessEnvironment.attach({ overwrite: false })
      assert.sameMembers([...attached], ["toString", "constructor", "__proto__"])
      assert.deepStrictEqual(kept, [])
      assert.isTrue(Object.hasOwn(process.env, "toString"))
      assert.strictEqual(process.env["toString"], "planted0 text")
    }).pipe(withWorld({
      secrets: { toString: "planted0 text", constructor: "planted0 made" }
    })))

  it.effect("tells which secrets have values that the credential may not see", () =>
    Effect.gen(function*() {
      const emulator = yield* Emulator.Emulator
      const client = NodeInfisical.layer({
        credential: Credential.universalAuth(yield* emulator.universalAuth("blind")),
        projectId: yield* emulator.projectId("main"),
        siteUrl: emulator.url
      }).pipe(Layer.provide(FetchHttpClient.layer))
      const result = yield* Effect.provide(ProcessEnvironment.attach(), client)
      assert.deepStrictEqual(result, {
        attached: [],
        kept: [],
        unsuitable: [],
        hidden: ["TEST_HIDDEN"],
        unresolved: []
      })
      assert.isFalse(Object.hasOwn(process.env, "TEST_HIDDEN"))
    }).pipe(
      withWorld({ era: "2026", secrets: { TEST_HIDDEN: "planted0" }, identities: { blind: { hidesValues: true } } })
    ))

  it.effect("tells which secrets no variable can hold, and attaches the others", () =>
    Effect.gen(function*() {
      const result = yield* ProcessEnvironment.attach()
      assert.sameMembers([...result.unsuitable], ["TEST=EQUALS", "TEST_NUL"])
      assert.deepStrictEqual(result.attached, ["TEST_GOOD"])
    }).pipe(withWorld({ secrets: { "TEST=EQUALS": "a", TEST_NUL: "a\0b", TEST_GOOD: "good" } })))

  it.effect("changes nothing where the list cannot be had", () =>
    Effect.gen(function*() {
      const emulator = yield* Emulator.Emulator
      yield* emulator.setAvailable(false)
      const before = { ...process.env }
      assert.include(yield* Effect.flip(ProcessEnvironment.attach()), { _tag: "NetworkError" })
      assert.deepStrictEqual({ ...process.env }, before)
    }).pipe(withWorld({ secrets: { TEST_A: "a" } })))
})
