/**
 * The state in a file, so that it survives a restart and a crash.
 *
 * Whatever was acknowledged is in the file before the answer leaves: written whole to a temporary file beside it, synced,
 * and put in its place at once. Writes that wait for the file at the same time share one. Only its owner can read it,
 * but it is no vault: project keys and tokens are in it in plain text.
 *
 * @since 0.1.0
 */
import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Path from "@effect/platform/Path"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as EmulatorState from "../state/EmulatorState.js"
import * as World from "../world/World.js"
import * as Changes from "./changes.js"
import { Content } from "./content.js"
import * as FileLock from "./fileLock.js"

export { Content } from "./content.js"

/**
 * The file cannot be read or written, or is not what this module wrote. Nothing of it is quoted.
 *
 * @since 0.1.0
 * @category errors
 */
export class PersistenceError extends Data.TaggedError("PersistenceError")<{
  readonly file: string
  readonly problem: string
}> {
  override get message(): string {
    return `${this.file} ${this.problem}`
  }
}

/**
 * Another process, or another emulator of this process, keeps its state in the file.
 *
 * @since 0.1.0
 * @category errors
 */
export class FileInUseError extends Data.TaggedError("FileInUseError")<{
  readonly file: string
  /** The process that uses the file. */
  readonly pid: number
  readonly host: string
  readonly lockFile: string
}> {
  override get message(): string {
    return `${this.file} is in use by process ${this.pid} on ${this.host}. Stop that process, or use another file. If it is not an emulator, remove ${this.lockFile}.`
  }
}

/**
 * A state that is kept in a file.
 *
 * @since 0.1.0
 * @category models
 */
export interface Persisted {
  readonly held: EmulatorState.Held
  /** Whether the file was there. */
  readonly restored: boolean
  /** Ends when everything that the state holds now is in the file. */
  readonly save: Effect.Effect<void, PersistenceError>
  /**
   * Runs an effect that changes the state, and ends when the change is in the file.
   *
   * If the file cannot be written, the state becomes the one that was saved last, and every change that runs or waits
   * then fails with `PersistenceError`.
   */
  readonly change: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E | PersistenceError, R>
}

/**
 * What a file holds; where there is no such file yet, what is given, which is then in the file. What has changed by the
 * end of the scope is saved. Until then the file is locked, by a file beside it whose name ends in `.lock`; the lock of
 * a process that no longer runs does not count.
 *
 * Fails with `FileInUseError` where another process has locked the file, and with `PersistenceError` where the file
 * cannot be read or written, or is corrupt; it is left as it is then.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = <E, R>(
  file: string,
  initial: Effect.Effect<EmulatorState.Held, E, R>
): Effect.Effect<
  Persisted,
  E | FileInUseError | PersistenceError,
  R | FileSystem.FileSystem | Path.Path | Scope.Scope
> =>
  releasedOnFailure(Effect.gen(function*() {
    yield* lock(file)
    const content = yield* read(file)
    const held = Option.isSome(content)
      ? { service: yield* EmulatorState.makeService(content.value.state), world: content.value.world }
      : yield* initial
    const { state } = held.service

    const write = yield* makeWrite(file, held.world, Option.map(content, ({ state }) => state))
    /** The state that was saved last. */
    const saved = yield* Ref.make(yield* Ref.get(state))
    const { change, save } = yield* Changes.make({
      // Read now, not when the caller came: an earlier caller may have saved the change.
      save: Effect.flatMap(Effect.tap(Ref.get(state), write), (written) => Ref.set(saved, written)),
      restore: Effect.flatMap(Ref.get(saved), (last) => Ref.set(state, last))
    })

    yield* save
    yield* Effect.addFinalizer(() => Effect.catchAll(save, ({ message }) => Effect.logError(message)))
    return { held, restored: Option.isSome(content), save, change }
  }))

/** The resources of an effect that fails are released at once, not with the scope. */
const releasedOnFailure = <A, E, R>(
  effect: Effect.Effect<A, E, R | Scope.Scope>
): Effect.Effect<A, E, R | Scope.Scope> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(
      Effect.flatMap(Effect.scope, (parent) => Scope.fork(parent, ExecutionStrategy.sequential)),
      (scope) =>
        Effect.onExit(
          restore(Scope.extend(effect, scope)),
          (exit) => Exit.isFailure(exit) ? Scope.close(scope, exit) : Effect.void
        )
    )
  )

const lock = (file: string) =>
  Effect.mapError(FileLock.hold(file), (error) =>
    error._tag === "HeldError"
      ? new FileInUseError({ file, pid: error.holder.pid, host: error.holder.host, lockFile: error.lockFile })
      : new PersistenceError({ file, problem: `cannot be locked: ${error.message}` }))

const read = (file: string): Effect.Effect<Option.Option<Content>, PersistenceError, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const unreadable = ({ message }: PlatformError) =>
      new PersistenceError({ file, problem: `cannot be read: ${message}` })
    return (yield* Effect.mapError(fs.exists(file), unreadable))
      ? Option.some(yield* decode(file, yield* Effect.mapError(fs.readFileString(file), unreadable)))
      : Option.none()
  })

/** Writes a state to the file, unless it is there already. */
const makeWrite = (file: string, world: World.Resolved, present: Option.Option<EmulatorState.State>) =>
  Effect.gen(function*() {
    const services = yield* Effect.context<FileSystem.FileSystem | Path.Path>()
    /** The state in the file. After a failed write it is not known. */
    const inFile = yield* Ref.make(present)
    return (state: EmulatorState.State): Effect.Effect<void, PersistenceError> =>
      Effect.gen(function*() {
        if (Option.contains(yield* Ref.get(inFile), state)) return
        yield* Ref.set(inFile, Option.none())
        yield* Effect.mapError(
          replace(file, yield* encode({ version: 1, state, world })),
          ({ message }) => new PersistenceError({ file, problem: `cannot be written: ${message}` })
        )
        yield* Ref.set(inFile, Option.some(state))
      }).pipe(Effect.provide(services))
  })

/**
 * The app, which answers a write only when it is in the file. Where it cannot be, it answers 500, and the write is
 * undone.
 *
 * @since 0.1.0
 * @category combinators
 */
export const acknowledge = <E, R>(self: Persisted, app: HttpApp.Default<E, R>): HttpApp.Default<E, R> =>
  Effect.flatMap(HttpServerRequest.HttpServerRequest, ({ method }) =>
    // A read changes nothing but when its token was last used.
    method === "GET" || method === "HEAD" ? app : Effect.catchIf(
      self.change(app),
      (error) => error instanceof PersistenceError,
      ({ message }) => Effect.as(Effect.logError(message), notStored)
    ))

const notStored = HttpServerResponse.text(
  JSON.stringify({ statusCode: 500, message: "The change could not be stored", error: "Internal Server Error" }),
  { status: 500, contentType: "application/json; charset=utf-8" }
)

const decode = (file: string, text: string): Effect.Effect<Content, PersistenceError> => {
  const corrupt = (problem: string) => new PersistenceError({ file, problem: `is corrupt: ${problem}` })
  return Effect.try({ try: (): unknown => JSON.parse(text), catch: () => corrupt("it is not JSON") }).pipe(
    Effect.flatMap((json) =>
      Effect.mapError(
        Schema.decodeUnknown(Content, { onExcessProperty: "error" })(json),
        (error) => corrupt(World.fromParseError(error).map(({ place, problem }) => `${place} ${problem}`).join("; "))
      )
    )
  )
}

const encode = (content: Content): Effect.Effect<string> =>
  // With what the schema does not know it would be lost.
  Schema.encode(Content, { onExcessProperty: "error" })(content).pipe(
    Effect.map((json) => JSON.stringify(json)),
    // The error would show what it is about.
    Effect.catchAll(() => Effect.dieMessage("The schema of the file does not fit the state"))
  )

const replace = (
  file: string,
  text: string
): Effect.Effect<void, PlatformError, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const folder = (yield* Path.Path).dirname(file)
    const temporary = `${file}.tmp`
    const removeTemporary = fs.remove(temporary, { force: true })
    // A crash may have left it.
    yield* removeTemporary
    yield* Effect.scoped(Effect.gen(function*() {
      const opened = yield* fs.open(temporary, { flag: "wx", mode: 0o600 })
      yield* opened.writeAll(new TextEncoder().encode(text))
      // Without it, some file systems put the new name in place before the bytes.
      yield* opened.sync
    })).pipe(
      Effect.zipRight(fs.rename(temporary, file)),
      // A full disk needs its space.
      Effect.tapError(() => Effect.ignore(removeTemporary))
    )
    // And without this one, a crash of the machine may bring the old name back. Not every system opens folders.
    yield* Effect.scoped(Effect.flatMap(
      Effect.option(fs.open(folder)),
      Option.match({ onNone: () => Effect.void, onSome: (opened) => opened.sync })
    ))
  })
