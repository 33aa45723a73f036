/**
 * What the server says of secrets.
 *
 * @since 0.1.0
 */
import { type Answer, badRequest, internal, notFound, ok } from "./response.js"

/**
 * No secret of this name, to a read.
 *
 * @since 0.1.0
 * @category secrets
 */
export const secretNotFound = (secretName: string): Answer => ({
  ...badRequest("Secret not found"),
  current: notFound(`Secret with name '${secretName}' not found`)
})

/**
 * No secret of this name, to a write.
 *
 * @since 0.1.0
 * @category secrets
 */
export const secretToWriteNotFound = (secretName: string): Answer => ({
  ...badRequest(`Secret not found: blind index ${secretName}`),
  current: notFound(`Secret with name '${secretName}' not found`)
})

/**
 * There is a secret of this name and type.
 *
 * @since 0.1.0
 * @category secrets
 */
export const secretExists: Answer = badRequest("Secret already exist")

/**
 * A secret was to be renamed to nothing.
 *
 * @since 0.1.0
 * @category secrets
 */
export const newNameEmpty: Answer = badRequest("New secret name cannot be empty")

/**
 * A personal secret has the name of its shared one.
 *
 * @since 0.1.0
 * @category secrets
 */
export const personalCannotBeRenamed: Answer = badRequest("Personal secret cannot change the key name")

/**
 * A service token wrote a personal secret.
 *
 * @since 0.1.0
 * @category secrets
 */
export const mustBeUser: Answer = badRequest("Must be user to create personal secret")

/**
 * A user wrote a personal secret that overrides nothing.
 *
 * @since 0.1.0
 * @category secrets
 */
export const personalWithoutShared: Answer = badRequest(
  "Failed to create personal secret override for no corresponding shared secret"
)

/**
 * A user deletes a personal secret that does not exist: the server does not expect that.
 *
 * @since 0.1.0
 * @category secrets
 */
export const personalToDeleteNotFound: Answer = internal("Cannot read properties of undefined (reading 'id')")

/**
 * A batch deletes a name that there are two secrets of: the server deletes them, and does not expect that.
 *
 * @since 0.1.0
 * @category secrets
 */
export const deletedTwice: Answer = internal("Cannot read properties of undefined (reading 'secretName')")

/**
 * A client encrypted something with another key than the project's, which the server has, too.
 *
 * @since 0.1.0
 * @category secrets
 */
export const notDecryptable: Answer = internal("Unsupported state or unable to authenticate data")

/**
 * Nothing was written: it awaits approval.
 *
 * @since 0.1.0
 * @category secrets
 */
export const approvalRequired = (approval: { readonly id: string; readonly slug: string }): Answer =>
  ok({ approval: { ...approval, status: "open", hasMerged: false } })
