/**
 * A session on a token that we were given. There is no other token, so a refused one is offered again after a pause that
 * grows: a mistaken refusal heals, and a right one costs next to nothing.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import type * as Scope from "effect/Scope"
import type * as InfisicalApi from "../api/InfisicalApi.js"
import type * as Credential from "../config/Credential.js"
import type * as InfisicalConfig from "../config/InfisicalConfig.js"
import type * as Crypto from "../crypto/Crypto.js"
import { AuthenticationError, DecryptError } from "../model/InfisicalError.js"
import type { Access, LoginError, Use } from "./access.js"
import * as Flight from "./flight.js"
import { isRefused } from "./refusal.js"
import * as State from "./tokenState.js"

type Given = Exclude<Credential.Credential, Credential.MachineIdentity>

export const make = (
  credential: Given,
  config: InfisicalConfig.Service,
  api: InfisicalApi.Service,
  crypto: Crypto.Service
): Effect.Effect<Use, never, Scope.Scope> =>
  Effect.gen(function*() {
    const state = yield* Ref.make(State.initial)
    const flights = yield* Flight.makeFlights(
      credential._tag === "ServiceTokenV3" ? projectKeyEndpoint : serviceTokenEndpoint
    )
    yield* Effect.addFinalizer(() =>
      Effect.flatMap(
        Ref.getAndUpdate(state, State.released),
        ({ flight }) => Effect.zipRight(Flight.release(flight), flights.close)
      )
    )

    const remember = (startedAfter: number) => (error: LoginError) =>
      isRefused(error)
        ? Effect.flatMap(
          Clock.currentTimeMillis,
          (now) => Ref.update(state, (state) => State.refused(state, now, error, startedAfter))
        )
        : Effect.void

    const open = (flight: State.AccessFlight): Effect.Effect<Access, LoginError> =>
      Effect.flatMap(Ref.get(state), (known) =>
        openProject(credential, config, api, crypto).pipe(
          Effect.tap((access) => Ref.update(state, (state) => State.opened(state, access))),
          Effect.tap(() => config.logDebug("Logged in to Infisical")),
          Effect.tapError(remember(State.refusals(known)))
        )).pipe(Effect.ensuring(Ref.update(state, (state) => State.ended(state, flight))))

    const acquire = flights.follow<Access, LoginError>(
      (flight) =>
        Effect.flatMap(
          Clock.currentTimeMillis,
          (now) => Ref.modify(state, (state) => State.acquire(state, now, flight))
        ),
      open
    )

    return (request) =>
      Effect.flatMap(acquire, (access) =>
        Effect.flatMap(Ref.get(state), (known) =>
          request(access).pipe(
            Effect.tap(() => Option.isSome(known.refusal) ? Ref.update(state, State.accepted) : Effect.void),
            Effect.tapError((error) =>
              error instanceof AuthenticationError ? remember(State.refusals(known))(error) : Effect.void
            )
          )))
  })
const serviceTokenEndpoint = "GET /api/v2/service-token"
const projectKeyEndpoint = "GET /api/v3/service-token/me/key"

/** Finds out the project of the token and, if the token has a key part, decrypts the project key. */
const openProject = (
  credential: Given,
  config: InfisicalConfig.Service,
  api: InfisicalApi.Service,
  crypto: Crypto.Service
): Effect.Effect<Access, LoginError> => {
  const { accessToken } = credential
  const withoutKey = (projectId: string): Access => ({ accessToken, projectId, cipher: Option.none() })
  switch (credential._tag) {
    case "AccessToken":
      return Effect.succeed(withoutKey(Option.getOrElse(config.projectId, () => "")))
    case "ServiceToken":
      return Effect.gen(function*() {
        const answer = yield* api.serviceToken.get(accessToken)
        if (Option.isNone(credential.key)) return withoutKey(answer.workspace)
        const { encryptedKey: ciphertext, iv, tag } = answer
        if (ciphertext === null || iv === null || tag === null) {
          return yield* new DecryptError({
            subject: "project key",
            problem: "the service token was created without a key"
          })
        }
        const tokenCipher = yield* crypto.projectCipher(credential.key.value)
        const projectKey = yield* Effect.mapError(tokenCipher.decrypt({ ciphertext, iv, tag }), asProjectKey)
        return {
          accessToken,
          projectId: answer.workspace,
          cipher: Option.some(yield* projectCipher(crypto, Redacted.make(projectKey)))
        }
      })
    case "ServiceTokenV3":
      return Effect.gen(function*() {
        const { key } = yield* api.serviceToken.getKey(accessToken)
        const projectKey = yield* Effect.mapError(
          crypto.openBox({
            ciphertext: key.encryptedKey,
            nonce: key.nonce,
            publicKey: key.publicKey,
            privateKey: credential.privateKey
          }),
          asProjectKey
        )
        return {
          accessToken,
          projectId: key.workspace,
          cipher: Option.some(yield* projectCipher(crypto, projectKey))
        }
      })
  }
}

const asProjectKey = ({ problem }: DecryptError) => new DecryptError({ subject: "project key", problem })

const projectCipher = (crypto: Crypto.Service, projectKey: Redacted.Redacted<string>) =>
  Effect.mapError(
    crypto.projectCipher(projectKey),
    () => new DecryptError({ subject: "project key", problem: "it is not a key of 32 bytes" })
  )
