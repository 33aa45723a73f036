import { Command, FetchHttpClient } from "@effect/platform"
import { Console, Data, Deferred, Effect, Fiber, Layer, Logger, LogLevel, Option, Redacted, Ref, Stream } from "effect"
import { Credential, Infisical, Secrets } from "effect-infisical"
import { fileURLToPath } from "node:url"
import { parseEnv } from "node:util"
import * as EmulatorCommand from "../src/command/Command.js"

const bin = fileURLToPath(new URL("../dist/bin.js", import.meta.url))

const command = (...args: ReadonlyArray<string>) => Command.make(globalThis.process.execPath, bin, ...args)

const text = <E>(stream: Stream.Stream<Uint8Array, E>) => Stream.mkString(Stream.decodeText(stream))

/** The command ended before it listened. */
export class EndedError extends Data.TaggedError("EndedError")<{ readonly log: string }> {}

/** Runs the command to its end. */
export const run = (...args: ReadonlyArray<string>) =>
  Effect.scoped(Effect.flatMap(
    Command.start(command(...args)),
    (process) =>
      Effect.all(
        { exitCode: process.exitCode, stdout: text(process.stdout), stderr: text(process.stderr) },
        { concurrency: "unbounded" }
      )
  ))

/** What the command printed so far, where it is all. */
const connection = (printed: string) => {
  const variables = parseEnv(printed.replaceAll(/^# (?=INFISICAL_\w+=)/gm, ""))
  const { INFISICAL_TOKEN: token, SITE_URL: url } = variables
  return printed.includes("Ctrl+C") && token !== undefined && url !== undefined
    ? Option.some({ url, token: Redacted.make(token) })
    : Option.none()
}

/** Starts the command, and waits until it listens. It is killed with the scope, if it still runs. */
export const start = (...args: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    // The era in which service tokens come with encrypted secrets, unless another one is given.
    const process = yield* Command.start(command("--era", "2024-07", ...args))
    const log = yield* Ref.make("")
    const printed = yield* Ref.make("")
    const listening = yield* Deferred.make<{ readonly url: string; readonly token: Redacted.Redacted<string> }>()
    // Both are read to their ends: a process whose output nobody reads stands still.
    yield* process.stderr.pipe(
      Stream.decodeText(),
      Stream.runForEach((chunk) => Ref.update(log, (all) => all + chunk)),
      Effect.forkScoped
    )
    yield* process.stdout.pipe(
      Stream.decodeText(),
      Stream.runForEach((chunk) =>
        Effect.flatMap(
          Ref.updateAndGet(printed, (all) => all + chunk),
          (all) => Effect.flatMap(connection(all), (found) => Deferred.succeed(listening, found)).pipe(Effect.ignore)
        )
      ),
      Effect.forkScoped
    )
    const { token, url } = yield* Effect.raceFirst(
      Deferred.await(listening),
      Effect.exit(process.exitCode).pipe(
        Effect.zipRight(Ref.get(log)),
        Effect.flatMap((log) => new EndedError({ log }))
      )
    )
    return { url, token, process, log: Ref.get(log), printed: Ref.get(printed) }
  })

/** The same command in this process, which takes no time to load. It ends with the scope. */
export const startHere = (...args: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const printed = yield* Ref.make("")
    const listening = yield* Deferred.make<{ readonly url: string; readonly token: Redacted.Redacted<string> }>()
    const console = Console.Console.of({
      ...(yield* Effect.console),
      log: (line) =>
        Effect.flatMap(
          Ref.updateAndGet(printed, (all) => `${all}${String(line)}\n`),
          (all) => Effect.flatMap(connection(all), (found) => Deferred.succeed(listening, found)).pipe(Effect.ignore)
        )
    })
    const fiber = yield* EmulatorCommand.run(args).pipe(
      Effect.withConsole(console),
      Logger.withMinimumLogLevel(LogLevel.None),
      Effect.forkScoped
    )
    const ended = Effect.zipRight(Fiber.join(fiber), Effect.dieMessage("The command ended"))
    const { token, url } = yield* Effect.raceFirst(Deferred.await(listening), ended)
    return { url, token, printed: yield* Ref.get(printed) }
  })

export type Running = Effect.Effect.Success<ReturnType<typeof start>>

/** The SDK, as a user of the command sets it. */
export const client = ({ token, url }: Pick<Running, "token" | "url">) =>
  Layer.build(
    Infisical.layer({
      credential: Credential.serviceToken(token),
      siteUrl: url,
      fallback: false,
      refresh: false,
      // Under load, hundreds of requests at once take long.
      requestTimeout: "1 minute",
      retry: { times: 0, deadline: "2 minutes" }
    }).pipe(Layer.provide(FetchHttpClient.layer))
  ).pipe(Effect.flatMap((context) => Effect.provide(Secrets.Secrets, context)))

/** The value of a secret, if there is one. */
export const valueOf = (secrets: Secrets.Service, name: string) =>
  secrets.get(name).pipe(
    Effect.map(({ value }) => Option.some(Redacted.value(value))),
    Effect.catchTag("NotFoundError", () => Effect.succeedNone)
  )
