/**
 * A service token with a key on a project of the v2 engine: the encrypted list of a server is empty there, with status
 * 200. And what a user sees who may not see values.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { Secrets } from "effect-infisical"
import { clientLayer, Wire } from "./support/sources.js"

const folders = { dev: { "/": { secrets: { A: "a", B: "to ${A}" } }, "/to": { secrets: { A: "other" } } } }
const world = { projects: { main: { folders } } }
const value = Redacted.make("new")

type Write = (secrets: Secrets.Service) => Effect.Effect<unknown, { readonly _tag: string }>

/** Each write, and the names that are there after it. */
const writes: Record<string, readonly [Write, ReadonlyArray<string>]> = {
  create: [(secrets) => secrets.create("N", value, { comment: "c" }), ["A", "B", "N"]],
  update: [(secrets) => secrets.update("A", value, { comment: "c" }), ["A", "B"]],
  annotate: [(secrets) => secrets.annotate("A", { comment: "c" }), ["A", "B"]],
  upsert: [(secrets) => secrets.upsert("N", value), ["A", "B", "N"]],
  rename: [(secrets) => secrets.rename("A", "A2"), ["A2", "B"]],
  delete: [(secrets) => secrets.delete("A"), ["B"]],
  createMany: [(secrets) => secrets.createMany([{ name: "N", value }]), ["A", "B", "N"]],
  updateMany: [(secrets) => secrets.updateMany([{ name: "A", value }]), ["A", "B"]],
  deleteMany: [(secrets) => secrets.deleteMany(["A"]), ["B"]]
}

for (const era of ["2024-10", "2025", "2026"] as const) {
  describe(`A service token with a key on a project of the v2 engine of ${era}`, () => {
    const run = Effect.provide(clientLayer("end-to-end-encrypted", { ...world, era }))

    for (const [what, [write, names]] of Object.entries(writes)) {
      it.effect(`can ${what} with its first request`, () =>
        Effect.gen(function*() {
          const secrets = yield* Secrets.Secrets
          yield* write(secrets)
          yield* secrets.refresh()
          assert.deepStrictEqual((yield* secrets.list()).secrets.map(({ name }) => name).toSorted(), names)
        }).pipe(run))
    }

    it.effect("lists all folders, and knows what is missing", () =>
      Effect.gen(function*() {
        const secrets = yield* Secrets.Secrets
        assert.strictEqual((yield* Effect.flip(secrets.get("NOPE", { version: 1 })))._tag, "NotFoundError")
        assert.strictEqual((yield* secrets.list({ recursive: true })).secrets.length, 3)
      }).pipe(run))
  })
}

describe("A user who may not see values, and has a personal secret,", () => {
  it.effect("gets a list of hidden secrets", () =>
    Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      const { setHook } = yield* Wire
      yield* secrets.create("A", Redacted.make("mine"), { type: "personal" })
      yield* setHook(({ method, path, query, reply, respond }) =>
        method === "GET" && path === "/api/v4/secrets" && query.get("viewSecretValue") === "true"
          ? Effect.succeed(reply(403, {
            reqId: "req-1",
            statusCode: 403,
            error: "PermissionDenied",
            message: "You are not allowed to readValue on secrets"
          }))
          : respond
      )
      const { hidden } = yield* secrets.list()
      assert.include(hidden.map(({ name }) => name), "B")
    }).pipe(Effect.provide(clientLayer("v4", { ...world, users: { someone: {} } }, { user: "someone" }))))
})
