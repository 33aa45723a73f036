/**
 * What the server answers: a status and a body, in the words of a self-hosted server of July 2024.
 *
 * @since 0.1.0
 */

/**
 * An answer, before it is written as JSON.
 *
 * @since 0.1.0
 * @category models
 */
export interface Answer {
  readonly status: number
  readonly body: unknown
}

/**
 * One thing that is wrong with a request, as the server's validator reports it.
 *
 * @since 0.1.0
 * @category models
 */
export interface ValidationIssue {
  readonly code: string
  readonly path: ReadonlyArray<PropertyKey>
  readonly message: string
  readonly expected?: string
  readonly received?: unknown
  readonly options?: ReadonlyArray<string>
}

/**
 * What somebody wanted to do with secrets.
 *
 * @since 0.1.0
 * @category models
 */
export type Action = "read" | "create" | "edit" | "delete"

/**
 * A body with status 200.
 *
 * @since 0.1.0
 * @category constructors
 */
export const ok = (body: unknown): Answer => ({ status: 200, body })

const refusal = (statusCode: number, error: string, message: unknown): Answer => ({
  status: statusCode,
  body: { statusCode, message, error }
})

const badRequest = (message: string): Answer => refusal(400, "BadRequest", message)

const internal = (message: string): Answer => refusal(500, "Internal Server Error", message)

/**
 * No secret of this name, to a read.
 *
 * @since 0.1.0
 * @category secrets
 */
export const secretNotFound: Answer = badRequest("Secret not found")

/**
 * No secret of this name, to a write.
 *
 * @since 0.1.0
 * @category secrets
 */
export const secretToWriteNotFound = (secretName: string): Answer =>
  badRequest(`Secret not found: blind index ${secretName}`)

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
 * Said on every route but the list, whatever the request wanted to do.
 *
 * @since 0.1.0
 * @category folders
 */
export const folderNotFound: Answer = refusal(
  400,
  "Create secret",
  "Folder not found for the given environment slug & secret path"
)

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
export const environmentNotFound = (environment: string, projectId: string): Answer =>
  internal(`'${environment}' environment not found in project with ID ${projectId}`)

/**
 * The token may not do this in this environment and path.
 *
 * @since 0.1.0
 * @category permissions
 */
export const permissionDenied = (action: Action): Answer =>
  refusal(401, "PermissionDenied", `You are not allowed to ${action} on secrets`)

/**
 * A service token for another project.
 *
 * @since 0.1.0
 * @category permissions
 */
export const projectNotAuthorized: Answer = refusal(
  403,
  "UnauthorizedError",
  "Failed to find service authorization for given project"
)

const notAllowed = "You are not allowed to access this resource"

/**
 * A user, who is not a member of this project.
 *
 * @since 0.1.0
 * @category permissions
 */
export const userNotInProject: Answer = refusal(403, "User not in project", notAllowed)

/**
 * There is no `authorization` header.
 *
 * @since 0.1.0
 * @category authentication
 */
export const tokenMissing: Answer = refusal(403, "Unauthorized access", "Token missing")

/**
 * The token is unknown, its secret is another, or it was revoked.
 *
 * @since 0.1.0
 * @category authentication
 */
export const tokenRefused: Answer = refusal(403, "UnauthorizedError", notAllowed)

/**
 * Said once: the server deletes the token with it.
 *
 * @since 0.1.0
 * @category authentication
 */
export const tokenExpired: Answer = refusal(
  403,
  "UnauthorizedError",
  "failed to authenticate expired service token"
)

/**
 * The token is good, but this route is for others.
 *
 * @since 0.1.0
 * @category authentication
 */
export const tokenOfAnotherKind = (url: string): Answer => refusal(403, `${url} Unauthorized Access`, notAllowed)

/**
 * What is said of a token that is none.
 *
 * @since 0.1.0
 * @category authentication
 */
export const tokenMalformed = (
  problem:
    | "jwt must be provided"
    | "jwt malformed"
    | "invalid token"
    | "invalid signature"
    | "data and hash arguments required"
): Answer => internal(problem)

/**
 * Something in the query or body is missing or of the wrong type.
 *
 * @since 0.1.0
 * @category requests
 */
export const validationFailure = (issues: ReadonlyArray<ValidationIssue>): Answer =>
  refusal(403, "ValidationFailure", issues)

/**
 * The URL is the one that was sent, with its query.
 *
 * @since 0.1.0
 * @category requests
 */
export const routeNotFound = (method: string, url: string): Answer =>
  refusal(404, "Not Found", `Route ${method}:${url} not found`)

const contentRefused = (statusCode: number, code: string, error: string, message: string): Answer => ({
  status: statusCode,
  body: { statusCode, code, error, message }
})

/**
 * The body is larger than 1 MiB.
 *
 * @since 0.1.0
 * @category requests
 */
export const bodyTooLarge: Answer = contentRefused(
  413,
  "FST_ERR_CTP_BODY_TOO_LARGE",
  "Payload Too Large",
  "Request body is too large"
)

/**
 * The body is said to be JSON, but there is none.
 *
 * @since 0.1.0
 * @category requests
 */
export const bodyEmpty: Answer = contentRefused(
  400,
  "FST_ERR_CTP_EMPTY_JSON_BODY",
  "Bad Request",
  "Body cannot be empty when content-type is set to 'application/json'"
)

/**
 * The body is said to be JSON, and is not.
 *
 * @since 0.1.0
 * @category requests
 */
export const bodyNotJson = (problem: string): Answer => refusal(400, "Bad Request", problem)

/**
 * The body is neither JSON, a form nor a text.
 *
 * @since 0.1.0
 * @category requests
 */
export const mediaTypeUnsupported = (mediaType: string): Answer =>
  contentRefused(
    415,
    "FST_ERR_CTP_INVALID_MEDIA_TYPE",
    "Unsupported Media Type",
    `Unsupported Media Type: ${mediaType}`
  )
