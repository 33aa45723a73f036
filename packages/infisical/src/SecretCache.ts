/**
 * Snapshots by location: fresh for `cacheTtl`, fetched by one request however many wait, and served on where the
 * server cannot be asked again.
 *
 * What a failed fetch does: an unreachable server (`NetworkError`, `UnexpectedResponseError`) leaves the last snapshot
 * in service, marked stale, and is asked again after a pause that grows from a second to a minute. Every other failure
 * is an answer: a refused credential or a missing permission must not be hidden by what was once allowed, so the
 * snapshot is dropped and the failure given.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import * as InfisicalConfig from "./InfisicalConfig.js"
import type { ReadError } from "./InfisicalError.js"
import * as SingleFlight from "./internal/singleFlight.js"
import type * as Location from "./Location.js"
import * as SecretSource from "./SecretSource.js"
import * as Snapshot from "./Snapshot.js"

/**
 * The service behind `SecretCache`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** The snapshot of a location while it is fresh. Not an effect, so that a warm read costs next to nothing. */
  readonly fresh: (location: Location.Location) => Snapshot.Snapshot | undefined
  /** The snapshot of a location: the fresh one, a new one, or the stale one where the server cannot be reached. */
  readonly read: (location: Location.Location) => Effect.Effect<Snapshot.Snapshot, ReadError>
  /** Applies a write of our own to every snapshot that it touches. */
  readonly written: (location: Location.Location, change: Snapshot.Change) => Effect.Effect<void>
  /** Has every snapshot that a write may have touched fetched anew before it is served again as live. */
  readonly invalidate: (location: Location.Location) => Effect.Effect<void>
}

/**
 * Snapshots by location.
 *
 * @since 0.1.0
 * @category tags
 */
export class SecretCache extends Context.Tag("effect-infisical/SecretCache")<SecretCache, Service>() {}

/** What is known of a location. Times are in milliseconds of the clock. */
interface Entry {
  readonly location: Location.Location
  readonly snapshot: Option.Option<Snapshot.Snapshot>
  readonly freshUntil: number
  /** Why the last fetch failed, if it did, and when to try again. */
  readonly failure: Option.Option<Failure>
}

interface Failure {
  readonly error: ReadError
  readonly times: number
  readonly retryAt: number
}

/** A fetch under way, and the writes that ended meanwhile: its answer may be from before them. */
interface Fetching {
  readonly location: Location.Location
  readonly changes: Array<Snapshot.Change>
  outdated: boolean
}

/**
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<
  Service,
  never,
  InfisicalConfig.InfisicalConfig | SecretSource.SecretSource | Scope.Scope
> = Effect.gen(function*() {
  const config = yield* InfisicalConfig.InfisicalConfig
  const source = yield* SecretSource.SecretSource
  const clock = yield* Effect.clock
  const singleFlight = yield* SingleFlight.make<Snapshot.Snapshot, ReadError>()
  const ttl = Duration.toMillis(config.cacheTtl)
  // Plain collections, since a warm read is a lookup in one; nothing outside of this function sees them.
  const entries = new Map<string, Entry>()
  const fetching = new Set<Fetching>()

  const fresh: Service["fresh"] = (location) => {
    const entry = entries.get(location.key)
    return entry !== undefined && clock.unsafeCurrentTimeMillis() < entry.freshUntil
      ? Option.getOrUndefined(entry.snapshot)
      : undefined
  }

  const fetch = (location: Location.Location): Effect.Effect<Snapshot.Snapshot, ReadError> =>
    Effect.suspend(() => {
      const entry = Option.fromNullable(entries.get(location.key))
      const flight: Fetching = { location, changes: [], outdated: false }
      fetching.add(flight)
      return source.fetch(location, Option.flatMap(entry, ({ snapshot }) => snapshot)).pipe(
        Effect.matchEffect({
          onFailure: (error) => failed(location, entry, error),
          onSuccess: (answer) => arrived(answer, flight)
        }),
        Effect.ensuring(Effect.sync(() => fetching.delete(flight)))
      )
    })

  const arrived = ({ content, etag }: SecretSource.Answer, { changes, location, outdated }: Fetching) =>
    Effect.map(DateTime.now, (fetchedAt) => {
      const answered = Snapshot.make({
        location,
        source: "live",
        fetchedAt,
        etag,
        content,
        staleBecause: Option.none()
      })
      const snapshot = changes.reduce(Snapshot.afterWrite, answered)
      const now = DateTime.toEpochMillis(fetchedAt)
      entries.set(location.key, {
        location,
        snapshot: Option.some(snapshot),
        freshUntil: outdated || changes.length > 0 ? now : now + ttl,
        failure: Option.none()
      })
      return snapshot
    })

  const failed = (location: Location.Location, entry: Option.Option<Entry>, error: ReadError) =>
    Effect.gen(function*() {
      if (error._tag !== "NetworkError" && error._tag !== "UnexpectedResponseError") {
        entries.delete(location.key)
        return yield* error
      }
      const times = Option.match(Option.flatMap(entry, ({ failure }) => failure), {
        onNone: () => 1,
        onSome: (failure) => failure.times + 1
      })
      const retryAt = (yield* Clock.currentTimeMillis) + (yield* pauseAfter(times))
      const stale = Option.map(
        Option.flatMap(entry, ({ snapshot }) => snapshot),
        (snapshot) => Snapshot.make({ ...snapshot, source: "stale", staleBecause: Option.some(error) })
      )
      entries.set(location.key, {
        location,
        snapshot: stale,
        freshUntil: 0,
        failure: Option.some({ error, times, retryAt })
      })
      if (Option.isNone(stale)) return yield* error
      yield* Effect.logWarning(
        `The secrets of ${location.environment} at ${location.secretPath} are served as of ${
          DateTime.formatIso(stale.value.fetchedAt)
        }: ${error.message}`
      )
      return stale.value
    })

  const read: Service["read"] = (location) =>
    Effect.suspend(() => {
      const current = fresh(location)
      if (current !== undefined) return Effect.succeed(current)
      const entry = entries.get(location.key)
      const failure = entry === undefined ? Option.none() : entry.failure
      return entry !== undefined && Option.isSome(failure) && clock.unsafeCurrentTimeMillis() < failure.value.retryAt
        ? Option.match(entry.snapshot, { onNone: () => failure.value.error, onSome: Effect.succeed })
        : singleFlight(location.key, fetch(location))
    })

  /** The written folder itself, and whatever may import it. */
  const touched = (written: Location.Location, { environment, includeImports, secretPath }: Location.Location) =>
    environment === written.environment && secretPath === written.secretPath
      ? "written"
      : includeImports
      ? "importing"
      : "other"

  const written: Service["written"] = (location, change) =>
    Effect.sync(() => {
      for (const entry of entries.values()) {
        const how = touched(location, entry.location)
        if (how === "written") {
          const snapshot = Option.map(entry.snapshot, (snapshot) => Snapshot.afterWrite(snapshot, change))
          entries.set(entry.location.key, { ...entry, snapshot })
        } else if (how === "importing") {
          entries.set(entry.location.key, { ...entry, freshUntil: 0 })
        }
      }
      for (const flight of fetching) {
        const how = touched(location, flight.location)
        if (how === "written") flight.changes.push(change)
        else if (how === "importing") flight.outdated = true
      }
    })

  const invalidate: Service["invalidate"] = (location) =>
    Effect.sync(() => {
      for (const entry of entries.values()) {
        if (touched(location, entry.location) !== "other") {
          entries.set(entry.location.key, { ...entry, freshUntil: 0 })
        }
      }
      for (const flight of fetching) {
        if (touched(location, flight.location) !== "other") flight.outdated = true
      }
    })

  return { fresh, read, written, invalidate }
})

/**
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<
  SecretCache,
  never,
  InfisicalConfig.InfisicalConfig | SecretSource.SecretSource
> = Layer.scoped(SecretCache, make)

const pauseAfter = (failures: number) =>
  Effect.map(Random.nextRange(0.8, 1.2), (jitter) => jitter * Math.min(1000 * 2 ** (failures - 1), 60_000))
