/**
 * The way of a request to the server and of its response back: with our headers, without following redirects, with a
 * body of bounded size. What comes back is either an answer that can be decoded, or a failure.
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as Headers from "@effect/platform/Headers"
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Record from "effect/Record"
import * as Redacted from "effect/Redacted"
import type * as InfisicalConfig from "../config/InfisicalConfig.js"
import { read } from "./body.js"
import type { Refusal } from "./classify.js"
import * as RequestInit from "./requestInit.js"
import { parseRetryAfter } from "./retryAfter.js"

/** A refusal whose meaning is not yet known. */
export interface Refused extends Refusal {
  readonly _tag: "Refused"
}

/** A response that Infisical does not give. */
export interface Unexpected {
  readonly _tag: "Unexpected"
  readonly status: number
  readonly problem: string
}

/** A request that is too large to be sent. */
export interface TooLarge {
  readonly _tag: "TooLarge"
}

export type TransportFailure = Refused | Unexpected | TooLarge | HttpClientError.HttpClientError

/** Sends a request. The response has status 200 and its body in memory, or status 304 if the request was conditional. */
export class Transport extends Context.Tag("effect-infisical/api/Transport")<
  Transport,
  (
    request: HttpClientRequest.HttpClientRequest
  ) => Effect.Effect<HttpClientResponse.HttpClientResponse, TransportFailure>
>() {}

// The compiled calls hold neither site nor client, so that they serve every layer of the process.
export const httpClient = HttpClient.makeWith<never, never, TransportFailure, Transport>(
  Effect.flatMap((request) => Effect.flatMap(Transport, (send) => send(request))),
  Effect.succeed
)

export const make = (
  config: InfisicalConfig.Service
): Effect.Effect<Context.Tag.Service<Transport>, never, HttpClient.HttpClient> =>
  Effect.gen(function*() {
    const client = withSite(config, yield* HttpClient.HttpClient)
    const init = yield* RequestInit.ofClient(client, config)
    // The end of the scope closes the connection of a response that was not read to its end.
    const { execute } = HttpClient.withScope(client)
    return (request) =>
      isTooLarge(request)
        ? Effect.fail<TooLarge>({ _tag: "TooLarge" })
        : Effect.flatMap(execute(request), (response) => receive(config, request, response)).pipe(
          // A redirect would lose the token on its way to another site, and turn a write into a read on the same one.
          Effect.provideService(FetchHttpClient.RequestInit, { ...init, redirect: "manual" }),
          Effect.scoped
        )
  })

/** In bytes. Servers from 2024-10 on answer a larger one as if they had failed. */
const largestRequest = 1024 * 1024

const isTooLarge = ({ body }: HttpClientRequest.HttpClientRequest): boolean =>
  body._tag === "Uint8Array" && body.contentLength > largestRequest

const withSite = ({ headers, siteUrl, transformClient }: InfisicalConfig.Service, client: HttpClient.HttpClient) =>
  client.pipe(
    HttpClient.mapRequest((request) =>
      request.pipe(
        HttpClientRequest.prependUrl(siteUrl),
        HttpClientRequest.setHeaders({ ...Record.map(headers, Redacted.value), ...request.headers })
      )
    ),
    transformClient,
    // The platform's own span ends with an error that has the request, and so the token, in it.
    HttpClient.withTracerDisabledWhen(() => true),
    // What else prints headers redacts ours as well.
    HttpClient.transformResponse(
      Effect.locallyWith(Headers.currentRedactedNames, (names) => [...names, ...Object.keys(headers)])
    )
  )

const receive = (
  config: InfisicalConfig.Service,
  request: HttpClientRequest.HttpClientRequest,
  response: HttpClientResponse.HttpClientResponse
): Effect.Effect<HttpClientResponse.HttpClientResponse, TransportFailure> =>
  Effect.zipRight(
    Effect.annotateCurrentSpan("http.response.status_code", response.status),
    answerOf(config, request, response)
  )

const answerOf = (
  config: InfisicalConfig.Service,
  request: HttpClientRequest.HttpClientRequest,
  response: HttpClientResponse.HttpClientResponse
): Effect.Effect<HttpClientResponse.HttpClientResponse, TransportFailure> => {
  const { status } = response
  if (status === 200) {
    return Effect.mapBoth(read(response, config.maxResponseBytes), {
      onFailure: (error) => error._tag === "RefusedBody" ? unexpected(status, error.problem) : error,
      onSuccess: (body) => withBody(response, body)
    })
  }
  if (status === 304 && request.headers["if-none-match"] !== undefined) return Effect.succeed(response)
  if ((status > 200 && status < 300) || status === 304) {
    return Effect.fail(unexpected(status, "Infisical does not answer this request with that status"))
  }
  return Effect.flatMap(refusalOf(config, response), Effect.fail)
}

/** In bytes. A refusal of Infisical has a few hundred; a larger one would only cost time to parse. */
const largestRefusal = 1024 * 1024

const unexpected = (status: number, problem: string): Unexpected => ({ _tag: "Unexpected", status, problem })

const refusalOf = (
  { maxResponseBytes, retry }: InfisicalConfig.Service,
  response: HttpClientResponse.HttpClientResponse
): Effect.Effect<Refused, HttpClientError.ResponseError> =>
  Effect.zipWith(
    // What is too large or malformed is no answer of Infisical: the status alone says what it means.
    Effect.catchIf(
      Effect.map(read(response, Math.min(maxResponseBytes, largestRefusal)), Option.liftThrowable(parse)),
      (error) => error._tag === "RefusedBody",
      () => Effect.succeedNone
    ),
    Clock.currentTimeMillis,
    (body, now) => ({
      _tag: "Refused",
      status: response.status,
      body: Option.getOrUndefined(body),
      retryAfter: Option.getOrUndefined(parseRetryAfter(response.headers, now, retry.maxRetryAfter))
    })
  )

const parse = (body: ArrayBuffer): unknown => JSON.parse(new TextDecoder().decode(body))

/** The response with its body in memory; a copy through `Response` would copy the body twice. */
const withBody = (
  response: HttpClientResponse.HttpClientResponse,
  body: ArrayBuffer
): HttpClientResponse.HttpClientResponse => {
  const arrayBuffer = Effect.succeed(body)
  return new Proxy(response, {
    get: (target, key): unknown => key === "arrayBuffer" ? arrayBuffer : Reflect.get(target, key, target)
  })
}
