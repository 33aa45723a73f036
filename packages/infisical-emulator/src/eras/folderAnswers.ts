/**
 * What the server says of folders, imports and environments.
 *
 * @since 0.1.0
 */
import { validationFailure } from "./requestAnswers.js"
import { type Answer, badRequest, internal, notFound, refusal } from "./response.js"

/**
 * Said on every route but the list, whatever the request wanted to do.
 *
 * @since 0.1.0
 * @category folders
 */
export const folderNotFound = (environment: string, path: string): Answer => ({
  ...refusal(400, "Create secret", "Folder not found for the given environment slug & secret path"),
  current: folderOfTodayNotFound(environment, path)
})

const folderOfTodayNotFound = (environment: string, path: string): Answer =>
  notFound(`Folder with path '${path}' in environment with slug '${environment}' not found`)

/**
 * Said by servers of today only: those of 2024-07 list nothing of it.
 *
 * @since 0.1.0
 * @category folders
 */
export const environmentUnknown = (environment: string): Answer =>
  notFound(`Environment with slug '${environment}' not found`)

/**
 * The path has a character that no folder's name can have.
 *
 * @since 0.1.0
 * @category folders
 */
export const folderPathInvalid: Answer = refusal(500, "Find by secret path", "Something went wrong")

/**
 * Said to a recursive list only.
 *
 * @since 0.1.0
 * @category folders
 */
export const environmentNotFound = (environment: string, projectId: string): Answer => ({
  ...internal(`'${environment}' environment not found in project with ID ${projectId}`),
  current: environmentUnknown(environment)
})

/**
 * Said to whoever asks for folders of an environment that does not exist.
 *
 * @since 0.1.0
 * @category folders
 */
export const folderEnvironmentNotFound = (wanted: "get folders" | "Create folder", environment: string): Answer => ({
  ...refusal(400, wanted, "Environment not found"),
  current: environmentUnknown(environment)
})

/**
 * The import is from an environment that does not exist. A server of 2024-07 says this much.
 *
 * @since 0.1.0
 * @category folders
 */
export const importedEnvironmentNotFound: Answer = {
  ...refusal(400, "Create import", "The request is invalid"),
  current: notFound("The requested entity is not found")
}

/**
 * No folder of this id, to whoever changes it.
 *
 * @since 0.1.0
 * @category folders
 */
export const folderToWriteNotFound = (wanted: "Update folder" | "Delete folder", id: string): Answer => ({
  ...refusal(400, wanted, "Folder not found"),
  current: notFound(`Folder with ID '${id}' not found`)
})

/**
 * No folder at this path, to whoever asks for its imports.
 *
 * @since 0.1.0
 * @category folders
 */
export const importingFolderNotFound = (
  wanted: "Get imports" | "Create import" | "Update import" | "Delete import",
  environment: string,
  path: string
): Answer => ({
  ...refusal(400, wanted, "Folder not found"),
  current: folderOfTodayNotFound(environment, path)
})

/**
 * A folder of the new name is there.
 *
 * @since 0.1.0
 * @category folders
 */
export const folderExists = (name: string, path: string): Answer => ({
  ...badRequest("Folder with this name already exists"),
  current: badRequest(`Folder with name '${name}' already exists in path '${path}'`)
})

/**
 * A folder that is not empty, to a deletion without force.
 *
 * @since 0.1.0
 * @category folders
 */
export const folderNotEmpty = (name: string): Answer =>
  refusal(
    400,
    "deleteFolder",
    `Cannot delete folder "${name}" because it contains resources. Use forceDelete=true to delete it forcefully.`
  )

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
 * No import of this id.
 *
 * @since 0.1.0
 * @category folders
 */
export const importNotFound: Answer = {
  ...refusal(400, "Delete import", "Import not found"),
  current: notFound("Secret import with the given ID not found")
}

/**
 * Two folders would import each other.
 *
 * @since 0.1.0
 * @category folders
 */
export const importCyclic: Answer = badRequest("Cyclic import not allowed")
