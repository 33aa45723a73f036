import { FetchHttpClient } from "@effect/platform"
import { expect, it } from "@effect/vitest"
import { Array, Chunk, Effect, Fiber, Layer, Redacted, TestClock } from "effect"
import { Credential, Crypto, Infisical, Secrets } from "effect-infisical"
import { Emulator } from "effect-infisical-emulator"
import { request } from "./request.js"

it.scoped("ten thousand secrets in one folder are listed, and a thousand connections at once read them by name", () =>
  Effect.gen(function*() {
    const secrets = Object.fromEntries(Array.makeBy(10_000, (index) => [`NAME_${index}`, `value ${index}`]))
    const emulator = yield* Emulator.make({ era: "2024-07", secrets })
    const token = yield* emulator.serviceToken()

    const client = Infisical.layer({
      credential: Credential.serviceToken(token),
      siteUrl: emulator.url,
      fallback: false,
      refresh: false
    }).pipe(Layer.provide(FetchHttpClient.layer))
    const list = yield* Secrets.Secrets.pipe(
      Effect.flatMap((secrets) => secrets.list()),
      Effect.provide(client)
    )
    expect(Object.fromEntries(list.secrets.map(({ name, value }) => [name, Redacted.value(value)]))).toEqual(secrets)

    const { id } = yield* emulator.project()
    const authorization = `Bearer ${Redacted.value(token).split(".").slice(0, 3).join(".")}`
    yield* emulator.resetRequests
    // No answer comes before the last request is there.
    yield* emulator.faults.add({ fault: { _tag: "Delay", duration: "1 minute" } })
    // The test clock keeps the sleeps of fibers that were interrupted, such as the client's timers.
    const before = Chunk.size(yield* TestClock.sleeps())
    const asking = yield* Effect.fork(Effect.forEach(
      Array.range(0, 999),
      (index) =>
        // Each has a connection of its own.
        request(emulator.url, `/api/v3/secrets/NAME_${index}?workspaceId=${id}&environment=dev`, {
          headers: { authorization }
        }),
      { concurrency: "unbounded" }
    ))
    const turn = Effect.async<void>((resume) => {
      setImmediate(() => resume(Effect.void))
    })
    yield* Effect.repeat(Effect.zipRight(turn, TestClock.sleeps()), {
      until: (sleeps) => Chunk.size(sleeps) - before === 1000
    })
    yield* TestClock.adjust("1 minute")
    const answers = yield* Fiber.join(asking)
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1000)
    expect(yield* emulator.requestCounts).toEqual({ "GET /api/v3/secrets/:secretName": 1000 })
  }).pipe(Effect.provide(Crypto.layer)))
