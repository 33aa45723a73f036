/**
 * The command `effect-infisical-emulator`: the emulator as a process of its own.
 *
 * @since 0.1.0
 */
import * as FileSystem from "@effect/platform/FileSystem"
import type * as HttpServerError from "@effect/platform/HttpServerError"
import type * as Path from "@effect/platform/Path"
import { Crypto } from "effect-infisical"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { createRequire } from "node:module"
import * as Emulator from "../Emulator.js"
import * as Persistence from "../persistence/Persistence.js"
import * as EmulatorState from "../state/EmulatorState.js"
import * as World from "../world/World.js"
import * as Arguments from "./arguments.js"
import * as EnvLines from "./envLines.js"
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
    if (settings.version) return yield* Effect.flatMap(version, Console.log)
    yield* serve(settings)
  }).pipe(
    Effect.scoped,
    Effect.provide(Crypto.layer),
    Effect.catchTags({
      ArgumentError: fail,
      FileInUseError: fail,
      PersistenceError: fail,
      WorldFileError: fail,
      WorldError: fail,
      ServeError: (error) => fail({ message: `The server cannot listen there: ${reasonOf(error)}` })
    })
  )

/** Of the package, whose own name leads to it from every folder. */
const version = Effect.flatMap(
  FileSystem.FileSystem,
  (fs) => fs.readFileString(createRequire(import.meta.url).resolve("effect-infisical-emulator/package.json"))
).pipe(
  Effect.flatMap(Schema.decode(Schema.parseJson(Schema.Struct({ version: Schema.String })))),
  Effect.map(({ version }) => version),
  Effect.mapError(() => new CommandError({ problem: "The package.json of the command cannot be read" }))
)

const fail = ({ message }: { readonly message: string }) => new CommandError({ problem: message })

const reasonOf = ({ cause }: HttpServerError.ServeError): string => cause instanceof Error ? cause.message : "no reason"

const serve = (settings: Arguments.Arguments) =>
  Effect.gen(function*() {
    const initial = Effect.flatMap(WorldFile.read(settings), EmulatorState.make)
    const persisted = settings.persist === undefined ? undefined : yield* Persistence.make(settings.persist, initial)
    const held = persisted?.held ?? (yield* initial)
    const state = yield* Ref.get(held.service.state)
    const withReference = yield* Reference.make(state.era)
    const emulator = yield* Emulator.serve(held, {
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
    const site = siteOf(emulator.url)
    yield* Console.log(
      [
        ...about(settings, emulator.url, state.era, persisted).map(EnvLines.comment),
        "",
        EnvLines.assignment("INFISICAL_API_URL", site),
        EnvLines.assignment("SITE_URL", site),
        ...EnvLines.alternatives([...identitiesOf(held.world, state), ...serviceTokensOf(held.world)]),
        "",
        EnvLines.comment("Press Ctrl+C to stop the server.")
      ].join("\n")
    )
    yield* Effect.never
  })

const about = (
  { control, host, persist }: Arguments.Arguments,
  url: string,
  era: World.Era,
  persisted: Persistence.Persisted | undefined
): ReadonlyArray<string> => [
  "An Infisical-compatible server for development and tests. It is no vault: nothing in it is protected.",
  `Listening on ${url}, as a server of era ${era}`,
  ...(isLoopback(url)
    ? []
    : [`--host ${host} is not this machine alone: anyone who can reach it can read and change every secret.`]),
  `API reference: ${siteOf(url)}${Reference.path}`,
  ...(control ? [`Faults: ${siteOf(url)}/__emulator/faults`] : []),
  persisted === undefined
    ? "The state is in memory: it is gone when the server stops."
    : persisted.restored
    ? `The state is that of ${persist}; a world is only read where there is no such file.`
    : `The state is kept in ${persist}.`,
  "These lines can be pasted into a .env file."
]

const identitiesOf = (world: World.Resolved, { identities }: EmulatorState.State): ReadonlyArray<EnvLines.Section> =>
  mainFirst(world.identities).map(([name, { clientId, clientSecret, id }]) => {
    const roles = identities.find((identity) => identity.id === id)?.roles ?? {}
    const project = mainFirst(world.projects).map(([, project]) => project).find((project) =>
      (roles[project.id] ?? "none") !== "none"
    )
    return {
      title: `machine identity "${name}"`,
      variables: [
        ["INFISICAL_UNIVERSAL_AUTH_CLIENT_ID", clientId],
        ["INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET", Redacted.value(clientSecret)],
        ...(project === undefined ? [] : [["INFISICAL_PROJECT_ID", project.id] as const])
      ]
    }
  })

const serviceTokensOf = ({ serviceTokens }: World.Resolved): ReadonlyArray<EnvLines.Section> =>
  mainFirst(serviceTokens).map(([name, token]) => ({
    title: `service token "${name}"`,
    variables: [["INFISICAL_TOKEN", Redacted.value(token)]]
  }))

/** The entries of a world, as a user who names none means them. */
const mainFirst = <A>(entries: Readonly<Record<string, A>>): ReadonlyArray<readonly [string, A]> =>
  Object.entries(entries).toSorted(([left], [right]) =>
    Number(right === World.mainName) - Number(left === World.mainName)
  )

// A server that listens everywhere is reached here, too.
const siteOf = (url: string): string => url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")

const isLoopback = (url: string): boolean => /^http:\/\/(127\.|\[::1\])/.test(url)
