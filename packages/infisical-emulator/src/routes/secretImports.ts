/** What folders import: `/api/v1/secret-imports`, and `/api/v2/secret-imports` with the same rules. */
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import { Wire } from "effect-infisical"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as Answer from "../eras/Answer.js"
import * as Eras from "../eras/eras.js"
import { placeOfV2 } from "../rules/foldersV2.js"
import * as SecretImports from "../rules/secretImports.js"
import * as EmulatorState from "../state/EmulatorState.js"
import * as Identifier from "../support/identifier.js"
import { route } from "./route.js"

const IdPath = Schema.Struct({ id: Schema.String })

/** Routes that clients here have no use for, and others do. */
const more = {
  get: HttpApiEndpoint.get("getSecretImport", "/api/v1/secret-imports/:id").setPath(IdPath),
  getV2: HttpApiEndpoint.get("getSecretImportV2", "/api/v2/secret-imports/:id").setPath(IdPath)
}

export const routes = (self: EmulatorState.Service) => [
  ...moreRoutes(self),
  ...Object.values(Wire.secretImports.endpoints).map((endpoint) => {
    switch (endpoint.name) {
      case "listSecretImports":
        return route(
          self,
          endpoint,
          ({ actor, state, urlParams }) =>
            Effect.flatMap(urlParams, (query) => SecretImports.listImports(state, actor, query))
        )
      case "createSecretImport":
        return route(self, endpoint, ({ actor, body, payload }) =>
          Effect.gen(function*() {
            const asked = yield* payload
            const made = { id: yield* Identifier.uuid, time: yield* Identifier.now }
            if (Predicate.hasProperty(body, "isReplication") && body.isReplication === true) {
              return yield* Effect.fail(Answer.replicationUnlicensed)
            }
            return yield* EmulatorState.change(self, (state) => SecretImports.createImport(state, actor, asked, made))
          }))
      case "updateSecretImport":
        return route(self, endpoint, ({ actor, path, payload }) =>
          Effect.gen(function*() {
            const { id } = yield* path
            const asked = yield* payload
            const time = yield* Identifier.now
            return yield* EmulatorState.change(
              self,
              (state) => SecretImports.updateImport(state, actor, id, asked, time)
            )
          }))
      case "deleteSecretImport":
        return route(self, endpoint, ({ actor, path, payload }) =>
          Effect.gen(function*() {
            const { id } = yield* path
            const asked = yield* payload
            return yield* EmulatorState.change(self, (state) => SecretImports.removeImport(state, actor, id, asked))
          }))
    }
  })
]

const moreRoutes = (self: EmulatorState.Service) => [
  route(self, more.get, ({ actor, path, state }) =>
    Effect.gen(function*() {
      const { id } = yield* path
      if (!Eras.does(state, "readsById")) return yield* Effect.fail(Answer.importByIdNotFound(id))
      return yield* SecretImports.getImport(state, actor, id)
    }))
]

export const routesV2 = (self: EmulatorState.Service) => [
  route(
    self,
    more.getV2,
    ({ actor, path, state }) => Effect.flatMap(path, ({ id }) => SecretImports.getImport(state, actor, id))
  ),
  ...Object.values(Wire.secretImportsV2.endpoints).map((endpoint) => {
    switch (endpoint.name) {
      case "listSecretImportsV2":
        return route(
          self,
          endpoint,
          ({ actor, state, urlParams }) =>
            Effect.flatMap(urlParams, (query) => SecretImports.listImports(state, actor, placeOfV2(query)))
        )
      case "createSecretImportV2":
        return route(self, endpoint, ({ actor, payload }) =>
          Effect.gen(function*() {
            const requested = placeOfV2(yield* payload)
            const made = { id: yield* Identifier.uuid, time: yield* Identifier.now }
            return yield* EmulatorState.change(
              self,
              (state) => SecretImports.createImport(state, actor, requested, made)
            )
          }))
      case "updateSecretImportV2":
        return route(self, endpoint, ({ actor, path, payload }) =>
          Effect.gen(function*() {
            const { id } = yield* path
            const requested = placeOfV2(yield* payload)
            const time = yield* Identifier.now
            return yield* EmulatorState.change(
              self,
              (state) => SecretImports.updateImport(state, actor, id, requested, time)
            )
          }))
      case "deleteSecretImportV2":
        return route(self, endpoint, ({ actor, path, payload }) =>
          Effect.gen(function*() {
            const { id } = yield* path
            const requested = placeOfV2(yield* payload)
            return yield* EmulatorState.change(self, (state) => SecretImports.removeImport(state, actor, id, requested))
          }))
    }
  })
]
