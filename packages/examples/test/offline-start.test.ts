import { FileSystem } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { Emulator } from "effect-infisical-emulator"
import { main } from "../src/offline-start.js"
import * as Emulated from "./support/emulated.js"

describe("The example of a start without Infisical", () => {
  it.scopedLive("reads from the disk what an earlier start fetched", () =>
    Effect.gen(function*() {
      const emulator = yield* Emulator.Emulator
      const fs = yield* FileSystem.FileSystem
      const directory = yield* fs.makeTempDirectoryScoped()
      const start = Emulated.withVariablesOf("offline-start", { SNAPSHOT_DIRECTORY: directory })(main)

      const first = yield* start
      assert.strictEqual(first.source, "live")
      for (const file of yield* fs.readDirectory(directory)) {
        assert.notInclude(yield* fs.readFileString(`${directory}/${file}`), "s3cr3t")
      }

      yield* emulator.setAvailable(false)
      const second = yield* start
      assert.strictEqual(second.source, "sealed")
      assert.strictEqual(Redacted.value(second.value), Redacted.value(first.value))
      assert.deepStrictEqual(second.fetchedAt, first.fetchedAt)
    }).pipe(Effect.provide(Emulated.layer)))
})
