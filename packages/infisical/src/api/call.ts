/**
 * One call: with a deadline, with the retries that are safe, with a span, and with its failure classified.
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as InfisicalConfig from "../config/InfisicalConfig.js"
import {
  type AlreadyExistsError,
  type AnswerError,
  ApprovalRequiredError,
  NetworkError,
  UnexpectedResponseError
} from "../model/InfisicalError.js"
import { defined } from "../support/defined.js"
import { withSpan } from "../support/span.js"
import { isWrite, type RequestInfo } from "./classify.js"
import { endAfter } from "./deadline.js"
import { type ConditionalResponse, readRateLimit } from "./requests.js"
import { withRetries } from "./retry.js"
import { type CallFailure, toError, unanswered } from "./toError.js"
import * as Transport from "./transport.js"

/**
 * What a call that neither creates nor renames can raise.
 *
 * @since 0.1.0
 * @category models
 */
export type ReadCallError = Exclude<AnswerError, AlreadyExistsError>

/**
 * What a call that writes can raise; one that creates or renames, `AlreadyExistsError` too.
 *
 * @since 0.1.0
 * @category models
 */
export type WriteCallError = ReadCallError | ApprovalRequiredError

/**
 * @since 0.1.0
 * @category models
 */
export type CreateCallError = WriteCallError | AlreadyExistsError

export interface Call {
  /** A request that changes nothing, or nothing that could be done twice. */
  readonly read: <A>(info: RequestInfo, request: Request<A>) => Effect.Effect<A, ReadCallError>
  /** A read that may send an ETag, and is answered without a body if nothing changed. */
  readonly readConditional: <A>(
    info: RequestInfo,
    request: Request<readonly [A | void, HttpClientResponse.HttpClientResponse]>
  ) => Effect.Effect<ConditionalResponse<A>, ReadCallError>
  /** A request that changes something, but creates no name. */
  readonly write: <A extends object>(
    info: RequestInfo,
    request: Request<A | Approval>
  ) => Effect.Effect<A, WriteCallError>
  /** A request that creates a name, which may be taken. */
  readonly create: <A extends object>(
    info: RequestInfo,
    request: Request<A | Approval>
  ) => Effect.Effect<A, CreateCallError>
}

export type Request<A> = Effect.Effect<A, CallFailure, Transport.Transport>

/** The answer to a write that was only recorded. */
interface Approval {
  readonly approval: { readonly id: string }
}

export const make = (
  config: InfisicalConfig.Service
): Effect.Effect<Call, never, HttpClient.HttpClient> =>
  Effect.map(Transport.make(config), (transport) => {
    const site = new URL(config.siteUrl)

    const call = <A>(info: RequestInfo, request: Request<A>): Effect.Effect<A, AnswerError> =>
      withRetries(config, {
        endpoint: info.endpoint,
        mayRetry: isWrite(info) ? isSafeToRetryWrite : isWorthRetryingRead,
        attempt: (timeout) =>
          request.pipe(
            Effect.mapError((error) => toError(error, info)),
            Effect.provideService(Transport.Transport, transport),
            (request) => endAfter(request, timeout, () => new NetworkError({ reason: "Timeout", ...unanswered(info) })),
            Effect.tapError((error) =>
              Effect.zipRight(
                Effect.annotateCurrentSpan("error.type", error._tag),
                config.logDebug(`${info.endpoint} failed: ${error.message}`)
              )
            ),
            withSpan(info.endpoint, { kind: "client", attributes: spanAttributes(info, site) })
          )
      })

    const read: Call["read"] = (info, request) => withoutAlreadyExists(info, call(info, request))

    return {
      read,
      readConditional: (info, request) =>
        Effect.map(read(info, request), ([answer, { headers }]) => {
          const rateLimit = readRateLimit(headers, config.retry.maxRetryAfter)
          return answer === undefined
            ? { _tag: "NotModified", rateLimit }
            : { _tag: "Modified", rateLimit, answer, etag: Option.fromNullable(headers["etag"]) }
        }),
      write: (info, request) => failOnApproval(info, withoutAlreadyExists(info, call(info, request))),
      create: (info, request) => failOnApproval(info, call(info, request))
    }
  })

/** A batch that was carried out, but whose answer is empty. */
export const emptyBatch = (endpoint: string) =>
  new UnexpectedResponseError({ endpoint, status: 200, problem: "the list of written secrets is empty" })

const withoutAlreadyExists = <A>(
  info: RequestInfo,
  answer: Effect.Effect<A, AnswerError>
): Effect.Effect<A, ReadCallError> =>
  Effect.catchTag(answer, "AlreadyExistsError", () =>
    new UnexpectedResponseError({
      endpoint: info.endpoint,
      status: 400,
      problem: "the server reported a name conflict, but this request creates nothing"
    }))

const failOnApproval = <A extends object, E>(info: RequestInfo, answer: Effect.Effect<A | Approval, E>) =>
  Effect.flatMap(answer, (answer) =>
    isApproval(answer)
      ? new ApprovalRequiredError({ approvalId: answer.approval.id, endpoint: info.endpoint })
      : Effect.succeed(answer))

const isApproval = <A extends object>(answer: A | Approval): answer is Approval => "approval" in answer

const isWorthRetryingRead = (error: AnswerError): error is NetworkError => error._tag === "NetworkError"

const isSafeToRetryWrite = (error: AnswerError): error is NetworkError =>
  error._tag === "NetworkError" && !error.mayHaveBeenApplied

// https://opentelemetry.io/docs/specs/semconv/http/http-spans/
const spanAttributes = ({ endpoint, environment, secretPath }: RequestInfo, site: URL) => {
  const [method, template] = endpoint.split(" ")
  return {
    "http.request.method": method,
    "url.template": template,
    "server.address": site.hostname,
    "server.port": Number(site.port || (site.protocol === "https:" ? 443 : 80)),
    ...defined({ "infisical.environment": environment, "infisical.secret_path": secretPath })
  }
}
