/** The calls about imports: `/api/v1/secret-imports`. */
import * as HttpApiClient from "@effect/platform/HttpApiClient"
import * as Effect from "effect/Effect"
import { once } from "../support/once.js"
import type { Call, CreateCallError, ReadCallError, WriteCallError } from "./call.js"
import { authorized, folderPlace, locationRequest, type Place } from "./requests.js"
import { httpClient } from "./transport.js"
import * as Wire from "./Wire.js"

/**
 * The calls about imports.
 *
 * @since 0.1.0
 * @category models
 */
export interface SecretImports {
  readonly list: (place: Place) => Effect.Effect<ReadonlyArray<typeof Wire.SecretImport.Type>, ReadCallError>
  readonly create: (
    place: Place,
    source: { readonly environment: string; readonly path: string }
  ) => Effect.Effect<typeof Wire.SecretImport.Type, CreateCallError>
  readonly delete: (place: Place, id: string) => Effect.Effect<void, WriteCallError>
}

const client = once(HttpApiClient.group(Wire.api, { group: "secretImports", httpClient }))

export const make = (call: Call): SecretImports => ({
  list: (place) =>
    call.read(
      locationRequest("GET /api/v1/secret-imports", "read", place),
      Effect.flatMap(
        client,
        (client) => client.listSecretImports({ ...authorized(place), urlParams: folderPlace(place) })
      )
    ).pipe(Effect.map(({ secretImports }) => secretImports)),
  create: (place, source) =>
    call.create(
      {
        ...locationRequest("POST /api/v1/secret-imports", "create", place),
        importedEnvironment: source.environment
      },
      Effect.flatMap(client, (client) =>
        client.createSecretImport({ ...authorized(place), payload: { ...folderPlace(place), import: source } }))
    ).pipe(Effect.map(({ secretImport }) =>
      secretImport
    )),
  delete: (place, id) =>
    Effect.asVoid(call.write(
      { ...locationRequest("DELETE /api/v1/secret-imports/:id", "delete", place), id },
      Effect.flatMap(
        client,
        (client) => client.deleteSecretImport({ ...authorized(place), path: { id }, payload: folderPlace(place) })
      )
    ))
})
