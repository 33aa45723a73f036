/** What a service token with its key part reads and writes, by the engine of its project. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { Secrets } from "effect-infisical"
import { Emulator, type World } from "effect-infisical-emulator"
import { clientLayer, type Hook, Wire } from "./support/sources.js"

const text = ({ value }: { readonly value: Redacted.Redacted<string> }) => Redacted.value(value)

const get = (name: string, options?: Secrets.GetOptions) =>
  Effect.flatMap(Secrets.Secrets, (secrets) => secrets.get(name, options))

/** The encrypted routes of a project of the second engine (recorded from a server of 2024-10, group `encrypted`). */
const secondEngine: Hook = ({ method, path, reply, respond }) =>
  !/^\/api\/v3\/secrets(?!\/raw|\/batch\/raw)/.test(path)
    ? respond
    : Effect.succeed(
      method === "GET" && path === "/api/v3/secrets" ? reply(200, { secrets: [] }) : reply(404, {
        statusCode: 404,
        message: "Blind index for project with ID '00000000-0000-4000-8000-000000000000' not found",
        error: "CreateSecret"
      })
    )

const folders = { dev: { "/": { secrets: { A: "a ${B}", B: "b" } }, "/empty": {} } }

const onSecondEngine =
  (era: World.Era) => <A, E>(effect: Effect.Effect<A, E, Emulator.Emulator | Secrets.Secrets | Wire>) =>
    Effect.flatMap(Wire, ({ setHook }) => Effect.zipRight(setHook(secondEngine), effect)).pipe(
      Effect.provide(clientLayer("end-to-end-encrypted", { projects: { main: { folders } }, era }))
    )

for (const era of ["2024-07", "2026"] as const) {
  describe(`A service token with a key on a project whose encrypted list is empty, routes of ${era}`, () => {
    it.effect("reads the secrets, and asks for the encrypted ones once", () =>
      Effect.gen(function*() {
        const secrets = yield* Secrets.Secrets
        const { takeRequests } = yield* Wire
        assert.strictEqual(text(yield* get("A")), "a b")
        const first = yield* takeRequests
        assert.strictEqual(first.filter((request) => request.startsWith("GET /api/v3/secrets ")).length, 1)
        yield* secrets.refresh()
        assert.strictEqual((yield* takeRequests).length, 1)
        assert.strictEqual(text(yield* get("A", { version: 1 })), "a b")
      }).pipe(onSecondEngine(era)))

    it.effect("writes, in an empty folder as well, and reads what it wrote", () =>
      Effect.gen(function*() {
        const secrets = yield* Secrets.Secrets
        const place = { secretPath: "/empty" }
        assert.deepStrictEqual((yield* secrets.list(place)).secrets, [])
        yield* secrets.create("NEW", Redacted.make("new"), place)
        assert.strictEqual(text(yield* get("NEW", place)), "new")
        yield* secrets.update("A", Redacted.make("other"))
        yield* secrets.delete("B")
        yield* secrets.refresh()
        assert.strictEqual(text(yield* get("A")), "other")
        assert.strictEqual(text(yield* get("NEW", place)), "new")
      }).pipe(onSecondEngine(era)))

    it.effect("reads a first secret that another client writes", () =>
      Effect.gen(function*() {
        const secrets = yield* Secrets.Secrets
        const place = { secretPath: "/empty" }
        assert.deepStrictEqual((yield* secrets.list(place)).secrets, [])
        const emulator = yield* Emulator.Emulator
        yield* emulator.setSecret({ environment: "dev", ...place, name: "NEW", value: "new" })
        yield* secrets.refresh(place)
        assert.strictEqual(text(yield* get("NEW", place)), "new")
      }).pipe(onSecondEngine(era)))
  })
}

describe("A service token with a key on an end-to-end encrypted project", () => {
  const world: World.Input = { projects: { main: { endToEndEncrypted: true, folders } }, era: "2024-07" }

  it.effect("lists an empty folder, and asks once whether the server decrypts", () =>
    Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      const { takeRequests } = yield* Wire
      const place = { secretPath: "/empty" }
      assert.deepStrictEqual((yield* secrets.list(place)).secrets, [])
      assert.deepStrictEqual(yield* takeRequests, [
        "GET /api/v3/secrets 200",
        "GET /api/v4/secrets 404",
        "GET /api/v3/secrets/raw 400"
      ])
      yield* secrets.refresh(place)
      assert.deepStrictEqual(yield* takeRequests, ["GET /api/v3/secrets 304"])
      yield* secrets.create("NEW", Redacted.make(" kept as it is "), place)
      assert.strictEqual(text(yield* get("NEW", place)), " kept as it is ")
    }).pipe(Effect.provide(clientLayer("end-to-end-encrypted", world))))

  it.effect("never asks if the first list has secrets, and keeps the error of a write", () =>
    Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      const { takeRequests } = yield* Wire
      assert.include(yield* Effect.flip(secrets.update("NOPE", Redacted.make("x"))), { _tag: "NotFoundError" })
      yield* takeRequests
      assert.strictEqual(text(yield* get("A")), "a b")
      assert.deepStrictEqual(yield* takeRequests, ["GET /api/v3/secrets 200"])
    }).pipe(Effect.provide(clientLayer("end-to-end-encrypted", world))))
})
