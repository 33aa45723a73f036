/**
 * The routes for server-decrypted secrets: `/api/v4/secrets`, or `/api/v3/secrets/raw` on servers without v4.
 *
 * The first request finds out which: it is a list on v4, in a flight of its own that runs in the layer's scope. All
 * other requests wait for the flight, not for a lock, so no caller waits longer than one deadline and nothing can deadlock.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import type * as Scope from "effect/Scope"
import { isRouteMissing } from "../api/classify.js"
import * as Deadline from "../api/deadline.js"
import * as InfisicalApi from "../api/InfisicalApi.js"
import type { DecryptedSecretList } from "../api/Wire.js"
import * as InfisicalConfig from "../config/InfisicalConfig.js"
import type { ReadError } from "../model/InfisicalError.js"
import type * as Location from "../model/Location.js"
import * as Session from "../session/Session.js"
import * as SingleFlight from "../support/singleFlight.js"

/** What both versions have, and what only one of them has. */
export interface Routes extends Omit<InfisicalApi.RawSecrets, "update"> {
  /** The route of lists, without its method. */
  readonly path: string
  readonly update: InfisicalApi.DecryptedSecrets["update"]
  /** Whether an update may omit the value. */
  readonly keepsValues: boolean
  readonly upsert: InfisicalApi.DecryptedSecrets["upsert"] | undefined
}

type Version = "v3" | "v4"

/** The outcome of the list that found out the version. */
export interface FirstList {
  readonly projectId: string
  readonly response: Exit.Exit<InfisicalApi.ConditionalResponse<DecryptedSecretList>, InfisicalApi.ReadCallError>
}

interface Found {
  readonly version: Version
  /** The caller whose list it was. */
  readonly caller: object
  readonly list: Option.Option<FirstList>
}

export interface Service {
  /**
   * The routes that the server has. If the version is unknown and this caller finds it out, with the outcome of its
   * list of the location.
   */
  readonly find: (
    location: Location.Location
  ) => Effect.Effect<{ readonly routes: Routes; readonly list: Option.Option<FirstList> }, ReadError>
}

export const make: Effect.Effect<
  Service,
  never,
  InfisicalApi.InfisicalApi | InfisicalConfig.InfisicalConfig | Scope.Scope | Session.Session
> = Effect.gen(function*() {
  const api = yield* InfisicalApi.InfisicalApi
  const { logDebug, retry, source } = yield* InfisicalConfig.InfisicalConfig
  const session = yield* Session.Session
  const singleFlight = yield* SingleFlight.make<Found, ReadError>()
  const known = yield* Ref.make(
    Option.filter(source, (source): source is Version => source !== "end-to-end-encrypted")
  )
  const routes = routesOf(api)

  const probe = (location: Location.Location, caller: object): Effect.Effect<Found, ReadError> =>
    session.use(({ accessToken, projectId }) =>
      Effect.matchEffect(api.secrets.list({ accessToken, projectId, location }, Option.none()), {
        onFailure: (error): Effect.Effect<Found, InfisicalApi.ReadCallError> =>
          isRouteMissing(error)
            ? Effect.succeed({ version: "v3", caller, list: Option.none() })
            : isAnswer(error)
            ? Effect.succeed({ version: "v4", caller, list: Option.some({ projectId, response: Exit.fail(error) }) })
            : Effect.fail(error),
        onSuccess: (response): Effect.Effect<Found> =>
          Effect.succeed({
            version: "v4",
            caller,
            list: Option.some({ projectId, response: Exit.succeed(response) })
          })
      })
    ).pipe(
      Effect.tap(({ version }) => Ref.set(known, Option.some(version))),
      Effect.tap(({ version }) => logDebug(`The server's routes for secrets are those of ${version}`)),
      Deadline.within({ duration: retry.deadline, endpoint: "GET /api/v4/secrets", isWrite: false })
    )

  return {
    find: (location) =>
      Effect.flatMap(Ref.get(known), (version) => {
        if (Option.isSome(version)) return Effect.succeed({ routes: routes[version.value], list: Option.none() })
        const caller = {}
        return Effect.map(singleFlight("version", probe(location, caller)), (found) => ({
          routes: routes[found.version],
          // The list of another caller may be of another location.
          list: found.caller === caller ? found.list : Option.none()
        }))
      })
  }
})

const routesOf = ({ rawSecrets, secrets }: InfisicalApi.Service): Readonly<Record<Version, Routes>> => ({
  v3: {
    ...rawSecrets,
    path: "/api/v3/secrets/raw",
    update: (target, { secretValue = "", ...written }) => rawSecrets.update(target, { ...written, secretValue }),
    keepsValues: false,
    upsert: undefined
  },
  v4: { ...secrets, path: "/api/v4/secrets", keepsValues: true }
})

/** Whether an error shows that the server has the route: it refuses this list, not every request. */
const isAnswer = (error: InfisicalApi.ReadCallError): boolean =>
  error._tag === "NotFoundError" || error._tag === "PermissionError" ||
  (error._tag === "InvalidRequestError" && error.parameter !== "siteUrl")
