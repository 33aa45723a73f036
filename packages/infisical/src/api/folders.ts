/** The calls about folders: `/api/v2/folders`, and `/api/v1/folders` for older servers. */
import * as HttpApiClient from "@effect/platform/HttpApiClient"
import * as Effect from "effect/Effect"
import { once } from "../support/once.js"
import type { Call, CreateCallError, ReadCallError, Request, WriteCallError } from "./call.js"
import { authorized, flag, folderPlace, folderPlaceV2, locationRequest, type Place } from "./requests.js"
import { httpClient } from "./transport.js"
import * as Wire from "./Wire.js"

type WireFolder = typeof Wire.FolderV2.Type

/**
 * The calls about folders that both versions have.
 *
 * @since 0.1.0
 * @category models
 */
export interface Folders {
  readonly list: (place: Place) => Effect.Effect<ReadonlyArray<WireFolder>, ReadCallError>
  readonly create: (place: Place, name: string) => Effect.Effect<WireFolder, CreateCallError>
  readonly rename: (place: Place, id: string, name: string) => Effect.Effect<WireFolder, CreateCallError>
  /** On v1 with everything in it. On v2 the server refuses to delete a folder that is not empty. */
  readonly delete: (place: Place, id: string) => Effect.Effect<void, WriteCallError>
}

/**
 * The calls about folders of v2.
 *
 * @since 0.1.0
 * @category models
 */
export interface FoldersV2 extends Folders {
  /** The folders in a folder, and all below them. */
  readonly listAll: (place: Place) => Effect.Effect<ReadonlyArray<WireFolder>, ReadCallError>
  /** With everything in it. */
  readonly forceDelete: (place: Place, id: string) => Effect.Effect<void, WriteCallError>
}

/** The requests of one version, without what a call adds. */
interface Requests {
  readonly list: (place: Place) => Request<{ readonly folders: ReadonlyArray<WireFolder> }>
  readonly create: (place: Place, name: string) => Request<FolderAnswer>
  readonly rename: (place: Place, id: string, name: string) => Request<FolderAnswer>
  readonly delete: (place: Place, id: string) => Request<FolderAnswer>
}

interface FolderAnswer {
  readonly folder: WireFolder
}

const clientV1 = once(HttpApiClient.group(Wire.api, { group: "folders", httpClient }))

const clientV2 = once(HttpApiClient.group(Wire.api, { group: "foldersV2", httpClient }))

const requestsV1: Requests = {
  list: (place) =>
    Effect.flatMap(clientV1, (client) => client.listFolders({ ...authorized(place), urlParams: folderPlace(place) })),
  create: (place, name) =>
    Effect.flatMap(
      clientV1,
      (client) => client.createFolder({ ...authorized(place), payload: { ...folderPlace(place), name } })
    ),
  rename: (place, id, name) =>
    Effect.flatMap(
      clientV1,
      (client) => client.renameFolder({ ...authorized(place), path: { id }, payload: { ...folderPlace(place), name } })
    ),
  delete: (place, id) =>
    Effect.flatMap(
      clientV1,
      (client) => client.deleteFolder({ ...authorized(place), path: { id }, payload: folderPlace(place) })
    )
}

const listV2 = (place: Place, recursive: boolean) =>
  Effect.flatMap(clientV2, (client) =>
    client.listFoldersV2({
      ...authorized(place),
      urlParams: { ...folderPlaceV2(place), recursive: flag(recursive) }
    }))

const deleteV2 = (place: Place, id: string, forceDelete: boolean) =>
  Effect.flatMap(clientV2, (client) =>
    client.deleteFolderV2({
      ...authorized(place),
      path: { id },
      payload: { ...folderPlaceV2(place), forceDelete }
    }))

const requestsV2: Requests = {
  list: (place) => listV2(place, false),
  create: (place, name) =>
    Effect.flatMap(
      clientV2,
      (client) => client.createFolderV2({ ...authorized(place), payload: { ...folderPlaceV2(place), name } })
    ),
  rename: (place, id, name) =>
    Effect.flatMap(
      clientV2,
      (client) =>
        client.renameFolderV2({ ...authorized(place), path: { id }, payload: { ...folderPlaceV2(place), name } })
    ),
  delete: (place, id) => deleteV2(place, id, false)
}

const makeCalls = (call: Call, route: string, requests: Requests): Folders => ({
  list: (place) =>
    Effect.map(
      call.read(locationRequest(`GET ${route}`, "read", place), requests.list(place)),
      ({ folders }) => folders
    ),
  create: (place, name) =>
    Effect.map(
      call.create(
        { ...locationRequest(`POST ${route}`, "create", place), folderName: name },
        requests.create(place, name)
      ),
      folderOf
    ),
  rename: (place, id, name) =>
    Effect.map(
      call.create(
        { ...locationRequest(`PATCH ${route}/:id`, "update", place), id, folderName: name },
        requests.rename(place, id, name)
      ),
      folderOf
    ),
  delete: (place, id) =>
    Effect.asVoid(call.write(
      { ...locationRequest(`DELETE ${route}/:id`, "delete", place), id },
      requests.delete(place, id)
    ))
})

/** The calls of v1. */
export const make = (call: Call): Folders => makeCalls(call, "/api/v1/folders", requestsV1)

/** The calls of v2. */
export const makeV2 = (call: Call): FoldersV2 => ({
  ...makeCalls(call, "/api/v2/folders", requestsV2),
  listAll: (place) =>
    Effect.map(
      call.read(locationRequest("GET /api/v2/folders", "read", place), listV2(place, true)),
      ({ folders }) => folders
    ),
  forceDelete: (place, id) =>
    Effect.asVoid(call.write(
      { ...locationRequest("DELETE /api/v2/folders/:id", "delete", place), id },
      deleteV2(place, id, true)
    ))
})

const folderOf = <A>({ folder }: { readonly folder: A }): A => folder
