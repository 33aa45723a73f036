/**
 * A status and a body.
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
 * A body with status 200.
 *
 * @since 0.1.0
 * @category constructors
 */
export const ok = (body: unknown): Answer => ({ status: 200, body })

export const refusal = (statusCode: number, error: string, message: unknown): Answer => ({
  status: statusCode,
  body: { statusCode, message, error }
})

export const notFound = (message: string): Answer => refusal(404, "NotFound", message)

export const tokenError = (message: string): Answer => refusal(403, "TokenError", message)

export const badRequest = (message: string): Answer => refusal(400, "BadRequest", message)

export const internal = (message: string): Answer => refusal(500, "Internal Server Error", message)

export const contentRefused = (statusCode: number, code: string, error: string, message: string): Answer => ({
  status: statusCode,
  body: { statusCode, code, error, message }
})
