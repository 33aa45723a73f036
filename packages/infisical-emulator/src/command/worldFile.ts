/** The world of the command: a JSON file, a dotenv file, or nothing. */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import { parseEnv } from "node:util"
import * as JsonMistake from "./jsonMistake.js"

/** The file cannot be read, or is no world. Nothing of it is quoted. */
export class WorldFileError extends Data.TaggedError("WorldFileError")<{
  readonly file: string
  readonly problem: string
}> {
  override get message(): string {
    return `${this.file} ${this.problem}`
  }
}

/** What the arguments describe. */
export const read = (
  { env, era, world }: {
    readonly world: string | undefined
    readonly env: string | undefined
    readonly era: string | undefined
  }
): Effect.Effect<object, WorldFileError, FileSystem.FileSystem> =>
  Effect.map(
    world !== undefined
      ? Effect.flatMap(readFile(world), (text) => parseJson(world, text))
      : env !== undefined
      ? Effect.map(readFile(env), (text) => ({ ...bothCredentials, secrets: variables(text) }))
      : Effect.succeed(bothCredentials),
    (input) => withEra(input, era)
  )

/** A machine identity, and by default a service token. */
const bothCredentials = { identities: { main: {} } }

const readFile = (file: string): Effect.Effect<string, WorldFileError, FileSystem.FileSystem> =>
  Effect.flatMap(FileSystem.FileSystem, (fs) =>
    Effect.mapError(
      fs.readFileString(file),
      (error) =>
        new WorldFileError({
          file,
          problem: error._tag === "SystemError" && error.reason === "NotFound"
            ? "does not exist"
            : `cannot be read: ${error.message}`
        })
    ))

// What it says is checked with the rest of the world: whether the world knows eras at all, and this one.
const withEra = (input: object, era: string | undefined): object => era === undefined ? input : { ...input, era }

const variables = (text: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(parseEnv(text)).flatMap(([name, value]) => value === undefined ? [] : [[name, value]])
  )

const parseJson = (file: string, text: string): Effect.Effect<object, WorldFileError> =>
  Effect.try({
    try: (): unknown => JSON.parse(text),
    catch: () => new WorldFileError({ file, problem: `is not JSON${placeOf(text)}` })
  }).pipe(
    Effect.filterOrFail(
      (json): json is object => Predicate.isReadonlyRecord(json),
      () => new WorldFileError({ file, problem: "must hold a JSON object" })
    )
  )

// The message of the engine quotes the text, which may be a secret, and does not always tell the position.
const placeOf = (text: string): string => {
  const lines = text.slice(0, JsonMistake.position(text)).split("\n")
  return `: see line ${lines.length}, column ${(lines.at(-1) ?? "").length + 1}`
}
