/** The data flow of the README as folders: what people call at the root, each box on those below it. */
import { FileSystem, Path } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { fileURLToPath } from "node:url"

const source = fileURLToPath(new URL("../src", import.meta.url))

/** From the top down. The root is the folder without a name. */
const boxes = ["", "cache", "source", "session", "api", "config", "crypto", "model", "support"]

const boxOf = (path: Path.Path, file: string): string => {
  const folder = path.dirname(path.relative(source, file)).split(path.sep)[0] ?? ""
  return folder === "." ? "" : folder
}

/** Each import of a file of ours by another, with the boxes that both are in. */
const imports = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const files = (yield* fs.readDirectory(source, { recursive: true })).filter((file) => file.endsWith(".ts"))
  return yield* Effect.forEach(
    files.map((file) => path.join(source, file)),
    (file) =>
      Effect.map(
        fs.readFileString(file),
        (text) =>
          [...text.matchAll(/from "(\.[^"]+)"|import\("(\.[^"]+)"\)/g)].map(([, static_, dynamic]) => {
            const imported = path.resolve(path.dirname(file), static_ ?? dynamic ?? "")
            return {
              from: boxOf(path, file),
              to: boxOf(path, imported),
              text: `${path.relative(source, file)} imports ${path.relative(source, imported)}`
            }
          })
      )
  ).pipe(Effect.map((found) => found.flat()))
}).pipe(Effect.provide(NodeContext.layer))

describe("The source tree", () => {
  it.effect("has no folder that the data flow does not have", () =>
    Effect.gen(function*() {
      const found = yield* imports
      assert.isAbove(found.length, 100)
      assert.deepStrictEqual(found.filter(({ from, to }) => !boxes.includes(from) || !boxes.includes(to)), [])
    }))

  it.effect("has imports in one direction only, down the data flow", () =>
    Effect.gen(function*() {
      const upwards = (yield* imports).filter(({ from, to }) => boxes.indexOf(to) < boxes.indexOf(from))
      assert.deepStrictEqual(upwards.map(({ text }) => text), [])
    }))
})
