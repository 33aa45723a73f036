/** The calls about imports: `/api/v2/secret-imports`, and `/api/v1/secret-imports` for older servers. */
import * as HttpApiClient from "@effect/platform/HttpApiClient"
import * as Effect from "effect/Effect"
import { once } from "../support/once.js"
import type { Call, CreateCallError, ReadCallError, Request, WriteCallError } from "./call.js"
import { authorized, folderPlace, folderPlaceV2, locationRequest, type Place } from "./requests.js"
import { httpClient } from "./transport.js"
import * as Wire from "./Wire.js"

type WireImport = typeof Wire.SecretImport.Type

/**
 * The folder that an import is of.
 *
 * @since 0.1.0
 * @category models
 */
export interface ImportSource {
  readonly environment: string
  readonly path: string
}

/**
 * What changes of an import. What is left out stays as it is.
 *
 * @since 0.1.0
 * @category models
 */
export type ImportChange = Partial<ImportSource> & { readonly position?: number }

/**
 * The calls about imports. Both versions have them.
 *
 * @since 0.1.0
 * @category models
 */
export interface SecretImports {
  readonly list: (place: Place) => Effect.Effect<ReadonlyArray<WireImport>, ReadCallError>
  readonly create: (place: Place, source: ImportSource) => Effect.Effect<WireImport, CreateCallError>
  readonly update: (place: Place, id: string, change: ImportChange) => Effect.Effect<WireImport, WriteCallError>
  readonly delete: (place: Place, id: string) => Effect.Effect<void, WriteCallError>
}

/** The requests of one version, without what a call adds. */
interface Requests {
  readonly list: (place: Place) => Request<{ readonly secretImports: ReadonlyArray<WireImport> }>
  readonly create: (place: Place, source: ImportSource) => Request<ImportAnswer>
  readonly update: (place: Place, id: string, change: ImportChange) => Request<ImportAnswer>
  readonly delete: (place: Place, id: string) => Request<ImportAnswer>
}

interface ImportAnswer {
  readonly secretImport: WireImport
}

const clientV1 = once(HttpApiClient.group(Wire.api, { group: "secretImports", httpClient }))

const clientV2 = once(HttpApiClient.group(Wire.api, { group: "secretImportsV2", httpClient }))

const requestsV1: Requests = {
  list: (place) =>
    Effect.flatMap(
      clientV1,
      (client) => client.listSecretImports({ ...authorized(place), urlParams: folderPlace(place) })
    ),
  create: (place, source) =>
    Effect.flatMap(
      clientV1,
      (client) =>
        client.createSecretImport({
          ...authorized(place),
          payload: { ...folderPlace(place), import: source, isReplication: false }
        })
    ),
  update: (place, id, change) =>
    Effect.flatMap(clientV1, (client) =>
      client.updateSecretImport({
        ...authorized(place),
        path: { id },
        payload: { ...folderPlace(place), import: change }
      })),
  delete: (place, id) =>
    Effect.flatMap(
      clientV1,
      (client) => client.deleteSecretImport({ ...authorized(place), path: { id }, payload: folderPlace(place) })
    )
}

const requestsV2: Requests = {
  list: (place) =>
    Effect.flatMap(
      clientV2,
      (client) => client.listSecretImportsV2({ ...authorized(place), urlParams: folderPlaceV2(place) })
    ),
  create: (place, source) =>
    Effect.flatMap(
      clientV2,
      (client) =>
        client.createSecretImportV2({
          ...authorized(place),
          payload: { ...folderPlaceV2(place), import: source, isReplication: false }
        })
    ),
  update: (place, id, change) =>
    Effect.flatMap(clientV2, (client) =>
      client.updateSecretImportV2({
        ...authorized(place),
        path: { id },
        payload: { ...folderPlaceV2(place), import: change }
      })),
  delete: (place, id) =>
    Effect.flatMap(
      clientV2,
      (client) => client.deleteSecretImportV2({ ...authorized(place), path: { id }, payload: folderPlaceV2(place) })
    )
}

const makeCalls = (call: Call, route: string, requests: Requests): SecretImports => ({
  list: (place) =>
    Effect.map(
      call.read(locationRequest(`GET ${route}`, "read", place), requests.list(place)),
      ({ secretImports }) => secretImports
    ),
  create: (place, source) =>
    Effect.map(
      call.create(
        { ...locationRequest(`POST ${route}`, "create", place), importedEnvironment: source.environment },
        requests.create(place, source)
      ),
      importOf
    ),
  update: (place, id, change) =>
    Effect.map(
      call.write(
        { ...locationRequest(`PATCH ${route}/:id`, "update", place), id, importedEnvironment: change.environment },
        requests.update(place, id, change)
      ),
      importOf
    ),
  delete: (place, id) =>
    Effect.asVoid(call.write(
      { ...locationRequest(`DELETE ${route}/:id`, "delete", place), id },
      requests.delete(place, id)
    ))
})

/** The calls of v1. */
export const make = (call: Call): SecretImports => makeCalls(call, "/api/v1/secret-imports", requestsV1)

/** The calls of v2. */
export const makeV2 = (call: Call): SecretImports => makeCalls(call, "/api/v2/secret-imports", requestsV2)

const importOf = ({ secretImport }: ImportAnswer): WireImport => secretImport
