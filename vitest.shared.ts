import { fileURLToPath } from "node:url"
import { defineProject, type UserWorkspaceConfig } from "vitest/config"

const source = (folder: string) => fileURLToPath(new URL(`./packages/${folder}/src`, import.meta.url))

/** What every package's tests share: they run on the sources, not on what was built from them. */
export const project = (
  name: string
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
      include: ["test/**/*.test.ts"],
      // A worker imports a module once, not once for each file.
      isolate: false,
      // Long enough for a live instance that limits us; nothing else comes near it.
      testTimeout: 180_000,
      setupFiles: ["./vitest.setup.ts", "./vitest.leaks.ts"].map((file) =>
        fileURLToPath(new URL(file, import.meta.url))
      )
    }
  })
