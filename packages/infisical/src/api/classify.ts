/**
 * What a refusal means. Decided on status, `error` and `message` together, since the eras of servers disagree on
 * statuses (`wire/` "Errors"). Nothing that the server wrote is repeated in the error: it may quote what was sent.
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import type { Action, AnswerError, Resource } from "../model/InfisicalError.js"
import {
  AlreadyExistsError,
  AuthenticationError,
  InvalidRequestError,
  NetworkError,
  NotFoundError,
  PermissionError,
  UnexpectedResponseError
} from "../model/InfisicalError.js"
import { defined } from "../support/defined.js"

/** What was asked for; names and places, never values. */
export interface RequestInfo {
  /** Method and route, for example `GET /api/v3/secrets`. */
  readonly endpoint: string
  readonly action: Action | undefined
  /** Those that the request is about: one, or those of a batch. */
  readonly secretNames?: ReadonlyArray<string>
  readonly environment?: string | undefined
  readonly secretPath?: string | undefined
  /** The folder that is to be made, or the name that one is to get. */
  readonly folderName?: string | undefined
}

export interface Refusal {
  readonly status: number
  /** The parsed body; `undefined` where it is no JSON. */
  readonly body: unknown
  readonly retryAfter: string | undefined
}

export const classify = (refusal: Refusal, info: RequestInfo): AnswerError => {
  const { status } = refusal
  const body = Predicate.isRecord(refusal.body) ? refusal.body : {}
  const error = typeof body["error"] === "string" ? body["error"] : ""
  const words = typeof body["message"] === "string" ? body["message"] : ""
  const message = withoutNames(words)
  const issues = Array.isArray(body["message"]) ? body["message"] : body["details"]
  const requestId = safeRequestId(body["reqId"])
  const { endpoint } = info
  const place = defined({ environment: info.environment, secretPath: info.secretPath })
  const secret = { ...place, ...defined({ secretName: culprit(words, info.secretNames ?? []) }) }

  const notFound = (resource: Resource) => new NotFoundError({ resource, ...(resource === "secret" ? secret : place) })
  const invalid = (parameter: string, problem: string) =>
    new InvalidRequestError({ parameter, problem, status, ...requestId })
  const refused = (reason: AuthenticationError["reason"]) =>
    new AuthenticationError({ reason, endpoint, status, ...requestId })
  const forbidden = (problem: PermissionError["problem"]) =>
    new PermissionError({ endpoint, problem, ...defined({ action: info.action }), ...place, ...requestId })
  const failed = (mayHaveBeenApplied: boolean) =>
    new NetworkError({ reason: "ServerFailure", endpoint, mayHaveBeenApplied, status, ...requestId })

  // What any server or proxy means by its status alone.
  if (status === 429) {
    return new NetworkError({
      reason: "RateLimited",
      endpoint,
      mayHaveBeenApplied: false,
      status,
      ...requestId,
      ...Option.match(parseRetryAfter(refusal.retryAfter), {
        onNone: () => ({}),
        onSome: (retryAfter) => ({ retryAfter })
      })
    })
  }
  if (status === 413) {
    return invalid("value", "it is too large. A request may have 1 MiB, so an encrypted value about 750 KB.")
  }
  if (status >= 300 && status < 400) {
    return invalid("siteUrl", "the server there sends us on to another address. Set the one that it sends us to.")
  }
  const isOfInfisical = body["statusCode"] === status && (error !== "" || message !== "")
  if (!isOfInfisical) {
    return status >= 500 ? failed(isWrite(info)) : new UnexpectedResponseError({
      endpoint,
      status,
      problem: refusal.body === undefined ? "the body is not JSON" : "the body is no error of Infisical",
      ...requestId
    })
  }

  if (error === "ValidationFailure" || status === 422) return invalid(...validationProblem(issues))
  if (/^Route [A-Z]+:/.test(message)) {
    return invalid(
      "siteUrl",
      `the server has no route for ${endpoint}. Check siteUrl, and that the server is of a version that has it.`
    )
  }

  const missing = missingResource(message) ?? missingResource(error)
  if (missing !== undefined) return notFound(missing)
  if (/^(A )?(secret|folder)\b.*already exist/i.test(message)) return new AlreadyExistsError(secret)

  if (/temporarily locked/i.test(message)) return refused("Locked")
  if (expired.test(message)) return refused("Expired")
  if (error === "TokenError" || malformedToken.test(message)) return refused("Refused")
  if (/^(Token missing|Invalid credentials)/.test(message)) return refused("Refused")
  if (
    message.startsWith("Failed to find service authorization for given project") || error === "Identity not in project"
  ) {
    return forbidden("project")
  }
  if (message === "You are not allowed to access this resource") return refused("Refused")
  if (error === "PermissionDenied") return forbidden("scope")
  if (status === 401) return refused("Refused")
  if (status === 403) return forbidden("scope")

  if (message.startsWith("Must be user to create personal secret")) return forbidden("personal secret")
  if (error === "bot_not_found_error") {
    return invalid(
      "project",
      "it is end-to-end encrypted, so the server cannot decrypt it. Use a service token with its key part, or upgrade the project."
    )
  }

  if (message === "Cyclic import not allowed") {
    return invalid("source", "that folder imports this one, so that they would import each other")
  }

  if (message.startsWith("Infisical is in maintenance mode")) return failed(false)
  // The same answer as for a database that is down; the path tells them apart.
  if (error === "Find by secret path" && [info.secretPath, info.folderName].some(isNoPath)) {
    return invalid("secretPath", "a folder's name is letters, digits, dashes and underscores")
  }
  if (message === "Unsupported state or unable to authenticate data") {
    return invalid("value", "the server cannot decrypt it: it was encrypted with another key than the project's")
  }
  if (status >= 500) return failed(isWrite(info))
  if (status === 404) return notFound(info.secretNames === undefined ? "folder" : "secret")
  return invalid("request", "the server refuses it. Its log says why.")
}

/** Whether the server has no such route, as one of another era. */
export const isRouteMissing = (error: { readonly _tag: string }): boolean =>
  error instanceof InvalidRequestError && error.parameter === "siteUrl" && error.status === 404

const isWrite = ({ action }: RequestInfo): boolean => action !== undefined && action !== "read"

// Of those that were sent, the one that the server names; it must be one of them, since nothing else is repeated.
const culprit = (words: string, names: ReadonlyArray<string>): string | undefined =>
  names.length <= 1 ?
    names[0] :
    names.find((name) =>
      words.endsWith(`blind index ${name}`) || words.includes(`'${name}'`) || words.includes(`"${name}"`)
    )

// A name or path in a message must not decide what the message means.
const withoutNames = (message: string): string =>
  message.replace(/blind index .*/s, "blind index").replace(/(['"`]).*\1/gs, "$1$1")

const expired =
  /^(failed to authenticate expired service token|Failed to renew MI access token|Unable to renew because access token number of uses limit reached|jwt expired|Service token has expired|Token has expired|Access token has expired)/i

// 2024-07 answers 500 to these.
const malformedToken =
  /^(jwt malformed|invalid token|invalid signature|jwt must be provided|data and hash arguments required)/

const isNoPath = (text: string | undefined): boolean => text !== undefined && !/^[\w/-]*$/.test(text)

const missingResource = (message: string): Resource | undefined =>
  message.startsWith("Failed to create personal secret override for no corresponding shared secret")
    ? "secret"
    : /^Failed to find project by slug|^Project (not found|with .*not found)/i.test(message)
    ? "project"
    : /^Secret (not found|with .*not found)/i.test(message)
    ? "secret"
    : /^(Secret )?import (not found|with .*not found)/i.test(message)
    ? "import"
    : /^Folder (not found|with .*not found)/i.test(message)
    ? "folder"
    : /^(''|Environment.*|.*environment with.*) (environment )?not found/i.test(message)
    ? "environment"
    : undefined

// A validation issue quotes the input it received; its path and code do not.
const validationProblem = (issues: unknown): [parameter: string, problem: string] => {
  const described = (Array.isArray(issues) ? issues : []).filter(Predicate.isRecord).map((issue) => {
    const path = Array.isArray(issue["path"]) ? issue["path"] : []
    return {
      path: path.filter((key) => typeof key === "number" || /^\w{1,64}$/.test(String(key))).join("."),
      code: typeof issue["code"] === "string" && /^\w{1,64}$/.test(issue["code"]) ? issue["code"] : "invalid"
    }
  })
  const problem = described.map((issue) => `${issue.path || "the body"} is ${issue.code}`).join(", ")
  return [described[0]?.path || "request", `the server's validation refuses it${problem === "" ? "" : `: ${problem}`}`]
}

const parseRetryAfter = (header: string | undefined): Option.Option<Duration.Duration> =>
  header !== undefined && /^\d{1,9}$/.test(header.trim())
    ? Option.some(Duration.seconds(Number(header)))
    : Option.none()

const safeRequestId = (value: unknown): { readonly requestId?: string } =>
  typeof value === "string" && /^[\w-]{1,64}$/.test(value) ? { requestId: value } : {}
