/**
 * Bundles `worker.ts` for the web, without Node, and sends a request to the bundle.
 *
 *     npm run example -- run-worker
 */
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect } from "effect"
import * as esbuild from "esbuild"
import type worker from "./worker.js"

/** One file of JavaScript. An import of Node would fail: the platform has none. */
export const bundle = (entry: string, alias: Record<string, string> = {}) =>
  Effect.map(
    Effect.tryPromise(() =>
      esbuild.build({
        entryPoints: [entry],
        alias,
        bundle: true,
        minify: true,
        write: false,
        metafile: true,
        format: "esm",
        platform: "browser",
        target: "es2022",
        logLevel: "silent"
      })
    ),
    ({ metafile, outputFiles }) => ({
      text: outputFiles.map(({ text }) => text).join("\n"),
      inputs: Object.keys(metafile.inputs),
      imports: Object.values(metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path))
    })
  )

export const load = (text: string) =>
  Effect.tryPromise(async () => {
    const module: { readonly default: typeof worker } = await import(
      `data:text/javascript;base64,${Buffer.from(text).toString("base64")}`
    )
    return module.default
  })

export const main = Effect.gen(function*() {
  const { text } = yield* bundle(new URL("./worker.js", import.meta.url).pathname)
  yield* Console.log(`The bundle has ${Math.round(text.length / 1000)} kB`)
  const { fetch } = yield* load(text)
  const environment = Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value = ""]) => name.startsWith("INFISICAL_") ? [[name, value]] : [])
  )
  const body = yield* Effect.tryPromise(async () => {
    const response = await fetch(new Request("http://localhost/"), environment)
    return await response.text()
  })
  yield* Console.log(body)
})

if (process.argv[1] === import.meta.filename) NodeRuntime.runMain(main)
