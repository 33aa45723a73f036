/** The projects of the workspace: one for each package that has tests. */
export default [
  "packages/infisical",
  "packages/infisical-node",
  "packages/infisical-emulator",
  "packages/examples",
  "packages/documentation"
]
