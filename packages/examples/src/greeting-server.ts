/**
 * Runs the greeting app against the Infisical that the environment names: INFISICAL_TOKEN, and where it is not
 * app.infisical.com, SITE_URL. It listens on PORT, 3000 by default.
 */
import { FetchHttpClient, HttpServer } from "@effect/platform"
import { NodeRuntime } from "@effect/platform-node"
import { Config, Effect, Layer } from "effect"
import { NodeInfisical } from "effect-infisical-node"
import * as Greeting from "./greeting.js"

const server = Layer.unwrapEffect(
  Effect.map(Config.withDefault(Config.port("PORT"), 3000), (port) => HttpServer.withLogAddress(Greeting.layer(port)))
)

server.pipe(
  Layer.provide(NodeInfisical.layerConfig()),
  Layer.provide(FetchHttpClient.layer),
  Layer.launch,
  NodeRuntime.runMain
)
