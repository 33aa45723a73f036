/**
 * What people call: get, list, create, update and delete secrets, refresh them, and be told of changes.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Exit from "effect/Exit"
import { identity } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as SealedSnapshots from "./cache/SealedSnapshots.js"
import * as SecretCache from "./cache/SecretCache.js"
import * as SecretChange from "./cache/SecretChange.js"
import * as InfisicalConfig from "./config/InfisicalConfig.js"
import {
  type AlreadyExistsError,
  type InvalidRequestError,
  NotFoundError,
  type ReadError,
  UnexpectedResponseError,
  type WriteError
} from "./model/InfisicalError.js"
import * as Location from "./model/Location.js"
import type { PlaceOptions } from "./model/Location.js"
import { noDetails, Secret, type SecretList } from "./model/Secret.js"
import type { SecretType } from "./model/Secret.js"
import { checkWellFormed } from "./model/wellFormed.js"
import * as MemorySource from "./source/MemorySource.js"
import * as SecretSource from "./source/SecretSource.js"
import * as Snapshot from "./source/Snapshot.js"

/**
 * Where and how to read.
 *
 * @since 0.1.0
 * @category models
 */
export interface ReadOptions extends PlaceOptions {
  /** Whether imported secrets count where the folder has none of that name. Default `true`. */
  readonly includeImports?: boolean | undefined
  /**
   * Whether references such as `${NAME}` and `${env.folder.NAME}` are replaced. What refers to nothing, in a circle, or
   * to what the credential may not read, stays as it is written. Default: the configuration's, which is `true` by
   * default.
   */
  readonly expandReferences?: boolean | undefined
  /** `personal`: the personal secret, else the shared one. `shared`: the shared one only. Default `personal`. */
  readonly type?: SecretType | undefined
}

/**
 * Which secret to read, and how.
 *
 * @since 0.1.0
 * @category models
 */
export interface GetOptions extends ReadOptions {
  /**
   * Which version of the shared secret; there is no fallback for one. Servers of 2024 give only the oldest one of what is
   * end-to-end encrypted; for another, that is an `UnexpectedResponseError`. Default: the newest.
   */
  readonly version?: number | undefined
}

/**
 * Which secrets to read, and how.
 *
 * @since 0.1.0
 * @category models
 */
export interface ListOptions extends ReadOptions {
  /** Whether the folders in the folder are listed, too. Each secret has its own `secretPath`. Default `false`. */
  readonly recursive?: boolean | undefined
  /** Only secrets with one of these tags, by slug. Default: all. */
  readonly tagSlugs?: ReadonlyArray<string> | undefined
  /** Only secrets with all of this metadata. End-to-end encrypted secrets have none. Default: all. */
  readonly metadata?: Readonly<Record<string, string>> | undefined
}

/**
 * Where to write.
 *
 * @since 0.1.0
 * @category models
 */
export interface DeleteOptions extends PlaceOptions {
  /** A personal secret can only be where a shared one of its name is, and be written by users only. Default `shared`. */
  readonly type?: SecretType | undefined
}

/**
 * Where to write, and what beside the value.
 *
 * @since 0.1.0
 * @category models
 */
export interface WriteOptions extends DeleteOptions, SecretSource.Annotations {}

/**
 * One secret of many that are written.
 *
 * @since 0.1.0
 * @category models
 */
export interface NamedSecret extends SecretSource.SecretInput {
  readonly name: string
}

/**
 * The service behind `Secrets`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /**
   * The secret of a name.
   *
   * The answer comes from memory while it is no older than `cacheTtl`. After that it is fetched again; where the server
   * cannot be reached, the last one serves on and says that it is `stale`. A secret that Infisical does not have, or
   * that was never fetched from a server that cannot be reached, comes from the current `ConfigProvider` (by default
   * the environment variables), unless `fallback` is off.
   *
   * Raises `NotFoundError`, and `NetworkError` where there is no older answer, each only where there is no fallback;
   * `UnexpectedResponseError` where there is no older answer;
   * `AuthenticationError` and `PermissionError`, which no fallback hides; `DecryptError` if this secret, or the project
   * key, cannot be decrypted; `InvalidRequestError` if name, environment or path cannot be; `InvalidCredentialError`
   * where what to log in with cannot be read.
   *
   * Where a machine identity may not list a folder, but may read some of its secrets, they are read and cached by name.
   */
  readonly get: (name: string, options?: GetOptions) => Effect.Effect<Secret, ReadError>
  /**
   * All secrets of a folder. One that cannot be decrypted, or whose value the credential may not see, is listed as such
   * and hurts no other. There is no fallback.
   *
   * Raises what `get` raises.
   */
  readonly list: (options?: ListOptions) => Effect.Effect<SecretList, ReadError>
  /**
   * Fetches one location now, or every location in the cache, whatever their age.
   *
   * Raises what `get` raises: no fallback and no older answer hides a failure here. What was there goes on serving.
   */
  readonly refresh: (options?: Omit<ListOptions, "type">) => Effect.Effect<void, ReadError>
  /**
   * What changes by value, from now on, in the locations that are in use: on the server, as soon as a refresh finds it,
   * and by writes of our own. A value that refers to others changes with them, if it was read before. Never ends, never
   * fails. A slow subscriber holds up nobody; it gets what happened since
   * in one step.
   */
  readonly changes: Stream.Stream<SecretChange.SecretChange>
  /**
   * The current value of a secret, then each new one, for as long as it is run; meanwhile its location is kept up to
   * date, and those that the value refers to. A slow subscriber gets the newest value. Nothing comes while there is no such secret.
   *
   * Fails with what `get` raises for the current value, and never after it.
   */
  readonly watch: (name: string, options?: ReadOptions) => Stream.Stream<Secret, ReadError>
  /**
   * Creates a secret and gives it as the server holds it now. The next `get` returns it.
   *
   * Raises `AlreadyExistsError` where the name is taken; `NotFoundError` where there is no such folder, or for a
   * personal secret no shared one; `ApprovalRequiredError` where the write awaits approval; `NetworkError` saying
   * whether it may have been carried out; and what `get` raises. There is no fallback.
   */
  readonly create: (
    name: string,
    value: Redacted.Redacted<string>,
    options?: WriteOptions
  ) => Effect.Effect<Secret, WriteError | AlreadyExistsError>
  /**
   * Gives a secret a new value and gives it as the server holds it now. The next `get` returns it.
   *
   * Raises `NotFoundError` where there is none, and otherwise what `create` raises.
   */
  readonly update: (
    name: string,
    value: Redacted.Redacted<string>,
    options?: WriteOptions
  ) => Effect.Effect<Secret, WriteError>
  /**
   * Creates a secret, or gives the one that there is a new value. Where somebody else creates or deletes it meanwhile,
   * it is tried again; on servers that do both in one (v4) that cannot happen.
   *
   * Raises what `create` raises.
   */
  readonly upsert: (
    name: string,
    value: Redacted.Redacted<string>,
    options?: WriteOptions
  ) => Effect.Effect<Secret, WriteError | AlreadyExistsError>
  /**
   * Gives a secret another name, and keeps all else. But on all servers before v4 its value is read and sent again, so
   * that one that is written meanwhile is lost.
   *
   * Raises `NotFoundError` where there is none, `AlreadyExistsError` where the new name is taken, and otherwise what
   * `create` raises.
   */
  readonly rename: (
    name: string,
    newName: string,
    options?: PlaceOptions
  ) => Effect.Effect<Secret, WriteError | AlreadyExistsError>
  /**
   * Deletes a secret; with a shared one the personal ones of its name. The next `get` does not find it.
   *
   * Raises `NotFoundError` where there is none, and otherwise what `create` raises.
   */
  readonly delete: (name: string, options?: DeleteOptions) => Effect.Effect<void, WriteError>
  /**
   * Creates shared secrets: all of them, or none.
   *
   * Raises what `create` raises, with the name of the secret that it is about where that can be told. On servers of 2024
   * that decrypt themselves, `projectSlug` has to be configured.
   */
  readonly createMany: (
    secrets: ReadonlyArray<NamedSecret>,
    options?: PlaceOptions
  ) => Effect.Effect<ReadonlyArray<Secret>, WriteError | AlreadyExistsError>
  /**
   * Gives shared secrets new values: all of them, or none.
   *
   * Raises what `update` raises, with the name of the secret that it is about where that can be told.
   */
  readonly updateMany: (
    secrets: ReadonlyArray<NamedSecret>,
    options?: PlaceOptions
  ) => Effect.Effect<ReadonlyArray<Secret>, WriteError>
  /**
   * Deletes shared secrets: all of them, or none.
   *
   * Raises what `delete` raises, with the name of the secret that it is about where that can be told.
   */
  readonly deleteMany: (
    names: ReadonlyArray<string>,
    options?: PlaceOptions
  ) => Effect.Effect<void, WriteError>
}

/**
 * Secrets of Infisical.
 *
 * @since 0.1.0
 * @category tags
 */
export class Secrets extends Context.Tag("effect-infisical/Secrets")<Secrets, Service>() {}

/**
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<
  Service,
  never,
  InfisicalConfig.InfisicalConfig | SecretCache.SecretCache | SecretSource.SecretSource
> = Effect.gen(function*() {
  const config = yield* InfisicalConfig.InfisicalConfig
  const cache = yield* SecretCache.SecretCache
  const source = yield* SecretSource.SecretSource
  const { defaultLocation } = config

  const locate = (
    options: ListOptions & Pick<Location.Options, "secretName" | "version">
  ): Effect.Effect<Location.Location, InvalidRequestError> =>
    Location.make({
      ...options,
      environment: options.environment ?? defaultLocation.environment,
      secretPath: options.secretPath ?? defaultLocation.secretPath,
      expandReferences: options.expandReferences ?? defaultLocation.expandReferences
    })

  /** The secret of a name in a snapshot of its folder. */
  const inFolder = (name: string, location: Location.Location, type: SecretType): Effect.Effect<Secret, ReadError> =>
    Effect.gen(function*() {
      const last = yield* cache.read(location)
      const snapshot = last.get(name, type) === undefined ? yield* cache.readAgain(last) : last
      const secret = snapshot.get(name, type)
      if (secret !== undefined) return yield* secret
      // It may be the one whose name cannot be decrypted.
      for (const error of snapshot.content.undecryptableNames) return yield* error
      // A stale snapshot cannot tell that there is no such secret by now.
      return yield* Option.getOrElse(snapshot.staleBecause, () => notFound(name, location))
    })

  /** The secret of a name by a request for it alone. */
  const getByName = (name: string, location: Location.Location): Effect.Effect<Secret, ReadError> =>
    Effect.gen(function*() {
      const snapshot = yield* cache.read(location)
      const secret = yield* snapshot.get(name, "shared") ?? notFound(name, location)
      // A server of 2024-07 gives the oldest version of what is end-to-end encrypted, whichever was asked for.
      return location.version === undefined || secret.version === location.version ? secret : yield* anotherVersion
    })

  const getCold = (name: string, options: GetOptions): Effect.Effect<Secret, ReadError> =>
    Effect.gen(function*() {
      yield* Location.checkName(name, "read")
      const { type = "personal", version, ...folder } = options
      if (version !== undefined) return yield* getByName(name, yield* locate({ ...folder, secretName: name, version }))
      const location = yield* locate(folder)
      const found = source.readsByName
        ? Effect.flatMap(locate({ ...folder, secretName: name }), (byName) =>
          // Once it is known that a name has to be read by itself, the folder is not asked first.
          cache.holds(byName)
            ? getByName(name, byName)
            : Effect.catchIf(inFolder(name, location, type), isListingRefused, () => getByName(name, byName)))
        : inFolder(name, location, type)
      return yield* config.fallback
        ? Effect.catchIf(
          found,
          (error) => error._tag === "NotFoundError" || error._tag === "NetworkError",
          (error) =>
            Effect.flatMap(
              fallback(name, location),
              Option.match({ onNone: () => Effect.fail(error), onSome: Effect.succeed })
            )
        )
        : found
    })

  const locateWrite = (options: PlaceOptions): Effect.Effect<Location.Location, InvalidRequestError> =>
    locate({ environment: options.environment, secretPath: options.secretPath })

  const targetOf = (name: string, options: DeleteOptions): Effect.Effect<SecretSource.Target, InvalidRequestError> =>
    Effect.zipRight(
      Location.checkName(name, "write"),
      Effect.map(locateWrite(options), (location) => ({ location, name, type: options.type ?? "shared" }))
    )

  // After a failure that leaves open what the server holds, it is asked anew before a snapshot is served as live.
  const withCacheUpdate = <A, E extends WriteError | AlreadyExistsError>(
    location: Location.Location,
    write: Effect.Effect<A, E>,
    change: (written: A) => Snapshot.Change
  ): Effect.Effect<A, E> =>
    Effect.onExit(write, (exit) =>
      Exit.isSuccess(exit)
        ? cache.written(location, change(exit.value))
        : Cause.isInterrupted(exit.cause) || Cause.failures(exit.cause).pipe(Chunk.some(isOutcomeUnknown))
        ? cache.invalidate(location)
        : Effect.void)

  const shown = (row: Snapshot.WrittenRow) =>
    Effect.map(DateTime.now, (now) => Snapshot.secret(row, row.payload, "live", now))

  const put = <E extends WriteError | AlreadyExistsError>(
    write: (
      target: SecretSource.Target,
      written: SecretSource.SecretInput
    ) => Effect.Effect<Snapshot.WrittenRow, E>
  ) =>
  (
    name: string,
    value: Redacted.Redacted<string>,
    options: WriteOptions = {}
  ): Effect.Effect<Secret, E | InvalidRequestError> =>
    Effect.gen(function*() {
      const target = yield* targetOf(name, options)
      const written = { ...options, value }
      yield* checkWritten(written)
      const row = yield* withCacheUpdate(
        target.location,
        write(target, written),
        (row) => ({ put: [row], deleted: [] })
      )
      return yield* shown(row)
    })

  const putMany = <E extends WriteError | AlreadyExistsError>(
    write: (
      location: Location.Location,
      secrets: ReadonlyArray<readonly [name: string, written: SecretSource.SecretInput]>
    ) => Effect.Effect<ReadonlyArray<Snapshot.WrittenRow>, E>
  ) =>
  (
    secrets: ReadonlyArray<NamedSecret>,
    options: PlaceOptions = {}
  ): Effect.Effect<ReadonlyArray<Secret>, E | InvalidRequestError> =>
    Effect.gen(function*() {
      const location = yield* locateWrite(options)
      yield* checkNames(secrets.map(({ name }) => name))
      yield* Effect.forEach(secrets, checkWritten, { discard: true })
      if (secrets.length === 0) return []
      const rows = yield* withCacheUpdate(
        location,
        write(location, secrets.map(({ name, ...written }) => [name, written])),
        (rows) => ({ put: rows, deleted: [] })
      )
      return yield* Effect.forEach(rows, shown)
    })

  const get: Service["get"] = (name, options) =>
    Effect.suspend(() =>
      (options === undefined ? cache.fresh(defaultLocation)?.ready(name, "personal") : undefined) ??
        getCold(name, options ?? {})
    )

  return {
    get,

    list: ({ type = "personal", ...options } = {}) =>
      Effect.gen(function*() {
        const snapshot = yield* cache.read(yield* locate(options))
        return yield* snapshot.list(type)
      }),

    refresh: (options) =>
      options === undefined
        ? cache.refreshAll
        : Effect.flatMap(locate(options), (location) => Effect.asVoid(cache.refresh(location))),

    changes: Stream.unwrapScoped(Effect.map(cache.transitions, Stream.repeatEffect)).pipe(
      Stream.mapEffect(Effect.forEach(SecretChange.between)),
      Stream.mapConcat(Arr.flatten)
    ),

    watch: (name, { type = "personal", ...options } = {}) =>
      Stream.unwrapScoped(Effect.gen(function*() {
        yield* Location.checkName(name, "read")
        const folder = yield* locate(options)
        const byName = yield* locate({ ...options, secretName: name })
        const transitions = yield* cache.transitions
        const first = yield* get(name, { ...options, type })
        const location = cache.holds(byName) ? byName : folder
        yield* cache.keep(location)
        const later = Stream.repeatEffect(transitions).pipe(
          Stream.mapConcat(Arr.filter(({ current }) => current.location.key === location.key)),
          Stream.mapEffect(({ current }) => readable(current.get(name, type))),
          Stream.filterMap(identity)
        )
        return Stream.changesWith(
          Stream.concat(Stream.succeed(first), later),
          (one, other) => Equal.equals(one.value, other.value)
        )
      })),

    create: put(source.create),

    update: put((target, written) =>
      Effect.catchTag(source.update(target, written), "AlreadyExistsError", () => unexpectedConflict)
    ),

    upsert: put(source.upsert),

    rename: (name, newName, options = {}) =>
      Effect.gen(function*() {
        const target = yield* targetOf(name, options)
        yield* Location.checkName(newName, "write")
        const row = yield* withCacheUpdate(
          target.location,
          source.update(target, { newName }),
          (row) => ({ put: [row], deleted: [{ name, type: "shared" }] })
        )
        return yield* shown(row)
      }),

    delete: (name, options = {}) =>
      Effect.flatMap(targetOf(name, options), (target) =>
        withCacheUpdate(
          target.location,
          source.delete(target),
          () => ({ put: [], deleted: [{ name, type: target.type }] })
        )),

    createMany: putMany(source.createMany),

    updateMany: putMany(source.updateMany),

    deleteMany: (names, options = {}) =>
      Effect.gen(function*() {
        const location = yield* locateWrite(options)
        yield* checkNames(names)
        if (names.length === 0) return
        yield* withCacheUpdate(
          location,
          source.deleteMany(location, names),
          () => ({ put: [], deleted: names.map((name) => ({ name, type: "shared" })) })
        )
      })
  }
})

/**
 * @since 0.1.0
 * @category layers
 */
export const layer = (): Layer.Layer<
  Secrets,
  never,
  InfisicalConfig.InfisicalConfig | SecretCache.SecretCache | SecretSource.SecretSource
> => Layer.effect(Secrets, make)

/**
 * `Secrets` in memory, for tests: the same semantics, no network, no clock of its own. There is no fallback unless it
 * is asked for.
 *
 * @example
 * ```ts
 * import { Secrets } from "effect-infisical"
 *
 * const SecretsTest = Secrets.layerTest({ DATABASE_URL: "postgres://localhost/test" })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerTest = (
  /** The secrets of the default location, by name. */
  secrets: MemorySource.Folder["secrets"],
  options: Omit<InfisicalConfig.Options, "credential"> & {
    /** The secrets of other locations. */
    readonly folders?: ReadonlyArray<MemorySource.Folder>
  } = {}
): Layer.Layer<Secrets, InvalidRequestError> => {
  const { environment = "dev", folders = [], secretPath = "/" } = options
  return layer().pipe(
    Layer.provide(SecretCache.layer()),
    Layer.provide(SealedSnapshots.layerDisabled),
    Layer.provide(MemorySource.layer([{ environment, secretPath, secrets }, ...folders])),
    Layer.provide(InfisicalConfig.layerTest(options))
  )
}

const notFound = (name: string, { environment, secretPath }: Location.Location) =>
  new NotFoundError({ resource: "secret", secretName: name, environment, secretPath })

const fallback = (
  name: string,
  { environment, secretPath }: Location.Location
): Effect.Effect<Option.Option<Secret>> =>
  Effect.gen(function*() {
    // The environment of Node answers to the names of what every object has with functions.
    const value = Option.filter(
      yield* Effect.option(Config.redacted(name)),
      (value) => typeof Redacted.value(value) === "string"
    )
    const fetchedAt = yield* DateTime.now
    return Option.map(value, (value) =>
      new Secret({
        name,
        value,
        type: "shared",
        comment: "",
        environment,
        secretPath,
        source: "fallback",
        fetchedAt,
        details: noDetails
      }))
  })

const checkWritten = (
  { comment, metadata, value }: SecretSource.SecretInput
): Effect.Effect<void, InvalidRequestError> =>
  Effect.gen(function*() {
    yield* checkWellFormed("value", Redacted.value(value))
    yield* checkWellFormed("comment", comment ?? "")
    for (const text of Object.entries(metadata ?? {}).flat()) yield* checkWellFormed("metadata", text)
  })

const checkNames = (names: ReadonlyArray<string>): Effect.Effect<void, InvalidRequestError> =>
  Effect.zipRight(
    Effect.forEach(names, (name) => Location.checkName(name, "write"), { discard: true }),
    SecretSource.checkDistinct(names)
  )

const isListingRefused = (error: ReadError): boolean => error._tag === "PermissionError" && error.problem === "scope"

const anotherVersion = new UnexpectedResponseError({
  endpoint: "GET /api/v3/secrets/:secretName",
  status: 200,
  problem: "it is another version than was asked for, as servers of 2024 answer for what is end-to-end encrypted"
})

const unexpectedConflict = new UnexpectedResponseError({
  endpoint: "PATCH /api/v3/secrets/:secretName",
  status: 400,
  problem: "the name was said to be taken, though no new name was sent"
})

const readable = (
  secret: Effect.Effect<Secret, ReadError> | undefined
): Effect.Effect<Option.Option<Secret>> =>
  secret === undefined ? Effect.succeedNone : Effect.matchEffect(secret, {
    onFailure: (error) => Effect.as(Effect.logWarning(error.message), Option.none()),
    onSuccess: Effect.succeedSome
  })

const isOutcomeUnknown = (error: WriteError | AlreadyExistsError): boolean => {
  switch (error._tag) {
    case "NetworkError":
      return error.mayHaveBeenApplied
    case "AlreadyExistsError":
    case "NotFoundError":
    case "UnexpectedResponseError":
      return true
    default:
      return false
  }
}
