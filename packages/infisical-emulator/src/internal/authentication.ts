/** Who is asking, from the `authorization` header. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Answer from "../Answer.js"
import * as EmulatorState from "../EmulatorState.js"
import * as Identities from "./identities.js"

export type Actor =
  | { readonly _tag: "ServiceToken"; readonly token: EmulatorState.ServiceToken }
  | { readonly _tag: "ServiceTokenV3"; readonly token: EmulatorState.ServiceToken }
  | { readonly _tag: "User"; readonly user: EmulatorState.User }
  | { readonly _tag: "Identity"; readonly identity: EmulatorState.Identity }

/** The actor, if the token is good. A service token is marked as used, or deleted where it has expired. */
export const authenticate = (
  self: EmulatorState.Service,
  authorization: string | undefined
): Effect.Effect<Actor, Answer.Answer> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) =>
    Effect.flatten(EmulatorState.change(self, (state): Outcome => {
      if (authorization === undefined) return refuse(Answer.tokenMissing)
      // The server drops the first seven characters, whatever they are.
      const bearer = authorization.slice("Bearer ".length)
      return bearer.startsWith("st.") ? serviceToken(state, bearer, now) : otherToken(state, bearer, now)
    })))

// An expired token is refused and deleted, so a refusal can change the state, too.
type Outcome = Either.Either<readonly [Effect.Effect<Actor, Answer.Answer>, EmulatorState.State], Answer.Answer>

const refuse = (answer: Answer.Answer): Outcome => Either.left(answer)

const serviceToken = (state: EmulatorState.State, bearer: string, now: number): Outcome => {
  // A fourth part, the key, is ignored where somebody sends it.
  const [, id = "", secret] = bearer.split(".", 3)
  const token = HashMap.get(state.serviceTokens, id)
  if (Option.isNone(token) || token.value.projectKey.version !== "v2") return refuse(Answer.tokenRefused)
  if (isExpired(token.value, now)) return expire(state, token.value)
  if (secret === undefined) return refuse(Answer.tokenMalformed("data and hash arguments required"))
  if (secret !== Redacted.value(token.value.secret)) return refuse(Answer.tokenRefused)
  return use(state, token.value, now, "ServiceToken")
}

const otherToken = (state: EmulatorState.State, bearer: string, now: number): Outcome => {
  const user = state.users.find(({ jwt }) => Redacted.value(jwt) === bearer)
  if (user !== undefined) return Either.right([Effect.succeed({ _tag: "User", user }), state])
  const accessToken = Identities.findAccessToken(state, bearer)
  if (Option.isSome(accessToken)) return identity(state, accessToken.value, now)
  const token = HashMap.findFirst(
    state.serviceTokens,
    ({ projectKey, secret }) => projectKey.version === "v3" && Redacted.value(secret) === bearer
  )
  if (Option.isNone(token)) return refuse(Answer.tokenMalformed(problemOf(bearer)))
  const [, found] = token.value
  return isExpired(found, now) ? expire(state, found) : use(state, found, now, "ServiceTokenV3")
}

const identity = (state: EmulatorState.State, token: EmulatorState.AccessToken, now: number): Outcome =>
  Either.map(Identities.use(state, token, now), ([outcome, next]) => [
    Effect.map(outcome, (identity): Actor => ({ _tag: "Identity", identity })),
    next
  ])

const isExpired = (token: EmulatorState.ServiceToken, now: number): boolean =>
  Option.exists(token.expiresAt, (expiresAt) => expiresAt < now)

const expire = (state: EmulatorState.State, token: EmulatorState.ServiceToken): Outcome =>
  Either.right([
    Effect.fail(Answer.tokenExpired),
    { ...state, serviceTokens: HashMap.remove(state.serviceTokens, token.id) }
  ])

const use = (
  state: EmulatorState.State,
  token: EmulatorState.ServiceToken,
  now: number,
  _tag: "ServiceToken" | "ServiceTokenV3"
): Outcome => {
  // Each use is later than the one before, even on a clock that stands still: no two answers about a token are the same.
  const used = { ...token, lastUsed: Math.max(now, token.lastUsed + 1) }
  return Either.right([
    Effect.succeed({ _tag, token: used }),
    { ...state, serviceTokens: HashMap.set(state.serviceTokens, used.id, used) }
  ])
}

const problemOf = (bearer: string) => {
  if (bearer === "") return "jwt must be provided"
  const parts = bearer.split(".")
  if (parts.length !== 3) return "jwt malformed"
  const header = Either.flatMap(
    Encoding.decodeBase64UrlString(parts[0] ?? ""),
    (text) => Either.try(() => JSON.parse(text))
  )
  return Either.isLeft(header) ? "invalid token" : "invalid signature"
}
