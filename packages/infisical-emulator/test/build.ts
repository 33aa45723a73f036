import { execFileSync } from "node:child_process"
import { fileURLToPath } from "node:url"

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))

/** Tests of the command run what was built, which has to be what is written now. */
export const setup = (): void => {
  execFileSync(path("../../../node_modules/.bin/tsc"), ["-b", path("../tsconfig.src.json")], { stdio: "inherit" })
}
