import { fileURLToPath } from "node:url"
import { mergeConfig } from "vitest/config"
import { project } from "../../vitest.shared.js"

export default mergeConfig(project("documentation"), {
  test: {
    // Snippets that are tests themselves run with the others.
    include: ["snippets/**/*.test.ts"],
    globalSetup: [fileURLToPath(new URL("test/build.ts", import.meta.url))]
  }
})
