/**
 * Snapshots by location: fresh for `cacheTtl`, fetched by one request however many callers wait, refreshed before they
 * go stale, and returned as stale while the server is unreachable.
 *
 * The rules are in `LocationState`, which is pure. This module carries them out: fetches, background refresh, sealing,
 * notifications and metrics. All of it runs with the context of the layer, whichever caller came first.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import { identity } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as InfisicalConfig from "../config/InfisicalConfig.js"
import { isUnreachable, type ReadError, type Unreachable } from "../model/InfisicalError.js"
import type * as Location from "../model/Location.js"
import * as References from "../source/references.js"
import * as SecretSource from "../source/SecretSource.js"
import type * as Snapshot from "../source/Snapshot.js"
import * as Background from "../support/background.js"
import * as Expansion from "./expansion.js"
import * as Fetcher from "./fetcher.js"
import * as LocationState from "./LocationState.js"
import * as Refresher from "./refresher.js"
import * as SealedSnapshots from "./SealedSnapshots.js"
import * as Sealer from "./sealer.js"
import * as SecretMetrics from "./SecretMetrics.js"
import * as SnapshotFeed from "./snapshotFeed.js"
import * as Store from "./store.js"
import * as Writer from "./writer.js"

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
  /** The last snapshot of a location that the server answered with, fresh or not. */
  readonly last: (location: Location.Location) => Option.Option<Snapshot.Snapshot>
  /** The snapshot of a location: the fresh one, a new one, or the stale or sealed one if the server is unreachable. */
  readonly read: (location: Location.Location) => Effect.Effect<Snapshot.Snapshot, ReadError>
  /**
   * The snapshot to look up a name in that is missing in this one: the same for `missTtl`, after that a new one, which is
   * requested conditionally.
   */
  readonly revalidateMiss: (snapshot: Snapshot.Snapshot) => Effect.Effect<Snapshot.Snapshot, ReadError>
  /** Fetches a location now, and fails if that fails. The result is cached as if a scheduled refresh had run. */
  readonly refresh: (location: Location.Location) => Effect.Effect<Snapshot.Snapshot, ReadError>
  /** Fetches every location in the cache now, and fails with the first failure once all are done. */
  readonly refreshAll: Effect.Effect<void, ReadError>
  /**
   * Runs a write of our own. Every later read reflects it; reads that overlap it may or may not. `outcome` says what is
   * known of it afterwards.
   */
  readonly write: <A, E>(
    location: Location.Location,
    write: Effect.Effect<A, E>,
    outcome: (exit: Exit.Exit<A, E>) => LocationState.WriteOutcome
  ) => Effect.Effect<A, E>
  /** Has every snapshot fetched again before it is returned as live: after folders or imports have changed. */
  readonly invalidateAll: Effect.Effect<void>
  /** Keeps a location in the cache and up to date, whether or not it is read, for as long as the scope is open. */
  readonly keep: (location: Location.Location) => Effect.Effect<void, never, Scope.Scope>
  /** Which snapshots replace which, from now on: of every location, or of those with these keys. */
  readonly transitions: (
    keys?: ReadonlyArray<string>
  ) => Effect.Effect<SnapshotFeed.Subscription, never, Scope.Scope>
}

/**
 * Snapshots by location.
 *
 * @since 0.1.0
 * @category tags
 */
export class SecretCache extends Context.Tag("effect-infisical/SecretCache")<SecretCache, Service>() {}

// Longer than other functions, since it does nothing but put the parts together.
/**
 * Makes the service from those that it needs. `layer` is the usual way to have it.
 *
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
  const fork = yield* Background.make
  const policy = policyOf(config, source)
  const feed = SnapshotFeed.make({ capacity: config.cacheCapacity })
  const open: Writer.OpenWrites = new Map()
  const work = References.makeWork()
  let limit = { from: 0, until: 0 }

  const store = Store.make({
    clock,
    capacity: config.cacheCapacity,
    expansion: Expansion.make,
    initial: (location, expansion) =>
      LocationState.initial(location, {
        expand: location.expandReferences && !source.expandsReferences
          ? Option.some(
            Expansion.expandWith(expansion, {
              work,
              read,
              includeImports: config.defaultLocation.includeImports,
              readsByName: source.readsByName
            })
          )
          : Option.none(),
        writes: Writer.touching(open, location, policy)
      }),
    onEvict: (entry) => sealer.removed(entry)
  })

  const sealer = yield* Sealer.make({ sealed, config, fork, now: store.now })

  const refresher = Refresher.make({
    store,
    config,
    fork,
    refresh: ({ location }) => fetcher.fetchInBackground(location),
    limitedUntil: () => limit.from <= store.now() ? limit.until : 0
  })

  const measure = measureStore(store)
  yield* Effect.addFinalizer(() => measure)

  const replace = replaceIn(store, feed, sealer)

  const fetcher = yield* Fetcher.make({
    deadline: config.retry.deadline,
    store,
    policy,
    source,
    sealed,
    sealer,
    refresher,
    replace,
    measure,
    limit: (wait) => {
      limit = { from: store.now(), until: store.now() + Math.min(wait, Duration.toMillis(config.retry.maxRetryAfter)) }
    }
  })

  /** Fetches; returns the last snapshot if the server is unreachable. */
  const fetchOrReturnLast = (entry: Store.Entry): Effect.Effect<Snapshot.Snapshot, ReadError> =>
    Effect.catchIf(fetcher.fetch(entry.location), isUnreachable, (error) => returnLast(entry, error))

  const returnLast = (entry: Store.Entry, error: Unreachable): Effect.Effect<Snapshot.Snapshot, ReadError> =>
    Effect.suspend(() =>
      Option.match(LocationState.lastSnapshot(entry.state, { now: store.now(), policy, error }), {
        onNone: () => Effect.fail(error),
        onSome: (snapshot) => Effect.succeed(returned(entry, snapshot))
      })
    )

  const returned = (entry: Store.Entry, snapshot: Snapshot.Snapshot): Snapshot.Snapshot => {
    store.update(entry, LocationState.returned(entry.state, snapshot))
    if (snapshot.source !== "live") SecretMetrics.stale.unsafeUpdate(1, noTags)
    return snapshot
  }

  const read: Service["read"] = (location) =>
    Effect.suspend(() => {
      const current = store.fresh(location)
      if (current !== undefined) return Effect.succeed(current)
      const entry = store.entry(location)
      store.use(entry)
      const isRefreshed = refresher.isRefreshed(entry)
      const decision = LocationState.read(entry.state, { now: store.now(), policy, isRefreshed })
      switch (decision._tag) {
        case "Return":
          return Effect.succeed(returned(entry, decision.snapshot))
        case "Fail":
          return Effect.fail(decision.error)
        case "Fetch":
          SecretMetrics.misses.unsafeUpdate(1, noTags)
          return fetchOrReturnLast(entry)
      }
    })

  return {
    fresh: store.fresh,
    holds: (location) => Option.isSome(store.find(location)?.state.snapshot ?? Option.none()),
    last: (location) =>
      Option.flatMap(
        Option.fromNullable(store.find(location)),
        ({ state }) => Option.filter(state.snapshot, ({ source }) => source !== "sealed")
      ),
    read,
    revalidateMiss: (snapshot) =>
      Effect.suspend(() => {
        const entry = store.entry(snapshot.location)
        return LocationState.mayLookUpAgain(entry.state, snapshot, { now: store.now(), policy })
          ? fetchOrReturnLast(entry)
          : Effect.succeed(snapshot)
      }),
    refresh: (location) => Effect.suspend(() => fetcher.fetch(location)),
    refreshAll: Effect.suspend(() => {
      // What was refused is not in the cache: the next read asks for it.
      const held = store.entries().filter(({ state }) => Option.isSome(state.snapshot) || Option.isSome(state.outage))
      return Effect.forEach(held, ({ location }) => Effect.either(fetcher.fetch(location)), { concurrency: 4 })
    }).pipe(Effect.flatMap(Effect.forEach(identity, { discard: true }))),
    write: Writer.make({ open, store, policy, sealer, refresher, replace }).write,
    invalidateAll: Effect.sync(() => {
      for (const entry of store.entries()) store.update(entry, LocationState.invalidated(entry.state))
    }),
    keep: (location) =>
      Effect.asVoid(Effect.acquireRelease(
        Effect.suspend(() => {
          const entry = store.entry(location)
          store.update(entry, LocationState.pinned(entry.state))
          return Effect.as(refresher.start(entry), entry)
        }),
        (entry) =>
          Effect.suspend(() => {
            store.update(entry, LocationState.unpinned(entry.state))
            return refresher.wakeUp(entry)
          })
      )),
    transitions: feed.subscribe
  }
})

/**
 * The service as a layer. Each call makes a new one.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (): Layer.Layer<
  SecretCache,
  never,
  InfisicalConfig.InfisicalConfig | SecretSource.SecretSource | SealedSnapshots.SealedSnapshots
> => Layer.scoped(SecretCache, make)

/** Sets the metrics after a fetch. The oldest age, for which all entries are looked at, at most once a second. */
const measureStore = (store: Store.Store): Effect.Effect<void> => {
  let measuredAt = Number.NEGATIVE_INFINITY
  return Effect.suspend(() => {
    const now = store.now()
    const hits = Metric.incrementBy(SecretMetrics.hits, store.takeHits())
    if (0 <= now - measuredAt && now - measuredAt < 1000) return hits
    measuredAt = now
    let oldest = now
    for (const { state } of store.entries()) {
      if (Option.isSome(state.snapshot)) oldest = Math.min(oldest, fetchedAtMillis(state.snapshot.value))
    }
    return Effect.zipRight(hits, Metric.set(SecretMetrics.oldestSnapshotAge, (now - oldest) / 1000))
  })
}

/** Replaces the state of an entry; notifies subscribers if its rows are others, and of the values that refer to them. */
const replaceIn = (store: Store.Store, feed: SnapshotFeed.SnapshotFeed, sealer: Sealer.Sealer) => {
  const notify = (entry: Store.Entry, previous: Option.Option<Snapshot.Snapshot>, current: Snapshot.Snapshot) => {
    feed.publish({ previous, current, returned: new Map(entry.expansion.returned) })
    Expansion.prune(entry.expansion, current)
  }
  return (entry: Store.Entry, state: LocationState.LocationState): void => {
    const previous = entry.state.snapshot
    store.update(entry, state)
    if (Option.isNone(state.snapshot) || !SnapshotFeed.hasOtherRows(previous, state.snapshot.value)) return
    notify(entry, previous, state.snapshot.value)
    sealer.changed(entry, previous)
    for (const other of store.entries()) {
      const { snapshot } = other.state
      if (other !== entry && other.expansion.references.has(entry.location.key) && Option.isSome(snapshot)) {
        notify(other, snapshot, snapshot.value)
      }
    }
  }
}

const policyOf = (config: InfisicalConfig.Service, source: SecretSource.Service): LocationState.Policy => ({
  cacheTtl: Duration.toMillis(config.cacheTtl),
  maxStale: Duration.toMillis(config.maxStale),
  sealedTtl: Duration.toMillis(config.sealedTtl),
  missTtl: Duration.toMillis(config.missTtl),
  isExpandedByServer: source.expandsReferences
})

const fetchedAtMillis = ({ fetchedAt }: Snapshot.Snapshot): number => DateTime.toEpochMillis(fetchedAt)

const noTags: ReadonlyArray<never> = []
