/** A write that values refer to. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { Secrets } from "effect-infisical"
import { value } from "./Simulation.js"
import { client, fetched } from "./support/client.js"
import { row } from "./support/snapshots.js"

describe("A write of a secret whose value we may not see", () => {
  it.effect("has values that refer to it fetched again, which the server expands", () => {
    let text = "old"
    return Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      assert.strictEqual(value(yield* secrets.get("B")), "see old")
      yield* secrets.update("A", Redacted.make("new"))
      assert.strictEqual(value(yield* secrets.get("B")), "see new")
    }).pipe(Effect.provide(client(
      () =>
        Effect.sync(() => {
          const { content, ...rest } = fetched({ B: `see ${text}` })
          return { ...rest, content: { ...content, own: [...content.own, { ...row("A", ""), payload: hidden }] } }
        }),
      { refresh: false },
      {
        source: {
          expandsReferences: true,
          update: (target) =>
            Effect.sync(() => {
              text = "new"
              return row(target.name, "new", 2)
            })
        }
      }
    )))
  })
})

const hidden = { _tag: "Hidden" } as const
