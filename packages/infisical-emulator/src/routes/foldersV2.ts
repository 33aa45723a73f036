/** Folders: `/api/v2/folders`. */
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import { Wire } from "effect-infisical"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Folders from "../rules/folders.js"
import * as FoldersV2 from "../rules/foldersV2.js"
import * as EmulatorState from "../state/EmulatorState.js"
import * as Identifier from "../support/identifier.js"
import * as World from "../world/World.js"
import { route } from "./route.js"

/** A route that clients here have no use for, and others do. */
const getFolder = HttpApiEndpoint.get("getFolderV2", "/api/v2/folders/:id").setPath(
  Schema.Struct({ id: Schema.String })
)

export const routes = (self: EmulatorState.Service) => [
  route(self, getFolder, ({ actor, path, state }) => Effect.flatMap(path, ({ id }) => Folders.get(state, actor, id))),
  ...Object.values(Wire.foldersV2.endpoints).map((endpoint) => {
    switch (endpoint.name) {
      case "listFoldersV2":
        return route(
          self,
          endpoint,
          ({ actor, state, urlParams }) =>
            Effect.flatMap(urlParams, (query) => FoldersV2.list(state, actor, FoldersV2.placeOfV2(query)))
        )
      case "createFolderV2":
        return route(self, endpoint, ({ actor, payload }) =>
          Effect.gen(function*() {
            const requested = FoldersV2.placeOfV2(yield* payload)
            const made = yield* EmulatorState.makeFolders(
              [[Folders.pathOfNew({ ...requested, name: requested.name.trim() }), World.Folder.make({})]],
              requested.environment.trim()
            )
            return yield* EmulatorState.change(self, (state) => FoldersV2.create(state, actor, requested, made))
          }))
      case "renameFolderV2":
        return route(self, endpoint, ({ actor, path, payload }) =>
          Effect.gen(function*() {
            const { id } = yield* path
            const requested = FoldersV2.placeOfV2(yield* payload)
            const time = yield* Identifier.now
            return yield* EmulatorState.change(self, (state) => FoldersV2.rename(state, actor, id, requested, time))
          }))
      case "deleteFolderV2":
        return route(self, endpoint, ({ actor, path, payload }) =>
          Effect.gen(function*() {
            const { id } = yield* path
            const requested = FoldersV2.placeOfV2(yield* payload)
            return yield* EmulatorState.change(self, (state) => FoldersV2.remove(state, actor, id, requested))
          }))
    }
  })
]
