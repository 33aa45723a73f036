/** The examples as they are run from the command line, each as a process of its own. */
import { FetchHttpClient, HttpClient } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer } from "effect"
import { Emulator } from "effect-infisical-emulator"
import { variablesOf } from "../src/support/emulated.js"
import * as Emulated from "./support/emulated.js"
import { start } from "./support/process.js"

/** Unsets the variables of an Infisical that other tests may be run against, and asks for a free port. */
const withoutInfisical = {
  ...Object.fromEntries(
    Object.keys(process.env).filter((name) => name.includes("INFISICAL")).map((name) => [name, ""])
  ),
  PORT: "0"
}

/** The variables that lead to the emulator of a test. */
const emulated = Effect.map(variablesOf("any"), (variables) => ({ ...withoutInfisical, ...variables }))

describe("npm run example --", () => {
  for (
    const [name, pattern] of [
      ["config", /as app, with the password <redacted>/],
      ["two-projects", /STRIPE_KEY of billing, DATABASE_URL of the shop/],
      ["offline-start", /is live, .+server is gone.+is sealed/s],
      ["machine-identity", /DATABASE_URL \(live\)/]
    ] as const
  ) {
    it.scopedLive(`${name} runs against an emulator and ends`, () =>
      Effect.gen(function*() {
        const example = yield* start("support/example", [name], withoutInfisical)
        const { code, text } = yield* example.ended
        assert.match(text, /^No Infisical is configured: an emulator is started/)
        assert.match(text, pattern)
        assert.strictEqual(code, 0)
      }).pipe(Effect.provide(NodeContext.layer)))
  }

  for (
    const [name, pattern] of [
      ["http-server", /Listening on/],
      ["managed-runtime", /Listening on/],
      ["manifest", /A pool of 20 connections to <redacted>/],
      ["kubernetes", /DATABASE_URL, version 1/]
    ] as const
  ) {
    it.scopedLive(`${name} runs against an emulator until it is stopped`, () =>
      Effect.gen(function*() {
        const example = yield* start("support/example", [name], withoutInfisical)
        yield* example.until(pattern)
        yield* example.kill("SIGTERM")
        assert.include(yield* example.ended, { code: 0 })
      }).pipe(Effect.provide(NodeContext.layer)))
  }

  it.scopedLive("uses the Infisical that the environment names", () =>
    Effect.gen(function*() {
      const example = yield* start("support/example", ["config"], yield* emulated)
      const { code, text } = yield* example.ended
      assert.notInclude(text, "emulator")
      assert.match(text, /as app/)
      assert.strictEqual(code, 0)
    }).pipe(Effect.provide(Emulated.layer)))

  it.scopedLive("says where the names are if there is no such example", () =>
    Effect.gen(function*() {
      const example = yield* start("support/example", ["nothing"], withoutInfisical)
      assert.include(yield* example.ended, {
        code: 1,
        text: "Name an example. packages/examples/README.md lists them.\n"
      })
    }).pipe(Effect.provide(NodeContext.layer)))
})

describe("The example of a managed runtime", () => {
  it.scopedLive("answers the request in flight after SIGTERM, revokes its token, and ends", () =>
    Effect.gen(function*() {
      const emulator = yield* Emulator.Emulator
      const server = yield* start("managed-runtime", [], yield* emulated)
      const [, port] = yield* server.until(/port\W+(\d+)/)
      const url = `http://127.0.0.1:${port}`

      yield* emulator.faults.add({ fault: { _tag: "Delay", duration: "1 second" }, route: "/api/v4/secrets", times: 1 })
      const inFlight = yield* Effect.fork(HttpClient.get(url))
      yield* Effect.repeat(emulator.requests, { until: (requests) => requests.length > 0 })
      yield* Effect.fork(server.kill("SIGTERM"))

      const response = yield* Fiber.join(inFlight)
      assert.strictEqual(yield* response.text, "Hello! My name is: Ada Lovelace")
      assert.include(response.headers, { connection: "close" })
      assert.include(yield* server.ended, { code: 0 })
      assert.strictEqual((yield* emulator.requestCounts)["POST /api/v1/auth/token/revoke"], 1)
    }).pipe(Effect.provide(Layer.merge(Emulated.layer, FetchHttpClient.layer))))
})

describe("The example of a command with secrets", () => {
  const run = (script: string) =>
    Effect.flatMap(emulated, (variables) => start("run-with-secrets", [process.execPath, "-e", script], variables))

  it.scopedLive("gives the command the secrets, and ends with its exit code", () =>
    Effect.gen(function*() {
      const { code, text } = yield* (yield* run("console.log(process.env.DATABASE_URL); process.exitCode = 7")).ended
      assert.strictEqual(text, "postgres://app:s3cr3t@localhost/app\n")
      assert.strictEqual(code, 7)
    }).pipe(Effect.provide(Emulated.layer)))

  it.scopedLive("passes signals on to the command, and waits for its end", () =>
    Effect.gen(function*() {
      const command = yield* run(`
        process.on("SIGINT", () => console.log("interrupted"))
        process.on("SIGHUP", () => console.log("hung up"))
        process.on("SIGTERM", () => setTimeout(() => process.exit(5), 300))
        setInterval(() => {}, 1000)
        console.log("ready")
      `)
      yield* command.until(/ready/)
      yield* Effect.fork(command.kill("SIGINT"))
      yield* command.until(/interrupted/)
      yield* Effect.fork(command.kill("SIGHUP"))
      yield* command.until(/hung up/)
      yield* command.kill("SIGTERM")
      assert.include(yield* command.ended, { code: 5 })
    }).pipe(Effect.provide(Emulated.layer)))

  it.scopedLive("ends as shells do if a signal ends the command", () =>
    Effect.gen(function*() {
      const { code } = yield* (yield* run("process.kill(process.pid, 'SIGKILL')")).ended
      assert.strictEqual(code, 137)
    }).pipe(Effect.provide(Emulated.layer)))
})
