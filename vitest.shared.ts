import { fileURLToPath } from "node:url"
import { defineProject, type UserWorkspaceConfig } from "vitest/config"

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

const source = (folder: string) => here(`./packages/${folder}/src`)

/** What every package's tests share: they run on the sources, not on what was built from them. */
export const project = (
  name: string,
  { include = [], runsProcesses = false }: {
    /** Tests beside those in `test`. */
    readonly include?: ReadonlyArray<string>
    /** Whether tests run what is built from the package. */
    readonly runsProcesses?: boolean
  } = {}
): UserWorkspaceConfig =>
  defineProject({
    resolve: {
      alias: [
        { find: /^effect-infisical$/, replacement: `${source("infisical")}/index.ts` },
        { find: /^effect-infisical-node$/, replacement: `${source("infisical-node")}/index.ts` },
        { find: /^effect-infisical-emulator$/, replacement: `${source("infisical-emulator")}/index.ts` }
      ]
    },
    test: {
      name,
      include: ["test/**/*.test.ts", ...include],
      // A worker imports a module once, not once for each file.
      isolate: false,
      // Long enough for a live instance that limits us; nothing else comes near it.
      testTimeout: 180_000,
      globalSetup: runsProcesses ? [here("./vitest.build.ts")] : [],
      setupFiles: ["./vitest.setup.ts", "./vitest.leaks.ts"].map(here)
    }
  })
