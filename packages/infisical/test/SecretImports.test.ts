/** Imports, on servers with v2 of their routes and on servers without it. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { SecretImports, Secrets } from "effect-infisical"
import { eras, hasNewestRoutes } from "./support/eras.js"
import { clientLayer, type Hook, Wire } from "./support/sources.js"

const world = {
  projects: {
    main: {
      folders: {
        dev: {
          "/": { secrets: { A: "a" } },
          "/app": {},
          "/base": { secrets: { A: "base a", B: "base b" } },
          "/shared": { secrets: { A: "shared a", S: "s" } }
        }
      }
    }
  }
}

const run = (era: typeof eras[number]) => Effect.provide(clientLayer(undefined, { ...world, era }))

const get = (name: string, secretPath = "/") =>
  Effect.flatMap(
    Secrets.Secrets,
    (secrets) => Effect.map(secrets.get(name, { secretPath }), ({ value }) => Redacted.value(value))
  )

const takeRequests = Effect.flatMap(Wire, ({ takeRequests }) => takeRequests)

const setHook = (hook: Hook) => Effect.flatMap(Wire, ({ setHook }) => setHook(hook))

const shared = { environment: "dev", secretPath: "/shared" }
const base = { environment: "dev", secretPath: "/base" }
const root = { environment: "dev", secretPath: "/" }
const intoApp = { secretPath: "/app" }

const unknownId = "00000000-0000-4000-8000-000000000001"

/** The imports of `/app`: `/base`, `/shared`, `/`. */
const three = Effect.flatMap(
  SecretImports.SecretImports,
  (imports) =>
    Effect.all([imports.create(base, intoApp), imports.create(shared, intoApp), imports.create(root, intoApp)])
)

const listed = Effect.flatMap(
  SecretImports.SecretImports,
  (imports) =>
    Effect.map(imports.list(intoApp), (list) => list.map(({ position, secretPath }) => `${position} ${secretPath}`))
)

for (const era of eras) {
  describe(`Imports of a server of ${era}`, () => {
    it.effect("bring the secrets of a folder into another one, from the moment they are made", () =>
      Effect.gen(function*() {
        const imports = yield* SecretImports.SecretImports
        assert.include(yield* Effect.flip(get("S")), { _tag: "NotFoundError" })
        const created = yield* imports.create(shared)
        assert.include(created, { environment: "dev", secretPath: "/shared", position: 1 })
        assert.strictEqual(yield* get("S"), "s")
        assert.strictEqual(yield* get("A"), "a")
        yield* imports.delete(created.id)
        assert.include(yield* Effect.flip(get("S")), { _tag: "NotFoundError" })
      }).pipe(run(era)))

    it.effect("are listed in the order in which the last one wins", () =>
      Effect.gen(function*() {
        yield* three
        assert.deepStrictEqual(yield* listed, ["1 /base", "2 /shared", "3 /"])
        assert.strictEqual(yield* get("A", "/app"), "a")
      }).pipe(run(era)))

    it.effect("are moved, and the last one wins from then on", () =>
      Effect.gen(function*() {
        const imports = yield* SecretImports.SecretImports
        const [first, , last] = yield* three
        assert.strictEqual(yield* get("A", "/app"), "a")
        assert.deepStrictEqual(yield* imports.move(first.id, 3, intoApp), { ...first, position: 3 })
        assert.deepStrictEqual(yield* listed, ["1 /shared", "2 /", "3 /base"])
        assert.strictEqual(yield* get("A", "/app"), "base a")
        yield* imports.move(last.id, 1, intoApp)
        assert.deepStrictEqual(yield* listed, ["1 /", "2 /shared", "3 /base"])
        yield* imports.move(last.id, 1, intoApp)
        assert.deepStrictEqual(yield* listed, ["1 /", "2 /shared", "3 /base"])
      }).pipe(run(era)))

    it.effect.each([0, 4, 1.5, -1, Number.NaN])(
      "cannot be moved to the position %s of three",
      (position) =>
        Effect.gen(function*() {
          const imports = yield* SecretImports.SecretImports
          const [first] = yield* three
          yield* takeRequests
          const error = yield* Effect.flip(imports.move(first.id, position, intoApp))
          assert.include(error, { _tag: "InvalidRequestError", parameter: "position" })
          assert.deepStrictEqual((yield* takeRequests).filter((request) => request.startsWith("PATCH")), [])
        }).pipe(run(era))
    )

    it.effect("are changed to those of another folder, and keep id and position", () =>
      Effect.gen(function*() {
        const imports = yield* SecretImports.SecretImports
        const first = yield* imports.create(base, intoApp)
        yield* imports.create(root, intoApp)
        assert.strictEqual(yield* get("B", "/app"), "base b")
        assert.deepStrictEqual(yield* imports.update(first.id, shared, intoApp), { ...first, secretPath: "/shared" })
        assert.strictEqual(yield* get("S", "/app"), "s")
        assert.include(yield* Effect.flip(get("B", "/app")), { _tag: "NotFoundError" })
        assert.deepStrictEqual(yield* listed, ["1 /shared", "2 /"])
      }).pipe(run(era)))

    it.effect("in a circle are refused", () =>
      Effect.gen(function*() {
        const imports = yield* SecretImports.SecretImports
        yield* imports.create({ environment: "dev", secretPath: "/app" }, { secretPath: "/shared" })
        const circle = { _tag: "InvalidRequestError", parameter: "source" } as const
        assert.include(yield* Effect.flip(imports.create(shared, intoApp)), circle)
        const { id } = yield* imports.create(base, intoApp)
        assert.include(yield* Effect.flip(imports.update(id, shared, intoApp)), circle)
        assert.include(yield* Effect.flip(imports.create({ ...shared, secretPath: "/app/" }, intoApp)), circle)
        assert.include(yield* Effect.flip(imports.update(id, { ...shared, secretPath: "/app" }, intoApp)), circle)
        assert.deepStrictEqual(yield* listed, ["1 /base"])
      }).pipe(run(era)))

    it.effect("of a path that no folder can have are refused before any request", () =>
      Effect.gen(function*() {
        const imports = yield* SecretImports.SecretImports
        const error = yield* Effect.flip(imports.create({ environment: "dev", secretPath: "shared" }))
        assert.include(error, { _tag: "InvalidRequestError", parameter: "secretPath" })
        assert.deepStrictEqual(yield* takeRequests, [])
      }).pipe(run(era)))

    it.effect("that do not exist are not found", () =>
      Effect.gen(function*() {
        const imports = yield* SecretImports.SecretImports
        const missing = { _tag: "NotFoundError", resource: "import" } as const
        yield* three
        assert.include(yield* Effect.flip(imports.delete(unknownId, intoApp)), missing)
        assert.include(yield* Effect.flip(imports.move(unknownId, 1, intoApp)), missing)
        assert.include(yield* Effect.flip(imports.update(unknownId, shared, intoApp)), missing)
      }).pipe(run(era)))

    it.effect("of an environment that does not exist are not found", () =>
      Effect.gen(function*() {
        const imports = yield* SecretImports.SecretImports
        const missing = { _tag: "NotFoundError", resource: "environment", environment: "nope" } as const
        const source = { ...shared, environment: "nope" }
        assert.include(yield* Effect.flip(imports.create(source, intoApp)), missing)
        const { id } = yield* imports.create(base, intoApp)
        assert.include(yield* Effect.flip(imports.update(id, source, intoApp)), missing)
      }).pipe(run(era)))

    it.effect("of a folder that does not exist are not found", () =>
      Effect.gen(function*() {
        const imports = yield* SecretImports.SecretImports
        const missing = { _tag: "NotFoundError", resource: "folder" } as const
        const nowhere = { secretPath: "/nope" }
        assert.include(yield* Effect.flip(imports.list(nowhere)), missing)
        assert.include(yield* Effect.flip(imports.create(shared, nowhere)), missing)
      }).pipe(run(era)))

    it.effect.each(["", "x", "../../../api/v1/folders", `${unknownId}0`, "00000000000040008000000000000001"])(
      "cannot have the id '%s', which is refused before any request",
      (id) =>
        Effect.gen(function*() {
          const imports = yield* SecretImports.SecretImports
          const refused = { _tag: "InvalidRequestError", parameter: "id" } as const
          assert.include(yield* Effect.flip(imports.delete(id)), refused)
          assert.include(yield* Effect.flip(imports.move(id, 1)), refused)
          assert.include(yield* Effect.flip(imports.update(id, shared)), refused)
          assert.deepStrictEqual(yield* takeRequests, [])
        }).pipe(run(era))
    )

    it.effect("are requested on the newest routes that the first request finds", () =>
      Effect.gen(function*() {
        const imports = yield* SecretImports.SecretImports
        const { id } = yield* imports.create(shared, intoApp)
        yield* imports.delete(id, intoApp)
        assert.deepStrictEqual(
          yield* takeRequests,
          hasNewestRoutes(era)
            ? [
              "GET /api/v2/secret-imports 200",
              "POST /api/v2/secret-imports 200",
              `DELETE /api/v2/secret-imports/${id} 200`
            ]
            : [
              "GET /api/v2/secret-imports 404",
              "POST /api/v1/secret-imports 200",
              `DELETE /api/v1/secret-imports/${id} 200`
            ]
        )
      }).pipe(run(era)))

    it.effect.each([
      { importPath: "/elsewhere" },
      { importEnv: { slug: "prod" } },
      { position: 2 },
      { id: "another" }
    ])("are not taken for another one that a response has: %j", (other) =>
      Effect.gen(function*() {
        const imports = yield* SecretImports.SecretImports
        const [first] = yield* three
        const one = { id: first.id, importPath: "/shared", importEnv: { slug: "dev" }, position: 3 }
        yield* setHook(({ method, reply, respond }) =>
          method === "PATCH" ? Effect.succeed(reply(200, { secretImport: { ...one, ...other } })) : respond
        )
        const write = "position" in other
          ? imports.move(first.id, 3, intoApp)
          : imports.update(first.id, shared, intoApp)
        assert.include(yield* Effect.flip(write), { _tag: "UnexpectedResponseError" })
      }).pipe(run(era)))
  })
}
