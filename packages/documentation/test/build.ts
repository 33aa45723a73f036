import { execFileSync } from "node:child_process"
import { fileURLToPath } from "node:url"

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))

/** The first program of the README runs as a process of its own, from what was built. */
export const setup = (): void => {
  execFileSync(path("../../../node_modules/.bin/tsc"), ["-b", path("../tsconfig.src.json")], { stdio: "inherit" })
}
