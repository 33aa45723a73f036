/**
 * Machine identities: what they log in with, and what becomes of their access tokens. Plain functions: whoever calls
 * them brings ids and the time, in milliseconds.
 */
import type { Wire } from "effect-infisical"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Answer from "../Answer.js"
import * as EmulatorState from "../EmulatorState.js"
import * as Identifier from "./identifier.js"

/** Either way the state may change: what is refused is counted or deleted. */
type Outcome<A> = readonly [outcome: Effect.Effect<A, Answer.Answer>, state: EmulatorState.State]

/** So many refused logins within so long lock an identity for so long. */
const lockout = { times: 3, within: 30_000, lasts: 300_000 }

/** `POST /api/v1/auth/universal-auth/login` */
export const universalAuth = (
  state: EmulatorState.State,
  payload: typeof Wire.UniversalAuthPayload.Type,
  now: number
) =>
  login(
    state,
    state.identities.find(({ clientId }) => clientId === payload.clientId),
    ({ clientSecret }) => Redacted.value(clientSecret) === payload.clientSecret,
    now
  )

/** `POST /api/v1/auth/<kubernetes-auth, …>/login`: nobody verifies the JWT. */
export const jwt = (state: EmulatorState.State, payload: typeof Wire.JwtLoginPayload.Type, now: number) =>
  login(
    state,
    state.identities.find(({ id }) => id === payload.identityId),
    ({ acceptedJwts }) =>
      payload.jwt !== "" &&
      Option.match(acceptedJwts, {
        onNone: () => true,
        onSome: (jwts) => jwts.some((jwt) => Redacted.value(jwt) === payload.jwt)
      }),
    now
  )

/** `POST /api/v1/auth/ldap-auth/login` */
export const ldap = (state: EmulatorState.State, payload: typeof Wire.LdapLoginPayload.Type, now: number) =>
  login(
    state,
    state.identities.find(({ id }) => id === payload.identityId),
    ({ ldap }) =>
      Option.exists(ldap, ({ password, username }) =>
        username === payload.username && Redacted.value(password) === payload.password),
    now
  )

/** `POST /api/v1/auth/aws-auth/login`: a request that is signed as AWS does it, whoever signed it. */
export const aws = (state: EmulatorState.State, payload: typeof Wire.AwsLoginPayload.Type, now: number) =>
  login(
    state,
    state.identities.find(({ id }) => id === payload.identityId),
    () => isSigned(payload),
    now
  )

const isSigned = ({ iamRequestBody, iamRequestHeaders }: typeof Wire.AwsLoginPayload.Type): boolean =>
  Buffer.from(iamRequestBody, "base64").toString().includes("Action=GetCallerIdentity") &&
  /authorization"\s*:\s*"AWS4-HMAC-SHA256 /i.test(Buffer.from(iamRequestHeaders, "base64").toString())

const login = (
  state: EmulatorState.State,
  identity: EmulatorState.Identity | undefined,
  isRight: (identity: EmulatorState.Identity) => boolean,
  now: number
): Effect.Effect<Outcome<Answer.Answer>> => {
  if (identity === undefined) return Effect.succeed([Effect.fail(Answer.loginRefused), state])
  if (now < identity.lockedUntil) return Effect.succeed([Effect.fail(Answer.identityLocked), state])
  if (!isRight(identity)) {
    const refusedAt = [...identity.refusedAt.filter((time) => now - time < lockout.within), now]
    // Servers of 2024-07 do not lock.
    const isLocked = state.era === "current" && refusedAt.length >= lockout.times
    return Effect.succeed([
      Effect.fail(Answer.loginRefused),
      withIdentity(state, {
        ...identity,
        refusedAt: isLocked ? [] : refusedAt,
        lockedUntil: isLocked ? now + lockout.lasts : identity.lockedUntil
      })
    ])
  }
  return Effect.gen(function*() {
    const id = yield* Identifier.uuid
    const issuedAt = Math.floor(now / 1000)
    const jwt = yield* EmulatorState.makeJwt({
      identityId: identity.id,
      identityAccessTokenId: id,
      authTokenType: "identityAccessToken",
      // Its end is that of the longest that it can be renewed for.
      exp: issuedAt + identity.accessTokenMaxTTL
    }, now)
    const token = {
      jwt: Redacted.make(jwt),
      identityId: identity.id,
      mintedAt: now,
      renewedAt: now,
      uses: 0,
      isDeleted: false
    }
    return [
      Effect.succeed(answered(identity, token)),
      { ...withIdentity(state, { ...identity, refusedAt: [] }), accessTokens: [...state.accessTokens, token] }
    ]
  })
}

const answered = (identity: EmulatorState.Identity, token: EmulatorState.AccessToken): Answer.Answer =>
  Answer.ok({
    accessToken: Redacted.value(token.jwt),
    expiresIn: identity.accessTokenTTL,
    accessTokenMaxTTL: identity.accessTokenMaxTTL,
    tokenType: "Bearer"
  })

/** `POST /api/v1/auth/token/renew`: the same JWT comes back. */
export const renew = (
  state: EmulatorState.State,
  { accessToken }: typeof Wire.AccessTokenPayload.Type,
  now: number
): Outcome<Answer.Answer> =>
  withToken(state, accessToken, (token, identity) => {
    const ttl = identity.accessTokenTTL * 1000
    if (now > token.renewedAt + ttl) return [Effect.fail(Answer.accessTokenExpired), deleted(state, token)]
    if (now + ttl > token.mintedAt + identity.accessTokenMaxTTL * 1000 || ttl >= identity.accessTokenMaxTTL * 1000) {
      return [Effect.fail(Answer.accessTokenPastMaximum), deleted(state, token)]
    }
    const renewed = { ...token, renewedAt: now }
    return [Effect.succeed(answered(identity, renewed)), withAccessToken(state, renewed)]
  })

/** `POST /api/v1/auth/token/revoke` */
export const revoke = (
  state: EmulatorState.State,
  { accessToken }: typeof Wire.AccessTokenPayload.Type
): Outcome<Answer.Answer> =>
  withToken(state, accessToken, (token) => [
    Effect.succeed(Answer.ok({ message: "Successfully revoked access token" })),
    deleted(state, token)
  ])

const withToken = (
  state: EmulatorState.State,
  bearer: string,
  f: (token: EmulatorState.AccessToken, identity: EmulatorState.Identity) => Outcome<Answer.Answer>
): Outcome<Answer.Answer> => {
  const token = findAccessToken(state, bearer)
  // Of a user's token it says the same as of one that was deleted.
  if (Option.isNone(token)) {
    const isUsers = state.users.some(({ jwt }) => Redacted.value(jwt) === bearer)
    return [Effect.fail(isUsers ? Answer.tokenRefused : Answer.tokenMalformed("jwt malformed")), state]
  }
  const identity = state.identities.find(({ id }) => id === token.value.identityId)
  return token.value.isDeleted || identity === undefined
    ? [Effect.fail(Answer.tokenRefused), state]
    : f(token.value, identity)
}

/** The access token of this text, deleted or not. */
export const findAccessToken = (
  state: EmulatorState.State,
  bearer: string
): Option.Option<EmulatorState.AccessToken> =>
  Option.fromNullable(state.accessTokens.find(({ jwt }) => Redacted.value(jwt) === bearer))

/** Whose it is, if it is still good; each use counts. */
export const use = (
  state: EmulatorState.State,
  token: EmulatorState.AccessToken,
  now: number
): Either.Either<Outcome<EmulatorState.Identity>, Answer.Answer> => {
  const identity = state.identities.find(({ id }) => id === token.identityId)
  if (token.isDeleted || identity === undefined) return Either.left(Answer.tokenRefused)
  const endsAt = Math.min(
    token.renewedAt + identity.accessTokenTTL * 1000,
    token.mintedAt + identity.accessTokenMaxTTL * 1000
  )
  if (now > endsAt) return Either.right([Effect.fail(Answer.accessTokenExpired), deleted(state, token)])
  const limit = identity.accessTokenNumUsesLimit
  return limit > 0 && token.uses >= limit
    ? Either.right([Effect.fail(Answer.accessTokenUsedUp), deleted(state, token)])
    : Either.right([Effect.succeed(identity), withAccessToken(state, { ...token, uses: token.uses + 1 })])
}

const withIdentity = (state: EmulatorState.State, identity: EmulatorState.Identity): EmulatorState.State => ({
  ...state,
  identities: state.identities.map((other) => other.id === identity.id ? identity : other)
})

const withAccessToken = (state: EmulatorState.State, token: EmulatorState.AccessToken): EmulatorState.State => ({
  ...state,
  accessTokens: state.accessTokens.map((other) =>
    Redacted.value(other.jwt) === Redacted.value(token.jwt) ? token : other
  )
})

const deleted = (state: EmulatorState.State, token: EmulatorState.AccessToken): EmulatorState.State =>
  withAccessToken(state, { ...token, isDeleted: true })
