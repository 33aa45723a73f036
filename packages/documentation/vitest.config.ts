import { project } from "../../vitest.shared.js"

export default project("documentation", {
  // Snippets that are tests themselves run with the others.
  include: ["snippets/**/*.test.ts"],
  runsProcesses: true
})
