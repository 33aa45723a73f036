/**
 * Keeps locations up to date: one background fiber for each location that is in use or pinned. It fetches when the
 * schedule says so, retries after the pause of an outage, and evicts a location that is not read any more.
 */
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as InfisicalConfig from "../config/InfisicalConfig.js"
import type * as Background from "../support/background.js"
import type { Entry, Store } from "./store.js"

export interface Refresher {
  /** Starts to refresh an entry, if it is to be and is not yet. */
  readonly start: (entry: Entry) => Effect.Effect<void>
  readonly stop: (entry: Entry) => Effect.Effect<void>
  /** Ends the pause of an entry, since its state changed. */
  readonly wakeUp: (entry: Entry) => Effect.Effect<void>
  /** Whether a background fiber keeps the entry up to date. */
  readonly isRefreshed: (entry: Entry) => boolean
}

export const make = (options: {
  readonly store: Store
  readonly config: InfisicalConfig.Service
  readonly fork: Background.Fork
  /** Fetches an entry; never fails. */
  readonly refresh: (entry: Entry) => Effect.Effect<void>
  /** Until when scheduled fetches wait, so that the rest of a rate limit is left to reads. */
  readonly limitedUntil: () => number
}): Refresher => {
  const { config, fork, limitedUntil, refresh, store } = options
  const idleTtl = Duration.toMillis(config.idleTtl)
  const pinnedSchedule = Option.getOrElse(config.refresh, () => schedulePinned(config.cacheTtl))

  /** An old version never changes. A location that was refused is fetched again by the next read, or if it is pinned. */
  const isWanted = (entry: Entry): boolean =>
    entry.location.version === undefined &&
    (store.isPinned(entry) ||
      (Option.isSome(config.refresh) && (Option.isSome(entry.state.snapshot) || Option.isSome(entry.state.outage))))

  const isIdleSince = (entry: Entry) => {
    let usedAt = -1
    let since = store.now()
    return () => {
      if (entry.usedAt !== usedAt || store.isPinned(entry)) {
        usedAt = entry.usedAt
        since = store.now()
      }
      return store.now() - since >= idleTtl
    }
  }

  /** Waits for the time, or for a change of the state if that comes first. */
  const waitUntil = (entry: Entry, time: number) =>
    Effect.suspend(() => {
      entry.wakeUp = Deferred.unsafeMake(FiberId.none)
      const pause = Effect.sleep(Duration.millis(Math.max(0, time - store.now())))
      return Effect.raceFirst(pause, Deferred.await(entry.wakeUp))
    })

  /** When the location is due, by one schedule after the other. A schedule that ends or dies says no more. */
  const makeDue = (entry: Entry) =>
    Effect.gen(function*() {
      const drivers = [
        yield* Schedule.driver(pinnedSchedule),
        yield* Schedule.driver(schedulePinned(config.cacheTtl))
      ]
      let waiting: Fiber.RuntimeFiber<boolean> | undefined
      const next = Effect.suspend(() => {
        const driver = drivers[0]
        return driver === undefined ? Effect.never : Effect.exit(driver.next(undefined))
      }).pipe(Effect.map(Exit.isSuccess))

      /** Waits until the location is due, or the state changed. The time that has passed counts the next time, too. */
      return Effect.gen(function*() {
        entry.wakeUp = Deferred.unsafeMake(FiberId.none)
        waiting = waiting ?? (yield* Effect.fork(next))
        const outcome = yield* Effect.raceFirst(
          Effect.map(Fiber.join(waiting), (isDue) => isDue ? "due" as const : "ended" as const),
          Effect.as(Deferred.await(entry.wakeUp), "changed" as const)
        )
        if (outcome !== "changed") waiting = undefined
        if (outcome === "ended") drivers.shift()
        return outcome
      })
    })

  const keepRefreshing = (entry: Entry): Effect.Effect<void> =>
    Effect.gen(function*() {
      const isIdle = isIdleSince(entry)
      const due = yield* makeDue(entry)
      let isDue = false
      let refreshedAt = Number.NEGATIVE_INFINITY
      while (isWanted(entry)) {
        const { outage, refusal, snapshot } = entry.state
        const began = store.now()
        if (Option.isSome(outage)) {
          const { pause } = outage.value
          if (pause.from <= began && began < pause.until) {
            // What ends the wait may be another change of the state.
            yield* waitUntil(entry, pause.until)
            continue
          }
        } else if (Option.isSome(snapshot) || Option.isSome(refusal)) {
          if (!isDue) {
            const outcome = yield* due
            // A schedule of the user has an end; what is watched is kept up to date all the same.
            if (outcome === "ended" && !store.isPinned(entry)) return
            isDue = outcome === "due"
            continue
          }
          if (began < limitedUntil()) {
            yield* waitUntil(entry, limitedUntil())
            continue
          }
        }
        // In an outage nothing else could answer the next read.
        if (isIdle() && (Option.isNone(outage) || Option.isNone(snapshot))) {
          entry.refresher = undefined
          return store.evict(entry)
        }
        // No schedule of a user and no failure makes this loop spin.
        const since = began - refreshedAt
        if (0 <= since && since < shortestInterval) yield* Effect.sleep(Duration.millis(shortestInterval - since))
        refreshedAt = store.now()
        isDue = false
        yield* refresh(entry)
      }
    }).pipe(
      Effect.ensuring(Effect.sync(() => {
        entry.refresher = undefined
      }))
    )

  return {
    start: (entry) =>
      Effect.suspend(() =>
        entry.refresher !== undefined || !isWanted(entry)
          ? Effect.void
          : Effect.map(fork(Effect.interruptible(keepRefreshing(entry))), (fiber) => {
            entry.refresher = fiber
          })
      ),
    stop: (entry) =>
      Effect.suspend(() => entry.refresher === undefined ? Effect.void : Fiber.interruptFork(entry.refresher)),
    wakeUp: ({ wakeUp }) => Effect.asVoid(Deferred.succeed(wakeUp, undefined)),
    isRefreshed: (entry) => entry.refresher !== undefined
  }
}

/** In milliseconds. */
const shortestInterval = 100

/** A location that is watched although `refresh` is off: before it goes stale, but not more often than this. */
const schedulePinned = (cacheTtl: Duration.Duration) =>
  InfisicalConfig.scheduleBefore(Duration.max(cacheTtl, "13 seconds"))
