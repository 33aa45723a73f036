/**
 * What the server says of secrets.
 *
 * @since 0.1.0
 */
import { type Answer, answer, badRequest, internal, notFound, ok, refusal } from "./response.js"

/**
 * No secret of this name, to a read.
 *
 * @since 0.1.0
 * @category secrets
 */
export const secretNotFound = (secretName: string): Answer =>
  answer(badRequest("Secret not found"), notFound(`Secret with name '${secretName}' not found`))

/**
 * No secrets of these names, to a write of a project of the v1 engine.
 *
 * @since 0.1.0
 * @category secrets
 */
export const blindIndexNotFound = (...secretNames: ReadonlyArray<string>): Answer => {
  const message = `Secret not found: blind index ${secretNames.join(",")}`
  return answer(badRequest(message), notFound(message))
}

/**
 * No secret of this name, to an update.
 *
 * @since 0.1.0
 * @category secrets
 */
export const secretToUpdateNotFound = (secretName: string): Answer =>
  answer(notFound(`Secret with name ${secretName} not found`))

/**
 * No secret of this name, to a deletion.
 *
 * @since 0.1.0
 * @category secrets
 */
export const secretToDeleteNotFound = (secretName: string): Answer =>
  answer(refusal(404, "DeleteSecret", `Secret with name '${secretName}' not found`))

/**
 * A batch updates secrets that are not all there. Servers of October 2024 name those that are.
 *
 * @since 0.1.0
 * @category secrets
 */
export const secretsToUpdateNotFound = (
  { missing, path, present }: {
    readonly present: ReadonlyArray<string>
    readonly missing: ReadonlyArray<string>
    readonly path: string
  }
): Answer => {
  const before = notFound(`Secret does not exist: ${present.join(", ")}`)
  return answer(before, before, notFound(`Secret does not exist: ${missing.join(", ")} in path ${path}`))
}

/**
 * A batch deletes secrets that are not all there. Servers up to 2025 name those that are, with the same words as those
 * of 2026 the others.
 *
 * @since 0.1.0
 * @category secrets
 */
export const secretsToDeleteNotFound = (
  { missing, present }: { readonly present: ReadonlyArray<string>; readonly missing: ReadonlyArray<string> }
): Answer => {
  const say = (names: ReadonlyArray<string>) => notFound(`One or more secrets does not exist: ${names.join(", ")}`)
  return answer(say(present), say(present), say(present), say(missing))
}

/**
 * A user updates a secret in a place that a policy covers, and it is not there.
 *
 * @since 0.1.0
 * @category secrets
 */
export const secretToReviewNotFound = (present: ReadonlyArray<string>): Answer =>
  answer(badRequest("Secret not found"), notFound(`Secret does not exist: ${present.join(",")}`))

/**
 * A user renames a secret in a place that a policy covers: a defect of servers of October 2024, which look for the new
 * name.
 *
 * @since 0.1.0
 * @category secrets
 */
export const renameToReviewRefused = (newName: string): Answer => answer(notFound(`Secret does not exist: ${newName}`))

/**
 * There are secrets of these names and type. One alone is not named, unless a policy covers it.
 *
 * @since 0.1.0
 * @category secrets
 */
export const secretExists = (...names: ReadonlyArray<string>): Answer => {
  const list = names.length === 0 ? "" : `: ${names.join(",")}`
  return answer(
    badRequest("Secret already exist"),
    badRequest(`Secret already exist${list}`),
    badRequest(`Secret already exists${list}`)
  )
}

/**
 * A secret is renamed to a name that is taken.
 *
 * @since 0.1.0
 * @category secrets
 */
export const newNameTaken: Answer = answer(
  badRequest("Secret already exist"),
  badRequest("Secret with the new name already exist"),
  badRequest("Secret with the new name already exists")
)

/**
 * A batch renames secrets to names that are taken.
 *
 * @since 0.1.0
 * @category secrets
 */
export const newNamesTaken = (names: ReadonlyArray<string>): Answer =>
  answer(badRequest("Secret already exist"), badRequest(`Secret with new name already exists: ${names.join(",")}`))

/**
 * A secret was to be renamed to nothing.
 *
 * @since 0.1.0
 * @category secrets
 */
export const newNameEmpty: Answer = answer(badRequest("New secret name cannot be empty"))

/**
 * A personal secret has the name of its shared one.
 *
 * @since 0.1.0
 * @category secrets
 */
export const personalCannotBeRenamed: Answer = answer(badRequest("Personal secret cannot change the key name"))

/**
 * A service token or a machine identity wrote a personal secret.
 *
 * @since 0.1.0
 * @category secrets
 */
export const mustBeUser: Answer = answer(badRequest("Must be user to create personal secret"))

/**
 * A user wrote a personal secret that overrides nothing.
 *
 * @since 0.1.0
 * @category secrets
 */
export const personalWithoutShared: Answer = answer(
  badRequest("Failed to create personal secret override for no corresponding shared secret")
)

/**
 * A user deletes a personal secret that does not exist: the server does not expect that.
 *
 * @since 0.1.0
 * @category secrets
 */
export const personalToDeleteNotFound: Answer = answer(internal("Cannot read properties of undefined (reading 'id')"))

/**
 * A batch deletes a name that there are two secrets of: the server deletes them, and does not expect that.
 *
 * @since 0.1.0
 * @category secrets
 */
export const deletedTwice: Answer = answer(internal("Cannot read properties of undefined (reading 'secretName')"))

/**
 * A project of the v2 engine has no encrypted secrets.
 *
 * @since 0.1.0
 * @category secrets
 */
export const noBlindIndex = (projectId: string, operation: string): Answer =>
  answer(refusal(404, operation, `Blind index for project with ID '${projectId}' not found`))

/**
 * A single get of a secret that refers to a folder or an environment that does not exist.
 *
 * @since 0.1.0
 * @category secrets
 */
export const referenceNotFound: Answer = answer(refusal(500, "InternalServerError", "Something went wrong"))

/**
 * A single get of a secret that refers to what its reader may not read.
 *
 * @since 0.1.0
 * @category secrets
 */
export const referenceForbidden = (name: string, environment: string, path: string): Answer =>
  answer(
    refusal(
      403,
      "ForbiddenError",
      `You are attempting to reference secret named ${name} from environment ${environment} in path ${path} which you do not have access to.`
    )
  )

/**
 * A client encrypted something with another key than the project's, which the server has, too.
 *
 * @since 0.1.0
 * @category secrets
 */
export const notDecryptable: Answer = answer(internal("Unsupported state or unable to authenticate data"))

/**
 * Nothing was written: it awaits approval.
 *
 * @since 0.1.0
 * @category secrets
 */
export const approvalRequired = (approval: {
  readonly id: string
  readonly slug: string
  readonly policyId: string
  readonly folderId: string
  readonly committerUserId: string
  readonly time: string
}): Answer => {
  const { committerUserId, folderId, id, policyId, slug, time } = approval
  return ok({
    approval: {
      id,
      policyId,
      hasMerged: false,
      status: "open",
      conflicts: null,
      slug,
      folderId,
      createdAt: time,
      updatedAt: time,
      isReplicated: null,
      committerUserId,
      statusChangedByUserId: null,
      bypassReason: null
    }
  })
}
