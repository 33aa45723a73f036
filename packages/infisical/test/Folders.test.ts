/** Folders, on servers with v2 of their routes and on servers without it. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Option } from "effect"
import { Folders, Secrets } from "effect-infisical"
import { eras, hasNewestRoutes } from "./support/eras.js"
import { advance, clientLayer, type Hook, settle, Wire } from "./support/sources.js"

const world = {
  projects: {
    main: {
      folders: {
        dev: {
          "/": { secrets: { A: "a" } },
          "/app": { secrets: { B: "b" } },
          "/app/web": { secrets: { C: "c" } },
          "/application": {},
          "/empty": {},
          "/outer/inner": {}
        }
      }
    }
  }
}

const run = (era: typeof eras[number]) => Effect.provide(clientLayer(undefined, { ...world, era }))

const value = (name: string, secretPath: string) =>
  Effect.flatMap(Secrets.Secrets, (secrets) => Effect.map(secrets.get(name, { secretPath }), ({ name }) => name))

const paths = (folders: ReadonlyArray<Folders.Folder>) => folders.map(({ secretPath }) => secretPath)

const takeRequests = Effect.flatMap(Wire, ({ takeRequests }) => takeRequests)

const takeWrites = Effect.map(takeRequests, (requests) => requests.filter((request) => !request.startsWith("GET")))

const setHook = (hook: Hook) => Effect.flatMap(Wire, ({ setHook }) => setHook(hook))

const inApp = { secretPath: "/app" }

for (const era of eras) {
  describe(`Folders of a server of ${era}`, () => {
    it.effect("are listed with their paths, one level at a time", () =>
      Effect.gen(function*() {
        const folders = yield* Folders.Folders
        assert.deepStrictEqual(paths(yield* folders.list()), ["/app", "/application", "/empty", "/outer"])
        const [web] = yield* folders.list(inApp)
        assert.include(web, { name: "web", secretPath: "/app/web", environment: "dev" })
        assert.deepStrictEqual(yield* folders.list({ secretPath: "/nope" }), [])
      }).pipe(run(era)))

    it.effect("are listed with all folders below them", () =>
      Effect.gen(function*() {
        const folders = yield* Folders.Folders
        assert.deepStrictEqual(paths(yield* folders.list({ recursive: true })), [
          "/app",
          "/app/web",
          "/application",
          "/empty",
          "/outer",
          "/outer/inner"
        ])
        const [web, ...others] = yield* folders.list({ ...inApp, recursive: true })
        assert.include(web, { name: "web", secretPath: "/app/web", environment: "dev" })
        assert.deepStrictEqual(others, [])
      }).pipe(run(era)))

    it.effect("are created once", () =>
      Effect.gen(function*() {
        const folders = yield* Folders.Folders
        const secrets = yield* Secrets.Secrets
        assert.include(yield* folders.create("new", inApp), { name: "new", secretPath: "/app/new" })
        yield* takeRequests
        const error = yield* Effect.flip(folders.create("new", inApp))
        assert.include(error, {
          _tag: "AlreadyExistsError",
          resource: "folder",
          folderName: "new",
          environment: "dev",
          secretPath: "/app"
        })
        assert.include(error.message, "There already is a folder \"new\"")
        assert.deepStrictEqual(yield* takeWrites, [])
        assert.deepStrictEqual((yield* secrets.list({ secretPath: "/app/new" })).secrets, [])
      }).pipe(run(era)))

    it.effect("are created with the folders above them", () =>
      Effect.gen(function*() {
        const folders = yield* Folders.Folders
        yield* folders.create("leaf", { secretPath: "/one/two" })
        assert.deepStrictEqual(paths(yield* folders.list({ secretPath: "/one", recursive: true })), [
          "/one/two",
          "/one/two/leaf"
        ])
      }).pipe(run(era)))

    it.effect("are renamed with what is in them, and what was read of them before is not returned any more", () =>
      Effect.gen(function*() {
        const folders = yield* Folders.Folders
        assert.strictEqual(yield* value("C", "/app/web"), "C")
        const { id } = yield* folders.rename("app", "service")
        assert.strictEqual(yield* value("C", "/service/web"), "C")
        assert.strictEqual((yield* Effect.flip(value("C", "/app/web")))._tag, "NotFoundError")
        assert.deepStrictEqual(yield* folders.rename(id, "third"), {
          id,
          name: "third",
          environment: "dev",
          secretPath: "/third"
        })
      }).pipe(run(era)))

    it.effect("keep their name if another folder has the new one", () =>
      Effect.gen(function*() {
        const folders = yield* Folders.Folders
        assert.include(yield* Effect.flip(folders.rename("app", "empty")), {
          _tag: "AlreadyExistsError",
          resource: "folder",
          folderName: "empty",
          secretPath: "/"
        })
        assert.include(yield* folders.rename("app", "app"), { secretPath: "/app" })
      }).pipe(run(era)))

    it.effect("that have secrets are deleted by force only", () =>
      Effect.gen(function*() {
        const folders = yield* Folders.Folders
        const error = yield* Effect.flip(folders.delete("web", inApp))
        assert.strictEqual(error._tag, "InvalidRequestError")
        assert.deepStrictEqual(paths(yield* folders.list(inApp)), ["/app/web"])
        yield* folders.delete("web", { ...inApp, forceDelete: true })
        assert.deepStrictEqual(yield* folders.list(inApp), [])
      }).pipe(run(era)))

    it.effect.each(["app", "outer"])(
      "that are not empty are deleted by force only: %s",
      (name) =>
        Effect.gen(function*() {
          const folders = yield* Folders.Folders
          const error = yield* Effect.flip(folders.delete(name))
          assert.include(error, { _tag: "InvalidRequestError", parameter: "forceDelete" })
          assert.include(error.message, "set forceDelete")
          assert.include(paths(yield* folders.list()), `/${name}`)
          yield* folders.delete(name, { forceDelete: true })
          assert.notInclude(paths(yield* folders.list({ recursive: true })).join(), `/${name}/`)
        }).pipe(run(era))
    )

    it.effect("that are empty are deleted by their name or id", () =>
      Effect.gen(function*() {
        const folders = yield* Folders.Folders
        const [inner] = yield* folders.list({ secretPath: "/outer" })
        yield* folders.delete(inner?.id ?? "", { secretPath: "/outer" })
        yield* folders.delete("outer")
        assert.deepStrictEqual(paths(yield* folders.list()), ["/app", "/application", "/empty"])
      }).pipe(run(era)))

    it.effect("are not deleted or renamed in place of the folder whose id is their name", () =>
      Effect.gen(function*() {
        const folders = yield* Folders.Folders
        const { id } = yield* folders.create("x", inApp)
        yield* folders.create(id, inApp)
        const refused = { _tag: "InvalidRequestError", parameter: "nameOrId" } as const
        assert.include(yield* Effect.flip(folders.delete("x", inApp)), refused)
        assert.include(yield* Effect.flip(folders.delete("x", { ...inApp, forceDelete: true })), refused)
        assert.include(yield* Effect.flip(folders.rename("x", "y", inApp)), refused)
        assert.sameMembers(paths(yield* folders.list(inApp)), ["/app/web", "/app/x", `/app/${id}`])
        yield* folders.delete(id, inApp)
        yield* folders.rename("x", "y", inApp)
        yield* folders.delete("y", inApp)
        assert.deepStrictEqual(paths(yield* folders.list(inApp)), ["/app/web"])
      }).pipe(run(era)))

    it.effect("that are deleted are not read any more", () =>
      Effect.gen(function*() {
        const folders = yield* Folders.Folders
        yield* value("B", "/app")
        yield* folders.delete("app", { forceDelete: true })
        assert.strictEqual((yield* Effect.flip(value("B", "/app")))._tag, "NotFoundError")
      }).pipe(run(era)))

    it.effect("that do not exist cannot be renamed or deleted", () =>
      Effect.gen(function*() {
        const folders = yield* Folders.Folders
        const missing = { _tag: "NotFoundError", resource: "folder", secretPath: "/app/nope" } as const
        assert.include(yield* Effect.flip(folders.rename("nope", "other", inApp)), missing)
        assert.include(yield* Effect.flip(folders.delete("nope", inApp)), missing)
      }).pipe(run(era)))

    it.effect("of an environment that does not exist are not found", () =>
      Effect.gen(function*() {
        const folders = yield* Folders.Folders
        const missing = { _tag: "NotFoundError", resource: "environment" } as const
        const nowhere = { environment: "nope" }
        assert.include(yield* Effect.flip(folders.list(nowhere)), missing)
        assert.include(yield* Effect.flip(folders.list({ ...nowhere, recursive: true })), missing)
        assert.include(yield* Effect.flip(folders.create("new", nowhere)), missing)
        assert.include(yield* Effect.flip(folders.delete("app", nowhere)), missing)
      }).pipe(run(era)))

    it.effect.each(["", "a b", "a/b", "a.b", "*"])(
      "cannot have the name '%s', which is refused before any request",
      (name) =>
        Effect.gen(function*() {
          const folders = yield* Folders.Folders
          const refused = { _tag: "InvalidRequestError", parameter: "name" } as const
          assert.include(yield* Effect.flip(folders.create(name)), refused)
          assert.include(yield* Effect.flip(folders.rename("app", name)), refused)
          assert.deepStrictEqual(yield* takeRequests, [])
        }).pipe(run(era))
    )

    it.effect("are requested on the newest routes that the first request finds", () =>
      Effect.gen(function*() {
        const folders = yield* Folders.Folders
        yield* Effect.all([folders.list(), folders.list(inApp), folders.list()], { concurrency: "unbounded" })
        yield* folders.list()
        assert.deepStrictEqual(
          yield* takeRequests,
          hasNewestRoutes(era)
            ? Array.from({ length: 4 }, () => "GET /api/v2/folders 200")
            : ["GET /api/v2/folders 404", ...Array.from({ length: 4 }, () => "GET /api/v1/folders 200")]
        )
      }).pipe(run(era)))

    it.effect("are written once if that is the first request", () =>
      Effect.gen(function*() {
        yield* Effect.flatMap(Folders.Folders, (folders) => folders.create("new"))
        assert.deepStrictEqual(
          yield* takeRequests,
          hasNewestRoutes(era)
            ? ["GET /api/v2/folders 200", "POST /api/v2/folders 200"]
            : ["GET /api/v2/folders 404", "GET /api/v1/folders 200", "POST /api/v1/folders 200"]
        )
      }).pipe(run(era)))
  })
}

const oldest = run(eras[0])
const newest = run(eras[eras.length - 1] ?? eras[0])

describe("Finding out the routes of folders", () => {
  it.effect("against a server that hangs fails for all callers within one deadline", () =>
    Effect.gen(function*() {
      const folders = yield* Folders.Folders
      yield* setHook(({ path, respond }) => path.startsWith("/api/v2/folders") ? Effect.never : respond)
      const fibers = yield* Effect.forEach(["/app", "/empty", "/app"], (secretPath) =>
        Effect.fork(Effect.exit(folders.list({ secretPath }))))
      yield* settle
      yield* advance(31)
      for (const fiber of fibers) {
        const exit = yield* Fiber.poll(fiber)
        assert.isTrue(Option.isSome(exit) && Exit.isSuccess(exit.value) && Exit.isFailure(exit.value.value))
      }
    }).pipe(newest))

  it.effect("begins again if the server could not be reached", () =>
    Effect.gen(function*() {
      const folders = yield* Folders.Folders
      yield* setHook(({ path, reply, respond }) =>
        path.startsWith("/api/v2/folders") ? Effect.succeed(reply(503, {})) : respond
      )
      assert.include(yield* Effect.flip(folders.list()), { _tag: "NetworkError" })
      yield* setHook(({ respond }) => respond)
      yield* takeRequests
      yield* folders.list()
      assert.deepStrictEqual(yield* takeRequests, ["GET /api/v2/folders 200"])
    }).pipe(newest))

  it.effect("knows v2 by a refusal of the list", () =>
    Effect.gen(function*() {
      const folders = yield* Folders.Folders
      assert.include(yield* Effect.flip(folders.list({ environment: "nope" })), { _tag: "NotFoundError" })
      yield* folders.list()
      assert.deepStrictEqual(yield* takeRequests, ["GET /api/v2/folders 404", "GET /api/v2/folders 200"])
    }).pipe(newest))
})

describe("A response about folders that does not fit the request", () => {
  const unexpected = { _tag: "UnexpectedResponseError" } as const

  it.effect.each([undefined, "", "/", "/app/other", "/webweb"])(
    "is refused: relativePath %s of web",
    (relativePath) =>
      Effect.gen(function*() {
        const folders = yield* Folders.Folders
        yield* folders.list()
        yield* setHook(({ reply }) =>
          Effect.succeed(reply(200, { folders: [{ id: "id", name: "web", relativePath }] }))
        )
        assert.include(yield* Effect.flip(folders.list({ recursive: true })), unexpected)
      }).pipe(newest)
  )

  it.effect("is refused: the path of another folder", () =>
    Effect.gen(function*() {
      const folders = yield* Folders.Folders
      yield* folders.list()
      yield* setHook(({ method, reply, respond }) =>
        method === "GET"
          ? respond
          : Effect.succeed(reply(200, { folder: { id: "id", name: "new", path: "/elsewhere/new" } }))
      )
      assert.include(yield* Effect.flip(folders.create("new")), unexpected)
      assert.include(yield* Effect.flip(folders.rename("app", "new")), unexpected)
    }).pipe(newest))
})

describe("A recursive list of folders on a server without v2", () => {
  it.effect("ends if there is no end to the folders", () =>
    Effect.gen(function*() {
      const folders = yield* Folders.Folders
      yield* folders.list()
      yield* setHook(({ reply }) => Effect.succeed(reply(200, { folders: [{ id: "id", name: "again" }] })))
      yield* takeRequests
      const error = yield* Effect.flip(folders.list({ recursive: true }))
      assert.include(error, { _tag: "InvalidRequestError", parameter: "recursive" })
      assert.strictEqual((yield* takeRequests).length, 50)
    }).pipe(oldest))

  it.effect("ends if there are too many folders", () =>
    Effect.gen(function*() {
      const folders = yield* Folders.Folders
      yield* folders.list()
      const many = Array.from({ length: 40 }, (_, index) => ({ id: `${index}`, name: `folder${index}` }))
      yield* setHook(({ reply }) => Effect.succeed(reply(200, { folders: many })))
      yield* takeRequests
      const error = yield* Effect.flip(folders.list({ recursive: true }))
      assert.include(error, { _tag: "InvalidRequestError", parameter: "recursive" })
      assert.strictEqual((yield* takeRequests).length, 41)
    }).pipe(oldest))
})

describe("A folder with a name that no path can have, which a server of 2024-10 accepts in a rename", () => {
  const odd: Hook = ({ method, path, reply, respond }) =>
    method === "GET" && path === "/api/v1/folders"
      ? Effect.succeed(reply(200, { folders: [{ id: "id", name: "a b" }] }))
      : respond

  it.effect("is listed, and not descended into", () =>
    Effect.gen(function*() {
      const folders = yield* Folders.Folders
      yield* setHook(odd)
      assert.deepStrictEqual(paths(yield* folders.list({ recursive: true })), ["/a b"])
    }).pipe(oldest))

  it.effect("is deleted by force only, since its content cannot be listed", () =>
    Effect.gen(function*() {
      const folders = yield* Folders.Folders
      yield* setHook(odd)
      assert.include(yield* Effect.flip(folders.delete("a b")), {
        _tag: "InvalidRequestError",
        parameter: "forceDelete"
      })
      assert.deepStrictEqual(yield* takeWrites, [])
    }).pipe(oldest))
})
