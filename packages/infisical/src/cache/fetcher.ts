/**
 * Fetches a location, by one request for all callers that want it at the same time, and carries out what the rules make
 * of the outcome.
 */
import * as Cause from "effect/Cause"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import { within } from "../api/deadline.js"
import { isUnreachable, type ReadError, type Unreachable } from "../model/InfisicalError.js"
import type * as Location from "../model/Location.js"
import type * as SecretSource from "../source/SecretSource.js"
import * as Snapshot from "../source/Snapshot.js"
import { backoff } from "../support/backoff.js"
import * as SingleFlight from "../support/singleFlight.js"
import { withSpan } from "../support/span.js"
import * as LocationState from "./LocationState.js"
import type { Refresher } from "./refresher.js"
import type * as SealedSnapshots from "./SealedSnapshots.js"
import type { Sealer } from "./sealer.js"
import * as SecretMetrics from "./SecretMetrics.js"
import type { Entry, Store } from "./store.js"

export interface Fetcher {
  /** Joins the fetch under way, or begins one. */
  readonly fetch: (location: Location.Location) => Effect.Effect<Snapshot.Snapshot, ReadError>
  /** Fetches for no caller. A failure is part of the state by then; a defect is logged. */
  readonly fetchInBackground: (location: Location.Location) => Effect.Effect<void>
}

interface Options {
  /** The longest time for a fetch: no caller ends it. */
  readonly deadline: Duration.Duration
  readonly store: Store
  readonly policy: LocationState.Policy
  readonly source: SecretSource.Service
  readonly sealed: SealedSnapshots.Service
  readonly sealer: Sealer
  readonly refresher: Refresher
  readonly replace: (entry: Entry, state: LocationState.LocationState) => void
  readonly measure: Effect.Effect<void>
  /** Scheduled fetches wait for so many milliseconds, since little is left of a rate limit. */
  readonly limit: (millis: number) => void
}

export const make = (options: Options): Effect.Effect<Fetcher, never, Scope.Scope> =>
  Effect.gen(function*() {
    const { source, store } = options
    const singleFlight = yield* SingleFlight.make<Snapshot.Snapshot, ReadError>()
    const semaphore = yield* Effect.makeSemaphore(mostFetches)
    const bounded = (fetch: Effect.Effect<SecretSource.FetchResult, ReadError>) =>
      semaphore.withPermits(1)(fetch).pipe(
        within({ duration: options.deadline, endpoint: "SecretCache.refresh", isWrite: false })
      )

    const run = (entry: Entry, begun: LocationState.Tick): Effect.Effect<Snapshot.Snapshot, ReadError> =>
      Effect.uninterruptibleMask((restore) =>
        Effect.gen(function*() {
          // A sealed snapshot is not the server's answer, whatever ids and versions it has in common with that.
          const previous = Option.filter(entry.state.snapshot, ({ source }) => source !== "sealed")
          const seal = yield* Effect.cached(options.sealed.load(entry.location))
          const stopLoading = yield* loadEarly(options, entry, seal)
          const exit = yield* Effect.exit(restore(bounded(source.fetch(entry.location, previous))))
          return yield* Effect.ensuring(
            Exit.isSuccess(exit)
              ? onSuccess(options, entry, begun, exit.value)
              : onFailure(options, entry, begun, exit.cause, seal),
            stopLoading
          )
        })
      ).pipe(withSpan("SecretCache.refresh", {
        attributes: {
          "infisical.environment": entry.location.environment,
          "infisical.secret_path": entry.location.secretPath
        }
      }))

    const fetch: Fetcher["fetch"] = (location) =>
      Effect.suspend(() => {
        const entry = store.entry(location)
        const known = LocationState.joinable(entry.state)
        const begun = known ?? store.tick()
        if (known === undefined) store.update(entry, LocationState.fetchBegun(entry.state, begun, store.now()))
        return singleFlight(String(begun), run(entry, begun))
      })

    return {
      fetch,
      fetchInBackground: (location) =>
        Effect.catchAllCause(fetch(location), (cause) =>
          Cause.isDie(cause)
            ? Effect.logWarning(`Fetching the secrets of ${nameOf(location)} died; the next fetch is a new attempt`)
            : Effect.void)
    }
  })

/** At the same time, of all locations: one list may refer to a thousand folders, and servers limit requests. */
const mostFetches = 32

type Seal = Effect.Effect<Option.Option<Snapshot.Snapshot>>

/** Whether a failure of the server would be the first that is known of a location, with nothing to return. */
const isEmpty = ({ state }: Entry): boolean => Option.isNone(state.outage) && Option.isNone(state.snapshot)

/**
 * Loads what is sealed before a server that hangs is given up: then callers leave, and the load would come too late. Not
 * at once, since it is not needed if the server answers. Returns how to stop it.
 */
const loadEarly = ({ sealed }: Options, entry: Entry, seal: Seal): Effect.Effect<Effect.Effect<void>> =>
  sealed.isEnabled && isEmpty(entry)
    ? Effect.map(
      Effect.forkDaemon(Effect.interruptible(Effect.zipRight(Effect.sleep(loadAfter), seal))),
      Fiber.interruptFork
    )
    : Effect.succeed(Effect.void)

const loadAfter = Duration.millis(100)

/** What follows every fetch: eviction, the next refresh, sealing, metrics. */
const afterFetch = ({ measure, refresher, sealer, store }: Options, entry: Entry) =>
  Effect.gen(function*() {
    yield* measure
    yield* Effect.forEach(store.evictSurplus(), refresher.stop, { discard: true })
    yield* refresher.start(entry)
    yield* sealer.sealInBackground
  })

const onSuccess = (
  options: Options,
  entry: Entry,
  begun: LocationState.Tick,
  result: SecretSource.FetchResult
): Effect.Effect<Snapshot.Snapshot> =>
  Effect.gen(function*() {
    const { policy, refresher, replace, sealer, store } = options
    const wasUnreachable = Option.isSome(entry.state.outage)
    const fetchedAt = DateTime.unsafeMake(store.now())
    const answered = LocationState.fetchAnswered(entry.state, { begun, result, fetchedAt, policy })
    replace(entry, answered.state)
    sealer.confirmed(entry)
    yield* Metric.increment(SecretMetrics.refreshes)
    if (wasUnreachable && Option.isNone(answered.state.outage)) {
      yield* Effect.logInfo(`Fetched the secrets of ${nameOf(entry.location)}; the server is reachable again`)
      yield* refresher.wakeUp(entry)
    }
    Option.map(resetAfter(result), options.limit)
    yield* afterFetch(options, entry)
    return answered.snapshot
  })

const onFailure = (
  options: Options,
  entry: Entry,
  begun: LocationState.Tick,
  cause: Cause.Cause<ReadError>,
  seal: Seal
): Effect.Effect<never, ReadError> =>
  Effect.gen(function*() {
    const error = Cause.failureOption(cause)
    if (Option.isSome(error)) {
      yield* Metric.increment(SecretMetrics.refreshes)
      yield* Metric.increment(Metric.tagged(SecretMetrics.refreshFailures, "error", error.value._tag))
      yield* isUnreachable(error.value)
        ? onUnreachable(options, entry, begun, error.value, seal)
        : onRefusal(options, entry, begun, error.value)
    } else {
      const { store } = options
      store.update(
        entry,
        Cause.isDie(cause)
          ? LocationState.fetchDied(entry.state, {
            begun,
            failed: store.tick(),
            now: store.now(),
            pause: (n) => pauseAfter(n, 1)
          })
          : LocationState.fetchAbandoned(entry.state, begun)
      )
    }
    yield* afterFetch(options, entry)
    return yield* Effect.failCause(cause)
  })

const onRefusal = (
  { policy, replace, sealer }: Options,
  entry: Entry,
  begun: LocationState.Tick,
  error: ReadError
) =>
  Effect.suspend(() => {
    const { counts, state } = LocationState.fetchRefused(entry.state, { begun, error, policy })
    replace(entry, state)
    return counts ? sealer.remove(entry, error) : Effect.void
  })

const onUnreachable = (
  { refresher, replace, store }: Options,
  entry: Entry,
  begun: LocationState.Tick,
  error: Unreachable,
  seal: Seal
) =>
  Effect.gen(function*() {
    // Before the failure is recorded, so that callers wait for what is sealed rather than fail.
    const loaded = isEmpty(entry) ? yield* seal : Option.none()
    const isFirst = Option.isNone(entry.state.outage)
    const jitter = yield* Random.nextRange(0.8, 1.2)
    const pause = (attempts: number) => Math.max(pauseAfter(attempts, jitter), retryAfterMillis(error))
    replace(
      entry,
      LocationState.fetchFailed(entry.state, { begun, failed: store.tick(), error, now: store.now(), pause })
    )
    if (Option.isSome(loaded)) {
      const snapshot = Snapshot.make({ ...loaded.value, staleBecause: Option.some(error) })
      replace(entry, LocationState.sealLoaded(entry.state, snapshot))
    }
    if (isFirst && Option.isSome(entry.state.outage)) yield* Effect.logWarning(outageMessage(entry, error))
    yield* refresher.wakeUp(entry)
  })

const outageMessage = ({ location, state: { outage, snapshot } }: Entry, error: Unreachable): string => {
  const millis = Option.match(outage, { onNone: () => 0, onSome: ({ pause }) => pause.until - pause.from })
  const serving = Option.match(snapshot, {
    onNone: () => "there is no earlier snapshot",
    onSome: ({ fetchedAt }) => `serving the snapshot of ${DateTime.formatIso(fetchedAt)}`
  })
  return `Fetching the secrets of ${nameOf(location)} failed; ${serving}, retrying in ${
    Duration.format(Duration.millis(millis))
  }. ${error.message}`
}

const nameOf = ({ environment, secretPath }: Location.Location): string => `${environment}:${secretPath}`

/** How long to wait if no more than a tenth of a rate limit is left, which is left to reads that a caller waits for. */
const resetAfter = ({ rateLimit }: SecretSource.FetchResult): Option.Option<number> =>
  Option.flatMap(
    rateLimit,
    ({ limit, remaining, resetAfter }) =>
      remaining <= limit / 10 ? Option.some(Duration.toMillis(resetAfter)) : Option.none()
  )

const retryAfterMillis = (error: Unreachable): number =>
  error._tag === "NetworkError" && error.retryAfter !== undefined ? Duration.toMillis(error.retryAfter) : 0

/** From a second to a minute, in milliseconds. */
const pauseAfter = (attempt: number, jitter: number): number => backoff({ attempt, base: 1000, max: 60_000, jitter })
