/**
 * What a refusal means. Decided on status, `error` and `message` together, since the eras of servers disagree on
 * statuses (`packages/recordings/README.md`). Nothing that the server wrote is repeated in the error: it may quote what
 * was sent.
 *
 * A server, or what answers in its place, may send anything: no body makes this throw, and the time that a text takes
 * grows with its length only.
 */
import type * as Duration from "effect/Duration"
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

/** What a request is about: names and places, never values. */
export interface RequestInfo {
  /** Method and route, for example `GET /api/v3/secrets`. */
  readonly endpoint: string
  readonly action: Action | undefined
  /** The names in the request: one, or those of a batch. */
  readonly secretNames?: ReadonlyArray<string>
  readonly environment?: string | undefined
  readonly secretPath?: string | undefined
  /** The name of the folder to create, or the new name of a folder. */
  readonly folderName?: string | undefined
}

export interface Refusal {
  readonly status: number
  /** The parsed body; `undefined` if it is not JSON. */
  readonly body: unknown
  /** How long the server asks to wait, already capped. */
  readonly retryAfter: Duration.Duration | undefined
}

/** How much of a message is looked at. Infisical's longest are those of a batch, which list names at their end. */
const maxTextLength = 2048

const textOf = (value: unknown): string => typeof value === "string" ? value.slice(0, maxTextLength) : ""

export const classify = (refusal: Refusal, info: RequestInfo): AnswerError => {
  const { status } = refusal
  const body = Predicate.isRecord(refusal.body) ? refusal.body : {}
  const error = textOf(body["error"])
  const words = textOf(body["message"])
  const message = withoutNames(words)
  const issues = Array.isArray(body["message"]) ? body["message"] : body["details"]
  const requestId = safeRequestId(body["reqId"])
  const retryAfter = defined({ retryAfter: refusal.retryAfter })
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
    new NetworkError({ reason: "ServerFailure", endpoint, mayHaveBeenApplied, status, ...retryAfter, ...requestId })

  // What any server or proxy means by its status alone.
  if (status === 429) {
    return new NetworkError({
      reason: "RateLimited",
      endpoint,
      mayHaveBeenApplied: false,
      status,
      ...retryAfter,
      ...requestId
    })
  }
  if (status === 413) {
    return invalid("value", "it is too large. A request may have 1 MiB, so an encrypted value about 750 KB.")
  }
  // A browser hides the status of a redirect.
  if (status === 0 || (status >= 300 && status < 400)) {
    return invalid("siteUrl", "the server redirects to another address. Set siteUrl to that address.")
  }
  const isOfInfisical = body["statusCode"] === status && (error !== "" || words !== "")
  if (!isOfInfisical) {
    return status >= 500 ? failed(isWrite(info)) : new UnexpectedResponseError({
      endpoint,
      status,
      problem: refusal.body === undefined ? "the body is not JSON" : "the body is not an error of Infisical",
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

  const missing = missingResource(message.toLowerCase()) ?? missingResource(error.toLowerCase())
  if (missing !== undefined) return notFound(missing)
  if (/^(a )?(secret|folder)\b/i.test(message) && message.toLowerCase().includes("already exist")) {
    return new AlreadyExistsError(secret)
  }

  if (message.toLowerCase().includes("temporarily locked")) return refused("Locked")
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
    return invalid("source", "that folder imports this one, so they would import each other")
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

/** Whether the server has no such route, because it is older or newer than the route. */
export const isRouteMissing = (error: { readonly _tag: string }): boolean =>
  error instanceof InvalidRequestError && error.parameter === "siteUrl" && error.status === 404

export const isWrite = ({ action }: RequestInfo): boolean => action !== undefined && action !== "read"

// Only a name that was sent is repeated.
const culprit = (words: string, names: ReadonlyArray<string>): string | undefined =>
  names.length <= 1 ?
    names[0] :
    names.find((name) =>
      words.endsWith(`blind index ${name}`) || words.includes(`'${name}'`) || words.includes(`"${name}"`)
    )

// A name or path in a message must not decide what the message means.
const withoutNames = (message: string): string => {
  const end = message.indexOf("blind index ")
  return withoutQuoted(end === -1 ? message : `${message.slice(0, end)}blind index`)
}

/** Without the text from a quotation mark to the last one of its kind, since a name may contain such a mark. */
const withoutQuoted = (text: string): string => {
  const first = text.search(/['"`]/)
  if (first === -1) return text
  const mark = text.charAt(first)
  const last = text.lastIndexOf(mark)
  // Three kinds of marks, so it goes no deeper than three.
  return `${text.slice(0, first)}${first === last ? mark : mark + mark}${withoutQuoted(text.slice(last + 1))}`
}

const expired =
  /^(failed to authenticate expired service token|Failed to renew MI access token|Unable to renew because access token number of uses limit reached|jwt expired|Service token has expired|Token has expired|Access token has expired)/i

// 2024-07 answers 500 to these.
const malformedToken =
  /^(jwt malformed|invalid token|invalid signature|jwt must be provided|data and hash arguments required)/

const isNoPath = (text: string | undefined): boolean => text !== undefined && !/^[\w/-]*$/.test(text)

const missingResource = (text: string): Resource | undefined => {
  const isMissing = (noun: string) =>
    text.startsWith(`${noun} not found`) || (text.startsWith(`${noun} with `) && text.includes("not found"))
  if (text.startsWith("failed to create personal secret override for no corresponding shared secret")) return "secret"
  if (text.startsWith("failed to find project by slug") || isMissing("project")) return "project"
  if (isMissing("secret")) return "secret"
  if (isMissing("import") || isMissing("secret import")) return "import"
  if (isMissing("folder")) return "folder"
  if (text.startsWith("'' not found") || text.startsWith("'' environment not found")) return "environment"
  const environment = text.startsWith("environment") ? 0 : text.indexOf("environment with")
  return environment !== -1 && text.includes(" not found", environment) ? "environment" : undefined
}

/** How many of a server's validation issues are described, and how deep into the request. */
const maxIssues = 5
const maxPathLength = 8

// A validation issue quotes the input it received; its path and code do not.
const validationProblem = (issues: unknown): [parameter: string, problem: string] => {
  const all = Array.isArray(issues) ? issues : []
  const described = all.slice(0, maxIssues).filter(Predicate.isRecord).map((issue) => ({
    path: (Array.isArray(issue["path"]) ? issue["path"].slice(0, maxPathLength) : []).filter(isKey).join("."),
    code: isWord(issue["code"]) ? issue["code"] : "invalid"
  }))
  const problem = described.map((issue) => `${issue.path || "the body"} is ${issue.code}`).join(", ")
  const rest = all.length > maxIssues ? ` and ${all.length - maxIssues} more` : ""
  return [
    described[0]?.path || "request",
    `the server's validation refuses it${problem === "" ? "" : `: ${problem}${rest}`}`
  ]
}

const isWord = (value: unknown): value is string => typeof value === "string" && /^\w{1,64}$/.test(value)

const isKey = (value: unknown): value is string | number => Number.isSafeInteger(value) || isWord(value)

const safeRequestId = (value: unknown): { readonly requestId?: string } =>
  typeof value === "string" && /^[\w-]{1,64}$/.test(value) ? { requestId: value } : {}
