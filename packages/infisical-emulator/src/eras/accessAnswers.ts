/**
 * What the server says of credentials, permissions and projects.
 *
 * @since 0.1.0
 */
import { type Answer, badRequest, internal, notFound, refusal, tokenError } from "./response.js"

/**
 * What somebody wanted to do with secrets.
 *
 * @since 0.1.0
 * @category models
 */
export type Action = "read" | "create" | "edit" | "delete"

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
