/** Secrets that the server encrypts and decrypts, by the routes of today: `/api/v4/secrets`. */
import { Wire } from "effect-infisical"
import * as Effect from "effect/Effect"
import * as RawPlaces from "../rules/rawPlaces.js"
import * as RawSecrets from "../rules/rawSecrets.js"
import * as RawWrites from "../rules/rawWrites.js"
import type * as EmulatorState from "../state/EmulatorState.js"
import { encodingOf, withEncodings } from "./encoding.js"
import { route } from "./route.js"

export const routes = (self: EmulatorState.Service) =>
  Object.values(Wire.secrets.endpoints).map((endpoint) => {
    switch (endpoint.name) {
      case "listSecretsV4":
        return route(
          self,
          endpoint,
          ({ actor, urlParams }) =>
            Effect.flatMap(
              urlParams,
              (query) => RawSecrets.list({ self, actor, version: "v4" }, placed(query))
            ),
          RawPlaces.read
        )
      case "getSecretV4":
        return route(self, endpoint, ({ actor, path, urlParams }) =>
          Effect.gen(function*() {
            const { secretName } = yield* path
            return yield* RawSecrets.get({ self, actor, version: "v4" }, secretName, placed(yield* urlParams))
          }), RawPlaces.read)
      case "createSecretV4":
        return route(self, endpoint, ({ actor, body, path, payload }) =>
          Effect.gen(function*() {
            const { secretName } = yield* path
            return yield* RawWrites.create({ self, actor, version: "v4" }, secretName, {
              ...placed(yield* payload),
              ...encodingOf(body)
            })
          }))
      case "updateSecretV4":
        return route(self, endpoint, ({ actor, body, path, payload }) =>
          Effect.gen(function*() {
            const { secretName } = yield* path
            return yield* RawWrites.update({ self, actor, version: "v4" }, secretName, {
              ...placed(yield* payload),
              ...encodingOf(body)
            })
          }))
      case "deleteSecretV4":
        return route(self, endpoint, ({ actor, path, payload }) =>
          Effect.gen(function*() {
            const { secretName } = yield* path
            return yield* RawWrites.remove({ self, actor, version: "v4" }, secretName, placed(yield* payload))
          }))
      case "createSecretsV4":
        return route(self, endpoint, ({ actor, body, payload }) =>
          Effect.gen(function*() {
            const written = yield* payload
            return yield* RawWrites.createMany(
              { self, actor, version: "v4" },
              placed(written),
              withEncodings(body, written.secrets)
            )
          }))
      case "updateSecretsV4":
        return route(self, endpoint, ({ actor, body, payload }) =>
          Effect.gen(function*() {
            const written = yield* payload
            return yield* RawWrites.updateMany(
              { self, actor, version: "v4" },
              placed(written),
              withEncodings(body, written.secrets),
              written.mode
            )
          }))
      case "deleteSecretsV4":
        return route(self, endpoint, ({ actor, payload }) =>
          Effect.gen(function*() {
            const written = yield* payload
            return yield* RawWrites.removeMany(
              { self, actor, version: "v4" },
              placed(written),
              written.secrets
            )
          }))
    }
  })

/** What v4 calls the project, by the name that it had before. */
const placed = <A extends { readonly projectId: string }>(input: A) => ({ ...input, workspaceId: input.projectId })
