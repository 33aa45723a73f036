/**
 * `npm run example -- NAME`: runs an example as a process of its own. If the environment has no credential for Infisical,
 * an emulator is started for it.
 */
import { Command, FileSystem } from "@effect/platform"
import { NodeContext, NodeRuntime } from "@effect/platform-node"
import { Console, Effect } from "effect"
import { Emulator } from "effect-infisical-emulator"
import { fileURLToPath } from "node:url"
import { run, teardown } from "../run-with-secrets.js"
import { variablesOf, world } from "./emulated.js"

const [name = "", ...args] = process.argv.slice(2)
const file = fileURLToPath(new URL(`../${name}.js`, import.meta.url))
const example = Command.make(process.execPath, file, ...args)

/** Also with a prefix, such as `BILLING_INFISICAL_TOKEN`. An empty variable counts as not set. */
const isCredential = ([variable, value]: readonly [string, string | undefined]) =>
  value !== "" &&
  /(^|_)INFISICAL_(TOKEN|ACCESS_TOKEN|AUTH_METHOD|UNIVERSAL_AUTH_CLIENT_ID|KUBERNETES_IDENTITY_ID)$/.test(variable)

const emulated = Effect.gen(function*() {
  const emulator = yield* Emulator.Emulator
  yield* Console.error(`No Infisical is configured: an emulator is started for this example, at ${emulator.url}`)
  const withVariables = Command.env(example, yield* variablesOf(name))
  yield* run(withVariables)
  if (name === "offline-start") {
    yield* emulator.setAvailable(false)
    yield* Console.error("Now the server is gone. The second start:")
    yield* run(withVariables)
  }
}).pipe(Effect.scoped, Effect.provide(Emulator.layer(world)))

const main = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  if (!/^[\w-]+$/.test(name) || !(yield* fs.exists(file))) {
    process.exitCode = 1
    return yield* Console.error("Name an example. packages/examples/README.md lists them.")
  }
  yield* Object.entries(process.env).some(isCredential) ? run(example) : emulated
})

NodeRuntime.runMain(Effect.provide(main, NodeContext.layer), { teardown })
