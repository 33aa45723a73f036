/** The calls about end-to-end encrypted secrets: `/api/v3/secrets`. */
import * as HttpApiClient from "@effect/platform/HttpApiClient"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import { defined } from "../support/defined.js"
import { once } from "../support/once.js"
import type { Call, CreateCallError, ReadCallError, WriteCallError } from "./call.js"
import {
  answeredSecret,
  authorized,
  batchRequest,
  conditional,
  type ConditionalResponse,
  flag,
  locationRequest,
  named,
  type Place,
  secretOf,
  secretRequest,
  secretsOf,
  type Target,
  v3
} from "./requests.js"
import { httpClient } from "./transport.js"
import * as Wire from "./Wire.js"

/**
 * Reads of secrets that come as `Secret` or `List`. A read by name costs a server three times what a list costs.
 *
 * @since 0.1.0
 * @category models
 */
export interface Reads<Secret, List> {
  readonly list: (place: Place, etag: Option.Option<string>) => Effect.Effect<ConditionalResponse<List>, ReadCallError>
  readonly get: (
    target: Target,
    etag: Option.Option<string>
  ) => Effect.Effect<ConditionalResponse<Secret>, ReadCallError>
}

/**
 * `/api/v3/secrets`.
 *
 * @since 0.1.0
 * @category models
 */
export interface EncryptedSecrets extends Reads<Wire.EncryptedSecret, Wire.EncryptedSecretList> {
  readonly create: (
    target: Target,
    encrypted: Omit<typeof Wire.CreateSecretPayload.Type, LocationField>
  ) => Effect.Effect<Wire.EncryptedSecret, CreateCallError>
  readonly update: (
    target: Target,
    encrypted: Omit<typeof Wire.UpdateSecretPayload.Type, LocationField>
  ) => Effect.Effect<Wire.EncryptedSecret, CreateCallError>
  readonly delete: (target: Target) => Effect.Effect<void, WriteCallError>
  /** All of them, or none. */
  readonly createMany: (
    place: Place,
    secrets: (typeof Wire.EncryptedBatchPayload.Type)["secrets"]
  ) => Effect.Effect<ReadonlyArray<Wire.EncryptedSecret>, CreateCallError>
  readonly updateMany: (
    place: Place,
    secrets: (typeof Wire.EncryptedBatchPayload.Type)["secrets"]
  ) => Effect.Effect<ReadonlyArray<Wire.EncryptedSecret>, WriteCallError>
  readonly deleteMany: (place: Place, names: ReadonlyArray<string>) => Effect.Effect<void, WriteCallError>
}

type LocationField = "workspaceId" | "environment" | "secretPath" | "type"

const client = once(HttpApiClient.group(Wire.api, { group: "encryptedSecrets", httpClient }))

export const make = (call: Call): EncryptedSecrets => ({
  list: (place, etag) =>
    call.readConditional(
      locationRequest("GET /api/v3/secrets", "read", place),
      Effect.flatMap(client, (client) =>
        client.listSecrets({
          headers: conditional(place, etag),
          urlParams: {
            ...v3(place),
            include_imports: flag(place.location.includeImports),
            recursive: flag(place.location.recursive)
          },
          withResponse: true
        }))
    ),
  get: (target, etag) =>
    call.readConditional(
      secretRequest("GET /api/v3/secrets/:secretName", "read", target),
      Effect.flatMap(client, (client) =>
        client.getSecret({
          headers: conditional(target, etag),
          path: { secretName: target.name },
          urlParams: {
            ...v3(target),
            type: target.type,
            include_imports: flag(target.location.includeImports),
            ...defined({ version: target.location.version })
          },
          withResponse: true
        })).pipe(Effect.map(answeredSecret))
    ),
  create: (target, encrypted) =>
    call.create(
      secretRequest("POST /api/v3/secrets/:secretName", "create", target),
      Effect.flatMap(
        client,
        (client) => client.createSecret({ ...named(target), payload: { ...one(target), ...encrypted } })
      )
    ).pipe(Effect.map(secretOf)),
  update: (target, encrypted) =>
    call.create(
      secretRequest("PATCH /api/v3/secrets/:secretName", "update", target),
      Effect.flatMap(
        client,
        (client) => client.updateSecret({ ...named(target), payload: { ...one(target), ...encrypted } })
      )
    ).pipe(Effect.map(secretOf)),
  delete: (target) =>
    Effect.asVoid(call.write(
      secretRequest("DELETE /api/v3/secrets/:secretName", "delete", target),
      Effect.flatMap(client, (client) => client.deleteSecret({ ...named(target), payload: one(target) }))
    )),
  createMany: (place, secrets) =>
    call.create(
      batchRequest("POST /api/v3/secrets/batch", "create", place, secrets.map(({ secretName }) => secretName)),
      Effect.flatMap(
        client,
        (client) => client.createSecrets({ ...authorized(place), payload: { ...v3(place), secrets } })
      )
    ).pipe(Effect.map(secretsOf)),
  updateMany: (place, secrets) =>
    call.write(
      batchRequest("PATCH /api/v3/secrets/batch", "update", place, secrets.map(({ secretName }) => secretName)),
      Effect.flatMap(
        client,
        (client) => client.updateSecrets({ ...authorized(place), payload: { ...v3(place), secrets } })
      )
    ).pipe(Effect.map(secretsOf)),
  deleteMany: (place, names) =>
    Effect.asVoid(call.write(
      batchRequest("DELETE /api/v3/secrets/batch", "delete", place, names),
      Effect.flatMap(client, (client) =>
        client.deleteSecrets({
          ...authorized(place),
          payload: { ...v3(place), secrets: names.map((secretName) => ({ secretName })) }
        }))
    ))
})

const one = (target: Target) => ({ ...v3(target), type: target.type })
