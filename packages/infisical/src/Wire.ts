/**
 * The wire: the routes of Infisical's HTTP API that this library speaks, each with the schemas of what is sent and
 * what comes back. One definition, for the client (`InfisicalApi`) and for the emulator.
 *
 * Answers are read tolerantly: unknown fields are dropped, and what some routes or eras leave out is optional. Requests
 * are exact. Failures are not declared here, since Infisical's statuses alone mislead: `InfisicalApi` classifies them.
 *
 * @since 0.1.0
 */
import * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"

/**
 * Whether everyone sees a secret, or only the user who wrote it.
 *
 * @since 0.1.0
 * @category schemas
 */
export const SecretType = Schema.Literal("shared", "personal")

/**
 * @since 0.1.0
 * @category models
 */
export type SecretType = typeof SecretType.Type

const nullable = Schema.optional(Schema.NullOr(Schema.String))

/**
 * One secret as an end-to-end encrypted route gives it: name, value and comment each as AES-256-GCM.
 *
 * A single GET lacks `_id` and `secretPath`; batch answers lack `environment`; a comment may be null, or absent.
 *
 * @since 0.1.0
 * @category schemas
 */
export const EncryptedSecret = Schema.Struct({
  id: Schema.String,
  version: Schema.Number,
  type: SecretType,
  secretKeyCiphertext: Schema.String,
  secretKeyIV: Schema.String,
  secretKeyTag: Schema.String,
  secretValueCiphertext: Schema.String,
  secretValueIV: Schema.String,
  secretValueTag: Schema.String,
  secretCommentCiphertext: nullable,
  secretCommentIV: nullable,
  secretCommentTag: nullable,
  environment: nullable,
  secretPath: nullable
})

/**
 * @since 0.1.0
 * @category models
 */
export type EncryptedSecret = typeof EncryptedSecret.Type

// A list may have thousands of secrets, of which nothing is transformed: once they pass they are taken as they are.
// The schema itself costs thirty times as much, so it is asked only where one fails, for its place. A test holds the
// two against each other.
const EncryptedSecrets = Schema.declare(
  [],
  {
    decode: () => (input, options) =>
      isArray(input) && input.every(isEncryptedSecret) ? ParseResult.succeed(input) : decodeAll(input, options),
    encode: () => ParseResult.encodeUnknown(Schema.Array(EncryptedSecret))
  },
  { identifier: "EncryptedSecrets" }
)

const decodeAll = ParseResult.decodeUnknown(Schema.Array(EncryptedSecret))

/**
 * Whether a value is an `EncryptedSecret`, decided without allocating anything.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isEncryptedSecret = (input: unknown): input is EncryptedSecret => {
  if (typeof input !== "object" || input === null) return false
  const secret: { readonly [field in keyof EncryptedSecret]?: unknown } = input
  return typeof secret.id === "string" && typeof secret.version === "number" &&
    (secret.type === "shared" || secret.type === "personal") &&
    typeof secret.secretKeyCiphertext === "string" && typeof secret.secretKeyIV === "string" &&
    typeof secret.secretKeyTag === "string" && typeof secret.secretValueCiphertext === "string" &&
    typeof secret.secretValueIV === "string" && typeof secret.secretValueTag === "string" &&
    isNullable(secret.secretCommentCiphertext) && isNullable(secret.secretCommentIV) &&
    isNullable(secret.secretCommentTag) && isNullable(secret.environment) && isNullable(secret.secretPath)
}

const isNullable = (input: unknown): boolean => typeof input === "string" || input === null || input === undefined

const isArray = (input: unknown): input is ReadonlyArray<unknown> => Array.isArray(input)

/**
 * The secrets that a folder imports from one other folder, and through it.
 *
 * An import whose source is gone shifts the labels of those after it, so `environment` and `secretPath` inform only.
 *
 * @since 0.1.0
 * @category schemas
 */
export const EncryptedImport = Schema.Struct({
  environment: nullable,
  secretPath: nullable,
  secrets: EncryptedSecrets
})

/**
 * A list: not paginated, in an order that is stable between calls, with imports not merged, in position order.
 *
 * @since 0.1.0
 * @category schemas
 */
export const EncryptedSecretList = Schema.Struct({
  secrets: EncryptedSecrets,
  imports: Schema.optionalWith(Schema.Array(EncryptedImport), { default: () => [], nullable: true })
})

/**
 * @since 0.1.0
 * @category models
 */
export type EncryptedSecretList = typeof EncryptedSecretList.Type

/**
 * @since 0.1.0
 * @category schemas
 */
export const EncryptedSecretAnswer = Schema.Struct({ secret: EncryptedSecret })

/**
 * What a write is answered with where an approval policy covers the path: nothing was written.
 *
 * @since 0.1.0
 * @category schemas
 */
export const ApprovalAnswer = Schema.Struct({ approval: Schema.Struct({ id: Schema.String }) })

/**
 * @since 0.1.0
 * @category schemas
 */
export const WriteAnswer = Schema.Union(EncryptedSecretAnswer, ApprovalAnswer)

/**
 * A name in a URL. It is percent-encoded on the way out; a server's router has decoded it already on the way in.
 *
 * @since 0.1.0
 * @category schemas
 */
export const SecretName = Schema.transform(Schema.String, Schema.String, {
  strict: true,
  decode: (name) => name,
  encode: (name) => encodeURIComponent(name)
})

/**
 * A flag in a query: exactly `true` or `false`, anything else is a validation failure.
 *
 * @since 0.1.0
 * @category schemas
 */
export const QueryFlag = Schema.Literal("true", "false")

/**
 * The bearer token, and for a conditional read the ETag: an exact, single, strong one matches.
 *
 * @since 0.1.0
 * @category schemas
 */
export const AuthorizationHeaders = Schema.Struct({ authorization: Schema.String })

/**
 * @since 0.1.0
 * @category schemas
 */
export const ConditionalHeaders = Schema.Struct({
  authorization: Schema.String,
  "if-none-match": Schema.optional(Schema.String)
})

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

const serviceToken = HttpApiGroup.make("serviceToken")
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

const location = {
  workspaceId: Schema.String,
  environment: Schema.String,
  secretPath: Schema.optional(Schema.String)
}

const encryptedValue = {
  secretValueCiphertext: Schema.String,
  secretValueIV: Schema.String,
  secretValueTag: Schema.String,
  secretCommentCiphertext: Schema.optional(Schema.String),
  secretCommentIV: Schema.optional(Schema.String),
  secretCommentTag: Schema.optional(Schema.String)
}

const encryptedName = {
  secretKeyCiphertext: Schema.String,
  secretKeyIV: Schema.String,
  secretKeyTag: Schema.String
}

/**
 * The body of `POST /api/v3/secrets/:secretName`.
 *
 * @since 0.1.0
 * @category schemas
 */
export const CreateSecretPayload = Schema.Struct({
  ...location,
  type: Schema.optional(SecretType),
  ...encryptedName,
  ...encryptedValue
})

/**
 * The body of `PATCH /api/v3/secrets/:secretName`: it must carry the value, and the `secretKey*` fields only to rename.
 *
 * @since 0.1.0
 * @category schemas
 */
export const UpdateSecretPayload = Schema.Struct({
  ...location,
  type: Schema.optional(SecretType),
  secretName: Schema.optional(Schema.String),
  secretKeyCiphertext: Schema.optional(Schema.String),
  secretKeyIV: Schema.optional(Schema.String),
  secretKeyTag: Schema.optional(Schema.String),
  ...encryptedValue
})

/**
 * The body of `DELETE /api/v3/secrets/:secretName`.
 *
 * @since 0.1.0
 * @category schemas
 */
export const DeleteSecretPayload = Schema.Struct({ ...location, type: Schema.optional(SecretType) })

const NamePath = Schema.Struct({ secretName: SecretName })

const encryptedSecrets = HttpApiGroup.make("encryptedSecrets")
  .add(
    HttpApiEndpoint.get("listSecrets", "/api/v3/secrets")
      .setHeaders(ConditionalHeaders)
      .setUrlParams(Schema.Struct({
        ...location,
        include_imports: Schema.optional(QueryFlag),
        recursive: Schema.optional(QueryFlag)
      }))
      .addSuccess(EncryptedSecretList)
      .addSuccess(HttpApiSchema.Empty(304))
  )
  .add(
    HttpApiEndpoint.get("getSecret", "/api/v3/secrets/:secretName")
      .setHeaders(AuthorizationHeaders)
      .setPath(NamePath)
      .setUrlParams(Schema.Struct({
        ...location,
        type: Schema.optional(SecretType),
        include_imports: Schema.optional(QueryFlag),
        version: Schema.optional(Schema.NumberFromString)
      }))
      .addSuccess(EncryptedSecretAnswer)
  )
  .add(
    HttpApiEndpoint.post("createSecret", "/api/v3/secrets/:secretName")
      .setHeaders(AuthorizationHeaders)
      .setPath(NamePath)
      .setPayload(CreateSecretPayload)
      .addSuccess(WriteAnswer)
  )
  .add(
    HttpApiEndpoint.patch("updateSecret", "/api/v3/secrets/:secretName")
      .setHeaders(AuthorizationHeaders)
      .setPath(NamePath)
      .setPayload(UpdateSecretPayload)
      .addSuccess(WriteAnswer)
  )
  .add(
    HttpApiEndpoint.del("deleteSecret", "/api/v3/secrets/:secretName")
      .setHeaders(AuthorizationHeaders)
      .setPath(NamePath)
      .setPayload(DeleteSecretPayload)
      .addSuccess(WriteAnswer)
  )

/**
 * The API: every route above, in groups.
 *
 * @since 0.1.0
 * @category api
 */
export const api = HttpApi.make("infisical").add(serviceToken).add(encryptedSecrets)
