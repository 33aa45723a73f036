/** Folders and imports with the responses that were recorded from a server of October 2024, which has no v2. */
import { NodeContext } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Folders, SecretImports } from "effect-infisical"
import { folderOf, loadFolder } from "./Recordings.js"
import { clientLayer, Wire } from "./support/sources.js"

/** Answers each request for folders and imports with the recording of its method and version. */
const answerWith = (names: Readonly<Record<string, string>>) =>
  Effect.gen(function*() {
    const { setHook, takeRequests } = yield* Wire
    const recordings = yield* Effect.orDie(loadFolder(folderOf("2024-10")))
    yield* setHook(({ method, path, reply, respond }) => {
      const version = path.split("/")[2] ?? ""
      const recording = recordings.find(({ name }) => name === names[`${method} ${version}`])
      return /folders|imports/.test(path) && recording !== undefined
        ? Effect.succeed(reply(recording.response.status, recording.response.body))
        : respond
    })
    return {
      requests: Effect.map(
        takeRequests,
        (requests) => requests.map((request) => request.split(" ").slice(0, 2).join(" "))
      )
    }
  }).pipe(Effect.provide(NodeContext.layer))

const run = Effect.provide(clientLayer(undefined, { secrets: {}, era: "2024-07" }))

const noV2 = { "GET v2": "folders/v2-list" }

const source = { environment: "dev", secretPath: "/base-a" }

describe("A server of 2024-10", () => {
  it.effect("lists folders by v1", () =>
    Effect.gen(function*() {
      const folders = yield* Folders.Folders
      const { requests } = yield* answerWith({ ...noV2, "GET v1": "folders/list" })
      const names = (yield* folders.list()).map(({ name }) => name)
      assert.includeMembers(names, ["service", "blank"])
      assert.deepStrictEqual(yield* requests, ["GET /api/v2/folders", "GET /api/v1/folders"])
    }).pipe(run))

  it.effect("is not asked to create a folder that exists, since it would answer as if it was new", () =>
    Effect.gen(function*() {
      const folders = yield* Folders.Folders
      const { requests } = yield* answerWith({ ...noV2, "GET v1": "folders/list", "POST v1": "folders/create-again" })
      assert.include(yield* Effect.flip(folders.create("service")), {
        _tag: "AlreadyExistsError",
        resource: "folder",
        folderName: "service"
      })
      assert.include(yield* folders.create("made"), { name: "made", secretPath: "/made" })
      assert.strictEqual((yield* requests).filter((request) => request === "POST /api/v1/folders").length, 1)
    }).pipe(run))

  it.effect("refuses to rename a folder onto a name that was taken in the meantime", () =>
    Effect.gen(function*() {
      const folders = yield* Folders.Folders
      yield* answerWith({ ...noV2, "GET v1": "folders/list", "PATCH v1": "folders/rename-to-taken" })
      assert.include(yield* Effect.flip(folders.rename("service", "taken")), {
        _tag: "AlreadyExistsError",
        resource: "folder",
        folderName: "taken"
      })
    }).pipe(run))

  it.effect("does not find a folder that was deleted in the meantime", () =>
    Effect.gen(function*() {
      const folders = yield* Folders.Folders
      yield* answerWith({ ...noV2, "GET v1": "folders/list", "DELETE v1": "folders/delete-unknown" })
      assert.include(yield* Effect.flip(folders.delete("service", { forceDelete: true })), {
        _tag: "NotFoundError",
        resource: "folder"
      })
    }).pipe(run))

  it.effect("moves imports, and does not find an environment to import from", () =>
    Effect.gen(function*() {
      const imports = yield* SecretImports.SecretImports
      yield* answerWith({
        ...noV2,
        "GET v1": "imports/list",
        "PATCH v1": "imports/repoint",
        "POST v1": "imports/create-unknown-env"
      })
      const changed = yield* imports.update("4acaf57b-802a-4e30-a8dc-a51ecd3b4749", source)
      assert.include(changed, { environment: "dev", secretPath: "/base-a", position: 2 })
      assert.include(yield* Effect.flip(imports.create({ environment: "qa", secretPath: "/" })), {
        _tag: "NotFoundError",
        resource: "environment",
        environment: "qa"
      })
    }).pipe(run))
})
