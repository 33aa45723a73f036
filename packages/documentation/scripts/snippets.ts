/**
 * The code of the documentation. A page has a marker before each TypeScript fence, which names a file of `snippets`, and
 * a region of it if the file has several:
 *
 * ```
 * <!-- snippet reading.ts#get -->
 * ```
 *
 * The fence holds what the file holds. `npm run docs:snippets` writes it there, a test compares the two.
 */
import { FileSystem, Path } from "@effect/platform"
import { Array, Data, Effect } from "effect"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../../..", import.meta.url))

export class SnippetError extends Data.TaggedError("SnippetError")<{ readonly message: string }> {}

/** A page, and how it should be. */
export interface Page {
  readonly file: string
  readonly text: string
  readonly rendered: string
}

/** The README files and the pages of the site. */
const pageFiles = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const packages = yield* fs.readDirectory(path.join(root, "packages"))
  const guides = yield* fs.readDirectory(path.join(root, "packages/infisical/docs"))
  const candidates = [
    "README.md",
    "CONTRIBUTING.md",
    ...packages.map((name) => `packages/${name}/README.md`),
    ...guides.filter((name) => name.endsWith(".md")).map((name) => `packages/infisical/docs/${name}`)
  ]
  return yield* Effect.filter(candidates, (file) => fs.exists(path.join(root, file)))
})

/** Every page with the code that belongs into its fences. */
export const pages: Effect.Effect<
  ReadonlyArray<Page>,
  SnippetError | Effect.Effect.Error<typeof pageFiles>,
  FileSystem.FileSystem | Path.Path
> = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const folder = path.join(root, "packages/documentation/snippets")
  const names = yield* fs.readDirectory(folder)
  const sources = new Map(
    yield* Effect.forEach(
      names,
      (name) => Effect.map(fs.readFileString(path.join(folder, name)), (text) => [name, text] as const)
    )
  )
  return yield* Effect.forEach(yield* pageFiles, (file) =>
    Effect.gen(function*() {
      const text = yield* fs.readFileString(path.join(root, file))
      return { file: path.join(root, file), text, rendered: yield* render(file, text, sources) }
    }))
})

const fence = /^(?:<!-- snippet (\S+) -->\n\n)?```ts\n([\s\S]*?)^```$/gm

const render = (
  file: string,
  text: string,
  sources: ReadonlyMap<string, string>
): Effect.Effect<string, SnippetError> =>
  Effect.gen(function*() {
    const found = [...text.matchAll(fence)]
    const codes = yield* Effect.forEach(found, ([, name, code = ""]) =>
      name === undefined
        ? new SnippetError({ message: `${file} has code without a marker: ${code.split("\n")[0] ?? ""}` })
        : Effect.map(codeOf(name, sources), (code) => `<!-- snippet ${name} -->\n\n\`\`\`ts\n${code}\n\`\`\``))
    let index = 0
    return text.replace(fence, (whole) => codes[index++] ?? whole)
  })

const codeOf = (name: string, sources: ReadonlyMap<string, string>): Effect.Effect<string, SnippetError> => {
  const [file = "", region] = name.split("#")
  const text = sources.get(file)
  if (text === undefined) return new SnippetError({ message: `There is no snippet ${file}` })
  const lines = text.trimEnd().split("\n")
  if (region === undefined) return Effect.succeed(withoutMarks(lines))
  const start = lines.findIndex((line) => line.trim() === `// #region ${region}`)
  const end = lines.findIndex((line, index) => index > start && line.trim() === `// #endregion ${region}`)
  return start === -1 || end === -1
    ? new SnippetError({ message: `${file} has no region ${region}` })
    : Effect.succeed(withoutMarks(lines.slice(start + 1, end)))
}

/** The lines without the marks of regions, and without the indentation that all of them have. */
const withoutMarks = (lines: ReadonlyArray<string>): string => {
  const code = lines.filter((line) => !/^\s*\/\/ #(end)?region/.test(line))
  const indentation = Math.min(...code.filter((line) => line !== "").map((line) => line.search(/\S/)))
  return Array.map(code, (line) => line.slice(indentation)).join("\n").trim()
}
