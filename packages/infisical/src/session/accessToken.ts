/**
 * The access token of a machine identity, and how long it is good for by our own clock. Times are in milliseconds.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type { AccessTokenAnswer } from "../api/wire/authentication.js"

export interface AccessToken {
  readonly value: Redacted.Redacted<string>
  /** When it was logged in for. */
  readonly mintedAt: number
  readonly expiresAt: number
  /** When it is time for another one. */
  readonly replaceAt: number
  /** Whether a renewal at this time can bring anything. */
  readonly isRenewable: (now: number) => boolean
}

export const minted = (answer: AccessTokenAnswer): Effect.Effect<AccessToken> =>
  Effect.map(Clock.currentTimeMillis, (now) => make(answer, now, now))

/** A renewal begins a new time to live, but not a new maximum. */
export const renewed = (token: AccessToken, answer: AccessTokenAnswer): Effect.Effect<AccessToken> =>
  Effect.map(Clock.currentTimeMillis, (now) => make(answer, token.mintedAt, now))

/** Whether the renewed token ends later than the one that we had. */
export const isBetter = (renewed: AccessToken, token: AccessToken): boolean => renewed.replaceAt > token.replaceAt

const make = (answer: AccessTokenAnswer, mintedAt: number, now: number): AccessToken => {
  const ttl = answer.expiresIn * 1000
  const maximumTtl = (answer.accessTokenMaxTTL ?? 0) * 1000
  const lifetime = lifetimeOf(answer.accessToken)
  const expiresAt = Math.min(
    now + ttl,
    maximumTtl > 0 ? mintedAt + maximumTtl : Number.POSITIVE_INFINITY,
    Option.match(lifetime, { onNone: () => Number.POSITIVE_INFINITY, onSome: (lifetime) => mintedAt + lifetime })
  )
  // A third ahead of the end, so that even the rare requests of a refresh come in time.
  const replaceAt = expiresAt - Math.max(1000, (expiresAt - now) / 3)
  return {
    value: Redacted.make(answer.accessToken),
    mintedAt,
    expiresAt,
    replaceAt,
    // Where a renewal would go past the maximum, the server refuses it and deletes the token.
    isRenewable: (now) => ttl < maximumTtl && now + ttl + clockTolerance <= mintedAt + maximumTtl
  }
}

/** The server began to count when it made the token, and we when we had it. */
const clockTolerance = 5000

const Claims = Schema.parseJson(Schema.Struct({ iat: Schema.Number, exp: Schema.Number }))

// Some versions give the same JWT back, whose end is then what counts. The server's clock need not be ours, so it is
// the time between its two claims that is taken.
const lifetimeOf = (jwt: string): Option.Option<number> =>
  Option.fromNullable(jwt.split(".")[1]).pipe(
    Option.flatMap((payload) => Either.getRight(Encoding.decodeBase64UrlString(payload))),
    Option.flatMap(Schema.decodeOption(Claims)),
    Option.map(({ exp, iat }) => (exp - iat) * 1000)
  )
