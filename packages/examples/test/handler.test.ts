/**
 * How to test code that needs secrets, in three ways. The handler stays the same, and only its layer changes:
 *
 * 1. `Secrets.layerTest`: secrets in memory. No server and no network. Enough for most tests.
 * 2. The emulator: the real client against a server, over HTTP. For a rotation, or to count requests.
 * 3. The emulator in an outage: what your visitors see when Infisical is down.
 */
import { FetchHttpClient, HttpServerRequest, HttpServerResponse } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, TestClock } from "effect"
import { Credential, Infisical, Secrets } from "effect-infisical"
import { Emulator } from "effect-infisical-emulator"
import { createHmac } from "node:crypto"
import { router } from "../src/handler.js"

/** What the handler answers to a request. */
const get = (path: string) =>
  Effect.gen(function*() {
    const request = HttpServerRequest.fromWeb(new Request(`http://localhost${path}`))
    const response = yield* Effect.provideService(router, HttpServerRequest.HttpServerRequest, request)
    return { status: response.status, text: yield* Effect.promise(() => HttpServerResponse.toWeb(response).text()) }
  })

const linkSignedWith = (key: string) => ({
  status: 200,
  text: `/files/report.pdf?signature=${createHmac("sha256", key).update("report.pdf").digest("hex")}`
})

describe("1. With secrets in memory, the handler", () => {
  it.effect("signs the link", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* get("/links/report.pdf"), linkSignedWith("first"))
    }).pipe(Effect.provide(Secrets.layerTest({ SIGNING_KEY: "first" }))))

  it.effect("answers 500 if the secret does not exist", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* get("/links/report.pdf"), { status: 500, text: "" })
    }).pipe(Effect.provide(Secrets.layerTest({}))))
})

/** The real client, with the login of a machine identity, and the server that it talks to. */
const InfisicalTest = Layer.unwrapEffect(
  Effect.gen(function*() {
    const emulator = yield* Emulator.Emulator
    const { clientId, clientSecret } = yield* emulator.universalAuth()
    return Infisical.layer({
      credential: Credential.universalAuth({ clientId, clientSecret }),
      projectId: yield* emulator.projectId(),
      siteUrl: emulator.url,
      // The clock of a test stands still, so a pause before a second attempt would never end.
      retry: { times: 0 }
    })
  })
).pipe(
  Layer.provide(FetchHttpClient.layer),
  Layer.provideMerge(Emulator.layer({ secrets: { SIGNING_KEY: "first" }, identities: { main: {} } }))
)

describe("2. With an emulated Infisical, the handler", () => {
  it.effect("signs with the new key once the secret is rotated and refreshed", () =>
    Effect.gen(function*() {
      const emulator = yield* Emulator.Emulator
      const secrets = yield* Secrets.Secrets
      assert.deepStrictEqual(yield* get("/links/report.pdf"), linkSignedWith("first"))
      yield* emulator.setSecret({ name: "SIGNING_KEY", value: "second" })
      yield* secrets.refresh()
      assert.deepStrictEqual(yield* get("/links/report.pdf"), linkSignedWith("second"))
    }).pipe(Effect.provide(InfisicalTest)))

  it.effect("makes one request for all visitors", () =>
    Effect.gen(function*() {
      const emulator = yield* Emulator.Emulator
      yield* Effect.replicateEffect(get("/links/report.pdf"), 100, { concurrency: "unbounded" })
      assert.strictEqual((yield* emulator.requestCounts)["GET /api/v4/secrets"], 1)
    }).pipe(Effect.provide(InfisicalTest)))
})

describe("3. In an outage of Infisical, the handler", () => {
  it.effect("goes on with the last key long after its snapshot went stale", () =>
    Effect.gen(function*() {
      const emulator = yield* Emulator.Emulator
      yield* get("/links/report.pdf")
      yield* emulator.setAvailable(false)
      yield* TestClock.adjust("30 minutes")
      assert.deepStrictEqual(yield* get("/links/report.pdf"), linkSignedWith("first"))
    }).pipe(Effect.provide(InfisicalTest)))

  it.effect("answers 503 if it never had a key, and recovers with the server", () =>
    Effect.gen(function*() {
      const emulator = yield* Emulator.Emulator
      yield* emulator.setAvailable(false)
      assert.include(yield* get("/links/report.pdf"), { status: 503 })
      yield* emulator.setAvailable(true)
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(yield* get("/links/report.pdf"), linkSignedWith("first"))
    }).pipe(Effect.provide(InfisicalTest)))

  it.effect("answers 503 if Infisical is there, but fails", () =>
    Effect.gen(function*() {
      const emulator = yield* Emulator.Emulator
      yield* emulator.faults.add({ fault: { _tag: "Respond", status: 502 }, times: 1 })
      assert.include(yield* get("/links/report.pdf"), { status: 503 })
    }).pipe(Effect.provide(InfisicalTest)))
})
