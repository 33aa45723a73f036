/**
 * Proves the client's identity to Infisical. Parsed before any request, redacted from the start.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { InvalidCredentialError } from "../model/InfisicalError.js"
import { claimsOf } from "../support/jwt.js"
import { checkOrganizationSlug, checkText } from "./login.js"
import type { MachineIdentity, OrganizationOptions } from "./machineIdentity.js"
import { parseServiceToken, parseServiceTokenV3 } from "./serviceToken.js"

/**
 * A service token (v2), `st.<id>.<secret>.<key>`, for one project and some of its environments. Without its key part it
 * reads what the server decrypts.
 *
 * @since 0.1.0
 * @category models
 */
export interface ServiceToken {
  readonly _tag: "ServiceToken"
  /** The token's id, which is no secret. */
  readonly id: string
  /** What is sent: `st.<id>.<secret>`. */
  readonly accessToken: Redacted.Redacted<string>
  /** Opens the project key; never leaves the process. 32 characters, used as text. */
  readonly key: Option.Option<Redacted.Redacted<string>>
}

/**
 * A service token v3 (beta, 2023): JSON of `publicKey`, `privateKey` and `serviceToken`.
 *
 * Servers from 2024 on no longer admit it.
 *
 * @since 0.1.0
 * @category models
 */
export interface ServiceTokenV3 {
  readonly _tag: "ServiceTokenV3"
  /** The token's public key, which is no secret and one of its own. */
  readonly id: string
  /** What is sent: `serviceToken`. */
  readonly accessToken: Redacted.Redacted<string>
  /** Opens the project key; never leaves the process. Base64 of 32 bytes (X25519). */
  readonly privateKey: Redacted.Redacted<string>
}

/**
 * An access token from elsewhere: from Token Auth, or from a login of a machine identity or a user. It is used as it is,
 * never renewed and never revoked.
 *
 * @since 0.1.0
 * @category models
 */
export interface AccessToken {
  readonly _tag: "AccessToken"
  readonly id: string
  readonly accessToken: Redacted.Redacted<string>
  /** The slug of the sub-organization that requests are for, sent as `x-infisical-org`. Default: that of the token. */
  readonly organizationSlug?: string
}

export type { JwtMethod, Login, SignedAliCloudRequest, SignedAwsRequest, SignedOciRequest } from "./login.js"

export {
  aliCloudAuth,
  awsAuth,
  jwt,
  ldapAuth,
  machineIdentity,
  ociAuth,
  spiffeAuth,
  tlsCertificate,
  universalAuth
} from "./machineIdentity.js"

export type { MachineIdentity, OrganizationOptions } from "./machineIdentity.js"

/**
 * Any credential.
 *
 * @since 0.1.0
 * @category models
 */
export type Credential = ServiceToken | ServiceTokenV3 | AccessToken | MachineIdentity

/**
 * Parses a service token: `st.<id>.<secret>.<key>`, the same without its key part, or the JSON of a service token v3.
 * Space around it is ignored.
 *
 * Fails with `InvalidCredentialError`, which names the part that is wrong and quotes nothing of it.
 *
 * @example
 * ```ts
 * import { Credential } from "effect-infisical"
 * import { Config, Effect } from "effect"
 *
 * const credential = Effect.flatMap(Config.redacted("INFISICAL_TOKEN"), Credential.serviceToken)
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const serviceToken = (
  token: Redacted.Redacted<string>
): Effect.Effect<ServiceToken | ServiceTokenV3, InvalidCredentialError> =>
  // Not before it is run: an effect that holds the parts shows them when it is printed.
  Effect.suspend((): Effect.Effect<ServiceToken | ServiceTokenV3, InvalidCredentialError> => {
    const text = Redacted.value(token).trim()
    return text.startsWith("{") ? parseServiceTokenV3(text) : parseServiceToken(text)
  })

/**
 * An access token from elsewhere. Space around it is ignored. Its requests carry `organizationSlug` as the header
 * `x-infisical-org`.
 *
 * Fails with `InvalidCredentialError` if the token cannot be sent as a header, or if the slug is malformed.
 *
 * @since 0.1.0
 * @category constructors
 */
export const accessToken = (
  token: Redacted.Redacted<string>,
  options: OrganizationOptions = {}
): Effect.Effect<AccessToken, InvalidCredentialError> =>
  Effect.zipWith(
    checkText("access token", token),
    checkOrganizationSlug(options.organizationSlug),
    (accessToken, organization) => ({ _tag: "AccessToken", id: "access token", accessToken, ...organization })
  )

/**
 * The content of `INFISICAL_TOKEN`: a service token, the JSON of a service token v3, or an access token.
 *
 * Fails with `InvalidCredentialError`, which names the part that is wrong and quotes nothing of it. A service token
 * with an `organizationSlug` is one such error, since the server refuses the two together.
 *
 * @since 0.1.0
 * @category constructors
 */
export const token = (
  token: Redacted.Redacted<string>,
  options: OrganizationOptions = {}
): Effect.Effect<ServiceToken | ServiceTokenV3 | AccessToken, InvalidCredentialError> =>
  Effect.suspend((): Effect.Effect<ServiceToken | ServiceTokenV3 | AccessToken, InvalidCredentialError> => {
    if (!/^\s*(st\.|\{)/.test(Redacted.value(token))) return accessToken(token, options)
    return options.organizationSlug === undefined ? serviceToken(token) : new InvalidCredentialError({
      part: "organization slug",
      problem: "cannot go with a service token, which belongs to one project: unset one of them"
    })
  })

/**
 * The headers that the credential adds to every request.
 *
 * @since 0.1.0
 * @category getters
 */
export const headersOf = (credential: Credential): Readonly<Record<string, Redacted.Redacted<string>>> =>
  credential._tag === "AccessToken" && credential.organizationSlug !== undefined
    ? { "x-infisical-org": Redacted.make(credential.organizationSlug) }
    : {}

/**
 * Whether the credential opens the project key, so that the server need not decrypt.
 *
 * @since 0.1.0
 * @category predicates
 */
export const hasProjectKey = (credential: Credential): boolean =>
  credential._tag === "ServiceTokenV3" || (credential._tag === "ServiceToken" && Option.isSome(credential.key))

/**
 * The secret parts of a credential that never change, to derive keys from that only its holder can derive. None if every
 * part changes.
 *
 * @since 0.1.0
 * @category getters
 */
export const secretOf = (credential: Credential): Option.Option<Redacted.Redacted<string>> => {
  switch (credential._tag) {
    case "MachineIdentity":
      return credential.secret
    case "AccessToken":
      return Option.some(credential.accessToken)
    case "ServiceToken":
      return Option.some(joined([credential.accessToken, ...Option.toArray(credential.key)]))
    case "ServiceTokenV3":
      return Option.some(joined([credential.accessToken, credential.privateKey]))
  }
}

const joined = (parts: ReadonlyArray<Redacted.Redacted<string>>): Redacted.Redacted<string> =>
  Redacted.make(parts.map(Redacted.value).join(" "))

/**
 * The holder of the credential. It stays the same if a token is rotated. For an access token it is the identity or the
 * user that the JWT names. None for an access token that is not a JWT.
 *
 * The JWT's signature is not checked, so this proves nothing. Seals are bound to it in addition to their key.
 *
 * @since 0.1.0
 * @category getters
 */
export const holderOf = (credential: Credential): Option.Option<string> =>
  credential._tag !== "AccessToken"
    ? Option.some(credential.id)
    : Option.flatMap(claimsOf(Redacted.value(credential.accessToken)), ({ identityId, userId }) =>
      typeof identityId === "string"
        ? Option.some(`identity ${identityId}`)
        : typeof userId === "string"
        ? Option.some(`user ${userId}`)
        : Option.none())
