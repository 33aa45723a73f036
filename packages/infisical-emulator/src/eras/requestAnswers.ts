/**
 * What the server says of requests, before it looks at what they are about.
 *
 * @since 0.1.0
 */
import { type Answer, badRequest, contentRefused, internal, refusal, type ValidationIssue } from "./response.js"

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
