import { defineConfig } from "vitest/config"
import projects from "./vitest.workspace.js"

// By default one core is left idle, which of two is a half.
export default defineConfig({ test: { projects, maxWorkers: "100%" } })
