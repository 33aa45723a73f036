/** Secrets that the server encrypts and decrypts, by the older routes: `/api/v3/secrets/raw`. */
import { Wire } from "effect-infisical"
import * as Effect from "effect/Effect"
import * as RawPlaces from "../rules/rawPlaces.js"
import * as RawSecrets from "../rules/rawSecrets.js"
import * as RawWrites from "../rules/rawWrites.js"
import type * as EmulatorState from "../state/EmulatorState.js"
import { encodingOf, withEncodings } from "./encoding.js"
import { route } from "./route.js"

export const routes = (self: EmulatorState.Service) =>
  Object.values(Wire.rawSecrets.endpoints).map((endpoint) => {
    switch (endpoint.name) {
      case "listRawSecrets":
        return route(
          self,
          endpoint,
          ({ actor, urlParams }) =>
            Effect.flatMap(urlParams, (query) => RawSecrets.list({ self, actor, version: "v3" }, query)),
          RawPlaces.list
        )
      case "getRawSecret":
        return route(self, endpoint, ({ actor, path, urlParams }) =>
          Effect.gen(function*() {
            const { secretName } = yield* path
            return yield* RawSecrets.get({ self, actor, version: "v3" }, secretName, yield* urlParams)
          }), RawPlaces.get)
      case "createRawSecret":
        return route(self, endpoint, ({ actor, body, path, payload }) =>
          Effect.gen(function*() {
            const { secretName } = yield* path
            return yield* RawWrites.create({ self, actor, version: "v3" }, secretName, {
              ...yield* payload,
              ...encodingOf(body)
            })
          }))
      case "updateRawSecret":
        return route(self, endpoint, ({ actor, body, path, payload }) =>
          Effect.gen(function*() {
            const { secretName } = yield* path
            return yield* RawWrites.update({ self, actor, version: "v3" }, secretName, {
              ...yield* payload,
              ...encodingOf(body)
            })
          }))
      case "deleteRawSecret":
        return route(self, endpoint, ({ actor, path, payload }) =>
          Effect.gen(function*() {
            const { secretName } = yield* path
            return yield* RawWrites.remove({ self, actor, version: "v3" }, secretName, yield* payload)
          }))
      case "createRawSecrets":
        return route(self, endpoint, ({ actor, body, payload }) =>
          Effect.gen(function*() {
            const written = yield* payload
            return yield* RawWrites.createMany(
              { self, actor, version: "v3" },
              written,
              withEncodings(body, written.secrets)
            )
          }), RawPlaces.batch)
      case "updateRawSecrets":
        return route(self, endpoint, ({ actor, body, payload }) =>
          Effect.gen(function*() {
            const written = yield* payload
            return yield* RawWrites.updateMany(
              { self, actor, version: "v3" },
              written,
              withEncodings(body, written.secrets)
            )
          }), RawPlaces.batch)
      case "deleteRawSecrets":
        return route(self, endpoint, ({ actor, payload }) =>
          Effect.gen(function*() {
            const written = yield* payload
            return yield* RawWrites.removeMany(
              { self, actor, version: "v3" },
              written,
              written.secrets
            )
          }), RawPlaces.batch)
    }
  })
