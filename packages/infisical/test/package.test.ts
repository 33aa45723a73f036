/** What the package asks of whoever installs it, and of where it runs. */
import { FileSystem, Path } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))

const Manifest = Schema.parseJson(Schema.Struct({
  dependencies: Schema.Record({ key: Schema.String, value: Schema.String }),
  peerDependencies: Schema.Record({ key: Schema.String, value: Schema.String })
}))

describe("effect-infisical", () => {
  it.effect("depends on Effect and the two noble packages, and on nothing else", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const manifest = yield* Schema.decode(Manifest)(yield* fs.readFileString(`${root}/package.json`))
      assert.deepStrictEqual(Object.keys(manifest.dependencies).toSorted(), ["@noble/ciphers", "@noble/curves"])
      assert.deepStrictEqual(Object.keys(manifest.peerDependencies).toSorted(), ["@effect/platform", "effect"])
    }).pipe(Effect.provide(NodeContext.layer)))

  it.effect("runs where there is no Node: it imports nothing of it, and names none of its globals", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const path = yield* Path.Path
      const files = (yield* fs.readDirectory(`${root}/src`, { recursive: true })).filter((file) => file.endsWith(".ts"))
      assert.isAbove(files.length, 30)
      for (const file of files) {
        const text = yield* fs.readFileString(path.join(root, "src", file))
        assert.notMatch(text, /from "node:|import\("node:|\bBuffer\.|\bprocess\.(env|on|exit)/, file)
      }
    }).pipe(Effect.provide(NodeContext.layer)))
})
