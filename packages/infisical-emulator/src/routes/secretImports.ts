/** What folders import: `/api/v1/secret-imports`. */
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import { Wire } from "effect-infisical"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as Answer from "../eras/Answer.js"
import * as Eras from "../eras/eras.js"
import * as SecretImports from "../rules/secretImports.js"
import * as EmulatorState from "../state/EmulatorState.js"
import * as Identifier from "../support/identifier.js"
import { route } from "./route.js"

const IdPath = Schema.Struct({ id: Schema.String })

/** Routes that clients here have no use for, and others do. */
const more = {
  get: HttpApiEndpoint.get("getSecretImport", "/api/v1/secret-imports/:id").setPath(IdPath),
  update: HttpApiEndpoint.patch("updateSecretImport", "/api/v1/secret-imports/:id").setPath(IdPath).setPayload(
    Schema.Struct({
      workspaceId: Schema.String,
      environment: Schema.String,
      path: Schema.optional(Schema.String),
      import: Schema.Struct({
        environment: Schema.optional(Schema.String),
        path: Schema.optional(Schema.String),
        position: Schema.optional(Schema.Number)
      })
    })
  )
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
    })),
  route(self, more.update, ({ actor, path, payload }) =>
    Effect.gen(function*() {
      const { id } = yield* path
      const asked = yield* payload
      const time = yield* Identifier.now
      return yield* EmulatorState.change(self, (state) => SecretImports.updateImport(state, actor, id, asked, time))
    }))
]
