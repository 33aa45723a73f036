/** Machine identities: logins, and what becomes of the access tokens that they give. */
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as Schema from "effect/Schema"
import { Seconds } from "./common.js"

/**
 * What every login and renewal is answered with; times in seconds. A token whose `expiresIn` is its
 * `accessTokenMaxTTL` cannot be renewed: the server refuses that, and deletes the token.
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

/**
 * The body of a Universal Auth login.
 *
 * @since 0.1.0
 * @category schemas
 */
export const UniversalAuthPayload = Schema.Struct({ clientId: Schema.String, clientSecret: Schema.String })

/**
 * The body of a login with a JWT that somebody else signed.
 *
 * @since 0.1.0
 * @category schemas
 */
export const JwtLoginPayload = Schema.Struct({ identityId: Schema.String, jwt: Schema.String })

/**
 * The body of an LDAP login.
 *
 * @since 0.1.0
 * @category schemas
 */
export const LdapLoginPayload = Schema.Struct({
  identityId: Schema.String,
  username: Schema.String,
  password: Schema.String
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
  iamRequestHeaders: Schema.String
})

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
    HttpApiEndpoint.post("renewAccessToken", "/api/v1/auth/token/renew")
      .setPayload(AccessTokenPayload)
      .addSuccess(AccessTokenAnswer)
  )
  .add(
    HttpApiEndpoint.post("revokeAccessToken", "/api/v1/auth/token/revoke")
      .setPayload(AccessTokenPayload)
      .addSuccess(Schema.Struct({ message: Schema.optional(Schema.String) }))
  )
