/**
 * Machine identities: what they log in with, and what becomes of their access tokens. Plain functions: the caller
 * brings ids and the time, in milliseconds.
 */
import type { Wire } from "effect-infisical"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Answer from "../eras/Answer.js"
import * as Eras from "../eras/eras.js"
import type * as EmulatorState from "../state/EmulatorState.js"
import * as Jwt from "../support/jwt.js"

/** Either way the state may change: what is refused is counted or deleted. */
type Outcome<A> = readonly [outcome: Either.Either<A, Answer.Answer>, state: EmulatorState.State]

/** What a login needs to make a token. */
interface Made {
  readonly id: string
  readonly now: number
}

/** So many refused logins within so long lock an identity for so long. */
const lockout = { times: 3, within: 30_000, lasts: 300_000 }

/** `POST /api/v1/auth/universal-auth/login`: what is sent is trimmed. */
export const universalAuth = (
  state: EmulatorState.State,
  payload: typeof Wire.UniversalAuthPayload.Type,
  made: Made
): Outcome<Answer.Answer> => {
  const identity = state.identities.find(({ clientId }) => clientId === payload.clientId.trim())
  if (identity === undefined || !admits(identity, "universal-auth")) return [Either.left(Answer.clientUnknown), state]
  const spent = Option.exists(identity.clientSecretExpiresAt, (endsAt) => made.now >= endsAt)
    ? "expired" as const
    : identity.clientSecretNumUsesLimit > 0 && identity.clientSecretUses >= identity.clientSecretNumUsesLimit
    ? "used up" as const
    : undefined
  const isRight = Redacted.value(identity.clientSecret) === payload.clientSecret.trim() &&
    !identity.clientSecretRevoked
  if (isRight && spent !== undefined) {
    return [
      Either.left(Answer.clientSecretSpent(spent)),
      withIdentity(state, { ...identity, clientSecretRevoked: true })
    ]
  }
  return login(
    state,
    { ...identity, clientSecretUses: identity.clientSecretUses + (isRight ? 1 : 0) },
    isRight,
    made,
    { clientSecretId: identity.clientSecretId }
  )
}

/** The methods by which an identity logs in with a JWT, by what they are called. */
const jwtMethods = {
  "kubernetes-auth": "Kubernetes",
  "gcp-auth": "GCP",
  "azure-auth": "Azure",
  "oidc-auth": "OIDC",
  "jwt-auth": "JWT",
  "spiffe-auth": "SPIFFE"
} as const

/** A way to log in with a JWT. */
export type JwtMethod = keyof typeof jwtMethods

/** `POST /api/v1/auth/<kubernetes-auth, …>/login`: the JWT is not verified. */
export const jwt =
  (method: JwtMethod) => (state: EmulatorState.State, payload: typeof Wire.JwtLoginPayload.Type, made: Made) =>
    byIdentity(
      state,
      payload.identityId,
      [method, jwtMethods[method]],
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
  byIdentity(
    state,
    payload.identityId,
    ["ldap-auth", "LDAP"],
    ({ ldap }) =>
      Option.exists(ldap, ({ password, username }) =>
        username === payload.username && Redacted.value(password) === payload.password),
    made
  )

/** `POST /api/v1/auth/aws-auth/login`: a request that is signed as AWS does it, by any key. */
export const aws = (state: EmulatorState.State, payload: typeof Wire.AwsLoginPayload.Type, made: Made) =>
  byIdentity(state, payload.identityId, ["aws-auth", "AWS"], () => isSigned(payload), made)

/** `POST /api/v1/auth/oci-auth/login`: a request that is signed as OCI does it, by any key. */
export const oci = (state: EmulatorState.State, payload: typeof Wire.OciLoginPayload.Type, made: Made) =>
  byIdentity(
    state,
    payload.identityId,
    ["oci-auth", "OCI"],
    () =>
      /^identity\.[a-z0-9-]+\.oraclecloud\.com$/.test(payload.headers.host) &&
      payload.headers.authorization.startsWith("Signature ") &&
      payload.headers.authorization.includes(payload.userOcid),
    made
  )

/** `POST /api/v1/auth/alicloud-auth/login`: any signature of the right form. */
export const aliCloud = (state: EmulatorState.State, payload: typeof Wire.AliCloudLoginPayload.Type, made: Made) =>
  byIdentity(
    state,
    payload.identityId,
    ["alicloud-auth", "Alibaba Cloud"],
    () => /^[A-Za-z0-9+/]{27}=$/.test(payload.Signature),
    made
  )

/** `POST /api/v1/auth/tls-cert-auth/login`: the proxy in front of the server is taken to have checked the certificate. */
export const tlsCertificate = (
  state: EmulatorState.State,
  payload: typeof Wire.TlsCertificateLoginPayload.Type,
  made: Made
) => byIdentity(state, payload.identityId, ["tls-cert-auth", "TLS Certificate"], () => true, made)

const byIdentity = (
  state: EmulatorState.State,
  identityId: string,
  [method, name]: readonly [method: string, name: string],
  isRight: (identity: EmulatorState.Identity) => boolean,
  made: Made
): Outcome<Answer.Answer> => {
  const identity = state.identities.find(({ id }) => id === identityId)
  return identity === undefined || !admits(identity, method)
    ? [Either.left(Answer.methodNotConfigured(name)), state]
    : login(state, identity, isRight(identity), made)
}

const admits = ({ methods }: EmulatorState.Identity, method: string): boolean =>
  Option.match(methods, { onNone: () => true, onSome: (methods) => methods.includes(method) })

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
  identity: EmulatorState.Identity,
  isRight: boolean,
  made: Made,
  claims: Jwt.Claims = {}
): Outcome<Answer.Answer> => {
  const { now } = made
  if (now < identity.lockedUntil) return [Either.left(Answer.identityLocked), state]
  if (!isRight) {
    const refusedAt = [...identity.refusedAt.filter((time) => now - time < lockout.within), now]
    const isLocked = Eras.does(state, "locksIdentities") && refusedAt.length >= lockout.times
    return [
      Either.left(Answer.loginRefused),
      withIdentity(state, {
        ...identity,
        refusedAt: isLocked ? [] : refusedAt,
        lockedUntil: isLocked ? now + lockout.lasts : identity.lockedUntil
      })
    ]
  }
  const [token, expiresIn] = mint(state, identity, { ...made, mintedAt: now, uses: 0 }, claims)
  return [
    Either.right(answered(identity, token, expiresIn)),
    { ...withIdentity(state, { ...identity, refusedAt: [] }), accessTokens: [...state.accessTokens, token] }
  ]
}

/** A token that lives from now on, and how many seconds; 0 is without end. */
const mint = (
  state: EmulatorState.State,
  identity: EmulatorState.Identity,
  { id, mintedAt, now, uses }: Made & Pick<EmulatorState.AccessToken, "mintedAt" | "uses">,
  claims: Jwt.Claims
): readonly [token: EmulatorState.AccessToken, expiresIn: number] => {
  const issuedAt = Math.floor(now / 1000)
  const left = identity.accessTokenMaxTTL === 0
    ? Infinity
    : identity.accessTokenMaxTTL - Math.floor((now - mintedAt) / 1000)
  const longest = Eras.does(state, "longestToken")
  const isSelfContained = Eras.does(state, "hasSelfContainedTokens")
  const ttl = identity.accessTokenTTL
  // The end that is written in the token: that of the longest that it can be renewed for, or of its own life.
  const life = Math.min(
    Eras.does(state, "renewsJwt") && ttl > 0 ? ttl : Infinity,
    left,
    longest === 0 ? Infinity : longest
  )
  const token = {
    jwt: Jwt.sign(state.jwtSecret, {
      identityId: identity.id,
      ...claims,
      identityAccessTokenId: id,
      authTokenType: "identityAccessToken",
      iat: issuedAt,
      ...(isSelfContained && {
        jti: id,
        creationEpoch: Math.floor(mintedAt / 1000),
        accessTokenTTL: ttl,
        accessTokenMaxTTL: identity.accessTokenMaxTTL,
        numUsesLimit: identity.accessTokenNumUsesLimit
      }),
      ...(Number.isFinite(life) && { exp: issuedAt + life })
    }),
    identityId: identity.id,
    mintedAt,
    renewedAt: now,
    endsAt: Number.isFinite(life) ? Option.some(now + life * 1000) : Option.none(),
    uses
  }
  return [token, isSelfContained ? (Number.isFinite(life) && ttl > 0 ? life : ttl) : ttl]
}

const answered = (
  identity: EmulatorState.Identity,
  token: EmulatorState.AccessToken,
  expiresIn: number
): Answer.Answer =>
  Answer.ok({
    accessToken: Redacted.value(token.jwt),
    expiresIn,
    accessTokenMaxTTL: identity.accessTokenMaxTTL,
    tokenType: "Bearer"
  })

/** `POST /api/v1/auth/token/renew`: the same JWT comes back, or from 2025 on another one. */
export const renew = (
  state: EmulatorState.State,
  { accessToken }: typeof Wire.AccessTokenPayload.Type,
  made: Made
): Outcome<Answer.Answer> =>
  withToken(state, accessToken, made.now, Answer.accessTokenToRenewUnknown, (token, identity) => {
    const { now } = made
    const after = Eras.does(state, "deletesRefusedToken") ? without(state, token) : state
    const problem = problemOf(token, identity, now)
    if (problem === "expired") return [Either.left(Answer.accessTokenExpired), after]
    if (problem === "used up") return [Either.left(Answer.accessTokenExhausted), after]
    const ttl = identity.accessTokenTTL * 1000
    const maximum = identity.accessTokenMaxTTL * 1000
    const end = token.mintedAt + maximum
    const isRefused = Eras.does(state, "hasSelfContainedTokens")
      ? maximum > 0 && now >= end
      : maximum > 0 && (now + ttl > end || ttl >= maximum)
    if (isRefused) return [Either.left(Answer.accessTokenPastMaximum), after]
    if (!Eras.does(state, "renewsJwt")) {
      const renewed = { ...token, renewedAt: now }
      return [Either.right(answered(identity, renewed, identity.accessTokenTTL)), withAccessToken(state, renewed)]
    }
    const [renewed, expiresIn] = mint(state, identity, { ...made, mintedAt: token.mintedAt, uses: token.uses }, {})
    // Both tokens are good until they end.
    return [
      Either.right(answered(identity, renewed, expiresIn)),
      { ...state, accessTokens: [...state.accessTokens, renewed] }
    ]
  })

/** Why a token is good for nothing now, if it is not. */
const problemOf = (
  token: EmulatorState.AccessToken,
  identity: EmulatorState.Identity,
  now: number
): "expired" | "used up" | undefined => {
  const ends = [
    identity.accessTokenTTL === 0 ? Infinity : token.renewedAt + identity.accessTokenTTL * 1000,
    Option.getOrElse(token.endsAt, () => Infinity)
  ]
  if (now > Math.min(...ends)) return "expired"
  const limit = identity.accessTokenNumUsesLimit
  return limit > 0 && token.uses >= limit ? "used up" : undefined
}

/** `POST /api/v1/auth/token/revoke` */
export const revoke = (
  state: EmulatorState.State,
  { accessToken }: typeof Wire.AccessTokenPayload.Type,
  now: number
): Outcome<Answer.Answer> =>
  withToken(state, accessToken, now, Answer.accessTokenUnknown, (token) => [
    Either.right(Answer.ok({ message: "Successfully revoked access token" })),
    without(state, token)
  ])

const withToken = (
  state: EmulatorState.State,
  bearer: string,
  now: number,
  unknown: Answer.Answer,
  f: (token: EmulatorState.AccessToken, identity: EmulatorState.Identity) => Outcome<Answer.Answer>
): Outcome<Answer.Answer> => {
  // Of a user's token it says the same as of one that was deleted.
  const isUsers = state.users.some(({ jwt }) => Redacted.value(jwt) === bearer)
  if (isUsers) return [Either.left(unknown), state]
  return Either.match(find(state, bearer, now, unknown), {
    onLeft: (answer): Outcome<Answer.Answer> => [Either.left(answer), state],
    onRight: ({ identity, token }) => f(token, identity)
  })
}

/** The access token of this text, and whose it is. What was deleted is told from what was never ours by its signature. */
const find = (
  state: EmulatorState.State,
  bearer: string,
  now: number,
  unknown: Answer.Answer = Answer.accessTokenUnknown
): Either.Either<
  { readonly token: EmulatorState.AccessToken; readonly identity: EmulatorState.Identity },
  Answer.Answer
> =>
  Either.gen(function*() {
    const { exp } = yield* Either.mapLeft(Jwt.check(state.jwtSecret, bearer), Answer.tokenMalformed)
    // The end that is written in it is seen before anybody looks for the token.
    if (exp !== undefined && now >= exp * 1000 && Eras.does(state, "readsEndOfTokens")) {
      return yield* Either.left(Answer.jwtExpired)
    }
    const refused = () => unknown
    const token = yield* Either.fromNullable(
      state.accessTokens.find(({ jwt }) => Redacted.value(jwt) === bearer),
      refused
    )
    const identity = yield* Either.fromNullable(state.identities.find(({ id }) => id === token.identityId), refused)
    return { token, identity }
  })

/** Whose access token this is, if it is one and still good; each use counts. */
export const use = (state: EmulatorState.State, bearer: string, now: number): Outcome<EmulatorState.Identity> =>
  Either.match(find(state, bearer, now), {
    onLeft: (answer): Outcome<EmulatorState.Identity> => [Either.left(answer), state],
    onRight: ({ identity, token }) => {
      const refused = {
        expired: Answer.accessTokenExpired,
        "used up": Answer.accessTokenUsedUp
      }
      const problem = problemOf(token, identity, now)
      return problem === undefined
        ? [Either.right(identity), withAccessToken(state, { ...token, uses: token.uses + 1 })]
        : [Either.left(refused[problem]), without(state, token)]
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
