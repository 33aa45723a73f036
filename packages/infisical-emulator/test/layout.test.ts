/** The source tree: which folder may import from which. */
import { FileSystem, Path } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { fileURLToPath } from "node:url"

const source = fileURLToPath(new URL("../src", import.meta.url))

/** From the top down. The root is the folder without a name; its entry points stand above all. */
const folders = [
  "entry points",
  "command",
  "persistence",
  "",
  "server",
  "routes",
  "faults",
  "rules",
  "state",
  "eras",
  "world",
  "support"
]

const entryPoints = ["bin.ts", "index.ts"]

const sourceFiles = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const names = (yield* fs.readDirectory(source, { recursive: true })).filter((file) => file.endsWith(".ts"))
  return yield* Effect.forEach(
    names,
    (name) => Effect.map(fs.readFileString(path.join(source, name)), (text) => ({ name, text }))
  )
})

const folderOf = (path: Path.Path, file: string): string => {
  const folder = path.dirname(file).split(path.sep)[0] ?? ""
  return folder !== "." ? folder : entryPoints.includes(file) ? "entry points" : ""
}

/** Each import of a file of ours by another, with the folders that both are in. */
const imports = Effect.gen(function*() {
  const path = yield* Path.Path
  return (yield* sourceFiles).flatMap(({ name, text }) =>
    [...text.matchAll(/from "(\.[^"]+)"|import\("(\.[^"]+)"\)/g)].map(([, static_, dynamic]) => {
      const imported = path.join(path.dirname(name), (static_ ?? dynamic ?? "").replace(/\.js$/, ".ts"))
      return { from: folderOf(path, name), to: folderOf(path, imported), text: `${name} imports ${imported}` }
    })
  )
})

describe("The source tree", () => {
  it.effect("has no folder that is not in the list", () =>
    Effect.gen(function*() {
      const found = yield* imports
      assert.isAbove(found.length, 100)
      assert.deepStrictEqual(found.filter(({ from, to }) => !folders.includes(from) || !folders.includes(to)), [])
    }).pipe(Effect.provide(NodeContext.layer)))

  it.effect("has imports in one direction only", () =>
    Effect.gen(function*() {
      const upwards = (yield* imports).filter(({ from, to }) => folders.indexOf(to) < folders.indexOf(from))
      assert.deepStrictEqual(upwards.map(({ text }) => text), [])
    }).pipe(Effect.provide(NodeContext.layer)))

  it.effect("has no file of more than 400 lines", () =>
    Effect.gen(function*() {
      const long = (yield* sourceFiles).filter(({ text }) => text.trimEnd().split("\n").length > 400)
      assert.deepStrictEqual(long.map(({ name }) => name), [])
    }).pipe(Effect.provide(NodeContext.layer)))
})
