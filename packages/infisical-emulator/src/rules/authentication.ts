/** Who is asking, from the `authorization` header. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import * as Answer from "../eras/Answer.js"
import * as Eras from "../eras/eras.js"
import type * as EmulatorState from "../state/EmulatorState.js"
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
    Effect.flatten(Ref.modify(self.state, (state): Outcome => {
      if (authorization === undefined) return [Either.left(Answer.tokenMissing), state]
      // The server drops the first seven characters, whatever they are.
      const bearer = authorization.slice("Bearer ".length)
      return bearer.startsWith("st.") ? serviceToken(state, bearer, now) : otherToken(state, bearer, now)
    })))

// An expired token is refused and deleted, so a refusal can change the state, too.
type Outcome = readonly [Either.Either<Actor, Answer.Answer>, EmulatorState.State]

const serviceToken = (state: EmulatorState.State, bearer: string, now: number): Outcome => {
  const refuse = (answer: Answer.Answer): Outcome => [Either.left(answer), state]
  // A fourth part, the key, is ignored if it is sent.
  const [, id = "", secret] = bearer.split(".", 3)
  const token = HashMap.get(state.serviceTokens, id)
  if (Option.isNone(token) || token.value.projectKey.version !== "v2") return refuse(Answer.serviceTokenUnknown(id))
  if (isExpired(token.value, now)) return expire(state, token.value)
  if (secret === undefined) return refuse(Answer.serviceTokenCut)
  if (secret !== Redacted.value(token.value.secret)) return refuse(Answer.serviceTokenWrong)
  return use(state, token.value, now, "ServiceToken")
}

const otherToken = (state: EmulatorState.State, bearer: string, now: number): Outcome => {
  const user = state.users.find(({ jwt }) => Redacted.value(jwt) === bearer)
  if (user !== undefined) return [Either.right({ _tag: "User", user }), state]
  const token = HashMap.findFirst(
    state.serviceTokens,
    ({ projectKey, secret }) => projectKey.version === "v3" && Redacted.value(secret) === bearer
  )
  if (Option.isSome(token)) {
    const [, found] = token.value
    return isExpired(found, now) ? expire(state, found) : use(state, found, now, "ServiceTokenV3")
  }
  const [identity, next] = Identities.use(state, bearer, now)
  return [Either.map(identity, (identity): Actor => ({ _tag: "Identity", identity })), next]
}

const isExpired = (token: EmulatorState.ServiceToken, now: number): boolean =>
  Option.exists(token.expiresAt, (expiresAt) => expiresAt < now)

const expire = (state: EmulatorState.State, token: EmulatorState.ServiceToken): Outcome => [
  Either.left(Answer.serviceTokenExpired),
  { ...state, serviceTokens: HashMap.remove(state.serviceTokens, token.id) }
]

const use = (
  state: EmulatorState.State,
  token: EmulatorState.ServiceToken,
  now: number,
  _tag: "ServiceToken" | "ServiceTokenV3"
): Outcome => {
  // Each use is later than the one before, even on a clock that stands still: no two answers about a token are the same.
  const used = Eras.does(state, "notesUseAtOnce")
    ? { ...token, lastUsed: Math.max(now, token.lastUsed + 1) }
    : token
  return [
    Either.right({ _tag, token: used }),
    { ...state, serviceTokens: HashMap.set(state.serviceTokens, used.id, used) }
  ]
}
