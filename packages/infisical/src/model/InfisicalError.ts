/**
 * What can go wrong, one tag for each meaning, the same whatever the era of the server.
 *
 * No error carries a secret's value, a token, a key or a ciphertext, and none has a `cause`: the errors of the
 * platform and of Schema quote the request and its input. Text that a server wrote is never repeated, since it may
 * quote what was sent, but for the ids that it gives to secrets and approvals. If the server names its answer
 * (`requestId`), that is passed on, to be looked up in the server's log.
 *
 * The file is long because every error of the library is here, so that their messages can be compared.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"

/**
 * What a `NotFoundError` says is missing.
 *
 * @since 0.1.0
 * @category models
 */
export type Resource = "secret" | "folder" | "environment" | "project" | "import"

/**
 * What the credential was not allowed to do.
 *
 * @since 0.1.0
 * @category models
 */
export type Action = "read" | "create" | "update" | "delete"

const where = (place: { readonly environment?: string; readonly secretPath?: string }): string =>
  [
    place.environment === undefined ? "" : ` in environment "${place.environment}"`,
    place.secretPath === undefined ? "" : ` at path "${place.secretPath}"`
  ].join("")

/** A name in an error: `secret "NAME"`, or several, of which the first are named. */
const quoted = (noun: string, names: ReadonlyArray<string>): string =>
  `${noun}${names.length > 1 ? "s" : ""}${names.length === 0 ? "" : ` ${quotedNames(names)}`}`

const quotedNames = (names: ReadonlyArray<string>): string => {
  const first = names.slice(0, maxNames).map((name) => `"${name}"`).join(", ")
  return names.length > maxNames ? `${first} and ${names.length - maxNames} more` : first
}

/** How many names a message has. */
const maxNames = 5

const namesOf = (
  { secretName, secretNames }: { readonly secretName?: string; readonly secretNames?: ReadonlyArray<string> }
): ReadonlyArray<string> => secretNames ?? (secretName === undefined ? [] : [secretName])

const noted = (requestId: string | undefined): string => requestId === undefined ? "" : ` (request id ${requestId})`

/**
 * The secret, or the folder, environment or project that should hold it, does not exist.
 *
 * A server of 2024-07 lists a missing folder as an empty one, so on a read `resource` is `"secret"` there even where
 * the folder is what is missing.
 *
 * @since 0.1.0
 * @category errors
 */
export class NotFoundError extends Data.TaggedError("NotFoundError")<{
  readonly resource: Resource
  /** The secret that is missing; of a batch, the first of `secretNames`. */
  readonly secretName?: string
  /** The secrets of a batch that are missing, if there are several and the server says which. */
  readonly secretNames?: ReadonlyArray<string>
  /** The name or the id of the folder in `secretPath` that is missing. Without it, `secretPath` itself is missing. */
  readonly folderName?: string
  readonly environment?: string
  readonly secretPath?: string
}> {
  override get message(): string {
    switch (this.resource) {
      case "secret":
        return `There ${namesOf(this).length > 1 ? "are" : "is"} no ${quoted("secret", namesOf(this))}${
          where(this)
        }. Check the name (case matters), the environment's slug and the path, or create it.`
      case "folder":
        return `There is no folder${this.folderName === undefined ? "" : ` "${this.folderName}"`}${
          where(this)
        }. Create it in Infisical, or check the path.`
      case "environment":
        return `There is no environment${
          this.environment === undefined ? " of this name" : ` "${this.environment}"`
        } in this project. Use the environment's slug.`
      case "project":
        return "There is no such project. Check the project id."
      case "import":
        return `There is no such import${where(this)}. List the imports of that folder.`
    }
  }
}

/**
 * Something could not be decrypted: it was changed, or encrypted with another key.
 *
 * @since 0.1.0
 * @category errors
 */
export class DecryptError extends Data.TaggedError("DecryptError")<{
  /** What could not be decrypted. */
  readonly subject: "secret name" | "secret value" | "project key" | "text"
  /** Why, without any of the input. */
  readonly problem: string
  readonly secretName?: string
  /** The id of the secret, where its name is not known. */
  readonly secretId?: string
}> {
  override get message(): string {
    const of = this.secretName !== undefined
      ? ` of secret "${this.secretName}"`
      : this.secretId !== undefined
      ? ` of the secret with id ${this.secretId}`
      : ""
    const advice = this.subject === "project key"
      ? "Check that the key part of the service token is complete and belongs to this token."
      : this.subject === "text"
      ? "Check that key, iv, tag and ciphertext belong together."
      : "It was not encrypted with this project's key: write it again."
    return `Could not decrypt the ${this.subject}${of}: ${this.problem}. ${advice}`
  }
}

/**
 * The server could not be reached, did not answer in time, limits us, or failed.
 *
 * @since 0.1.0
 * @category errors
 */
export class NetworkError extends Data.TaggedError("NetworkError")<{
  readonly reason: "Transport" | "Timeout" | "RateLimited" | "ServerFailure"
  /** Method and route, for example `GET /api/v3/secrets`. */
  readonly endpoint: string
  /** Whether the request can have been carried out although no good answer came. */
  readonly mayHaveBeenApplied: boolean
  readonly status?: number
  /** The operating system's code of a transport failure, for example `ECONNREFUSED`. */
  readonly code?: string
  /** How long the server asks to wait (`retry-after`). */
  readonly retryAfter?: Duration.Duration
  readonly requestId?: string
}> {
  override get message(): string {
    const applied = this.mayHaveBeenApplied && !this.endpoint.startsWith("GET ")
      ? " The write may have been carried out: read before you repeat it."
      : ""
    switch (this.reason) {
      case "Transport":
        return `${this.endpoint} did not reach Infisical${
          this.code === undefined ? "" : ` (${this.code})`
        }. Check siteUrl, the network and the proxy.${applied}`
      case "Timeout":
        return `${this.endpoint} was not answered in time. Check the server, or raise requestTimeout.${applied}`
      case "RateLimited":
        return `${this.endpoint} was refused because too many requests were made${noted(this.requestId)}. ${
          this.retryAfter === undefined
            ? "Try again later."
            : `Try again in ${Duration.format(this.retryAfter)}.`
        }`
      case "ServerFailure":
        return `${this.endpoint} failed on the server with status ${this.status ?? "unknown"}${
          noted(this.requestId)
        }. Look at the server's log.${applied}`
    }
  }
}

/**
 * The server refuses the credential: it is unknown, revoked, expired, used as often as it may be or, for five minutes,
 * locked. Every refusal of a login is this error.
 *
 * @since 0.1.0
 * @category errors
 */
export class AuthenticationError extends Data.TaggedError("AuthenticationError")<{
  readonly reason: "Refused" | "Expired" | "Locked"
  readonly endpoint: string
  readonly status: number
  /** What is wrong with it and what to do, if the server says more than the reason. */
  readonly problem?: string
  readonly requestId?: string
}> {
  override get message(): string {
    const refused = `Infisical refused the credential on ${this.endpoint}`
    if (this.problem !== undefined) return `${refused}${noted(this.requestId)}: ${this.problem}`
    switch (this.reason) {
      case "Locked":
        return `${refused}: the identity is locked for some minutes, since it was refused too often${
          noted(this.requestId)
        }. Find the client that logs in with a wrong secret.`
      case "Expired":
        return `${refused}: it has expired${noted(this.requestId)}. Create a new one.`
      case "Refused":
        return `${refused}: it is unknown, revoked or for another site${
          noted(this.requestId)
        }. Create a new one and check siteUrl.`
    }
  }
}

/**
 * The credential is good, but may not do this here.
 *
 * A server of 2024-07 answers the same for an environment that does not exist.
 *
 * @since 0.1.0
 * @category errors
 */
export class PermissionError extends Data.TaggedError("PermissionError")<{
  readonly endpoint: string
  /**
   * - `scope`: its role or its scopes do not allow it
   * - `project`: it is not in the project
   * - `policy`: a policy of the project or the organization forbids it
   * - `address`: it may not be used from this address
   * - `credential kind`: the route is not for this kind of credential
   * - `personal secret`: only users have personal secrets
   * - `hidden value`: it may know that the secret exists, but not its value
   */
  readonly problem: "scope" | "project" | "policy" | "address" | "credential kind" | "personal secret" | "hidden value"
  readonly action?: Action
  /** What the request was about. */
  readonly resource?: "secret" | "folder" | "import"
  readonly environment?: string
  readonly secretPath?: string
  readonly requestId?: string
}> {
  override get message(): string {
    const advice = {
      "scope": "Check the environment's slug, and give the credential this permission for this environment and path.",
      "project": "Add it to this project, or check the project id.",
      "policy": "A policy of the project or the organization forbids it. Ask who maintains the policy.",
      "address": "It may not be used from this address. Add the address to its trusted IPs.",
      "credential kind": "This route is not for this kind of credential. Use a machine identity.",
      "personal secret": "Personal secrets can be written by users only: write a shared one.",
      "hidden value":
        "The server shows that the secret is there, but not its value: give the credential that permission."
    }
    return `The credential may not ${
      this.action === undefined ? "do this" : `${this.action} ${this.resource ?? "secret"}s`
    }${where(this)}${noted(this.requestId)}. ${advice[this.problem]}`
  }
}

interface Taken {
  /** The secret that exists; of a batch, the first of `secretNames`. */
  readonly secretName?: string
  /** The secrets of a batch that exist, if there are several and the server says which. */
  readonly secretNames?: ReadonlyArray<string>
  readonly folderName?: string
  readonly environment?: string
  readonly secretPath?: string
}

/**
 * A secret or a folder of this name exists already.
 *
 * @since 0.1.0
 * @category errors
 */
export class AlreadyExistsError extends Data.TaggedError("AlreadyExistsError")<
  & Taken
  & { readonly resource: "secret" | "folder" }
> {
  /** `resource` is `"secret"` by default. */
  constructor(taken: Taken & { readonly resource?: "secret" | "folder" }) {
    super({ ...taken, resource: taken.resource ?? "secret" })
  }

  override get message(): string {
    const isFolder = this.resource === "folder"
    const names = isFolder ? (this.folderName === undefined ? [] : [this.folderName]) : namesOf(this)
    const named = names.length === 0 ? `${this.resource} of this name` : quoted(this.resource, names)
    return `There already ${names.length > 1 ? "are" : "is a"} ${named}${where(this)}. ${
      isFolder
        ? "Use it, or choose another name."
        : names.length > 1
        ? "Update them instead."
        : "Update it instead, or choose another name."
    }`
  }
}

/**
 * The request cannot be carried out as it stands, and repeating it is pointless.
 *
 * Raised before any request where we know, or for a server's refusal.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidRequestError extends Data.TaggedError("InvalidRequestError")<{
  /** The argument or field that is wrong, for example `secretPath`. */
  readonly parameter: string
  /** What is wrong with it and what to do, without its value. */
  readonly problem: string
  /** The server's status, if a server refused it. */
  readonly status?: number
  readonly requestId?: string
}> {
  override get message(): string {
    return `Invalid ${this.parameter}: ${this.problem}${noted(this.requestId)}`
  }
}

/**
 * The answer is not one that Infisical gives: wrong shape, not JSON, or an unknown refusal.
 *
 * @since 0.1.0
 * @category errors
 */
export class UnexpectedResponseError extends Data.TaggedError("UnexpectedResponseError")<{
  readonly endpoint: string
  readonly status: number
  /** What is wrong with it, for a wrong shape with the place, and without any of its content. */
  readonly problem: string
  readonly requestId?: string
}> {
  override get message(): string {
    return `${this.endpoint} was answered with status ${this.status} in a way Infisical does not answer: ${this.problem}${
      noted(this.requestId)
    }. Check that siteUrl is an Infisical server and that no proxy answers in its place.`
  }
}

/**
 * Nothing was written: the server recorded the write as a request that has to be approved.
 *
 * @since 0.1.0
 * @category errors
 */
export class ApprovalRequiredError extends Data.TaggedError("ApprovalRequiredError")<{
  readonly approvalId: string
  readonly endpoint: string
}> {
  override get message(): string {
    return `${this.endpoint} was recorded as approval request ${this.approvalId}; nothing is written until it is approved and merged in Infisical.`
  }
}

/**
 * The credential is malformed, or what it is read from cannot be read; found before any request was made.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidCredentialError extends Data.TaggedError("InvalidCredentialError")<{
  /** The part that is wrong, for example `key`. */
  readonly part: string
  /** What it should be. Nothing of the credential is quoted. */
  readonly problem: string
}> {
  override get message(): string {
    return `The credential is malformed: ${this.part} ${this.problem}. Copy it whole from where it is made.`
  }
}

/**
 * All that a read from a server can raise.
 *
 * @since 0.1.0
 * @category models
 */
export type ReadError =
  | InvalidCredentialError
  | NotFoundError
  | DecryptError
  | NetworkError
  | AuthenticationError
  | PermissionError
  | InvalidRequestError
  | UnexpectedResponseError

/**
 * All that a write can raise, beside `AlreadyExistsError` where a name is taken.
 *
 * @since 0.1.0
 * @category models
 */
export type WriteError = ReadError | ApprovalRequiredError

/**
 * Every error that a server's answer can mean.
 *
 * @since 0.1.0
 * @category models
 */
export type AnswerError =
  | NotFoundError
  | NetworkError
  | AuthenticationError
  | PermissionError
  | AlreadyExistsError
  | InvalidRequestError
  | UnexpectedResponseError

/**
 * The errors that say nothing about what Infisical holds or allows.
 *
 * @since 0.1.0
 * @category models
 */
export type Unreachable =
  | NetworkError
  | UnexpectedResponseError
  | InvalidCredentialError
  | InvalidRequestError & { readonly parameter: "siteUrl" }

/**
 * Whether an error means that no answer of Infisical was received.
 *
 * This is the case if the server could not be reached (`NetworkError`), if something other than an Infisical server
 * answered (`UnexpectedResponseError`, and `InvalidRequestError` of `siteUrl`, for a redirect), or if there was nothing
 * to log in with (`InvalidCredentialError`). On these errors the client returns stale, sealed and fallback values.
 *
 * @example
 * ```ts
 * import { InfisicalError, Secrets } from "effect-infisical"
 * import { Effect, Redacted } from "effect"
 *
 * const theme = Effect.flatMap(Secrets.Secrets, (secrets) => secrets.get("THEME")).pipe(
 *   Effect.map((secret) => Redacted.value(secret.value)),
 *   Effect.catchIf(InfisicalError.isUnreachable, () => Effect.succeed("light"))
 * )
 * ```
 *
 * @since 0.1.0
 * @category predicates
 */
export const isUnreachable = <E>(error: E): error is E & Unreachable =>
  error instanceof NetworkError || error instanceof UnexpectedResponseError ||
  error instanceof InvalidCredentialError ||
  (error instanceof InvalidRequestError && error.parameter === "siteUrl")
