/**
 * The names and paths of folders.
 *
 * @since 0.1.0
 */

/**
 * The names of the folders along a path. Empty ones do not count, as on the server.
 *
 * @since 0.1.0
 * @category getters
 */
export const segments = (path: string): ReadonlyArray<string> => path.split("/").filter((segment) => segment !== "")

/**
 * Whether a folder can be called so: letters, digits, dashes and underscores.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isFolderName = (name: string): boolean => /^[\w-]+$/.test(name)

/**
 * Whether a path can have a folder: it begins with a slash, and each name along it is one of a folder.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isFolderPath = (path: string): boolean =>
  path === "/" || (path.startsWith("/") && path.slice(1).split("/").every(isFolderName))
