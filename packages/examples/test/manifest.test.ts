import { FetchHttpClient } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Option, Redacted, Stream } from "effect"
import { Secrets } from "effect-infisical"
import { Emulator } from "effect-infisical-emulator"
import { NodeInfisical } from "effect-infisical-node"
import { AppSecrets, main } from "../src/manifest.js"
import * as Emulated from "./support/emulated.js"

const AppSecretsLive = AppSecrets.layer.pipe(
  Layer.provideMerge(NodeInfisical.layerConfig()),
  Layer.provide(FetchHttpClient.layer)
)

describe("The example of a manifest", () => {
  it.scoped("gives a typed record, and a new one when a value changes", () =>
    Effect.gen(function*() {
      const emulator = yield* Emulator.Emulator
      yield* Effect.gen(function*() {
        const secrets = yield* AppSecrets
        const { databaseUrl, poolSize, sentryDsn } = yield* secrets
        assert.strictEqual(Redacted.value(databaseUrl).username, "app")
        assert.strictEqual(poolSize, 20)
        assert.deepStrictEqual(sentryDsn, Option.none())

        yield* emulator.setSecret({ name: "POOL_SIZE", value: "40" })
        yield* Effect.flatMap(Secrets.Secrets, (secrets) => secrets.refresh())
        const changed = yield* Stream.runHead(Stream.filter(secrets.changes, ({ poolSize }) => poolSize !== 20))
        assert.strictEqual(Option.getOrThrow(changed).poolSize, 40)
      }).pipe(Effect.provide(AppSecretsLive), Emulated.withVariablesOf("manifest"))
    }).pipe(Effect.provide(Emulated.layer)))

  it.scoped("does not start, and reports all that is wrong at once", () =>
    Effect.gen(function*() {
      const emulator = yield* Emulator.Emulator
      yield* emulator.removeSecret({ name: "DATABASE_URL" })
      yield* emulator.setSecret({ name: "POOL_SIZE", value: "many" })
      const error = yield* Effect.flip(Emulated.withVariablesOf("manifest")(main))
      assert.include(error, { _tag: "ManifestError" })
      assert.match(error.message, /missing +DATABASE_URL/)
      assert.match(error.message, /invalid +POOL_SIZE/)
      assert.notInclude(error.message, "many")
    }).pipe(Effect.provide(Emulated.layer)))
})
