/**
 * Where secrets are: a project's environment and path, and what belongs to it.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { InvalidRequestError } from "./InfisicalError.js"
import { isWellFormed } from "./wellFormed.js"

/**
 * Everything that distinguishes one answer of the server from another.
 *
 * The project is the credential's own; a cache belongs to one credential.
 *
 * @since 0.1.0
 * @category models
 */
export interface Location {
  /** The environment's slug. */
  readonly environment: string
  /** The folder's path: `/`, or `/folder/folder` without a slash at its end. */
  readonly secretPath: string
  /** Whether the secrets that the folder imports belong to it. */
  readonly includeImports: boolean
  /** Whether the secrets of the folders in it belong to it. */
  readonly recursive: boolean
  /** Whether references in values are replaced. */
  readonly expandReferences: boolean
  /** Only secrets with one of these tags. None: all. */
  readonly tagSlugs: ReadonlyArray<string>
  /** Only secrets with all of these pairs of metadata. None: all. */
  readonly metadata: Readonly<Record<string, string>>
  /** Only the secret of this name, read by its name. */
  readonly secretName: string | undefined
  /** Which version of it. Default: the newest. */
  readonly version: number | undefined
  /** The same for two locations exactly where all of the above is the same. */
  readonly key: string
}

/**
 * Where something is.
 *
 * @since 0.1.0
 * @category models
 */
export interface PlaceOptions {
  /** The environment's slug. Default: the configuration's, which is `dev` by default. */
  readonly environment?: string | undefined
  /** The folder's path; it begins with a slash. Default: the configuration's, which is `/` by default. */
  readonly secretPath?: string | undefined
}

/**
 * What a location is made of. Imports and references are included unless that is declined.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  readonly environment: string
  readonly secretPath: string
  readonly includeImports?: boolean | undefined
  readonly recursive?: boolean | undefined
  readonly expandReferences?: boolean | undefined
  readonly tagSlugs?: ReadonlyArray<string> | undefined
  readonly metadata?: Readonly<Record<string, string>> | undefined
  readonly secretName?: string | undefined
  readonly version?: number | undefined
}

/**
 * Makes a location. Space around the environment and the path, and one slash at its end, are dropped, as the server does.
 *
 * Fails with `InvalidRequestError` where the environment is empty or the path can have no folder: it must begin with a
 * slash, and a folder's name is letters, digits, dashes and underscores. A server of 2024-07 answers those with a
 * refused permission or status 500.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options): Effect.Effect<Location, InvalidRequestError> => {
  const environment = options.environment.trim()
  const secretPath = normalize(options.secretPath)
  const invalid = (parameter: string, problem: string) => Effect.fail(new InvalidRequestError({ parameter, problem }))
  if (environment === "" || !isWellFormed(environment)) {
    return invalid("environment", "it must be an environment's slug, such as \"dev\"")
  }
  if (!secretPath.startsWith("/")) {
    return invalid("secretPath", "it must begin with a slash, such as \"/folder\"")
  }
  if (secretPath !== "/" && !secretPath.slice(1).split("/").every(isFolderName)) {
    return invalid(
      "secretPath",
      "each folder's name must be letters, digits, dashes and underscores, with one slash between two"
    )
  }
  if (options.tagSlugs?.some((slug) => slug.trim() === "" || slug.includes(",")) === true) {
    return invalid("tagSlugs", "each must be a tag's slug, without commas")
  }
  if (Object.entries(options.metadata ?? {}).some((pair) => pair.some((part) => part.trim() === ""))) {
    return invalid("metadata", "keys and values to look for must not be empty")
  }
  if (options.version !== undefined && (!Number.isSafeInteger(options.version) || options.version < 0)) {
    return invalid("version", "it must be a whole number, counted from 1")
  }
  const { expandReferences = true, includeImports = true, recursive = false, secretName, version } = options
  const tagSlugs = (options.tagSlugs ?? []).toSorted()
  const metadata = options.metadata ?? {}
  return Effect.succeed({
    environment,
    secretPath,
    includeImports,
    recursive,
    expandReferences,
    tagSlugs,
    metadata,
    secretName,
    version,
    key: JSON.stringify([
      environment,
      secretPath,
      includeImports,
      recursive,
      expandReferences,
      tagSlugs,
      Object.entries(metadata).toSorted(),
      secretName,
      version
    ])
  })
}

/**
 * Whether a folder can have this name: letters, digits, dashes and underscores.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isFolderName = (name: string): boolean => /^[\w-]+$/.test(name)

/**
 * Whether a folder is in another one, or is that one.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isWithin = (secretPath: string, folder: string): boolean =>
  folder === "/" || secretPath === folder || secretPath.startsWith(`${folder}/`)

const normalize = (secretPath: string): string => {
  const trimmed = secretPath.trim()
  return trimmed.length > 1 && trimmed.endsWith("/") ? trimmed.slice(0, -1) : trimmed
}

/**
 * The longest name that a server's router takes, in UTF-16 units (`wire/` "names").
 *
 * @since 0.1.0
 * @category constants
 */
export const maximumNameLength = 100

/**
 * Checks a secret's name.
 *
 * Fails with `InvalidRequestError` for names that no route of a server reaches: empty, with space around, over 100
 * characters, or not valid Unicode; and for a write also `.` and `..` (a URL cannot carry them) and `raw`, `batch` and
 * `move` (they are routes of their own).
 *
 * @since 0.1.0
 * @category predicates
 */
export const checkName = (
  name: string,
  purpose: "read" | "write"
): Effect.Effect<void, InvalidRequestError> => {
  const problem = name.trim() === ""
    ? "it is empty"
    : name.trim() !== name
    ? "it must not begin or end with a space"
    : name.length > maximumNameLength
    ? `it has ${name.length} characters, and may have ${maximumNameLength}`
    : !isWellFormed(name)
    ? "it has half a surrogate pair, which a URL cannot hold"
    : purpose === "read"
    ? undefined
    : name === "." || name === ".."
    ? "a URL cannot carry \".\" or \"..\""
    : name === "raw" || name === "batch" || name === "move"
    ? "\"raw\", \"batch\" and \"move\" are routes of the server. Choose another name."
    : undefined
  return problem === undefined
    ? Effect.void
    : Effect.fail(new InvalidRequestError({ parameter: "secretName", problem }))
}
