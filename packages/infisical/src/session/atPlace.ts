/** Requests about a folder, with the configuration's defaults and the session's access. */
import * as Effect from "effect/Effect"
import type * as InfisicalApi from "../api/InfisicalApi.js"
import * as InfisicalConfig from "../config/InfisicalConfig.js"
import type { InvalidRequestError } from "../model/InfisicalError.js"
import * as Location from "../model/Location.js"
import type { PlaceOptions } from "../model/Location.js"
import * as Session from "./Session.js"

export type AtPlace = <A, E>(
  options: PlaceOptions,
  request: (place: InfisicalApi.Place) => Effect.Effect<A, E>
) => Effect.Effect<A, E | InvalidRequestError | Session.LoginError>

export const atPlace: Effect.Effect<AtPlace, never, InfisicalConfig.InfisicalConfig | Session.Session> = Effect.gen(
  function*() {
    const { defaultLocation } = yield* InfisicalConfig.InfisicalConfig
    const session = yield* Session.Session
    return (options, request) =>
      Effect.flatMap(
        Location.make({
          environment: options.environment ?? defaultLocation.environment,
          secretPath: options.secretPath ?? defaultLocation.secretPath
        }),
        (location) => session.use(({ accessToken, projectId }) => request({ accessToken, projectId, location }))
      )
  }
)
