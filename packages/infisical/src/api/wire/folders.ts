/** Folders, and what they import: `/api/v1/folders`, `/api/v1/secret-imports`. */
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as Schema from "effect/Schema"
import { AuthorizationHeaders } from "./common.js"

/**
 * A folder in the one that was asked about.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Folder = Schema.Struct({ id: Schema.String, name: Schema.String })

/**
 * A folder that another one imports; the last position wins.
 *
 * @since 0.1.0
 * @category schemas
 */
export const SecretImport = Schema.Struct({
  id: Schema.String,
  importPath: Schema.String,
  position: Schema.Finite,
  importEnv: Schema.Struct({ slug: Schema.String })
})

const location = { workspaceId: Schema.String, environment: Schema.String, path: Schema.optional(Schema.String) }

const IdPath = Schema.Struct({ id: Schema.String })

const FolderAnswer = Schema.Struct({ folder: Folder })

const SecretImportAnswer = Schema.Struct({ secretImport: SecretImport })

export const folders = HttpApiGroup.make("folders")
  .add(
    HttpApiEndpoint.get("listFolders", "/api/v1/folders")
      .setHeaders(AuthorizationHeaders)
      .setUrlParams(Schema.Struct(location))
      .addSuccess(Schema.Struct({ folders: Schema.Array(Folder) }))
  )
  .add(
    HttpApiEndpoint.post("createFolder", "/api/v1/folders")
      .setHeaders(AuthorizationHeaders)
      .setPayload(Schema.Struct({ ...location, name: Schema.String }))
      .addSuccess(FolderAnswer)
  )
  .add(
    HttpApiEndpoint.patch("renameFolder", "/api/v1/folders/:id")
      .setHeaders(AuthorizationHeaders)
      .setPath(IdPath)
      .setPayload(Schema.Struct({ ...location, name: Schema.String }))
      .addSuccess(FolderAnswer)
  )
  .add(
    HttpApiEndpoint.del("deleteFolder", "/api/v1/folders/:id")
      .setHeaders(AuthorizationHeaders)
      .setPath(IdPath)
      .setPayload(Schema.Struct(location))
      .addSuccess(FolderAnswer)
  )

export const secretImports = HttpApiGroup.make("secretImports")
  .add(
    HttpApiEndpoint.get("listSecretImports", "/api/v1/secret-imports")
      .setHeaders(AuthorizationHeaders)
      .setUrlParams(Schema.Struct(location))
      .addSuccess(Schema.Struct({ secretImports: Schema.Array(SecretImport) }))
  )
  .add(
    HttpApiEndpoint.post("createSecretImport", "/api/v1/secret-imports")
      .setHeaders(AuthorizationHeaders)
      .setPayload(Schema.Struct({
        ...location,
        import: Schema.Struct({ environment: Schema.String, path: Schema.String })
      }))
      .addSuccess(SecretImportAnswer)
  )
  .add(
    HttpApiEndpoint.del("deleteSecretImport", "/api/v1/secret-imports/:id")
      .setHeaders(AuthorizationHeaders)
      .setPath(IdPath)
      .setPayload(Schema.Struct(location))
      .addSuccess(SecretImportAnswer)
  )
