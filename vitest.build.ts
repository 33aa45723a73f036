import { execFileSync } from "node:child_process"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { TestProject } from "vitest/node"

const tsc = fileURLToPath(new URL("node_modules/.bin/tsc", import.meta.url))

/** Builds a package before its tests: those of processes run what was built, which has to be what is written now. */
export const setup = ({ config: { root } }: TestProject): void => {
  execFileSync(tsc, ["-b", join(root, "tsconfig.src.json")], { stdio: "inherit" })
}
