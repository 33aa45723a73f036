/** What service tokens know of themselves. */
import { Wire } from "effect-infisical"
import * as Effect from "effect/Effect"
import * as ServiceTokens from "../rules/serviceTokens.js"
import type * as EmulatorState from "../state/EmulatorState.js"
import { route } from "./route.js"

export const routes = (self: EmulatorState.Service, { admitsServiceTokenV3 }: EmulatorState.State) =>
  Object.values(Wire.serviceToken.endpoints).flatMap((endpoint) => {
    switch (endpoint.name) {
      case "getServiceToken":
        return [
          route(self, endpoint, ({ actor, state, url }) => Effect.succeed(ServiceTokens.get(state, actor, url)))
        ]
      case "getServiceTokenKey":
        return admitsServiceTokenV3
          ? [route(self, endpoint, ({ actor, url }) => Effect.succeed(ServiceTokens.getKey(actor, url)))]
          : []
    }
  })
