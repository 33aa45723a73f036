/** Version 2 of folders and imports, on servers that have it, and moving imports on all. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { Emulator, type World } from "effect-infisical-emulator"
import { sendTo } from "./service.js"

const folders = {
  "/": { secrets: { A: "a" } },
  "/app/web": { secrets: { B: "b" } },
  "/application": {},
  "/base": { imports: [{ environment: "dev", path: "/app" }, { environment: "dev", path: "/application" }] }
}

const world = {
  serviceTokens: { main: {}, reader: { permissions: ["read"] as const } },
  projects: { main: { folders: { dev: folders } } }
}

const run = (era: World.Era) => Effect.provide(Emulator.layer({ era, ...world }))

/** The version of the routes that the newest clients of a server of this era use. */
const version = { "2024-07": "v1", "2024-10": "v1", "2025": "v2", "2026": "v2" } as const

const as = (name: string) =>
  Effect.flatMap(
    Emulator.Emulator,
    (emulator) =>
      Effect.map(emulator.serviceToken(name), (token) => Redacted.value(token).split(".").slice(0, 3).join("."))
  )

const request = (
  path: string,
  options: Parameters<typeof sendTo>[1] & { readonly name?: string } = {}
) => Effect.flatMap(as(options.name ?? "main"), (token) => sendTo(path, { ...options, token }))

const write = (method: "POST" | "PATCH" | "DELETE", path: string, body: object) => request(path, { method, body })

interface Named {
  readonly id: string
  readonly name: string
  readonly path?: string
  readonly relativePath?: string
}

interface Import {
  readonly id: string
  readonly importPath: string
  readonly position: number
}

const foldersOf = (body: object): ReadonlyArray<Named> =>
  "folders" in body && Array.isArray(body.folders) ? body.folders : []

const importsOf = (body: object): ReadonlyArray<Import> =>
  "secretImports" in body && Array.isArray(body.secretImports) ? body.secretImports : []

const folderOf = (body: object): object =>
  "folder" in body && typeof body.folder === "object" && body.folder !== null ? body.folder : {}

const importOf = (body: object): { readonly id?: unknown } =>
  "secretImport" in body && typeof body.secretImport === "object" && body.secretImport !== null
    ? body.secretImport
    : {}

const pathsOf = (body: object) => importsOf(body).map(({ importPath, position }) => `${position} ${importPath}`)

describe("The newest routes by id", () => {
  it.effect("give a folder and an import, and say which id there is not", () =>
    Effect.gen(function*() {
      const projectId = yield* (yield* Emulator.Emulator).projectId("main")
      const at = (path: string) => ({ query: { projectId, environment: "dev", path } })
      const [folder] = foldersOf((yield* request("/api/v2/folders", at("/"))).body)
      const [secretImport] = importsOf((yield* request("/api/v2/secret-imports", at("/base"))).body)
      assert.isDefined(folder)
      assert.isDefined(secretImport)
      const readFolder = yield* request(`/api/v2/folders/${folder.id}`)
      assert.deepInclude(readFolder.body, {
        folder: { ...folderOf(readFolder.body), id: folder.id, name: folder.name }
      })
      const readImport = yield* request(`/api/v2/secret-imports/${secretImport.id}`)
      assert.strictEqual(importOf(readImport.body).id, secretImport.id)
      for (const path of ["folders", "secret-imports"]) {
        assert.strictEqual((yield* request(`/api/v2/${path}/5d0a2b8c-3d6e-4a4b-9d52-0a2a6bb2b0a1`)).status, 404)
      }
    }).pipe(run("2026")))
})

describe("Folders of v2", () => {
  it.effect("have no route on older servers", () =>
    Effect.gen(function*() {
      for (const path of ["/api/v2/folders", "/api/v2/secret-imports"]) {
        const { body, status } = yield* request(path)
        assert.strictEqual(status, 404)
        assert.match(String(body.message), /^Route GET:\/api\/v2\/.* not found$/)
      }
    }).pipe(run("2024-07")))

  it.effect("are listed with the paths of all below a folder", () =>
    Effect.gen(function*() {
      const list = (query: Record<string, string>) =>
        Effect.map(request("/api/v2/folders", { query }), ({ body }) => foldersOf(body))
      assert.deepStrictEqual((yield* list({ recursive: "true" })).map(({ relativePath }) => relativePath), [
        "/app",
        "/app/web",
        "/application",
        "/base"
      ])
      assert.deepStrictEqual(
        (yield* list({ path: "/app", recursive: "true" })).map(({ name, relativePath }) => `${name} ${relativePath}`),
        ["web /web"]
      )
      assert.deepStrictEqual((yield* list({ path: "/app" })).map(({ name }) => name), ["web"])
      assert.deepStrictEqual(yield* list({ path: "/nope", recursive: "true" }), [])
    }).pipe(run("2026")))

  it.effect("are created with a trimmed name, once", () =>
    Effect.gen(function*() {
      const made = yield* write("POST", "/api/v2/folders", { path: "/one/two", name: " leaf " })
      assert.include(made.body["folder"], { name: "leaf", path: "/one/two/leaf" })
      const again = yield* write("POST", "/api/v2/folders", { path: "/one/two", name: "leaf" })
      assert.include(again, { status: 400 })
      assert.include(again.body, {
        error: "BadRequest",
        message: "Folder with name 'leaf' already exists in path '/one/two'"
      })
      assert.include(yield* write("POST", "/api/v2/folders", { name: "a b" }), { status: 422 })
    }).pipe(run("2026")))

  it.effect("are renamed, with their path", () =>
    Effect.gen(function*() {
      const { body } = yield* request("/api/v2/folders")
      const app = foldersOf(body).find(({ name }) => name === "app")
      const renamed = yield* write("PATCH", `/api/v2/folders/${app?.id}`, { name: "service" })
      assert.include(renamed.body["folder"], { id: app?.id, name: "service", path: "/service" })
      assert.include(yield* write("PATCH", `/api/v2/folders/${app?.id}`, { name: "base" }), { status: 400 })
      assert.include(yield* write("PATCH", `/api/v2/folders/${app?.id}`, { name: "a.b" }), { status: 422 })
    }).pipe(run("2026")))

  it.effect("are deleted by name or id, with what is in them only if that is asked for", () =>
    Effect.gen(function*() {
      const refused = yield* write("DELETE", "/api/v2/folders/app", { path: "/" })
      assert.include(refused, { status: 400 })
      assert.include(refused.body, {
        error: "deleteFolder",
        message:
          "Cannot delete folder \"app\" because it contains resources. Use forceDelete=true to delete it forcefully."
      })
      assert.include(yield* write("DELETE", "/api/v2/folders/web", { path: "/app" }), { status: 400 })
      assert.include(yield* write("DELETE", "/api/v2/folders/app", { path: "/", forceDelete: true }), { status: 200 })
      assert.include(yield* write("DELETE", "/api/v2/folders/app", { path: "/", forceDelete: true }), { status: 404 })
      const { body } = yield* request("/api/v2/folders")
      const [application] = foldersOf(body)
      assert.include(yield* write("DELETE", `/api/v2/folders/${application?.id}`, { path: "/" }), { status: 200 })
      // What a folder imports does not count.
      assert.include(yield* write("DELETE", "/api/v2/folders/base", { path: "/" }), { status: 200 })
    }).pipe(run("2026")))

  it.effect("are not changed by a credential that may only read", () =>
    Effect.gen(function*() {
      const name = "reader"
      assert.include(yield* request("/api/v2/folders", { name }), { status: 200 })
      const body = { path: "/", name: "new" }
      assert.include(yield* request("/api/v2/folders", { name, method: "POST", body }), { status: 403 })
      assert.include(yield* request("/api/v2/folders/app", { name, method: "PATCH", body }), { status: 403 })
      assert.include(yield* request("/api/v2/folders/app", { name, method: "DELETE", body }), { status: 403 })
    }).pipe(run("2026")))
})

for (const era of ["2024-07", "2024-10", "2025", "2026"] as const) {
  const route = `/api/${version[era]}/secret-imports`
  const inBase = { path: "/base" }

  describe(`Imports of a server of ${era}`, () => {
    it.effect("are created, moved, changed and deleted", () =>
      Effect.gen(function*() {
        const list = Effect.map(request(route, { query: inBase }), ({ body }) => body)
        yield* write("POST", route, { ...inBase, import: { environment: "dev", path: "/" } })
        assert.deepStrictEqual(pathsOf(yield* list), ["1 /app", "2 /application", "3 /"])
        const id = importsOf(yield* list)[0]?.id
        const moved = yield* write("PATCH", `${route}/${id}`, { ...inBase, import: { position: 3 } })
        assert.include(moved.body["secretImport"], { id, importPath: "/app", position: 3 })
        assert.deepStrictEqual(pathsOf(yield* list), ["1 /application", "2 /", "3 /app"])
        const changed = yield* write("PATCH", `${route}/${id}`, {
          ...inBase,
          import: { path: "/app/web", position: 1 }
        })
        assert.include(changed.body["secretImport"], { id, importPath: "/app/web", position: 1 })
        yield* write("DELETE", `${route}/${id}`, inBase)
        assert.deepStrictEqual(pathsOf(yield* list), ["1 /application", "2 /"])
      }).pipe(run(era)))

    it.effect("are not changed to what does not exist, or into a circle", () =>
      Effect.gen(function*() {
        const { body } = yield* request(route, { query: inBase })
        const id = importsOf(body)[0]?.id
        yield* write("POST", route, { path: "/app/web", import: { environment: "dev", path: "/base" } })
        const change = (path: string, source: object) =>
          Effect.map(write("PATCH", path, { ...inBase, import: source }), ({ body }) => String(body.message))
        assert.strictEqual(yield* change(`${route}/${id}`, { path: "/app/web" }), "Cyclic import not allowed")
        assert.include(
          yield* change(`${route}/${id}`, { environment: "nope" }),
          era === "2024-07" ? "The request is invalid" : "not found"
        )
        assert.include(yield* change(`${route}/00000000-0000-4000-8000-000000000001`, { position: 1 }), "not found")
      }).pipe(run(era)))
  })
}
