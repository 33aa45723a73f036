/**
 * Takes our own writes into account: tells every location that a write touches when it begins and how it ended.
 */
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type * as Location from "../model/Location.js"
import * as LocationState from "./LocationState.js"
import type { Refresher } from "./refresher.js"
import type { Sealer } from "./sealer.js"
import type { Entry, Store } from "./store.js"

/** Where each write under way writes, by the tick of its beginning. Changed by the writer alone. */
export type OpenWrites = Map<LocationState.Tick, Location.Location>

/** The ticks of the writes under way that touch a location. */
export const touching = (
  open: OpenWrites,
  location: Location.Location,
  policy: LocationState.Policy
): ReadonlyArray<LocationState.Tick> =>
  [...open].flatMap(([begun, written]) =>
    LocationState.effectOfWrite(written, location, policy) === "none" ? [] : [begun]
  )

export interface Writer {
  readonly write: <A, E>(
    location: Location.Location,
    write: Effect.Effect<A, E>,
    outcome: (exit: Exit.Exit<A, E>) => LocationState.WriteOutcome
  ) => Effect.Effect<A, E>
}

export const make = ({ open, policy, refresher, replace, sealer, store }: {
  readonly open: OpenWrites
  readonly store: Store
  readonly policy: LocationState.Policy
  readonly sealer: Sealer
  readonly refresher: Refresher
  readonly replace: (entry: Entry, state: LocationState.LocationState) => void
}): Writer => {
  const touched = (location: Location.Location) =>
    store.entries().flatMap((entry) => {
      const effect = LocationState.effectOfWrite(location, entry.location, policy)
      return effect === "none" ? [] : [{ entry, effect }]
    })

  const begin = (location: Location.Location) =>
    Effect.sync(() => {
      const begun = store.tick()
      open.set(begun, location)
      for (const { entry } of touched(location)) store.update(entry, LocationState.writeBegun(entry.state, begun))
      return begun
    })

  const end = (location: Location.Location, begun: LocationState.Tick, outcome: LocationState.WriteOutcome) =>
    Effect.suspend(() => {
      open.delete(begun)
      const entries = touched(location)
      for (const { effect, entry } of entries) {
        replace(entry, LocationState.writeEnded(entry.state, { begun, outcome, effect, policy }))
      }
      // A write that succeeded ends the pause of an outage. Any other refresh keeps its time.
      const failing = entries.filter(({ entry }) => Option.isSome(entry.state.outage))
      return Effect.zipRight(
        Effect.forEach(failing, ({ entry }) => refresher.wakeUp(entry), { discard: true }),
        sealer.sealInBackground
      )
    })

  return {
    write: (location, write, outcome) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.flatMap(
          begin(location),
          (begun) => Effect.onExit(restore(write), (exit) => end(location, begun, outcome(exit)))
        )
      )
  }
}
