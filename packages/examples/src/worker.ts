/**
 * A worker for Cloudflare or another edge: a `fetch` handler that needs `fetch` and Web Crypto, and no Node.
 *
 *     npm run example -- run-worker
 *
 * This bundles it for the web, as Wrangler does, and sends a request to the bundle. On Cloudflare, its environment needs
 * `INFISICAL_PROJECT_ID`, `INFISICAL_UNIVERSAL_AUTH_CLIENT_ID` and `INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET`.
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { Infisical, InfisicalConfig, Secrets } from "effect-infisical"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"

const greeting = Effect.gen(function*() {
  const secrets = yield* Secrets.Secrets
  const name = yield* secrets.get("NAME")
  return HttpServerResponse.text(`Hello! My name is: ${Redacted.value(name.value)}`)
}).pipe(
  Effect.tapError((error) => Effect.logError(error.message)),
  Effect.orElse(() => HttpServerResponse.text("Hello! I cannot remember my name.", { status: 503 }))
)

/** What a worker is given: variables and secrets. */
type Environment = Readonly<Record<string, string>>

/** A worker has no background: secrets are fetched again by the request that finds them stale. */
const config = Config.map(InfisicalConfig.fromEnvironment, (options) => ({ ...options, refresh: false } as const))

const makeHandler = (environment: Environment) =>
  HttpApp.toWebHandlerLayer(
    greeting,
    Infisical.layerConfig(config).pipe(
      Layer.provide(FetchHttpClient.layer),
      Layer.provide(Layer.setConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(environment)))))
    )
  ).handler

/** One client for each environment, and so one cache for the life of the worker. */
const handlers = new WeakMap<Environment, ReturnType<typeof makeHandler>>()

const handlerOf = (environment: Environment) => {
  const handler = handlers.get(environment) ?? makeHandler(environment)
  handlers.set(environment, handler)
  return handler
}

export default {
  fetch: (request: Request, environment: Environment): Promise<Response> => handlerOf(environment)(request)
}
