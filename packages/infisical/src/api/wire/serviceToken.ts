/** What a service token opens. */
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as Schema from "effect/Schema"
import { AuthorizationHeaders } from "./common.js"

/**
 * `GET /api/v2/service-token`: the project key, encrypted with the key part of the token.
 *
 * @since 0.1.0
 * @category schemas
 */
export const ServiceTokenAnswer = Schema.Struct({
  id: Schema.String,
  projectId: Schema.optional(Schema.String),
  workspace: Schema.String,
  encryptedKey: Schema.NullOr(Schema.String),
  iv: Schema.NullOr(Schema.String),
  tag: Schema.NullOr(Schema.String),
  expiresAt: Schema.optional(Schema.NullOr(Schema.String)),
  permissions: Schema.Array(Schema.String),
  scopes: Schema.Array(Schema.Struct({ environment: Schema.String, secretPath: Schema.String }))
})

/**
 * `GET /api/v3/service-token/me/key`: the project key in a NaCl box for the token's private key.
 *
 * @since 0.1.0
 * @category schemas
 */
export const ServiceTokenKeyAnswer = Schema.Struct({
  key: Schema.Struct({
    id: Schema.String,
    workspace: Schema.String,
    encryptedKey: Schema.String,
    publicKey: Schema.String,
    nonce: Schema.String
  })
})

export const serviceToken = HttpApiGroup.make("serviceToken")
  .add(
    HttpApiEndpoint.get("getServiceToken", "/api/v2/service-token")
      .setHeaders(AuthorizationHeaders)
      .addSuccess(ServiceTokenAnswer)
  )
  .add(
    HttpApiEndpoint.get("getServiceTokenKey", "/api/v3/service-token/me/key")
      .setHeaders(AuthorizationHeaders)
      .addSuccess(ServiceTokenKeyAnswer)
  )
