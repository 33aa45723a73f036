/**
 * Folders of a project: list, create, rename and delete them.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as InfisicalApi from "./api/InfisicalApi.js"
import * as SecretCache from "./cache/SecretCache.js"
import type * as InfisicalConfig from "./config/InfisicalConfig.js"
import {
  type AlreadyExistsError,
  InvalidRequestError,
  NotFoundError,
  type ReadError,
  type WriteError
} from "./model/InfisicalError.js"
import * as Location from "./model/Location.js"
import type { PlaceOptions } from "./model/Location.js"
import { atPlace } from "./session/atPlace.js"
import type * as Session from "./session/Session.js"

/**
 * A folder.
 *
 * @since 0.1.0
 * @category models
 */
export interface Folder {
  readonly id: string
  readonly name: string
  readonly environment: string
  /** Its own path. */
  readonly secretPath: string
}

/**
 * The service behind `Folders`. `secretPath` of the options is the path of the folder that it is in.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /**
   * The folders in a folder. A server of 2024-07 lists those of one that does not exist as none.
   *
   * Raises `NotFoundError` where there is no such folder or environment; `AuthenticationError`, `PermissionError`,
   * `NetworkError` and `UnexpectedResponseError`.
   */
  readonly list: (options?: PlaceOptions) => Effect.Effect<ReadonlyArray<Folder>, ReadError>
  /**
   * Creates a folder, or gives the one that there is. A server of 2024-07 creates those above it as well.
   *
   * Raises `InvalidRequestError` where a folder cannot have this name, and what `list` raises.
   */
  readonly create: (name: string, options?: PlaceOptions) => Effect.Effect<Folder, WriteError>
  /**
   * Gives a folder another name. What is in it, and what imports it, moves along.
   *
   * Raises `NotFoundError` where there is none of the name, `AlreadyExistsError` where the new one is taken, and what
   * `create` raises.
   */
  readonly rename: (
    name: string,
    newName: string,
    options?: PlaceOptions
  ) => Effect.Effect<Folder, WriteError | AlreadyExistsError>
  /**
   * Deletes a folder with everything in it.
   *
   * Raises `NotFoundError` where there is none of the name, and what `create` raises.
   */
  readonly delete: (name: string, options?: PlaceOptions) => Effect.Effect<void, WriteError>
}

/**
 * Folders of a project.
 *
 * @since 0.1.0
 * @category tags
 */
export class Folders extends Context.Tag("effect-infisical/Folders")<Folders, Service>() {}

/**
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<
  Service,
  never,
  InfisicalApi.InfisicalApi | InfisicalConfig.InfisicalConfig | SecretCache.SecretCache | Session.Session
> = Effect.gen(function*() {
  const { folders: api } = yield* InfisicalApi.InfisicalApi
  const cache = yield* SecretCache.SecretCache
  const within = yield* atPlace

  const list = (place: InfisicalApi.Place) =>
    Effect.map(api.list(place), (folders) => folders.map((folder) => folderIn(place, folder)))

  const find = (place: InfisicalApi.Place, name: string) =>
    Effect.flatMap(list(place), (folders) => {
      const folder = folders.find((folder) => folder.name === name)
      return folder === undefined
        ? new NotFoundError({
          resource: "folder",
          environment: place.location.environment,
          secretPath: pathIn(place.location, name)
        })
        : Effect.succeed(folder)
    })

  /** What was read of a folder that is another one now must not be served as if it were. */
  const moving = <A, E>(write: Effect.Effect<A, E>) => Effect.ensuring(write, cache.invalidateAll)

  return {
    list: (options = {}) => within(options, list),

    create: (name, options = {}) =>
      Effect.zipRight(
        checkName(name),
        within(options, (place) =>
          Effect.map(api.create(place, name), (folder) => folderIn(place, folder)).pipe(
            Effect.catchTag("AlreadyExistsError", () => find(place, name)),
            moving
          ))
      ),

    rename: (name, newName, options = {}) =>
      Effect.zipRight(
        checkName(newName),
        within(options, (place) =>
          Effect.flatMap(find(place, name), ({ id }) =>
            moving(
              Effect.map(api.rename(place, id, newName), (folder) => folderIn(place, folder))
            )))
      ),

    delete: (name, options = {}) =>
      within(options, (place) => Effect.flatMap(find(place, name), ({ id }) => moving(api.delete(place, id))))
  }
})

/**
 * @since 0.1.0
 * @category layers
 */
export const layer = (): Layer.Layer<
  Folders,
  never,
  InfisicalApi.InfisicalApi | InfisicalConfig.InfisicalConfig | SecretCache.SecretCache | Session.Session
> => Layer.effect(Folders, make)

// A server of 2024-07 takes any name, and cannot find a folder again whose name has other characters.
const checkName = (name: string): Effect.Effect<void, InvalidRequestError> =>
  Location.isFolderName(name) ? Effect.void : Effect.fail(
    new InvalidRequestError({ parameter: "name", problem: "it must be letters, digits, dashes and underscores" })
  )

const pathIn = ({ secretPath }: Location.Location, name: string): string =>
  secretPath === "/" ? `/${name}` : `${secretPath}/${name}`

const folderIn = (
  { location }: InfisicalApi.Place,
  { id, name }: { readonly id: string; readonly name: string }
): Folder => ({ id, name, environment: location.environment, secretPath: pathIn(location, name) })
