import { FileSystem, type HttpApp, HttpServerRequest } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Queue, Schema, TestClock } from "effect"
import { Emulator, type Faults } from "effect-infisical-emulator"
import { setTimeout } from "node:timers/promises"
import { main } from "../src/kubernetes.js"
import { world } from "../src/support/emulated.js"
import * as Emulated from "./support/emulated.js"

const record = (logins: Queue.Queue<string>) => (app: HttpApp.Default<Faults.ConnectionLost>) =>
  Effect.gen(function*() {
    const request = yield* HttpServerRequest.HttpServerRequest
    if (request.url.endsWith("/kubernetes-auth/login")) {
      const { jwt } = yield* Effect.orDie(HttpServerRequest.schemaBodyJson(Schema.Struct({ jwt: Schema.String })))
      yield* Queue.offer(logins, jwt)
    }
    return yield* app
  })

describe("The example of Kubernetes", () => {
  it.scoped("logs in with the token of the file, and with the new one once it is replaced", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const token = `${yield* fs.makeTempDirectoryScoped()}/token`
      const logins = yield* Queue.unbounded<string>()
      yield* Effect.gen(function*() {
        const emulator = yield* Emulator.Emulator
        yield* fs.writeFileString(token, "first-token\n")
        yield* Effect.forkScoped(main)
        assert.strictEqual(yield* Queue.take(logins), "first-token")

        yield* fs.writeFileString(token, "second-token\n")
        yield* emulator.revokeAccessTokens()
        // Requests take real time, so the clock moves until the next one was made.
        const passing = Effect.zipRight(TestClock.adjust("1 minute"), Effect.promise(() => setTimeout(20)))
        assert.strictEqual(yield* Effect.raceFirst(Queue.take(logins), Effect.forever(passing)), "second-token")
      }).pipe(
        Emulated.withVariablesOf("kubernetes", { INFISICAL_KUBERNETES_SERVICE_ACCOUNT_TOKEN_PATH: token }),
        Effect.provide(Emulator.layer(world, { middleware: record(logins) }))
      )
    }).pipe(Effect.provide(NodeContext.layer)))
})
