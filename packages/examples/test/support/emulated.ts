import { NodeContext } from "@effect/platform-node"
import { ConfigProvider, Effect, Layer } from "effect"
import { Emulator } from "effect-infisical-emulator"
import { variablesOf, world } from "../../src/support/emulated.js"

/** The emulator of `npm run example`, in the process of the test. */
export const layer = Layer.merge(Emulator.layer(world), NodeContext.layer)

/** Gives the effect the variables of an example, and others, instead of the environment. */
export const withVariablesOf =
  (example: string, others: Readonly<Record<string, string>> = {}) => <A, E, R>(self: Effect.Effect<A, E, R>) =>
    Effect.gen(function*() {
      const variables = new Map(Object.entries({ ...yield* variablesOf(example), ...others }))
      return yield* Effect.withConfigProvider(self, ConfigProvider.fromMap(variables, { pathDelim: "_" }))
    })
