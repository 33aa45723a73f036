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
import * as InfisicalConfig from "./InfisicalConfig.js"
import {
  type AlreadyExistsError,
  type DecryptError,
  type InvalidRequestError,
  NotFoundError,
  type ReadError,
  type WriteError
} from "./InfisicalError.js"
import { checkWellFormed } from "./internal/wellFormed.js"
import * as Location from "./Location.js"
import * as SealedSnapshots from "./SealedSnapshots.js"
import { Secret, type SecretList } from "./Secret.js"
import * as SecretCache from "./SecretCache.js"
import * as SecretChange from "./SecretChange.js"
import * as SecretSource from "./SecretSource.js"
import * as Snapshot from "./Snapshot.js"
import type { SecretType } from "./Wire.js"

/**
 * Where to read.
 *
 * @since 0.1.0
 * @category models
 */
export interface ReadOptions {
  /** The environment's slug. Default: the configuration's, which is `dev` by default. */
  readonly environment?: string | undefined
  /** The folder's path; it begins with a slash. Default: the configuration's, which is `/` by default. */
  readonly secretPath?: string | undefined
  /** Whether imported secrets count where the folder has none of that name. Default `true`. */
  readonly includeImports?: boolean | undefined
  /** `personal`: the personal secret, else the shared one. `shared`: the shared one only. Default `personal`. */
  readonly type?: SecretType | undefined
}

/**
 * Where to write.
 *
 * @since 0.1.0
 * @category models
 */
export interface DeleteOptions {
  /** The environment's slug. Default: the configuration's, which is `dev` by default. */
  readonly environment?: string | undefined
  /** The folder's path; it begins with a slash. Default: the configuration's, which is `/` by default. */
  readonly secretPath?: string | undefined
  /** A personal secret can only be where a shared one of its name is, and be written by users only. Default `shared`. */
  readonly type?: SecretType | undefined
}

/**
 * Where to write, and what beside the value.
 *
 * @since 0.1.0
 * @category models
 */
export interface WriteOptions extends DeleteOptions {
  /** A comment. Default: a new secret has none, an updated one keeps its own. */
  readonly comment?: string | undefined
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
   * key, cannot be decrypted; `InvalidRequestError` if name, environment or path cannot be.
   */
  readonly get: (name: string, options?: ReadOptions) => Effect.Effect<Secret, ReadError>
  /**
   * All secrets of a folder. One that cannot be decrypted is listed as such and hurts no other. There is no fallback.
   *
   * Raises what `get` raises.
   */
  readonly list: (options?: ReadOptions) => Effect.Effect<SecretList, ReadError>
  /**
   * Fetches one location now, or every location in the cache, whatever their age.
   *
   * Raises what `get` raises: no fallback and no older answer hides a failure here. What was there goes on serving.
   */
  readonly refresh: (options?: Pick<ReadOptions, "environment" | "secretPath" | "includeImports">) => Effect.Effect<
    void,
    ReadError
  >
  /**
   * What changes by value, from now on, in the locations that are in use: on the server, as soon as a refresh finds it,
   * and by writes of our own. Never ends, never fails. A slow subscriber holds up nobody; it gets what happened since
   * in one step.
   */
  readonly changes: Stream.Stream<SecretChange.SecretChange>
  /**
   * The current value of a secret, then each new one, for as long as it is run; meanwhile its location is kept up to
   * date. A slow subscriber gets the newest value. Nothing comes while there is no such secret.
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
   * Deletes a secret; with a shared one the personal ones of its name. The next `get` does not find it.
   *
   * Raises `NotFoundError` where there is none, and otherwise what `create` raises.
   */
  readonly delete: (name: string, options?: DeleteOptions) => Effect.Effect<void, WriteError>
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

  const locate = (options: ReadOptions): Effect.Effect<Location.Location, InvalidRequestError> =>
    options.environment === undefined && options.secretPath === undefined && options.includeImports === undefined
      ? Effect.succeed(defaultLocation)
      : Location.make({
        environment: options.environment ?? defaultLocation.environment,
        secretPath: options.secretPath ?? defaultLocation.secretPath,
        includeImports: options.includeImports ?? defaultLocation.includeImports
      })

  const getCold = (name: string, options: ReadOptions): Effect.Effect<Secret, ReadError> =>
    Effect.gen(function*() {
      yield* Location.checkName(name, "read")
      const location = yield* locate(options)
      const found = Effect.gen(function*() {
        const { type = "personal" } = options
        const last = yield* cache.read(location)
        const snapshot = last.get(name, type) === undefined ? yield* cache.readAgain(last) : last
        const secret = snapshot.get(name, type)
        if (secret !== undefined) return yield* secret
        // It may be the one whose name cannot be decrypted.
        for (const error of snapshot.content.nameless) return yield* error
        // A stale snapshot cannot tell that there is no such secret by now.
        return yield* Option.getOrElse(snapshot.staleBecause, () => notFound(name, location))
      })
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

  const locateWrite = (name: string, options: DeleteOptions): Effect.Effect<SecretSource.Target, InvalidRequestError> =>
    Effect.zipRight(
      Location.checkName(name, "write"),
      Effect.map(locate(options), (location) => ({ location, name, type: options.type ?? "shared" }))
    )

  // After a failure that leaves open what the server holds, it is asked anew before a snapshot is served as live.
  const keepingCache = <A, E extends WriteError | AlreadyExistsError>(
    target: SecretSource.Target,
    write: Effect.Effect<A, E>,
    change: (written: A) => Snapshot.Change
  ): Effect.Effect<A, E> =>
    Effect.onExit(write, (exit) =>
      Exit.isSuccess(exit)
        ? cache.written(target.location, change(exit.value))
        : Cause.isInterrupted(exit.cause) || Cause.failures(exit.cause).pipe(Chunk.some(leavesOpen))
        ? cache.invalidate(target.location)
        : Effect.void)

  const put = <E extends WriteError | AlreadyExistsError>(
    write: (target: SecretSource.Target, written: SecretSource.Written) => Effect.Effect<Snapshot.WrittenRow, E>
  ) =>
  (
    name: string,
    value: Redacted.Redacted<string>,
    options: WriteOptions = {}
  ): Effect.Effect<Secret, E | InvalidRequestError> =>
    Effect.gen(function*() {
      const target = yield* locateWrite(name, options)
      yield* checkWellFormed("value", Redacted.value(value))
      yield* checkWellFormed("comment", options.comment ?? "")
      const row = yield* keepingCache(
        target,
        write(target, { value, comment: Option.fromNullable(options.comment) }),
        (row) => ({ _tag: "Put", row })
      )
      return Snapshot.secret(row, row.held, "live", yield* DateTime.now)
    })

  const get: Service["get"] = (name, options) =>
    Effect.suspend(() =>
      (options === undefined ? cache.fresh(defaultLocation)?.get(name, "personal") : undefined) ??
        getCold(name, options ?? {})
    )

  return {
    get,

    list: (options = {}) =>
      Effect.gen(function*() {
        const snapshot = yield* cache.read(yield* locate(options))
        return yield* snapshot.list(options.type ?? "personal")
      }),

    refresh: (options?: ReadOptions) =>
      options === undefined
        ? cache.refreshAll
        : Effect.flatMap(locate(options), (location) => Effect.asVoid(cache.refresh(location))),

    changes: Stream.unwrapScoped(Effect.map(cache.transitions, Stream.repeatEffect)).pipe(
      Stream.mapEffect(Effect.forEach(SecretChange.between)),
      Stream.mapConcat(Arr.flatten)
    ),

    watch: (name, options = {}) =>
      Stream.unwrapScoped(Effect.gen(function*() {
        yield* Location.checkName(name, "read")
        const location = yield* locate(options)
        yield* cache.keep(location)
        const transitions = yield* cache.transitions
        const first = yield* get(name, options)
        const later = Stream.repeatEffect(transitions).pipe(
          Stream.mapConcat(Arr.filter(({ current }) => current.location.key === location.key)),
          Stream.mapEffect(({ current }) => readable(current.get(name, options.type ?? "personal"))),
          Stream.filterMap(identity)
        )
        return Stream.changesWith(
          Stream.concat(Stream.succeed(first), later),
          (one, other) => Equal.equals(one.value, other.value)
        )
      })),

    create: put(source.create),

    update: put(source.update),

    delete: (name, options = {}) =>
      Effect.flatMap(
        locateWrite(name, options),
        (target) => keepingCache(target, source.delete(target), () => ({ _tag: "Deleted", name, type: target.type }))
      )
  }
})

/**
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<
  Secrets,
  never,
  InfisicalConfig.InfisicalConfig | SecretCache.SecretCache | SecretSource.SecretSource
> = Layer.effect(Secrets, make)

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
  secrets: SecretSource.MemoryFolder["secrets"],
  options: Omit<InfisicalConfig.Options, "credential"> & {
    /** The secrets of other locations. */
    readonly folders?: ReadonlyArray<SecretSource.MemoryFolder>
  } = {}
): Layer.Layer<Secrets, InvalidRequestError> => {
  const { environment = "dev", folders = [], secretPath = "/" } = options
  return layer.pipe(
    Layer.provide(SecretCache.layer),
    Layer.provide(SealedSnapshots.layerDisabled),
    Layer.provide(SecretSource.layerMemory([{ environment, secretPath, secrets }, ...folders])),
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
        fetchedAt
      }))
  })

const readable = (
  secret: Effect.Effect<Secret, DecryptError> | undefined
): Effect.Effect<Option.Option<Secret>> =>
  secret === undefined ? Effect.succeedNone : Effect.matchEffect(secret, {
    onFailure: (error) => Effect.as(Effect.logWarning(error.message), Option.none()),
    onSuccess: Effect.succeedSome
  })

const leavesOpen = (error: WriteError | AlreadyExistsError): boolean => {
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
