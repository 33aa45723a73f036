/**
 * Folders of a project: list, create, rename and delete them.
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
import {
  type AlreadyExistsError,
  InvalidRequestError,
  NotFoundError,
  type ReadError,
  UnexpectedResponseError,
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
  /** The folder's own path. */
  readonly secretPath: string
}

/**
 * The service behind `Folders`. `secretPath` of the options is the path of the parent folder. Each call ends within
 * `retry.deadline`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /**
   * Lists the folders in a folder. On a server of 2024-07, the list of a missing folder is empty.
   *
   * Raises `NotFoundError` if the folder or environment does not exist, `AuthenticationError`, `PermissionError`,
   * `NetworkError` and `UnexpectedResponseError`.
   */
  readonly list: (options?: PlaceOptions) => Effect.Effect<ReadonlyArray<Folder>, ReadError>
  /**
   * Creates a folder, or returns the existing one. A server of 2024-07 also creates missing parents.
   *
   * Raises `InvalidRequestError` if a folder cannot have this name, and the errors of `list`.
   */
  readonly create: (name: string, options?: PlaceOptions) => Effect.Effect<Folder, WriteError>
  /**
   * Renames a folder. Its content stays in it, and imports of it still work.
   *
   * Raises `NotFoundError` if the folder does not exist, `AlreadyExistsError` if the new name is taken, and the errors
   * of `create`.
   */
  readonly rename: (
    name: string,
    newName: string,
    options?: PlaceOptions
  ) => Effect.Effect<Folder, WriteError | AlreadyExistsError>
  /**
   * Deletes a folder with everything in it.
   *
   * Raises `NotFoundError` if the folder does not exist, and the errors of `create`.
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
  const { retry } = yield* InfisicalConfig.InfisicalConfig
  const at = yield* atPlace
  const read = (endpoint: string) => Deadline.within({ duration: retry.deadline, endpoint, isWrite: false })
  const write = (endpoint: string) => Deadline.within({ duration: retry.deadline, endpoint, isWrite: true })

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

  /** Snapshots of a folder that moved must not be served as live. */
  const moving = <A, E>(write: Effect.Effect<A, E>) => Effect.ensuring(write, cache.invalidateAll)

  return {
    list: (options = {}) => read("Folders.list")(at(options, list)),

    create: (name, options = {}) =>
      Effect.zipRight(
        checkName(name),
        at(options, (place) =>
          Effect.flatMap(api.create(place, name), (folder) =>
            written("POST /api/v1/folders", place, name, folder)).pipe(
              Effect.catchTag("AlreadyExistsError", () =>
                find(place, name)),
              moving
            ))
      ).pipe(write("Folders.create")),

    rename: (name, newName, options = {}) =>
      Effect.zipRight(
        checkName(newName),
        at(options, (place) =>
          Effect.flatMap(find(place, name), ({ id }) =>
            moving(Effect.flatMap(
              api.rename(place, id, newName),
              (folder) => written("PATCH /api/v1/folders/:id", place, newName, folder)
            ))))
      ).pipe(write("Folders.rename")),

    delete: (name, options = {}) =>
      at(options, (place) => Effect.flatMap(find(place, name), ({ id }) => moving(api.delete(place, id)))).pipe(
        write("Folders.delete")
      )
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

// A server of 2024-07 accepts other characters, and cannot find the folder afterwards.
const checkName = (name: string): Effect.Effect<void, InvalidRequestError> =>
  Location.isFolderName(name) ? Effect.void : Effect.fail(
    new InvalidRequestError({ parameter: "name", problem: "it must be letters, digits, dashes and underscores" })
  )

const pathIn = ({ secretPath }: Location.Location, name: string): string =>
  secretPath === "/" ? `/${name}` : `${secretPath}/${name}`

interface WireFolder {
  readonly id: string
  readonly name: string
}

const folderIn = ({ location }: InfisicalApi.Place, { id, name }: WireFolder): Folder => ({
  id,
  name,
  environment: location.environment,
  secretPath: pathIn(location, name)
})

const written = (endpoint: string, place: InfisicalApi.Place, name: string, folder: WireFolder) =>
  folder.name === name ? Effect.succeed(folderIn(place, folder)) : Effect.fail(
    new UnexpectedResponseError({ endpoint, status: 200, problem: "it has a folder of another name than requested" })
  )
