/**
 * Keeps locations up to date: one background fiber for each location that is in use or pinned. It fetches when the
 * schedule says so, retries after the pause of an outage, and evicts a location that is not read any more.
 */
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
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

  const sleepUntil = (time: number) =>
    Effect.suspend(() => time <= store.now() ? Effect.void : Effect.sleep(Duration.millis(time - store.now())))

  /** Waits for the schedule or, if that comes first, for a change of the state. */
  const waitForNext = (entry: Entry, next: Effect.Effect<unknown, unknown>) =>
    Effect.suspend(() => {
      entry.wakeUp = Deferred.unsafeMake(FiberId.none)
      return Effect.raceFirst(
        Effect.map(Effect.isSuccess(next), (isSuccess) => isSuccess ? "due" : "ended"),
        Effect.as(Deferred.await(entry.wakeUp), "changed")
      )
    })

  const waitForRetry = (entry: Entry, retryAt: number) =>
    Effect.suspend(() => {
      entry.wakeUp = Deferred.unsafeMake(FiberId.none)
      return Effect.raceFirst(sleepUntil(retryAt), Deferred.await(entry.wakeUp))
    })

  const keepRefreshing = (entry: Entry): Effect.Effect<void> =>
    Effect.gen(function*() {
      const driver = yield* Schedule.driver(pinnedSchedule)
      const isIdle = isIdleSince(entry)
      let isEnded = false
      while (isWanted(entry)) {
        const { outage, refusal, snapshot } = entry.state
        const began = store.now()
        if (Option.isSome(outage)) {
          const { pause } = outage.value
          if (pause.from <= began && began < pause.until) {
            // What ends the wait may be another change of the state.
            yield* waitForRetry(entry, pause.until)
            continue
          }
        } else if (Option.isSome(snapshot) || Option.isSome(refusal)) {
          if (isEnded) return
          const due = yield* waitForNext(entry, driver.next(undefined))
          if (due === "changed") continue
          isEnded = due === "ended"
          if (isEnded) continue
          yield* sleepUntil(limitedUntil())
        }
        if (isIdle()) {
          entry.refresher = undefined
          return store.evict(entry)
        }
        yield* refresh(entry)
        // No schedule of a user and no failure makes this loop spin.
        yield* sleepUntil(began + shortestInterval)
      }
    }).pipe(Effect.ensuring(Effect.sync(() => {
      entry.refresher = undefined
    })))

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
