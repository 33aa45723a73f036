/**
 * Runs a command with the secrets in its environment, and none of them on the disk. It passes signals on to the command,
 * waits for its end, and ends with its exit code.
 *
 *     npm run example -- run-with-secrets node -p 'process.env.DATABASE_URL'
 */
import { Command, type CommandExecutor, FetchHttpClient } from "@effect/platform"
import { NodeContext, NodeRuntime } from "@effect/platform-node"
import { Effect, Exit, Layer, Runtime } from "effect"
import { NodeInfisical, ProcessEnvironment } from "effect-infisical-node"
import { constants } from "node:os"

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const

/** Passes signals on to the process while the scope is open. */
const passSignalsOn = (child: CommandExecutor.Process) =>
  Effect.acquireRelease(
    Effect.map(Effect.runtime(), (runtime) => {
      const pass = (signal: typeof signals[number]) => {
        Runtime.runFork(runtime)(Effect.ignore(child.kill(signal)))
      }
      for (const signal of signals) process.on(signal, pass)
      return pass
    }),
    (pass) =>
      Effect.sync(() => {
        for (const signal of signals) process.off(signal, pass)
      })
  )

/** A command that a signal ended has no exit code. Shells make it 128 and the number of the signal. */
const codeOfSignal = (message: string) =>
  128 + (Object.entries(constants.signals).find(([name]) => message.endsWith(name))?.[1] ?? 0)

/** Runs a command to its end, even if this process is told to stop. Its exit code becomes that of this process. */
export const run = (command: Command.Command) =>
  Effect.gen(function*() {
    const child = yield* Command.start(
      command.pipe(Command.stdin("inherit"), Command.stdout("inherit"), Command.stderr("inherit"))
    )
    yield* passSignalsOn(child)
    process.exitCode = yield* Effect.catchAll(child.exitCode, ({ message }) => Effect.succeed(codeOfSignal(message)))
  }).pipe(Effect.scoped, Effect.uninterruptible)

const InfisicalLive = NodeInfisical.layerConfig().pipe(Layer.provide(FetchHttpClient.layer))

const main = Effect.gen(function*() {
  const [name = "env", ...args] = process.argv.slice(2)
  // A command inherits the environment of this process.
  yield* Effect.provide(ProcessEnvironment.attach(), InfisicalLive)
  yield* run(Command.make(name, ...args))
})

/** Ends with the exit code of the command, or with 1 if it did not run. */
export const teardown = <A, E>(exit: Exit.Exit<A, E>, onExit: (code: number) => void) =>
  onExit(Number(process.exitCode ?? (Exit.isSuccess(exit) ? 0 : 1)))

if (process.argv[1] === import.meta.filename) {
  NodeRuntime.runMain(Effect.provide(main, NodeContext.layer), { teardown })
}
