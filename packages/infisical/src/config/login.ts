/** The content of a login, for each auth method of a machine identity. `Credential` exports these types. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { InvalidCredentialError } from "../model/InfisicalError.js"

/**
 * What one login sends. Two logins with the same content are equal.
 *
 * @since 0.1.0
 * @category models
 */
export type Login = MethodLogin & {
  /**
   * The slug of the sub-organization that the access token is for. Default: the organization that the identity belongs
   * to. A server before 2025 ignores it.
   */
  readonly organizationSlug?: string
}

type MethodLogin =
  | {
    readonly method: "universal-auth"
    readonly clientId: string
    readonly clientSecret: Redacted.Redacted<string>
  }
  | {
    readonly method: JwtMethod
    readonly identityId: string
    readonly jwt: Redacted.Redacted<string>
  }
  | {
    readonly method: "ldap-auth"
    readonly identityId: string
    readonly username: string
    readonly password: Redacted.Redacted<string>
  }
  | {
    readonly method: "tls-cert-auth"
    readonly identityId: string
  }
  | ({ readonly method: "aws-auth"; readonly identityId: string } & SignedAwsRequest)
  | ({ readonly method: "oci-auth"; readonly identityId: string } & SignedOciRequest)
  | ({ readonly method: "alicloud-auth"; readonly identityId: string } & SignedAliCloudRequest)

interface Signed {
  /**
   * The credentials that signed. They are never sent. They tell a new signature from new credentials, so that refused
   * credentials are not offered again.
   */
  readonly signedWith?: Redacted.Redacted<string>
}

/**
 * A signed `GetCallerIdentity` of AWS STS.
 *
 * @since 0.1.0
 * @category models
 */
export interface SignedAwsRequest extends Signed {
  readonly iamHttpRequestMethod: string
  /** The body, in base64. */
  readonly iamRequestBody: string
  /** The headers as JSON, in base64. They have the signature. */
  readonly iamRequestHeaders: Redacted.Redacted<string>
}

/**
 * A signed `GET https://identity.<region>.oraclecloud.com/20160918/users/<userOcid>`.
 *
 * @since 0.1.0
 * @category models
 */
export interface SignedOciRequest extends Signed {
  /** The OCID of the user that signed. */
  readonly userOcid: string
  /** The header `host`, such as `identity.eu-frankfurt-1.oraclecloud.com`. */
  readonly host: string
  /** The header `date`, as in RFC 9110. */
  readonly date: string
  /** The header `authorization`, which has the signature. */
  readonly authorization: Redacted.Redacted<string>
}

/**
 * A signed `GetCallerIdentity` of Alibaba Cloud's STS, by the RPC signature: `HMAC-SHA1`, version 1.0, format `JSON`.
 *
 * @since 0.1.0
 * @category models
 */
export interface SignedAliCloudRequest extends Signed {
  readonly accessKeyId: string
  /** The version of the STS API, for example `2015-04-01`. */
  readonly version: string
  /** In UTC, `YYYY-MM-DDTHH:mm:ssZ`. */
  readonly timestamp: string
  readonly signatureNonce: string
  /** The token of temporary credentials, which is signed as well. */
  readonly securityToken?: Redacted.Redacted<string> | undefined
  readonly signature: Redacted.Redacted<string>
}

/**
 * The logins with a JWT that another service signed.
 *
 * @since 0.1.0
 * @category models
 */
export type JwtMethod = "kubernetes-auth" | "gcp-auth" | "azure-auth" | "oidc-auth" | "jwt-auth" | "spiffe-auth"

/** The slug of a sub-organization, as the server accepts it. */
export const checkOrganizationSlug = (
  slug: string | undefined
): Effect.Effect<{ readonly organizationSlug?: string }, InvalidCredentialError> => {
  if (slug === undefined) return Effect.succeed({})
  const trimmed = slug.trim()
  return /^[0-9A-Za-z]+(?:[-_][0-9A-Za-z]+)*$/.test(trimmed)
    ? Effect.succeed({ organizationSlug: trimmed })
    : new InvalidCredentialError({
      part: "organization slug",
      problem: trimmed === "" ? "is empty" : "must be letters and digits, with single dashes between them"
    })
}

/** An id without the space around it. */
export const checkId = (part: string, id: string): Effect.Effect<string, InvalidCredentialError> =>
  id.trim() === "" ? Effect.fail(new InvalidCredentialError({ part, problem: "is empty" })) : Effect.succeed(id.trim())

/** Secret text that can be sent, without the space around it. */
export const checkText = (
  part: string,
  text: Redacted.Redacted<string>
): Effect.Effect<Redacted.Redacted<string>, InvalidCredentialError> =>
  Effect.suspend(() => {
    const trimmed = Redacted.value(text).trim()
    return /^[\x21-\x7e]+$/.test(trimmed) ? Effect.succeed(Redacted.make(trimmed)) : Effect.fail(
      new InvalidCredentialError({
        part,
        problem: trimmed === "" ? "is empty" : "must be printable characters without spaces"
      })
    )
  })
