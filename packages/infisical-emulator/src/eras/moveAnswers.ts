/**
 * What the server says of secrets by their id, and of moving them.
 *
 * @since 0.1.0
 */
import { type Answer, answer, badRequest, notFound } from "./response.js"

/**
 * No secret has this id.
 *
 * @since 0.1.0
 * @category secrets
 */
export const secretByIdNotFound = (id: string): Answer => answer(notFound(`Secret with ID '${id}' not found`))

/**
 * One of the folders of a move does not exist.
 *
 * @since 0.1.0
 * @category secrets
 */
export const folderOfMoveNotFound = (
  which: "Source" | "Destination",
  environment: string,
  path: string
): Answer => answer(notFound(`${which} folder with path '${path}' in environment with slug '${environment}' not found`))

/**
 * A secret of a move is not in the source folder.
 *
 * @since 0.1.0
 * @category secrets
 */
export const secretsToMoveNotFound = (environment: string, path: string): Answer =>
  answer(
    notFound(`One or more secrets not found in source folder with path '${path}' and environment slug '${environment}'`)
  )

/**
 * The destination has secrets of the same names with other values.
 *
 * @since 0.1.0
 * @category secrets
 */
export const namesTakenInDestination = (names: ReadonlyArray<string>): Answer =>
  answer(badRequest(
    `Failed to move secrets. The following secrets already exist in the destination: ${names.join(",")}`
  ))

/**
 * The destination has all secrets of the move, with the same values.
 *
 * @since 0.1.0
 * @category secrets
 */
export const nothingToMove: Answer = answer(badRequest("Selected secrets already exist in the destination."))
