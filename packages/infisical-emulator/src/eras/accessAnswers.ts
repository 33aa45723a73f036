/**
 * What the server says of credentials, permissions and projects.
 *
 * @since 0.1.0
 */
import {
  type Answer,
  answer,
  badRequest,
  internal,
  notAllowed,
  notFound,
  refusal,
  somethingWrong,
  tokenError,
  unauthorized
} from "./response.js"

/**
 * What a request does with secrets.
 *
 * @since 0.1.0
 * @category models
 */
export type Action = "read" | "create" | "edit" | "delete"

const forbidden = (error: string) => refusal(403, error, notAllowed)

/**
 * The token may not do this in this environment and path.
 *
 * @since 0.1.0
 * @category permissions
 */
export const permissionDenied = (action: Action): Answer => {
  const message = `You are not allowed to ${action} on secrets`
  return answer(refusal(401, "PermissionDenied", message), refusal(403, "PermissionDenied", message))
}

/**
 * A service token for another project.
 *
 * @since 0.1.0
 * @category permissions
 */
export const projectNotAuthorized = (projectId: string): Answer =>
  answer(
    refusal(403, "UnauthorizedError", "Failed to find service authorization for given project"),
    forbidden(`Service token not a part of the specified project with ID ${projectId}`)
  )

/**
 * A user, who is not a member of this project.
 *
 * @since 0.1.0
 * @category permissions
 */
export const userNotInProject = (projectId: string): Answer =>
  answer(
    forbidden("User not in project"),
    forbidden(`User not a part of the specified project with ID ${projectId}`),
    forbidden("You are not member of this project"),
    refusal(403, "ProjectMembershipNotFound", `You are not a member of this project with ID ${projectId}`)
  )

/**
 * A machine identity that is not a member of this project.
 *
 * @since 0.1.0
 * @category permissions
 */
export const identityNotInProject = (projectId: string): Answer =>
  answer(
    forbidden("Identity not in project"),
    forbidden(`Identity is not a member of the specified project with ID '${projectId}'`),
    forbidden("You are not member of this project"),
    refusal(403, "ProjectMembershipNotFound", `You are not a member of this project with ID ${projectId}`)
  )

/**
 * There is no `authorization` header.
 *
 * @since 0.1.0
 * @category authentication
 */
export const tokenMissing: Answer = answer(
  refusal(403, "Unauthorized access", "Token missing"),
  unauthorized("Token missing")
)

/**
 * No service token has this id: it was deleted, or never was.
 *
 * @since 0.1.0
 * @category authentication
 */
export const serviceTokenUnknown = (id: string): Answer =>
  answer(refusal(403, "UnauthorizedError", notAllowed), notFound(`Service token with ID '${id}' not found`))

/**
 * The secret part of a service token is another.
 *
 * @since 0.1.0
 * @category authentication
 */
export const serviceTokenWrong: Answer = answer(
  refusal(403, "UnauthorizedError", notAllowed),
  unauthorized("Invalid service token")
)

/**
 * Said once: the server deletes the token with it.
 *
 * @since 0.1.0
 * @category authentication
 */
export const serviceTokenExpired: Answer = answer(
  refusal(403, "UnauthorizedError", "failed to authenticate expired service token"),
  refusal(403, "ForbiddenError", "Service token has expired")
)

/**
 * `st.<id>` without a secret.
 *
 * @since 0.1.0
 * @category authentication
 */
export const serviceTokenCut: Answer = answer(internal("data and hash arguments required"), somethingWrong)

/**
 * The access token of a machine identity was deleted or revoked.
 *
 * @since 0.1.0
 * @category authentication
 */
export const accessTokenUnknown: Answer = answer(
  refusal(403, "UnauthorizedError", notAllowed),
  unauthorized("No identity access token found"),
  unauthorized("No identity access token found"),
  unauthorized("Failed to authorize: token has been revoked")
)

/**
 * An access token that was revoked is renewed.
 *
 * @since 0.1.0
 * @category authentication
 */
export const accessTokenToRenewUnknown: Answer = answer(
  refusal(403, "UnauthorizedError", notAllowed),
  unauthorized("No identity access token found"),
  unauthorized("No identity access token found"),
  unauthorized("Cannot renew: token has been revoked")
)

/**
 * An access token is past its time to live, but not past the end that is written in it.
 *
 * @since 0.1.0
 * @category authentication
 */
export const accessTokenExpired: Answer = answer(
  refusal(403, "UnauthorizedError", "Failed to renew MI access token due to TTL expiration"),
  unauthorized("Failed to renew MI access token due to TTL expiration"),
  unauthorized("Failed to renew MI access token due to TTL expiration"),
  tokenError("Your token has expired. Please re-authenticate.")
)

/**
 * The end that is written in the token is past. No server of July 2024 looks at it.
 *
 * @since 0.1.0
 * @category authentication
 */
export const jwtExpired: Answer = answer(
  refusal(403, "UnauthorizedError", "Failed to renew MI access token due to TTL expiration"),
  tokenError("Your token has expired. Please re-authenticate.")
)

/**
 * An access token is renewed that may not live any longer.
 *
 * @since 0.1.0
 * @category authentication
 */
export const accessTokenPastMaximum: Answer = answer(
  refusal(403, "UnauthorizedError", "Failed to renew MI access token past its Max TTL expiration"),
  unauthorized("Failed to renew MI access token past its Max TTL expiration"),
  unauthorized("Failed to renew MI access token past its Max TTL expiration"),
  unauthorized("Cannot renew: identity access token has reached its max TTL")
)

/**
 * An access token is used up.
 *
 * @since 0.1.0
 * @category authentication
 */
export const accessTokenUsedUp: Answer = answer(
  badRequest("Unable to renew because access token number of uses limit reached"),
  unauthorized("Unable to renew because access token number of uses limit reached"),
  unauthorized("Unable to renew because access token number of uses limit reached"),
  unauthorized("Failed to authorize: identity access token usage limit reached")
)

/**
 * An access token that is used up is renewed.
 *
 * @since 0.1.0
 * @category authentication
 */
export const accessTokenExhausted: Answer = answer(
  badRequest("Unable to renew because access token number of uses limit reached"),
  unauthorized("Unable to renew because access token number of uses limit reached"),
  unauthorized("Unable to renew because access token number of uses limit reached"),
  unauthorized("Cannot renew exhausted access token")
)

/**
 * A login with a wrong secret.
 *
 * @since 0.1.0
 * @category authentication
 */
export const loginRefused: Answer = answer(
  refusal(403, "UnauthorizedError", "Invalid credentials"),
  unauthorized("Invalid credentials")
)

/**
 * A Universal Auth login of no identity.
 *
 * @since 0.1.0
 * @category authentication
 */
export const clientUnknown: Answer = answer(
  refusal(403, "UnauthorizedError", "Invalid credentials"),
  notFound("No identity with specified client ID was found"),
  unauthorized("Invalid credentials")
)

/**
 * A client secret is past its time, or was used as often as it may. Said once: the server revokes it with that.
 *
 * @since 0.1.0
 * @category authentication
 */
export const clientSecretSpent = (how: "expired" | "used up"): Answer => {
  const message = how === "expired"
    ? "Access denied due to expired client secret"
    : "Access denied due to client secret usage limit reached"
  return answer(
    how === "expired" ? refusal(403, "UnauthorizedError", message) : badRequest(message),
    unauthorized(message)
  )
}

/**
 * A login by what the identity is not set up for. Not every era names the method, or names the right one.
 *
 * @since 0.1.0
 * @category authentication
 */
export const methodNotConfigured = (method: string): Answer => {
  const say = (name: string, tail = "auth") =>
    notFound(`${name} auth method not found for identity, did you configure ${name} ${tail}?`)
  const today = say(method, method === "Azure" ? "Auth" : "auth")
  return answer(refusal(403, "UnauthorizedError", notAllowed), method === "OIDC" ? say("GCP") : today, today)
}

/**
 * A login of an identity that was refused too often of late.
 *
 * @since 0.1.0
 * @category authentication
 */
export const identityLocked: Answer = answer(
  unauthorized("This identity auth method is temporarily locked, please try again later")
)

/**
 * The token is good, but this route is for others.
 *
 * @since 0.1.0
 * @category authentication
 */
export const tokenOfAnotherKind = (url: string): Answer =>
  answer(forbidden(`${url} Unauthorized Access`), forbidden(`Forbidden access to ${url}`))

/**
 * The answer to a token that is malformed.
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
    | "jwt signature is required"
): Answer =>
  answer(
    internal(problem),
    tokenError(
      problem === "jwt malformed"
        ? "The provided access token is malformed. Please use a valid token or generate a new one and try again."
        : problem
    )
  )

/**
 * The server has no key to this project.
 *
 * @since 0.1.0
 * @category projects
 */
export const projectEndToEndEncrypted = (projectId: string): Answer =>
  answer(
    refusal(400, "bot_not_found_error", "Failed to find bot key"),
    notFound(
      `Project bot not found for project with ID '${projectId}'. Please ask an administrator to log-in to the Infisical Console.`
    )
  )

/**
 * There is no project of this id, to a route on which the server decrypts.
 *
 * @since 0.1.0
 * @category projects
 */
export const projectNotFound = (projectId: string): Answer =>
  answer(
    badRequest("Project not found during bot lookup."),
    notFound(
      `Project with ID '${projectId}' not found during bot lookup. Are you sure you are using the correct project ID?`
    )
  )

/**
 * There is no project of this slug.
 *
 * @since 0.1.0
 * @category projects
 */
export const projectSlugNotFound = (operation: "Failed to find project by slug" | "Find project by slug"): Answer => {
  const wrong = refusal(500, operation, "Something went wrong")
  return answer(wrong, wrong, notFound("Project with the given slug not found"))
}
