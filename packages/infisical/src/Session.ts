/**
 * From the credential to what opens the project: the access token, the project and its key. One login at a time; a
 * refused credential is remembered and not offered again.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import type * as Scope from "effect/Scope"
import type * as Credential from "./Credential.js"
import * as Crypto from "./Crypto.js"
import * as InfisicalApi from "./InfisicalApi.js"
import * as InfisicalConfig from "./InfisicalConfig.js"
import { AuthenticationError, DecryptError } from "./InfisicalError.js"
import * as SingleFlight from "./internal/singleFlight.js"

/**
 * What a request needs.
 *
 * @since 0.1.0
 * @category models
 */
export interface Access {
  readonly accessToken: Redacted.Redacted<string>
  readonly projectId: string
  /** Opens and seals with the project key. */
  readonly cipher: Crypto.Cipher
}

/**
 * What a login can raise: all that a call can, and `DecryptError` where the key part does not open the project key.
 *
 * @since 0.1.0
 * @category models
 */
export type LoginError = InfisicalApi.ReadCallError | DecryptError

/**
 * The service behind `Session`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /**
   * Runs a request with access, after a login if there was none yet.
   *
   * Once the server has refused the credential, fails with that `AuthenticationError` without asking again.
   */
  readonly use: <A, E>(
    request: (access: Access) => Effect.Effect<A, E>
  ) => Effect.Effect<A, E | LoginError>
}

/**
 * From the credential to what opens the project.
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
  const { credential, logDebug } = yield* InfisicalConfig.InfisicalConfig
  const api = yield* InfisicalApi.InfisicalApi
  const crypto = yield* Crypto.Crypto
  const singleFlight = yield* SingleFlight.make<Access, LoginError>()
  const access = yield* Ref.make(Option.none<Access>())
  const refusal = yield* Ref.make(Option.none<AuthenticationError>())

  const remember = <E>(error: E) =>
    error instanceof AuthenticationError ? Ref.set(refusal, Option.some(error)) : Effect.void

  const login = openProject(credential, api, crypto).pipe(
    Effect.tap((opened) => Ref.set(access, Option.some(opened))),
    Effect.tap(() => logDebug("Logged in to Infisical")),
    Effect.tapError(remember)
  )

  return {
    use: (request) =>
      Effect.gen(function*() {
        const refused = yield* Ref.get(refusal)
        if (Option.isSome(refused)) return yield* refused.value
        const known = yield* Ref.get(access)
        const opened = Option.isSome(known) ? known.value : yield* singleFlight("login", login)
        return yield* Effect.tapError(request(opened), remember)
      })
  }
})

/**
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<
  Session,
  never,
  Crypto.Crypto | InfisicalApi.InfisicalApi | InfisicalConfig.InfisicalConfig
> = Layer.scoped(Session, make)

const openProject = (
  credential: Credential.Credential,
  api: InfisicalApi.Service,
  crypto: Crypto.Service
): Effect.Effect<Access, LoginError> => {
  switch (credential._tag) {
    case "ServiceToken":
      return Effect.gen(function*() {
        const answer = yield* api.getServiceToken(credential.accessToken)
        const { encryptedKey: ciphertext, iv, tag } = answer
        if (ciphertext === null || iv === null || tag === null) {
          return yield* new DecryptError({
            subject: "project key",
            problem: "the service token was made without one"
          })
        }
        const tokenCipher = yield* crypto.projectCipher(credential.key)
        const projectKey = yield* Effect.mapError(tokenCipher.decrypt({ ciphertext, iv, tag }), asProjectKey)
        return {
          accessToken: credential.accessToken,
          projectId: answer.workspace,
          cipher: yield* projectCipher(crypto, Redacted.make(projectKey))
        }
      })
    case "ServiceTokenV3":
      return Effect.gen(function*() {
        const { key } = yield* api.getServiceTokenKey(credential.accessToken)
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
          accessToken: credential.accessToken,
          projectId: key.workspace,
          cipher: yield* projectCipher(crypto, projectKey)
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
