/**
 * Folders of a project: list, create, rename and delete them.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Deadline from "./api/deadline.js"
import * as InfisicalApi from "./api/InfisicalApi.js"
import * as SecretCache from "./cache/SecretCache.js"
import * as Credential from "./config/Credential.js"
import * as InfisicalConfig from "./config/InfisicalConfig.js"
import {
  AlreadyExistsError,
  InvalidRequestError,
  NotFoundError,
  type ReadError,
  UnexpectedResponseError,
  type WriteError
} from "./model/InfisicalError.js"
import * as Location from "./model/Location.js"
import type { PlaceOptions } from "./model/Location.js"
import * as AtPlace from "./session/atPlace.js"
import type * as Session from "./session/Session.js"
import * as SecretSource from "./source/SecretSource.js"

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
 * Options of `list`.
 *
 * @since 0.1.0
 * @category models
 */
export interface ListOptions extends PlaceOptions {
  /** Whether to list the folders below those folders, too. Default: `false`. */
  readonly recursive?: boolean | undefined
}

/**
 * Options of `delete`.
 *
 * @since 0.1.0
 * @category models
 */
export interface DeleteOptions extends PlaceOptions {
  /** Whether to delete a folder with everything in it. Default: `false`, so only an empty folder is deleted. */
  readonly forceDelete?: boolean | undefined
}

/**
 * The service behind `Folders`. `secretPath` of the options is the path of the parent folder. Each call ends within
 * `retry.deadline`.
 *
 * The calls use `/api/v2/folders`, and `/api/v1/folders` on servers without it. The first request of the layer finds out
 * which.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /**
   * Lists the folders in a folder, by path. The list of a missing folder is empty.
   *
   * A server without v2 has no recursive list. There, each folder takes a request, and `InvalidRequestError` is raised if
   * there are more than 1,000 folders or 50 levels.
   *
   * Raises `NotFoundError` if the environment does not exist, `AuthenticationError`, `PermissionError`, `NetworkError`
   * and `UnexpectedResponseError`.
   */
  readonly list: (options?: ListOptions) => Effect.Effect<ReadonlyArray<Folder>, ReadError>
  /**
   * Creates a folder, and its parent folders if they are missing.
   *
   * Raises `AlreadyExistsError` if the folder exists, `InvalidRequestError` if a folder cannot have this name, and the
   * errors of `list`. Older servers answer the creation of an existing folder as if it was new. So the parent is listed
   * first, and of two creations at the same time both can succeed there.
   */
  readonly create: (name: string, options?: PlaceOptions) => Effect.Effect<Folder, WriteError | AlreadyExistsError>
  /**
   * Renames a folder, given by its name or id. Its content stays in it, and imports of it still work.
   *
   * Raises `NotFoundError` if the folder does not exist, `AlreadyExistsError` if the new name is taken,
   * `InvalidRequestError` if a folder cannot have the new name or another one beside it is named as its id, and the
   * errors of `list`.
   */
  readonly rename: (
    nameOrId: string,
    newName: string,
    options?: PlaceOptions
  ) => Effect.Effect<Folder, WriteError | AlreadyExistsError>
  /**
   * Deletes a folder, given by its name or id. It must be empty unless `forceDelete` is set.
   *
   * A folder is empty if it has no secrets and no folders. A server without v2 deletes any folder, so its content is
   * listed first. There, secrets that the credential may not see are not noticed, nor those that are created between
   * the list and the deletion. The lists of a service token may be of another folder there, so it needs `forceDelete`.
   *
   * Raises `NotFoundError` if the folder does not exist, `InvalidRequestError` of `forceDelete` if it is not empty or that
   * cannot be known, `InvalidRequestError` of `nameOrId` if another folder beside it is named as its id, and the errors
   * of `list`.
   */
  readonly delete: (nameOrId: string, options?: DeleteOptions) => Effect.Effect<void, WriteError>
}

/**
 * Folders of a project.
 *
 * @since 0.1.0
 * @category tags
 */
export class Folders extends Context.Tag("effect-infisical/Folders")<Folders, Service>() {}

/**
 * Makes the service from those that it needs. `layer` is the usual way to have it.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<
  Service,
  never,
  | InfisicalApi.InfisicalApi
  | InfisicalConfig.InfisicalConfig
  | Scope.Scope
  | SecretCache.SecretCache
  | SecretSource.SecretSource
  | Session.Session
> = Effect.gen(function*() {
  const { folders, foldersV2 } = yield* InfisicalApi.InfisicalApi
  const cache = yield* SecretCache.SecretCache
  const source = yield* SecretSource.SecretSource
  const { credential, retry } = yield* InfisicalConfig.InfisicalConfig
  const at = yield* AtPlace.make<ReadonlyArray<WireFolder>, Routes>({
    endpoint: "GET /api/v2/folders",
    newest: { ...foldersV2, deleteEmpty: foldersV2.delete },
    older: { ...folders, forceDelete: folders.delete, listAll: undefined, deleteEmpty: undefined }
  })
  const read = (endpoint: string) => Deadline.within({ duration: retry.deadline, endpoint, isWrite: false })
  const write = (endpoint: string) => Deadline.within({ duration: retry.deadline, endpoint, isWrite: true })

  /** Snapshots of a folder that moved must not be served as live. */
  const moving = Effect.ensuring(cache.invalidateAll)

  // A service token with one scope has its lists pinned to that scope, so that an empty list proves nothing. A
  // token that names no identity or user may be one.
  const provesEmptiness = credential._tag === "MachineIdentity" ||
    (credential._tag === "AccessToken" && Option.isSome(Credential.holderOf(credential)))

  const isEmpty = (folder: Folder): Effect.Effect<boolean, ReadError> =>
    Effect.gen(function*() {
      // Renamed to a name that no path can have, so that its content cannot be listed.
      if (!Location.isFolderName(folder.name)) return false
      const location = yield* Location.make({ ...folder, includeImports: false, expandReferences: false })
      const folders = yield* at(folder, ({ list }) => list)
      if (folders.length > 0) return false
      const { content } = yield* source.fetch(location, Option.none())
      return content.own.length === 0 && content.undecryptableNames.length === 0
    })

  return {
    list: ({ recursive = false, ...options } = {}) =>
      at(options, ({ list, place, routes }) =>
        recursive
          ? routes.listAll === undefined ? walk(place, routes.list) : listAll(place, routes.listAll)
          : Effect.map(list, (folders) => byPath(folders.map(folderIn(place))))).pipe(read("Folders.list")),

    create: (name, options = {}) =>
      Effect.zipRight(
        checkName(name),
        at(options, ({ list, place, routes }) =>
          list.pipe(
            Effect.flatMap(checkFree(place, name)),
            Effect.zipRight(routes.create(place, name)),
            Effect.flatMap(written("POST", place, name)),
            moving
          ))
      ).pipe(write("Folders.create")),

    rename: (nameOrId, newName, options = {}) =>
      Effect.zipRight(
        checkName(newName),
        at(options, ({ list, place, routes }) =>
          Effect.flatMap(list, (folders) =>
            Effect.flatMap(findUnambiguous(place, nameOrId, folders), ({ id }) =>
              checkFree(place, newName)(folders.filter((folder) =>
                folder.id !== id
              )).pipe(
                Effect.zipRight(routes.rename(place, id, newName)),
                Effect.flatMap(written("PATCH", place, newName)),
                moving
              ))))
      ).pipe(write("Folders.rename")),

    delete: (nameOrId, { forceDelete = false, ...options } = {}) =>
      Effect.gen(function*() {
        const { deleteEmpty, folder } = yield* at(options, ({ list, place, routes }) =>
          Effect.map(
            Effect.flatMap(
              list,
              (folders) => findUnambiguous(place, nameOrId, folders)
            ),
            (folder) => ({ folder, deleteEmpty: routes.deleteEmpty })
          ))
        if (!forceDelete && deleteEmpty === undefined) {
          if (!provesEmptiness) return yield* unproven
          if (!(yield* isEmpty(folder))) return yield* notEmpty()
        }
        yield* at(
          options,
          ({ place, routes }) =>
            moving((!forceDelete && deleteEmpty !== undefined ? deleteEmpty : routes.forceDelete)(place, folder.id))
        )
      }).pipe(write("Folders.delete"))
  }
})

/**
 * The service as a layer. Each call makes a new one.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (): Layer.Layer<
  Folders,
  never,
  | InfisicalApi.InfisicalApi
  | InfisicalConfig.InfisicalConfig
  | SecretCache.SecretCache
  | SecretSource.SecretSource
  | Session.Session
> => Layer.scoped(Folders, make)

/** What both versions have, and what only one of them has. */
interface Routes extends Pick<InfisicalApi.FoldersV2, "list" | "create" | "rename" | "forceDelete"> {
  readonly listAll: InfisicalApi.FoldersV2["listAll"] | undefined
  readonly deleteEmpty: InfisicalApi.Folders["delete"] | undefined
}

type WireFolder = Effect.Effect.Success<ReturnType<InfisicalApi.Folders["list"]>>[number]

// A server of 2024-07 accepts other characters, and cannot find the folder afterwards.
const checkName = (name: string): Effect.Effect<void, InvalidRequestError> =>
  Location.isFolderName(name) ? Effect.void : Effect.fail(
    new InvalidRequestError({ parameter: "name", problem: "it must be letters, digits, dashes and underscores" })
  )

const checkFree =
  (place: InfisicalApi.Place, name: string) =>
  (folders: ReadonlyArray<WireFolder>): Effect.Effect<void, AlreadyExistsError> =>
    folders.some((folder) => folder.name === name) ? alreadyExists(place, name) : Effect.void

const alreadyExists = ({ location }: InfisicalApi.Place, name: string) =>
  new AlreadyExistsError({
    resource: "folder",
    folderName: name,
    environment: location.environment,
    secretPath: location.secretPath
  })

const notEmpty = () =>
  new InvalidRequestError({
    parameter: "forceDelete",
    problem: "the folder is not empty. Delete what is in it first, or set forceDelete."
  })

const unproven = new InvalidRequestError({
  parameter: "forceDelete",
  problem:
    "this server deletes any folder, and its lists for a service token do not show whether the folder is empty. Look into it in Infisical, then set forceDelete."
})

/** The folder to be written. It is sent by its id, which the server may take for the name of another folder. */
const findUnambiguous = (
  place: InfisicalApi.Place,
  nameOrId: string,
  folders: ReadonlyArray<WireFolder>
): Effect.Effect<Folder, NotFoundError | InvalidRequestError> =>
  Effect.filterOrFail(
    find(place, nameOrId, folders),
    ({ id }) => !folders.some(({ name }) => name === id),
    () =>
      new InvalidRequestError({
        parameter: "nameOrId",
        problem:
          "another folder beside it is named as the id of this one, and the server may take that one. Rename or delete that one first."
      })
  )

/** A name comes before an id, as on the server. */
const find = (
  { location: { environment, secretPath } }: InfisicalApi.Place,
  nameOrId: string,
  folders: ReadonlyArray<WireFolder>
): Effect.Effect<Folder, NotFoundError> => {
  const folder = folders.find(({ name }) => name === nameOrId) ?? folders.find(({ id }) => id === nameOrId)
  return folder === undefined
    ? new NotFoundError({ resource: "folder", environment, secretPath: below(secretPath, nameOrId) })
    : Effect.succeed({ id: folder.id, name: folder.name, environment, secretPath: below(secretPath, folder.name) })
}

const below = (parent: string, path: string): string => parent === "/" ? `/${path}` : `${parent}/${path}`

const folderIn = ({ location }: InfisicalApi.Place) => ({ id, name }: WireFolder): Folder => ({
  id,
  name,
  environment: location.environment,
  secretPath: below(location.secretPath, name)
})

const byPath = (folders: ReadonlyArray<Folder>): ReadonlyArray<Folder> =>
  folders.toSorted((one, other) => one.secretPath < other.secretPath ? -1 : 1)

/** The recursive list of v2. Each folder's path is below that of the listed one. */
const listAll = (
  place: InfisicalApi.Place,
  list: InfisicalApi.FoldersV2["listAll"]
): Effect.Effect<ReadonlyArray<Folder>, InfisicalApi.ReadCallError> =>
  Effect.flatMap(list(place), (folders) => {
    const listed = folders.flatMap(({ id, name, relativePath }) => {
      const path = (relativePath ?? "").replace(/^\//, "")
      const { environment, secretPath } = place.location
      return path === name || path.endsWith(`/${name}`)
        ? [{ id, name, environment, secretPath: below(secretPath, path) }]
        : []
    })
    return listed.length === folders.length ? Effect.succeed(byPath(listed)) : new UnexpectedResponseError({
      endpoint: "GET /api/v2/folders",
      status: 200,
      problem: "it has a folder without its path, or with the path of another folder"
    })
  })

const maximumFolders = 1000
const maximumDepth = 50

/** The recursive list of v1: one list for each folder, level by level. */
const walk = (
  place: InfisicalApi.Place,
  list: InfisicalApi.Folders["list"]
): Effect.Effect<ReadonlyArray<Folder>, InfisicalApi.ReadCallError> => {
  const listBelow = (
    parents: ReadonlyArray<InfisicalApi.Place>,
    found: ReadonlyArray<Folder>,
    depth: number
  ): Effect.Effect<ReadonlyArray<Folder>, InfisicalApi.ReadCallError> =>
    Effect.gen(function*() {
      if (parents.length === 0) return byPath(found)
      if (depth === maximumDepth || found.length > maximumFolders) return yield* tooMany()
      const lists = yield* Effect.forEach(
        parents,
        (parent) => Effect.map(list(parent), (folders) => folders.map(folderIn(parent))),
        { concurrency: 4 }
      )
      const children = lists.flat()
      const next = yield* Effect.forEach(
        // A server of 2024-10 renames a folder to any name, but lists no folder of such a path.
        children.filter(({ name }) => Location.isFolderName(name)),
        (folder) => Effect.map(Location.make(folder), (location) => ({ ...place, location }))
      )
      return yield* listBelow(next, [...found, ...children], depth + 1)
    })
  return listBelow([place], [], 0)
}

const tooMany = () =>
  new InvalidRequestError({
    parameter: "recursive",
    problem:
      `there are more than ${maximumFolders} folders or ${maximumDepth} levels, and this server lists one folder at a time. List the folders below one by one.`
  })

/** The folder of a write's response, which must be the requested one. */
const written =
  (method: "POST" | "PATCH", place: InfisicalApi.Place, name: string) =>
  (folder: WireFolder): Effect.Effect<Folder, UnexpectedResponseError> => {
    const requested = folderIn(place)({ id: folder.id, name })
    return folder.name === name && (folder.path ?? requested.secretPath) === requested.secretPath
      ? Effect.succeed(requested)
      : new UnexpectedResponseError({
        endpoint: `${method} ${folder.path === undefined ? "/api/v1/folders" : "/api/v2/folders"}`,
        status: 200,
        problem: "it has another folder than requested"
      })
  }
