import { defineConfig } from "vitest/config"
import projects from "./vitest.workspace.js"

export default defineConfig({
  test: {
    projects,
    // By default one core is left idle, which of two is a half.
    maxWorkers: "100%",
    // Of the pool; `vitest.shared.ts` says it to the workers.
    isolate: false
  }
})
