/**
 * What is known of a machine identity's session, as one immutable value, and what each event makes of it. Pure functions:
 * the shell in `identitySession` brings the time and runs the flights.
 *
 * Rules:
 *
 * 1. A token is used as long as it is good, also while another one is requested.
 * 2. At most one flight at a time, a renewal or a login. It never results in a token that a caller reported refused.
 * 3. A token is renewed if a renewal helps. Otherwise, and after a refused or useless renewal, the session logs in.
 * 4. A refused login is not offered again (`refusal`).
 * 5. A new token that the server refuses at once is not replaced by a login each time, but after a growing pause.
 */
import * as Option from "effect/Option"
import type * as Credential from "../config/Credential.js"
import type { LoginError } from "./access.js"
import type { AccessToken } from "./accessToken.js"
import * as Token from "./accessToken.js"
import type { Decision, Flight } from "./flight.js"
import { isPausing, pauseAfter } from "./pause.js"
import type { Refusal } from "./refusal.js"
import { isBlocked, isLoginBlocked, isRefused } from "./refusal.js"

export type TokenFlight = Flight<AccessToken, LoginError>

export interface State {
  readonly token: Option.Option<AccessToken>
  /** Whether the server has accepted the token for a request. */
  readonly isAccepted: boolean
  /** Tokens in a row that the server refused before it had accepted them. */
  readonly unaccepted: number
  readonly refusal: Option.Option<Refusal>
  /** Renewals in a row that failed. */
  readonly failedRenewals: number
  /** When the last flight failed; none after a success. */
  readonly failedAt: Option.Option<number>
  /** Tokens that were replaced and have not expired. The oldest comes first. */
  readonly replaced: ReadonlyArray<AccessToken>
  readonly flight: Option.Option<TokenFlight>
  readonly isReleased: boolean
}

export const initial: State = {
  token: Option.none(),
  isAccepted: false,
  unaccepted: 0,
  refusal: Option.none(),
  failedRenewals: 0,
  failedAt: Option.none(),
  replaced: [],
  flight: Option.none(),
  isReleased: false
}

export type TokenDecision = Decision<AccessToken, LoginError>

type Step = readonly [decision: TokenDecision, state: State]

/** The token of a session that has nothing else to do. */
export const ready = (state: State, now: number): Option.Option<AccessToken> =>
  state.isReleased
    ? Option.none()
    : Option.filter(state.token, (token) => Token.isGood(token, now) && !Token.isDue(token, now))

/** A caller needs a token. `flight` is used if a flight starts. */
export const acquire = (state: State, now: number, flight: TokenFlight): Step => {
  if (state.isReleased) return [{ _tag: "Released" }, state]
  const token = Option.getOrUndefined(Option.filter(state.token, (token) => Token.isGood(token, now)))
  if (token === undefined) return fly(state, now, flight)
  return Token.isDue(token, now) && Option.isNone(state.flight) && mayReplace(state, now)
    ? [{ _tag: "UseAndStart", value: token, flight }, { ...state, flight: Option.some(flight) }]
    : [{ _tag: "Use", value: token }, state]
}

/** The server refused a token of this session with `error`, and the caller needs another one. */
export const report = (
  state: State,
  now: number,
  flight: TokenFlight,
  refused: AccessToken,
  error: LoginError
): Step => {
  if (state.isReleased) return [{ _tag: "Released" }, state]
  const isCurrent = Option.exists(state.token, (token) => Token.hasText(token, refused.value))
  if (!isCurrent) return acquire(state, now, flight)
  if (state.isAccepted) return fly(withoutToken(state, now), now, flight)
  // The next new token is unlikely to be accepted, either. At first it may be chance.
  const isPaused = isPausing(refused.issuedAt, pauseAfter(state.unaccepted), now)
  return isPaused
    ? [{ _tag: "Fail", error }, state]
    : fly(withoutToken({ ...state, unaccepted: state.unaccepted + 1 }, now), now, flight)
}

/** The server accepted a token for a request. */
export const accepted = (state: State, token: AccessToken): State =>
  isUnconfirmed(state, token) ? { ...state, isAccepted: true, unaccepted: 0 } : state

export const isUnconfirmed = (state: State, token: AccessToken): boolean =>
  !state.isAccepted && Option.exists(state.token, (current) => Token.hasText(current, token.value))

/** The token that a flight renews. If there is none, the flight logs in. */
export const renewable = (state: State, now: number): Option.Option<AccessToken> =>
  Option.filter(state.token, (token) => state.failedRenewals < mostFailedRenewals && Token.isRenewable(token, now))

/** A token was renewed. No token if the renewal was useless: then the flight logs in. */
export const renewed = (
  state: State,
  now: number,
  flight: TokenFlight,
  token: AccessToken,
  next: AccessToken
): readonly [token: Option.Option<AccessToken>, state: State] => {
  const isReported = !Option.exists(state.token, (current) => Token.hasText(current, token.value))
  const isUseless = !Token.isExtended(next, token) || (isReported && Token.hasText(next, token.value))
  return isUseless
    // The server renews, but to no effect: it will not do otherwise the next time.
    ? [Option.none(), { ...withReplaced(state, now, next), failedRenewals: mostFailedRenewals }]
    : [Option.some(next), { ...withToken(state, now, next, flight), failedRenewals: 0 }]
}

/** The server refused a renewal. Old servers delete the token then. */
export const renewalRefused = (state: State): State => ({ ...state, failedRenewals: state.failedRenewals + 1 })

/** The error that this login would fail with, if it is not offered. */
export const blocked = (state: State, now: number, login: Credential.Login): Option.Option<LoginError> =>
  Option.map(Option.filter(state.refusal, (refusal) => isLoginBlocked(refusal, login, now)), ({ error }) => error)

export const loggedIn = (state: State, now: number, flight: TokenFlight, token: AccessToken): State => ({
  ...withToken(state, now, token, flight),
  refusal: Option.none()
})

export const loginFailed = (state: State, now: number, login: Credential.Login, error: LoginError): State =>
  isRefused(error)
    ? {
      ...state,
      refusal: Option.some({
        login,
        error,
        at: now,
        count: Option.match(state.refusal, { onNone: () => 1, onSome: ({ count }) => count + 1 })
      })
    }
    : state

/** A flight has ended in whatever way. */
export const ended = (state: State, now: number, flight: TokenFlight): State =>
  Option.contains(state.flight, flight)
    ? { ...state, flight: Option.none(), failedAt: Option.some(now) }
    : state

export const released = (state: State): State => ({ ...state, isReleased: true })

/** All tokens that have not expired, each once. */
export const unrevoked = (state: State, now: number): ReadonlyArray<AccessToken> =>
  [
    ...state.replaced.filter((token) => !Option.exists(state.token, (current) => Token.hasText(current, token.value))),
    ...Option.toArray(state.token)
  ].filter((token) => Token.isGood(token, now))

/** Forgets the oldest replaced tokens if there are too many. Those that are to be revoked now are the first result. */
export const trim = (state: State): readonly [tokens: ReadonlyArray<AccessToken>, state: State] => {
  const surplus = Math.max(0, state.replaced.length - mostReplaced)
  return [
    state.replaced.slice(0, surplus).filter((token) =>
      // A server revokes all tokens of one login together.
      !Option.exists(state.token, (current) => current.loggedInAt === token.loggedInAt)
    ),
    surplus === 0 ? state : { ...state, replaced: state.replaced.slice(surplus) }
  ]
}

/** Only tokens that are used up or refused are replaced long before they expire, so that there are more. */
const mostReplaced = 16

/** After so many failed renewals in a row the server is taken not to renew. One may be chance: the token was revoked. */
const mostFailedRenewals = 2

/** Between two attempts to replace a token that is still good. */
const replacePause = pauseAfter(1)

const mayReplace = (state: State, now: number): boolean =>
  !Option.exists(state.failedAt, (failedAt) => isPausing(failedAt, replacePause, now)) &&
  (Option.isSome(renewable(state, now)) || !Option.exists(state.refusal, (refusal) => isBlocked(refusal, now)))

const fly = (state: State, now: number, flight: TokenFlight): Step => {
  if (Option.isSome(state.flight)) return [{ _tag: "Wait", flight: state.flight.value }, state]
  const refusal = Option.filter(state.refusal, (refusal) => isBlocked(refusal, now))
  return Option.isSome(refusal)
    ? [{ _tag: "Fail", error: refusal.value.error }, state]
    : [{ _tag: "Start", flight }, { ...state, flight: Option.some(flight) }]
}

// The end of a flight and its token are one step, so that no caller joins a flight whose token it has reported refused.
const withToken = (state: State, now: number, token: AccessToken, flight: TokenFlight): State => ({
  ...withoutToken(state, now),
  token: Option.some(token),
  isAccepted: state.isAccepted && Option.exists(state.token, (current) => Token.hasText(current, token.value)),
  failedAt: Option.none(),
  flight: Option.filter(state.flight, (current) => current !== flight)
})

const withoutToken = (state: State, now: number): State => ({
  ...Option.match(state.token, { onNone: () => state, onSome: (token) => withReplaced(state, now, token) }),
  token: Option.none()
})

const withReplaced = (state: State, now: number, token: AccessToken): State => ({
  ...state,
  replaced: [...state.replaced.filter((other) => Token.isGood(other, now) && !Token.hasText(other, token.value)), token]
})
