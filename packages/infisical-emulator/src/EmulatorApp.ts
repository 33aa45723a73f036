/**
 * The server as an `HttpApp`: the routes of `Wire.api` over `EmulatorState`.
 *
 * The schemas are the wire's, the statuses and the bodies of refusals are the server's own, in its order: the route,
 * the token, the body, what is in it, and only then what it is about. A route of the wire that nothing here serves is
 * not found, as on a server that does not have it.
 *
 * @since 0.1.0
 */
import type * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import type * as HttpApp from "@effect/platform/HttpApp"
import type * as HttpMethod from "@effect/platform/HttpMethod"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { Crypto, Wire } from "effect-infisical"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import type * as Schema from "effect/Schema"
import * as NodeCrypto from "node:crypto"
import * as Answer from "./Answer.js"
import * as EmulatorState from "./EmulatorState.js"
import * as Faults from "./Faults.js"
import * as Approvals from "./internal/approvals.js"
import type { Actor } from "./internal/authentication.js"
import * as Authentication from "./internal/authentication.js"
import * as Body from "./internal/body.js"
import * as Eras from "./internal/eras.js"
import * as Folders from "./internal/folders.js"
import * as Identifier from "./internal/identifier.js"
import * as Identities from "./internal/identities.js"
import * as Legibility from "./internal/legibility.js"
import * as Maintenance from "./internal/maintenance.js"
import * as RateLimits from "./internal/rateLimits.js"
import * as RawPlaces from "./internal/rawPlaces.js"
import * as RawSecrets from "./internal/rawSecrets.js"
import * as Secrets from "./internal/secrets.js"
import * as ServiceTokens from "./internal/serviceTokens.js"
import * as Validation from "./internal/validation.js"
import * as World from "./World.js"

/**
 * Builds the app over the state. Every request it answers is recorded there.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<
  HttpApp.Default<Faults.ConnectionLost>,
  never,
  Crypto.Crypto | EmulatorState.EmulatorState | Faults.Faults
> = Effect.gen(
  function*() {
    const crypto = yield* Crypto.Crypto
    const faults = yield* Faults.Faults
    const self = yield* EmulatorState.EmulatorState
    const state = yield* Ref.get(self.state)
    const routes = [
      status(self),
      ...Object.values(Wire.api.groups).flatMap((group) =>
        Object.values<Endpoint>(group.endpoints).flatMap((endpoint) => {
          switch (endpoint.name) {
            case "getServiceToken":
              return [
                route(self, endpoint, ({ actor, state, url }) => Effect.succeed(ServiceTokens.get(state, actor, url)))
              ]
            case "getServiceTokenKey":
              return state.admitsServiceTokenV3
                ? [route(self, endpoint, ({ actor, url }) => Effect.succeed(ServiceTokens.getKey(actor, url)))]
                : []
            case "listSecrets":
              return [
                route(
                  self,
                  endpoint,
                  ({ actor, state, urlParams }) =>
                    Effect.flatMap(urlParams, (query) => Secrets.list(state, actor, query))
                )
              ]
            case "getSecret":
              return [route(self, endpoint, ({ actor, path, state, urlParams }) =>
                Effect.gen(function*() {
                  const { secretName } = yield* path
                  return yield* Secrets.get(state, actor, secretName, yield* urlParams)
                }))]
            case "createSecret":
              return [route(self, endpoint, ({ actor, path, payload }) =>
                Effect.gen(function*() {
                  const { secretName } = yield* path
                  const written = yield* payload
                  const made = { id: yield* Identifier.uuid, time: yield* Identifier.now }
                  return yield* unlessApproval(
                    self,
                    written,
                    [written],
                    (state) => Secrets.create(state, actor, secretName, written, made)
                  )
                }))]
            case "updateSecret":
              return [route(self, endpoint, ({ actor, path, payload }) =>
                Effect.gen(function*() {
                  const { secretName } = yield* path
                  const written = yield* payload
                  const time = yield* Identifier.now
                  return yield* unlessApproval(
                    self,
                    written,
                    [written],
                    (state) => Secrets.update(state, actor, secretName, written, time)
                  )
                }))]
            case "deleteSecret":
              return [route(self, endpoint, ({ actor, path, payload }) =>
                Effect.gen(function*() {
                  const { secretName } = yield* path
                  const written = yield* payload
                  return yield* unlessApproval(
                    self,
                    written,
                    [],
                    (state) => Secrets.remove(state, actor, secretName, written)
                  )
                }))]
            case "loginUniversalAuth":
              return [
                openRoute(
                  self,
                  endpoint,
                  (payload, made) =>
                    Effect.flatMap(
                      payload,
                      (payload) => attempt(self, (state) => Identities.universalAuth(state, payload, made))
                    )
                )
              ]
            case "loginKubernetesAuth":
            case "loginGcpAuth":
            case "loginAzureAuth":
            case "loginOidcAuth":
            case "loginJwtAuth":
              return [
                openRoute(
                  self,
                  endpoint,
                  (payload, made) =>
                    Effect.flatMap(payload, (payload) => attempt(self, (state) => Identities.jwt(state, payload, made)))
                )
              ]
            case "loginLdapAuth":
              return [
                openRoute(
                  self,
                  endpoint,
                  (payload, made) =>
                    Effect.flatMap(
                      payload,
                      (payload) => attempt(self, (state) => Identities.ldap(state, payload, made))
                    )
                )
              ]
            case "loginAwsAuth":
              return [
                openRoute(
                  self,
                  endpoint,
                  (payload, made) =>
                    Effect.flatMap(payload, (payload) => attempt(self, (state) => Identities.aws(state, payload, made)))
                )
              ]
            case "renewAccessToken":
              return [
                openRoute(
                  self,
                  endpoint,
                  (payload, made) =>
                    Effect.flatMap(
                      payload,
                      (payload) => attempt(self, (state) => Identities.renew(state, payload, made.now))
                    )
                )
              ]
            case "revokeAccessToken":
              return [
                openRoute(
                  self,
                  endpoint,
                  (payload) =>
                    Effect.flatMap(
                      payload,
                      (payload) => attempt(self, (state) => Identities.revoke(state, payload))
                    )
                )
              ]
            case "listRawSecrets":
              return [
                route(
                  self,
                  endpoint,
                  ({ actor, urlParams }) =>
                    Effect.flatMap(urlParams, (query) => RawSecrets.list({ self, actor, version: "v3" }, query)),
                  RawPlaces.list
                )
              ]
            case "getRawSecret":
              return [route(self, endpoint, ({ actor, path, urlParams }) =>
                Effect.gen(function*() {
                  const { secretName } = yield* path
                  return yield* RawSecrets.get({ self, actor, version: "v3" }, secretName, yield* urlParams)
                }), RawPlaces.get)]
            case "createRawSecret":
              return [route(self, endpoint, ({ actor, path, payload }) =>
                Effect.gen(function*() {
                  const { secretName } = yield* path
                  return yield* RawSecrets.create({ self, actor, version: "v3" }, secretName, yield* payload)
                }))]
            case "updateRawSecret":
              return [route(self, endpoint, ({ actor, path, payload }) =>
                Effect.gen(function*() {
                  const { secretName } = yield* path
                  return yield* RawSecrets.update({ self, actor, version: "v3" }, secretName, yield* payload)
                }))]
            case "deleteRawSecret":
              return [route(self, endpoint, ({ actor, path, payload }) =>
                Effect.gen(function*() {
                  const { secretName } = yield* path
                  return yield* RawSecrets.remove({ self, actor, version: "v3" }, secretName, yield* payload)
                }))]
            case "createRawSecrets":
              return [route(self, endpoint, ({ actor, payload }) =>
                Effect.gen(function*() {
                  const written = yield* payload
                  return yield* RawSecrets.createMany(
                    { self, actor, version: "v3" },
                    written,
                    written.secrets
                  )
                }), RawPlaces.batch)]
            case "updateRawSecrets":
              return [route(self, endpoint, ({ actor, payload }) =>
                Effect.gen(function*() {
                  const written = yield* payload
                  return yield* RawSecrets.updateMany(
                    { self, actor, version: "v3" },
                    written,
                    written.secrets
                  )
                }), RawPlaces.batch)]
            case "deleteRawSecrets":
              return [route(self, endpoint, ({ actor, payload }) =>
                Effect.gen(function*() {
                  const written = yield* payload
                  return yield* RawSecrets.removeMany(
                    { self, actor, version: "v3" },
                    written,
                    written.secrets
                  )
                }), RawPlaces.batch)]
            case "listSecretsV4":
              return [
                route(
                  self,
                  endpoint,
                  ({ actor, urlParams }) =>
                    Effect.flatMap(
                      urlParams,
                      (query) => RawSecrets.list({ self, actor, version: "v4" }, placed(query))
                    ),
                  RawPlaces.read
                )
              ]
            case "getSecretV4":
              return [route(self, endpoint, ({ actor, path, urlParams }) =>
                Effect.gen(function*() {
                  const { secretName } = yield* path
                  return yield* RawSecrets.get({ self, actor, version: "v4" }, secretName, placed(yield* urlParams))
                }), RawPlaces.read)]
            case "createSecretV4":
              return [route(self, endpoint, ({ actor, path, payload }) =>
                Effect.gen(function*() {
                  const { secretName } = yield* path
                  return yield* RawSecrets.create({ self, actor, version: "v4" }, secretName, placed(yield* payload))
                }))]
            case "updateSecretV4":
              return [route(self, endpoint, ({ actor, path, payload }) =>
                Effect.gen(function*() {
                  const { secretName } = yield* path
                  return yield* RawSecrets.update({ self, actor, version: "v4" }, secretName, placed(yield* payload))
                }))]
            case "deleteSecretV4":
              return [route(self, endpoint, ({ actor, path, payload }) =>
                Effect.gen(function*() {
                  const { secretName } = yield* path
                  return yield* RawSecrets.remove({ self, actor, version: "v4" }, secretName, placed(yield* payload))
                }))]
            case "createSecretsV4":
              return [route(self, endpoint, ({ actor, payload }) =>
                Effect.gen(function*() {
                  const written = yield* payload
                  return yield* RawSecrets.createMany(
                    { self, actor, version: "v4" },
                    placed(written),
                    written.secrets
                  )
                }))]
            case "updateSecretsV4":
              return [route(self, endpoint, ({ actor, payload }) =>
                Effect.gen(function*() {
                  const written = yield* payload
                  return yield* RawSecrets.updateMany(
                    { self, actor, version: "v4" },
                    placed(written),
                    written.secrets,
                    written.mode
                  )
                }))]
            case "deleteSecretsV4":
              return [route(self, endpoint, ({ actor, payload }) =>
                Effect.gen(function*() {
                  const written = yield* payload
                  return yield* RawSecrets.removeMany(
                    { self, actor, version: "v4" },
                    placed(written),
                    written.secrets
                  )
                }))]
            case "createSecrets":
              return [route(self, endpoint, ({ actor, payload }) =>
                Effect.gen(function*() {
                  const written = yield* payload
                  const ids = yield* Effect.forEach(written.secrets, () => Identifier.uuid)
                  const made = { ids, time: yield* Identifier.now }
                  return yield* unlessApproval(
                    self,
                    written,
                    written.secrets,
                    (state) => Secrets.createMany(state, actor, written, made)
                  )
                }))]
            case "updateSecrets":
              return [route(self, endpoint, ({ actor, payload }) =>
                Effect.gen(function*() {
                  const written = yield* payload
                  const time = yield* Identifier.now
                  return yield* unlessApproval(
                    self,
                    written,
                    written.secrets,
                    (state) => Secrets.updateMany(state, actor, written, time)
                  )
                }))]
            case "deleteSecrets":
              return [route(self, endpoint, ({ actor, payload }) =>
                Effect.gen(function*() {
                  const written = yield* payload
                  return yield* unlessApproval(self, written, [], (state) => Secrets.removeMany(state, actor, written))
                }))]
            case "listFolders":
              return [
                route(
                  self,
                  endpoint,
                  ({ actor, state, urlParams }) =>
                    Effect.flatMap(urlParams, (query) => Folders.list(state, actor, query))
                )
              ]
            case "createFolder":
              return [route(self, endpoint, ({ actor, payload }) =>
                Effect.gen(function*() {
                  const asked = yield* payload
                  const made = yield* EmulatorState.makeFolders(
                    [[Folders.pathOfNew(asked), World.Folder.make({})]],
                    asked.environment
                  )
                  return yield* EmulatorState.change(self, (state) => Folders.create(state, actor, asked, made))
                }))]
            case "renameFolder":
              return [route(self, endpoint, ({ actor, path, payload }) =>
                Effect.gen(function*() {
                  const { id } = yield* path
                  const asked = yield* payload
                  const time = yield* Identifier.now
                  return yield* EmulatorState.change(self, (state) => Folders.rename(state, actor, id, asked, time))
                }))]
            case "deleteFolder":
              return [route(self, endpoint, ({ actor, path, payload }) =>
                Effect.gen(function*() {
                  const { id } = yield* path
                  const asked = yield* payload
                  return yield* EmulatorState.change(self, (state) => Folders.remove(state, actor, id, asked))
                }))]
            case "listSecretImports":
              return [
                route(
                  self,
                  endpoint,
                  ({ actor, state, urlParams }) =>
                    Effect.flatMap(urlParams, (query) => Folders.listImports(state, actor, query))
                )
              ]
            case "createSecretImport":
              return [route(self, endpoint, ({ actor, payload }) =>
                Effect.gen(function*() {
                  const asked = yield* payload
                  const made = { id: yield* Identifier.uuid, time: yield* Identifier.now }
                  return yield* EmulatorState.change(self, (state) => Folders.createImport(state, actor, asked, made))
                }))]
            case "deleteSecretImport":
              return [route(self, endpoint, ({ actor, path, payload }) =>
                Effect.gen(function*() {
                  const { id } = yield* path
                  const asked = yield* payload
                  return yield* EmulatorState.change(self, (state) => Folders.removeImport(state, actor, id, asked))
                }))]
            default:
              return []
          }
        })
      )
    ]
    const afflicted = HttpRouter.use(
      HttpRouter.fromIterable(routes),
      (app) =>
        Effect.flatMap(
          HttpRouter.RouteContext,
          ({ route }) => Faults.afflict(faults, self, route.path, unlessMaintenance(self, route.path, app))
        )
    )
    const router = yield* HttpRouter.toHttpApp(afflicted).pipe(
      // A longer parameter is no route, and a slash at the end makes no difference.
      HttpRouter.withRouterConfig({ ignoreTrailingSlash: true, maxParamLength: 100 })
    )
    return router.pipe(
      Effect.catchTag("RouteNotFound", ({ request }) =>
        Faults.afflict(
          faults,
          self,
          undefined,
          respond(self, request, undefined, Answer.routeNotFound(request.method, request.url))
        )),
      Effect.provideService(Crypto.Crypto, crypto)
    )
  }
)

type Endpoint = (typeof Wire.api.groups)[string]["endpoints"][string]

/** Changes secrets, or, where a policy covers them, answers that it awaits approval. */
const unlessApproval = (
  self: EmulatorState.Service,
  place: Secrets.Place,
  values: Parameters<typeof Legibility.isLegible>[2],
  change: (
    state: EmulatorState.State
  ) => Either.Either<readonly [answer: Answer.Answer, state: EmulatorState.State], Answer.Answer>
): Effect.Effect<Answer.Answer, Answer.Answer, Crypto.Crypto> =>
  Effect.gen(function*() {
    const isLegible = yield* Legibility.isLegible(self, place.workspaceId, values)
    const approval = Answer.approvalRequired({ id: yield* Identifier.uuid, slug: yield* Identifier.hexadecimal(2) })
    return yield* EmulatorState.change(self, (state) =>
      change(state).pipe(
        Either.filterOrLeft(() => isLegible, () => Answer.notDecryptable),
        Either.map((changed) => Approvals.cover(state, place) ? [approval, state] as const : changed)
      ))
  })

/** What v4 calls the project, by the name that it had before. */
const placed = <A extends { readonly projectId: string }>(input: A) => ({ ...input, workspaceId: input.projectId })

/** Changes the state in any case: of what is refused, too, something may remain. */
const attempt = (
  self: EmulatorState.Service,
  f: (
    state: EmulatorState.State
  ) => readonly [outcome: Either.Either<Answer.Answer, Answer.Answer>, state: EmulatorState.State]
): Effect.Effect<Answer.Answer, Answer.Answer> => Effect.flatten(Ref.modify(self.state, f))

/** What a handler is given. An input is read when it is asked for, since the first wrong one is what is answered. */
interface Asked<Path, UrlParams, Payload> {
  readonly actor: Actor
  readonly state: EmulatorState.State
  readonly url: string
  readonly path: Effect.Effect<Path, Answer.Answer>
  readonly urlParams: Effect.Effect<UrlParams, Answer.Answer>
  readonly payload: Effect.Effect<Payload, Answer.Answer>
}

const route = <
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
const openRoute = <
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
      const answer = yield* Effect.merge(
        Effect.flatMap(
          Body.read(request),
          (body) =>
            RateLimits.limit(self, endpoint.path, handler(Validation.decode(endpoint.payloadSchema, body), made))
        )
      )
      return yield* respond(self, request, endpoint.path, answer)
    })
  )

// Not a route of the wire: clients have no use for it, people and load balancers do.
const status = (self: EmulatorState.Service) =>
  HttpRouter.makeRoute(
    "GET",
    "/api/status",
    Effect.gen(function*() {
      const request = yield* HttpServerRequest.HttpServerRequest
      const answer = Answer.ok({
        date: yield* Identifier.now,
        message: "Ok",
        emailConfigured: false,
        inviteOnlySignup: true,
        redisConfigured: true,
        secretScanningConfigured: false
      })
      return yield* respond(self, request, "/api/status", answer)
    })
  )

const unlessMaintenance = <E, R>(
  self: EmulatorState.Service,
  route: string,
  app: HttpApp.Default<E, R>
): HttpApp.Default<E, R> =>
  Effect.flatMap(
    HttpServerRequest.HttpServerRequest,
    (request) =>
      Effect.if(Maintenance.refuses(self, request.method, route), {
        onTrue: () => respond(self, request, route, Answer.inMaintenance),
        onFalse: () => app
      })
  )

const respond = (
  self: EmulatorState.Service,
  request: HttpServerRequest.HttpServerRequest,
  route: string | undefined,
  said: Answer.Answer
): Effect.Effect<HttpServerResponse.HttpServerResponse> =>
  Effect.gen(function*() {
    const { era } = yield* Ref.get(self.state)
    const answer = Eras.inWordsOf(era, said, `req-${yield* Identifier.hexadecimal(2)}`)
    const body = JSON.stringify(answer.body)
    const etag = `"${NodeCrypto.createHash("sha1").update(body).digest("base64")}"`
    const options = { contentType: "application/json; charset=utf-8", headers: { etag, ...said.headers } }
    const response = request.headers["if-none-match"] === etag
      ? HttpServerResponse.empty({
        status: 304,
        headers: { "content-type": options.contentType, ...options.headers }
      })
      : HttpServerResponse.text(body, { status: answer.status, ...options })
    yield* EmulatorState.record(self, { request, route, status: response.status })
    return response
  })
