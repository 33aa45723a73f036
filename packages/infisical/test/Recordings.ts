/**
 * The exchanges that were recorded from a real server: the copies in `recordings`, or those of the folder that the
 * environment variable `WIRE_DIR` names.
 */
import { FileSystem, Path } from "@effect/platform"
import { Config, Effect, Option, Schema } from "effect"
import { fileURLToPath } from "node:url"

export const Recording = Schema.Struct({
  name: Schema.String,
  request: Schema.optional(Schema.Struct({
    method: Schema.String,
    path: Schema.String,
    headers: Schema.Record({ key: Schema.String, value: Schema.String }),
    body: Schema.optional(Schema.Unknown)
  })),
  response: Schema.Struct({
    status: Schema.Number,
    headers: Schema.Record({ key: Schema.String, value: Schema.String }),
    body: Schema.Unknown
  })
})

export type Recording = typeof Recording.Type

export const ownFolder = fileURLToPath(new URL("../../recordings/2024-07", import.meta.url))

/** Every recording of these groups, by group and name. */
export const load = (groups: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const other = yield* Config.option(Config.nonEmptyString("WIRE_DIR"))
    const folder = Option.getOrElse(other, () => ownFolder)
    const recordings: Array<Recording> = []
    for (const group of groups) {
      const files = (yield* fs.exists(path.join(folder, group)))
        ? yield* fs.readDirectory(path.join(folder, group))
        : []
      for (const file of files.filter((file) => file.endsWith(".json")).toSorted()) {
        const text = yield* fs.readFileString(path.join(folder, group, file))
        recordings.push(yield* Schema.decode(Schema.parseJson(Recording))(text))
      }
    }
    return { recordings, own: Option.isNone(other) }
  })
