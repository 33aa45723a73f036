/** Secrets that the client decrypts: `/api/v3/secrets`. */
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import {
  ApprovalAnswer,
  AuthorizationHeaders,
  ConditionalHeaders,
  isArray,
  isNullableArrayOf,
  isNullableNumber,
  isNullableString,
  isTag,
  isVersion,
  NamePath,
  nullable,
  QueryFlag,
  Reminder,
  SecretType,
  Tags,
  Version
} from "./common.js"

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
  /** The project. Empty for imported secrets. */
  workspace: nullable,
  version: Version,
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
  secretPath: nullable,
  tags: Tags,
  ...Reminder
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
  {
    identifier: "EncryptedSecrets",
    // For the API reference of the emulator.
    jsonSchema: { type: "array", items: { type: "object" }, description: "Secrets, each as a read by name gives it" }
  }
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
  return typeof secret.id === "string" && isVersion(secret.version) &&
    (secret.type === "shared" || secret.type === "personal") &&
    typeof secret.secretKeyCiphertext === "string" && typeof secret.secretKeyIV === "string" &&
    typeof secret.secretKeyTag === "string" && typeof secret.secretValueCiphertext === "string" &&
    typeof secret.secretValueIV === "string" && typeof secret.secretValueTag === "string" &&
    isNullableString(secret.secretCommentCiphertext) && isNullableString(secret.secretCommentIV) &&
    isNullableString(secret.secretCommentTag) && isNullableString(secret.workspace) &&
    isNullableString(secret.environment) &&
    isNullableString(secret.secretPath) && isNullableArrayOf(secret.tags, isTag) &&
    isNullableString(secret.secretReminderNote) && isNullableNumber(secret.secretReminderRepeatDays)
}

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
 * @since 0.1.0
 * @category schemas
 */
export const WriteAnswer = Schema.Union(EncryptedSecretAnswer, ApprovalAnswer)

/**
 * @since 0.1.0
 * @category schemas
 */
export const EncryptedBatchAnswer = Schema.Union(Schema.Struct({ secrets: EncryptedSecrets }), ApprovalAnswer)

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

const tagged = {
  /** Ids of tags. */
  tags: Schema.optional(Schema.Array(Schema.String)),
  secretReminderNote: Schema.optional(Schema.NullOr(Schema.String)),
  secretReminderRepeatDays: Schema.optional(Schema.NullOr(Schema.Number))
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
  ...encryptedValue,
  ...tagged
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
  ...encryptedValue,
  ...tagged
})

/**
 * The body of `POST` and `PATCH /api/v3/secrets/batch`: all of it is carried out, or nothing. It must carry the names
 * encrypted, and of a name given twice in one `POST` it makes two rows.
 *
 * @since 0.1.0
 * @category schemas
 */
export const EncryptedBatchPayload = Schema.Struct({
  ...location,
  secrets: Schema.Array(Schema.Struct({
    secretName: Schema.String,
    type: Schema.optional(SecretType),
    ...encryptedName,
    ...encryptedValue,
    ...tagged
  }))
})

/**
 * The body of `DELETE /api/v3/secrets/batch`.
 *
 * @since 0.1.0
 * @category schemas
 */
export const EncryptedBatchDeletePayload = Schema.Struct({
  ...location,
  secrets: Schema.Array(Schema.Struct({ secretName: Schema.String, type: Schema.optional(SecretType) }))
})

/**
 * The body of `DELETE /api/v3/secrets/:secretName`.
 *
 * @since 0.1.0
 * @category schemas
 */
export const DeleteSecretPayload = Schema.Struct({ ...location, type: Schema.optional(SecretType) })

export const encryptedSecrets = HttpApiGroup.make("encryptedSecrets")
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
      .setHeaders(ConditionalHeaders)
      .setPath(NamePath)
      .setUrlParams(Schema.Struct({
        ...location,
        type: Schema.optional(SecretType),
        include_imports: Schema.optional(QueryFlag),
        version: Schema.optional(Schema.NumberFromString)
      }))
      .addSuccess(EncryptedSecretAnswer)
      .addSuccess(HttpApiSchema.Empty(304))
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
  .add(
    HttpApiEndpoint.post("createSecrets", "/api/v3/secrets/batch")
      .setHeaders(AuthorizationHeaders)
      .setPayload(EncryptedBatchPayload)
      .addSuccess(EncryptedBatchAnswer)
  )
  .add(
    HttpApiEndpoint.patch("updateSecrets", "/api/v3/secrets/batch")
      .setHeaders(AuthorizationHeaders)
      .setPayload(EncryptedBatchPayload)
      .addSuccess(EncryptedBatchAnswer)
  )
  .add(
    HttpApiEndpoint.del("deleteSecrets", "/api/v3/secrets/batch")
      .setHeaders(AuthorizationHeaders)
      .setPayload(EncryptedBatchDeletePayload)
      .addSuccess(EncryptedBatchAnswer)
  )
