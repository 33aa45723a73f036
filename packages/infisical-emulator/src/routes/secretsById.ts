/** Secrets by their id: `/api/v4/secrets/id/:secretId`, `/api/v4/secrets/move`. */
import { Wire } from "effect-infisical"
import * as Effect from "effect/Effect"
import * as SecretsById from "../rules/secretsById.js"
import type * as EmulatorState from "../state/EmulatorState.js"
import { route } from "./route.js"

export const routes = (self: EmulatorState.Service) =>
  Object.values(Wire.secretsById.endpoints).map((endpoint) => {
    switch (endpoint.name) {
      case "getSecretByIdV4":
        return route(
          self,
          endpoint,
          ({ actor, path }) => Effect.flatMap(path, ({ secretId }) => SecretsById.get({ self, actor }, secretId))
        )
      case "moveSecretsV4":
        return route(
          self,
          endpoint,
          ({ actor, payload }) => Effect.flatMap(payload, (move) => SecretsById.move({ self, actor }, move))
        )
    }
  })
