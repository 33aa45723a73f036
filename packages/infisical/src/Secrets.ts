/**
 * Reads and writes secrets: get, list, create, update and delete them, refresh them, and watch their changes.
 *
 * Longer than other files, since its first half documents each method for an editor's tooltip.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
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
import { within } from "./api/deadline.js"
import * as LocationTable from "./cache/LocationTable.js"
import * as SealedSnapshots from "./cache/SealedSnapshots.js"
import * as SecretCache from "./cache/SecretCache.js"
import * as SecretChange from "./cache/SecretChange.js"
import * as Fallback from "./config/fallback.js"
import * as InfisicalConfig from "./config/InfisicalConfig.js"
import {
  type AlreadyExistsError,
  InvalidRequestError,
  isUnreachable,
  type NetworkError,
  NotFoundError,
  type ReadError,
  UnexpectedResponseError,
  type WriteError
} from "./model/InfisicalError.js"
import * as Location from "./model/Location.js"
import type { PlaceOptions } from "./model/Location.js"
import type { Secret, SecretList, SecretType } from "./model/Secret.js"
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
   * Whether references such as `${NAME}` and `${env.folder.NAME}` are expanded. A reference stays as written if the
   * secret does not exist, refers back to itself, or may not be read. It names the shared secret of a folder, not an
   * imported one. This client expands references itself, the same on every server: a folder that values refer to is
   * fetched and cached like any other. Only the server can expand references to other projects
   * (`${project::env.folder.NAME}`); that takes a second list of the folder for each fetch, and a server that quotes
   * multi-line values quotes those. Default: the configuration's, which is `true` by default.
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
  /**
   * Only secrets with one of these tags, by slug. No server states the tags of imported secrets, so none of them is listed.
   * On servers of 2024-07 that decrypt, this takes a second, encrypted list. Default: all.
   */
  readonly tagSlugs?: ReadonlyArray<string> | undefined
  /**
   * Only secrets with all of this metadata, imported ones as well. End-to-end encrypted secrets and servers of 2024 have
   * none, so nothing is listed there. Encrypted metadata is not compared. Default: all.
   */
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
 * Where to write, and what beside the value. A part that the server cannot store is an `InvalidRequestError`: before
 * anything is sent if the server's age is known by then, else afterwards, with `status` 200.
 *
 * | part | end-to-end encrypted | server-decrypted, 2024-07 | 2024-10 | 2025 and later |
 * | --- | --- | --- | --- | --- |
 * | comment | yes | yes; a changed one by a batch, for which `projectSlug` has to be configured | yes | yes |
 * | tags | yes; of a new secret by an update that follows | yes, not in lists | yes | yes |
 * | metadata | no | no | no | yes |
 * | reminder | yes; of a new secret by an update that follows | no | yes | yes |
 *
 * @since 0.1.0
 * @category models
 */
export interface WriteOptions extends DeleteOptions, SecretSource.Annotations {}

/**
 * Where to move secrets.
 *
 * @since 0.1.0
 * @category models
 */
export interface MoveOptions extends PlaceOptions {
  /** The folder that the secrets are moved to. */
  readonly to: PlaceOptions
  /** Whether secrets of that folder that have the same names are replaced. Default `false`. */
  readonly overwrite?: boolean | undefined
}

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
   * Returns the secret of a name.
   *
   * Reads from memory while the snapshot is fresh (`cacheTtl`), and fetches it again afterwards. While the server is
   * unreachable, the last snapshot is still returned, with `source: "stale"`. If there is no snapshot, or the secret does
   * not exist, returns the value of the `ConfigProvider` that was current when the layer was built (by default the
   * environment variables), unless `fallback` is off.
   *
   * Raises `NotFoundError`, and any error of `InfisicalError.isUnreachable` if there is no snapshot, each only without a
   * fallback; `AuthenticationError` and `PermissionError`, which no fallback hides; `DecryptError` if this secret or the
   * project key cannot be decrypted; `InvalidRequestError` if the name, environment or path is invalid. Ends within
   * `retry.deadline`.
   *
   * If a machine identity may read some secrets of a folder but not list it, they are read and cached by name.
   */
  readonly get: (name: string, options?: GetOptions) => Effect.Effect<Secret, ReadError>
  /**
   * Returns all secrets of a folder, the same object as long as nothing changed. A secret that cannot be decrypted, whose
   * value the credential may not read, or whose references cannot be resolved now, is listed separately. There is no
   * fallback.
   *
   * Some servers refuse a whole list because of one value that may not be read. There all secrets are `hidden`, and `get`
   * reads those that may be read by their names. Servers of 2024 refuse such a list altogether.
   *
   * Raises what `get` raises.
   */
  readonly list: (options?: ListOptions) => Effect.Effect<SecretList, ReadError>
  /**
   * Reads a secret by its id (`Secret.id`), with its references as written. Nothing is cached, and there is no fallback.
   *
   * Raises `InvalidRequestError` on servers without `/api/v4/secrets` and for end-to-end encrypted projects, and otherwise
   * what `get` raises.
   */
  readonly getById: (id: string) => Effect.Effect<Secret, ReadError>
  /**
   * Fetches one location now, or every location in the cache.
   *
   * Raises what `get` raises: neither a fallback nor an earlier snapshot hides a failure here. The earlier snapshot stays
   * in use.
   */
  readonly refresh: (options?: Omit<ListOptions, "type">) => Effect.Effect<void, ReadError>
  /**
   * Emits the values that change from now on in the locations in use: on the server, as soon as a refresh finds it, and
   * by writes of this client. A value with references changes with the secrets it refers to, if it was read before.
   * Never ends and never fails. A slow subscriber delays no other; it gets the changes since its last pull in one step,
   * of at most as many locations as the cache holds.
   */
  readonly changes: Stream.Stream<SecretChange.SecretChange>
  /**
   * Emits the current value of a secret, then each new one. While it runs, the secret's location is kept up to date,
   * whatever `refresh` is, and so are the locations that the value refers to. A slow subscriber gets the newest value.
   * Emits nothing while the secret does not exist.
   *
   * Fails with what `get` raises for the current value, and never afterwards.
   */
  readonly watch: (name: string, options?: ReadOptions) => Stream.Stream<Secret, ReadError>
  /**
   * Creates a secret and gives it as the server holds it now. The next `get` returns it. With tags, metadata or a reminder
   * it is read back, since no response confirms them. A credential that may not read gets what it wrote.
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
   * Gives a secret a new value and gives it as the server holds it now. The next `get` returns it. What the response
   * leaves out is taken from the cached version before it, or read back. A credential that may not read gets what it wrote.
   *
   * Raises `NotFoundError` where there is none, and otherwise what `create` raises.
   */
  readonly update: (
    name: string,
    value: Redacted.Redacted<string>,
    options?: WriteOptions
  ) => Effect.Effect<Secret, WriteError>
  /**
   * Changes the comment, the tags, the metadata or the reminder of a secret, and keeps its value. An annotation that is
   * left out stays as it is.
   *
   * Raises `InvalidRequestError` if there is no annotation, and otherwise what `update` raises.
   */
  readonly annotate: (
    name: string,
    annotations: SecretSource.Annotations,
    options?: DeleteOptions
  ) => Effect.Effect<Secret, WriteError>
  /**
   * Creates a secret, or updates the existing one. If another client creates or deletes it at the same time, the write is
   * retried; servers with v4 do both in one request.
   *
   * Raises what `create` raises.
   */
  readonly upsert: (
    name: string,
    value: Redacted.Redacted<string>,
    options?: WriteOptions
  ) => Effect.Effect<Secret, WriteError | AlreadyExistsError>
  /**
   * Gives a secret another name and keeps everything else. On servers before v4 its value is read and sent again, so a
   * value that is written at the same time is lost.
   *
   * Servers of 2024-07 that decrypt cannot rename. There the secret is created under the new name with its value, comment
   * and tags, and then the old one is deleted, with its versions, its reminder and the personal secrets of other users;
   * a warning is logged. If the old one cannot be deleted, both are there, and the error says so (`NetworkError` with
   * `mayHaveBeenApplied`, else `UnexpectedResponseError`). If the credential has a personal secret of the old name, this
   * is an `InvalidRequestError` and nothing is changed.
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
   * Gives shared secrets new values: all of them, or none. As with `update`, what the response leaves out is taken from
   * the cached versions, or read back by a list. Servers of 2024-07 that decrypt empty the comments that a batch leaves
   * out, so the folder is listed first there, and a comment that is written at the same time is lost.
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
  /**
   * Moves shared secrets to another folder, in one request. Says which of the two folders is changed: one that an approval
   * policy covers is not until the request that the server has recorded is approved.
   *
   * Raises `InvalidRequestError` on servers without `/api/v4/secrets` and for end-to-end encrypted projects, before anything
   * is sent; `NotFoundError` with the name of a secret that does not exist; and otherwise what `create` raises.
   */
  readonly move: (
    names: ReadonlyArray<string>,
    options: MoveOptions
  ) => Effect.Effect<SecretSource.Moved, WriteError | AlreadyExistsError>
}

/**
 * Secrets of Infisical.
 *
 * @since 0.1.0
 * @category tags
 */
export class Secrets extends Context.Tag("effect-infisical/Secrets")<Secrets, Service>() {}

/**
 * Makes the service from those that it needs. `layer` is the usual way to have it.
 *
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
  const fallback = yield* Fallback.make
  const reads = readsOf({ config, cache, source, fallback })
  return {
    ...reads,
    getById: (id) => withDeadline("Secrets.getById", config.retry, getById(source, id)),
    ...streamsOf({ cache, ...reads }),
    ...writesOf({ config, cache, source })
  }
})

const getById = (source: SecretSource.Service, id: string): Effect.Effect<Secret, ReadError> =>
  Effect.zipWith(
    source.getById(id),
    DateTime.now,
    (row, now) => Snapshot.secret(row, row.payload, "live", now)
  )

/** Where a read or a write is, with the configuration's defaults. */
const locate = (
  { defaultLocation }: InfisicalConfig.Service,
  options: ListOptions & Pick<Location.Options, "secretName" | "version">
): Effect.Effect<Location.Location, InvalidRequestError> =>
  Location.make({
    ...options,
    environment: options.environment ?? defaultLocation.environment,
    secretPath: options.secretPath ?? defaultLocation.secretPath,
    expandReferences: options.expandReferences ?? defaultLocation.expandReferences
  })

const readsOf = ({ cache, config, fallback, source }: {
  readonly config: InfisicalConfig.Service
  readonly cache: SecretCache.Service
  readonly source: SecretSource.Service
  readonly fallback: Fallback.Fallback
}) => {
  const { defaultLocation, retry } = config
  const locations = LocationTable.make(defaultLocation)

  const locateFolder = (options: ListOptions): Effect.Effect<Location.Location, InvalidRequestError> =>
    Effect.suspend(() => {
      const known = locations.find(options)
      return known === undefined
        ? Effect.tap(locate(config, options), (location) => Effect.sync(() => locations.add(options, location)))
        : Effect.succeed(known)
    })

  /** The secret of a name in a snapshot of its folder. */
  const getInFolder = (
    name: string,
    location: Location.Location,
    type: SecretType
  ): Effect.Effect<Secret, ReadError> =>
    Effect.gen(function*() {
      const last = yield* cache.read(location)
      const snapshot = last.get(name, type) === undefined ? yield* cache.revalidateMiss(last) : last
      const secret = snapshot.get(name, type)
      if (secret !== undefined) return yield* secret
      // It may be one whose name cannot be decrypted.
      for (const error of snapshot.content.undecryptableNames) return yield* error
      // A stale snapshot does not show that the secret is missing by now.
      return yield* Option.getOrElse(snapshot.staleBecause, () => notFound(name, location))
    })

  /** The secret of a name by a request for it alone. */
  const getByName = (name: string, location: Location.Location): Effect.Effect<Secret, ReadError> =>
    Effect.gen(function*() {
      const snapshot = yield* cache.read(location)
      const secret = yield* snapshot.get(name, "shared") ?? notFound(name, location)
      // A server of 2024-07 returns the oldest version of an end-to-end encrypted secret, whichever was requested.
      return location.version === undefined || secret.version === location.version ? secret : yield* anotherVersion
    })

  const getCold = (name: string, options: GetOptions): Effect.Effect<Secret, ReadError> =>
    Effect.gen(function*() {
      yield* Location.checkName(name, "read")
      const { type = "personal", version, ...folder } = options
      if (version !== undefined) {
        const location = yield* locate(config, { ...folder, secretName: name, version })
        return yield* withDeadline("Secrets.get", retry, getByName(name, location))
      }
      const location = yield* locateFolder(folder)
      // Once it is known that a name has to be read by itself, the folder is not tried first.
      const found = !source.readsByName
        ? getInFolder(name, location, type)
        : Effect.flatMap(locate(config, { ...folder, secretName: name }), (byName) =>
          cache.holds(byName)
            ? getByName(name, byName)
            : Effect.catchIf(
              getInFolder(name, location, type),
              isReadableByName,
              (refusal) =>
                Effect.mapError(
                  getByName(name, byName),
                  (error) => error._tag === "PermissionError" && isHidden(refusal) ? refusal : error
                )
            ))
      return yield* Effect.catchIf(
        withDeadline("Secrets.get", retry, found),
        (error) => config.fallback && (error._tag === "NotFoundError" || isUnreachable(error)),
        (error) =>
          Effect.flatMap(
            fallback(name, location),
            Option.match({
              onNone: () => Effect.fail(error),
              onSome: Effect.succeed
            })
          )
      )
    })

  /** A warm read: two look-ups, no I/O. */
  const getWarm = (name: string, options: GetOptions | undefined) => {
    const location = options === undefined ? defaultLocation : locations.find(options)
    const ready = location === undefined
      ? undefined
      : cache.fresh(location)?.ready(name, options?.type ?? "personal")
    // A value that is hidden in a list may be readable by its name.
    return ready !== undefined && Exit.isSuccess(ready) ? ready : undefined
  }

  const get: Service["get"] = (name, options) =>
    Effect.suspend(() => getWarm(name, options) ?? getCold(name, options ?? {}))

  const listCold = ({ type = "personal", ...options }: ListOptions): Effect.Effect<SecretList, ReadError> =>
    Effect.gen(function*() {
      const location = yield* locateFolder(options)
      const read = Effect.flatMap(cache.read(location), (snapshot) => snapshot.list(type))
      return yield* withDeadline("Secrets.list", retry, read)
    })

  const list: Service["list"] = (options = {}) =>
    Effect.suspend(() => {
      const location = locations.find(options)
      const warm = location === undefined
        ? undefined
        : cache.fresh(location)?.readyList(options.type ?? "personal")
      return warm ?? listCold(options)
    })

  const refresh: Service["refresh"] = (options) =>
    withDeadline(
      "Secrets.refresh",
      retry,
      options === undefined
        ? cache.refreshAll
        : Effect.flatMap(locateFolder(options), (location) => Effect.asVoid(cache.refresh(location)))
    )

  return {
    get,
    list,
    refresh,
    locate: (options: ListOptions & { readonly secretName?: string }) => locate(config, options)
  }
}

const streamsOf = ({ cache, get, locate }: {
  readonly cache: SecretCache.Service
  readonly get: Service["get"]
  readonly locate: (
    options: ListOptions & { readonly secretName?: string }
  ) => Effect.Effect<Location.Location, InvalidRequestError>
}): Pick<Service, "changes" | "watch"> => ({
  changes: Stream.unwrapScoped(Effect.map(cache.transitions(), (transitions) => {
    const diff = SecretChange.makeDiff()
    return Stream.repeatEffect(transitions).pipe(
      Stream.mapEffect(Effect.forEach((transition) => diff(transition))),
      Stream.mapConcat(Arr.flatten)
    )
  })),

  watch: (name, { type = "personal", ...options } = {}) =>
    Stream.unwrapScoped(Effect.gen(function*() {
      yield* Location.checkName(name, "read")
      const folder = yield* locate(options)
      const byName = yield* locate({ ...options, secretName: name })
      const transitions = yield* cache.transitions([folder.key, byName.key])
      const first = yield* get(name, { ...options, type })
      const isByName = cache.holds(byName)
      yield* cache.keep(isByName ? byName : folder)
      // After an outage it may turn out that the secret can only be read by its name.
      const keepByName = Effect.suspend(() =>
        cache.holds(byName)
          ? cache.keep(byName)
          : cache.holds(folder)
          ? Effect.void
          : Effect.fail("unknown")
      )
      if (!isByName && !cache.holds(folder)) {
        yield* Effect.ignore(get(name, { ...options, type })).pipe(
          Effect.delay("1 minute"),
          Effect.zipRight(keepByName),
          Effect.eventually,
          Effect.forkScoped
        )
      }
      const later = Stream.repeatEffect(transitions).pipe(
        Stream.mapConcat(identity),
        Stream.mapEffect(({ current }) => readable(current.get(name, type))),
        Stream.filterMap(identity)
      )
      return Stream.changesWith(
        Stream.concat(Stream.succeed(first), later),
        (one, other) => Equal.equals(one.value, other.value)
      )
    }))
})

const writesOf = ({ cache, config, source }: {
  readonly config: InfisicalConfig.Service
  readonly cache: SecretCache.Service
  readonly source: SecretSource.Service
}): Omit<Service, "get" | "getById" | "list" | "refresh" | "changes" | "watch"> => {
  const locateWrite = ({ environment, secretPath }: PlaceOptions) => locate(config, { environment, secretPath })

  const targetOf = (name: string, options: DeleteOptions): Effect.Effect<SecretSource.Target, InvalidRequestError> =>
    Effect.zipRight(
      Location.checkName(name, "write"),
      Effect.map(locateWrite(options), (location) => ({ location, name, type: options.type ?? "shared" }))
    )

  /** Runs a write, and has the cache reflect it. The deadline is inside, so that its end is the end of the write. */
  const withCacheUpdate = <A, E extends WriteError | AlreadyExistsError>(
    endpoint: string,
    location: Location.Location,
    write: Effect.Effect<A, E>,
    change: (written: A) => Snapshot.Change | "unknown"
  ): Effect.Effect<A, E | NetworkError> =>
    cache.write(
      location,
      within({ duration: config.retry.deadline, endpoint, isWrite: true })(write),
      Exit.match({
        onSuccess: (written) => {
          const applied = change(written)
          return applied === "unknown" ? { _tag: "Unknown" } : { _tag: "Applied", change: applied }
        },
        onFailure: (cause) => ({
          _tag: Option.exists(Cause.failureOption(cause), (error) => !isOutcomeUnknown(error)) ? "Refused" : "Unknown"
        })
      })
    )

  /** The shared or personal secrets that the folder had when it was last fetched. */
  const knownAt = ({ location, type }: Pick<SecretSource.Target, "location" | "type">): SecretSource.Known => {
    const rows = Option.map(cache.last(location), (snapshot) => snapshot.rows(type))
    return (name) => Option.getOrUndefined(rows)?.get(name)
  }

  const shown = (row: Snapshot.WrittenRow) =>
    Effect.map(DateTime.now, (now) => Snapshot.secret(row, row.payload, "live", now))

  const put = <E extends WriteError | AlreadyExistsError, Changes extends SecretSource.Changes>(
    endpoint: string,
    write: (
      target: SecretSource.Target,
      changes: Changes,
      known: SecretSource.Known
    ) => Effect.Effect<Snapshot.WrittenRow, E>
  ) =>
  (
    name: string,
    changes: Changes,
    options: DeleteOptions
  ): Effect.Effect<Secret, E | InvalidRequestError | NetworkError> =>
    Effect.gen(function*() {
      const target = yield* targetOf(name, options)
      yield* checkWritten(changes)
      const row = yield* withCacheUpdate(
        endpoint,
        target.location,
        write(target, changes, knownAt(target)),
        (row) => changeOf([row])
      )
      return yield* shown(row)
    })

  const putMany = <E extends WriteError | AlreadyExistsError>(
    endpoint: string,
    write: (
      location: Location.Location,
      secrets: SecretSource.Batch,
      known: SecretSource.Known
    ) => Effect.Effect<ReadonlyArray<Snapshot.WrittenRow>, E>
  ) =>
  (
    secrets: ReadonlyArray<NamedSecret>,
    options: PlaceOptions = {}
  ): Effect.Effect<ReadonlyArray<Secret>, E | InvalidRequestError | NetworkError> =>
    Effect.gen(function*() {
      const location = yield* locateWrite(options)
      yield* checkNames(secrets.map(({ name }) => name))
      yield* Effect.forEach(secrets, checkWritten, { discard: true })
      if (secrets.length === 0) return []
      const rows = yield* withCacheUpdate(
        endpoint,
        location,
        write(location, secrets.map(({ name, ...written }) => [name, written]), knownAt({ location, type: "shared" })),
        changeOf
      )
      return yield* Effect.forEach(rows, shown)
    })

  const update = (target: SecretSource.Target, changes: SecretSource.Changes, known: SecretSource.Known) =>
    Effect.catchTag(source.update(target, changes, known), "AlreadyExistsError", () => unexpectedConflict)

  const create = put("Secrets.create", source.create)
  const change = put("Secrets.update", update)
  const annotate = put("Secrets.annotate", update)
  const upsert = put("Secrets.upsert", source.upsert)

  return {
    create: (name, value, options = {}) => create(name, { ...options, value }, options),
    update: (name, value, options = {}) => change(name, { ...options, value }, options),
    upsert: (name, value, options = {}) => upsert(name, { ...options, value }, options),

    annotate: (name, annotations, options = {}) =>
      Object.values(annotations).every((annotation) => annotation === undefined)
        ? nothingToAnnotate
        : annotate(name, annotations, options),

    rename: (name, newName, options = {}) =>
      Effect.gen(function*() {
        const target = yield* targetOf(name, options)
        yield* Location.checkName(newName, "write")
        const row = yield* withCacheUpdate(
          "Secrets.rename",
          target.location,
          source.update(target, { newName }, knownAt(target)),
          (row) => changeOf([row], [{ name, type: "shared" }])
        )
        // Newer servers rewrite the references to it, in whatever folder they are.
        yield* cache.invalidateAll
        return yield* shown(row)
      }),

    delete: (name, options = {}) =>
      Effect.flatMap(targetOf(name, options), (target) =>
        withCacheUpdate(
          "Secrets.delete",
          target.location,
          source.delete(target),
          () => ({ put: [], deleted: [{ name, type: target.type }] })
        )),

    createMany: putMany("Secrets.createMany", source.createMany),

    updateMany: putMany("Secrets.updateMany", source.updateMany),

    deleteMany: (names, options = {}) =>
      Effect.gen(function*() {
        const location = yield* locateWrite(options)
        yield* checkNames(names)
        if (names.length === 0) return
        yield* withCacheUpdate(
          "Secrets.deleteMany",
          location,
          source.deleteMany(location, names),
          () => ({ put: [], deleted: names.map((name) => ({ name, type: "shared" })) })
        )
      }),

    move: (names, { overwrite = false, to, ...from }) =>
      Effect.gen(function*() {
        const location = yield* locateWrite(from)
        const destination = yield* locateWrite(to)
        yield* checkNames(names)
        if (destination.environment === location.environment && destination.secretPath === location.secretPath) {
          return yield* sameFolder
        }
        if (names.length === 0) return { isSourceUpdated: true, isDestinationUpdated: true }
        const move = source.move({ location, names, destination, overwrite })
        // Only the server knows what is in either folder afterwards.
        const inSource = withCacheUpdate("Secrets.move", location, move, () => "unknown")
        return yield* withCacheUpdate("Secrets.move", destination, inSource, () => "unknown")
      })
  }
}

/** The change of a write. What the server did not say is not cached. */
const changeOf = (
  rows: ReadonlyArray<Snapshot.WrittenRow>,
  deleted: Snapshot.Change["deleted"] = []
): Snapshot.Change | "unknown" => rows.some(({ isPartial }) => isPartial === true) ? "unknown" : { put: rows, deleted }

const sameFolder = new InvalidRequestError({ parameter: "to", problem: "it must be another folder" })

/**
 * The service as a layer. Each call makes a new one.
 *
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
 * is asked for. `MemorySource` changes what the server holds, and makes it fail.
 *
 * @example
 * ```ts
 * import { MemorySource, Secrets } from "effect-infisical"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const secrets = yield* Secrets.Secrets
 *   const server = yield* MemorySource.MemorySource
 *   yield* server.set("DATABASE_URL", "postgres://localhost/rotated")
 *   yield* secrets.refresh()
 *   yield* server.failWith(MemorySource.unreachable)
 *   return yield* secrets.get("DATABASE_URL")
 * })
 *
 * program.pipe(Effect.provide(Secrets.layerTest({ DATABASE_URL: "postgres://localhost/test" })))
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
): Layer.Layer<MemorySource.MemorySource | Secrets, InvalidRequestError> => {
  const { environment = "dev", folders = [], secretPath = "/" } = options
  const defaults = { environment, secretPath }
  return layer().pipe(
    Layer.provide(SecretCache.layer()),
    Layer.provide(SealedSnapshots.layerDisabled),
    Layer.provideMerge(MemorySource.layer([{ ...defaults, secrets }, ...folders], defaults)),
    Layer.provide(InfisicalConfig.layerTest(options))
  )
}

const notFound = (name: string, { environment, secretPath }: Location.Location) =>
  new NotFoundError({ resource: "secret", secretName: name, environment, secretPath })

const checkWritten = (
  { comment, metadata, value }: SecretSource.Changes
): Effect.Effect<void, InvalidRequestError> =>
  Effect.gen(function*() {
    if (value !== undefined) yield* checkWellFormed("value", Redacted.value(value))
    yield* checkWellFormed("comment", comment ?? "")
    for (const text of Object.entries(metadata ?? {}).flat()) yield* checkWellFormed("metadata", text)
  })

const checkNames = (names: ReadonlyArray<string>): Effect.Effect<void, InvalidRequestError> =>
  Effect.zipRight(
    Effect.forEach(names, (name) => Location.checkName(name, "write"), { discard: true }),
    SecretSource.checkDistinct(names)
  )

/** Whether a secret may still be readable by its name: its folder may not be listed, or the list hides the value. */
const isReadableByName = (error: ReadError): boolean =>
  (error._tag === "PermissionError" && error.problem === "scope") || isHidden(error)

const isHidden = (error: ReadError): boolean => error._tag === "PermissionError" && error.problem === "hidden value"

const anotherVersion = new UnexpectedResponseError({
  endpoint: "GET /api/v3/secrets/:secretName",
  status: 200,
  problem: "it is another version than was asked for, as servers of 2024 answer for what is end-to-end encrypted"
})

const nothingToAnnotate = Effect.fail(
  new InvalidRequestError({
    parameter: "annotations",
    problem: "there is none. Give a comment, tags, metadata or a reminder."
  })
)

const withDeadline = <A, E>(
  endpoint: string,
  { deadline }: InfisicalConfig.Service["retry"],
  call: Effect.Effect<A, E>
): Effect.Effect<A, E | NetworkError> => within({ duration: deadline, endpoint, isWrite: false })(call)

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
    case "InvalidRequestError":
      return error.status === 200
    default:
      return false
  }
}
