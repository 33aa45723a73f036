/** The calls about folders: `/api/v1/folders`. */
import * as HttpApiClient from "@effect/platform/HttpApiClient"
import * as Effect from "effect/Effect"
import { once } from "../support/once.js"
import type { Call, CreateCallError, ReadCallError, WriteCallError } from "./call.js"
import { authorized, folderPlace, locationRequest, type Place } from "./requests.js"
import { httpClient } from "./transport.js"
import * as Wire from "./Wire.js"

/**
 * The calls about folders.
 *
 * @since 0.1.0
 * @category models
 */
export interface Folders {
  readonly list: (place: Place) => Effect.Effect<ReadonlyArray<typeof Wire.Folder.Type>, ReadCallError>
  readonly create: (place: Place, name: string) => Effect.Effect<typeof Wire.Folder.Type, CreateCallError>
  readonly rename: (
    place: Place,
    id: string,
    name: string
  ) => Effect.Effect<typeof Wire.Folder.Type, CreateCallError>
  readonly delete: (place: Place, id: string) => Effect.Effect<void, WriteCallError>
}

const client = once(HttpApiClient.group(Wire.api, { group: "folders", httpClient }))

export const make = (call: Call): Folders => ({
  list: (place) =>
    call.read(
      locationRequest("GET /api/v1/folders", "read", place),
      Effect.flatMap(client, (client) => client.listFolders({ ...authorized(place), urlParams: folderPlace(place) }))
    ).pipe(Effect.map(({ folders }) => folders)),
  create: (place, name) =>
    call.create(
      { ...locationRequest("POST /api/v1/folders", "create", place), folderName: name },
      Effect.flatMap(
        client,
        (client) => client.createFolder({ ...authorized(place), payload: { ...folderPlace(place), name } })
      )
    ).pipe(Effect.map(folderOf)),
  rename: (place, id, name) =>
    call.create(
      { ...locationRequest("PATCH /api/v1/folders/:id", "update", place), id, folderName: name },
      Effect.flatMap(client, (client) =>
        client.renameFolder({ ...authorized(place), path: { id }, payload: { ...folderPlace(place), name } }))
    ).pipe(Effect.map(folderOf)),
  delete: (place, id) =>
    Effect.asVoid(call.write(
      { ...locationRequest("DELETE /api/v1/folders/:id", "delete", place), id },
      Effect.flatMap(
        client,
        (client) => client.deleteFolder({ ...authorized(place), path: { id }, payload: folderPlace(place) })
      )
    ))
})

const folderOf = <A>({ folder }: { readonly folder: A }): A => folder
