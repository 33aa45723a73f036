/**
 * Seals the snapshots that changed, and removes what was refused, in the background, one after the other; the rest when
 * the layer is released. No caller waits for the storage.
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { endAfter } from "../api/deadline.js"
import type * as InfisicalConfig from "../config/InfisicalConfig.js"
import type { ReadError } from "../model/InfisicalError.js"
import type * as Snapshot from "../source/Snapshot.js"
import type * as Background from "../support/background.js"
import type * as SealedSnapshots from "./SealedSnapshots.js"
import type { Entry } from "./store.js"

export interface Sealer {
  /** The snapshot of an entry has other rows than the one before. */
  readonly changed: (entry: Entry, previous: Option.Option<Snapshot.Snapshot>) => void
  /** The snapshot of an entry was confirmed by the server, with the same rows. */
  readonly confirmed: (entry: Entry) => void
  /** An entry was evicted: it is not sealed any more. */
  readonly removed: (entry: Entry) => void
  /** Seals what changed, in the background. */
  readonly sealInBackground: Effect.Effect<void>
  /** Removes what is sealed of a location that was refused; if the credential was, all that it sealed. In the background. */
  readonly remove: (entry: Entry, because: ReadError) => Effect.Effect<void>
}

export const make = (options: {
  readonly sealed: SealedSnapshots.Service
  readonly config: InfisicalConfig.Service
  readonly fork: Background.Fork
  readonly now: () => number
}): Effect.Effect<Sealer, never, Scope.Scope> =>
  Effect.gen(function*() {
    const { config, fork, now, sealed } = options
    const unsealed = new Set<Entry>()
    /** By location, `credential` or `project`. */
    const removals = new Map<string, Effect.Effect<void>>()
    const interval = resealInterval(config)
    let isWorking = false

    /** Removals come first: a snapshot that is sealed after a refusal is one of after it. */
    const next = (): Effect.Effect<void> | undefined => {
      const removal = removals.entries().next()
      if (removal.done !== true) {
        removals.delete(removal.value[0])
        return removal.value[1]
      }
      const entry = unsealed.values().next()
      if (entry.done === true) return undefined
      unsealed.delete(entry.value)
      entry.value.sealedAt = now()
      // A snapshot that was refused or evicted in the time since is none any more.
      return Option.match(entry.value.state.snapshot, { onNone: () => Effect.void, onSome: sealed.save })
    }

    // One operation of the storage is not torn apart, but the release need not wait for the next one.
    const step = Effect.uninterruptible(Effect.suspend(() => {
      const operation = next()
      isWorking = operation !== undefined
      return operation === undefined ? Effect.succeed(false) : Effect.as(operation, true)
    }))
    const work: Effect.Effect<void> = Effect.flatMap(step, (isMore) => isMore ? work : Effect.void)

    const workInBackground = Effect.suspend(() => {
      if (isWorking || (unsealed.size === 0 && removals.size === 0)) return Effect.void
      isWorking = true
      return Effect.asVoid(fork(Effect.onError(Effect.interruptible(work), () =>
        Effect.sync(() => {
          isWorking = false
        }))))
    })

    yield* Effect.addFinalizer(() =>
      Effect.catchAll(
        endAfter(work, releaseTimeout, () => undefined),
        () => Effect.logWarning("Not every snapshot was sealed before the layer was released: the storage is too slow")
      )
    )

    return {
      changed: (entry, previous) => {
        const { snapshot } = entry.state
        // All but a sealed one as it was loaded.
        if (
          sealed.isEnabled && Option.exists(snapshot, ({ source }) => source !== "sealed" || Option.isSome(previous))
        ) {
          unsealed.add(entry)
        }
      },
      confirmed: (entry) => {
        if (sealed.isEnabled && isDue(now() - entry.sealedAt, interval)) unsealed.add(entry)
      },
      removed: (entry) => void unsealed.delete(entry),
      sealInBackground: workInBackground,
      remove: (entry, because) =>
        Effect.suspend(() => {
          unsealed.delete(entry)
          if (!sealed.isEnabled) return Effect.void
          // A storage that hangs for so long that there are more keeps these, until they are too old.
          if (removals.size < config.cacheCapacity) removals.set(entry.location.key, sealed.remove(entry.location))
          const of = Option.getOrUndefined(refusedWith(because))
          if (of !== undefined) removals.set(of, sealed.removeAll(of, DateTime.unsafeMake(now())))
          return workInBackground
        })
    }
  })

/**
 * The longest wait for the last seals, in milliseconds, once the operation under way has ended: together no longer than
 * two operations of a storage that hangs. Container runtimes kill a process 10 to 30 seconds after they ask it to end.
 */
const releaseTimeout = 5000

/** Whether a seal of that age is to be made again. One from the future, made before the clock was set back, would be ignored. */
const isDue = (age: number, interval: number): boolean => age < 0 || age > interval

/** A snapshot that did not change is sealed again after so many milliseconds, so that its seal does not expire. */
const resealInterval = ({ maxStale, sealedTtl }: InfisicalConfig.Service): number =>
  Math.min(60 * 60 * 1000, Duration.toMillis(sealedTtl) / 2, Duration.toMillis(maxStale) / 2)

/**
 * Whether a refusal is of the whole credential or of its project. A locked identity is neither: anyone who knows its id
 * can lock it, and could so void its seals.
 */
const refusedWith = (error: ReadError): Option.Option<"credential" | "project"> =>
  error._tag === "AuthenticationError" && error.reason !== "Locked"
    ? Option.some("credential")
    : error._tag === "PermissionError" && error.problem === "project"
    ? Option.some("project")
    : Option.none()
