/**
 * From the credential to what a request needs: an access token, and where this process decrypts, the project's key.
 *
 * One login at a time, however many wait for it. Access tokens are replaced ahead of their end by the clock, or once the
 * server refuses one, and then the request is made again. A token is renewed only where that can help. What the server
 * refuses to log in is remembered, and not offered again until it is something else; where the identity is only locked,
 * until the lock is over.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import type * as Scope from "effect/Scope"
import * as InfisicalApi from "../api/InfisicalApi.js"
import type * as Credential from "../config/Credential.js"
import * as InfisicalConfig from "../config/InfisicalConfig.js"
import * as Crypto from "../crypto/Crypto.js"
import { AuthenticationError, DecryptError, type InvalidCredentialError } from "../model/InfisicalError.js"
import * as SingleFlight from "../support/singleFlight.js"
import * as AccessToken from "./accessToken.js"

/**
 * What a request needs.
 *
 * @since 0.1.0
 * @category models
 */
export interface Access {
  readonly accessToken: Redacted.Redacted<string>
  readonly projectId: string
  /** Opens and seals with the project key, where the credential has it. */
  readonly cipher: Option.Option<Crypto.Cipher>
}

/**
 * What a login can raise: all that a call can; `DecryptError` where the key part does not open the project key;
 * `InvalidCredentialError` where what to log in with cannot be read.
 *
 * @since 0.1.0
 * @category models
 */
export type LoginError = InfisicalApi.ReadCallError | DecryptError | InvalidCredentialError

/**
 * The service behind `Session`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /**
   * Runs a request with access, after a login if one is needed. Where the server refuses the access token and a new one
   * can be had, runs it once more with that.
   *
   * Once the server has refused the credential, fails with that `AuthenticationError` without asking again.
   */
  readonly use: <A, E>(
    request: (access: Access) => Effect.Effect<A, E>
  ) => Effect.Effect<A, E | LoginError>
}

/**
 * From the credential to what a request needs.
 *
 * @since 0.1.0
 * @category tags
 */
export class Session extends Context.Tag("effect-infisical/Session")<Session, Service>() {}

/**
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<
  Service,
  never,
  Crypto.Crypto | InfisicalApi.InfisicalApi | InfisicalConfig.InfisicalConfig | Scope.Scope
> = Effect.gen(function*() {
  const config = yield* InfisicalConfig.InfisicalConfig
  const api = yield* InfisicalApi.InfisicalApi
  const crypto = yield* Crypto.Crypto
  const { credential } = config
  return yield* credential._tag === "MachineIdentity"
    ? makeIdentitySession(credential, config, api)
    : makeTokenSession(credential, config, api, crypto)
})

/**
 * @since 0.1.0
 * @category layers
 */
export const layer = (): Layer.Layer<
  Session,
  never,
  Crypto.Crypto | InfisicalApi.InfisicalApi | InfisicalConfig.InfisicalConfig
> => Layer.scoped(Session, make)

type Given = Exclude<Credential.Credential, Credential.MachineIdentity>

/** A session on a token that we were given: there is no other one, so what is refused stays refused. */
const makeTokenSession = (
  credential: Given,
  config: InfisicalConfig.Service,
  api: InfisicalApi.Service,
  crypto: Crypto.Service
): Effect.Effect<Service, never, Scope.Scope> =>
  Effect.gen(function*() {
    const singleFlight = yield* SingleFlight.make<Access, LoginError>()
    const access = yield* Ref.make(Option.none<Access>())
    const refusal = yield* Ref.make(Option.none<AuthenticationError>())
    const remember = <E>(error: E) =>
      error instanceof AuthenticationError ? Ref.set(refusal, Option.some(error)) : Effect.void
    const open = openProject(credential, config, api, crypto).pipe(
      Effect.tap((opened) => Ref.set(access, Option.some(opened))),
      Effect.tap(() => config.logDebug("Logged in to Infisical")),
      Effect.tapError(remember)
    )
    return {
      use: (request) =>
        Effect.gen(function*() {
          const refused = yield* Ref.get(refusal)
          if (Option.isSome(refused)) return yield* refused.value
          const known = yield* Ref.get(access)
          const opened = Option.isSome(known) ? known.value : yield* singleFlight("login", open)
          return yield* Effect.tapError(request(opened), remember)
        })
    }
  })

/** What was refused, and until when it is not offered again. */
interface Refusal {
  readonly login: Credential.Login
  readonly error: AuthenticationError
  readonly until: number
}

/** Infisical locks an identity for so long (`wire/` "Credentials"). */
const lockout = Duration.minutes(5)

/** A session of a machine identity, which gets its tokens itself. */
const makeIdentitySession = (
  credential: Credential.MachineIdentity,
  config: InfisicalConfig.Service,
  api: InfisicalApi.Service
): Effect.Effect<Service, never, Scope.Scope> =>
  Effect.gen(function*() {
    const projectId = Option.getOrElse(config.projectId, () => "")
    const singleFlight = yield* SingleFlight.make<AccessToken.AccessToken, LoginError>()
    const current = yield* Ref.make(Option.none<AccessToken.AccessToken>())
    const refusal = yield* Ref.make(Option.none<Refusal>())

    const keep = (token: AccessToken.AccessToken) => Effect.as(Ref.set(current, Option.some(token)), token)

    const login = Effect.gen(function*() {
      const login = yield* credential.login
      const refused = yield* Ref.get(refusal)
      const now = yield* Clock.currentTimeMillis
      if (Option.isSome(refused) && Equal.equals(refused.value.login, login) && now < refused.value.until) {
        return yield* refused.value.error
      }
      const answer = yield* Effect.tapErrorTag(api.authentication.login(login), "AuthenticationError", (error) =>
        Ref.set(
          refusal,
          Option.some({
            login,
            error,
            until: error.reason === "Locked" ? now + Duration.toMillis(lockout) : Number.POSITIVE_INFINITY
          })
        ))
      yield* Ref.set(refusal, Option.none())
      yield* config.logDebug("Logged in to Infisical")
      return yield* Effect.flatMap(AccessToken.minted(answer), keep)
    })

    const renew = (token: AccessToken.AccessToken) =>
      api.authentication.renew(token.value).pipe(
        Effect.flatMap((answer) => AccessToken.renewed(token, answer)),
        Effect.matchEffect({
          // A refused renewal deletes the token; one that brings nothing is none.
          onFailure: (error) => error._tag === "NetworkError" ? error : login,
          onSuccess: (renewed) =>
            AccessToken.isBetter(renewed, token)
              ? Effect.zipRight(config.logDebug("Renewed the access token of Infisical"), keep(renewed))
              : login
        }),
        // The token that we have is still good for a while.
        Effect.catchTag("NetworkError", (error) =>
          Effect.flatMap(
            Clock.currentTimeMillis,
            (now) => now < token.expiresAt ? Effect.succeed(token) : Effect.fail(error)
          ))
      )

    /** A token that is good now, other than the one that was refused. */
    const token = (refused: Option.Option<AccessToken.AccessToken>) =>
      Effect.suspend(() =>
        singleFlight(
          "token",
          Effect.gen(function*() {
            const known = Option.filter(
              yield* Ref.get(current),
              (token) => !Option.contains(refused, token)
            )
            if (Option.isNone(known)) return yield* login
            const now = yield* Clock.currentTimeMillis
            if (now < known.value.replaceAt) return known.value
            return yield* now < known.value.expiresAt && known.value.isRenewable(now)
              ? renew(known.value)
              : unlessStillGood(known.value, login)
          })
        )
      )

    /** Where the server cannot be asked for another one, the token serves to its end. */
    const unlessStillGood = (
      token: AccessToken.AccessToken,
      login: Effect.Effect<AccessToken.AccessToken, LoginError>
    ) =>
      Effect.catchTag(login, "NetworkError", (error) =>
        Effect.flatMap(
          Clock.currentTimeMillis,
          (now) => now < token.expiresAt ? Effect.succeed(token) : Effect.fail(error)
        ))

    const ready = Effect.gen(function*() {
      const known = yield* Ref.get(current)
      const now = yield* Clock.currentTimeMillis
      return Option.isSome(known) && now < known.value.replaceAt ? known.value : yield* token(Option.none())
    })

    if (config.revokeOnRelease) {
      yield* Effect.addFinalizer(() =>
        Effect.flatMap(
          Ref.get(current),
          Option.match({
            onNone: () => Effect.void,
            onSome: ({ value }) =>
              Effect.catchAll(
                api.authentication.revoke(value),
                (error) => Effect.logWarning(`The access token could not be revoked. ${error.message}`)
              )
          })
        )
      )
    }

    const access = ({ value }: AccessToken.AccessToken): Access => ({
      accessToken: value,
      projectId,
      cipher: Option.none()
    })

    return {
      use: (request) =>
        Effect.flatMap(ready, (first) =>
          Effect.catchIf(
            request(access(first)),
            (error) => error instanceof AuthenticationError,
            () => Effect.flatMap(token(Option.some(first)), (second) => request(access(second)))
          ))
    }
  })

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
            problem: "the service token was made without one"
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
    () => new DecryptError({ subject: "project key", problem: "what it holds is no key of 32 bytes" })
  )
