/** Machine identities: logins, and the renewal and revocation of their access tokens. */
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as Schema from "effect/Schema"
import { Seconds } from "./common.js"

/**
 * The response to every login and renewal. Times are in seconds. A token whose `expiresIn` is its `accessTokenMaxTTL`
 * cannot be renewed: a server up to 2025 refuses the renewal and deletes the token.
 *
 * @since 0.1.0
 * @category schemas
 */
export const AccessTokenAnswer = Schema.Struct({
  accessToken: Schema.String,
  expiresIn: Seconds,
  accessTokenMaxTTL: Schema.optional(Schema.NullOr(Seconds)),
  tokenType: Schema.optional(Schema.String)
})

/**
 * @since 0.1.0
 * @category models
 */
export type AccessTokenAnswer = typeof AccessTokenAnswer.Type

/** Every login has it. A server before 2025 ignores it. */
const organization = { organizationSlug: Schema.optional(Schema.String) }

/**
 * The body of a Universal Auth login.
 *
 * @since 0.1.0
 * @category schemas
 */
export const UniversalAuthPayload = Schema.Struct({
  clientId: Schema.String,
  clientSecret: Schema.String,
  ...organization
})

/**
 * The body of a login with a JWT that another service signed.
 *
 * @since 0.1.0
 * @category schemas
 */
export const JwtLoginPayload = Schema.Struct({ identityId: Schema.String, jwt: Schema.String, ...organization })

/**
 * The body of an LDAP login.
 *
 * @since 0.1.0
 * @category schemas
 */
export const LdapLoginPayload = Schema.Struct({
  identityId: Schema.String,
  username: Schema.String,
  password: Schema.String,
  ...organization
})

/**
 * The body of an AWS IAM login: a signed STS `GetCallerIdentity`, its body and headers (as JSON) in base64.
 *
 * @since 0.1.0
 * @category schemas
 */
export const AwsLoginPayload = Schema.Struct({
  identityId: Schema.String,
  iamHttpRequestMethod: Schema.String,
  iamRequestBody: Schema.String,
  iamRequestHeaders: Schema.String,
  ...organization
})

/**
 * The body of an OCI login: the headers of a signed GET of the user.
 *
 * @since 0.1.0
 * @category schemas
 */
export const OciLoginPayload = Schema.Struct({
  identityId: Schema.String,
  userOcid: Schema.String,
  headers: Schema.Struct({
    authorization: Schema.String,
    host: Schema.String,
    "x-date": Schema.optional(Schema.String),
    date: Schema.optional(Schema.String)
  }),
  ...organization
})

/**
 * The body of an Alibaba Cloud login: the parameters of a signed STS `GetCallerIdentity`.
 *
 * @since 0.1.0
 * @category schemas
 */
export const AliCloudLoginPayload = Schema.Struct({
  identityId: Schema.String,
  Action: Schema.Literal("GetCallerIdentity"),
  Format: Schema.Literal("JSON"),
  Version: Schema.String,
  AccessKeyId: Schema.String,
  SignatureMethod: Schema.Literal("HMAC-SHA1"),
  Timestamp: Schema.String,
  SignatureVersion: Schema.Literal("1.0"),
  SignatureNonce: Schema.String,
  SecurityToken: Schema.optionalWith(Schema.String, { exact: true }),
  Signature: Schema.String,
  ...organization
})

/**
 * The body of a login by TLS certificate. The connection presents the certificate.
 *
 * @since 0.1.0
 * @category schemas
 */
export const TlsCertificateLoginPayload = Schema.Struct({ identityId: Schema.String, ...organization })

/**
 * The body of a renewal, and of a revocation.
 *
 * @since 0.1.0
 * @category schemas
 */
export const AccessTokenPayload = Schema.Struct({ accessToken: Schema.String })

const jwtLogin = <const Name extends string, const Kind extends string>(name: Name, kind: Kind) =>
  HttpApiEndpoint.post(name, `/api/v1/auth/${kind}/login`)
    .setPayload(JwtLoginPayload)
    .addSuccess(AccessTokenAnswer)

export const authentication = HttpApiGroup.make("authentication")
  .add(
    HttpApiEndpoint.post("loginUniversalAuth", "/api/v1/auth/universal-auth/login")
      .setPayload(UniversalAuthPayload)
      .addSuccess(AccessTokenAnswer)
  )
  .add(jwtLogin("loginKubernetesAuth", "kubernetes-auth"))
  .add(jwtLogin("loginGcpAuth", "gcp-auth"))
  .add(jwtLogin("loginAzureAuth", "azure-auth"))
  .add(jwtLogin("loginOidcAuth", "oidc-auth"))
  .add(jwtLogin("loginJwtAuth", "jwt-auth"))
  .add(jwtLogin("loginSpiffeAuth", "spiffe-auth"))
  .add(
    HttpApiEndpoint.post("loginLdapAuth", "/api/v1/auth/ldap-auth/login")
      .setPayload(LdapLoginPayload)
      .addSuccess(AccessTokenAnswer)
  )
  .add(
    HttpApiEndpoint.post("loginAwsAuth", "/api/v1/auth/aws-auth/login")
      .setPayload(AwsLoginPayload)
      .addSuccess(AccessTokenAnswer)
  )
  .add(
    HttpApiEndpoint.post("loginOciAuth", "/api/v1/auth/oci-auth/login")
      .setPayload(OciLoginPayload)
      .addSuccess(AccessTokenAnswer)
  )
  .add(
    HttpApiEndpoint.post("loginAliCloudAuth", "/api/v1/auth/alicloud-auth/login")
      .setPayload(AliCloudLoginPayload)
      .addSuccess(AccessTokenAnswer)
  )
  .add(
    HttpApiEndpoint.post("loginTlsCertificate", "/api/v1/auth/tls-cert-auth/login")
      .setPayload(TlsCertificateLoginPayload)
      .addSuccess(AccessTokenAnswer)
  )
  .add(
    HttpApiEndpoint.post("renewAccessToken", "/api/v1/auth/token/renew")
      .setPayload(AccessTokenPayload)
      .addSuccess(AccessTokenAnswer)
  )
  .add(
    HttpApiEndpoint.post("revokeAccessToken", "/api/v1/auth/token/revoke")
      .setPayload(AccessTokenPayload)
      .addSuccess(Schema.Struct({ message: Schema.optional(Schema.String) }))
  )
