/**
 * An HTTP server that greets with a secret. Each visitor gets the value of the cache, which the library keeps up to date:
 * a new value in Infisical needs no restart, and an outage of Infisical goes unnoticed.
 *
 *     npm run example -- http-server
 *     curl http://localhost:3000
 */
import { FetchHttpClient, HttpRouter, HttpServer, HttpServerResponse } from "@effect/platform"
import { NodeHttpServer, NodeRuntime } from "@effect/platform-node"
import { Config, Effect, Layer, Redacted } from "effect"
import { Secrets } from "effect-infisical"
import { NodeInfisical } from "effect-infisical-node"
import { createServer } from "node:http"
import type { ListenOptions } from "node:net"

const greeting = Effect.gen(function*() {
  const secrets = yield* Secrets.Secrets
  const name = yield* secrets.get("NAME")
  return HttpServerResponse.text(`Hello! My name is: ${Redacted.value(name.value)}`)
}).pipe(
  Effect.catchTags({
    NotFoundError: () => HttpServerResponse.text("Hello! I have no name yet.", { status: 404 }),
    NetworkError: () => HttpServerResponse.text("Hello! I cannot remember my name.", { status: 503 })
  }),
  // The other errors are for the operator, not for the visitor.
  Effect.tapError((error) => Effect.logError(error.message)),
  Effect.orElse(() => HttpServerResponse.text("Hello! Something is wrong with me.", { status: 500 }))
)

const router = HttpRouter.empty.pipe(HttpRouter.get("/", greeting))

export const layer = (options: ListenOptions) =>
  HttpServer.serve(router).pipe(Layer.provideMerge(NodeHttpServer.layer(createServer, options)))

const InfisicalLive = NodeInfisical.layerConfig().pipe(Layer.provide(FetchHttpClient.layer))

const ServerLive = Layer.unwrapEffect(
  Effect.map(Config.withDefault(Config.integer("PORT"), 3000), (port) => HttpServer.withLogAddress(layer({ port })))
)

export const main = Layer.launch(Layer.provide(ServerLive, InfisicalLive))

if (process.argv[1] === import.meta.filename) NodeRuntime.runMain(main)
