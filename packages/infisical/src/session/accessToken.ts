/**
 * The access token of a machine identity: how long it is good, and whether a renewal helps. Pure functions. Times are in
 * milliseconds of our own clock.
 *
 * The server's numbers are hostile input: a number that makes no sense counts as not stated.
 */
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type { AccessTokenAnswer } from "../api/wire/authentication.js"
import { claimsOf } from "../support/jwt.js"

export interface AccessToken {
  readonly value: Redacted.Redacted<string>
  /** When the login was answered. The maximum TTL counts from here, through all renewals. */
  readonly loggedInAt: number
  /** When the last answer arrived, of the login or of a renewal. The TTL counts from here. */
  readonly issuedAt: number
  /** After this the token is not used. Infinite if it has no end: it is used until the server refuses it. */
  readonly expiresAt: number
  /** From here on the token is still used, but another one is requested. */
  readonly replaceAt: number
  /** How long a login or a renewal lasts; infinite if the server states nothing. */
  readonly ttl: number
  /** No renewal takes the token past this. */
  readonly lastEnd: number
  /** The end of the JWT itself. It moves only if a renewal returns another JWT. */
  readonly jwtExpiresAt: number
  /** Whether the server renews the token for what is left of its maximum, if that is less than a TTL. */
  readonly isRenewedInPart: boolean
}

interface Claims {
  readonly [claim: string]: unknown
}

/** A longer token is refused: it could not be sent as a header. */
const longestToken = 64 * 1024

/** Whether a text can be sent as a bearer token. */
export const isSendable = (text: string): boolean => text.length <= longestToken && /^[\x21-\x7e]+$/.test(text)

/** The token of a login's answer, or of the answer to the renewal of `previous`. */
export const fromAnswer = (
  answer: AccessTokenAnswer,
  now: number,
  previous: Option.Option<AccessToken> = Option.none()
): AccessToken => {
  const value = Redacted.make(answer.accessToken)
  const claims = Option.getOrElse(claimsOf(answer.accessToken), (): Claims => ({}))
  const lifetime = jwtLifetime(claims)
  const stated = milliseconds(answer.expiresIn)
  // A server of 2026 ends every JWT within 90 days, although the TTL is 0, and renews it for as long again.
  const ttl = stated === Number.POSITIVE_INFINITY ? lifetime : stated
  const loggedInAt = Option.match(previous, { onNone: () => now, onSome: (token) => token.loggedInAt })
  // An old server renews a token without changing the JWT. A new server returns a new JWT, whose life begins now.
  const jwtExpiresAt = Option.match(Option.filter(previous, (token) => hasText(token, value)), {
    onNone: () => now + lifetime,
    onSome: (token) => token.jwtExpiresAt
  })
  const maximumEnd = loggedInAt + milliseconds(answer.accessTokenMaxTTL)
  const expiresAt = Math.min(now + ttl, maximumEnd, jwtExpiresAt)
  return {
    value,
    loggedInAt,
    issuedAt: now,
    expiresAt,
    // A third before the end, so that the rare requests of a refresh come in time.
    replaceAt: expiresAt === Number.POSITIVE_INFINITY ? expiresAt : expiresAt - (expiresAt - now) / 3,
    ttl,
    // A JWT that outlives its own TTL is that of an old server: its end is the maximum.
    lastEnd: Math.min(maximumEnd, lifetime > ttl + clockTolerance ? jwtExpiresAt : Number.POSITIVE_INFINITY),
    jwtExpiresAt,
    // Servers of 2026 state the rules of a token in its JWT, and refuse a renewal only if nothing is left.
    isRenewedInPart: "creationEpoch" in claims
  }
}

/** Whether the token can be used. */
export const isGood = (token: AccessToken, now: number): boolean => now < token.expiresAt

/** Whether another token should be requested. Also if the clock was set back, so that no end is certain. */
export const isDue = (token: AccessToken, now: number): boolean => now >= token.replaceAt || now < token.issuedAt

/**
 * Whether a renewal helps: a whole TTL must fit before the last end. Otherwise a server before 2026 refuses the renewal
 * and deletes the token. A server of 2026 renews it for what is left, which must be more than the token has already.
 */
export const isRenewable = (token: AccessToken, now: number): boolean =>
  isGood(token, now) && now >= token.issuedAt && token.ttl !== Number.POSITIVE_INFINITY &&
  (token.isRenewedInPart ? token.expiresAt : now + token.ttl) + clockTolerance <= token.lastEnd

/** Whether the renewed token ends later. If it does not, the renewal was useless. */
export const isExtended = (renewed: AccessToken, token: AccessToken): boolean => renewed.expiresAt > token.expiresAt

export const hasText = (token: AccessToken, value: Redacted.Redacted<string>): boolean =>
  Redacted.value(token.value) === Redacted.value(value)

/** The server begins to count when it makes the token, we when the answer arrives. */
const clockTolerance = 5000

/** A shorter time would mean a login for each request. */
const shortestTtl = 1000

/** Seconds that the server states. Zero, none, a negative number and NaN mean that there is no limit. */
const milliseconds = (seconds: number | null | undefined): number =>
  typeof seconds === "number" && seconds > 0 ? Math.max(shortestTtl, seconds * 1000) : Number.POSITIVE_INFINITY

/**
 * The time between the two claims of a JWT, since the server's clock need not be ours. Infinite if the token is no JWT or
 * does not state both.
 */
const jwtLifetime = ({ exp, iat }: Claims): number =>
  typeof exp === "number" && typeof iat === "number" ? milliseconds(exp - iat) : Number.POSITIVE_INFINITY
