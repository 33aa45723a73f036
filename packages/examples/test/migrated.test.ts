import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { main as infisicalNode } from "../src/migrated-from-infisical-node.js"
import { main as infisicalSdk } from "../src/migrated-from-infisical-sdk.js"

describe("A program that is migrated", () => {
  it.live("from @infisical/sdk gives the same values", () =>
    Effect.gen(function*() {
      const { after, before } = yield* infisicalSdk
      assert.deepEqual<unknown>(after, before)
      assert.deepStrictEqual(after, {
        all: {
          HOST: "db.internal",
          DATABASE_URL: "postgres://db.internal/app",
          NAME: "Ada Lovelace",
          LOG_LEVEL: "info"
        },
        url: "postgres://db.internal/app",
        apiKey: ["first", "second", "second"]
      })
    }))

  it.live("from infisical-node gives the same values", () =>
    Effect.gen(function*() {
      const { after, before } = yield* infisicalNode
      assert.deepEqual<unknown>(after, before)
      assert.deepStrictEqual(after, {
        all: { NAME: "Ada Lovelace", LOG_LEVEL: "info" },
        name: "Ada Lovelace",
        apiKey: ["first", "second", "second"],
        text: "a text"
      })
    }))
})
