/**
 * A worker for Cloudflare or another edge: a `fetch` handler that needs `fetch` and Web Crypto, and no Node.
 *
 *     npm run example -- run-worker
 *
 * This bundles it for the web, as Wrangler does, and sends a request to the bundle. On Cloudflare, its environment needs
 * `INFISICAL_PROJECT_ID`, `INFISICAL_UNIVERSAL_AUTH_CLIENT_ID` and `INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET`, and a
 * compatibility date of 2024-10-14 or later.
 *
 * Cloudflare forbids a request to use the streams of another, and concurrent requests share one fetch of the secrets.
 * That is why the effect ends with plain data, and the `Response` is made outside.
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import { Infisical, Secrets } from "effect-infisical"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Redacted from "effect/Redacted"

const greeting = Effect.gen(function*() {
  const secrets = yield* Secrets.Secrets
  const name = yield* secrets.get("NAME")
  return { status: 200, text: `Hello! My name is: ${Redacted.value(name.value)}` }
}).pipe(
  Effect.tapError((error) => Effect.logError(error.message)),
  Effect.orElseSucceed(() => ({ status: 503, text: "Hello! I cannot remember my name." }))
)

/** What a worker is given: variables and secrets. */
type Environment = Readonly<Record<string, string>>

const makeRuntime = (environment: Environment) =>
  ManagedRuntime.make(
    // A worker has no background: secrets are fetched again by the request that finds them stale.
    Infisical.layerConfig({ refresh: false }).pipe(
      Layer.provide(FetchHttpClient.layer),
      Layer.provide(Layer.setConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(environment)))))
    )
  )

/** One client for each environment, and so one cache for the life of the worker. */
const runtimes = new WeakMap<Environment, ReturnType<typeof makeRuntime>>()

const runtimeOf = (environment: Environment) => {
  const runtime = runtimes.get(environment) ?? makeRuntime(environment)
  runtimes.set(environment, runtime)
  return runtime
}

export default {
  fetch: async (_request: Request, environment: Environment): Promise<Response> => {
    const { status, text } = await runtimeOf(environment).runPromise(greeting)
    return new Response(text, { status })
  }
}
