/** Folders: `/api/v1/folders`. */
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import { Wire } from "effect-infisical"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Answer from "../eras/Answer.js"
import * as Eras from "../eras/eras.js"
import * as Folders from "../rules/folders.js"
import * as EmulatorState from "../state/EmulatorState.js"
import * as Identifier from "../support/identifier.js"
import * as World from "../world/World.js"
import { route } from "./route.js"

/** A route that clients here have no use for, and others do. */
const getFolder = HttpApiEndpoint.get("getFolder", "/api/v1/folders/:id").setPath(Schema.Struct({ id: Schema.String }))

export const routes = (self: EmulatorState.Service) => [
  route(self, getFolder, ({ actor, path, state }) =>
    Effect.gen(function*() {
      const { id } = yield* path
      if (!Eras.does(state, "readsById")) return yield* Effect.fail(Answer.folderByIdNotFound(id))
      return yield* Folders.get(state, actor, id)
    })),
  ...Object.values(Wire.folders.endpoints).map((endpoint) => {
    switch (endpoint.name) {
      case "listFolders":
        return route(
          self,
          endpoint,
          ({ actor, state, urlParams }) => Effect.flatMap(urlParams, (query) => Folders.list(state, actor, query))
        )
      case "createFolder":
        return route(self, endpoint, ({ actor, payload }) =>
          Effect.gen(function*() {
            const asked = yield* payload
            const made = yield* EmulatorState.makeFolders(
              [[Folders.pathOfNew(asked), World.Folder.make({})]],
              asked.environment.trim()
            )
            return yield* EmulatorState.change(self, (state) => Folders.create(state, actor, asked, made))
          }))
      case "renameFolder":
        return route(self, endpoint, ({ actor, path, payload }) =>
          Effect.gen(function*() {
            const { id } = yield* path
            const asked = yield* payload
            const time = yield* Identifier.now
            return yield* EmulatorState.change(self, (state) => Folders.rename(state, actor, id, asked, time))
          }))
      case "deleteFolder":
        return route(self, endpoint, ({ actor, path, payload }) =>
          Effect.gen(function*() {
            const { id } = yield* path
            const asked = yield* payload
            return yield* EmulatorState.change(self, (state) => Folders.remove(state, actor, id, asked))
          }))
    }
  })
]
