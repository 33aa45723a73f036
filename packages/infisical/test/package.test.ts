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

const Published = Schema.parseJson(Schema.Struct({
  version: Schema.NonEmptyString,
  license: Schema.Literal("MIT"),
  homepage: Schema.NonEmptyString,
  bugs: Schema.Struct({ url: Schema.NonEmptyString }),
  repository: Schema.Struct({ url: Schema.NonEmptyString, directory: Schema.String }),
  keywords: Schema.NonEmptyArray(Schema.String),
  peerDependencies: Schema.Struct({ effect: Schema.Literal("^3.22.1"), "@effect/platform": Schema.Literal("^0.97.0") })
}))

describe("A published package", () => {
  for (const name of ["infisical", "infisical-node", "infisical-emulator"]) {
    it.effect(`${name} has what npm shows, a license and a changelog`, () =>
      Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        const folder = `${root}/../${name}`
        const manifest = yield* Schema.decode(Published)(yield* fs.readFileString(`${folder}/package.json`))
        assert.strictEqual(manifest.repository.directory, `packages/${name}`)
        assert.match(yield* fs.readFileString(`${folder}/LICENSE`), /^MIT License/)
        assert.include(yield* fs.readFileString(`${folder}/CHANGELOG.md`), `## ${manifest.version}\n`)
      }).pipe(Effect.provide(NodeContext.layer)))

    it.effect(`${name} has a README with links that work from npm, and an install line that pins Effect 3`, () =>
      Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        const text = yield* fs.readFileString(`${root}/../${name}/README.md`)
        assert.match(text, /npm install .*effect@3 @effect\/platform@0\.97/)
        const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link)
        assert.deepStrictEqual(links.filter((link) => !/^(https:\/\/|#)/.test(link ?? "")), [])
      }).pipe(Effect.provide(NodeContext.layer)))
  }
})

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
