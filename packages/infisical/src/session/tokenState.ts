/** What is known of a session on a token that we were given, as one immutable value. Pure functions. */
import * as Option from "effect/Option"
import type { Access, LoginError } from "./access.js"
import type { Decision, Flight } from "./flight.js"
import { isPausing, pauseAfter } from "./pause.js"

export type AccessFlight = Flight<Access, LoginError>

export interface State {
  /** The token with its project, once that is known. */
  readonly access: Option.Option<Access>
  readonly refusal: Option.Option<Refusal>
  readonly flight: Option.Option<AccessFlight>
  readonly isReleased: boolean
}

interface Refusal {
  readonly error: LoginError
  readonly at: number
  /** Refusals in a row, up to this one. */
  readonly count: number
}

export const initial: State = {
  access: Option.none(),
  refusal: Option.none(),
  flight: Option.none(),
  isReleased: false
}

/** A caller needs access. `flight` is used if a flight starts. */
export const acquire = (
  state: State,
  now: number,
  flight: AccessFlight
): readonly [decision: Decision<Access, LoginError>, state: State] => {
  if (state.isReleased) return [{ _tag: "Released" }, state]
  const refusal = Option.filter(state.refusal, ({ at, count }) => isPausing(at, pauseAfter(count), now))
  if (Option.isSome(refusal)) return [{ _tag: "Fail", error: refusal.value.error }, state]
  if (Option.isSome(state.access)) return [{ _tag: "Use", value: state.access.value }, state]
  return Option.match(state.flight, {
    onNone: () => [{ _tag: "Start", flight }, { ...state, flight: Option.some(flight) }],
    onSome: (flight) => [{ _tag: "Wait", flight }, state]
  })
}

/**
 * The server refused the token. Only the first of the requests that began between two refusals counts, or else many
 * requests at once would make the pause grow at once.
 */
export const refused = (state: State, now: number, error: LoginError, startedAfter: number): State =>
  refusals(state) > startedAfter ? state : {
    ...state,
    refusal: Option.some({ error, at: now, count: refusals(state) + 1 })
  }

/** The refusals in a row so far. */
export const refusals = (state: State): number =>
  Option.match(state.refusal, { onNone: () => 0, onSome: ({ count }) => count })

export const accepted = (state: State): State => ({ ...state, refusal: Option.none() })

export const opened = (state: State, access: Access): State => ({ ...accepted(state), access: Option.some(access) })

/** A flight has ended in whatever way. */
export const ended = (state: State, flight: AccessFlight): State =>
  Option.contains(state.flight, flight) ? { ...state, flight: Option.none() } : state

export const released = (state: State): State => ({ ...state, isReleased: true })
