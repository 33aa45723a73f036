/**
 * Imports of a project: list, create and delete them. An import gives a folder the secrets of another folder.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Deadline from "./api/deadline.js"
import * as InfisicalApi from "./api/InfisicalApi.js"
import * as SecretCache from "./cache/SecretCache.js"
import * as InfisicalConfig from "./config/InfisicalConfig.js"
import { type ReadError, UnexpectedResponseError, type WriteError } from "./model/InfisicalError.js"
import * as Location from "./model/Location.js"
import type { PlaceOptions } from "./model/Location.js"
import { atPlace } from "./session/atPlace.js"
import type * as Session from "./session/Session.js"

/**
 * An import. A folder that imports another folder also has its secrets.
 *
 * @since 0.1.0
 * @category models
 */
export interface SecretImport {
  readonly id: string
  /** The environment of the imported folder. */
  readonly environment: string
  /** The path of the imported folder. */
  readonly secretPath: string
  /** Counted from 1. If two imports have a secret of one name, the last one wins. */
  readonly position: number
}

/**
 * The service behind `SecretImports`. The options name the importing folder. Each call ends within `retry.deadline`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /**
   * Lists the imports of a folder, in order.
   *
   * Raises `NotFoundError` if the folder or environment does not exist, `AuthenticationError`, `PermissionError`,
   * `NetworkError` and `UnexpectedResponseError`.
   */
  readonly list: (options?: PlaceOptions) => Effect.Effect<ReadonlyArray<SecretImport>, ReadError>
  /**
   * Imports a folder, after all existing imports. The folder may be missing, and may be imported already.
   *
   * Raises `InvalidRequestError` if the folder imports this one, and the errors of `list`.
   */
  readonly create: (
    source: { readonly environment: string; readonly secretPath: string },
    options?: PlaceOptions
  ) => Effect.Effect<SecretImport, WriteError>
  /**
   * Deletes an import by its id. The secrets stay in the imported folder.
   *
   * Raises `NotFoundError` if the import does not exist, and the errors of `list`.
   */
  readonly delete: (id: string, options?: PlaceOptions) => Effect.Effect<void, WriteError>
}

/**
 * Imports of a project.
 *
 * @since 0.1.0
 * @category tags
 */
export class SecretImports extends Context.Tag("effect-infisical/SecretImports")<SecretImports, Service>() {}

/**
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<
  Service,
  never,
  InfisicalApi.InfisicalApi | InfisicalConfig.InfisicalConfig | SecretCache.SecretCache | Session.Session
> = Effect.gen(function*() {
  const { secretImports: api } = yield* InfisicalApi.InfisicalApi
  const cache = yield* SecretCache.SecretCache
  const { retry } = yield* InfisicalConfig.InfisicalConfig
  const at = yield* atPlace
  const within = (endpoint: string, isWrite: boolean) =>
    Deadline.within({ duration: retry.deadline, endpoint, isWrite })

  return {
    list: (options = {}) =>
      at(
        options,
        (place) =>
          Effect.map(api.list(place), (imports) =>
            imports.map(fromWire).toSorted((one, other) => one.position - other.position))
      ).pipe(
        within("SecretImports.list", false)
      ),

    create: (source, options = {}) =>
      Effect.flatMap(
        Location.make(source),
        ({ environment, secretPath }) =>
          at(options, (place) =>
            api.create(place, { environment, path: secretPath }).pipe(
              Effect.map(fromWire),
              Effect.filterOrFail(
                (created) => created.environment === environment.trim() && created.secretPath === secretPath,
                () => anotherFolder
              ),
              Effect.catchTag("AlreadyExistsError", () => unexpectedConflict),
              Effect.ensuring(cache.invalidateAll)
            ))
      ).pipe(within("SecretImports.create", true)),

    delete: (id, options = {}) =>
      at(options, (place) => Effect.ensuring(api.delete(place, encodeURIComponent(id)), cache.invalidateAll)).pipe(
        within("SecretImports.delete", true)
      )
  }
})

/**
 * @since 0.1.0
 * @category layers
 */
export const layer = (): Layer.Layer<
  SecretImports,
  never,
  InfisicalApi.InfisicalApi | InfisicalConfig.InfisicalConfig | SecretCache.SecretCache | Session.Session
> => Layer.effect(SecretImports, make)

const unexpectedConflict = new UnexpectedResponseError({
  endpoint: "POST /api/v1/secret-imports",
  status: 400,
  problem: "it reports a name conflict, but an import has no name"
})

const anotherFolder = new UnexpectedResponseError({
  endpoint: "POST /api/v1/secret-imports",
  status: 200,
  problem: "it has an import of another folder than requested"
})

const fromWire = (
  { id, importEnv, importPath, position }: {
    readonly id: string
    readonly importPath: string
    readonly position: number
    readonly importEnv: { readonly slug: string }
  }
): SecretImport => ({ id, environment: importEnv.slug, secretPath: importPath, position })
