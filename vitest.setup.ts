/**
 * Gives each file of tests the `it` of `@effect/vitest` as it was: in 0.30, `layer` writes the `effect` and `scoped` of
 * its own runtime on the one `it` that the files of a worker share.
 */
import { it, makeMethods } from "@effect/vitest"

makeMethods(it)
