import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Folders, SecretImports, Secrets } from "effect-infisical"
import { get, run, Simulation, value } from "./Simulation.js"

const world = {
  projects: {
    main: {
      folders: {
        dev: {
          "/": { secrets: { A: "a" } },
          "/app": { secrets: { B: "b" } },
          "/app/web": { secrets: { C: "c" } },
          "/shared": { secrets: { S: "s", A: "shared a" } }
        }
      }
    }
  },
  serviceTokens: { main: {}, reader: { permissions: ["read"] as const } }
}

const names = (folders: ReadonlyArray<{ readonly name: string }>) => folders.map(({ name }) => name).toSorted()

describe("Folders", () => {
  it.effect("are listed with their paths, one level at a time", () =>
    Effect.gen(function*() {
      const folders = yield* Folders.Folders
      assert.deepStrictEqual(names(yield* folders.list()), ["app", "shared"])
      const [web] = yield* folders.list({ secretPath: "/app" })
      assert.include(web, { name: "web", secretPath: "/app/web", environment: "dev" })
    }).pipe(run(world)))

  it.effect("are created once", () =>
    Effect.gen(function*() {
      const folders = yield* Folders.Folders
      const secrets = yield* Secrets.Secrets
      const created = yield* folders.create("new", { secretPath: "/app" })
      assert.include(created, { name: "new", secretPath: "/app/new" })
      assert.include(yield* Effect.flip(folders.create("new", { secretPath: "/app" })), {
        _tag: "AlreadyExistsError",
        secretPath: "/app/new"
      })
      assert.deepStrictEqual((yield* secrets.list({ secretPath: "/app/new" })).secrets, [])
    }).pipe(run(world)))

  it.effect("are renamed with what is in them, and what was read of them before is not served any more", () =>
    Effect.gen(function*() {
      const folders = yield* Folders.Folders
      assert.strictEqual(value(yield* get("C", { secretPath: "/app/web" })), "c")
      yield* folders.rename("app", "service")
      assert.strictEqual(value(yield* get("C", { secretPath: "/service/web" })), "c")
      assert.strictEqual((yield* Effect.flip(get("C", { secretPath: "/app/web" })))._tag, "NotFoundError")
    }).pipe(run(world)))

  it.effect("are deleted with everything in them if that is asked for", () =>
    Effect.gen(function*() {
      const folders = yield* Folders.Folders
      assert.strictEqual(value(yield* get("B", { secretPath: "/app" })), "b")
      yield* folders.delete("app", { force: true })
      assert.deepStrictEqual(names(yield* folders.list()), ["shared"])
      assert.strictEqual((yield* Effect.flip(get("B", { secretPath: "/app" })))._tag, "NotFoundError")
    }).pipe(run(world)))

  it.effect("that there are not cannot be renamed or deleted", () =>
    Effect.gen(function*() {
      const folders = yield* Folders.Folders
      const missing = { _tag: "NotFoundError", resource: "folder", secretPath: "/app/nope" } as const
      assert.include(yield* Effect.flip(folders.rename("nope", "other", { secretPath: "/app" })), missing)
      assert.include(yield* Effect.flip(folders.delete("nope", { secretPath: "/app" })), missing)
    }).pipe(run(world)))

  it.effect.each(["", "a b", "a/b", "a.b", "*"])(
    "cannot have the name '%s', which is refused before any request",
    (name) =>
      Effect.gen(function*() {
        const folders = yield* Folders.Folders
        const { takeLogins } = yield* Simulation
        const refused = { _tag: "InvalidRequestError", parameter: "name" } as const
        assert.include(yield* Effect.flip(folders.create(name)), refused)
        assert.include(yield* Effect.flip(folders.rename("app", name)), refused)
        assert.deepStrictEqual(yield* takeLogins, [])
      }).pipe(run(world))
  )
})

describe("Imports", () => {
  const source = { environment: "dev", secretPath: "/shared" }

  it.effect("bring the secrets of a folder into another one, from the moment they are made", () =>
    Effect.gen(function*() {
      const imports = yield* SecretImports.SecretImports
      assert.include(yield* Effect.flip(get("S")), { _tag: "NotFoundError" })
      const created = yield* imports.create(source)
      assert.include(created, { environment: "dev", secretPath: "/shared", position: 1 })
      assert.strictEqual(value(yield* get("S")), "s")
      assert.strictEqual(value(yield* get("A")), "a")
      yield* imports.delete(created.id)
      assert.include(yield* Effect.flip(get("S")), { _tag: "NotFoundError" })
    }).pipe(run(world)))

  it.effect("are listed in the order in which the last one wins", () =>
    Effect.gen(function*() {
      const imports = yield* SecretImports.SecretImports
      yield* imports.create(source, { secretPath: "/app/web" })
      yield* imports.create({ environment: "dev", secretPath: "/" }, { secretPath: "/app/web" })
      const list = yield* imports.list({ secretPath: "/app/web" })
      assert.deepStrictEqual(list.map(({ position, secretPath }) => `${position} ${secretPath}`), ["1 /shared", "2 /"])
      assert.strictEqual(value(yield* get("A", { secretPath: "/app/web" })), "a")
    }).pipe(run(world)))

  it.effect("in a circle are refused", () =>
    Effect.gen(function*() {
      const imports = yield* SecretImports.SecretImports
      yield* imports.create({ environment: "dev", secretPath: "/app" }, { secretPath: "/shared" })
      const error = yield* Effect.flip(imports.create(source, { secretPath: "/app" }))
      assert.include(error, { _tag: "InvalidRequestError", parameter: "source" })
    }).pipe(run(world)))

  it.effect("of a path that no folder can have are refused before any request", () =>
    Effect.gen(function*() {
      const imports = yield* SecretImports.SecretImports
      const error = yield* Effect.flip(imports.create({ environment: "dev", secretPath: "shared" }))
      assert.include(error, { _tag: "InvalidRequestError", parameter: "secretPath" })
    }).pipe(run(world)))
})
