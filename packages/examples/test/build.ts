import { execFileSync } from "node:child_process"
import { fileURLToPath } from "node:url"

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))

/** Tests of processes run what was built, which has to be built from the current sources. */
export const setup = (): void => {
  execFileSync(path("../../../node_modules/.bin/tsc"), ["-b", path("../tsconfig.src.json")], { stdio: "inherit" })
}
