/**
 * Notifies subscribers which snapshots replaced which. A slow subscriber gets what happened since as one transition per
 * location, from the snapshot it saw last to the newest. Publishing never waits for a subscriber.
 *
 * A subscriber of one location misses nothing of it, however many others are read.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import type { Secret } from "../model/Secret.js"
import type { Snapshot } from "../source/Snapshot.js"

export interface Transition {
  /** None if the location was not known before. */
  readonly previous: Option.Option<Snapshot>
  readonly current: Snapshot
  /**
   * The secrets that were last returned for values with references, by id. The previous snapshot cannot give them any
   * more: it would expand them as of now.
   */
  readonly returned: ReadonlyMap<string, Secret>
}

/** What happened since the last time; waits until something did. */
export type Subscription = Effect.Effect<ReadonlyArray<Transition>>

export interface SnapshotFeed {
  readonly publish: (transition: Transition) => void
  /** Of all locations, or of those with these keys. */
  readonly subscribe: (keys?: ReadonlyArray<string>) => Effect.Effect<Subscription, never, Scope.Scope>
}

interface Subscriber {
  readonly keys: ReadonlyArray<string> | undefined
  readonly unseen: Map<string, Transition>
  readonly signal: Queue.Queue<void>
}

/** A subscriber that does not pull holds transitions of so many locations at most; the oldest are dropped. */
export const make = ({ capacity }: { readonly capacity: number }): SnapshotFeed => {
  const subscribers = new Set<Subscriber>()
  return {
    publish: (transition) => {
      const { key } = transition.current.location
      for (const { keys, signal, unseen } of subscribers) {
        if (keys !== undefined && !keys.includes(key)) continue
        const earlier = unseen.get(key)
        unseen.delete(key)
        unseen.set(key, earlier === undefined ? transition : merge(earlier, transition))
        for (const oldest of unseen.keys()) {
          if (unseen.size <= capacity) break
          unseen.delete(oldest)
        }
        signal.unsafeOffer(undefined)
      }
    },
    subscribe: (keys) =>
      Effect.acquireRelease(
        Effect.map(Queue.sliding<void>(1), (signal) => {
          const subscriber: Subscriber = { keys, unseen: new Map(), signal }
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
  returned: new Map([...returnedOf(earlier.previous, later.returned), ...earlier.returned])
})

/** Of the secrets that were returned, those that a snapshot has: a subscriber saw no others of it. */
const returnedOf = (snapshot: Option.Option<Snapshot>, returned: Transition["returned"]) => {
  const ids = new Set(Option.match(snapshot, {
    onNone: () => [],
    onSome: ({ content }) => [...content.own, ...content.imported].map(({ id }) => id)
  }))
  return [...returned].filter(([id]) => ids.has(id))
}

/** Whether one snapshot has other rows than another. */
export const hasOtherRows = (previous: Option.Option<Snapshot>, current: Snapshot): boolean =>
  Option.match(previous, { onNone: () => true, onSome: ({ content }) => content !== current.content })
