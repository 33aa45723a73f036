/**
 * The command `effect-infisical-emulator`: the emulator as a process of its own.
 *
 * @since 0.1.0
 */
import type * as FileSystem from "@effect/platform/FileSystem"
import type * as HttpServerError from "@effect/platform/HttpServerError"
import type * as Path from "@effect/platform/Path"
import { Crypto } from "effect-infisical"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Emulator from "../Emulator.js"
import * as Persistence from "../persistence/Persistence.js"
import * as EmulatorState from "../state/EmulatorState.js"
import * as Arguments from "./arguments.js"
import * as Reference from "./reference.js"
import * as RequestLog from "./requestLog.js"
import * as WorldFile from "./worldFile.js"

/**
 * The command cannot do what it was asked for. The message says why, and quotes nothing that may be secret.
 *
 * @since 0.1.0
 * @category errors
 */
export class CommandError extends Data.TaggedError("CommandError")<{ readonly problem: string }> {
  override get message(): string {
    return this.problem
  }
}

/**
 * Runs the command with its arguments: serves until it is interrupted.
 *
 * Fails with `CommandError` where the arguments, the world or the file that keeps the state have mistakes, or there is
 * no such port to be had.
 *
 * @since 0.1.0
 * @category constructors
 */
export const run = (
  args: ReadonlyArray<string>
): Effect.Effect<void, CommandError, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function*() {
    const settings = yield* Arguments.parse(args)
    if (settings.help) return yield* Console.log(Arguments.help)
    yield* serve(settings)
  }).pipe(
    Effect.scoped,
    Effect.provide(Crypto.layer),
    Effect.catchTags({
      ArgumentError: fail,
      PersistenceError: fail,
      WorldFileError: fail,
      WorldError: fail,
      ServeError: (error) => fail({ message: `The server cannot listen there: ${reasonOf(error)}` })
    })
  )

const fail = ({ message }: { readonly message: string }) => new CommandError({ problem: message })

const reasonOf = ({ cause }: HttpServerError.ServeError): string => cause instanceof Error ? cause.message : "no reason"

const serve = (settings: Arguments.Arguments) =>
  Effect.gen(function*() {
    const initial = Effect.flatMap(WorldFile.read(settings), EmulatorState.make)
    const persisted = settings.persist === undefined ? undefined : yield* Persistence.make(settings.persist, initial)
    const withReference = yield* Reference.make
    const emulator = yield* Emulator.serve(persisted?.held ?? (yield* initial), {
      host: settings.host,
      port: settings.port,
      controlRoute: settings.control,
      middleware: (app) =>
        RequestLog.logged(
          withReference(persisted === undefined ? app : Persistence.acknowledge(persisted, app))
        )
    })
    // Nobody asks for them, and a server may run for long.
    yield* Effect.forkScoped(Effect.repeat(emulator.resetRequests, Schedule.spaced("1 minute")))
    yield* Console.log(banner(settings, emulator, persisted).join("\n"))
    yield* Effect.never
  })

const banner = (
  { control, host, persist }: Arguments.Arguments,
  { url, world }: Emulator.Service,
  persisted: Persistence.Persisted | undefined
): ReadonlyArray<string> => {
  const site = siteOf(url)
  return [
    "An Infisical-compatible server for development and tests. It is no vault: nothing in it is protected.",
    "",
    `Listening on ${url}`,
    ...(isLoopback(url)
      ? []
      : [`--host ${host} is not this machine alone: whoever reaches it can read and change every secret.`]),
    `API reference: ${site}${Reference.path}`,
    ...(control ? [`Faults: ${site}/__emulator/faults`] : []),
    ...(persisted === undefined
      ? ["The state is in memory: it is gone when the server stops."]
      : persisted.restored
      ? [`The state is that of ${persist}; a world is only read where there is no such file.`]
      : [`The state is kept in ${persist}.`]),
    "",
    "To connect:",
    ...Object.entries(world.serviceTokens).map(([name, token]) =>
      `INFISICAL_TOKEN=${quoted(Redacted.value(token))} SITE_URL=${site} # service token "${name}"`
    ),
    ...Object.entries(world.identities).map(([name, { clientId, clientSecret }]) =>
      [
        `INFISICAL_UNIVERSAL_AUTH_CLIENT_ID=${quoted(clientId)}`,
        `INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET=${quoted(Redacted.value(clientSecret))}`,
        `INFISICAL_PROJECT_ID=${Object.values(world.projects)[0]?.id ?? ""}`,
        `SITE_URL=${site} # machine identity "${name}"`
      ].join(" ")
    ),
    ""
  ]
}

// A server that listens everywhere is reached here, too.
const siteOf = (url: string): string => url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")

const isLoopback = (url: string): boolean => /^http:\/\/(127\.|\[::1\])/.test(url)

/** As a shell reads it. */
const quoted = (text: string): string => /^[\w.-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
