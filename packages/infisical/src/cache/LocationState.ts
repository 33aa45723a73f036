/**
 * The rules of the cache: what is known of one location, as an immutable value, and what each event makes of it.
 *
 * No effects, no clock, no fibers: the shell (`SecretCache`) passes time and order in, and carries out what is decided.
 * All rules are in this one file, longer than others, so that they can be read together.
 *
 * Order is a counter over the whole cache, the `Tick`: it is taken when a fetch begins and when a write begins or ends.
 * An answer or a refusal counts only if its fetch began after every write that touches the location had ended. Any other
 * one is given to the callers that wait for it, since their read overlaps the write, and is never served as live.
 *
 * What a failed fetch does:
 *
 * - Server unreachable (`InfisicalError.isUnreachable`): the last snapshot is still returned, as `live` until its
 *   `cacheTtl` is over, then as `stale` until `maxStale`. The fetch is retried after a pause that grows.
 * - Any other failure is an answer: a refused credential or a missing permission must not be hidden by what was once
 *   allowed. The snapshot is removed, and the refusal returned for `missTtl`.
 */
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import type { ReadError, Unreachable } from "../model/InfisicalError.js"
import type * as Location from "../model/Location.js"
import { isWithin } from "../model/Location.js"
import type * as SecretSource from "../source/SecretSource.js"
import * as Snapshot from "../source/Snapshot.js"

/** A place in the order of all fetches and writes of the cache. */
export type Tick = number

/** Milliseconds of the clock, from one up to but without the other. A clock that was set back is outside of it, too. */
interface Interval {
  readonly from: number
  readonly until: number
}

const never: Interval = { from: 0, until: 0 }

const contains = ({ from, until }: Interval, now: number): boolean => from <= now && now < until

/** A fetch under way. */
interface Fetch {
  readonly begun: Tick
  /** In milliseconds. The answer may be as old as that. */
  readonly begunAt: number
  /** The writes that ended since it began, where their outcome is known: its answer may lack them. */
  readonly changes: ReadonlyArray<Snapshot.Change>
  /** Whether a write that touches the location ended since it began. No later caller may join it. */
  readonly isOutdated: boolean
}

/** A write under way that touches the location. */
interface Write {
  readonly begun: Tick
  /** Whether another write was under way at the same time: their order at the server is unknown. */
  readonly isOverlapped: boolean
}

/** Fetches fail because the server is unreachable. */
interface Outage {
  readonly error: Unreachable
  /** Fetches that failed one after the other; concurrent ones count once. */
  readonly attempts: number
  /** The tick of the last failure. */
  readonly failed: Tick
  /** No fetch begins by itself in it. */
  readonly pause: Interval
}

/** What is known of one location. */
export interface LocationState {
  readonly location: Location.Location
  /** Expands references in values, where the source does not. */
  readonly expand: Option.Option<Snapshot.Expand>
  /** The last good snapshot, with our own writes applied. */
  readonly snapshot: Option.Option<Snapshot.Snapshot>
  /** When the snapshot may be returned without a fetch. */
  readonly fresh: Interval
  /** When the fetch of the snapshot or of the refusal began; later ones replace it, earlier ones do not. */
  readonly answered: Tick
  readonly outage: Option.Option<Outage>
  /** What the server answered instead of secrets, and how long it is returned without a fetch. */
  readonly refusal: Option.Option<{ readonly error: ReadError; readonly valid: Interval }>
  readonly fetches: ReadonlyArray<Fetch>
  readonly writes: ReadonlyArray<Write>
  /** Open `keep` scopes; above zero prevents eviction. */
  readonly pinCount: number
}

/** The times that the rules need, in milliseconds. */
export interface Policy {
  readonly cacheTtl: number
  readonly maxStale: number
  readonly sealedTtl: number
  readonly missTtl: number
  /** The source returns values with their references expanded, so that a write may change other values. */
  readonly isExpandedByServer: boolean
}

export const initial = (
  location: Location.Location,
  options: {
    readonly expand: Option.Option<Snapshot.Expand>
    /** The ticks of the writes under way that touch the location. */
    readonly writes: ReadonlyArray<Tick>
  }
): LocationState => ({
  location,
  expand: options.expand,
  snapshot: Option.none(),
  fresh: never,
  answered: 0,
  outage: Option.none(),
  refusal: Option.none(),
  fetches: [],
  writes: options.writes.map((begun) => ({ begun, isOverlapped: options.writes.length > 1 })),
  pinCount: 0
})

/** Whether nothing is known and nothing is under way, so that the state need not be stored. */
export const isBlank = (state: LocationState): boolean =>
  Option.isNone(state.snapshot) && Option.isNone(state.outage) && Option.isNone(state.refusal) &&
  isIdle(state) && state.pinCount === 0

/** Whether no fetch and no write is under way. */
export const isIdle = ({ fetches, writes }: LocationState): boolean => fetches.length === 0 && writes.length === 0

// Reads

/** What to do for a caller that reads. */
export type ReadDecision =
  | { readonly _tag: "Return"; readonly snapshot: Snapshot.Snapshot }
  | { readonly _tag: "Fail"; readonly error: ReadError }
  | { readonly _tag: "Fetch" }

/**
 * Decides for a caller that reads. While the server is unreachable no caller waits that can be served: `isRefreshed` says
 * that a background fiber retries.
 */
export const read = (
  state: LocationState,
  options: { readonly now: number; readonly policy: Policy; readonly isRefreshed: boolean }
): ReadDecision => {
  const { isRefreshed, now, policy } = options
  const { fresh, outage, refusal, snapshot } = state
  if (Option.isSome(snapshot) && contains(fresh, now)) return { _tag: "Return", snapshot: snapshot.value }
  if (Option.isSome(refusal) && contains(refusal.value.valid, now)) return { _tag: "Fail", error: refusal.value.error }
  if (Option.isNone(outage)) return { _tag: "Fetch" }
  const isPausing = contains(outage.value.pause, now)
  const last = lastSnapshot(state, { now, policy, error: outage.value.error })
  if (Option.isSome(last) && (isPausing || isRefreshed)) return { _tag: "Return", snapshot: last.value }
  return isPausing ? { _tag: "Fail", error: outage.value.error } : { _tag: "Fetch" }
}

/**
 * The last snapshot, for a caller that cannot have another one since the server is unreachable: as it is while it is
 * fresh, then marked as stale. None where there is none, or it is too old. Its age is unknown if the clock was set back.
 */
export const lastSnapshot = (
  { fresh, snapshot }: LocationState,
  { error, now, policy }: { readonly now: number; readonly policy: Policy; readonly error: Unreachable }
): Option.Option<Snapshot.Snapshot> =>
  Option.flatMap(snapshot, (snapshot) => {
    if (contains(fresh, now)) return Option.some(snapshot)
    const age = now - DateTime.toEpochMillis(snapshot.fetchedAt)
    const limit = snapshot.source === "sealed" ? Math.min(policy.maxStale, policy.sealedTtl) : policy.maxStale
    if (age > limit || (age < 0 && Number.isFinite(limit))) return Option.none()
    return Option.some(
      snapshot.source === "live"
        ? Snapshot.make({ ...snapshot, source: "stale", staleBecause: Option.some(error) })
        : snapshot
    )
  })

/** Keeps the snapshot that was returned as stale, so that each caller gets the same one. */
export const returned = (state: LocationState, snapshot: Snapshot.Snapshot): LocationState =>
  Option.contains(state.snapshot, snapshot) ? state : { ...state, snapshot: Option.some(snapshot) }

/** Whether a name that is missing in a snapshot may be looked up again: not within `missTtl`, not while pausing. */
export const mayLookUpAgain = (
  state: LocationState,
  snapshot: Snapshot.Snapshot,
  { now, policy }: { readonly now: number; readonly policy: Policy }
): boolean => {
  const age = now - DateTime.toEpochMillis(snapshot.fetchedAt)
  return snapshot.source === "live" && !(0 <= age && age < policy.missTtl) &&
    !Option.exists(state.outage, ({ pause }) => contains(pause, now))
}

// Fetches

/** The fetch under way that a caller may join. */
export const joinable = ({ fetches }: LocationState): Tick | undefined =>
  fetches.findLast(({ isOutdated }) => !isOutdated)?.begun

export const fetchBegun = (state: LocationState, begun: Tick, begunAt: number): LocationState => ({
  ...state,
  fetches: [...state.fetches, { begun, begunAt, changes: [], isOutdated: false }]
})

/** A fetch that ended without an answer, since it died or since the layer is released. */
export const fetchAbandoned = (state: LocationState, begun: Tick): LocationState => ({
  ...state,
  fetches: state.fetches.filter((fetch) => fetch.begun !== begun)
})

/** What came of a fetch. */
export interface Answered {
  readonly state: LocationState
  /** For the callers that wait for this fetch: their reads began before any write ended that the answer may lack. */
  readonly snapshot: Snapshot.Snapshot
}

/** The server answered with secrets. */
export const fetchAnswered = (
  state: LocationState,
  options: {
    readonly begun: Tick
    readonly result: SecretSource.FetchResult
    readonly fetchedAt: DateTime.Utc
    readonly policy: Policy
  }
): Answered => {
  const { begun, fetchedAt, policy, result: { content, etag } } = options
  const fetch = fetchOf(state, begun)
  const next = fetchAbandoned(state, begun)
  const answer = Snapshot.make({
    location: state.location,
    source: "live",
    fetchedAt,
    etag,
    content,
    staleBecause: Option.none(),
    expand: state.expand
  })
  // A later fetch was answered first.
  if (begun < state.answered) return { state: next, snapshot: answer }
  return {
    snapshot: answer,
    state: {
      ...next,
      snapshot: Option.some(fetch.changes.reduce(Snapshot.afterWrite, answer)),
      fresh: isSettled(next, fetch) ? { from: fetch.begunAt, until: fetch.begunAt + policy.cacheTtl } : never,
      answered: begun,
      outage: Option.none(),
      refusal: Option.none()
    }
  }
}

/** The server answered, with an error that says what it holds or allows. */
export const fetchRefused = (
  state: LocationState,
  options: { readonly begun: Tick; readonly error: ReadError; readonly policy: Policy }
): { readonly state: LocationState; readonly counts: boolean } => {
  const { begun, error, policy } = options
  const { begunAt, ...fetch } = fetchOf(state, begun)
  const next = fetchAbandoned(state, begun)
  if (begun < state.answered || !isSettled(next, fetch)) return { state: next, counts: false }
  return {
    counts: true,
    state: {
      ...next,
      snapshot: Option.none(),
      fresh: never,
      answered: begun,
      outage: Option.none(),
      refusal: Option.some({ error, valid: { from: begunAt, until: begunAt + policy.missTtl } })
    }
  }
}

/**
 * The server could not be reached. A failure counts once, however many fetches failed at the same time, so that the pause
 * does not grow with the number of callers.
 */
export const fetchFailed = (
  state: LocationState,
  options: {
    readonly begun: Tick
    readonly failed: Tick
    readonly error: Unreachable
    readonly now: number
    /** Milliseconds to pause after that many failures. */
    readonly pause: (attempts: number) => number
  }
): LocationState => {
  const { begun, error, failed, now, pause } = options
  const next = fetchAbandoned(state, begun)
  // A later fetch was answered: the server is reachable.
  if (begun < state.answered) return next
  const attempts = Option.match(state.outage, {
    onNone: () => 1,
    onSome: (outage) => begun < outage.failed ? outage.attempts : outage.attempts + 1
  })
  return {
    ...next,
    outage: Option.some({ error, attempts, failed, pause: { from: now, until: now + pause(attempts) } })
  }
}

/** A fetch died. It says nothing of the server, but retries of an outage must not follow each other without a pause. */
export const fetchDied = (
  state: LocationState,
  options: { readonly begun: Tick; readonly failed: Tick; readonly now: number; readonly pause: (n: number) => number }
): LocationState =>
  Option.match(state.outage, {
    onNone: () => fetchAbandoned(state, options.begun),
    onSome: ({ error }) => fetchFailed(state, { ...options, error })
  })

/** The sealed snapshot of an earlier process was loaded, since the server is unreachable. */
export const sealLoaded = (state: LocationState, snapshot: Snapshot.Snapshot): LocationState =>
  Option.isSome(state.snapshot) || Option.isNone(state.outage)
    ? state
    : { ...state, snapshot: Option.some(Snapshot.make({ ...snapshot, expand: state.expand })), fresh: never }

/** Whether the answer of a fetch reflects every write that touches the location. */
const isSettled = (state: LocationState, fetch: Pick<Fetch, "isOutdated">): boolean =>
  !fetch.isOutdated && state.writes.length === 0

const fetchOf = ({ fetches }: LocationState, begun: Tick): Fetch =>
  fetches.find((fetch) => fetch.begun === begun) ?? { begun, begunAt: -Infinity, changes: [], isOutdated: true }

// Writes

/**
 * What a write does to a location: `own` to the folder itself, whose snapshot it changes; `dependent` where the folder's
 * secrets may be among others, so that only the server knows the outcome.
 */
export type WriteEffect = "own" | "dependent" | "none"

export const effectOfWrite = (
  written: Pick<Location.Location, "environment" | "secretPath">,
  location: Location.Location,
  { isExpandedByServer }: Pick<Policy, "isExpandedByServer">
): WriteEffect =>
  location.environment === written.environment && location.secretPath === written.secretPath
    ? isWholeFolder(location) ? "own" : "dependent"
    : location.includeImports || (isExpandedByServer && location.expandReferences) ||
        (location.recursive && location.environment === written.environment &&
          isWithin(written.secretPath, location.secretPath))
    ? "dependent"
    : "none"

/** Whether the location is all that a folder holds, so that a write can be applied to its snapshot. */
const isWholeFolder = ({ metadata, recursive, secretName, tagSlugs, version }: Location.Location): boolean =>
  !recursive && secretName === undefined && version === undefined && tagSlugs.length === 0 &&
  Object.keys(metadata).length === 0

export const writeBegun = (state: LocationState, begun: Tick): LocationState => {
  const isOverlapped = state.writes.length > 0
  return {
    ...state,
    writes: [...state.writes.map((write) => ({ ...write, isOverlapped: true })), { begun, isOverlapped }]
  }
}

/** What came of a write: applied, refused before anything was written, or unknown. */
export type WriteOutcome =
  | { readonly _tag: "Applied"; readonly change: Snapshot.Change }
  | { readonly _tag: "Refused" }
  | { readonly _tag: "Unknown" }

/** A write ended. Nothing that was fetched before is served as live unless it is known to be as the server holds it. */
export const writeEnded = (
  state: LocationState,
  options: {
    readonly begun: Tick
    readonly outcome: WriteOutcome
    readonly effect: WriteEffect
    readonly policy: Policy
  }
): LocationState => {
  const { begun, effect, outcome, policy } = options
  const write = state.writes.find((write) => write.begun === begun)
  const next = { ...state, writes: state.writes.filter((write) => write.begun !== begun) }
  if (outcome._tag === "Refused" || effect === "none") return next
  if (outcome._tag === "Unknown") return invalidated(next)
  // The server answered, so that a retry may come at once.
  const reachable = { ...next, outage: Option.map(next.outage, (outage) => ({ ...outage, pause: never })) }
  if (effect === "dependent") return invalidated(reachable)
  const { change } = outcome
  const { snapshot } = reachable
  const isExpanded = policy.isExpandedByServer && state.location.expandReferences
  const isKnown = write?.isOverlapped === false &&
    !(isExpanded && Option.exists(snapshot, (snapshot) => Snapshot.isReferredTo(snapshot, change)))
  return {
    ...reachable,
    snapshot: Option.map(snapshot, (snapshot) => Snapshot.afterWrite(snapshot, change)),
    fresh: isKnown ? reachable.fresh : never,
    refusal: Option.none(),
    fetches: reachable.fetches.map((fetch) => ({
      ...fetch,
      changes: [...fetch.changes, change],
      isOutdated: true
    }))
  }
}

/** Something changed that only the server knows the outcome of. The snapshot is still there for an outage. */
export const invalidated = (state: LocationState): LocationState => ({
  ...state,
  fresh: never,
  refusal: Option.none(),
  fetches: state.fetches.map((fetch) => ({ ...fetch, isOutdated: true }))
})

// Other events

/** The clock was set back. How old anything is is unknown, so that everything counts as expired. */
export const clockSetBack = (state: LocationState): LocationState => ({
  ...state,
  fresh: never,
  refusal: Option.none(),
  outage: Option.map(state.outage, (outage) => ({ ...outage, pause: never })),
  fetches: state.fetches.map((fetch) => ({ ...fetch, begunAt: -Infinity }))
})

/** The location was evicted. What is under way goes on, and is known: a later caller must not join what is outdated. */
export const evicted = (state: LocationState): LocationState => ({
  ...state,
  snapshot: Option.none(),
  fresh: never,
  outage: Option.none(),
  refusal: Option.none()
})

export const pinned = (state: LocationState): LocationState => ({ ...state, pinCount: state.pinCount + 1 })

export const unpinned = (state: LocationState): LocationState => ({ ...state, pinCount: state.pinCount - 1 })

/** The first entries to go where there are too many: those without a snapshot, then the least recently used. */
export const surplus = <E extends { readonly state: LocationState; readonly usedAt: number }>(
  entries: Iterable<E>,
  options: { readonly capacity: number; readonly isPinned: (state: LocationState) => boolean }
): ReadonlyArray<E> => {
  const all = [...entries]
  const excess = all.length - options.capacity
  if (excess <= 0) return []
  const movable = all.filter(({ state }) => !options.isPinned(state) && isIdle(state))
  // After a fetch it is one, for which a sort of all would cost a hundred times as much.
  return excess === 1 ? first(movable) : movable.toSorted(byUse).slice(0, excess)
}

interface Used {
  readonly state: LocationState
  readonly usedAt: number
}

const byUse = (one: Used, other: Used): number =>
  Number(Option.isSome(one.state.snapshot)) - Number(Option.isSome(other.state.snapshot)) || one.usedAt - other.usedAt

const first = <E extends Used>(entries: ReadonlyArray<E>): ReadonlyArray<E> => {
  let least: E | undefined
  for (const entry of entries) if (least === undefined || byUse(entry, least) < 0) least = entry
  return least === undefined ? [] : [least]
}
