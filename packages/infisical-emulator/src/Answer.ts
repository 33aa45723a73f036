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
  readonly headers?: Readonly<Record<string, string>>
  /** What a server of today says instead. */
  readonly current?: Pick<Answer, "status" | "body">
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
  readonly minimum?: number
  readonly type?: string
  readonly inclusive?: boolean
  readonly exact?: boolean
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

const notFound = (message: string): Answer => refusal(404, "NotFound", message)

const tokenError = (message: string): Answer => refusal(403, "TokenError", message)

const badRequest = (message: string): Answer => refusal(400, "BadRequest", message)

const internal = (message: string): Answer => refusal(500, "Internal Server Error", message)

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
 * A batch deletes a name that there are two secrets of: the server deletes them, and does not expect that.
 *
 * @since 0.1.0
 * @category secrets
 */
export const deletedTwice: Answer = internal("Cannot read properties of undefined (reading 'secretName')")

/**
 * A batch of nothing.
 *
 * @since 0.1.0
 * @category requests
 */
export const batchEmpty = (): Answer =>
  validationFailure([{
    code: "too_small",
    minimum: 1,
    type: "array",
    inclusive: true,
    exact: false,
    message: "Array must contain at least 1 element(s)",
    path: ["secrets"]
  }])

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
export const importedEnvironmentNotFound = (environment: string): Answer => ({
  ...refusal(400, "Create import", "The request is invalid"),
  current: environmentUnknown(environment)
})

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

/**
 * The token may not do this in this environment and path.
 *
 * @since 0.1.0
 * @category permissions
 */
export const permissionDenied = (action: Action): Answer => ({
  ...refusal(401, "PermissionDenied", `You are not allowed to ${action} on secrets`),
  current: refusal(403, "PermissionDenied", `You are not allowed to ${action} on secrets`)
})

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
 * A machine identity that is not a member of this project.
 *
 * @since 0.1.0
 * @category permissions
 */
export const identityNotInProject: Answer = refusal(403, "Identity not in project", notAllowed)

/**
 * There is no `authorization` header.
 *
 * @since 0.1.0
 * @category authentication
 */
export const tokenMissing: Answer = {
  ...refusal(403, "Unauthorized access", "Token missing"),
  current: refusal(401, "UnauthorizedError", "Token missing")
}

/**
 * The token is unknown, its secret is another, or it was revoked.
 *
 * @since 0.1.0
 * @category authentication
 */
export const tokenRefused: Answer = {
  ...refusal(403, "UnauthorizedError", notAllowed),
  current: tokenError("Invalid token")
}

/**
 * Said once: the server deletes the token with it.
 *
 * @since 0.1.0
 * @category authentication
 */
export const tokenExpired: Answer = {
  ...refusal(403, "UnauthorizedError", "failed to authenticate expired service token"),
  current: refusal(401, "UnauthorizedError", "Service token has expired")
}

/**
 * An access token is past its time to live; said once, and deleted with it.
 *
 * @since 0.1.0
 * @category authentication
 */
export const accessTokenExpired: Answer = {
  ...refusal(403, "UnauthorizedError", "Failed to renew MI access token due to TTL expiration"),
  current: refusal(401, "UnauthorizedError", "Failed to renew MI access token due to TTL expiration")
}

/**
 * An access token is renewed that may not live any longer; it is deleted with that.
 *
 * @since 0.1.0
 * @category authentication
 */
export const accessTokenPastMaximum: Answer = {
  ...refusal(403, "UnauthorizedError", "Failed to renew MI access token past its Max TTL expiration"),
  current: refusal(401, "UnauthorizedError", "Failed to renew MI access token past its Max TTL expiration")
}

/**
 * An access token is used up; said once, and deleted with it.
 *
 * @since 0.1.0
 * @category authentication
 */
export const accessTokenUsedUp: Answer = badRequest(
  "Unable to renew because access token number of uses limit reached"
)

/**
 * A login with what no identity has.
 *
 * @since 0.1.0
 * @category authentication
 */
export const loginRefused: Answer = {
  ...refusal(403, "UnauthorizedError", "Invalid credentials"),
  current: refusal(401, "UnauthorizedError", "Invalid credentials")
}

/**
 * A login of an identity that was refused too often of late; only servers of today lock.
 *
 * @since 0.1.0
 * @category authentication
 */
export const identityLocked: Answer = refusal(
  401,
  "UnauthorizedError",
  "This identity auth method is temporarily locked, please try again later"
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
): Answer => ({ ...internal(problem), current: tokenError(problem) })

/**
 * The server has no key to this project.
 *
 * @since 0.1.0
 * @category projects
 */
export const projectEndToEndEncrypted: Answer = refusal(400, "bot_not_found_error", "Failed to find bot key")

/**
 * There is no project of this id, to a route on which the server decrypts.
 *
 * @since 0.1.0
 * @category projects
 */
export const projectNotFound: Answer = {
  ...badRequest("Project not found during bot lookup."),
  current: notFound("Project with the given ID not found")
}

/**
 * There is no project of this slug.
 *
 * @since 0.1.0
 * @category projects
 */
export const projectSlugNotFound: Answer = {
  ...refusal(500, "Failed to find project by slug", "Something went wrong"),
  current: notFound("Project with the given slug not found")
}

/**
 * A read without a project or an environment, on a route on which the server decrypts.
 *
 * @since 0.1.0
 * @category requests
 */
export const placeMissing = (
  message:
    | "Missing workspace id or environment"
    | "Missing environment"
    | "You must provide workspaceSlug or workspaceId"
): Answer => badRequest(message)

/**
 * The body lacks a text.
 *
 * @since 0.1.0
 * @category requests
 */
export const textMissing = (field: string): Answer =>
  validationFailure([{
    code: "invalid_type",
    expected: "string",
    received: "undefined",
    path: [field],
    message: "Required"
  }])

/**
 * Said to whoever may move secrets: this server does not.
 *
 * @since 0.1.0
 * @category requests
 */
export const movesNothing: Answer = refusal(501, "NotImplemented", "The emulator moves no secrets")

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

/**
 * Something in the query or body is missing or of the wrong type.
 *
 * @since 0.1.0
 * @category requests
 */
export const validationFailure = (issues: ReadonlyArray<ValidationIssue>): Answer => ({
  ...refusal(403, "ValidationFailure", issues),
  current: { status: 422, body: { statusCode: 422, message: issues, error: "ValidationFailure", details: issues } }
})

/**
 * The URL is the one that was sent, with its query.
 *
 * @since 0.1.0
 * @category requests
 */
export const routeNotFound = (method: string, url: string): Answer =>
  refusal(404, "Not Found", `Route ${method}:${url} not found`)

/**
 * The client asked this route too often; the window is as people say it, the rest of it in seconds.
 *
 * @since 0.1.0
 * @category requests
 */
export const rateLimited = (window: string, rest: number): Answer => ({
  status: 429,
  body: { statusCode: 429, error: "Too Many Requests", message: `Rate limit exceeded, retry in ${window}` },
  current: refusal(429, "RateLimitExceeded", `Rate limit exceeded. Please try again in ${rest} seconds`)
})

/**
 * Whoever runs the server has put it into maintenance mode.
 *
 * @since 0.1.0
 * @category requests
 */
export const inMaintenance: Answer = internal("Infisical is in maintenance mode. Please try again later.")

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
