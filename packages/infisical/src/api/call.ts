/**
 * One call: with a timeout, with the repetitions that are safe, with a span, and with its failure classified.
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import type * as HttpApiError from "@effect/platform/HttpApiError"
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Predicate from "effect/Predicate"
import * as Random from "effect/Random"
import * as Record from "effect/Record"
import * as Redacted from "effect/Redacted"
import type * as InfisicalConfig from "../config/InfisicalConfig.js"
import {
  type AlreadyExistsError,
  type AnswerError,
  ApprovalRequiredError,
  NetworkError,
  UnexpectedResponseError
} from "../model/InfisicalError.js"
import { defined } from "../support/defined.js"
import type { RequestInfo } from "./classify.js"
import { classify } from "./classify.js"

export type ReadCallError = Exclude<AnswerError, AlreadyExistsError>

export interface Call {
  /** A request that changes nothing, or nothing that could be done twice. */
  readonly read: <A>(info: RequestInfo, request: Request<A>) => Effect.Effect<A, ReadCallError>
  /** A request that changes something, but makes no name. */
  readonly write: <A extends object>(
    info: RequestInfo,
    request: Request<A | Approval>
  ) => Effect.Effect<A, ReadCallError | ApprovalRequiredError>
  /** A request that makes a name, which may be taken. */
  readonly create: <A extends object>(
    info: RequestInfo,
    request: Request<A | Approval>
  ) => Effect.Effect<A, ReadCallError | ApprovalRequiredError | AlreadyExistsError>
}

export type Request<A> = Effect.Effect<A, CallFailure, HttpClient.HttpClient>

/** What a write is answered with that was recorded only. */
interface Approval {
  readonly approval: { readonly id: string }
}

export const make = (config: InfisicalConfig.Service, client: HttpClient.HttpClient): Call => {
  const httpClient = client.pipe(
    HttpClient.mapRequest((request) =>
      request.pipe(
        HttpClientRequest.prependUrl(config.siteUrl),
        HttpClientRequest.setHeaders({ ...Record.map(config.headers, Redacted.value), ...request.headers })
      )
    ),
    // The platform's own span ends with an error that has the request, and so the token, in it.
    HttpClient.withTracerDisabledWhen(() => true)
  )
  const site = new URL(config.siteUrl)

  const call = <A>(
    info: RequestInfo,
    request: Request<A>
  ): Effect.Effect<A, AnswerError> =>
    repeat(
      config,
      isWrite(info) ? isSafeToRepeatWrite : isWorthRepeatingRead,
      (timeout) =>
        request.pipe(
          Effect.mapError((error) => toError(error, info)),
          Effect.provideService(HttpClient.HttpClient, httpClient),
          // A redirect would lose the token on its way to another site, and turn a write into a read on the same one.
          Effect.provideService(FetchHttpClient.RequestInit, { redirect: "manual" }),
          Effect.timeoutFail({
            duration: timeout,
            onTimeout: () => new NetworkError({ reason: "Timeout", ...unanswered(info) })
          }),
          Effect.tapError((error) =>
            Effect.zipRight(
              Effect.annotateCurrentSpan("error.type", error._tag),
              config.logDebug(`${info.endpoint} failed: ${error.message}`)
            )
          ),
          Effect.withSpan(info.endpoint, {
            kind: "client",
            captureStackTrace: false,
            attributes: spanAttributes(info, site)
          })
        )
    )

  const withoutAlreadyExists = <A>(
    info: RequestInfo,
    answer: Effect.Effect<A, AnswerError>
  ): Effect.Effect<A, ReadCallError> =>
    Effect.catchTag(answer, "AlreadyExistsError", () =>
      new UnexpectedResponseError({
        endpoint: info.endpoint,
        status: 400,
        problem: "it was refused because a secret exists already, and makes none"
      }))

  const failOnApproval = <A extends object, E>(info: RequestInfo, answer: Effect.Effect<A | Approval, E>) =>
    Effect.flatMap(answer, (answer) =>
      isApproval(answer)
        ? new ApprovalRequiredError({ approvalId: answer.approval.id, endpoint: info.endpoint })
        : Effect.succeed(answer))

  return {
    read: (info, request) => withoutAlreadyExists(info, call(info, request)),
    write: (info, request) => failOnApproval(info, withoutAlreadyExists(info, call(info, request))),
    create: (info, request) => failOnApproval(info, call(info, request))
  }
}

/** A batch that was carried out, and gives nothing of what it should. */
export const emptyBatch = (endpoint: string) =>
  new UnexpectedResponseError({ endpoint, status: 200, problem: "the list of what was written is empty" })

const isApproval = <A extends object>(answer: A | Approval): answer is Approval => "approval" in answer

// What is compiled holds neither site nor client, so that it serves every layer of the process.
export const transport = HttpClient.makeWith<never, never, TransportFailure, HttpClient.HttpClient>(
  Effect.flatMap((request) =>
    Effect.flatMap(HttpClient.HttpClient, (client) => Effect.flatMap(client.execute(request), refuse))
  ),
  Effect.succeed
)

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

const isWrite = (info: RequestInfo): boolean => info.action !== undefined && info.action !== "read"

const unanswered = (info: RequestInfo) => ({ endpoint: info.endpoint, mayHaveBeenApplied: isWrite(info) })

/** A refusal before it is known what it means. */
interface Refused {
  readonly _tag: "Refused"
  readonly status: number
  readonly body: unknown
  readonly retryAfter: string | undefined
}

type TransportFailure = Refused | HttpClientError.HttpClientError

type CallFailure =
  | TransportFailure
  | ParseResult.ParseError
  | HttpApiError.HttpApiDecodeError

const refuse = (
  response: HttpClientResponse.HttpClientResponse
): Effect.Effect<HttpClientResponse.HttpClientResponse, Refused | HttpClientError.ResponseError> =>
  Effect.zipRight(
    Effect.annotateCurrentSpan("http.response.status_code", response.status),
    (response.status >= 200 && response.status < 300) || response.status === 304
      ? Effect.succeed(response)
      : Effect.flatMap(response.text, (text) =>
        Effect.fail<Refused>({
          _tag: "Refused",
          status: response.status,
          body: Option.getOrUndefined(Option.liftThrowable((): unknown => JSON.parse(text))()),
          retryAfter: response.headers["retry-after"]
        }))
  )

// The errors of the platform print the request with its token, and a ParseError prints its input, so neither becomes
// part of ours.
const toError = (
  error: CallFailure,
  info: RequestInfo
): AnswerError => {
  switch (error._tag) {
    case "Refused":
      return classify(error, info)
    case "RequestError":
      return new NetworkError({
        reason: "Transport",
        endpoint: info.endpoint,
        ...transportCode(error.cause),
        mayHaveBeenApplied: isWrite(info) && !wasNeverSent(error)
      })
    case "ResponseError":
      return error.reason === "Decode" && !(error.cause instanceof SyntaxError)
        ? new NetworkError({ reason: "Transport", ...transportCode(error.cause), ...unanswered(info) })
        : new UnexpectedResponseError({
          endpoint: info.endpoint,
          status: error.response.status,
          problem: error.reason === "StatusCode" ? "the status is none that it gives" : "the body is not JSON"
        })
    case "HttpApiDecodeError":
      return new UnexpectedResponseError({
        endpoint: info.endpoint,
        status: 400,
        problem: "the answer is an error of another API"
      })
    case "ParseError":
      return new UnexpectedResponseError({
        endpoint: info.endpoint,
        status: 200,
        problem: `the body has another shape${placesOf(error).map((place) => `, ${place}`).join("")}`
      })
  }
}

const placesOf = (error: ParseResult.ParseError): ReadonlyArray<string> =>
  ParseResult.ArrayFormatter.formatErrorSync(error).slice(0, 3).map((issue) =>
    `at ${issue.path.length === 0 ? "its top" : issue.path.map(String).join(".")} (${issue._tag})`
  )

const codesOf = (cause: unknown, depth = 0): ReadonlyArray<string> =>
  depth > 4 || !Predicate.isObject(cause)
    ? []
    : [
      ..."code" in cause && typeof cause.code === "string" && /^[A-Z][A-Z0-9_]{1,40}$/.test(cause.code)
        ? [cause.code]
        : [],
      ..."cause" in cause ? codesOf(cause.cause, depth + 1) : []
    ]

const transportCode = (cause: unknown): { readonly code?: string } => {
  const code = codesOf(cause)[0]
  return code === undefined ? {} : { code }
}

/** Codes of failures to connect: by then nothing of the request has left. */
const connectCodes = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT"
])

const wasNeverSent = (error: HttpClientError.RequestError): boolean =>
  error.reason !== "Transport" || codesOf(error.cause).some((code) => connectCodes.has(code))

const isWorthRepeatingRead = (error: AnswerError): error is NetworkError => error._tag === "NetworkError"

const isSafeToRepeatWrite = (error: AnswerError): error is NetworkError =>
  error._tag === "NetworkError" && !error.mayHaveBeenApplied

// Effect's schedules do not see how long the server asks us to wait, so the pause is worked out here. The deadline ends
// the attempt that is under way as well.
const repeat = <A>(
  { requestTimeout, retry }: InfisicalConfig.Service,
  mayRepeat: (error: AnswerError) => error is NetworkError,
  request: (timeout: Duration.Duration) => Effect.Effect<A, AnswerError>
): Effect.Effect<A, AnswerError> =>
  Effect.flatMap(Clock.currentTimeMillis, (started) => {
    const deadline = started + Duration.toMillis(retry.deadline)
    const attempt = (repetition: number, now: number): Effect.Effect<A, AnswerError> =>
      Effect.catchAll(
        request(Duration.min(requestTimeout, Duration.millis(deadline - now))),
        (error) =>
          !mayRepeat(error) || repetition > retry.times ? Effect.fail(error) : Effect.gen(function*() {
            const next = (yield* Clock.currentTimeMillis) + (yield* pauseBefore(repetition, error, retry))
            if (next >= deadline) return yield* Effect.fail(error)
            yield* Effect.sleep(Duration.millis(next - (yield* Clock.currentTimeMillis)))
            return yield* attempt(repetition + 1, next)
          })
      )
    return attempt(1, started)
  })

// Whole milliseconds: a deadline that is worked out from fractions is missed by their rounding.
const pauseBefore = (repetition: number, error: NetworkError, retry: InfisicalConfig.Service["retry"]) =>
  error.retryAfter !== undefined
    ? Effect.succeed(Math.ceil(Duration.toMillis(error.retryAfter)))
    : Effect.map(
      Random.nextRange(0.8, 1.2),
      (jitter) =>
        Math.round(
          jitter *
            Math.min(Duration.toMillis(retry.baseDelay) * 2 ** (repetition - 1), Duration.toMillis(retry.maxDelay))
        )
    )
