import { fileURLToPath } from "node:url"
import { defineProject, type UserWorkspaceConfig } from "vitest/config"

const source = (folder: string) => fileURLToPath(new URL(`./packages/${folder}/src`, import.meta.url))

/** What every package's tests share: they run on the sources, not on what was built from them. */
export const project = (
  name: string,
  { env = {}, include = ["test/**/*.test.ts"] }: {
    readonly env?: Record<string, string>
    readonly include?: Array<string>
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
      env,
      include,
      // Long enough for a live instance that limits us; nothing else comes near it.
      testTimeout: 180_000,
      setupFiles: [fileURLToPath(new URL("./vitest.leaks.ts", import.meta.url))]
    }
  })

/** What is the same whoever decrypts: the tests of reads, writes and the cache, on routes on which the server does. */
export const onSource = (source: "v3" | "v4"): UserWorkspaceConfig =>
  project(`effect-infisical on ${source}`, {
    env: { TEST_SOURCE: source },
    include: ["test/Secrets.{cache,changes,model,refresh,snapshots,writes}.test.ts"]
  })
