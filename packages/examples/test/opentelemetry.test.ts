import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect } from "effect"
import { Emulator, type World } from "effect-infisical-emulator"
import * as Http from "node:http"
import { inspect } from "node:util"
import { vi } from "vitest"
import { main } from "../src/opentelemetry.js"
import { universalAuth } from "../src/support/emulated.js"

const world: World.Input = { secrets: { DATABASE_URL: "planted0-url" }, identities: { main: {} } }

/** A collector that takes OTLP over HTTP, as JSON. */
const collector = Effect.acquireRelease(
  Effect.async<{ readonly url: string; readonly bodies: Map<string, string>; readonly server: Http.Server }>(
    (resume) => {
      const bodies = new Map<string, string>()
      const server = Http.createServer((request, response) => {
        const path = request.url ?? ""
        request.setEncoding("utf8")
        request.on("data", (text: string) => bodies.set(path, (bodies.get(path) ?? "") + text))
        request.on("end", () => response.writeHead(200, { "content-type": "application/json" }).end("{}"))
      })
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        const port = typeof address === "object" && address !== null ? address.port : 0
        resume(Effect.succeed({ url: `http://127.0.0.1:${port}`, bodies, server }))
      })
    }
  ),
  ({ server }) =>
    Effect.sync(() => {
      server.closeAllConnections()
      server.close()
    })
)

const runMain = (environment: Record<string, string>) =>
  Effect.withConfigProvider(main, ConfigProvider.fromMap(new Map(Object.entries(environment))))

describe("Telemetry", () => {
  it.scopedLive("reaches a collector, without a value or a credential", () =>
    Effect.gen(function*() {
      const { bodies, url } = yield* collector
      const environment = yield* universalAuth("main")
      yield* runMain({ ...environment, OTEL_EXPORTER_OTLP_ENDPOINT: url })

      const spans = bodies.get("/v1/traces") ?? ""
      const metrics = bodies.get("/v1/metrics") ?? ""
      for (const name of ["read secrets", "SecretCache.refresh", "server.address", "http.response.status_code"]) {
        assert.include(spans, `"${name}"`)
      }
      for (const name of ["infisical_cache_hits", "infisical_cache_misses", "infisical_refreshes"]) {
        assert.include(metrics, `"${name}"`)
      }
      const secret = environment.INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET
      for (const text of [spans, metrics]) assert.isFalse(text.includes("planted0") || text.includes(secret))
      assert.notMatch(spans, /bearer/i)
    }).pipe(Effect.provide(Emulator.layer(world))))

  it.scopedLive("is printed if there is no collector", () =>
    Effect.gen(function*() {
      const printed: Array<string> = []
      yield* Effect.acquireRelease(
        Effect.sync(() =>
          vi.spyOn(console, "dir").mockImplementation((item) => printed.push(inspect(item, { depth: null })))
        ),
        (spy) => Effect.sync(() => spy.mockRestore())
      )
      yield* Effect.flatMap(universalAuth("main"), runMain)
      const text = printed.join("\n")
      for (const name of ["read secrets", "SecretCache.refresh", "infisical_cache_hits"]) assert.include(text, name)
      assert.notInclude(text, "planted0")
    }).pipe(Effect.provide(Emulator.layer(world))))
})
