/**
 * The server as an `HttpApp`: the routes of `Wire.api` over `EmulatorState`.
 *
 * The schemas are the wire's, the statuses and the bodies of refusals are the server's own, in its order: the route,
 * the token, the body, what is in it, and only then what it is about. Each group of the wire has its own module of
 * routes, which does not compile without one for each of its endpoints.
 *
 * @since 0.1.0
 */
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import { Crypto } from "effect-infisical"
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import * as Answer from "./eras/Answer.js"
import * as Faults from "./faults/Faults.js"
import * as Authentication from "./routes/authentication.js"
import * as EncryptedSecrets from "./routes/encryptedSecrets.js"
import * as Folders from "./routes/folders.js"
import * as FoldersV2 from "./routes/foldersV2.js"
import * as RawSecrets from "./routes/rawSecrets.js"
import { respond } from "./routes/route.js"
import * as SecretImports from "./routes/secretImports.js"
import * as Secrets from "./routes/secrets.js"
import * as SecretsById from "./routes/secretsById.js"
import * as ServiceToken from "./routes/serviceToken.js"
import * as Maintenance from "./rules/maintenance.js"
import * as EmulatorState from "./state/EmulatorState.js"
import * as Identifier from "./support/identifier.js"

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
      ...ServiceToken.routes(self, state),
      ...Authentication.routes(self),
      ...EncryptedSecrets.routes(self),
      ...RawSecrets.routes(self),
      ...Secrets.routes(self),
      ...SecretsById.routes(self),
      ...Folders.routes(self),
      ...FoldersV2.routes(self),
      ...SecretImports.routes(self),
      ...SecretImports.routesV2(self)
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
      // A longer parameter is no route, and a slash at the end makes no difference; case does, and a slash within.
      HttpRouter.withRouterConfig({
        caseSensitive: true,
        ignoreDuplicateSlashes: false,
        ignoreTrailingSlash: true,
        maxParamLength: 100
      })
    )
    return router.pipe(
      Effect.catchTag("RouteNotFound", ({ request }) =>
        Faults.afflict(
          faults,
          self,
          undefined,
          noRoute(self, request)
        )),
      Effect.provideService(Crypto.Crypto, crypto)
    )
  }
)

/** What comes to no route: among it preflights, and paths that cannot be decoded. */
const noRoute = (self: EmulatorState.Service, request: HttpServerRequest.HttpServerRequest) =>
  request.method === "OPTIONS"
    ? respond(self, request, undefined, Answer.preflightInvalid, "text/plain")
    : isEncoded(request.url)
    ? respond(self, request, undefined, Answer.routeNotFound(request.method, request.url))
    : respond(self, request, undefined, Answer.urlMalformed(request.url), "application/json")

const isEncoded = (url: string): boolean => {
  try {
    decodeURIComponent(url.split("?", 1)[0] ?? "")
    return true
  } catch {
    return false
  }
}

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
