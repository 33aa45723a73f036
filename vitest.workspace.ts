/** The projects of the workspace: one for each package that has tests, and for each source that secrets come from. */
export default [
  "packages/infisical",
  "packages/infisical/vitest.v3.config.ts",
  "packages/infisical/vitest.v4.config.ts",
  "packages/infisical-node",
  "packages/infisical-emulator",
  "packages/examples"
]
