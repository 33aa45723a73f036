/** Secrets that the server decrypts: `/api/v4/secrets`, and before that `/api/v3/secrets/raw`. */
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
  SecretName,
  SecretType,
  Tags,
  Version
} from "./common.js"

/**
 * A pair of a secret's metadata.
 *
 * @since 0.1.0
 * @category schemas
 */
export const MetadataPair = Schema.Struct({
  key: Schema.String,
  value: nullable,
  isEncrypted: Schema.optional(Schema.NullOr(Schema.Boolean))
})

/**
 * One secret as a route gives it on which the server decrypts.
 *
 * Lists of 2024-07 have no tags; a single GET of an imported secret has no `secretPath`. Where `secretValueHidden` is
 * true, `secretValue` is a mask and no value.
 *
 * @since 0.1.0
 * @category schemas
 */
export const DecryptedSecret = Schema.Struct({
  id: Schema.String,
  /** The project. Empty for imported secrets. */
  workspace: nullable,
  version: Version,
  type: SecretType,
  secretKey: Schema.String,
  secretValue: nullable,
  secretComment: nullable,
  secretValueHidden: Schema.optional(Schema.NullOr(Schema.Boolean)),
  environment: nullable,
  secretPath: nullable,
  tags: Tags,
  secretMetadata: Schema.optional(Schema.NullOr(Schema.Array(MetadataPair))),
  ...Reminder
})

/**
 * @since 0.1.0
 * @category models
 */
export type DecryptedSecret = typeof DecryptedSecret.Type

const isMetadataPair = Schema.is(MetadataPair)

/**
 * Whether a value is a `DecryptedSecret`, decided without allocating anything.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isDecryptedSecret = (input: unknown): input is DecryptedSecret => {
  if (typeof input !== "object" || input === null) return false
  const secret: { readonly [field in keyof DecryptedSecret]?: unknown } = input
  return typeof secret.id === "string" && isVersion(secret.version) &&
    (secret.type === "shared" || secret.type === "personal") && typeof secret.secretKey === "string" &&
    isNullableString(secret.secretValue) && isNullableString(secret.secretComment) &&
    (typeof secret.secretValueHidden === "boolean" || secret.secretValueHidden === null ||
      secret.secretValueHidden === undefined) &&
    isNullableString(secret.workspace) && isNullableString(secret.environment) && isNullableString(secret.secretPath) &&
    isNullableArrayOf(secret.tags, isTag) && isNullableArrayOf(secret.secretMetadata, isMetadataPair) &&
    isNullableString(secret.secretReminderNote) && isNullableNumber(secret.secretReminderRepeatDays)
}

// As with `EncryptedSecrets`: the schema is asked only where one of them fails, for its place.
const DecryptedSecrets = Schema.declare(
  [],
  {
    decode: () => (input, options) =>
      isArray(input) && input.every(isDecryptedSecret) ? ParseResult.succeed(input) : decodeAll(input, options),
    encode: () => ParseResult.encodeUnknown(Schema.Array(DecryptedSecret))
  },
  {
    identifier: "DecryptedSecrets",
    // For the API reference of the emulator.
    jsonSchema: { type: "array", items: { type: "object" }, description: "Secrets, each as a read by name gives it" }
  }
)

const decodeAll = ParseResult.decodeUnknown(Schema.Array(DecryptedSecret))

/**
 * The secrets that a folder imports from one other folder, and through it.
 *
 * @since 0.1.0
 * @category schemas
 */
export const DecryptedImport = Schema.Struct({
  environment: nullable,
  secretPath: nullable,
  secrets: DecryptedSecrets
})

/**
 * A list; not paginated, with imports not merged, in position order.
 *
 * @since 0.1.0
 * @category schemas
 */
export const DecryptedSecretList = Schema.Struct({
  secrets: DecryptedSecrets,
  imports: Schema.optionalWith(Schema.Array(DecryptedImport), { default: () => [], nullable: true })
})

/**
 * @since 0.1.0
 * @category models
 */
export type DecryptedSecretList = typeof DecryptedSecretList.Type

/**
 * @since 0.1.0
 * @category schemas
 */
export const DecryptedSecretAnswer = Schema.Struct({ secret: DecryptedSecret })

/**
 * @since 0.1.0
 * @category schemas
 */
export const DecryptedWriteAnswer = Schema.Union(DecryptedSecretAnswer, ApprovalAnswer)

/**
 * @since 0.1.0
 * @category schemas
 */
export const DecryptedBatchAnswer = Schema.Union(Schema.Struct({ secrets: DecryptedSecrets }), ApprovalAnswer)

const place = { environment: Schema.String, secretPath: Schema.optional(Schema.String) }

/** What tells a location from others: v3 says `workspaceId`, v4 `projectId`. */
const v3 = { workspaceId: Schema.String, ...place }
const v4 = { projectId: Schema.String, ...place }

/** Batches of v3 were found by the project's slug alone; later ones take its id, too. */
const v3Batch = { workspaceId: Schema.String, projectSlug: Schema.optional(Schema.String), ...place }

/** Up to v0.158 the flag is `include_imports`, later `includeImports`. Each server drops the one it does not know. */
const imports = {
  include_imports: Schema.optional(QueryFlag),
  includeImports: Schema.optional(QueryFlag)
}

const listQuery = {
  expandSecretReferences: Schema.optional(QueryFlag),
  recursive: Schema.optional(QueryFlag),
  viewSecretValue: Schema.optional(QueryFlag),
  /** Whether a user gets personal secrets, too. v3 lists both always, and drops the flag. */
  includePersonalOverrides: Schema.optional(QueryFlag),
  ...imports,
  /** Separated by commas. */
  tagSlugs: Schema.optional(Schema.String),
  /** `key=KEY,value=VALUE`, several separated by `|`, all of which must match. */
  metadataFilter: Schema.optional(Schema.String)
}

const getQuery = {
  type: Schema.optional(SecretType),
  version: Schema.optional(Schema.NumberFromString),
  expandSecretReferences: Schema.optional(QueryFlag),
  viewSecretValue: Schema.optional(QueryFlag),
  ...imports
}

const annotations = {
  secretComment: Schema.optional(Schema.String),
  tagIds: Schema.optional(Schema.Array(Schema.String)),
  secretMetadata: Schema.optional(Schema.Array(Schema.Struct({ key: Schema.String, value: Schema.String }))),
  secretReminderNote: Schema.optional(Schema.NullOr(Schema.String)),
  secretReminderRepeatDays: Schema.optional(Schema.NullOr(Schema.Number))
}

const created = {
  type: Schema.optional(SecretType),
  secretValue: Schema.String,
  ...annotations
}

const updated = {
  type: Schema.optional(SecretType),
  newSecretName: Schema.optional(Schema.String),
  ...annotations
}

const deleted = { type: Schema.optional(SecretType) }

const createdOfBatch = { secretKey: Schema.String, secretValue: Schema.String, ...annotations }

const updatedOfBatch = {
  secretKey: Schema.String,
  newSecretName: Schema.optional(Schema.String),
  ...annotations
}

const deletedOfBatch = { secretKey: Schema.String, type: Schema.optional(SecretType) }

/**
 * What v4 does in a batch of updates with a name that there is no secret of.
 *
 * @since 0.1.0
 * @category schemas
 */
export const UpdateMode = Schema.Literal("failOnNotFound", "upsert", "ignore")

const list = Schema.Struct({ ...v3, ...listQuery })
const listOfV4 = Schema.Struct({ ...v4, ...listQuery })

export const rawSecrets = HttpApiGroup.make("rawSecrets")
  .add(
    HttpApiEndpoint.get("listRawSecrets", "/api/v3/secrets/raw")
      .setHeaders(ConditionalHeaders)
      .setUrlParams(list)
      .addSuccess(DecryptedSecretList)
      .addSuccess(HttpApiSchema.Empty(304))
  )
  .add(
    HttpApiEndpoint.get("getRawSecret", "/api/v3/secrets/raw/:secretName")
      .setHeaders(ConditionalHeaders)
      .setPath(NamePath)
      .setUrlParams(Schema.Struct({ ...v3, ...getQuery }))
      .addSuccess(DecryptedSecretAnswer)
      .addSuccess(HttpApiSchema.Empty(304))
  )
  .add(
    HttpApiEndpoint.post("createRawSecret", "/api/v3/secrets/raw/:secretName")
      .setHeaders(AuthorizationHeaders)
      .setPath(NamePath)
      .setPayload(Schema.Struct({ ...v3, ...created }))
      .addSuccess(DecryptedWriteAnswer)
  )
  .add(
    HttpApiEndpoint.patch("updateRawSecret", "/api/v3/secrets/raw/:secretName")
      .setHeaders(AuthorizationHeaders)
      .setPath(NamePath)
      .setPayload(Schema.Struct({ ...v3, ...updated, secretValue: Schema.String }))
      .addSuccess(DecryptedWriteAnswer)
  )
  .add(
    HttpApiEndpoint.del("deleteRawSecret", "/api/v3/secrets/raw/:secretName")
      .setHeaders(AuthorizationHeaders)
      .setPath(NamePath)
      .setPayload(Schema.Struct({ ...v3, ...deleted }))
      .addSuccess(DecryptedWriteAnswer)
  )
  .add(
    HttpApiEndpoint.post("createRawSecrets", "/api/v3/secrets/batch/raw")
      .setHeaders(AuthorizationHeaders)
      .setPayload(Schema.Struct({ ...v3Batch, secrets: Schema.Array(Schema.Struct(createdOfBatch)) }))
      .addSuccess(DecryptedBatchAnswer)
  )
  .add(
    HttpApiEndpoint.patch("updateRawSecrets", "/api/v3/secrets/batch/raw")
      .setHeaders(AuthorizationHeaders)
      .setPayload(Schema.Struct({
        ...v3Batch,
        secrets: Schema.Array(Schema.Struct({ ...updatedOfBatch, secretValue: Schema.String }))
      }))
      .addSuccess(DecryptedBatchAnswer)
  )
  .add(
    HttpApiEndpoint.del("deleteRawSecrets", "/api/v3/secrets/batch/raw")
      .setHeaders(AuthorizationHeaders)
      .setPayload(Schema.Struct({ ...v3Batch, secrets: Schema.Array(Schema.Struct(deletedOfBatch)) }))
      .addSuccess(DecryptedBatchAnswer)
  )

export const secrets = HttpApiGroup.make("secrets")
  .add(
    HttpApiEndpoint.get("listSecretsV4", "/api/v4/secrets")
      .setHeaders(ConditionalHeaders)
      .setUrlParams(listOfV4)
      .addSuccess(DecryptedSecretList)
      .addSuccess(HttpApiSchema.Empty(304))
  )
  .add(
    HttpApiEndpoint.get("getSecretV4", "/api/v4/secrets/:secretName")
      .setHeaders(ConditionalHeaders)
      .setPath(NamePath)
      .setUrlParams(Schema.Struct({ ...v4, ...getQuery }))
      .addSuccess(DecryptedSecretAnswer)
      .addSuccess(HttpApiSchema.Empty(304))
  )
  .add(
    HttpApiEndpoint.post("createSecretV4", "/api/v4/secrets/:secretName")
      .setHeaders(AuthorizationHeaders)
      .setPath(NamePath)
      .setPayload(Schema.Struct({ ...v4, ...created }))
      .addSuccess(DecryptedWriteAnswer)
  )
  .add(
    HttpApiEndpoint.patch("updateSecretV4", "/api/v4/secrets/:secretName")
      .setHeaders(AuthorizationHeaders)
      .setPath(NamePath)
      .setPayload(Schema.Struct({ ...v4, ...updated, secretValue: Schema.optional(Schema.String) }))
      .addSuccess(DecryptedWriteAnswer)
  )
  .add(
    HttpApiEndpoint.del("deleteSecretV4", "/api/v4/secrets/:secretName")
      .setHeaders(AuthorizationHeaders)
      .setPath(NamePath)
      .setPayload(Schema.Struct({ ...v4, ...deleted }))
      .addSuccess(DecryptedWriteAnswer)
  )
  .add(
    HttpApiEndpoint.post("createSecretsV4", "/api/v4/secrets/batch")
      .setHeaders(AuthorizationHeaders)
      .setPayload(Schema.Struct({ ...v4, secrets: Schema.Array(Schema.Struct(createdOfBatch)) }))
      .addSuccess(DecryptedBatchAnswer)
  )
  .add(
    HttpApiEndpoint.patch("updateSecretsV4", "/api/v4/secrets/batch")
      .setHeaders(AuthorizationHeaders)
      .setPayload(Schema.Struct({
        ...v4,
        mode: Schema.optional(UpdateMode),
        secrets: Schema.Array(Schema.Struct({ ...updatedOfBatch, secretValue: Schema.optional(Schema.String) }))
      }))
      .addSuccess(DecryptedBatchAnswer)
  )
  .add(
    HttpApiEndpoint.del("deleteSecretsV4", "/api/v4/secrets/batch")
      .setHeaders(AuthorizationHeaders)
      .setPayload(Schema.Struct({ ...v4, secrets: Schema.Array(Schema.Struct(deletedOfBatch)) }))
      .addSuccess(DecryptedBatchAnswer)
  )

/**
 * The body of `POST /api/v4/secrets/move`.
 *
 * @since 0.1.0
 * @category schemas
 */
export const MoveSecretsPayload = Schema.Struct({
  projectId: Schema.String,
  sourceEnvironment: Schema.String,
  sourceSecretPath: Schema.String,
  destinationEnvironment: Schema.String,
  destinationSecretPath: Schema.String,
  secretIds: Schema.Array(Schema.String),
  shouldOverwrite: Schema.Boolean
})

/**
 * What a move has changed. A folder that an approval policy covers is not updated; the move is recorded there.
 *
 * @since 0.1.0
 * @category schemas
 */
export const MoveSecretsAnswer = Schema.Struct({
  isSourceUpdated: Schema.Boolean,
  isDestinationUpdated: Schema.Boolean
})

/** A group of its own: servers without v4 have none of these, and no other route for them. */
export const secretsById = HttpApiGroup.make("secretsById")
  .add(
    HttpApiEndpoint.get("getSecretByIdV4", "/api/v4/secrets/id/:secretId")
      .setHeaders(AuthorizationHeaders)
      .setPath(Schema.Struct({ secretId: SecretName }))
      .addSuccess(DecryptedSecretAnswer)
  )
  .add(
    HttpApiEndpoint.post("moveSecretsV4", "/api/v4/secrets/move")
      .setHeaders(AuthorizationHeaders)
      .setPayload(MoveSecretsPayload)
      .addSuccess(MoveSecretsAnswer)
  )
