/**
 * What the server says of folders, imports and environments.
 *
 * @since 0.1.0
 */
import { validationFailure } from "./requestAnswers.js"
import { type Answer, answer, badRequest, internal, notFound, refusal } from "./response.js"

/**
 * What a request does, by the name that servers from October 2024 on give to the error.
 *
 * @since 0.1.0
 * @category models
 */
export type Operation =
  | "NotFound"
  | "GetSecretByName"
  | "CreateSecret"
  | "UpdateSecret"
  | "DeleteSecret"
  | "CreateManySecret"
  | "UpdateManySecret"
  | "DeleteManySecret"

/**
 * No folder at this path, on every route but the list.
 *
 * @since 0.1.0
 * @category folders
 */
export const folderNotFound = (environment: string, path: string, operation: Operation): Answer =>
  answer(
    refusal(400, "Create secret", "Folder not found for the given environment slug & secret path"),
    refusal(404, operation, folderWithPath(environment, path))
  )

const folderWithPath = (environment: string, path: string): string =>
  `Folder with path '${path}' in environment with slug '${environment}' not found`

/**
 * No folder or environment to list. Servers of 2024 list nothing instead.
 *
 * @since 0.1.0
 * @category folders
 */
export const secretPathNotFound = (environment: string, path: string): Answer =>
  answer(
    refusal(
      404,
      "SecretPathNotFound",
      `Folder with path '${path}' in environment '${environment}' was not found. Please ensure the environment slug and secret path is correct.`
    )
  )

/**
 * The path has a character that no folder's name can have.
 *
 * @since 0.1.0
 * @category folders
 */
export const folderPathInvalid: Answer = answer(refusal(500, "Find by secret path", "Something went wrong"))

/**
 * A recursive list of an environment that does not exist.
 *
 * @since 0.1.0
 * @category folders
 */
export const environmentNotFound = (environment: string, projectId: string): Answer =>
  answer(
    internal(`'${environment}' environment not found in project with ID ${projectId}`),
    notFound(`'${environment}' environment not found in project with ID ${projectId}`),
    notFound(`Environment with slug '${environment}' in project with ID ${projectId} not found`)
  )

/**
 * Folders of an environment that does not exist.
 *
 * @since 0.1.0
 * @category folders
 */
export const folderEnvironmentNotFound = (
  operation: "get folders" | "Create folder",
  environment: string,
  projectId: string
): Answer =>
  answer(
    refusal(400, operation, "Environment not found"),
    notFound(
      operation === "get folders"
        ? `Environment with slug '${environment}' not found`
        : `Environment with slug '${environment}' in project with ID '${projectId}' not found`
    )
  )

/**
 * The import is from an environment that does not exist.
 *
 * @since 0.1.0
 * @category folders
 */
export const importedEnvironmentNotFound: Answer = answer(
  refusal(400, "Create import", "The request is invalid"),
  notFound("The requested entity is not found")
)

/**
 * No folder of this id, to an update. In July 2024 a wrong path was told from a wrong id.
 *
 * @since 0.1.0
 * @category folders
 */
export const folderToUpdateNotFound = (id: string): Answer =>
  answer(
    refusal(400, "Update folder", "Folder not found"),
    refusal(404, "UpdateFolder", `Folder with ID '${id}' not found`)
  )

/**
 * A folder that is not empty, to a deletion without force.
 *
 * @since 0.1.0
 * @category folders
 */
export const folderNotEmpty = (name: string): Answer =>
  answer(refusal(
    400,
    "deleteFolder",
    `Cannot delete folder "${name}" because it contains resources. Use forceDelete=true to delete it forcefully.`
  ))

/**
 * No folder can have this name, to v2.
 *
 * @since 0.1.0
 * @category folders
 */
export const folderNameInvalid: Answer = validationFailure([{
  code: "custom",
  message: "Invalid folder name. Only alphanumeric characters, dashes, and underscores are allowed.",
  path: ["name"]
}])

/**
 * No folder at the path of a renaming.
 *
 * @since 0.1.0
 * @category folders
 */
export const folderToRenameNotFound = (id: string): Answer =>
  answer(badRequest("Folder not found"), refusal(404, "UpdateFolder", `Folder with ID '${id}' not found`))

/**
 * No folder of this id or name, to a deletion.
 *
 * @since 0.1.0
 * @category folders
 */
export const folderToDeleteNotFound = (id: string): Answer =>
  answer(
    refusal(400, "Delete folder", "Folder not found"),
    notFound(`Failed to delete folder with ID '${id}', not found`)
  )

/**
 * No folder of this id, to a read.
 *
 * @since 0.1.0
 * @category folders
 */
export const folderByIdNotFound = (id: string): Answer =>
  answer(badRequest("Folder not found"), notFound(`Folder with ID '${id}' not found`))

/**
 * A folder is renamed to a name that is taken.
 *
 * @since 0.1.0
 * @category folders
 */
export const newFolderNameTaken: Answer = answer(
  badRequest("Folder with this name already exists"),
  refusal(400, "UpdateFolder", "Folder with specified name already exists")
)

/**
 * A folder is created that is there. Servers of 2024 answer with it instead.
 *
 * @since 0.1.0
 * @category folders
 */
export const folderExists = (name: string, path: string): Answer =>
  answer(badRequest(`Folder with name '${name}' already exists in path '${path}'`))

/**
 * No folder at this path, to a request about its imports.
 *
 * @since 0.1.0
 * @category folders
 */
export const importingFolderNotFound = (
  operation: "Get imports" | "Create import" | "Update import" | "Delete import",
  environment: string,
  path: string
): Answer => answer(refusal(400, operation, "Folder not found"), notFound(folderWithPath(environment, path)))

/**
 * No import of this id.
 *
 * @since 0.1.0
 * @category folders
 */
export const importNotFound = (operation: "Sec imp del" | "Sec imp update", folderId: string): Answer =>
  answer(
    refusal(400, operation, "Secret import doc not found"),
    notFound(`Secret import with folder ID '${folderId}' not found`)
  )

/**
 * No import of this id, to a read.
 *
 * @since 0.1.0
 * @category folders
 */
export const importByIdNotFound = (id: string): Answer => answer(notFound(`Secret import with ID '${id}' not found`))

/**
 * The id of an import is no UUID: the database refuses it.
 *
 * @since 0.1.0
 * @category folders
 */
export const importIdInvalid = (operation: string): Answer => answer(refusal(500, operation, "Something went wrong"))

/**
 * A replicated import needs a licence.
 *
 * @since 0.1.0
 * @category folders
 */
export const replicationUnlicensed: Answer = answer(
  badRequest("Failed to create secret replication due to plan restriction. Upgrade plan to create replication.")
)

/**
 * Two folders would import each other.
 *
 * @since 0.1.0
 * @category folders
 */
export const importCyclic: Answer = answer(badRequest("Cyclic import not allowed"))
