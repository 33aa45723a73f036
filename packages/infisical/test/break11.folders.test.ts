/** A folder may be named as the id of another one: a UUID is letters, digits and dashes. The server takes a name first. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Folders } from "effect-infisical"
import { eras } from "./support/eras.js"
import { clientLayer } from "./support/sources.js"

for (const era of eras) {
  const world = { era, projects: { main: { folders: { dev: { "/": { secrets: { A: "a" } } } } } } }
  describe(`A folder that is named as the id of another one, ${era}`, () => {
    it.effect("is not deleted in its place", () =>
      Effect.gen(function*() {
        const folders = yield* Folders.Folders
        const { id } = yield* folders.create("x")
        yield* folders.create(id)
        yield* Effect.either(folders.delete("x", { forceDelete: true }))
        assert.include((yield* folders.list()).map(({ name }) => name), id)
      }).pipe(Effect.provide(clientLayer(undefined, world))))

    it.effect("is not renamed in its place", () =>
      Effect.gen(function*() {
        const folders = yield* Folders.Folders
        const { id } = yield* folders.create("x")
        yield* folders.create(id)
        yield* Effect.either(folders.rename("x", "y"))
        assert.include((yield* folders.list()).map(({ name }) => name), id)
      }).pipe(Effect.provide(clientLayer(undefined, world))))
  })
}
