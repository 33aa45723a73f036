/** Requests about a folder, with the configuration's defaults, the session's access, and the newest routes. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type * as InfisicalApi from "../api/InfisicalApi.js"
import * as InfisicalConfig from "../config/InfisicalConfig.js"
import type { ReadError } from "../model/InfisicalError.js"
import * as Location from "../model/Location.js"
import type { PlaceOptions } from "../model/Location.js"
import * as NewestRoutes from "./newestRoutes.js"
import * as Session from "./Session.js"

/** What a request about a folder needs. */
export interface Request<Routes, List> {
  readonly place: InfisicalApi.Place
  /** The newest routes that the server has. */
  readonly routes: Routes
  /** The list of the place. If it found out the routes, it is not requested again. */
  readonly list: Effect.Effect<List, InfisicalApi.ReadCallError>
}

export type AtPlace<Routes, List> = <A, E>(
  options: PlaceOptions,
  request: (request: Request<Routes, List>) => Effect.Effect<A, E>
) => Effect.Effect<A, E | ReadError>

export const make = <List, Routes extends Pick<NewestRoutes.Newest<List>, "list">>(
  { endpoint, newest, older }: { readonly endpoint: string; readonly newest: Routes; readonly older: Routes }
): Effect.Effect<AtPlace<Routes, List>, never, InfisicalConfig.InfisicalConfig | Scope.Scope | Session.Session> =>
  Effect.gen(function*() {
    const { defaultLocation } = yield* InfisicalConfig.InfisicalConfig
    const session = yield* Session.Session
    const find = yield* NewestRoutes.make({ endpoint, list: newest.list })
    return (options, request) =>
      Effect.gen(function*() {
        const location = yield* Location.make({
          environment: options.environment ?? defaultLocation.environment,
          secretPath: options.secretPath ?? defaultLocation.secretPath
        })
        const { isNewest, list } = yield* find(location)
        const routes = isNewest ? newest : older
        return yield* session.use(({ accessToken, projectId }) => {
          const place = { accessToken, projectId, location }
          return request({ place, routes, list: Option.getOrElse(list, () => routes.list(place)) })
        })
      })
  })
