/**
 * What the server says of requests, before it looks at what they are about.
 *
 * @since 0.1.0
 */
import {
  always,
  type Answer,
  answer,
  badRequest,
  internal,
  notFound,
  ofFramework,
  refusal,
  somethingWrong,
  type ValidationIssue
} from "./response.js"

/**
 * Something in the query or body is missing or of the wrong type.
 *
 * @since 0.1.0
 * @category requests
 */
export const validationFailure = (issues: ReadonlyArray<ValidationIssue>): Answer =>
  answer(
    refusal(403, "ValidationFailure", issues),
    refusal(401, "ValidationFailure", issues),
    refusal(422, "ValidationFailure", issues)
  )

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
 * A reminder every zero days.
 *
 * @since 0.1.0
 * @category requests
 */
export const reminderTooSmall = (path: ReadonlyArray<PropertyKey>): Answer =>
  validationFailure([{
    code: "too_small",
    minimum: 1,
    type: "number",
    inclusive: true,
    exact: false,
    message: "Number must be greater than or equal to 1",
    path
  }])

/**
 * A name of a new secret that has a slash or a colon. The words are of Infisical's validation of names.
 *
 * @since 0.1.0
 * @category requests
 */
export const secretNameInvalid = (character: "colon" | "forward slash", path: ReadonlyArray<PropertyKey>): Answer =>
  validationFailure([{ code: "custom", message: `Secret name cannot contain ${character}.`, path }])

/**
 * The body lacks a text.
 *
 * @since 0.1.0
 * @category requests
 */
export const textMissing = (field: PropertyKey | ReadonlyArray<PropertyKey>): Answer =>
  validationFailure([{
    code: "invalid_type",
    expected: "string",
    received: "undefined",
    path: [field].flat(),
    message: "Required"
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
    | "Must provide either project slug or projectId"
): Answer => answer(badRequest(message))

/**
 * The answer to an identity that may move secrets: this server does not move any.
 *
 * @since 0.1.0
 * @category requests
 */
export const movesNothing: Answer = answer(refusal(501, "NotImplemented", "The emulator moves no secrets"))

/**
 * The URL is the one that was sent, with its query.
 *
 * @since 0.1.0
 * @category requests
 */
export const routeNotFound = (method: string, url: string): Answer =>
  answer(refusal(404, "Not Found", `Route ${method}:${url} not found`))

/**
 * A percent sign in the path that encodes nothing.
 *
 * @since 0.1.0
 * @category requests
 */
export const urlMalformed = (url: string): Answer =>
  always(400, {
    error: "Bad Request",
    code: "FST_ERR_BAD_URL",
    message: `'${url}' is not a valid url component`,
    statusCode: 400
  })

/**
 * The preflight of a browser without what makes it one.
 *
 * @since 0.1.0
 * @category requests
 */
export const preflightInvalid: Answer = always(400, "Invalid Preflight Request")

/**
 * The client asked this route too often; the window is as people say it, the rest of it in seconds.
 *
 * @since 0.1.0
 * @category requests
 */
export const rateLimited = (window: string, rest: number): Answer =>
  answer(
    {
      status: 429,
      body: { statusCode: 429, error: "Too Many Requests", message: `Rate limit exceeded, retry in ${window}` }
    },
    refusal(429, "RateLimitExceeded", `Rate limit exceeded. Please try again in ${window}`),
    refusal(429, "RateLimitExceeded", `Rate limit exceeded. Please try again in ${rest} seconds`)
  )

/**
 * The operator has put the server into maintenance mode.
 *
 * @since 0.1.0
 * @category requests
 */
export const inMaintenance: Answer = answer(internal("Infisical is in maintenance mode. Please try again later."))

/**
 * The body is larger than 1 MiB.
 *
 * @since 0.1.0
 * @category requests
 */
export const bodyTooLarge: Answer = answer(
  ofFramework(413, "FST_ERR_CTP_BODY_TOO_LARGE", "Payload Too Large", "Request body is too large"),
  somethingWrong
)

/**
 * The body is said to be JSON, but there is none.
 *
 * @since 0.1.0
 * @category requests
 */
export const bodyEmpty: Answer = answer(
  ofFramework(
    400,
    "FST_ERR_CTP_EMPTY_JSON_BODY",
    "Bad Request",
    "Body cannot be empty when content-type is set to 'application/json'"
  ),
  somethingWrong
)

/**
 * The body is said to be JSON, and is not.
 *
 * @since 0.1.0
 * @category requests
 */
export const bodyNotJson = (problem: string): Answer => answer(refusal(400, "Bad Request", problem), somethingWrong)

/**
 * The body is neither JSON, a form nor a text.
 *
 * @since 0.1.0
 * @category requests
 */
export const mediaTypeUnsupported = (mediaType: string): Answer =>
  answer(
    ofFramework(
      415,
      "FST_ERR_CTP_INVALID_MEDIA_TYPE",
      "Unsupported Media Type",
      `Unsupported Media Type: ${mediaType}`
    ),
    somethingWrong
  )

/**
 * A tag that the project does not have.
 *
 * @since 0.1.0
 * @category requests
 */
export const tagNotFound: Answer = answer(badRequest("Tag not found"), notFound("One or more tags not found"))
