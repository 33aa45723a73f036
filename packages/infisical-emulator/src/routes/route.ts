/** A route of the wire: in which order a request is looked at, and how an answer is written. */
import type * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import type * as HttpMethod from "@effect/platform/HttpMethod"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import type { Crypto } from "effect-infisical"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import type * as Schema from "effect/Schema"
import * as NodeCrypto from "node:crypto"
import * as Answer from "../eras/Answer.js"
import * as Eras from "../eras/eras.js"
import type { Actor } from "../rules/authentication.js"
import * as Authentication from "../rules/authentication.js"
import type * as RawPlaces from "../rules/rawPlaces.js"
import * as EmulatorState from "../state/EmulatorState.js"
import * as Identifier from "../support/identifier.js"
import * as Body from "./body.js"
import * as RateLimits from "./rateLimits.js"
import * as Validation from "./validation.js"

/** What a handler is given. An input is read when it is asked for, since the first wrong one is what is answered. */
interface Asked<Path, UrlParams, Payload> {
  readonly actor: Actor
  readonly state: EmulatorState.State
  readonly url: string
  /** The body as it was sent: what the wire's schema does not know is there, too. */
  readonly body: unknown
  readonly path: Effect.Effect<Path, Answer.Answer>
  readonly urlParams: Effect.Effect<UrlParams, Answer.Answer>
  readonly payload: Effect.Effect<Payload, Answer.Answer>
}

/** A route that needs a token. */
export const route = <
  Name extends string,
  Method extends HttpMethod.HttpMethod,
  Path,
  UrlParams,
  Payload,
  Headers,
  Success,
  Failure
>(
  self: EmulatorState.Service,
  endpoint: HttpApiEndpoint.HttpApiEndpoint<Name, Method, Path, UrlParams, Payload, Headers, Success, Failure>,
  handler: (asked: Asked<Path, UrlParams, Payload>) => Effect.Effect<Answer.Answer, Answer.Answer, Crypto.Crypto>,
  complete: RawPlaces.Complete = (_, __, input) => Either.right(input)
) =>
  HttpRouter.makeRoute(
    endpoint.method,
    endpoint.path,
    Effect.gen(function*() {
      const request = yield* HttpServerRequest.HttpServerRequest
      const { params } = yield* HttpRouter.RouteContext
      const searchParams = yield* HttpServerRequest.ParsedSearchParams
      const { era } = yield* Ref.get(self.state)
      if (!Eras.hasRoute(era, endpoint.path)) {
        return yield* respond(self, request, undefined, Answer.routeNotFound(request.method, request.url))
      }
      const answer = yield* Effect.merge(Effect.gen(function*() {
        const actor = yield* Authentication.authenticate(self, request.headers["authorization"])
        const body = yield* Body.read(request)
        const state = yield* Ref.get(self.state)
        const completed = <A>(schema: Option.Option<Schema.Schema<A, unknown>>, input: unknown) =>
          Effect.flatMap(complete(state, actor, input), (input) => Validation.decode(schema, input))
        return yield* RateLimits.limit(
          self,
          endpoint.path,
          handler({
            actor,
            state,
            url: request.url,
            body,
            path: Validation.decode(endpoint.pathSchema, params),
            urlParams: completed(endpoint.urlParamsSchema, searchParams),
            payload: completed(endpoint.payloadSchema, body)
          })
        )
      }))
      return yield* respond(self, request, endpoint.path, answer)
    })
  )

/** A route that needs no token. */
export const openRoute = <
  Name extends string,
  Method extends HttpMethod.HttpMethod,
  Path,
  UrlParams,
  Payload,
  Headers,
  Success,
  Failure
>(
  self: EmulatorState.Service,
  endpoint: HttpApiEndpoint.HttpApiEndpoint<Name, Method, Path, UrlParams, Payload, Headers, Success, Failure>,
  handler: (
    payload: Effect.Effect<Payload, Answer.Answer>,
    made: { readonly id: string; readonly now: number }
  ) => Effect.Effect<Answer.Answer, Answer.Answer>
) =>
  HttpRouter.makeRoute(
    endpoint.method,
    endpoint.path,
    Effect.gen(function*() {
      const request = yield* HttpServerRequest.HttpServerRequest
      const made = { id: yield* Identifier.uuid, now: yield* Clock.currentTimeMillis }
      const state = yield* Ref.get(self.state)
      if (!Eras.hasRoute(state.era, endpoint.path)) {
        return yield* respond(self, request, undefined, Answer.routeNotFound(request.method, request.url))
      }
      const answer = yield* Effect.merge(
        Effect.gen(function*() {
          const authorization = request.headers["authorization"]
          if (authorization !== undefined && Eras.does(state, "readsTokenOfLogins")) {
            yield* Authentication.authenticate(self, authorization)
          }
          const body = yield* Body.read(request)
          return yield* RateLimits.limit(
            self,
            endpoint.path,
            handler(Validation.decode(endpoint.payloadSchema, body), made)
          )
        })
      )
      return yield* respond(self, request, endpoint.path, answer)
    })
  )

/** Answers in the words of the era, and keeps in mind that it did. */
export const respond = (
  self: EmulatorState.Service,
  request: HttpServerRequest.HttpServerRequest,
  route: string | undefined,
  said: Answer.Answer,
  contentType = "application/json; charset=utf-8"
): Effect.Effect<HttpServerResponse.HttpServerResponse> =>
  Effect.gen(function*() {
    const { era } = yield* Ref.get(self.state)
    const answer = Eras.inWordsOf(era, said, `req-${yield* Identifier.hexadecimal(2)}`)
    const body = typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body)
    const etag = `"${NodeCrypto.createHash("sha1").update(body).digest("base64")}"`
    // The framework's own answers have none.
    const hasETag = contentType !== "application/json"
    const options = { contentType, headers: { ...(hasETag && { etag }), ...said.headers } }
    const response = request.headers["if-none-match"] === etag
      ? HttpServerResponse.empty({
        status: 304,
        headers: { "content-type": options.contentType, ...options.headers }
      })
      : HttpServerResponse.text(body, { status: answer.status, ...options })
    yield* EmulatorState.record(self, { request, route, status: response.status })
    return response
  })
