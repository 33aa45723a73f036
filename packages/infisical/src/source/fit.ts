/**
 * Compares what a response says with the request: project, environment, folder, name and type. A response that says
 * something else is an `UnexpectedResponseError`, never a value. Absent and empty fields are not compared: most routes
 * leave some out (`wire/` "Reads").
 */
import * as Effect from "effect/Effect"
import type * as InfisicalApi from "../api/InfisicalApi.js"
import { UnexpectedResponseError } from "../model/InfisicalError.js"
import type { SecretType } from "../model/Secret.js"

/** What a secret of a response says about itself. */
interface Stated {
  readonly workspace?: string | null | undefined
  readonly environment?: string | null | undefined
  readonly secretPath?: string | null | undefined
  readonly type: SecretType
}

type Folder = Omit<InfisicalApi.Place, "accessToken">

interface Named extends Folder {
  /** The names that the secret may have: after a rename the new one, or the old one as servers of 2024-07 say. */
  readonly names: ReadonlyArray<string>
  readonly type: SecretType
}

/** The part of a response that does not fit. */
type Mismatch = "project" | "environment" | "folder" | "name" | "type"

const differs = (stated: string | null | undefined, wanted: string): boolean =>
  stated !== null && stated !== undefined && stated !== "" && stated !== wanted

const project = ({ projectId }: Folder, { workspace }: Stated): Mismatch | undefined =>
  // An id is a UUID, which a user may have written in capitals.
  projectId !== "" && differs(workspace?.toLowerCase(), projectId.toLowerCase()) ? "project" : undefined

const folder = ({ location }: Folder, { environment, secretPath }: Stated): Mismatch | undefined =>
  // Servers trim the environment's slug.
  differs(environment, location.environment.trim())
    ? "environment"
    : location.recursive
    // Folders whose path only begins with the same letters are left out afterwards (`Merge.inOrder`).
    ? secretPath?.startsWith(location.secretPath) === false && secretPath !== "" ? "folder" : undefined
    : differs(secretPath, location.secretPath)
    ? "folder"
    : undefined

/** Checks one of the folder's own secrets in a list. */
export const own = (request: Folder, secret: Stated): Mismatch | undefined =>
  project(request, secret) ?? folder(request, secret)

/** Checks an imported secret in a list. It has the environment and the folder that it comes from. */
export const imported: (request: Folder, secret: Stated) => Mismatch | undefined = project

/** Checks a secret that was requested or written by its name. `name` is `undefined` if it cannot be decrypted. */
export const named = (request: Named, secret: Stated, name: string | undefined): Mismatch | undefined =>
  own(request, secret) ??
    (name !== undefined && name !== "" && !request.names.includes(name)
      ? "name"
      : secret.type === request.type
      ? undefined
      : "type")

/** Checks a secret that was read by its name. With imports, it may come from any folder of the project. */
export const read = (request: Named, secret: Stated, name: string | undefined): Mismatch | undefined =>
  named(
    request,
    request.location.includeImports ? { workspace: secret.workspace, type: secret.type } : secret,
    name
  )

/** Fails if something does not fit. */
export const check = (endpoint: string, mismatch: Mismatch | undefined): Effect.Effect<void, UnexpectedResponseError> =>
  mismatch === undefined ? Effect.void : Effect.fail(unexpected(endpoint, mismatch))

export const unexpected = (endpoint: string, mismatch: Mismatch): UnexpectedResponseError =>
  new UnexpectedResponseError({
    endpoint,
    status: 200,
    problem: `it has a secret of another ${mismatch} than requested${
      mismatch === "folder" ? ", as servers answer a service token that may read one folder only" : ""
    }`
  })

/**
 * The rows of a batch in the order of the request. Fails if the response has a name that was not requested, has one
 * twice, or lacks one.
 */
export const batch = <A extends { readonly name: string }>(
  endpoint: string,
  names: ReadonlyArray<string>,
  rows: ReadonlyArray<A>
): Effect.Effect<ReadonlyArray<A>, UnexpectedResponseError> => {
  const byName = new Map(rows.map((row) => [row.name, row]))
  const ordered = names.flatMap((name) => byName.get(name) ?? [])
  return ordered.length === names.length && rows.length === names.length
    ? Effect.succeed(ordered)
    : Effect.fail(
      new UnexpectedResponseError({ endpoint, status: 200, problem: "it has other secrets than those that were sent" })
    )
}
