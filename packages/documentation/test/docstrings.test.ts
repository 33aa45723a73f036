/** The examples of the docstrings, which the API reference shows, are whole programs that the compiler accepts. */
import { FileSystem, Path } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../../..", import.meta.url))
const folder = fileURLToPath(new URL("../dist/examples", import.meta.url))

const fence = /^ \* ```ts\n([\s\S]*?)^ \* ```$/gm

const examplesOf = (text: string): ReadonlyArray<string> =>
  [...text.matchAll(fence)].map(([, code = ""]) => code.replaceAll(/^ \* ?/gm, ""))

/** Every example, by file and place in it. */
const examples = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const packages = ["infisical", "infisical-node", "infisical-emulator"]
  return yield* Effect.forEach(packages, (name) =>
    Effect.gen(function*() {
      const source = path.join(root, "packages", name, "src")
      const files = (yield* fs.readDirectory(source, { recursive: true })).filter((file) => file.endsWith(".ts"))
      return yield* Effect.forEach(files, (file) =>
        Effect.map(fs.readFileString(path.join(source, file)), (text) =>
          examplesOf(text).map((code, index) => ({
            name: `${name}-${file.replaceAll(/\W/g, "-")}-${index}.ts`,
            code
          }))))
    })).pipe(Effect.map((found) => found.flat(2)))
})

const tsconfig = JSON.stringify({
  extends: "../../../../tsconfig.base.json",
  compilerOptions: {
    composite: false,
    declaration: false,
    declarationMap: false,
    noEmit: true,
    noUnusedLocals: false,
    lib: ["ES2023", "DOM"]
  },
  include: ["*.ts"]
})

describe("The docstrings", () => {
  it.live("have examples that compile", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const found = yield* examples
      assert.isAbove(found.length, 15)
      yield* fs.remove(folder, { recursive: true, force: true })
      yield* fs.makeDirectory(folder, { recursive: true })
      yield* fs.writeFileString(`${folder}/tsconfig.json`, tsconfig)
      yield* Effect.forEach(found, ({ code, name }) => fs.writeFileString(`${folder}/${name}`, code))
      const output = yield* Effect.async<string>((resume) => {
        execFile(`${root}node_modules/.bin/tsc`, ["-p", folder], (_, stdout) => resume(Effect.succeed(stdout)))
      })
      assert.strictEqual(output, "")
    }).pipe(Effect.provide(NodeContext.layer)))
})
