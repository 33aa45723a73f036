/**
 * Machine identities: one constructor for each auth method. `Credential` exports them.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { InvalidCredentialError } from "../model/InfisicalError.js"
import type { JwtMethod, Login, SignedAliCloudRequest, SignedAwsRequest, SignedOciRequest } from "./login.js"
import { checkId, checkOrganizationSlug, checkText } from "./login.js"

/**
 * A machine identity, which logs in for an access token whenever it needs one.
 *
 * @since 0.1.0
 * @category models
 */
export interface MachineIdentity {
  readonly _tag: "MachineIdentity"
  /** The method and the id of the client or the identity, which are not secret. */
  readonly id: string
  /** The content of a login. It runs at each login, so that a rotated credential is read again. */
  readonly login: Effect.Effect<Login, InvalidCredentialError>
  /** The secret part that is the same at each login, if there is one. */
  readonly secret: Option.Option<Redacted.Redacted<string>>
}

/**
 * The option that every login has.
 *
 * @since 0.1.0
 * @category models
 */
export interface OrganizationOptions {
  /**
   * The slug of the sub-organization to log in to. Default: the organization that the identity belongs to. A server
   * before 2025 ignores it.
   */
  readonly organizationSlug?: string | undefined
}

/**
 * A machine identity that logs in by Universal Auth.
 *
 * Fails with `InvalidCredentialError` if a part is empty.
 *
 * @example
 * ```ts
 * import { Credential } from "effect-infisical"
 * import { Redacted } from "effect"
 *
 * const credential = Credential.universalAuth({
 *   clientId: "<client id>",
 *   clientSecret: Redacted.make("<client secret>")
 * })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const universalAuth = (
  options: OrganizationOptions & {
    readonly clientId: string
    readonly clientSecret: Redacted.Redacted<string>
  }
): Effect.Effect<MachineIdentity, InvalidCredentialError> =>
  Effect.gen(function*() {
    const clientId = yield* checkId("client id", options.clientId)
    const clientSecret = yield* checkText("client secret", options.clientSecret)
    const organization = yield* checkOrganizationSlug(options.organizationSlug)
    return machineIdentity({
      id: `universal-auth ${clientId}`,
      login: Effect.succeed({ method: "universal-auth", clientId, clientSecret, ...organization }),
      secret: Option.some(clientSecret)
    })
  })

/**
 * A machine identity that logs in with a JWT that another service signed, by the auth method that the identity has.
 *
 * The JWT may be an effect, for example one that reads it from a file. It runs at each login. No part of it stays the
 * same, so sealed snapshots require the option `sealingKey`.
 *
 * Fails with `InvalidCredentialError` if the identity's id is empty. A login fails with it if the JWT is.
 *
 * @since 0.1.0
 * @category constructors
 */
export const jwt = (
  options: OrganizationOptions & {
    readonly method: JwtMethod
    readonly identityId: string
    readonly jwt: Redacted.Redacted<string> | Effect.Effect<Redacted.Redacted<string>, InvalidCredentialError>
  }
): Effect.Effect<MachineIdentity, InvalidCredentialError> =>
  identityWith(options.method, options, (identity) => {
    const read = Redacted.isRedacted(options.jwt) ? Effect.succeed(options.jwt) : options.jwt
    return Effect.map(
      Effect.flatMap(read, (jwt) => checkText("jwt", jwt)),
      (jwt) => ({ method: options.method, ...identity, jwt })
    )
  })

/**
 * A machine identity that logs in by SPIFFE, with a JWT-SVID. Servers have it from 2026 on.
 *
 * A JWT-SVID lives for minutes, so give it as an effect: it runs at each login. On Node, `JwtFile.read` reads the file
 * that `spiffe-helper` keeps up to date. Sealed snapshots require the option `sealingKey`.
 *
 * Fails as `jwt` does.
 *
 * @since 0.1.0
 * @category constructors
 */
export const spiffeAuth = (
  options: OrganizationOptions & {
    readonly identityId: string
    readonly jwt: Redacted.Redacted<string> | Effect.Effect<Redacted.Redacted<string>, InvalidCredentialError>
  }
): Effect.Effect<MachineIdentity, InvalidCredentialError> => jwt({ ...options, method: "spiffe-auth" })

/**
 * A machine identity that logs in by LDAP.
 *
 * Sealed snapshots require the option `sealingKey`: a key that is derived from a password can be guessed.
 *
 * Fails with `InvalidCredentialError` if a part is empty.
 *
 * @since 0.1.0
 * @category constructors
 */
export const ldapAuth = (
  options: OrganizationOptions & {
    readonly identityId: string
    readonly username: string
    readonly password: Redacted.Redacted<string>
  }
): Effect.Effect<MachineIdentity, InvalidCredentialError> =>
  Effect.gen(function*() {
    const { password, username } = options
    const identityId = yield* checkId("identity id", options.identityId)
    yield* checkId("username", username)
    if (Redacted.value(password) === "") {
      return yield* new InvalidCredentialError({ part: "password", problem: "is empty" })
    }
    const organization = yield* checkOrganizationSlug(options.organizationSlug)
    return machineIdentity({
      id: `ldap-auth ${identityId} ${username}`,
      login: Effect.succeed({ method: "ldap-auth", identityId, username, password, ...organization }),
      // A key that is derived from a password would let everyone who gets a sealed file guess the password.
      secret: Option.none()
    })
  })

/**
 * A machine identity that logs in by the client certificate of the TLS connection. Servers have it from 2025 on.
 *
 * The `HttpClient` presents the certificate: on Node by `TlsCertificate.layer` of `effect-infisical-node`. The proxy in
 * front of Infisical must hand the certificate on. Sealed snapshots require the option `sealingKey`.
 *
 * Fails with `InvalidCredentialError` if the identity's id is empty.
 *
 * @since 0.1.0
 * @category constructors
 */
export const tlsCertificate = (
  options: OrganizationOptions & { readonly identityId: string }
): Effect.Effect<MachineIdentity, InvalidCredentialError> =>
  identityWith("tls-cert-auth", options, (identity) => Effect.succeed({ method: "tls-cert-auth", ...identity }))

/**
 * A machine identity that logs in by AWS IAM, with a signed `GetCallerIdentity`. `AwsAuth` of `effect-infisical-node`
 * signs.
 *
 * `sign` runs at each login. Sealed snapshots require the option `sealingKey`.
 *
 * Fails with `InvalidCredentialError` if the identity's id is empty.
 *
 * @since 0.1.0
 * @category constructors
 */
export const awsAuth = (
  options: OrganizationOptions & {
    readonly identityId: string
    readonly sign: Effect.Effect<SignedAwsRequest, InvalidCredentialError>
  }
): Effect.Effect<MachineIdentity, InvalidCredentialError> =>
  identityWith(
    "aws-auth",
    options,
    (identity) => Effect.map(options.sign, (signed) => ({ ...signed, method: "aws-auth", ...identity }))
  )

/**
 * A machine identity that logs in by OCI, with a signed request for its user. `OciAuth` of `effect-infisical-node`
 * signs. Servers have it from 2025 on.
 *
 * `sign` runs at each login. Sealed snapshots require the option `sealingKey`.
 *
 * Fails with `InvalidCredentialError` if the identity's id is empty.
 *
 * @since 0.1.0
 * @category constructors
 */
export const ociAuth = (
  options: OrganizationOptions & {
    readonly identityId: string
    readonly sign: Effect.Effect<SignedOciRequest, InvalidCredentialError>
  }
): Effect.Effect<MachineIdentity, InvalidCredentialError> =>
  identityWith(
    "oci-auth",
    options,
    (identity) => Effect.map(options.sign, (signed) => ({ ...signed, method: "oci-auth", ...identity }))
  )

/**
 * A machine identity that logs in by Alibaba Cloud, with a signed `GetCallerIdentity`. `AliCloudAuth` of
 * `effect-infisical-node` signs. Servers have it from 2025 on.
 *
 * `sign` runs at each login. Sealed snapshots require the option `sealingKey`.
 *
 * Fails with `InvalidCredentialError` if the identity's id is empty.
 *
 * @since 0.1.0
 * @category constructors
 */
export const aliCloudAuth = (
  options: OrganizationOptions & {
    readonly identityId: string
    readonly sign: Effect.Effect<SignedAliCloudRequest, InvalidCredentialError>
  }
): Effect.Effect<MachineIdentity, InvalidCredentialError> =>
  identityWith(
    "alicloud-auth",
    options,
    (identity) => Effect.map(options.sign, (signed) => ({ ...signed, method: "alicloud-auth", ...identity }))
  )

/**
 * A machine identity with a login of your own. The effect runs at each login.
 *
 * @since 0.1.0
 * @category constructors
 */
export const machineIdentity = (options: Omit<MachineIdentity, "_tag">): MachineIdentity => ({
  _tag: "MachineIdentity",
  ...options,
  login: Effect.map(options.login, (login): Login => Data.struct(login))
})

/** A machine identity that is named by its id, and has no secret that stays the same. */
const identityWith = (
  method: Login["method"],
  options: OrganizationOptions & { readonly identityId: string },
  login: (
    identity: { readonly identityId: string; readonly organizationSlug?: string }
  ) => Effect.Effect<Login, InvalidCredentialError>
): Effect.Effect<MachineIdentity, InvalidCredentialError> =>
  Effect.zipWith(
    checkId("identity id", options.identityId),
    checkOrganizationSlug(options.organizationSlug),
    (identityId, organization) =>
      machineIdentity({
        id: `${method} ${identityId}`,
        login: login({ identityId, ...organization }),
        secret: Option.none()
      })
  )
