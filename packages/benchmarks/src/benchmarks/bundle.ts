/** The library bundled and compressed, without `effect` and `@effect/platform`, which every user of it has anyway. */
import { Array, Effect } from "effect"
import * as esbuild from "esbuild"
import { relative } from "node:path"
import { gzipSync } from "node:zlib"
import { type Benchmark, NotMeasured } from "../Measurement.js"
import { significant } from "../Table.js"

/** Where the bundle would be, were it written. */
const directory = "bundle"

export const bundle: Benchmark = {
  name: "bundle",
  run: Effect.gen(function*() {
    const { metafile, outputFiles } = yield* Effect.tryPromise({
      try: () =>
        esbuild.build({
          entryPoints: { start: "effect-infisical" },
          absWorkingDir: import.meta.dirname,
          external: ["effect", "@effect/platform"],
          bundle: true,
          // What is imported dynamically becomes a file of its own.
          splitting: true,
          minify: true,
          write: false,
          metafile: true,
          outdir: directory,
          format: "esm",
          platform: "browser",
          target: "es2022",
          logLevel: "silent"
        }),
      catch: (cause) => new NotMeasured({ problem: String(cause) })
    })

    /** The files that a file cannot start without, and itself. */
    const loadedWith = (path: string): ReadonlyArray<string> => [
      path,
      ...(metafile.outputs[path]?.imports ?? [])
        .filter(({ external, kind }) => external !== true && kind === "import-statement")
        .flatMap(({ path }) => loadedWith(path))
    ]
    const atStart = new Set(loadedWith(`${directory}/start.js`))
    const [onDemand, first] = Array.partition(
      outputFiles,
      ({ path }) => atStart.has(relative(import.meta.dirname, path))
    )
    const kilobytes = (files: ReadonlyArray<esbuild.OutputFile>) =>
      files.reduce((bytes, { contents }) => bytes + gzipSync(contents, { level: 9 }).length, 0) / 1000

    return [{
      what: "the SDK bundled and compressed",
      beside: "all that it exports, as it starts",
      samples: [kilobytes(first)],
      budget: 34.5,
      unit: " kB",
      basis: `${significant(kilobytes(onDemand))} kB more on demand`
    }]
  })
}
