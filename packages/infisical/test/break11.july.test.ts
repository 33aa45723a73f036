/** Writes in two steps on a server of 2024-07. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { Secrets } from "effect-infisical"
import { clientLayer } from "./support/sources.js"

const text = ({ value }: { readonly value: Redacted.Redacted<string> }) => Redacted.value(value)
const tag = "5b0c7a3e-52f1-4d56-9c0b-6a1d1c3a9f10"
const noTag = "8a15230e-b33a-4cb0-9dd8-a0d98b51c936"
const world = {
  projects: { main: { folders: { dev: { "/": { secrets: { A: "a" } } } }, tags: { t: { id: tag } } } }
}

describe("An update of value, comment and tags whose tags are refused, 2024-07", () => {
  it.effect("gives the tags of createMany", () =>
    Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      const [made] = yield* secrets.createMany([{ name: "N", value: Redacted.make("n"), tagIds: [tag] }])
      assert.deepStrictEqual(made?.details.tags.map(({ id }) => id), [tag])
    }).pipe(Effect.provide(clientLayer("v3", world))))

  it.effect("stores the tags of createMany, as a later read by name shows", () =>
    Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      yield* secrets.createMany([{ name: "N", value: Redacted.make("n"), tagIds: [tag] }])
      assert.deepStrictEqual((yield* secrets.annotate("N", { comment: "c" })).details.tags.map(({ id }) => id), [tag])
    }).pipe(Effect.provide(clientLayer("v3", world))))

  it.effect("gives the tags of updateMany", () =>
    Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      const [made] = yield* secrets.updateMany([{ name: "A", value: Redacted.make("n"), tagIds: [tag] }])
      assert.deepStrictEqual(made?.details.tags.map(({ id }) => id), [tag])
    }).pipe(Effect.provide(clientLayer("v3", world))))

  it.effect("keeps the tags of a secret at a batch update and a comment", () =>
    Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      yield* secrets.update("A", Redacted.make("b"), { tagIds: [tag] })
      yield* secrets.updateMany([{ name: "A", value: Redacted.make("n") }])
      const annotated = yield* secrets.annotate("A", { comment: "c" })
      assert.deepStrictEqual(annotated.details.tags.map(({ id }) => id), [tag])
      const renamed = yield* secrets.rename("A", "A2")
      assert.deepStrictEqual([renamed.details.tags.map(({ id }) => id), text(renamed), renamed.comment], [
        [tag],
        "n",
        "c"
      ])
    }).pipe(Effect.provide(clientLayer("v3", world))))
})
