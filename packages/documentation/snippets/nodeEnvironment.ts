import { Effect } from "effect"
import { ProcessEnvironment } from "effect-infisical-node"

export const program = Effect.gen(function*() {
  const { attached } = yield* ProcessEnvironment.attach({ secretPath: "/billing" })
  yield* Effect.log(`${attached.length} secrets attached`)
}) // needs Secrets, from InfisicalLive
