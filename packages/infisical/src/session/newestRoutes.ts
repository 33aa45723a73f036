/**
 * Whether the server has the newest routes for something, or only those of older servers.
 *
 * The first request finds out: it is a list on the newest route, in a flight of its own that runs in the layer's scope.
 * All other requests wait for the flight, each until its own deadline.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import type * as Scope from "effect/Scope"
import { isRouteMissing } from "../api/classify.js"
import * as Deadline from "../api/deadline.js"
import type * as InfisicalApi from "../api/InfisicalApi.js"
import * as InfisicalConfig from "../config/InfisicalConfig.js"
import type { ReadError } from "../model/InfisicalError.js"
import type * as Location from "../model/Location.js"
import * as SingleFlight from "../support/singleFlight.js"
import * as Session from "./Session.js"

/** The newest list. */
export interface Newest<List> {
  /** Method and path of the list. */
  readonly endpoint: string
  readonly list: (place: InfisicalApi.Place) => Effect.Effect<List, InfisicalApi.ReadCallError>
}

/** The outcome of a list. */
export type Outcome<List> = Exit.Exit<List, InfisicalApi.ReadCallError>

interface Found<List> {
  readonly isNewest: boolean
  /** The caller whose list it was. */
  readonly caller: object
  readonly list: Option.Option<Outcome<List>>
}

/** Finds out, unless it is known. If this caller finds it out, with the outcome of its list of the location. */
export type Find<List> = (
  location: Location.Location
) => Effect.Effect<{ readonly isNewest: boolean; readonly list: Option.Option<Outcome<List>> }, ReadError>

export const make = <List>(
  newest: Newest<List>
): Effect.Effect<Find<List>, never, InfisicalConfig.InfisicalConfig | Scope.Scope | Session.Session> =>
  Effect.gen(function*() {
    const { logDebug, retry } = yield* InfisicalConfig.InfisicalConfig
    const session = yield* Session.Session
    const singleFlight = yield* SingleFlight.make<Found<List>, ReadError>()
    const known = yield* Ref.make(Option.none<boolean>())

    const probe = (location: Location.Location, caller: object): Effect.Effect<Found<List>, ReadError> =>
      session.use(({ accessToken, projectId }) =>
        Effect.matchEffect(newest.list({ accessToken, projectId, location }), {
          onFailure: (error): Effect.Effect<Found<List>, InfisicalApi.ReadCallError> =>
            isRouteMissing(error)
              ? Effect.succeed({ isNewest: false, caller, list: Option.none() })
              : isAnswer(error)
              ? Effect.succeed({ isNewest: true, caller, list: Option.some(Exit.fail(error)) })
              : Effect.fail(error),
          onSuccess: (list): Effect.Effect<Found<List>> =>
            Effect.succeed({ isNewest: true, caller, list: Option.some(Exit.succeed(list)) })
        })
      ).pipe(
        Effect.tap(({ isNewest }) => Ref.set(known, Option.some(isNewest))),
        Effect.tap(({ isNewest }) => logDebug(`The server ${isNewest ? "has" : "does not have"} ${newest.endpoint}`)),
        Deadline.within({ duration: retry.deadline, endpoint: newest.endpoint, isWrite: false })
      )

    return (location) =>
      Effect.flatMap(Ref.get(known), (isNewest) => {
        if (Option.isSome(isNewest)) return Effect.succeed({ isNewest: isNewest.value, list: Option.none() })
        const caller = {}
        return Effect.map(singleFlight("version", probe(location, caller)), (found) => ({
          isNewest: found.isNewest,
          // The list of another caller may be of another location.
          list: found.caller === caller ? found.list : Option.none()
        }))
      })
  })

/** Whether an error shows that the server has the route: it refuses this list, not every request. */
const isAnswer = (error: InfisicalApi.ReadCallError): boolean =>
  error._tag === "NotFoundError" || error._tag === "PermissionError" ||
  (error._tag === "InvalidRequestError" && error.parameter !== "siteUrl")
