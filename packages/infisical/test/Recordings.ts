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

/** The folders of `recordings`, by era. */
export const folders = ["2024-07", "2024-07-b", "2024-10"] as const

export const folderOf = (folder: typeof folders[number]): string =>
  fileURLToPath(new URL(`../../recordings/${folder}`, import.meta.url))

const ownFolder = folderOf("2024-07")

/** Every recording of these groups, by group and name. */
export const load = (groups: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const other = yield* Config.option(Config.nonEmptyString("WIRE_DIR"))
    const folder = Option.getOrElse(other, () => ownFolder)
    const present = yield* Effect.filter(groups, (group) => fs.exists(path.join(folder, group)))
    const recordings = yield* Effect.forEach(present, (group) => readGroup(path.join(folder, group)))
    return { recordings: recordings.flat(), own: Option.isNone(other) }
  })

/** Every recording of a folder. Beside the groups there is `world.json`. */
export const loadFolder = (folder: string) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const entries = (yield* fs.readDirectory(folder)).toSorted().map((entry) => path.join(folder, entry))
    const groups = yield* Effect.filter(entries, (entry) =>
      Effect.map(fs.stat(entry), ({ type }) => type === "Directory"))
    return (yield* Effect.forEach(groups, readGroup)).flat()
  })

const readGroup = (group: string) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const files = (yield* fs.readDirectory(group)).filter((file) => file.endsWith(".json")).toSorted()
    return yield* Effect.forEach(files, (file) =>
      Effect.flatMap(fs.readFileString(path.join(group, file)), Schema.decode(Schema.parseJson(Recording))))
  })
