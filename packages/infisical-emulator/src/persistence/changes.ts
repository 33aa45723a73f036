/** Changes of a state that are saved before they end, and undone together where they cannot be saved. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"

/** How a state is saved and restored. Each is run by one fiber at a time. */
export interface Storage<E> {
  readonly save: Effect.Effect<void, E>
  /** Brings back the state that was saved last. */
  readonly restore: Effect.Effect<void>
}

export interface Changes<E> {
  /** Saves without a change. If that fails, nothing is restored. */
  readonly save: Effect.Effect<void, E>
  /** Runs a change and saves it. */
  readonly change: <A, E2, R>(change: Effect.Effect<A, E2, R>) => Effect.Effect<A, E | E2, R>
}

/** More changes than there can be. */
const all = Number.MAX_SAFE_INTEGER

/**
 * Changes share an epoch until a save fails. Then every change of the epoch that is not saved fails, those under way are
 * interrupted, and when none of them can touch the state any more, the last saved state is restored and a new epoch
 * begins. So a change that fails is not in the state, and one that succeeds is saved.
 *
 * One case is left: a save that begins between the last touch of the state by a change and the end of that change may
 * hold it, and the change fails if the next save does.
 */
export const make = <E>({ restore, save }: Storage<E>): Effect.Effect<Changes<E>> =>
  Effect.gen(function*() {
    const newEpoch = Deferred.make<never, E>()
    const current = yield* Ref.make(yield* newEpoch)
    /** How many saves have begun, and the last of them that succeeded. */
    const begun = yield* Ref.make(0)
    const succeeded = yield* Ref.make(0)
    const underWay = yield* Effect.makeSemaphore(all)
    const oneAtATime = yield* Effect.makeSemaphore(1)
    // A write that has begun cannot be called back.
    const exclusive = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
      oneAtATime.withPermits(1)(Effect.uninterruptible(effect))

    const numbered = Effect.flatMap(
      Ref.updateAndGet(begun, (count) => count + 1),
      (number) => Effect.zipRight(save, Ref.set(succeeded, number))
    )
    const undo = (epoch: Deferred.Deferred<never, E>, error: E) =>
      Effect.zipRight(
        Deferred.fail(epoch, error),
        underWay.withPermits(all)(
          Effect.zipRight(restore, Effect.flatMap(newEpoch, (epoch) => Ref.set(current, epoch)))
        )
      )
    /** Ends when a save has succeeded that began after so many others. */
    const saveIn = (epoch: Deferred.Deferred<never, E>, after: number) =>
      exclusive(Effect.gen(function*() {
        if ((yield* Ref.get(succeeded)) > after) return
        if (yield* Deferred.isDone(epoch)) return yield* Deferred.await(epoch)
        yield* Effect.tapError(numbered, (error) => undo(epoch, error))
      }))
    return {
      save: exclusive(numbered),
      change: (change) =>
        Effect.gen(function*() {
          const epoch = yield* Ref.get(current)
          const [result, after] = yield* Effect.raceFirst(
            Effect.interruptible(Effect.zip(change, Ref.get(begun))),
            Deferred.await(epoch)
          )
          return { epoch, result, after }
        }).pipe(
          underWay.withPermits(1),
          Effect.flatMap(({ after, epoch, result }) => Effect.as(saveIn(epoch, after), result))
        )
    }
  })
