/**
 * Folders, and what they import: `/api/v2/folders`, `/api/v2/secret-imports`, and `/api/v1` for both, which older servers
 * have.
 */
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as Schema from "effect/Schema"
import { AuthorizationHeaders, nullable, QueryFlag, SecretName } from "./common.js"

/** It becomes part of a path: another text could name another route. */
const Id = Schema.String.pipe(Schema.pattern(/^[\w-]{1,100}$/))

/**
 * A folder in the one that was asked about.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Folder = Schema.Struct({ id: Id, name: Schema.String })

/**
 * A folder as v2 gives it. Writes state its `path`, recursive lists its path below the listed folder.
 *
 * @since 0.1.0
 * @category schemas
 */
export const FolderV2 = Schema.Struct({ ...Folder.fields, path: nullable, relativePath: nullable })

/**
 * A folder that another one imports; the last position wins.
 *
 * @since 0.1.0
 * @category schemas
 */
export const SecretImport = Schema.Struct({
  id: Id,
  importPath: Schema.String,
  position: Schema.Finite,
  importEnv: Schema.Struct({ slug: Schema.String })
})

const place = { environment: Schema.String, path: Schema.optional(Schema.String) }

const v1 = { workspaceId: Schema.String, ...place }

const v2 = { projectId: Schema.String, ...place }

/** Percent-encoded, as a name is. */
const IdPath = Schema.Struct({ id: SecretName })

const FolderAnswer = Schema.Struct({ folder: Folder })

const FolderV2Answer = Schema.Struct({ folder: FolderV2 })

const SecretImportAnswer = Schema.Struct({ secretImport: SecretImport })

const SecretImportsAnswer = Schema.Struct({ secretImports: Schema.Array(SecretImport) })

/** The folder to import. */
const NewImport = Schema.Struct({ environment: Schema.String, path: Schema.String })

/** What changes of an import. */
const ImportChange = Schema.Struct({
  environment: Schema.optional(Schema.String),
  path: Schema.optional(Schema.String),
  position: Schema.optional(Schema.Number)
})

export const folders = HttpApiGroup.make("folders")
  .add(
    HttpApiEndpoint.get("listFolders", "/api/v1/folders")
      .setHeaders(AuthorizationHeaders)
      .setUrlParams(Schema.Struct(v1))
      .addSuccess(Schema.Struct({ folders: Schema.Array(Folder) }))
  )
  .add(
    HttpApiEndpoint.post("createFolder", "/api/v1/folders")
      .setHeaders(AuthorizationHeaders)
      .setPayload(Schema.Struct({ ...v1, name: Schema.String }))
      .addSuccess(FolderAnswer)
  )
  .add(
    HttpApiEndpoint.patch("renameFolder", "/api/v1/folders/:id")
      .setHeaders(AuthorizationHeaders)
      .setPath(IdPath)
      .setPayload(Schema.Struct({ ...v1, name: Schema.String }))
      .addSuccess(FolderAnswer)
  )
  .add(
    HttpApiEndpoint.del("deleteFolder", "/api/v1/folders/:id")
      .setHeaders(AuthorizationHeaders)
      .setPath(IdPath)
      .setPayload(Schema.Struct(v1))
      .addSuccess(FolderAnswer)
  )

export const foldersV2 = HttpApiGroup.make("foldersV2")
  .add(
    HttpApiEndpoint.get("listFoldersV2", "/api/v2/folders")
      .setHeaders(AuthorizationHeaders)
      .setUrlParams(Schema.Struct({ ...v2, recursive: Schema.optional(QueryFlag) }))
      .addSuccess(Schema.Struct({ folders: Schema.Array(FolderV2) }))
  )
  .add(
    HttpApiEndpoint.post("createFolderV2", "/api/v2/folders")
      .setHeaders(AuthorizationHeaders)
      .setPayload(Schema.Struct({ ...v2, name: Schema.String }))
      .addSuccess(FolderV2Answer)
  )
  .add(
    HttpApiEndpoint.patch("renameFolderV2", "/api/v2/folders/:id")
      .setHeaders(AuthorizationHeaders)
      .setPath(IdPath)
      .setPayload(Schema.Struct({ ...v2, name: Schema.String }))
      .addSuccess(FolderV2Answer)
  )
  .add(
    HttpApiEndpoint.del("deleteFolderV2", "/api/v2/folders/:id")
      .setHeaders(AuthorizationHeaders)
      .setPath(IdPath)
      .setPayload(Schema.Struct({ ...v2, forceDelete: Schema.optional(Schema.Boolean) }))
      .addSuccess(FolderV2Answer)
  )

export const secretImports = HttpApiGroup.make("secretImports")
  .add(
    HttpApiEndpoint.get("listSecretImports", "/api/v1/secret-imports")
      .setHeaders(AuthorizationHeaders)
      .setUrlParams(Schema.Struct(v1))
      .addSuccess(SecretImportsAnswer)
  )
  .add(
    HttpApiEndpoint.post("createSecretImport", "/api/v1/secret-imports")
      .setHeaders(AuthorizationHeaders)
      .setPayload(Schema.Struct({ ...v1, import: NewImport, isReplication: Schema.optional(Schema.Boolean) }))
      .addSuccess(SecretImportAnswer)
  )
  .add(
    HttpApiEndpoint.patch("updateSecretImport", "/api/v1/secret-imports/:id")
      .setHeaders(AuthorizationHeaders)
      .setPath(IdPath)
      .setPayload(Schema.Struct({ ...v1, import: ImportChange }))
      .addSuccess(SecretImportAnswer)
  )
  .add(
    HttpApiEndpoint.del("deleteSecretImport", "/api/v1/secret-imports/:id")
      .setHeaders(AuthorizationHeaders)
      .setPath(IdPath)
      .setPayload(Schema.Struct(v1))
      .addSuccess(SecretImportAnswer)
  )

export const secretImportsV2 = HttpApiGroup.make("secretImportsV2")
  .add(
    HttpApiEndpoint.get("listSecretImportsV2", "/api/v2/secret-imports")
      .setHeaders(AuthorizationHeaders)
      .setUrlParams(Schema.Struct(v2))
      .addSuccess(SecretImportsAnswer)
  )
  .add(
    HttpApiEndpoint.post("createSecretImportV2", "/api/v2/secret-imports")
      .setHeaders(AuthorizationHeaders)
      .setPayload(Schema.Struct({ ...v2, import: NewImport, isReplication: Schema.optional(Schema.Boolean) }))
      .addSuccess(SecretImportAnswer)
  )
  .add(
    HttpApiEndpoint.patch("updateSecretImportV2", "/api/v2/secret-imports/:id")
      .setHeaders(AuthorizationHeaders)
      .setPath(IdPath)
      .setPayload(Schema.Struct({ ...v2, import: ImportChange }))
      .addSuccess(SecretImportAnswer)
  )
  .add(
    HttpApiEndpoint.del("deleteSecretImportV2", "/api/v2/secret-imports/:id")
      .setHeaders(AuthorizationHeaders)
      .setPath(IdPath)
      .setPayload(Schema.Struct(v2))
      .addSuccess(SecretImportAnswer)
  )
