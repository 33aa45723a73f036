/**
 * Seals the snapshots that changed, in the background, one after the other; the rest when the layer is released.
 */
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
  /** Removes what is sealed of a location that was refused; if the credential was, all that it sealed. */
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
    const semaphore = yield* Effect.makeSemaphore(1)
    const unsealed = new Set<Entry>()
    const interval = resealInterval(config)

    const sealAll = semaphore.withPermits(1)(
      Effect.suspend(() =>
        Effect.forEach([...unsealed], (entry) =>
          Effect.suspend(() => {
            unsealed.delete(entry)
            entry.sealedAt = now()
            // A snapshot that was refused or evicted in the time since is none any more.
            return Option.match(entry.state.snapshot, { onNone: () => Effect.void, onSome: sealed.save })
          }).pipe(Effect.uninterruptible), { discard: true })
      )
    )
    yield* Effect.addFinalizer(() =>
      Effect.catchAll(
        endAfter(sealAll, releaseTimeout, () => undefined),
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
        if (sealed.isEnabled && now() - entry.sealedAt > interval) unsealed.add(entry)
      },
      removed: (entry) => void unsealed.delete(entry),
      sealInBackground: Effect.suspend(() => unsealed.size === 0 ? Effect.void : Effect.asVoid(fork(sealAll))),
      // Not at the same time as it is being written.
      remove: (entry, because) =>
        Effect.suspend(() => {
          unsealed.delete(entry)
          if (!sealed.isEnabled) return Effect.void
          return semaphore.withPermits(1)(Effect.zipRight(
            sealed.remove(entry.location),
            Option.match(refusedWith(because), { onNone: () => Effect.void, onSome: sealed.removeAll })
          ))
        })
    }
  })

/**
 * The longest wait for the last seals, in milliseconds: two operations of a storage that hangs. Container runtimes kill a
 * process 10 to 30 seconds after they ask it to end.
 */
const releaseTimeout = 10_000

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
