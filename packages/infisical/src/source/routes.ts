/** The routes for server-decrypted secrets: `/api/v4/secrets`, or `/api/v3/secrets/raw` on servers without v4. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as InfisicalApi from "../api/InfisicalApi.js"
import type { DecryptedSecretList } from "../api/Wire.js"
import * as InfisicalConfig from "../config/InfisicalConfig.js"
import type { ReadError } from "../model/InfisicalError.js"
import type * as Location from "../model/Location.js"
import * as NewestRoutes from "../session/newestRoutes.js"
import type * as Session from "../session/Session.js"

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

/** A list, and the project that was asked for it. */
interface ListOfProject {
  readonly projectId: string
  readonly response: InfisicalApi.ConditionalResponse<DecryptedSecretList>
}

export interface Service {
  /**
   * The routes that the server has. If the version is unknown and this caller finds it out, with the outcome of its
   * list of the location.
   */
  readonly find: (location: Location.Location) => Effect.Effect<
    { readonly routes: Routes; readonly list: Option.Option<NewestRoutes.Outcome<ListOfProject>> },
    ReadError
  >
}

export const make: Effect.Effect<
  Service,
  never,
  InfisicalApi.InfisicalApi | InfisicalConfig.InfisicalConfig | Scope.Scope | Session.Session
> = Effect.gen(function*() {
  const api = yield* InfisicalApi.InfisicalApi
  const { source } = yield* InfisicalConfig.InfisicalConfig
  const routes = routesOf(api)
  const configured = Option.filter(source, (source): source is Version => source !== "end-to-end-encrypted")
  const findNewest = yield* NewestRoutes.make({
    endpoint: "GET /api/v4/secrets",
    list: (place) =>
      Effect.map(
        api.secrets.list(place, Option.none()),
        (response): ListOfProject => ({ projectId: place.projectId, response })
      )
  })

  return {
    find: (location) =>
      Option.match(configured, {
        onSome: (version) => Effect.succeed({ routes: routes[version], list: Option.none() }),
        onNone: () =>
          Effect.map(findNewest(location), ({ isNewest, list }) => ({ routes: routes[isNewest ? "v4" : "v3"], list }))
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
