/**
 * Snapshots by location: fresh for `cacheTtl`, fetched by one request however many wait, fetched anew before they go
 * stale, and served on where the server cannot be asked again.
 *
 * What a failed fetch does:
 *
 * - An unreachable server (`NetworkError`, `UnexpectedResponseError`, `InvalidRequestError` where what answers is no
 *   Infisical, and `InvalidCredentialError` where what to log in with cannot be read) leaves the last answer in service:
 *   as `live` until its `cacheTtl` is over, then as `stale` until `maxStale`. It is asked again in the background, after
 *   a pause that grows from a second to a minute, or as long as the server asks for. A process that has no answer yet
 *   takes the sealed one of an earlier process.
 * - Every other failure is an answer: a refused credential or a missing permission must not be hidden by what was once
 *   allowed. The last answer and its seal are dropped, and the failure given. So a refusal is hidden no longer than
 *   until the next fetch, and that is due before `cacheTtl` is over; staleness is for servers that are silent, not for
 *   servers that say no.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as FiberRef from "effect/FiberRef"
import { identity } from "effect/Function"
import * as HashMap from "effect/HashMap"
import * as Layer from "effect/Layer"
import * as List from "effect/List"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Tracer from "effect/Tracer"
import * as InfisicalConfig from "../config/InfisicalConfig.js"
import type {
  InvalidCredentialError,
  InvalidRequestError,
  NetworkError,
  ReadError,
  UnexpectedResponseError
} from "../model/InfisicalError.js"
import * as Location from "../model/Location.js"
import { Secret } from "../model/Secret.js"
import * as References from "../source/references.js"
import * as SecretSource from "../source/SecretSource.js"
import * as Snapshot from "../source/Snapshot.js"
import * as SingleFlight from "../support/singleFlight.js"
import * as SealedSnapshots from "./SealedSnapshots.js"
import * as SecretMetrics from "./SecretMetrics.js"
import * as SnapshotFeed from "./snapshotFeed.js"

/**
 * The service behind `SecretCache`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** The snapshot of a location while it is fresh. Not an effect, so that a warm read costs next to nothing. */
  readonly fresh: (location: Location.Location) => Snapshot.Snapshot | undefined
  /** Whether there is a snapshot of a location, fresh or not. */
  readonly holds: (location: Location.Location) => boolean
  /** The snapshot of a location: the fresh one, a new one, or the stale or sealed one if the server is unreachable. */
  readonly read: (location: Location.Location) => Effect.Effect<Snapshot.Snapshot, ReadError>
  /**
   * The snapshot that takes the place of one in which a name is missing: the same again for `missTtl`, after that what
   * the server says now, which need not repeat itself.
   */
  readonly readAgain: (snapshot: Snapshot.Snapshot) => Effect.Effect<Snapshot.Snapshot, ReadError>
  /** Fetches a location now, and fails where that fails. What is served then is as if the time for it had come. */
  readonly refresh: (location: Location.Location) => Effect.Effect<Snapshot.Snapshot, ReadError>
  /** Fetches every location in the cache now, and fails with the first failure once all are done. */
  readonly refreshAll: Effect.Effect<void, ReadError>
  /** Applies a write of our own to every snapshot that it touches. */
  readonly written: (location: Location.Location, change: Snapshot.Change) => Effect.Effect<void>
  /** Has every snapshot that a write may have touched fetched anew before it is served again as live. */
  readonly invalidate: (location: Location.Location) => Effect.Effect<void>
  /** The same for every snapshot: after folders or imports have changed. */
  readonly invalidateAll: Effect.Effect<void>
  /** Keeps a location in the cache and up to date, read or not, for as long as the scope is open. */
  readonly keep: (location: Location.Location) => Effect.Effect<void, never, Scope.Scope>
  /** Which snapshots take the place of which, from now on. */
  readonly transitions: Effect.Effect<SnapshotFeed.Subscription, never, Scope.Scope>
}

/**
 * Snapshots by location.
 *
 * @since 0.1.0
 * @category tags
 */
export class SecretCache extends Context.Tag("effect-infisical/SecretCache")<SecretCache, Service>() {}

/**
 * What is known of a location. Times are in milliseconds of the clock.
 *
 * It is changed in place, since a warm read marks it as used; nothing outside of `make` sees it.
 */
interface Entry {
  readonly location: Location.Location
  snapshot: Option.Option<Snapshot.Snapshot>
  freshUntil: number
  /** Why the last fetch failed, if it did. */
  failure: Option.Option<Failure>
  /** The count of all reads as of the last one of this. */
  usedAt: number
  /** How many want it kept. */
  keepers: number
  sealedAt: number
  /** Counts the fetches that were begun, so that an answer does not take the place of a later one. */
  begun: number
  /** Which of them the snapshot is from. */
  arrived: number
  /** Counts the times that a fetch under way became outdated: nobody joins that any more. */
  outdated: number
  /** The locations that values of this one refer to, by key, where this process replaces the references. */
  readonly references: Set<string>
  /** What was last served of those values, by id. */
  readonly served: Map<string, Secret>
  refresher: Fiber.RuntimeFiber<void> | undefined
  /** Done, it ends the pause of the refresher. */
  alarm: Deferred.Deferred<void>
}

interface Failure {
  readonly error: Unreachable
  readonly times: number
  readonly retryAt: number
}

/** A fetch under way, and the writes that ended meanwhile: its answer may be from before them. */
interface Fetching {
  readonly location: Location.Location
  readonly number: number
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
  InfisicalConfig.InfisicalConfig | SecretSource.SecretSource | SealedSnapshots.SealedSnapshots | Scope.Scope
> = Effect.gen(function*() {
  const config = yield* InfisicalConfig.InfisicalConfig
  const source = yield* SecretSource.SecretSource
  const sealed = yield* SealedSnapshots.SealedSnapshots
  const clock = yield* Effect.clock
  const singleFlight = yield* SingleFlight.make<Snapshot.Snapshot, ReadError>()
  const scope = yield* Effect.scope
  const sealing = yield* Effect.makeSemaphore(1)
  const feed = SnapshotFeed.make()
  const ttl = Duration.toMillis(config.cacheTtl)
  const maxStale = Duration.toMillis(config.maxStale)
  const missTtl = Duration.toMillis(config.missTtl)
  const idleTtl = Duration.toMillis(config.idleTtl)
  // Plain collections, since a warm read is a lookup in one; nothing outside of this function sees them.
  const entries = new Map<string, Entry>()
  const fetching = new Set<Fetching>()
  /** What the server said no to, for so long that not every read asks again. */
  const refusals = new Map<string, { readonly error: ReadError; readonly until: number }>()
  const unsealed = new Set<Entry>()
  let reads = 0
  /** Those that are not counted by the metric yet, which would cost a tenth of a warm read. */
  let hits = 0
  let limitedUntil = 0

  const now = () => clock.unsafeCurrentTimeMillis()

  const fresh: Service["fresh"] = (location) => {
    const entry = entries.get(location.key)
    if (entry === undefined || now() >= entry.freshUntil) return undefined
    entry.usedAt = ++reads
    hits += 1
    return Option.getOrUndefined(entry.snapshot)
  }

  const entryOf = (location: Location.Location): Entry => {
    const known = entries.get(location.key)
    if (known !== undefined) return known
    const entry: Entry = {
      location,
      snapshot: Option.none(),
      freshUntil: 0,
      failure: Option.none(),
      usedAt: ++reads,
      keepers: 0,
      sealedAt: 0,
      begun: 0,
      arrived: 0,
      outdated: 0,
      references: new Set(),
      served: new Map(),
      refresher: undefined,
      alarm: Deferred.unsafeMake(FiberId.none)
    }
    entries.set(location.key, entry)
    return entry
  }

  /** The keys of what somebody wants kept, and of what values in it refer to. */
  const kept = (): ReadonlySet<string> =>
    new Set(
      [...entries.values()].flatMap(({ keepers, location, references }) =>
        keepers > 0 ? [location.key, ...references] : []
      )
    )

  const isKept = (entry: Entry) => kept().has(entry.location.key)

  const isKnown = (entry: Entry) => entries.get(entry.location.key) === entry

  const drop = (entry: Entry) => {
    if (isKnown(entry)) entries.delete(entry.location.key)
    unsealed.delete(entry)
  }

  /** What somebody wants kept is asked for again, whatever the server said. */
  const forget = (entry: Entry) => {
    entry.snapshot = Option.none()
    entry.failure = Option.none()
    entry.freshUntil = 0
    unsealed.delete(entry)
  }

  const makeRoom = Effect.suspend(() => {
    for (const key of refusals.keys()) if (refusals.size > config.cacheCapacity) refusals.delete(key)
    const surplus = entries.size - config.cacheCapacity
    if (surplus <= 0) return Effect.void
    const wanted = kept()
    const leastRecentlyUsed = [...entries.values()]
      .filter(({ location }) => !wanted.has(location.key))
      .toSorted((one, other) => one.usedAt - other.usedAt)
      .slice(0, surplus)
    return Effect.forEach(leastRecentlyUsed, (entry) => {
      drop(entry)
      return entry.refresher === undefined ? Effect.void : Fiber.interruptFork(entry.refresher)
    }, { discard: true })
  })

  const measure = Effect.suspend(() => {
    const oldest = [...entries.values()].reduce(
      (oldest, { snapshot }) => Math.min(oldest, Option.match(snapshot, { onNone: now, onSome: fetchedAtMillis })),
      now()
    )
    const counted = hits
    hits = 0
    return Effect.zipRight(
      Metric.incrementBy(SecretMetrics.hits, counted),
      Metric.set(SecretMetrics.oldestSnapshotAge, (now() - oldest) / 1000)
    )
  })
  yield* Effect.addFinalizer(() => measure)

  const tell = (entry: Entry, previous: Option.Option<Snapshot.Snapshot>, current: Snapshot.Snapshot) => {
    feed.publish({ previous, current, served: new Map(entry.served) })
    if (entry.served.size === 0) return
    const ids = new Set([...current.content.own, ...current.content.imported].map(({ id }) => id))
    for (const id of entry.served.keys()) if (!ids.has(id)) entry.served.delete(id)
  }

  /** Puts a snapshot in place of the last, and tells whoever wants to know. */
  const replace = (entry: Entry, snapshot: Snapshot.Snapshot) => {
    const previous = entry.snapshot
    entry.snapshot = Option.some(snapshot)
    if (SnapshotFeed.hasOtherRows(previous, snapshot)) {
      tell(entry, previous, snapshot)
      for (const other of entries.values()) {
        if (other !== entry && other.references.has(entry.location.key) && Option.isSome(other.snapshot)) {
          tell(other, other.snapshot, other.snapshot.value)
        }
      }
      // All but a sealed one as it was loaded.
      if (sealed.isEnabled && (snapshot.source !== "sealed" || Option.isSome(previous))) unsealed.add(entry)
    }
  }

  const fetch = (location: Location.Location): Effect.Effect<Snapshot.Snapshot, ReadError> =>
    Effect.suspend(() => {
      const entry = entryOf(location)
      const flight: Fetching = { location, number: ++entry.begun, changes: [], outdated: false }
      fetching.add(flight)
      // What was sealed is not what the server says, whatever ids and versions it has in common with that.
      const previous = Option.filter(entry.snapshot, ({ source }) => source !== "sealed")
      return source.fetch(location, previous).pipe(
        Effect.matchEffect({
          onFailure: (error) => failed(entry, error),
          onSuccess: (answer) =>
            Option.isSome(entry.snapshot) && flight.number < entry.arrived
              ? Effect.succeed(entry.snapshot.value)
              : arrived(entry, answer, flight)
        }),
        Effect.ensuring(Effect.sync(() => fetching.delete(flight))),
        Effect.withSpan("SecretCache.refresh", {
          captureStackTrace: false,
          attributes: { "infisical.environment": location.environment, "infisical.secret_path": location.secretPath }
        })
      )
    })

  const arrived = (entry: Entry, answer: SecretSource.FetchResult, { changes, location, number, outdated }: Fetching) =>
    Effect.gen(function*() {
      entry.arrived = number
      const fetchedAt = yield* DateTime.now
      const { content, etag, rateLimit } = answer
      const answered = Snapshot.make({
        location,
        source: "live",
        fetchedAt,
        etag,
        content,
        staleBecause: Option.none(),
        expand: expandIn(entry)
      })
      const snapshot = changes.reduce(Snapshot.afterWrite, answered)
      if (Option.isSome(entry.failure)) {
        yield* Effect.logInfo(`The secrets of ${location.environment} at ${location.secretPath} can be fetched again`)
      }
      entry.failure = Option.none()
      refusals.delete(location.key)
      entry.freshUntil = DateTime.toEpochMillis(fetchedAt) + (outdated || changes.length > 0 ? 0 : ttl)
      entries.set(location.key, entry)
      replace(entry, snapshot)
      if (sealed.isEnabled && now() - entry.sealedAt > resealAfter(config)) unsealed.add(entry)
      // A tenth is left to reads that somebody waits for.
      if (Option.isSome(rateLimit) && rateLimit.value.remaining <= rateLimit.value.limit / 10) {
        limitedUntil = now() + Duration.toMillis(rateLimit.value.resetAfter)
      }
      yield* Metric.increment(SecretMetrics.refreshes)
      yield* measure
      yield* makeRoom
      yield* startRefreshing(entry)
      yield* sealInBackground
      return snapshot
    }).pipe(Effect.uninterruptible)

  const failed = (entry: Entry, error: ReadError) =>
    Effect.gen(function*() {
      const { location } = entry
      yield* Metric.increment(SecretMetrics.refreshes)
      yield* Metric.increment(Metric.tagged(SecretMetrics.refreshFailures, "error", error._tag))
      if (!isUnreachable(error)) {
        if (isKept(entry)) forget(entry)
        else drop(entry)
        refusals.delete(location.key)
        refusals.set(location.key, { error, until: now() + missTtl })
        yield* makeRoom
        // Not while it is being written.
        yield* sealing.withPermits(1)(sealed.remove(location))
        return yield* error
      }
      const times = Option.match(entry.failure, { onNone: () => 1, onSome: (failure) => failure.times + 1 })
      const pause = Math.max(yield* pauseAfter(times), askedPause(error))
      if (Option.isNone(entry.snapshot) && Option.isNone(entry.failure)) {
        yield* Effect.map(
          sealed.load(location, error),
          Option.map((snapshot) => {
            if (Option.isNone(entry.snapshot)) {
              replace(entry, Snapshot.make({ ...snapshot, expand: expandIn(entry) }))
            }
          })
        )
      }
      if (Option.isNone(entry.failure)) {
        yield* Effect.logWarning(
          `The secrets of ${location.environment} at ${location.secretPath} cannot be fetched; ${
            Option.match(entry.snapshot, {
              onNone: () => "there is no earlier answer",
              onSome: ({ fetchedAt }) => `those of ${DateTime.formatIso(fetchedAt)} are served`
            })
          }. ${error.message}`
        )
      }
      entry.failure = Option.some({ error, times, retryAt: now() + pause })
      yield* Deferred.succeed(entry.alarm, undefined)
      entries.set(location.key, entry)
      yield* measure
      yield* makeRoom
      yield* startRefreshing(entry)
      return yield* error
    }).pipe(Effect.uninterruptible)

  /** What there is to serve while the server cannot be asked. */
  const unreachable = (entry: Entry, failure: Failure): Effect.Effect<Snapshot.Snapshot, ReadError> =>
    Effect.suspend((): Effect.Effect<Snapshot.Snapshot, ReadError> => {
      if (Option.isNone(entry.snapshot)) return Effect.fail(failure.error)
      const snapshot = entry.snapshot.value
      if (now() < entry.freshUntil) return Effect.succeed(snapshot)
      if (now() - fetchedAtMillis(snapshot) > maxStale) return Effect.fail(failure.error)
      SecretMetrics.stale.unsafeUpdate(1, noTags)
      if (snapshot.source !== "live") return Effect.succeed(snapshot)
      const stale = Snapshot.make({ ...snapshot, source: "stale", staleBecause: Option.some(failure.error) })
      entry.snapshot = Option.some(stale)
      return Effect.succeed(stale)
    })

  /** Fetches, and takes what there is where the server cannot be reached. */
  const fetchOrServe = (location: Location.Location): Effect.Effect<Snapshot.Snapshot, ReadError> =>
    Effect.catchAll(refresh(location), (error) => {
      const entry = entries.get(location.key)
      return entry !== undefined && Option.isSome(entry.failure) && isUnreachable(error)
        ? unreachable(entry, entry.failure.value)
        : error
    })

  /** Replaces the references in values of a location, from what the cache holds, where the server did not. */
  const expandIn = (entry: Entry): Option.Option<Snapshot.Expand> => {
    if (!entry.location.expandReferences || source.expandsReferences) return Option.none()
    const lookup = ({ environment, name, secretPath }: References.Place) =>
      Location.make({ environment, secretPath, includeImports: config.defaultLocation.includeImports }).pipe(
        Effect.tap(({ key }) => Effect.sync(() => entry.references.add(key))),
        Effect.flatMap(read),
        Effect.flatMap(({ content }) => {
          const row = content.own.find((row) => row.name === name && row.type === "shared")
          return row === undefined ? Effect.succeedNone : Effect.map(
            Snapshot.decryptedRows(content.cipher, [row]),
            ([found]) => Option.map(Option.fromNullable(found), ([, { value }]) => Redacted.value(value))
          )
        }),
        // What is not there, or may not be read, stays as it is written; all else is an error.
        Effect.catchIf(
          (error) =>
            error._tag === "NotFoundError" || error._tag === "PermissionError" ||
            (error._tag === "InvalidRequestError" && !isUnreachable(error)),
          () => Effect.succeedNone
        )
      )
    // The same object again, as long as nothing that it refers to changed.
    const expanded = new WeakMap<Secret, Secret>()
    return Option.some((secret) =>
      Effect.map(
        References.expand(Redacted.value(secret.value), secret, lookup),
        (text) => {
          const known = expanded.get(secret)
          if (known !== undefined && Redacted.value(known.value) === text) return known
          const next = new Secret({ ...secret, value: Redacted.make(text) })
          expanded.set(secret, next)
          return next
        }
      ).pipe(Effect.tap((next) =>
        Effect.sync(() => {
          if (next.id !== undefined) entry.served.set(next.id, next)
        })
      ))
    )
  }

  const refresh: Service["refresh"] = (location) =>
    Effect.suspend(() => singleFlight(`${location.key} ${entryOf(location).outdated}`, fetch(location)))

  const read: Service["read"] = (location) =>
    Effect.suspend(() => {
      const current = fresh(location)
      if (current !== undefined) return Effect.succeed(current)
      const refusal = refusals.get(location.key)
      if (refusal !== undefined && now() < refusal.until) return Effect.fail(refusal.error)
      const entry = entryOf(location)
      entry.usedAt = ++reads
      // Once it is known that the server cannot be reached, nobody waits for it who can be served.
      if (Option.isSome(entry.failure)) {
        const failure = entry.failure.value
        if (entry.refresher !== undefined || now() < failure.retryAt) return unreachable(entry, failure)
      }
      SecretMetrics.misses.unsafeUpdate(1, noTags)
      return fetchOrServe(location)
    })

  const readAgain: Service["readAgain"] = (snapshot) => {
    const failure = Option.flatMap(Option.fromNullable(entries.get(snapshot.location.key)), ({ failure }) => failure)
    const isPausing = Option.exists(failure, ({ retryAt }) => now() < retryAt)
    return snapshot.source === "live" && now() - fetchedAtMillis(snapshot) >= missTtl && !isPausing
      ? fetchOrServe(snapshot.location)
      : Effect.succeed(snapshot)
  }

  /** Keeps a location up to date until nobody has used it for long; it never fails. */
  const keepRefreshing = (entry: Entry, schedule: Schedule.Schedule<unknown>): Effect.Effect<void> =>
    Effect.gen(function*() {
      // Whoever waits for the first answer has it before the next one is thought of.
      yield* Effect.sleep(Duration.zero)
      const driver = yield* Schedule.driver(schedule)
      let usedAt = -1
      let idleSince = now()
      const isIdle = () => {
        if (entry.usedAt !== usedAt || isKept(entry)) {
          usedAt = entry.usedAt
          idleSince = now()
        }
        return now() - idleSince >= idleTtl
      }
      // It is not the only one that fetches: whatever fails meanwhile is for it to try again.
      const isDue = Effect.suspend(() => {
        entry.alarm = Deferred.unsafeMake(FiberId.none)
        return Effect.raceFirst(
          Effect.isSuccess(driver.next(undefined)),
          Effect.as(Deferred.await(entry.alarm), true)
        )
      })
      while (Option.isSome(entry.failure) || (yield* isDue)) {
        const retryAt = Option.match(entry.failure, { onNone: () => 0, onSome: ({ retryAt }) => retryAt })
        yield* sleepUntil(Math.max(limitedUntil, retryAt))
        if (isIdle()) drop(entry)
        else yield* survive(entry, refresh(entry.location))
        if (!isKnown(entry)) return
      }
    }).pipe(Effect.ensuring(Effect.sync(() => {
      entry.refresher = undefined
    })))

  /** What to log in with is for others to say, and may die of anything. */
  const survive = ({ location }: Entry, refreshed: Effect.Effect<unknown, ReadError>) =>
    Effect.catchAllCause(refreshed, (cause) =>
      Cause.isDie(cause)
        ? Effect.logWarning(
          `The fetch of the secrets of ${location.environment} at ${location.secretPath} broke off; it is made again when the next is due`
        )
        : Effect.void)

  const startRefreshing = (entry: Entry) =>
    Option.isNone(config.refresh) || entry.refresher !== undefined || !isKnown(entry)
      ? Effect.void
      : keepRefreshing(entry, config.refresh.value).pipe(
        Effect.interruptible,
        onItsOwn,
        Effect.forkIn(scope),
        Effect.map((fiber) => {
          entry.refresher = fiber
        })
      )

  const sleepUntil = (time: number) =>
    Effect.suspend(() => time <= now() ? Effect.void : Effect.sleep(Duration.millis(time - now())))

  /** Seals what has changed since it was last sealed. */
  const seal = sealing.withPermits(1)(
    Effect.suspend(() =>
      Effect.forEach([...unsealed], (entry) =>
        Effect.suspend(() => {
          // Dropped meanwhile: what was refused must not be sealed.
          if (!unsealed.delete(entry)) return Effect.void
          entry.sealedAt = now()
          return Option.match(entry.snapshot, { onNone: () => Effect.void, onSome: sealed.save })
        }).pipe(Effect.uninterruptible), { discard: true })
    )
  )
  const sealInBackground = Effect.suspend(() => unsealed.size === 0 ? Effect.void : Effect.forkIn(seal, scope))
  yield* Effect.addFinalizer(() => seal)

  /** Values of which only the server knows whether they have a written one in them. */
  const isExpandedByServer = ({ expandReferences }: Location.Location) => expandReferences && source.expandsReferences

  const outdate = (flight: Fetching) => {
    flight.outdated = true
    const entry = entries.get(flight.location.key)
    if (entry !== undefined) entry.outdated += 1
  }

  /** The written folder itself, and whatever may have its secrets among others. */
  const touched = (written: Location.Location, location: Location.Location) =>
    location.environment === written.environment && location.secretPath === written.secretPath
      ? isPlain(location) ? "written" : "dependent"
      : location.includeImports || isExpandedByServer(location) ||
          (location.recursive && location.environment === written.environment &&
            Location.isWithin(written.secretPath, location.secretPath))
      ? "dependent"
      : "other"

  const written: Service["written"] = (location, change) =>
    Effect.suspend(() => {
      refusals.clear()
      for (const entry of entries.values()) {
        const how = touched(location, entry.location)
        if (how === "dependent") entry.freshUntil = 0
        if (how === "written" && Option.isSome(entry.snapshot)) {
          const snapshot = entry.snapshot.value
          if (isExpandedByServer(entry.location) && Snapshot.isReferredTo(snapshot, change)) entry.freshUntil = 0
          replace(entry, Snapshot.afterWrite(snapshot, change))
        }
      }
      for (const flight of fetching) {
        const how = touched(location, flight.location)
        if (how === "written") flight.changes.push(change)
        else if (how === "dependent") outdate(flight)
      }
      return Effect.asVoid(sealInBackground)
    })

  const invalidate: Service["invalidate"] = (location) =>
    Effect.sync(() => {
      refusals.clear()
      for (const entry of entries.values()) {
        if (touched(location, entry.location) !== "other") entry.freshUntil = 0
      }
      for (const flight of fetching) {
        if (touched(location, flight.location) !== "other") outdate(flight)
      }
    })

  return {
    fresh,
    holds: ({ key }) => Option.isSome(entries.get(key)?.snapshot ?? Option.none()),
    read,
    readAgain,
    refresh,
    refreshAll: Effect.suspend(() =>
      Effect.forEach([...entries.values()], ({ location }) => Effect.either(refresh(location)), { concurrency: 4 })
    ).pipe(Effect.flatMap(Effect.forEach(identity, { discard: true }))),
    written,
    invalidate,
    invalidateAll: Effect.sync(() => {
      refusals.clear()
      for (const entry of entries.values()) entry.freshUntil = 0
      for (const flight of fetching) outdate(flight)
    }),
    keep: (location) =>
      Effect.asVoid(Effect.acquireRelease(
        Effect.sync(() => {
          const entry = entryOf(location)
          entry.keepers += 1
          return entry
        }),
        (entry) =>
          Effect.sync(() => {
            entry.keepers -= 1
          })
      )),
    transitions: feed.subscribe
  }
})

/**
 * @since 0.1.0
 * @category layers
 */
export const layer = (): Layer.Layer<
  SecretCache,
  never,
  InfisicalConfig.InfisicalConfig | SecretSource.SecretSource | SealedSnapshots.SealedSnapshots
> => Layer.scoped(SecretCache, make)

/** Whether it is all that a folder holds, so that a write can be applied to it. */
const isPlain = ({ metadata, recursive, secretName, tagSlugs, version }: Location.Location): boolean =>
  !recursive && secretName === undefined && version === undefined && tagSlugs.length === 0 &&
  Object.keys(metadata).length === 0

const noTags: ReadonlyArray<never> = []

/** Without the span and the annotations of whoever was the first to read. */
const onItsOwn = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  effect.pipe(
    Effect.mapInputContext((context: Context.Context<never>) => Context.omit(Tracer.ParentSpan)(context)),
    Effect.locally(FiberRef.currentLogAnnotations, HashMap.empty()),
    Effect.locally(FiberRef.currentLogSpan, List.empty())
  )

/** After how many milliseconds a snapshot is sealed again that has not changed, so that its seal does not expire. */
const resealAfter = ({ maxStale, sealedTtl }: InfisicalConfig.Service): number =>
  Math.min(60 * 60 * 1000, Duration.toMillis(sealedTtl) / 2, Duration.toMillis(maxStale) / 2)

const fetchedAtMillis = ({ fetchedAt }: Snapshot.Snapshot): number => DateTime.toEpochMillis(fetchedAt)

/**
 * What tells nothing of what the server holds or allows: no answer, that of another server, or nothing to log in with.
 */
type Unreachable = NetworkError | UnexpectedResponseError | InvalidCredentialError | InvalidRequestError

const isUnreachable = (error: ReadError): error is Unreachable =>
  error._tag === "NetworkError" || error._tag === "UnexpectedResponseError" ||
  error._tag === "InvalidCredentialError" || (error._tag === "InvalidRequestError" && error.parameter === "siteUrl")

const askedPause = (error: Unreachable): number =>
  error._tag === "NetworkError" && error.retryAfter !== undefined ? Duration.toMillis(error.retryAfter) : 0

const pauseAfter = (failures: number) =>
  Effect.map(Random.nextRange(0.8, 1.2), (jitter) => Math.round(jitter * Math.min(1000 * 2 ** (failures - 1), 60_000)))
