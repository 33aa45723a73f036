/** Moving secrets, and reading them by id: routes that only `/api/v4/secrets` has. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { SecretImports, Secrets } from "effect-infisical"
import { clientLayer, type Hook, kinds, Wire } from "./support/sources.js"

const text = ({ value }: { readonly value: Redacted.Redacted<string> }) => Redacted.value(value)

const folders = { dev: { "/": { secrets: { A: "a", B: "b" } }, "/to": { secrets: { C: "c" } } } }

const world = { projects: { main: { folders } } }

const id = "8a15230e-b33a-4cb0-9dd8-a0d98b51c936"

const byId = (secret: Readonly<Record<string, unknown>>): Hook => ({ path, reply, respond }) =>
  path === `/api/v4/secrets/id/${id}`
    ? Effect.succeed(reply(200, {
      secret: { id, version: 3, type: "shared", secretKey: "A", environment: "prod", secretPath: "/app", ...secret }
    }))
    : respond

describe("A read by id", () => {
  it.effect("gives the secret and where it is, with references as written", () =>
    Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      const { setHook } = yield* Wire
      yield* setHook(byId({ secretValue: "to ${B}", secretComment: "comment" }))
      const secret = yield* secrets.getById(id)
      assert.include(secret, { id, name: "A", environment: "prod", secretPath: "/app", version: 3, comment: "comment" })
      assert.strictEqual(text(secret), "to ${B}")
      yield* setHook(byId({ secretValue: "<hidden-by-infisical>" }))
      assert.include(yield* Effect.flip(secrets.getById(id)), { _tag: "PermissionError", problem: "hidden value" })
      yield* setHook(byId({ workspace: "00000000-0000-4000-8000-000000000000" }))
      assert.include(yield* Effect.flip(secrets.getById(id)), { _tag: "UnexpectedResponseError" })
      assert.include(yield* Effect.flip(secrets.getById("A")), { _tag: "InvalidRequestError", parameter: "id" })
    }).pipe(Effect.provide(clientLayer("v4", world))))
})

describe("A write that has a mode on the server", () => {
  const sent = (path: string) =>
    Effect.gen(function*() {
      const { setHook } = yield* Wire
      const bodies: Array<unknown> = []
      yield* setHook((exchange) => {
        if (exchange.method !== "GET" && exchange.path === path) bodies.push(exchange.body)
        return exchange.respond
      })
      return bodies
    })

  it.effect("states it, so that no default of a server decides", () =>
    Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      const updates = yield* sent("/api/v4/secrets/batch")
      yield* secrets.updateMany([{ name: "A", value: Redacted.make("1") }, { name: "B", value: Redacted.make("2") }])
      assert.deepInclude(updates[0], { mode: "failOnNotFound" })
      const imports = yield* sent("/api/v2/secret-imports")
      yield* (yield* SecretImports.SecretImports).create({ environment: "dev", secretPath: "/to" })
      assert.deepInclude(imports[0], { isReplication: false })
    }).pipe(Effect.provide(clientLayer("v4", world))))
})

describe("A move", () => {
  for (const isApproved of [true, false]) {
    it.effect(`says which folders have changed, and both are fetched again: ${isApproved}`, () =>
      Effect.gen(function*() {
        const secrets = yield* Secrets.Secrets
        const { setHook, takeRequests } = yield* Wire
        const ids = yield* Effect.forEach(["A", "B"], (name) => Effect.map(secrets.get(name), ({ id }) => id))
        yield* secrets.list({ secretPath: "/to" })
        const bodies: Array<unknown> = []
        yield* setHook(({ body, path, reply, respond }) => {
          if (path !== "/api/v4/secrets/move") return respond
          bodies.push(body)
          return Effect.succeed(reply(200, { isSourceUpdated: true, isDestinationUpdated: isApproved }))
        })
        yield* takeRequests
        const moved = yield* secrets.move(["A", "B"], { to: { secretPath: "/to" } })
        assert.deepStrictEqual(moved, { isSourceUpdated: true, isDestinationUpdated: isApproved })
        assert.deepInclude(bodies[0], {
          sourceEnvironment: "dev",
          sourceSecretPath: "/",
          destinationEnvironment: "dev",
          destinationSecretPath: "/to",
          secretIds: ids,
          shouldOverwrite: false
        })
        yield* takeRequests
        yield* secrets.list()
        yield* secrets.list({ secretPath: "/to" })
        assert.strictEqual((yield* takeRequests).length, 2)
      }).pipe(Effect.provide(clientLayer("v4", world))))
  }

  it.effect("names the secrets that the destination has already", () =>
    Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      yield* secrets.create("A", Redacted.make("other"), { secretPath: "/to" })
      const error = yield* Effect.flip(secrets.move(["A", "B"], { to: { secretPath: "/to" } }))
      assert.include(error, { _tag: "AlreadyExistsError", secretPath: "/to", secretName: "A" })
    }).pipe(Effect.provide(clientLayer("v4", world))))

  it.effect("of a secret that does not exist names it, and nothing is sent", () =>
    Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      const { takeRequests } = yield* Wire
      const error = yield* Effect.flip(secrets.move(["A", "NOPE"], { to: { secretPath: "/to" } }))
      assert.include(error, { _tag: "NotFoundError", secretName: "NOPE" })
      assert.deepStrictEqual(yield* takeRequests, ["GET /api/v4/secrets 200"])
      assert.include(yield* Effect.flip(secrets.move(["A"], { to: {} })), {
        _tag: "InvalidRequestError",
        parameter: "to"
      })
    }).pipe(Effect.provide(clientLayer("v4", world))))

  for (const era of ["2025", "2026"] as const) {
    it.effect(`needs no permission to read values: ${era}`, () =>
      Effect.gen(function*() {
        const secrets = yield* Secrets.Secrets
        const { takeRequests } = yield* Wire
        yield* secrets.move(["B"], { to: { secretPath: "/to" } })
        assert.include(yield* takeRequests, "POST /api/v4/secrets/move 200")
        assert.deepStrictEqual((yield* secrets.list({ secretPath: "/to" })).hidden.map(({ name }) => name).toSorted(), [
          "B",
          "C"
        ])
      }).pipe(Effect.provide(clientLayer("v4", { ...world, era, identities: { main: { hidesValues: true } } }))))
  }

  it.effect("in memory moves all or none, and replaces only what it may", () =>
    Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      const to = { secretPath: "/to" }
      assert.include(yield* Effect.flip(secrets.move(["A", "C"], { to })), {
        _tag: "AlreadyExistsError",
        secretName: "C"
      })
      assert.strictEqual((yield* secrets.list()).secrets.length, 2)
      yield* secrets.move(["A", "C"], { to, overwrite: true })
      assert.deepStrictEqual((yield* secrets.list()).secrets, [])
      assert.deepStrictEqual((yield* secrets.list(to)).secrets.map(text), ["a", "new c"])
      const moved = yield* secrets.get("A", to)
      assert.strictEqual(text(yield* secrets.getById(moved.id ?? "")), "a")
    }).pipe(Effect.provide(Secrets.layerTest({ A: "a", C: "new c" }, {
      folders: [{ environment: "dev", secretPath: "/to", secrets: { C: "old c" } }]
    }))))
})

for (const kind of kinds.filter((kind) => kind !== "v4")) {
  it.effect(`Neither is possible on a server without them, and nothing is sent: ${kind}`, () =>
    Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      const { takeRequests } = yield* Wire
      const refused = { _tag: "InvalidRequestError", parameter: "server" } as const
      assert.include(yield* Effect.flip(secrets.move(["A"], { to: { secretPath: "/to" } })), refused)
      assert.include(yield* Effect.flip(secrets.getById(id)), refused)
      assert.notIncludeMembers((yield* takeRequests).map((request) => request.split(" ")[0]), ["POST"])
    }).pipe(Effect.provide(clientLayer(kind, world))))
}
