/**
 * Sealed snapshots in files: one for each location, in a directory that only this user can enter.
 *
 * @since 0.1.0
 */
import { type PlatformError, SystemError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as KeyValueStore from "@effect/platform/KeyValueStore"
import * as Path from "@effect/platform/Path"
import { SnapshotStorage } from "effect-infisical"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { createHash, randomUUID } from "node:crypto"

/**
 * Where the files are.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /**
   * The directory. It is made when something is first stored, with mode 0700; one that is there keeps its mode, and
   * whatever else is in it.
   */
  readonly directory: string
}

const directoryMode = 0o700
const fileMode = 0o600

// Keys are longer than a file's name may be, and differ by case, which not every file system tells apart.
const nameOf = (key: string) => `${createHash("sha256").update(key).digest("hex")}.sealed`
const isStored = (name: string) => /^[0-9a-f]{64}\.sealed$/.test(name)
const isTemporary = (name: string) => /^[0-9a-f]{64}\.sealed\.[0-9a-f-]{36}\.tmp$/.test(name)

/** A JavaScript engine holds no longer text. A larger file is not read: it was not written by this store. */
const maxFileBytes = 512 * 1024 * 1024

const refused = (file: string, description: string) =>
  Effect.fail(
    new SystemError({
      module: "FileSystem",
      method: "readFileString",
      reason: "InvalidData",
      pathOrDescriptor: file,
      description
    })
  )

/** Milliseconds after which a temporary file is left over, and no longer being written. */
const abandonedAfter = 60 * 60 * 1000

/**
 * A store of texts, each in a file of its own with mode 0600 that is replaced at once: a reader while it is
 * written, or after a crash, finds the old text or the new one, whole.
 *
 * What a crash leaves behind beside them is removed when a store is made on that directory an hour later.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  { directory }: Options
): Effect.Effect<KeyValueStore.KeyValueStore, never, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path

    const fileOf = (key: string) => path.join(directory, nameOf(key))
    const names = unlessMissing(fs.readDirectory(directory), () => [])
    const remove = (file: string) => unlessMissing(fs.remove(file), () => undefined)
    const removeAll = (names: ReadonlyArray<string>) =>
      Effect.forEach(names, (name) => remove(path.join(directory, name)), { discard: true })

    const isAbandoned = (name: string) =>
      Effect.zipWith(fs.stat(path.join(directory, name)), Clock.currentTimeMillis, ({ mtime }, now) =>
        Option.exists(mtime, (time) =>
          now - time.getTime() > abandonedAfter))

    // To open a FIFO waits for a writer, in a thread that nothing can interrupt.
    const read = (file: string) =>
      Effect.flatMap(fs.stat(file), ({ size, type }) =>
        type !== "File"
          ? refused(file, "it is no regular file")
          : size > maxFileBytes
          ? refused(file, "it is larger than 512 MiB")
          : fs.readFileString(file))

    // Without a sync, some file systems put the new name in place before the bytes.
    const write = (file: string, text: string) =>
      Effect.scoped(
        Effect.flatMap(fs.open(file, { flag: "wx", mode: fileMode }), (opened) =>
          Effect.zipRight(opened.writeAll(new TextEncoder().encode(text)), opened.sync))
      )

    yield* names.pipe(
      Effect.flatMap((names) =>
        Effect.filter(names.filter(isTemporary), isAbandoned)
      ),
      Effect.flatMap(removeAll),
      Effect.ignore
    )

    return KeyValueStore.makeStringOnly({
      get: (key) => unlessMissing(Effect.asSome(read(fileOf(key))), () => Option.none()),

      set: (key, text) =>
        Effect.gen(function*() {
          const temporary = `${fileOf(key)}.${randomUUID()}.tmp`
          yield* fs.makeDirectory(directory, { recursive: true, mode: directoryMode })
          yield* write(temporary, text).pipe(
            Effect.zipRight(fs.rename(temporary, fileOf(key))),
            Effect.onError(() => Effect.ignore(fs.remove(temporary)))
          )
          // A write that is under way cannot be called back; its file must not be closed before it ends.
        }).pipe(Effect.uninterruptible),

      remove: (key) => remove(fileOf(key)),

      clear: Effect.flatMap(names, (names) => removeAll(names.filter((name) => isStored(name) || isTemporary(name)))),

      size: Effect.map(names, (names) => names.filter(isStored).length)
    })
  })

const unlessMissing = <A>(
  effect: Effect.Effect<A, PlatformError>,
  otherwise: () => A
): Effect.Effect<A, PlatformError> =>
  Effect.catchIf(
    effect,
    (error) => error._tag === "SystemError" && error.reason === "NotFound",
    () => Effect.sync(otherwise)
  )

/**
 * Keeps sealed snapshots in files of a directory.
 *
 * It is built whether or not the directory can be written: what cannot be stored is logged as a warning, and reads go
 * on.
 *
 * @example
 * ```ts
 * import { FetchHttpClient } from "@effect/platform"
 * import { NodeContext } from "@effect/platform-node"
 * import { NodeInfisical, NodeSnapshotStorage } from "effect-infisical-node"
 * import { Layer } from "effect"
 *
 * const InfisicalLive = NodeInfisical.layerSealedConfig().pipe(
 *   Layer.provide(NodeSnapshotStorage.layer({ directory: "/var/lib/my-service/secrets" })),
 *   Layer.provide([FetchHttpClient.layer, NodeContext.layer])
 * )
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: Options
): Layer.Layer<SnapshotStorage.SnapshotStorage, never, FileSystem.FileSystem | Path.Path> =>
  Layer.effect(SnapshotStorage.SnapshotStorage, make(options))
