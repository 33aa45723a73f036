/** Processes of examples. */
import { Command, type CommandExecutor } from "@effect/platform"
import { Effect, Option, Ref, Stream, SubscriptionRef } from "effect"
import { fileURLToPath } from "node:url"

/** The process of a script that was built, and what it prints. It is stopped with the scope. */
export const start = (
  script: string,
  args: ReadonlyArray<string>,
  variables: Readonly<Record<string, string>> = {}
) =>
  Effect.gen(function*() {
    const file = fileURLToPath(new URL(`../../dist/${script}.js`, import.meta.url))
    const child = yield* Command.start(Command.make(process.execPath, file, ...args).pipe(Command.env(variables)))
    const printed = yield* SubscriptionRef.make("")
    const collected = yield* Stream.merge(child.stdout, child.stderr).pipe(
      Stream.decodeText(),
      Stream.runForEach((text) => Ref.update(printed, (all) => all + text)),
      Effect.forkScoped
    )
    return {
      /** What is printed, once it matches. It dies if the process ends before. */
      until: (pattern: RegExp) =>
        printed.changes.pipe(
          Stream.filterMap((text) => Option.fromNullable(pattern.exec(text))),
          Stream.runHead,
          Effect.map(Option.getOrThrow),
          Effect.raceFirst(
            Effect.zipRight(
              Effect.exit(collected),
              Effect.flatMap(
                printed,
                (text) => pattern.test(text) ? Effect.never : Effect.dieMessage(`It ended, and had printed: ${text}`)
              )
            )
          )
        ),
      kill: (signal: CommandExecutor.Signal) => child.kill(signal),
      /** The exit code and all that was printed, once it has ended. */
      ended: Effect.zipRight(
        Effect.exit(collected),
        Effect.all({ code: Effect.map(child.exitCode, Number), text: printed })
      )
    }
  })
