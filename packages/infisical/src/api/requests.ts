/** What the calls of all groups share: places, headers, queries, and what a request is about. */
import type * as Headers from "@effect/platform/Headers"
import type * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as Location from "../model/Location.js"
import type { RequestInfo } from "./classify.js"
import { capSeconds } from "./retryAfter.js"
import type { SecretType } from "./Wire.js"

/**
 * What is left of a route's rate limit, from the headers `x-ratelimit-*`.
 *
 * @since 0.1.0
 * @category models
 */
export interface RateLimit {
  readonly limit: number
  readonly remaining: number
  /** How long until all of it is there again; at most `retry.maxRetryAfter`. */
  readonly resetAfter: Duration.Duration
}

/**
 * The answer to a conditional read: nothing new under the ETag that was sent, or all of it with its ETag.
 *
 * @since 0.1.0
 * @category models
 */
export type ConditionalResponse<A> =
  | { readonly _tag: "NotModified"; readonly rateLimit: Option.Option<RateLimit> }
  | {
    readonly _tag: "Modified"
    readonly rateLimit: Option.Option<RateLimit>
    readonly answer: A
    readonly etag: Option.Option<string>
  }

/**
 * Which location a call is about, and with whose access.
 *
 * @since 0.1.0
 * @category models
 */
export interface Place {
  readonly accessToken: Redacted.Redacted<string>
  readonly projectId: string
  readonly location: Location.Location
}

/**
 * Which secret a call is about, and with whose access.
 *
 * @since 0.1.0
 * @category models
 */
export interface Target extends Place {
  readonly name: string
  readonly type: SecretType
}

export const authorization = (accessToken: Redacted.Redacted<string>) => ({
  authorization: `Bearer ${Redacted.value(accessToken)}`
})

export const authorized = ({ accessToken }: Place) => ({ headers: authorization(accessToken) })

export const named = (target: Target) => ({ ...authorized(target), path: { secretName: target.name } })

export const conditional = ({ accessToken }: Place, etag: Option.Option<string>) => ({
  ...authorization(accessToken),
  ...Option.match(etag, { onNone: () => ({}), onSome: (etag) => ({ "if-none-match": etag }) })
})

/** The place in a request of v3, which says `workspaceId`. */
export const v3 = ({ location, projectId }: Place) => ({
  workspaceId: projectId,
  environment: location.environment,
  secretPath: location.secretPath
})

/** The place in a request of v4, which says `projectId`. */
export const v4 = ({ location, projectId }: Place) => ({
  projectId,
  environment: location.environment,
  secretPath: location.secretPath
})

/** The place in a request about folders and imports of v2, which says `projectId`. */
export const folderPlaceV2 = ({ location, projectId }: Place) => ({
  projectId,
  environment: location.environment,
  path: location.secretPath
})

/** The place in a request about folders and imports of v1, which says `workspaceId`. */
export const folderPlace = ({ location, projectId }: Place) => ({
  workspaceId: projectId,
  environment: location.environment,
  path: location.secretPath
})

export const flag = (value: boolean) => value ? "true" as const : "false" as const

export const secretOf = <A>({ secret }: { readonly secret: A }): A => secret

export const secretsOf = <A>({ secrets }: { readonly secrets: A }): A => secrets

/** The answer to a conditional read of one secret, as `readConditional` takes it. */
export const answeredSecret = <A, R>(
  [answer, response]: readonly [{ readonly secret: A } | void, R]
): readonly [A | void, R] => [answer === undefined ? answer : answer.secret, response]

export const readRateLimit = (headers: Headers.Headers, max: Duration.Duration): Option.Option<RateLimit> => {
  const [limit, remaining, reset] = ["limit", "remaining", "reset"].map((name) => {
    const text = headers[`x-ratelimit-${name}`]
    return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined
  })
  return limit === undefined || remaining === undefined || reset === undefined
    ? Option.none()
    : Option.some({ limit, remaining, resetAfter: capSeconds(reset, max) })
}

export const locationRequest = (
  endpoint: string,
  action: RequestInfo["action"],
  { location }: Place
): RequestInfo => ({
  endpoint,
  action,
  environment: location.environment,
  secretPath: location.secretPath
})

export const secretRequest = (endpoint: string, action: RequestInfo["action"], target: Target): RequestInfo => ({
  ...locationRequest(endpoint, action, target),
  secretNames: [target.name]
})

export const batchRequest = (
  endpoint: string,
  action: RequestInfo["action"],
  place: Place,
  secretNames: ReadonlyArray<string>
): RequestInfo => ({ ...locationRequest(endpoint, action, place), secretNames })
