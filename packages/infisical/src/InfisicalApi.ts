/**
 * The calls: one for each route of `Wire`, with a timeout, with the repetitions that are safe, and with every failure
 * classified. What comes back is checked by the schemas of `Wire`.
 *
 * @since 0.1.0
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import type * as Headers from "@effect/platform/Headers"
import * as HttpApiClient from "@effect/platform/HttpApiClient"
import type * as HttpApiError from "@effect/platform/HttpApiError"
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Predicate from "effect/Predicate"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import * as InfisicalConfig from "./InfisicalConfig.js"
import {
  type AlreadyExistsError,
  type AnswerError,
  ApprovalRequiredError,
  NetworkError,
  UnexpectedResponseError
} from "./InfisicalError.js"
import type { Asked } from "./internal/classify.js"
import { classify } from "./internal/classify.js"
import { defined } from "./internal/defined.js"
import { once } from "./internal/once.js"
import type * as Location from "./Location.js"
import * as Wire from "./Wire.js"

/**
 * What a call can raise that neither creates nor renames.
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
 * What is left of a route's rate limit, as `x-ratelimit-*` tells.
 *
 * @since 0.1.0
 * @category models
 */
export interface RateLimit {
  readonly limit: number
  readonly remaining: number
  /** How long until all of it is there again. */
  readonly resetAfter: Duration.Duration
}

/**
 * A conditional read's answer: nothing new under the ETag that was sent, or all of it with its ETag.
 *
 * @since 0.1.0
 * @category models
 */
export type ListAnswer =
  | { readonly _tag: "NotModified"; readonly rateLimit: Option.Option<RateLimit> }
  | {
    readonly _tag: "Modified"
    readonly rateLimit: Option.Option<RateLimit>
    readonly list: Wire.EncryptedSecretList
    readonly etag: Option.Option<string>
  }

/**
 * Which secret a call is about, and with whose access.
 *
 * @since 0.1.0
 * @category models
 */
export interface Target {
  readonly accessToken: Redacted.Redacted<string>
  readonly projectId: string
  readonly location: Location.Location
  readonly name: string
  readonly type: Wire.SecretType
}

type CreatePayload = (typeof Wire.CreateSecretPayload)["Type"]
type UpdatePayload = (typeof Wire.UpdateSecretPayload)["Type"]
type LocationField = "workspaceId" | "environment" | "secretPath" | "type"

/**
 * The service behind `InfisicalApi`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** `GET /api/v2/service-token`. */
  readonly getServiceToken: (
    accessToken: Redacted.Redacted<string>
  ) => Effect.Effect<typeof Wire.ServiceTokenAnswer.Type, ReadCallError>
  /** `GET /api/v3/service-token/me/key`. */
  readonly getServiceTokenKey: (
    accessToken: Redacted.Redacted<string>
  ) => Effect.Effect<typeof Wire.ServiceTokenKeyAnswer.Type, ReadCallError>
  /** `GET /api/v3/secrets`. */
  readonly listSecrets: (options: {
    readonly accessToken: Redacted.Redacted<string>
    readonly projectId: string
    readonly location: Location.Location
    readonly etag: Option.Option<string>
  }) => Effect.Effect<ListAnswer, ReadCallError>
  /** `GET /api/v3/secrets/:name`; it costs a server three times what a list costs (`wire/` "Cost and limits"). */
  readonly getSecret: (target: Target) => Effect.Effect<Wire.EncryptedSecret, ReadCallError>
  /** `POST /api/v3/secrets/:name`. */
  readonly createSecret: (
    target: Target,
    encrypted: Omit<CreatePayload, LocationField>
  ) => Effect.Effect<Wire.EncryptedSecret, WriteCallError | AlreadyExistsError>
  /** `PATCH /api/v3/secrets/:name`. */
  readonly updateSecret: (
    target: Target,
    encrypted: Omit<UpdatePayload, LocationField>
  ) => Effect.Effect<Wire.EncryptedSecret, WriteCallError | AlreadyExistsError>
  /** `DELETE /api/v3/secrets/:name`, with a JSON body. */
  readonly deleteSecret: (target: Target) => Effect.Effect<Wire.EncryptedSecret, WriteCallError>
}

/**
 * The calls of Infisical's HTTP API.
 *
 * @since 0.1.0
 * @category tags
 */
export class InfisicalApi extends Context.Tag("effect-infisical/InfisicalApi")<InfisicalApi, Service>() {}

/**
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<Service, never, HttpClient.HttpClient | InfisicalConfig.InfisicalConfig> = Effect.gen(
  function*() {
    const config = yield* InfisicalConfig.InfisicalConfig
    const httpClient = (yield* HttpClient.HttpClient).pipe(
      HttpClient.mapRequest(HttpClientRequest.prependUrl(config.siteUrl)),
      // The platform's own span ends with an error that has the request, and so the token, in it.
      HttpClient.withTracerDisabledWhen(() => true)
    )
    const site = new URL(config.siteUrl)

    const call = <A>(
      asked: Asked,
      request: Effect.Effect<A, CallFailure, HttpClient.HttpClient>
    ): Effect.Effect<A, AnswerError> =>
      repeat(
        config,
        isWrite(asked) ? isSafeToRepeatWrite : isWorthRepeatingRead,
        (timeout) =>
          request.pipe(
            Effect.mapError((error) => toError(error, asked)),
            Effect.provideService(HttpClient.HttpClient, httpClient),
            // A redirect would lose the token on its way to another site, and turn a write into a read on the same one.
            Effect.provideService(FetchHttpClient.RequestInit, { redirect: "manual" }),
            Effect.timeoutFail({
              duration: timeout,
              onTimeout: () => new NetworkError({ reason: "Timeout", ...unanswered(asked) })
            }),
            Effect.tapError((error) =>
              Effect.zipRight(
                Effect.annotateCurrentSpan("error.type", error._tag),
                config.logDebug(`${asked.endpoint} failed: ${error.message}`)
              )
            ),
            Effect.withSpan(asked.endpoint, {
              kind: "client",
              captureStackTrace: false,
              attributes: spanAttributes(asked, site)
            })
          )
      )

    const uncreating = <A>(
      asked: Asked,
      request: Effect.Effect<A, CallFailure, HttpClient.HttpClient>
    ): Effect.Effect<A, ReadCallError> =>
      Effect.catchTag(
        call(asked, request),
        "AlreadyExistsError",
        () =>
          new UnexpectedResponseError({
            endpoint: asked.endpoint,
            status: 400,
            problem: "it was refused because a secret exists already, and makes none"
          })
      )

    const unlessApproval = (asked: Asked) =>
    <E>(
      answer: Effect.Effect<typeof Wire.WriteAnswer.Type, E>
    ): Effect.Effect<Wire.EncryptedSecret, E | ApprovalRequiredError> =>
      Effect.flatMap(answer, (answer) =>
        "approval" in answer
          ? new ApprovalRequiredError({ approvalId: answer.approval.id, endpoint: asked.endpoint })
          : Effect.succeed(answer.secret))

    return {
      getServiceToken: (accessToken) =>
        uncreating(
          { endpoint: "GET /api/v2/service-token", action: undefined },
          Effect.flatMap(serviceToken, (client) => client.getServiceToken({ headers: authorization(accessToken) }))
        ),

      getServiceTokenKey: (accessToken) =>
        uncreating(
          { endpoint: "GET /api/v3/service-token/me/key", action: undefined },
          Effect.flatMap(serviceToken, (client) => client.getServiceTokenKey({ headers: authorization(accessToken) }))
        ),

      listSecrets: ({ accessToken, etag, location, projectId }) =>
        uncreating(
          {
            endpoint: "GET /api/v3/secrets",
            action: "read",
            environment: location.environment,
            secretPath: location.secretPath
          },
          Effect.flatMap(encryptedSecrets, (client) =>
            client.listSecrets({
              headers: {
                ...authorization(accessToken),
                ...Option.match(etag, { onNone: () => ({}), onSome: (etag) => ({ "if-none-match": etag }) })
              },
              urlParams: {
                workspaceId: projectId,
                environment: location.environment,
                secretPath: location.secretPath,
                include_imports: location.includeImports ? "true" : "false"
              },
              withResponse: true
            }))
        ).pipe(Effect.map(([list, { headers }]): ListAnswer => {
          const rateLimit = readRateLimit(headers)
          return list === undefined
            ? { _tag: "NotModified", rateLimit }
            : { _tag: "Modified", rateLimit, list, etag: Option.fromNullable(headers["etag"]) }
        })),

      getSecret: (target) =>
        uncreating(
          askedOf("GET", "read", target),
          Effect.flatMap(encryptedSecrets, (client) =>
            client.getSecret({
              headers: authorization(target.accessToken),
              path: { secretName: target.name },
              urlParams: {
                ...payloadOf(target),
                include_imports: target.location.includeImports ? "true" : "false"
              }
            }))
        ).pipe(Effect.flatMap((answer) => answer === undefined ? unaskedNotModified : Effect.succeed(answer.secret))),

      createSecret: (target, encrypted) => {
        const asked = askedOf("POST", "create", target)
        return call(
          asked,
          Effect.flatMap(encryptedSecrets, (client) =>
            client.createSecret({
              headers: authorization(target.accessToken),
              path: { secretName: target.name },
              payload: { ...payloadOf(target), ...encrypted }
            }))
        ).pipe(unlessApproval(asked))
      },

      updateSecret: (target, encrypted) => {
        const asked = askedOf("PATCH", "update", target)
        return call(
          asked,
          Effect.flatMap(encryptedSecrets, (client) =>
            client.updateSecret({
              headers: authorization(target.accessToken),
              path: { secretName: target.name },
              payload: { ...payloadOf(target), ...encrypted }
            }))
        ).pipe(unlessApproval(asked))
      },

      deleteSecret: (target) => {
        const asked = askedOf("DELETE", "delete", target)
        return uncreating(
          asked,
          Effect.flatMap(encryptedSecrets, (client) =>
            client.deleteSecret({
              headers: authorization(target.accessToken),
              path: { secretName: target.name },
              payload: payloadOf(target)
            }))
        ).pipe(unlessApproval(asked))
      }
    }
  }
)

/**
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<InfisicalApi, never, HttpClient.HttpClient | InfisicalConfig.InfisicalConfig> = Layer
  .effect(InfisicalApi, make)

// What is compiled holds neither site nor client, so that it serves every layer of the process.
const transport = HttpClient.makeWith<never, never, TransportFailure, HttpClient.HttpClient>(
  Effect.flatMap((request) =>
    Effect.flatMap(HttpClient.HttpClient, (client) => Effect.flatMap(client.execute(request), refuse))
  ),
  Effect.succeed
)

const serviceToken = once(HttpApiClient.group(Wire.api, { group: "serviceToken", httpClient: transport }))

const encryptedSecrets = once(HttpApiClient.group(Wire.api, { group: "encryptedSecrets", httpClient: transport }))

const authorization = (accessToken: Redacted.Redacted<string>) => ({
  authorization: `Bearer ${Redacted.value(accessToken)}`
})

const readRateLimit = (headers: Headers.Headers): Option.Option<RateLimit> => {
  const [limit, remaining, reset] = ["limit", "remaining", "reset"].map((name) => {
    const text = headers[`x-ratelimit-${name}`]
    return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined
  })
  return limit === undefined || remaining === undefined || reset === undefined
    ? Option.none()
    : Option.some({ limit, remaining, resetAfter: Duration.seconds(reset) })
}

const payloadOf = (target: Target) => ({
  workspaceId: target.projectId,
  environment: target.location.environment,
  secretPath: target.location.secretPath,
  type: target.type
})

const askedOf = (method: string, action: Asked["action"], target: Target): Asked => ({
  endpoint: `${method} /api/v3/secrets/:secretName`,
  action,
  secretName: target.name,
  environment: target.location.environment,
  secretPath: target.location.secretPath
})

const unaskedNotModified = new UnexpectedResponseError({
  endpoint: "GET /api/v3/secrets/:secretName",
  status: 304,
  problem: "nothing was said to have changed, though no ETag was sent"
})

// https://opentelemetry.io/docs/specs/semconv/http/http-spans/
const spanAttributes = ({ endpoint, environment, secretPath }: Asked, site: URL) => {
  const [method, template] = endpoint.split(" ")
  return {
    "http.request.method": method,
    "url.template": template,
    "server.address": site.hostname,
    "server.port": Number(site.port || (site.protocol === "https:" ? 443 : 80)),
    ...defined({ "infisical.environment": environment, "infisical.secret_path": secretPath })
  }
}

const isWrite = (asked: Asked): boolean => asked.action !== undefined && asked.action !== "read"

const unanswered = (asked: Asked) => ({ endpoint: asked.endpoint, mayHaveBeenApplied: isWrite(asked) })

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
  asked: Asked
): AnswerError => {
  switch (error._tag) {
    case "Refused":
      return classify(error, asked)
    case "RequestError":
      return new NetworkError({
        reason: "Transport",
        endpoint: asked.endpoint,
        ...transportCode(error.cause),
        mayHaveBeenApplied: isWrite(asked) && !wasNeverSent(error)
      })
    case "ResponseError":
      return error.reason === "Decode" && !(error.cause instanceof SyntaxError)
        ? new NetworkError({ reason: "Transport", ...transportCode(error.cause), ...unanswered(asked) })
        : new UnexpectedResponseError({
          endpoint: asked.endpoint,
          status: error.response.status,
          problem: error.reason === "StatusCode" ? "the status is none that it gives" : "the body is not JSON"
        })
    case "HttpApiDecodeError":
      return new UnexpectedResponseError({
        endpoint: asked.endpoint,
        status: 400,
        problem: "the answer is an error of another API"
      })
    case "ParseError":
      return new UnexpectedResponseError({
        endpoint: asked.endpoint,
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

const pauseBefore = (repetition: number, error: NetworkError, retry: InfisicalConfig.Service["retry"]) =>
  error.retryAfter !== undefined
    ? Effect.succeed(Duration.toMillis(error.retryAfter))
    : Effect.map(
      Random.nextRange(0.8, 1.2),
      (jitter) =>
        jitter *
        Math.min(Duration.toMillis(retry.baseDelay) * 2 ** (repetition - 1), Duration.toMillis(retry.maxDelay))
    )
