/**
 * Tells subscribers which snapshots took the place of which. Whoever is slow gets what happened since as one step, from
 * the snapshot it saw last to the newest: nothing of the outcome is lost, nothing piles up, and nobody is held up.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import type { Secret } from "../model/Secret.js"
import type { Snapshot } from "../source/Snapshot.js"

export interface Transition {
  /** None where the location was not known before. */
  readonly previous: Option.Option<Snapshot>
  readonly current: Snapshot
  /**
   * What was last served of secrets whose values refer to others, by id. The previous snapshot cannot tell it any more:
   * it would refer to what there is now.
   */
  readonly served: ReadonlyMap<string, Secret>
}

/** What happened since the last time; waits until something did. */
export type Subscription = Effect.Effect<ReadonlyArray<Transition>>

export interface SnapshotFeed {
  readonly publish: (transition: Transition) => void
  readonly subscribe: Effect.Effect<Subscription, never, Scope.Scope>
}

interface Subscriber {
  readonly unseen: Map<string, Transition>
  readonly signal: Queue.Queue<void>
}

export const make = (): SnapshotFeed => {
  const subscribers = new Set<Subscriber>()
  return {
    publish: (transition) => {
      const { key } = transition.current.location
      for (const { signal, unseen } of subscribers) {
        const earlier = unseen.get(key)
        unseen.set(key, earlier === undefined ? transition : merge(earlier, transition))
        signal.unsafeOffer(undefined)
      }
    },
    subscribe: Effect.acquireRelease(
      Effect.map(Queue.sliding<void>(1), (signal) => {
        const subscriber: Subscriber = { unseen: new Map(), signal }
        subscribers.add(subscriber)
        return subscriber
      }),
      (subscriber) =>
        Effect.zipRight(Effect.sync(() => subscribers.delete(subscriber)), Queue.shutdown(subscriber.signal))
    ).pipe(Effect.map(({ signal, unseen }) =>
      Effect.map(Queue.take(signal), () => {
        const transitions = [...unseen.values()]
        unseen.clear()
        return transitions
      })
    ))
  }
}

const merge = (earlier: Transition, later: Transition): Transition => ({
  previous: earlier.previous,
  current: later.current,
  served: new Map([...later.served, ...earlier.served])
})

/** Whether the one has other rows than the other. */
export const hasOtherRows = (previous: Option.Option<Snapshot>, current: Snapshot): boolean =>
  Option.match(previous, { onNone: () => true, onSome: ({ content }) => content !== current.content })
