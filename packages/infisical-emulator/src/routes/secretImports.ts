/** What folders import: `/api/v1/secret-imports`. */
import { Wire } from "effect-infisical"
import * as Effect from "effect/Effect"
import * as SecretImports from "../rules/secretImports.js"
import * as EmulatorState from "../state/EmulatorState.js"
import * as Identifier from "../support/identifier.js"
import { route } from "./route.js"

export const routes = (self: EmulatorState.Service) =>
  Object.values(Wire.secretImports.endpoints).map((endpoint) => {
    switch (endpoint.name) {
      case "listSecretImports":
        return route(
          self,
          endpoint,
          ({ actor, state, urlParams }) =>
            Effect.flatMap(urlParams, (query) => SecretImports.listImports(state, actor, query))
        )
      case "createSecretImport":
        return route(self, endpoint, ({ actor, payload }) =>
          Effect.gen(function*() {
            const asked = yield* payload
            const made = { id: yield* Identifier.uuid, time: yield* Identifier.now }
            return yield* EmulatorState.change(self, (state) => SecretImports.createImport(state, actor, asked, made))
          }))
      case "updateSecretImport":
        return route(self, endpoint, ({ actor, path, payload }) =>
          Effect.gen(function*() {
            const { id } = yield* path
            const asked = yield* payload
            const time = yield* Identifier.now
            return yield* EmulatorState.change(self, (state) => SecretImports.updateImport(state, actor, id, asked, time))
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
