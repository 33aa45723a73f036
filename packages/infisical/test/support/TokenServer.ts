/**
 * The authentication routes of a server, with a session on it, under the test's clock and without a socket. The server
 * knows which tokens are good, so a request of the session can be refused as a real one is.
 */
import { HttpClient, HttpClientError, HttpClientResponse } from "@effect/platform"
import { Clock, Context, Effect, Encoding, Layer, Redacted, Schema } from "effect"
import { Credential, Crypto, InfisicalApi, InfisicalConfig, InfisicalError, Session } from "effect-infisical"

/** How the server makes its tokens. Times in seconds, as on the wire. */
export interface Rules {
  readonly expiresIn: number
  readonly accessTokenMaxTTL?: number | null
  /** A server before mid-2025 renews a token without changing the JWT, a later one returns a new JWT. */
  readonly renewal: "same JWT" | "new JWT"
  /** A server of 2026 ends every JWT within this time, whatever the TTL. Default: without limit. */
  readonly longestJwt?: number
  /** A maximum that the answers do not state. */
  readonly hiddenMaximum?: number
  /** How many requests each login is good for. Default: without limit. */
  readonly uses?: number
  /** A server of 2026: the JWT states the token's rules, and a renewal lasts for what is left of the maximum. */
  readonly isSelfContained?: boolean
}

type Route = "login" | "renew" | "revoke"

export interface Seen {
  /** Seconds since the test began. */
  readonly at: number
  readonly route: Route
  readonly status: number
}

/** What happens to a request instead of the server's answer. */
export type Fault = (route: Route) => "unreachable" | "hangs" | Response | undefined

interface Token {
  readonly login: number
  readonly loggedInAt: number
  readonly endsAt: number
}

export class TokenServer extends Context.Tag("test/TokenServer")<TokenServer, {
  readonly httpClient: HttpClient.HttpClient
  /** Fails as a request with this token does. */
  readonly check: (token: Redacted.Redacted<string>) => Effect.Effect<string, InfisicalError.AuthenticationError>
  /** The requests since the last time. */
  readonly take: Effect.Effect<ReadonlyArray<Seen>>
  /** How often each route was requested since the last time, for example `{ "login 200": 1 }`. */
  readonly takeCounts: Effect.Effect<Readonly<Record<string, number>>>
  readonly setFault: (fault: Fault) => Effect.Effect<void>
  /** Makes all tokens invalid. */
  readonly revokeAll: Effect.Effect<void>
  readonly goodTokens: Effect.Effect<ReadonlyArray<string>>
}>() {}

const Body = Schema.parseJson(Schema.Struct({ accessToken: Schema.optional(Schema.String) }))

export const refused = (status = 401) =>
  Response.json({ statusCode: status, message: "Invalid credentials", error: "UnauthorizedError" }, { status })

const jwtOf = (claims: object) =>
  `${Encoding.encodeBase64Url("{}")}.${Encoding.encodeBase64Url(JSON.stringify(claims))}.signature`

const unlimited = (seconds: number | null | undefined) =>
  seconds === undefined || seconds === null || seconds === 0 ? Number.POSITIVE_INFINITY : seconds * 1000

/** A server whose tokens follow these rules. */
export const layer = (rules: Rules): Layer.Layer<TokenServer> =>
  Layer.sync(TokenServer, () => {
    const tokens = new Map<string, Token>()
    let seen: Array<Seen> = []
    let fault: Fault = () => undefined
    let logins = 0
    let jwts = 0
    const ttl = Math.min(unlimited(rules.expiresIn), unlimited(rules.longestJwt))
    const maximum = unlimited(rules.hiddenMaximum ?? rules.accessTokenMaxTTL)
    const uses = new Map<number, number>()

    const issue = (now: number, login: number, loggedInAt: number, previous?: string) => {
      const endsAt = Math.min(now + ttl, loggedInAt + maximum)
      const jwtEnd = rules.renewal === "new JWT" ? endsAt : loggedInAt + maximum
      const iat = Math.floor(now / 1000)
      const text = previous ??
        jwtOf({
          jti: ++jwts,
          iat,
          ...rules.isSelfContained === true && { creationEpoch: Math.floor(loggedInAt / 1000) },
          ...Number.isFinite(jwtEnd) && { exp: iat + Math.floor((jwtEnd - now) / 1000) }
        })
      tokens.set(text, { login, loggedInAt, endsAt })
      return Response.json({
        accessToken: text,
        expiresIn: rules.expiresIn,
        ...rules.accessTokenMaxTTL !== undefined && { accessTokenMaxTTL: rules.accessTokenMaxTTL },
        tokenType: "Bearer"
      })
    }

    const isUsedUp = ({ login }: Token) => (uses.get(login) ?? 0) >= (rules.uses ?? Number.POSITIVE_INFINITY)

    const renew = (now: number, text: string) => {
      const token = tokens.get(text)
      if (token === undefined || now > token.endsAt || isUsedUp(token)) return refused()
      if (rules.isSelfContained === true && now >= token.loggedInAt + maximum) return refused()
      if (rules.isSelfContained !== true && now + ttl > token.loggedInAt + maximum) {
        tokens.delete(text)
        return refused(403)
      }
      if (rules.renewal === "new JWT") return issue(now, token.login, token.loggedInAt)
      return issue(now, token.login, token.loggedInAt, text)
    }

    const revoke = (text: string) => {
      const token = tokens.get(text)
      if (token === undefined) return refused()
      for (const [other, { login }] of tokens) if (login === token.login) tokens.delete(other)
      return Response.json({ message: "Successfully revoked access token" })
    }

    const httpClient = HttpClient.make((request, url) =>
      Effect.gen(function*() {
        const now = yield* Clock.currentTimeMillis
        const route: Route = url.pathname.endsWith("/login")
          ? "login"
          : url.pathname.endsWith("/renew")
          ? "renew"
          : "revoke"
        const note = (status: number) => void seen.push({ at: now / 1000, route, status })
        const happening = fault(route)
        if (happening === "hangs") {
          note(0)
          return yield* Effect.never
        }
        if (happening === "unreachable") {
          note(0)
          return yield* new HttpClientError.RequestError({ request, reason: "Transport" })
        }
        const body = request.body._tag === "Uint8Array" ? new TextDecoder().decode(request.body.body) : "{}"
        const { accessToken = "" } = yield* Effect.orDie(Schema.decode(Body)(body))
        const response = happening ??
          (route === "login"
            ? issue(now, ++logins, now)
            : route === "renew"
            ? renew(now, accessToken)
            : revoke(accessToken))
        note(response.status)
        return HttpClientResponse.fromWeb(request, response.clone())
      })
    )

    const take = Effect.sync(() => {
      const taken = seen
      seen = []
      return taken
    })

    return TokenServer.of({
      httpClient,
      check: (token) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) => {
          const known = tokens.get(Redacted.value(token))
          const isGood = known !== undefined && now <= known.endsAt && !isUsedUp(known)
          if (isGood) uses.set(known.login, (uses.get(known.login) ?? 0) + 1)
          return isGood
            ? Effect.succeed(Redacted.value(token))
            : new InfisicalError.AuthenticationError({
              reason: "Refused",
              endpoint: "GET /api/v4/secrets",
              status: 401
            })
        }),
      take,
      takeCounts: Effect.map(take, (taken) => {
        const counts: Record<string, number> = {}
        for (const { route, status } of taken) {
          counts[`${route} ${status}`] = (counts[`${route} ${status}`] ?? 0) + 1
        }
        return counts
      }),
      setFault: (next) =>
        Effect.sync(() => {
          fault = next
        }),
      revokeAll: Effect.sync(() => tokens.clear()),
      goodTokens: Effect.map(Clock.currentTimeMillis, (now) =>
        [...tokens].filter(([, { endsAt }]) => now <= endsAt).map(([text]) => text))
    })
  })

/** A session of a machine identity on the server, and nothing above it. */
export const session = (options: Partial<InfisicalConfig.Options> = {}) =>
  Layer.unwrapEffect(Effect.map(TokenServer, ({ httpClient }) =>
    Session.layer().pipe(
      Layer.provide(InfisicalApi.layer()),
      Layer.provide(InfisicalConfig.layer({
        credential: Credential.universalAuth({ clientId: "client", clientSecret: Redacted.make("secret") }),
        siteUrl: "http://infisical.test",
        projectId: "project",
        retry: { times: 0 },
        ...options
      })),
      Layer.provide(Crypto.layer),
      Layer.provide(Layer.succeed(HttpClient.HttpClient, httpClient))
    )))

/** Runs with a server of these rules and a session on it. */
export const run =
  (rules: Rules, options: Partial<InfisicalConfig.Options> = {}) => <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.provide(effect, Layer.provideMerge(session(options), layer(rules)))

/** A request that the server answers with the token that it was made with. */
export const request = Effect.flatMap(
  TokenServer,
  ({ check }) => Effect.flatMap(Session.Session, ({ use }) => use(({ accessToken }) => check(accessToken)))
)

/** Lets every fiber go as far as it can. */
export const settle = Effect.repeatN(
  Effect.async<void>((resume) => void setImmediate(() => resume(Effect.void))),
  8
)

/** A token for 30 days that cannot be renewed, as a server makes it by default. */
export const thirtyDays: Rules = { expiresIn: 2_592_000, accessTokenMaxTTL: 2_592_000, renewal: "same JWT" }
