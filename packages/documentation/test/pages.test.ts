/** What the pages promise to list in full is what the source has. */
import { FileSystem, Path } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { fileURLToPath } from "node:url"
import { guides, llmsTxt } from "../scripts/llms.js"

const root = fileURLToPath(new URL("../../..", import.meta.url))

const read = (file: string) => Effect.flatMap(FileSystem.FileSystem, (fs) => fs.readFileString(root + file))

const matches = (text: string, pattern: RegExp): ReadonlyArray<string> =>
  [...text.matchAll(pattern)].map(([, name = ""]) => name)

describe("The guides", () => {
  it.effect("have every option of the configuration", () =>
    Effect.gen(function*() {
      const source = yield* read("packages/infisical/src/config/InfisicalConfig.ts")
      const page = yield* read("packages/infisical/docs/configuration.md")
      const fieldsOf = (name: string) =>
        matches(source.split(`export interface ${name} {`)[1]?.split("\n}")[0] ?? "", /^ {2}readonly (\w+)\??:/gm)
      const options = fieldsOf("Options").filter((name) => name !== "retry")
      const retry = fieldsOf("RetryOptions").map((name) => `retry.${name}`)
      assert.isAbove(options.length, 20)
      assert.isAbove(retry.length, 4)
      for (const name of [...options, ...retry]) assert.include(page, `| \`${name}\` `)
      for (const variable of matches(source, /optional(?:Text|Secret)\("(\w+)"\)/g)) assert.include(page, variable)
    }).pipe(Effect.provide(NodeContext.layer)))

  it.effect("have every error, and every reason of it", () =>
    Effect.gen(function*() {
      const source = yield* read("packages/infisical/src/model/InfisicalError.ts")
      const page = yield* read("packages/infisical/docs/errors.md")
      const errors = matches(source, /^export class (\w+) extends/gm)
      const reasons = matches(source, /^ {2}readonly (?:reason|problem): ("[^\n]+)/gm)
        .flatMap((line) => matches(line, /"([^"]+)"/g))
      assert.isAbove(errors.length, 9)
      assert.isAbove(reasons.length, 10)
      for (const name of errors) assert.include(page, `\n## ${name}\n`)
      for (const reason of reasons) assert.include(page, `| \`${reason}\``)
    }).pipe(Effect.provide(NodeContext.layer)))

  it.effect("have every metric, and the dashboard no other", () =>
    Effect.gen(function*() {
      const source = yield* read("packages/infisical/src/cache/SecretMetrics.ts")
      const page = yield* read("packages/infisical/docs/observability.md")
      const dashboard = yield* read("packages/infisical/docs/public/grafana-dashboard.json")
      const metrics = matches(source, /Metric\.\w+\("(\w+)"/g)
      assert.strictEqual(metrics.length, 6)
      for (const name of metrics) assert.include(page, `\`${name}\``)
      const shown = [...new Set(matches(dashboard, /(infisical_\w+)/g))]
      assert.deepStrictEqual(shown.toSorted(), metrics.toSorted())
    }).pipe(Effect.provide(NodeContext.layer)))

  it.effect("are all in the sidebar and in llms.txt", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const files = (yield* fs.readDirectory(`${root}packages/infisical/docs`)).filter((file) => file.endsWith(".md"))
      const listed = guides.flatMap(({ pages }) => pages.map(({ name }) => `${name}.md`))
      assert.deepStrictEqual(files.filter((file) => file !== "index.md").toSorted(), listed.toSorted())
      for (const file of listed) assert.include(llmsTxt, `(/${file})`)
    }).pipe(Effect.provide(NodeContext.layer)))

  it.effect("have links to files that exist, as have the README and CONTRIBUTING", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const path = yield* Path.Path
      const files = [
        "README.md",
        "CONTRIBUTING.md",
        ...guides.flatMap(({ pages }) => pages.map(({ name }) => `packages/infisical/docs/${name}.md`))
      ]
      for (const file of files) {
        const text = yield* read(file)
        const links = matches(text, /\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)/g)
        for (const link of links) {
          const target = path.resolve(root, path.dirname(file), link)
          assert.isTrue((yield* fs.exists(target)) || (yield* fs.exists(`${target}.md`)), `${file}: ${link}`)
        }
        const named = matches(text, /`(packages\/[\w\-./]+)`/g)
        for (const name of named.filter((name) => !name.endsWith(".vitepress/dist") && !name.includes("*"))) {
          assert.isTrue(yield* fs.exists(root + name), `${file}: ${name}`)
        }
      }
    }).pipe(Effect.provide(NodeContext.layer)))
})
