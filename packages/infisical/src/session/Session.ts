/**
 * From the credential to what a request needs: an access token and, if this process decrypts, the project key.
 *
 * One login at a time. Access tokens are replaced before they expire, or once the server refuses one; then the request
 * is repeated. A token is renewed only if that helps. A refused login is not offered again until its content changes; if
 * the identity is locked, until the lockout ends. A refused token that we were given is offered again after a pause that
 * grows from 10 seconds to 10 minutes.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as InfisicalApi from "../api/InfisicalApi.js"
import * as InfisicalConfig from "../config/InfisicalConfig.js"
import * as Crypto from "../crypto/Crypto.js"
import type * as Internal from "./access.js"
import * as IdentitySession from "./identitySession.js"
import * as TokenSession from "./tokenSession.js"

/**
 * What a request needs.
 *
 * @since 0.1.0
 * @category models
 */
export interface Access extends Internal.Access {
  readonly accessToken: Redacted.Redacted<string>
  readonly projectId: string
  /** Encrypts and decrypts with the project key, if the credential has it. */
  readonly cipher: Option.Option<Crypto.Cipher>
}

/**
 * What a login can raise: all that a call can; `DecryptError` if the key part does not decrypt the project key;
 * `InvalidCredentialError` if the credential cannot be read.
 *
 * @since 0.1.0
 * @category models
 */
export type LoginError = Internal.LoginError

/**
 * The service behind `Session`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /**
   * Runs a request with access, after a login if one is needed. If the server refuses the access token and another one
   * can be had, runs the request once more with that.
   *
   * While a refused credential is not offered again, fails with the `AuthenticationError` of that refusal.
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
 * A session that logs in at its first use. Logins and renewals run with the context of this effect, not with that of the
 * callers who wait for them.
 *
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
  const use = yield* credential._tag === "MachineIdentity"
    ? IdentitySession.make(credential, config, api)
    : TokenSession.make(credential, config, api, crypto)
  return { use }
})

/**
 * The session of the configured credential.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (): Layer.Layer<
  Session,
  never,
  Crypto.Crypto | InfisicalApi.InfisicalApi | InfisicalConfig.InfisicalConfig
> => Layer.scoped(Session, make)
