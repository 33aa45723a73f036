/**
 * What a refusal means: by its status where that says it all, and else by the table in `refusals.ts`. Nothing that the
 * server wrote is repeated in the error: it may quote what was sent.
 *
 * A server, or what answers in its place, may send anything: no body makes this throw, and the time that a text takes
 * grows with its length only.
 */
import type * as Duration from "effect/Duration"
import * as Predicate from "effect/Predicate"
import type { Action, AnswerError } from "../model/InfisicalError.js"
import {
  AlreadyExistsError,
  AuthenticationError,
  InvalidRequestError,
  NetworkError,
  NotFoundError,
  PermissionError,
  UnexpectedResponseError
} from "../model/InfisicalError.js"
import { maximumNameLength } from "../model/Location.js"
import { defined } from "../support/defined.js"
import { emptyMessages, type Meaning, type Subject } from "./refusals.js"
import { find, type Found, missingNames, namesIn, textOf } from "./refusalText.js"
import { validationProblem } from "./validation.js"

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
  /** The id in the path of a request about a folder or an import. For a folder, it may be its name. */
  readonly id?: string | undefined
  /** The environment that an import takes its secrets from. */
  readonly importedEnvironment?: string | undefined
  /** Where a move puts secrets. */
  readonly destination?: { readonly environment: string; readonly secretPath: string }
}

export interface Refusal {
  readonly status: number
  /** The parsed body; `undefined` if it is not JSON. */
  readonly body: unknown
  /** How long the server asks to wait, already capped. */
  readonly retryAfter: Duration.Duration | undefined
}

/** What the error of a refusal takes from its request and its status. */
interface Context {
  readonly info: RequestInfo
  readonly status: number
  readonly requestId: { readonly requestId?: string }
  readonly retryAfter: { readonly retryAfter?: Duration.Duration }
}

export const classify = (refusal: Refusal, info: RequestInfo): AnswerError => {
  const { status } = refusal
  const body = Predicate.isRecord(refusal.body) ? refusal.body : {}
  const context: Context = {
    info,
    status,
    requestId: safeRequestId(body["reqId"]),
    retryAfter: defined({ retryAfter: refusal.retryAfter })
  }
  const byStatus = ofStatus(context)
  if (byStatus !== undefined) return byStatus

  const error = textOf(body["error"])
  const message = textOf(body["message"])
  if (body["statusCode"] !== status || (error === "" && message === "")) {
    return status >= 500 ? serverFailure(context) : new UnexpectedResponseError({
      endpoint: info.endpoint,
      status,
      problem: refusal.body === undefined ? "the body is not JSON" : "the body is not an error of Infisical",
      ...context.requestId
    })
  }
  if (error === "ValidationFailure" || status === 422) return invalid(context, ...validationProblem(body))
  if (message.startsWith("Route ") && message.endsWith(" not found")) return routeMissing(context)
  const found = find(error, message, subjectOf(info))
  if (found === undefined) return otherwise(context, error, message)
  return meant(context, found, body["reqId"] !== undefined)
}

const subjects: ReadonlyArray<readonly [path: string, subject: Subject]> = [
  ["/auth/", "credential"],
  ["/service-token", "credential"],
  ["/folders", "folder"],
  ["/secret-imports", "import"],
  ["/secrets", "secret"]
]

const subjectOf = ({ endpoint }: RequestInfo): Subject =>
  subjects.find(([path]) => endpoint.includes(path))?.[1] ?? "other"

/** What any server or proxy means by its status alone. */
const ofStatus = (context: Context): AnswerError | undefined => {
  const { info: { endpoint }, requestId, retryAfter, status } = context
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
  if (status === 413) return invalid(context, ...tooLarge)
  // A browser hides the status of a redirect.
  return status === 0 || (status >= 300 && status < 400)
    ? invalid(context, "siteUrl", "the server redirects to another address. Set siteUrl to that address.")
    : undefined
}

/** What is wrong with a request over 1 MiB. */
export const tooLarge: readonly [parameter: string, problem: string] = [
  "value",
  "it is too large. A request may have 1 MiB, so an encrypted value about 750 KB. Store less in it, or write fewer secrets at once."
]

const invalid = ({ requestId, status }: Context, parameter: string, problem: string) =>
  new InvalidRequestError({ parameter, problem, status, ...requestId })

const serverFailure = (
  { info, requestId, retryAfter, status }: Context,
  mayHaveBeenApplied = isWrite(info)
) =>
  new NetworkError({
    reason: "ServerFailure",
    endpoint: info.endpoint,
    mayHaveBeenApplied,
    status,
    ...retryAfter,
    ...requestId
  })

const routeMissing = (context: Context): AnswerError => {
  const { endpoint, secretNames: [name = ""] = [] } = context.info
  return subjectOf(context.info) === "credential"
    ? invalid(
      context,
      "credential",
      `the server has no route for ${endpoint}: it is of a version without this kind of credential. Use another kind, or upgrade the server.`
    )
    : name.length > maximumNameLength
    ? invalid(context, "secretName", `it has ${name.length} characters, and may have ${maximumNameLength}`)
    : invalid(
      context,
      "siteUrl",
      `the server has no route for ${endpoint}. Check siteUrl, and that the server is of a version that has it.`
    )
}

/** Whether the server has no such route, because it is older or newer than the route. */
export const isRouteMissing = (error: { readonly _tag: string }): boolean =>
  error instanceof InvalidRequestError && error.parameter === "siteUrl" && error.status === 404

export const isWrite = ({ action }: RequestInfo): boolean => action !== undefined && action !== "read"

/** The error for a row of the table. */
const meant = (request: Context, found: Found, mayBeOf2026: boolean): AnswerError => {
  const { isOfDestination, means } = found.row
  const info = isOfDestination === true ? { ...request.info, ...request.info.destination } : request.info
  const context = { ...request, info }
  switch (means._tag) {
    case "NotFoundError":
      return means.resource === "secret"
        ? secretMissing(context, found, mayBeOf2026)
        : means.isImported === true
        ? new NotFoundError({ resource: means.resource, ...defined({ environment: info.importedEnvironment }) })
        : isRootMissing(info, means.resource, found.part)
        ? notFound(context, "environment")
        : notFound(context, means.resource)
    case "AlreadyExistsError":
      return new AlreadyExistsError({
        resource: means.resource,
        ...placeOf(info),
        ...means.resource === "folder" ? defined({ folderName: info.folderName }) : taken(info, found)
      })
    case "AuthenticationError":
      return authentication(context, means)
    case "PermissionError":
      return permission(context, means.problem)
    case "InvalidRequestError":
      return invalid(context, means.parameter, means.problem)
    case "NetworkError":
      return serverFailure(context, false)
  }
}

const placeOf = ({ environment, secretPath }: RequestInfo) => defined({ environment, secretPath })

const authentication = (
  { info: { endpoint }, requestId, status }: Context,
  { problem, reason }: Extract<Meaning, { _tag: "AuthenticationError" }>
) => new AuthenticationError({ reason, endpoint, status, ...defined({ problem }), ...requestId })

const permission = ({ info, requestId }: Context, problem: PermissionError["problem"]) => {
  const subject = subjectOf(info)
  return new PermissionError({
    endpoint: info.endpoint,
    problem,
    ...defined({ action: info.action, resource: subject === "folder" || subject === "import" ? subject : undefined }),
    ...placeOf(info),
    ...requestId
  })
}

/** That something other than a secret is missing. */
const notFound = ({ info }: Context, resource: Exclude<NotFoundError["resource"], "secret">) =>
  new NotFoundError({
    resource,
    ...placeOf(info),
    // The id may be the folder's name; the path is that of its parent.
    ...defined({ folderName: resource === "folder" && subjectOf(info) === "folder" ? info.id : undefined })
  })

// Every environment has the folder "/", so it is the environment that does not exist.
const isRootMissing = ({ id, secretPath }: RequestInfo, resource: string, part: string): boolean =>
  resource === "folder" && id === undefined && secretPath === "/" && (part === "/" || !part.startsWith("/"))

const isBatch = ({ endpoint, secretNames = [] }: RequestInfo): boolean =>
  secretNames.length > 1 || endpoint.includes("/batch")

// Only names that were sent are repeated.
const secretMissing = (context: Context, found: Found, mayBeOf2026: boolean): AnswerError => {
  const { info } = context
  const sent = info.secretNames ?? []
  const missing = isBatch(info)
    ? missingNames(found, sent, mayBeOf2026)
    : found.row.lists === "existing" && found.part.trim() !== ""
    ? undefined
    : sent
  return missing === undefined
    ? invalid(context, ...isBatch(info) ? nameTwice : refusedAlthoughThere)
    : new NotFoundError({
      resource: "secret",
      ...placeOf(info),
      ...namesOf(missing.length === 0 && sent.length === 1 ? sent : missing)
    })
}

const nameTwice: readonly [parameter: string, problem: string] = [
  "secrets",
  "all of them exist, but a name is there twice: in the request, or in the folder. Write these secrets one at a time."
]

// A server of 2024-10 answers so if a user renames a secret that an approval policy covers. It lists the new name.
const refusedAlthoughThere: readonly [parameter: string, problem: string] = [
  "request",
  "the secret exists, but the server cannot do this with it, as with a rename under an approval policy. Do it in Infisical."
]

const taken = (info: RequestInfo, { part }: Found) => {
  const sent = info.secretNames ?? []
  const listed = new Set(namesIn(part, sent))
  return namesOf(
    // An update has the old name, and it is the new one that is taken.
    info.action === "create" && !isBatch(info) ? sent : sent.filter((name) => listed.has(name.trim()))
  )
}

const namesOf = (names: ReadonlyArray<string>) =>
  defined({ secretName: names[0], secretNames: names.length > 1 ? names : undefined })

/** The meaning of a refusal whose words are not known. */
const otherwise = (context: Context, error: string, message: string): AnswerError => {
  const { info, status } = context
  const subject = subjectOf(info)
  if (status >= 500) {
    // The same answers as for a database that is down; the request tells them apart.
    if (error === "Find by secret path" && isNoPath(info.folderName)) return invalid(context, "name", noFolderName)
    if (error === "Find by secret path" && isNoPath(info.secretPath)) {
      return invalid(context, "secretPath", noFolderName)
    }
    return subject === "import" && info.id !== undefined && !uuid.test(info.id)
      ? invalid(context, "id", "it is not the id of an import, which is a UUID. List the imports of the folder.")
      : serverFailure(context)
  }
  if (subject === "credential" || status === 401) {
    return authentication(context, { _tag: "AuthenticationError", reason: "Refused" })
  }
  if (status === 403) return permission(context, "scope")
  // What is missing may be something else than what the request is about: a tag, a key, an organization.
  return status === 404 && subject !== "other" &&
      (emptyMessages.has(message) || message === "" || (!isWrite(info) && isAbout(subject, message)))
    ? notFoundOf(context, subject)
    : invalid(context, "request", "the server refuses it. Its log says why.")
}

/** Whether a text begins with the kind of what a request is about, as Infisical's texts do: "Folder with path …". */
const isAbout = (subject: Subject, message: string): boolean =>
  (subject === "folder" ? ["Folder "] : subject === "import" ? ["Secret import ", "Folder "] : ["Secret ", "Folder "])
    .some((start) => message.startsWith(start))

const notFoundOf = (context: Context, subject: Exclude<Subject, "credential" | "other">): NotFoundError => {
  const { id, secretNames = [] } = context.info
  return subject === "secret" && secretNames.length > 0
    ? new NotFoundError({
      resource: "secret",
      ...placeOf(context.info),
      ...namesOf(secretNames.length === 1 ? secretNames : [])
    })
    : notFound(context, subject === "import" && id !== undefined ? "import" : "folder")
}

const noFolderName = "a folder's name is letters, digits, dashes and underscores"

const isNoPath = (text: string | undefined): boolean => text !== undefined && !/^[\w/-]*$/.test(text)

const uuid = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i

const safeRequestId = (value: unknown): { readonly requestId?: string } =>
  typeof value === "string" && /^req-[\w-]{1,60}$/.test(value) ? { requestId: value } : {}
