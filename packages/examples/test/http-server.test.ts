import { FetchHttpClient, HttpClient, HttpServer } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { Emulator } from "effect-infisical-emulator"
import { NodeInfisical } from "effect-infisical-node"
import * as GreetingServer from "../src/http-server.js"
import * as Emulated from "./support/emulated.js"

const visit = Effect.gen(function*() {
  const { address } = yield* HttpServer.HttpServer
  const response = yield* HttpClient.get(HttpServer.formatAddress(address))
  return `${response.status} ${yield* response.text}`
})

const ServerLive = GreetingServer.layer({ host: "127.0.0.1", port: 0 }).pipe(
  Layer.provide(NodeInfisical.layerConfig()),
  Layer.provideMerge(FetchHttpClient.layer)
)

describe("The example of an HTTP server", () => {
  it.scoped("greets with the secret, also in an outage of Infisical", () =>
    Effect.gen(function*() {
      const emulator = yield* Emulator.Emulator
      yield* Effect.gen(function*() {
        assert.strictEqual(yield* visit, "200 Hello! My name is: Ada Lovelace")
        yield* emulator.setAvailable(false)
        assert.strictEqual(yield* visit, "200 Hello! My name is: Ada Lovelace")
      }).pipe(Effect.provide(ServerLive), Emulated.withVariablesOf("http-server"))
    }).pipe(Effect.provide(Emulated.layer)))

  it.scoped("says that it has no name if there is no such secret", () =>
    Effect.gen(function*() {
      const emulator = yield* Emulator.Emulator
      yield* emulator.removeSecret({ name: "NAME" })
      const answer = visit.pipe(Effect.provide(ServerLive), Emulated.withVariablesOf("http-server"))
      assert.strictEqual(yield* answer, "404 Hello! I have no name yet.")
    }).pipe(Effect.provide(Emulated.layer)))
})
