/**
 * A status and a body, in the words of each era.
 *
 * @since 0.1.0
 */
import { type Columns, columns } from "./columns.js"

/**
 * A status and a body, before the body is written as JSON.
 *
 * @since 0.1.0
 * @category models
 */
export interface Said {
  readonly status: number
  readonly body: unknown
}

/**
 * An answer, in the words of each era.
 *
 * @since 0.1.0
 * @category models
 */
export interface Answer {
  readonly said: Columns<Said>
  readonly headers?: Readonly<Record<string, string>>
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
 * What each era says, from the oldest on. An era that is left out says the same as the one before it.
 *
 * @since 0.1.0
 * @category constructors
 */
export const answer = (
  of2024July: Said,
  of2024October?: Said,
  of2025?: Said,
  of2026?: Said
): Answer => ({ said: columns(of2024July, of2024October, of2025, of2026) })

/**
 * A body with a status, the same in every era.
 *
 * @since 0.1.0
 * @category constructors
 */
export const always = (status: number, body: unknown): Answer => answer({ status, body })

/**
 * A body with status 200.
 *
 * @since 0.1.0
 * @category constructors
 */
export const ok = (body: unknown): Answer => always(200, body)

export const refusal = (statusCode: number, error: string, message: unknown): Said => ({
  status: statusCode,
  body: { statusCode, message, error }
})

export const notFound = (message: string): Said => refusal(404, "NotFound", message)

export const tokenError = (message: string): Said => refusal(403, "TokenError", message)

export const unauthorized = (message: string): Said => refusal(401, "UnauthorizedError", message)

export const badRequest = (message: string): Said => refusal(400, "BadRequest", message)

export const internal = (message: string): Said => refusal(500, "Internal Server Error", message)

/** The answer to an error that a server of October 2024 or later does not know. */
export const somethingWrong: Said = refusal(500, "InternalServerError", "Something went wrong")

/** The default message of an error. */
export const notAllowed = "You are not allowed to access this resource"

/** An error of the framework, as servers of July 2024 pass it on. */
export const ofFramework = (statusCode: number, code: string, error: string, message: string): Said => ({
  status: statusCode,
  body: { statusCode, code, error, message }
})
