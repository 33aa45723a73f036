/** The arguments of the command. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { parseArgs } from "node:util"

export interface Arguments {
  readonly world: string | undefined
  readonly env: string | undefined
  readonly host: string
  readonly port: number
  readonly era: string | undefined
  readonly persist: string | undefined
  readonly control: boolean
  readonly help: boolean
  readonly version: boolean
}

/** The arguments make no sense. */
export class ArgumentError extends Data.TaggedError("ArgumentError")<{ readonly problem: string }> {
  override get message(): string {
    return `${this.problem}\nRun effect-infisical-emulator --help to see what there is.`
  }
}

export const help = `An Infisical-compatible server in memory, for development and tests. It is no vault.

Usage: effect-infisical-emulator [options]

  --world FILE    what the server holds: JSON of projects, folders, secrets and tokens
                  (by default one project without secrets, with a machine
                  identity and a service token)
  --env FILE      a dotenv file instead: its variables in one project, environment dev, path /
  --port NUMBER   where it listens (by default a port that is free)
  --host ADDRESS  on which address (by default 127.0.0.1: this machine alone)
  --era ERA       which servers' statuses and routes it has (by default the world's)
  --persist FILE  keeps the state in a file, which it reads when it starts again
  --control       faults can be added, listed and cleared at /__emulator/faults
  --version       shows the version
  --help, -h      shows this

It prints lines for a .env file on the standard output, and logs requests on the standard error.`

/** The arguments as they were given, with their defaults. */
export const parse = (args: ReadonlyArray<string>): Effect.Effect<Arguments, ArgumentError> =>
  Effect.gen(function*() {
    const { values } = yield* Effect.try({
      try: () =>
        parseArgs({
          args: [...args],
          options: {
            world: { type: "string" },
            env: { type: "string" },
            host: { type: "string", default: "127.0.0.1" },
            port: { type: "string", default: "0" },
            era: { type: "string" },
            persist: { type: "string" },
            control: { type: "boolean", default: false },
            help: { type: "boolean", short: "h", default: false },
            version: { type: "boolean", default: false }
          }
        }),
      catch: (error) => new ArgumentError({ problem: error instanceof Error ? error.message : String(error) })
    })
    const { control, env, era, help, host, persist, port, version, world } = values
    if (world !== undefined && env !== undefined) {
      return yield* new ArgumentError({ problem: "--world and --env both say what the server holds: give one" })
    }
    if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
      return yield* new ArgumentError({ problem: "--port must be a number from 0 to 65535" })
    }
    return { world, env, host, port: Number(port), era, persist, control, help, version }
  })
