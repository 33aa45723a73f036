/** Serves an app on a port. */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpMiddleware from "@effect/platform/HttpMiddleware"
import * as HttpServerError from "@effect/platform/HttpServerError"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Http from "node:http"
import * as Faults from "../faults/Faults.js"

/** How many connections may wait to be accepted; Node's default loses some of a thousand that come at once. */
const backlog = 4096

export const listen = (
  app: HttpApp.Default<Faults.ConnectionLost>,
  host: string,
  port: number
): Effect.Effect<string, HttpServerError.ServeError, Scope.Scope> =>
  Effect.gen(function*() {
    const handler = yield* NodeHttpServer.makeHandler(losingSockets(app)).pipe(
      // Spans of the server would mix with those of the program that is tested.
      Effect.locally(HttpMiddleware.currentTracerDisabledWhen, () => true)
    )
    const server = yield* Effect.acquireRelease(
      Effect.sync(() => Http.createServer(handler)),
      (server) =>
        Effect.async<void>((resume) => {
          server.close(() => resume(Effect.void))
          server.closeAllConnections()
        })
    )
    return yield* Effect.async<string, HttpServerError.ServeError>((resume) => {
      server.once("error", (cause) => resume(Effect.fail(new HttpServerError.ServeError({ cause }))))
      server.listen({ host, port, backlog }, () => {
        const address = server.address()
        resume(
          typeof address === "object" && address !== null
            ? Effect.succeed(
              `http://${address.family === "IPv6" ? `[${address.address}]` : address.address}:${address.port}`
            )
            : Effect.dieMessage("A server that listens on a port has one")
        )
      })
    })
  })

/** Where the connection is to be lost, so is the socket; with it goes the fiber that answers. */
const losingSockets = (app: HttpApp.Default<Faults.ConnectionLost>): HttpApp.Default =>
  Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => {
    const { socket } = NodeHttpServerRequest.toIncomingMessage(request)
    const lose = ({ how }: Faults.ConnectionLost) =>
      Effect.async<never>(() => {
        // Node sends what it was given before in a later turn.
        setImmediate(() => how === "reset" ? socket.resetAndDestroy() : socket.destroySoon())
      })
    // Half a body has to be with the client before the reset, which else may look like an end.
    const loseMidBody = (lost: Faults.ConnectionLost) =>
      Effect.zipRight(
        lost.how === "reset"
          ? Effect.async<void>((resume) => void setTimeout(() => resume(Effect.void), 50))
          : Effect.void,
        lose(lost)
      )
    return app.pipe(
      Effect.map((response) =>
        response.body._tag === "Stream"
          ? HttpServerResponse.setBody(
            response,
            HttpBody.stream(
              Stream.catchAll(response.body.stream, (error) =>
                error instanceof Faults.ConnectionLost ? Stream.fromEffect(loseMidBody(error)) : Stream.fail(error)),
              response.body.contentType,
              response.body.contentLength
            )
          )
          : response
      ),
      Effect.catchTag("ConnectionLost", lose),
      Effect.interruptible
    )
  })
