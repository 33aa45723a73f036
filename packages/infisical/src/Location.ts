/**
 * Where secrets are: a project's environment and path, and what belongs to it.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { InvalidRequestError } from "./InfisicalError.js"
import { isWellFormed } from "./internal/wellFormed.js"

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
  /** The same for two locations exactly where all of the above is the same. */
  readonly key: string
}

/**
 * Makes a location. Space around the path and one slash at its end are dropped, as the server does.
 *
 * Fails with `InvalidRequestError` where the environment is empty or the path can have no folder: it must begin with a
 * slash, and a folder's name is letters, digits, dashes and underscores. A server of 2024-07 answers those with a
 * refused permission or status 500.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: {
  readonly environment: string
  readonly secretPath: string
  readonly includeImports: boolean
}): Effect.Effect<Location, InvalidRequestError> => {
  const secretPath = normalize(options.secretPath)
  if (options.environment.trim() === "" || !isWellFormed(options.environment)) {
    return Effect.fail(
      new InvalidRequestError({
        parameter: "environment",
        problem: "it must be an environment's slug, such as \"dev\""
      })
    )
  }
  if (!secretPath.startsWith("/")) {
    return Effect.fail(
      new InvalidRequestError({ parameter: "secretPath", problem: "it must begin with a slash, such as \"/folder\"" })
    )
  }
  if (secretPath !== "/" && !secretPath.slice(1).split("/").every((folder) => /^[\w-]+$/.test(folder))) {
    return Effect.fail(
      new InvalidRequestError({
        parameter: "secretPath",
        problem: "each folder's name must be letters, digits, dashes and underscores, with one slash between two"
      })
    )
  }
  const { environment, includeImports } = options
  return Effect.succeed({
    environment,
    secretPath,
    includeImports,
    key: JSON.stringify([environment, secretPath, includeImports])
  })
}

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
