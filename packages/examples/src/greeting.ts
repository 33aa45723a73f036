/**
 * A web app that greets with a secret.
 */
import { HttpRouter, HttpServer, HttpServerResponse } from "@effect/platform"
import { NodeHttpServer } from "@effect/platform-node"
import { Effect, Layer, Redacted } from "effect"
import { Secrets } from "effect-infisical"
import { createServer } from "node:http"

const router = HttpRouter.empty.pipe(
  HttpRouter.get(
    "/",
    Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      const name = yield* secrets.get("NAME", { environment: "dev", secretPath: "/" })
      return HttpServerResponse.text(`Hello! My name is: ${Redacted.value(name.value)}`)
    }).pipe(
      Effect.catchTags({
        NotFoundError: () => HttpServerResponse.text("Hello! I have no name yet.", { status: 404 }),
        NetworkError: () => HttpServerResponse.text("Hello! I cannot remember my name.", { status: 503 })
      }),
      // The rest is for the operator, not for a visitor.
      Effect.tapError((error) => Effect.logError(error.message)),
      Effect.orElse(() => HttpServerResponse.text("Hello! Something is wrong with me.", { status: 500 }))
    )
  )
)

/** The app on a port of this machine; 0 for any that is free. */
export const layer = (port: number): Layer.Layer<HttpServer.HttpServer, never, Secrets.Secrets> =>
  HttpServer.serve(router).pipe(
    Layer.provideMerge(NodeHttpServer.layer(createServer, { host: "127.0.0.1", port })),
    Layer.orDie
  )
