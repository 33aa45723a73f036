/**
 * The entries of the cache: the state of each location, and the plain table for warm reads that is derived from it.
 *
 * Plain mutable collections, behind this module alone: a warm read is one lookup and two comparisons, which as a `Ref` or
 * a persistent map would cost several times as much. The states in it are immutable, and change by `update` only.
 */
import type * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Option from "effect/Option"
import type * as Location from "../model/Location.js"
import type * as Snapshot from "../source/Snapshot.js"
import type { Expansion } from "./expansion.js"
import * as LocationState from "./LocationState.js"

export interface Entry {
  readonly location: Location.Location
  state: LocationState.LocationState
  /** Derived from the state, for warm reads. */
  warm: { readonly snapshot: Snapshot.Snapshot; readonly from: number; readonly until: number } | undefined
  /** The count of all reads as of the last read of this entry. */
  usedAt: number
  readonly expansion: Expansion
  refresher: Fiber.RuntimeFiber<void> | undefined
  /** Done, it ends the pause of the refresher. */
  wakeUp: Deferred.Deferred<void>
  sealedAt: number
}

export interface Store {
  /** The snapshot of a location while it is fresh. */
  readonly fresh: (location: Location.Location) => Snapshot.Snapshot | undefined
  readonly find: (location: Location.Location) => Entry | undefined
  /** The entry of a location; a new one if there is none. */
  readonly entry: (location: Location.Location) => Entry
  readonly entries: () => ReadonlyArray<Entry>
  /** Replaces the state of an entry. An entry of which nothing is known any more is removed. */
  readonly update: (entry: Entry, state: LocationState.LocationState) => void
  /** Whether an entry is pinned, or a pinned one refers to it. */
  readonly isPinned: (entry: Entry) => boolean
  /** Evicts what exceeds the capacity, and returns it. */
  readonly evictSurplus: () => ReadonlyArray<Entry>
  readonly evict: (entry: Entry) => void
  readonly use: (entry: Entry) => void
  /** The next tick in the order of fetches and writes. */
  readonly tick: () => LocationState.Tick
  /** The time in milliseconds. If the clock was set back since the last call, everything counts as expired. */
  readonly now: () => number
  /** Warm reads since the last call, which the metric does not count yet: counting each costs a tenth of a warm read. */
  readonly takeHits: () => number
}

/** Beside the capacity. As many as the look-ups of one value. */
const mostReferred = 1000

export const make = (options: {
  readonly clock: Clock.Clock
  readonly capacity: number
  /** The state of a location of which nothing is known yet. */
  readonly initial: (location: Location.Location, expansion: Expansion) => LocationState.LocationState
  readonly expansion: () => Expansion
  /** Called for each entry that is evicted. */
  readonly onEvict: (entry: Entry) => void
}): Store => {
  const { capacity, clock, expansion, initial, onEvict } = options
  const entries = new Map<string, Entry>()
  let reads = 0
  let hits = 0
  let ticks = 0
  let lastSeen = 0

  const update: Store["update"] = (entry, state) => {
    entry.state = state
    entry.warm = Option.isSome(state.snapshot) && state.fresh.until > state.fresh.from
      ? { snapshot: state.snapshot.value, ...state.fresh }
      : undefined
    const { key } = entry.location
    if (!LocationState.isBlank(state)) entries.set(key, entry)
    else if (entries.get(key) === entry) entries.delete(key)
  }

  const now = () => {
    const time = clock.unsafeCurrentTimeMillis()
    if (time < lastSeen) {
      for (const entry of entries.values()) update(entry, LocationState.clockSetBack(entry.state))
    }
    lastSeen = time
    return time
  }

  const use = (entry: Entry) => {
    entry.usedAt = ++reads
  }

  const create = (location: Location.Location): Entry => {
    const expanding = expansion()
    const entry: Entry = {
      location,
      state: initial(location, expanding),
      warm: undefined,
      usedAt: ++reads,
      expansion: expanding,
      refresher: undefined,
      wakeUp: Deferred.unsafeMake(FiberId.none),
      sealedAt: 0
    }
    entries.set(location.key, entry)
    return entry
  }

  /** The keys of the entries that `keep` pins, and of those that their values refer to. */
  const pinnedKeys = (): ReadonlySet<string> =>
    new Set(
      [...entries.values()].flatMap(({ expansion, location, state }) =>
        state.pinCount > 0 ? [location.key, ...expansion.references] : []
      )
    )

  /**
   * The keys of the entries that others refer to. They are kept with those, up to a bound: one list may refer to more
   * folders than the cache holds, and would have them fetched again each time.
   */
  const referredKeys = (): ReadonlySet<string> => {
    const keys = new Set<string>()
    for (const { expansion } of entries.values()) {
      for (const key of expansion.references) {
        if (keys.size >= mostReferred) return keys
        keys.add(key)
      }
    }
    return keys
  }

  const evict = (entry: Entry) => {
    update(entry, LocationState.evicted(entry.state))
    onEvict(entry)
  }

  return {
    fresh: (location) => {
      const time = now()
      const entry = entries.get(location.key)
      const warm = entry?.warm
      if (entry === undefined || warm === undefined || time < warm.from || time >= warm.until) return undefined
      entry.usedAt = ++reads
      hits += 1
      return warm.snapshot
    },
    find: ({ key }) => entries.get(key),
    entry: (location) => entries.get(location.key) ?? create(location),
    entries: () => [...entries.values()],
    update,
    isPinned: (entry) => entry.state.pinCount > 0 || pinnedKeys().has(entry.location.key),
    evictSurplus: () => {
      if (entries.size <= capacity) return []
      const pinned = pinnedKeys()
      const referred = referredKeys()
      const surplus = LocationState.surplus(
        [...entries.values()].filter(({ location }) => !referred.has(location.key)),
        {
          capacity,
          isPinned: ({ location }) => pinned.has(location.key)
        }
      )
      surplus.forEach(evict)
      return surplus
    },
    evict,
    use,
    tick: () => ++ticks,
    now,
    takeHits: () => {
      const taken = hits
      hits = 0
      return taken
    }
  }
}
