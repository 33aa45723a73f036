/**
 * Secrets in a server that is not written with Effect, here plain `node:http`: a `ManagedRuntime` runs the effects. On
 * SIGTERM the server stops gracefully: it answers the requests in flight, then revokes its access token and exits.
 *
 *     npm run example -- managed-runtime
 *     curl http://localhost:3000
 */
import { FetchHttpClient } from "@effect/platform"
import { Config, Effect, Layer, ManagedRuntime, Redacted } from "effect"
import { Secrets } from "effect-infisical"
import { NodeInfisical } from "effect-infisical-node"
import { createServer } from "node:http"

/** One for the whole process: a runtime for each request would log in for each request. */
const runtime = ManagedRuntime.make(
  NodeInfisical.layerConfig({ revokeOnRelease: true }).pipe(Layer.provide(FetchHttpClient.layer))
)

const greeting = Effect.gen(function*() {
  const secrets = yield* Secrets.Secrets
  const name = yield* secrets.get("NAME")
  return { status: 200, text: `Hello! My name is: ${Redacted.value(name.value)}` }
}).pipe(
  Effect.catchAllCause((cause) =>
    Effect.as(Effect.logError(cause), { status: 503, text: "Hello! I cannot remember my name." })
  )
)

const server = createServer((_request, response) => {
  void runtime.runPromise(greeting).then(({ status, text }) => {
    // Once stopped, it does not wait for another request on this connection.
    if (!server.listening) response.setHeader("connection", "close")
    response.writeHead(status).end(text)
  })
})

/** Accepts no more connections, and calls back after the last response. */
const stop = () => server.close(() => void runtime.dispose())

// Builds the layer before the first request, so that a mistake in the configuration ends the process here.
const port = await runtime.runPromise(Config.withDefault(Config.integer("PORT"), 3000))
server.listen(port, () => runtime.runFork(Effect.log("Listening on", server.address())))
for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, stop)
