import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { Emulator, type World } from "effect-infisical-emulator"
import { fileURLToPath } from "node:url"
import { bundle, load } from "../src/run-worker.js"

const world: World.Input = { secrets: { NAME: "Ada Lovelace" }, identities: { main: {} } }

const pathOf = (path: string) => fileURLToPath(new URL(path, import.meta.url))

describe("A worker", () => {
  it.live("is bundled without Node, and answers from one fetch and one login", () =>
    Effect.gen(function*() {
      const { imports, inputs, text } = yield* bundle(pathOf("../src/worker.ts"), {
        "effect-infisical": pathOf("../../infisical/src/index.ts")
      })
      assert.deepStrictEqual(imports, [])
      assert.isFalse(inputs.some((input) => /node:|platform-node|effect-infisical-node|infisical-node/.test(input)))
      assert.notMatch(text, /["']node:/)

      const emulator = yield* Emulator.Emulator
      const { clientId, clientSecret } = yield* emulator.universalAuth()
      const environment = {
        INFISICAL_API_URL: emulator.url,
        INFISICAL_PROJECT_ID: yield* emulator.projectId(),
        INFISICAL_UNIVERSAL_AUTH_CLIENT_ID: clientId,
        INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET: Redacted.value(clientSecret)
      }
      const worker = yield* load(text)
      const visit = Effect.promise(async () => {
        const response = await worker.fetch(new Request("http://worker/"), environment)
        return { status: response.status, text: await response.text() }
      })
      const visits = yield* Effect.all(Array.from({ length: 10 }, () => visit), { concurrency: "unbounded" })
      for (const answer of [...visits, yield* visit]) {
        assert.deepStrictEqual(answer, { status: 200, text: "Hello! My name is: Ada Lovelace" })
      }
      assert.lengthOf(yield* emulator.requests, 2)
    }).pipe(Effect.provide(Emulator.layer(world))))
})
