/**
 * What folders import from other folders: list, create and delete imports.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as InfisicalApi from "./api/InfisicalApi.js"
import * as SecretCache from "./cache/SecretCache.js"
import type * as InfisicalConfig from "./config/InfisicalConfig.js"
import { type ReadError, UnexpectedResponseError, type WriteError } from "./model/InfisicalError.js"
import * as Location from "./model/Location.js"
import type { PlaceOptions } from "./model/Location.js"
import { atPlace } from "./session/atPlace.js"
import type * as Session from "./session/Session.js"

/**
 * An import: the folder whose secrets another folder has as well.
 *
 * @since 0.1.0
 * @category models
 */
export interface SecretImport {
  readonly id: string
  /** The environment of the folder that is imported. */
  readonly environment: string
  /** The path of the folder that is imported. */
  readonly secretPath: string
  /** From 1; where two have a secret of one name, the last one wins. */
  readonly position: number
}

/**
 * The service behind `SecretImports`. The options say which folder imports.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /**
   * The imports of a folder, in order.
   *
   * Raises `NotFoundError` where there is no such folder or environment; `AuthenticationError`, `PermissionError`,
   * `NetworkError` and `UnexpectedResponseError`.
   */
  readonly list: (options?: PlaceOptions) => Effect.Effect<ReadonlyArray<SecretImport>, ReadError>
  /**
   * Imports a folder, after all that is imported already. It need not exist yet; to import one twice is no failure.
   *
   * Raises `InvalidRequestError` where the two would import each other, and what `list` raises.
   */
  readonly create: (
    source: { readonly environment: string; readonly secretPath: string },
    options?: PlaceOptions
  ) => Effect.Effect<SecretImport, WriteError>
  /**
   * Deletes an import by its id; the secrets stay where they are.
   *
   * Raises `NotFoundError` where there is none, and what `list` raises.
   */
  readonly delete: (id: string, options?: PlaceOptions) => Effect.Effect<void, WriteError>
}

/**
 * What folders import from other folders.
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
  const of = yield* atPlace

  return {
    list: (options = {}) =>
      of(
        options,
        (place) =>
          Effect.map(api.list(place), (imports) =>
            imports.map(fromWire).toSorted((one, other) => one.position - other.position))
      ),

    create: (source, options = {}) =>
      Effect.flatMap(
        Location.make(source),
        ({ environment, secretPath }) =>
          of(options, (place) =>
            api.create(place, { environment, path: secretPath }).pipe(
              Effect.map(fromWire),
              Effect.catchTag("AlreadyExistsError", () => unexpectedConflict),
              Effect.ensuring(cache.invalidateAll)
            ))
      ),

    delete: (id, options = {}) =>
      of(options, (place) => Effect.ensuring(api.delete(place, encodeURIComponent(id)), cache.invalidateAll))
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
  problem: "a name was said to be taken, though none was sent"
})

const fromWire = (
  { id, importEnv, importPath, position }: {
    readonly id: string
    readonly importPath: string
    readonly position: number
    readonly importEnv: { readonly slug: string }
  }
): SecretImport => ({ id, environment: importEnv.slug, secretPath: importPath, position })
