import { fileURLToPath } from "node:url"
import { mergeConfig } from "vitest/config"
import { project } from "../../vitest.shared.js"

export default mergeConfig(project("examples"), {
  test: { globalSetup: [fileURLToPath(new URL("test/build.ts", import.meta.url))] }
})
