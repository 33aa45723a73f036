import { Effect } from "effect"
import { ProcessEnvironment } from "effect-infisical-node"

export const program = Effect.gen(function*() {
  const { attached, kept } = yield* ProcessEnvironment.attach({ secretPath: "/legacy", overwrite: false })
  yield* Effect.log(`${attached.length} variables set, ${kept.length} were set before`)
  return attached
})
