/** A session of a machine identity, which logs in for its access tokens. The rules are those of `identityState`. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import type * as Scope from "effect/Scope"
import { endAfter } from "../api/deadline.js"
import type * as InfisicalApi from "../api/InfisicalApi.js"
import type { AccessTokenAnswer } from "../api/wire/authentication.js"
import type * as Credential from "../config/Credential.js"
import type * as InfisicalConfig from "../config/InfisicalConfig.js"
import { AuthenticationError, InvalidCredentialError, UnexpectedResponseError } from "../model/InfisicalError.js"
import type { Access, LoginError, Use } from "./access.js"
import type { AccessToken } from "./accessToken.js"
import * as Token from "./accessToken.js"
import * as Flight from "./flight.js"
import * as State from "./identityState.js"
import { isRefused } from "./refusal.js"

export const make = (
  credential: Credential.MachineIdentity,
  config: InfisicalConfig.Service,
  api: InfisicalApi.Service
): Effect.Effect<Use, never, Scope.Scope> =>
  Effect.gen(function*() {
    const store = makeStore(yield* Ref.make(State.initial))
    const revoke = makeRevoke(config, api)
    const run = makeRun(store, credential, config, api, revoke)
    const flights = yield* Flight.makeFlights("POST /api/v1/auth/:method/login")
    yield* Effect.addFinalizer(() => release(store, config, revoke, flights))

    const acquire = flights.follow<AccessToken, LoginError>(
      (flight) => store.modify((state, now) => State.acquire(state, now, flight)),
      run
    )
    const replace = (refused: AccessToken, error: AuthenticationError) =>
      flights.follow<AccessToken, LoginError>(
        (flight) => store.modify((state, now) => State.report(state, now, flight, refused, error)),
        run
      )

    const projectId = Option.getOrElse(config.projectId, () => "")
    const access = ({ value }: AccessToken): Access => ({ accessToken: value, projectId, cipher: Option.none() })

    return (request) => {
      const attempt = (token: AccessToken) => Effect.zipLeft(request(access(token)), store.accept(token))
      return Effect.flatMap(
        Effect.flatMap(store.ready, Option.match({ onNone: () => acquire, onSome: Effect.succeed })),
        (first) =>
          Effect.catchIf(
            attempt(first),
            (error) => error instanceof AuthenticationError,
            (error) => Effect.flatMap(replace(first, error), attempt)
          )
      )
    }
  })

/** The state, changed at the current time. */
interface Store {
  readonly modify: <A>(f: (state: State.State, now: number) => readonly [A, State.State]) => Effect.Effect<A>
  readonly ready: Effect.Effect<Option.Option<AccessToken>>
  readonly accept: (token: AccessToken) => Effect.Effect<void>
}

const makeStore = (state: Ref.Ref<State.State>): Store => ({
  modify: (f) => Effect.flatMap(Clock.currentTimeMillis, (now) => Ref.modify(state, (state) => f(state, now))),
  ready: Effect.flatMap(
    Clock.currentTimeMillis,
    (now) => Effect.map(Ref.get(state), (state) => State.ready(state, now))
  ),
  accept: (token) =>
    Effect.flatMap(
      Ref.get(state),
      (known) =>
        State.isUnconfirmed(known, token) ? Ref.update(state, (state) => State.accepted(state, token)) : Effect.void
    )
})

/** What a flight does: it renews the token if that helps, and otherwise logs in. */
const makeRun = (
  store: Store,
  credential: Credential.MachineIdentity,
  config: InfisicalConfig.Service,
  { authentication }: InfisicalApi.Service,
  revoke: Revoke
) => {
  const update = (f: (state: State.State, now: number) => State.State) =>
    store.modify((state, now) => [undefined, f(state, now)])

  const login = (flight: State.TokenFlight): Effect.Effect<AccessToken, LoginError> =>
    Effect.gen(function*() {
      const offered = yield* readLogin(credential, config)
      const blocked = yield* store.modify((state, now) => [State.blocked(state, now, offered), state])
      if (Option.isSome(blocked)) return yield* Effect.fail(blocked.value)
      const answer = yield* Effect.tapError(
        Effect.flatMap(authentication.login(offered), checkToken(`POST /api/v1/auth/${offered.method}/login`)),
        (error) => update((state, now) => State.loginFailed(state, now, offered, error))
      )
      const token = yield* store.modify((state, now) => {
        const token = Token.fromAnswer(answer, now)
        return [token, State.loggedIn(state, now, flight, token)]
      })
      return yield* Effect.as(config.logDebug("Logged in to Infisical"), token)
    })

  const renew = (flight: State.TokenFlight, token: AccessToken): Effect.Effect<AccessToken, LoginError> =>
    Effect.matchEffect(Effect.flatMap(authentication.renew(token.value), checkToken("POST /api/v1/auth/token/renew")), {
      onFailure: (error) =>
        isRefused(error) ? Effect.zipRight(update(State.renewalRefused), login(flight)) : Effect.fail(error),
      onSuccess: (answer) =>
        Effect.flatMap(
          store.modify((state, now) =>
            State.renewed(state, now, flight, token, Token.fromAnswer(answer, now, Option.some(token)))
          ),
          Option.match({
            onNone: () => login(flight),
            onSome: (renewed) => Effect.as(config.logDebug("Renewed the access token of Infisical"), renewed)
          })
        )
    })

  return (flight: State.TokenFlight): Effect.Effect<AccessToken, LoginError> =>
    store.modify((state, now) => [State.renewable(state, now), state]).pipe(
      Effect.flatMap(Option.match({ onNone: () => login(flight), onSome: (token) => renew(flight, token) })),
      Effect.ensuring(update((state, now) => State.ended(state, now, flight))),
      // Callers do not wait for the revocation.
      Effect.tap((token) => Deferred.succeed(flight.result, token)),
      Effect.tap(() => Effect.flatMap(store.modify(State.trim), revoke))
    )
}

/** Reads what to log in with. The effect is the user's: it may die, interrupt itself, or never end. */
const readLogin = (
  { login }: Credential.MachineIdentity,
  { retry }: InfisicalConfig.Service
): Effect.Effect<Credential.Login, InvalidCredentialError> =>
  endAfter(
    login,
    Duration.toMillis(retry.deadline),
    () => new InvalidCredentialError({ part: "login", problem: "could not be read in time" })
  ).pipe(
    Effect.catchAllCause((cause) =>
      Option.match(Cause.failureOption(cause), {
        onSome: (error) => Effect.fail(error),
        // The defect may quote the credential.
        onNone: () =>
          Effect.zipRight(
            Effect.logWarning(
              "The effect that reads the credential died or was interrupted. It runs again at the next login."
            ),
            new InvalidCredentialError({ part: "login", problem: "could not be read: the effect that reads it died" })
          )
      })
    )
  )

const checkToken =
  (endpoint: string) => (answer: AccessTokenAnswer): Effect.Effect<AccessTokenAnswer, UnexpectedResponseError> =>
    Token.isSendable(answer.accessToken)
      ? Effect.succeed(answer)
      : new UnexpectedResponseError({ endpoint, status: 200, problem: "the access token cannot be sent as a header" })

type Revoke = (tokens: ReadonlyArray<AccessToken>) => Effect.Effect<void>

/** Revokes tokens at the same time. A token that the server refuses is none any more. */
const makeRevoke =
  ({ revokeOnRelease }: InfisicalConfig.Service, { authentication }: InfisicalApi.Service): Revoke => (tokens) =>
    revokeOnRelease
      ? Effect.forEach(
        tokens,
        ({ value }) =>
          Effect.catchAll(authentication.revoke(value), (error) =>
            isRefused(error)
              ? Effect.void
              : Effect.logWarning(`Revoking an access token failed. It expires by itself. ${error.message}`)),
        { concurrency: "unbounded", discard: true }
      )
      : Effect.void

/** A token that cannot be revoked in time expires by itself. */
const release = (
  store: Store,
  config: InfisicalConfig.Service,
  revoke: Revoke,
  flights: Flight.Flights
): Effect.Effect<void> =>
  Effect.gen(function*() {
    const { flight, tokens } = yield* store.modify((state, now) => [
      { flight: state.flight, tokens: State.unrevoked(state, now) },
      State.released(state)
    ])
    yield* Flight.release(flight)
    // A login that is under way brings a token as well.
    const late = Effect.gen(function*() {
      yield* Flight.awaitEnd(flight)
      const all = yield* store.modify((state, now) => [State.unrevoked(state, now), state])
      yield* revoke(all.filter((token) => !tokens.includes(token)))
    })
    if (config.revokeOnRelease) {
      yield* endAfter(
        Effect.all([revoke(tokens), late], { concurrency: 2, discard: true }),
        Math.min(Duration.toMillis(config.requestTimeout), Flight.longestRelease),
        () => "timeout" as const
      ).pipe(
        Effect.catchAll(() =>
          Effect.logWarning("Not every access token could be revoked in time. The rest expire by themselves.")
        )
      )
    }
    yield* flights.close
  })
