/**
 * Machine identities: what they log in with, and what becomes of their access tokens. Plain functions: whoever calls
 * them brings ids and the time, in milliseconds.
 */
import type { Wire } from "effect-infisical"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Answer from "../Answer.js"
import type * as EmulatorState from "../EmulatorState.js"
import * as Jwt from "./jwt.js"

/** Either way the state may change: what is refused is counted or deleted. */
type Outcome<A> = readonly [outcome: Either.Either<A, Answer.Answer>, state: EmulatorState.State]

/** What a login needs to make a token. */
interface Made {
  readonly id: string
  readonly now: number
}

/** So many refused logins within so long lock an identity for so long. */
const lockout = { times: 3, within: 30_000, lasts: 300_000 }

/** `POST /api/v1/auth/universal-auth/login` */
export const universalAuth = (
  state: EmulatorState.State,
  payload: typeof Wire.UniversalAuthPayload.Type,
  made: Made
) =>
  login(
    state,
    state.identities.find(({ clientId }) => clientId === payload.clientId),
    ({ clientSecret }) => Redacted.value(clientSecret) === payload.clientSecret,
    made,
    ({ clientSecretId }) => ({ clientSecretId })
  )

/** `POST /api/v1/auth/<kubernetes-auth, …>/login`: the JWT is not verified. */
export const jwt = (state: EmulatorState.State, payload: typeof Wire.JwtLoginPayload.Type, made: Made) =>
  login(
    state,
    state.identities.find(({ id }) => id === payload.identityId),
    ({ acceptedJwts }) =>
      payload.jwt !== "" &&
      Option.match(acceptedJwts, {
        onNone: () => true,
        onSome: (jwts) => jwts.some((jwt) => Redacted.value(jwt) === payload.jwt)
      }),
    made
  )

/** `POST /api/v1/auth/ldap-auth/login` */
export const ldap = (state: EmulatorState.State, payload: typeof Wire.LdapLoginPayload.Type, made: Made) =>
  login(
    state,
    state.identities.find(({ id }) => id === payload.identityId),
    ({ ldap }) =>
      Option.exists(ldap, ({ password, username }) =>
        username === payload.username && Redacted.value(password) === payload.password),
    made
  )

/** `POST /api/v1/auth/aws-auth/login`: a request that is signed as AWS does it, whoever signed it. */
export const aws = (state: EmulatorState.State, payload: typeof Wire.AwsLoginPayload.Type, made: Made) =>
  login(
    state,
    state.identities.find(({ id }) => id === payload.identityId),
    () => isSigned(payload),
    made
  )

/** `POST /api/v1/auth/oci-auth/login`: a request that is signed as OCI does it, by any key. */
export const oci = (state: EmulatorState.State, payload: typeof Wire.OciLoginPayload.Type, made: Made) =>
  login(
    state,
    state.identities.find(({ id }) => id === payload.identityId),
    () =>
      /^identity\.[a-z0-9-]+\.oraclecloud\.com$/.test(payload.headers.host) &&
      payload.headers.authorization.startsWith("Signature ") &&
      payload.headers.authorization.includes(payload.userOcid),
    made
  )

/** `POST /api/v1/auth/alicloud-auth/login`: any signature of the right form. */
export const aliCloud = (state: EmulatorState.State, payload: typeof Wire.AliCloudLoginPayload.Type, made: Made) =>
  login(
    state,
    state.identities.find(({ id }) => id === payload.identityId),
    () => /^[A-Za-z0-9+/]{27}=$/.test(payload.Signature),
    made
  )

/** `POST /api/v1/auth/tls-cert-auth/login`: the proxy in front of the server is taken to have checked the certificate. */
export const tlsCertificate = (
  state: EmulatorState.State,
  payload: typeof Wire.TlsCertificateLoginPayload.Type,
  made: Made
) => login(state, state.identities.find(({ id }) => id === payload.identityId), () => true, made)

const isSigned = ({ iamRequestBody, iamRequestHeaders }: typeof Wire.AwsLoginPayload.Type): boolean => {
  const body = Either.getRight(Encoding.decodeBase64String(iamRequestBody))
  const headers = Either.getRight(
    Either.flatMap(Encoding.decodeBase64String(iamRequestHeaders), Schema.decodeEither(Headers))
  )
  return Option.exists(body, (body) => new URLSearchParams(body).get("Action") === "GetCallerIdentity") &&
    Option.exists(
      headers,
      (headers) =>
        Object.entries(headers).some(([name, value]) =>
          name.toLowerCase() === "authorization" && String(value).startsWith("AWS4-HMAC-SHA256 ")
        )
    )
}

const Headers = Schema.parseJson(
  Schema.Record({ key: Schema.String, value: Schema.Union(Schema.String, Schema.Number) })
)

const login = (
  state: EmulatorState.State,
  identity: EmulatorState.Identity | undefined,
  isRight: (identity: EmulatorState.Identity) => boolean,
  { id, now }: Made,
  claimsOf: (identity: EmulatorState.Identity) => Jwt.Claims = () => ({})
): Outcome<Answer.Answer> => {
  if (identity === undefined) return [Either.left(Answer.loginRefused), state]
  if (now < identity.lockedUntil) return [Either.left(Answer.identityLocked), state]
  if (!isRight(identity)) {
    const refusedAt = [...identity.refusedAt.filter((time) => now - time < lockout.within), now]
    // Servers of 2024-07 do not lock.
    const isLocked = state.era === "current" && refusedAt.length >= lockout.times
    return [
      Either.left(Answer.loginRefused),
      withIdentity(state, {
        ...identity,
        refusedAt: isLocked ? [] : refusedAt,
        lockedUntil: isLocked ? now + lockout.lasts : identity.lockedUntil
      })
    ]
  }
  const issuedAt = Math.floor(now / 1000)
  const token = {
    jwt: Jwt.sign(state.jwtSecret, {
      identityId: identity.id,
      ...claimsOf(identity),
      identityAccessTokenId: id,
      authTokenType: "identityAccessToken",
      iat: issuedAt,
      // Its end is that of the longest that it can be renewed for.
      exp: issuedAt + identity.accessTokenMaxTTL
    }),
    identityId: identity.id,
    mintedAt: now,
    renewedAt: now,
    uses: 0
  }
  return [
    Either.right(answered(identity, token)),
    { ...withIdentity(state, { ...identity, refusedAt: [] }), accessTokens: [...state.accessTokens, token] }
  ]
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
    const maximum = identity.accessTokenMaxTTL * 1000
    if (now > token.renewedAt + ttl) return [Either.left(Answer.accessTokenExpired), without(state, token)]
    if (now + ttl > token.mintedAt + maximum || ttl >= maximum) {
      return [Either.left(Answer.accessTokenPastMaximum), without(state, token)]
    }
    const renewed = { ...token, renewedAt: now }
    return [Either.right(answered(identity, renewed)), withAccessToken(state, renewed)]
  })

/** `POST /api/v1/auth/token/revoke` */
export const revoke = (
  state: EmulatorState.State,
  { accessToken }: typeof Wire.AccessTokenPayload.Type
): Outcome<Answer.Answer> =>
  withToken(state, accessToken, (token) => [
    Either.right(Answer.ok({ message: "Successfully revoked access token" })),
    without(state, token)
  ])

const withToken = (
  state: EmulatorState.State,
  bearer: string,
  f: (token: EmulatorState.AccessToken, identity: EmulatorState.Identity) => Outcome<Answer.Answer>
): Outcome<Answer.Answer> => {
  // Of a user's token it says the same as of one that was deleted.
  const isUsers = state.users.some(({ jwt }) => Redacted.value(jwt) === bearer)
  if (isUsers) return [Either.left(Answer.tokenRefused), state]
  return Either.match(find(state, bearer), {
    onLeft: (answer): Outcome<Answer.Answer> => [Either.left(answer), state],
    onRight: ({ identity, token }) => f(token, identity)
  })
}

/** The access token of this text, and whose it is. What was deleted is told from what was never ours by its signature. */
const find = (
  state: EmulatorState.State,
  bearer: string
): Either.Either<
  { readonly token: EmulatorState.AccessToken; readonly identity: EmulatorState.Identity },
  Answer.Answer
> =>
  Either.gen(function*() {
    yield* Either.mapLeft(Jwt.check(state.jwtSecret, bearer), Answer.tokenMalformed)
    const refused = () => Answer.tokenRefused
    const token = yield* Either.fromNullable(
      state.accessTokens.find(({ jwt }) => Redacted.value(jwt) === bearer),
      refused
    )
    const identity = yield* Either.fromNullable(state.identities.find(({ id }) => id === token.identityId), refused)
    return { token, identity }
  })

/** Whose access token this is, if it is one and still good; each use counts. */
export const use = (state: EmulatorState.State, bearer: string, now: number): Outcome<EmulatorState.Identity> =>
  Either.match(find(state, bearer), {
    onLeft: (answer): Outcome<EmulatorState.Identity> => [Either.left(answer), state],
    onRight: ({ identity, token }) => {
      const endsAt = Math.min(
        token.renewedAt + identity.accessTokenTTL * 1000,
        token.mintedAt + identity.accessTokenMaxTTL * 1000
      )
      if (now > endsAt) return [Either.left(Answer.accessTokenExpired), without(state, token)]
      const limit = identity.accessTokenNumUsesLimit
      return limit > 0 && token.uses >= limit
        ? [Either.left(Answer.accessTokenUsedUp), without(state, token)]
        : [Either.right(identity), withAccessToken(state, { ...token, uses: token.uses + 1 })]
    }
  })

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

const without = (state: EmulatorState.State, token: EmulatorState.AccessToken): EmulatorState.State => ({
  ...state,
  accessTokens: state.accessTokens.filter(({ jwt }) => Redacted.value(jwt) !== Redacted.value(token.jwt))
})
