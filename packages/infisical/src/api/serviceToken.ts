/** The calls about a service token itself: `/api/v2/service-token`, `/api/v3/service-token/me/key`. */
import * as HttpApiClient from "@effect/platform/HttpApiClient"
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import { once } from "../support/once.js"
import type { Call, ReadCallError } from "./call.js"
import { authorization } from "./requests.js"
import { httpClient } from "./transport.js"
import * as Wire from "./Wire.js"

/**
 * The calls about a service token itself.
 *
 * @since 0.1.0
 * @category models
 */
export interface ServiceToken {
  /** `GET /api/v2/service-token`. */
  readonly get: (
    accessToken: Redacted.Redacted<string>
  ) => Effect.Effect<typeof Wire.ServiceTokenAnswer.Type, ReadCallError>
  /** `GET /api/v3/service-token/me/key`. */
  readonly getKey: (
    accessToken: Redacted.Redacted<string>
  ) => Effect.Effect<typeof Wire.ServiceTokenKeyAnswer.Type, ReadCallError>
}

const client = once(HttpApiClient.group(Wire.api, { group: "serviceToken", httpClient }))

export const make = (call: Call): ServiceToken => ({
  get: (accessToken) =>
    call.read(
      { endpoint: "GET /api/v2/service-token", action: undefined },
      Effect.flatMap(client, (client) => client.getServiceToken({ headers: authorization(accessToken) }))
    ),
  getKey: (accessToken) =>
    call.read(
      { endpoint: "GET /api/v3/service-token/me/key", action: undefined },
      Effect.flatMap(client, (client) => client.getServiceTokenKey({ headers: authorization(accessToken) }))
    )
})
