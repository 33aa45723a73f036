/**
 * The calls about secrets that the server decrypts: `/api/v4/secrets`, and before it `/api/v3/secrets/raw`. The two
 * differ in ids, flags and the paths of batches; everything else is here once.
 */
import * as HttpApiClient from "@effect/platform/HttpApiClient"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as InfisicalConfig from "../config/InfisicalConfig.js"
import type * as Location from "../model/Location.js"
import { defined } from "../support/defined.js"
import { once } from "../support/once.js"
import {
  type Call,
  type CreateCallError,
  emptyBatch,
  type ReadCallError,
  type Request,
  type WriteCallError
} from "./call.js"
import type { Reads } from "./encryptedSecrets.js"
import {
  answeredSecret,
  authorization,
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
  v3,
  v4
} from "./requests.js"
import { httpClient } from "./transport.js"
import * as Wire from "./Wire.js"

/**
 * What is written of a secret that the server encrypts.
 *
 * @since 0.1.0
 * @category models
 */
export interface Written {
  readonly secretValue: string
  readonly secretComment?: string
  readonly newSecretName?: string
  readonly tagIds?: ReadonlyArray<string>
  readonly secretMetadata?: ReadonlyArray<{ readonly key: string; readonly value: string }>
  readonly secretReminderNote?: string | null
  readonly secretReminderRepeatDays?: number | null
}

/**
 * What is written of one secret of a batch.
 *
 * @since 0.1.0
 * @category models
 */
export interface BatchItem<W = Written> {
  readonly secretKey: string
  readonly written: W
}

/** A new secret has no other name. */
type Created = Omit<Written, "newSecretName">

/** v4 can leave a value as it is. */
type Updated = Omit<Written, "secretValue"> & { readonly secretValue?: string }

/**
 * What a list is to show.
 *
 * @since 0.1.0
 * @category models
 */
export interface View {
  /** Whether values are wanted. Without them, secrets come that may only be described. Default `true`. */
  readonly values?: boolean
  /** Whether it has a user's personal secrets, too. v3 lists them always. Default `true`. */
  readonly personal?: boolean
}

/**
 * What both `/api/v3/secrets/raw` and `/api/v4/secrets` have. Every flag of a read is sent, since servers disagree on
 * what they are by default.
 *
 * @since 0.1.0
 * @category models
 */
export interface RawSecrets extends Reads<Wire.DecryptedSecret, Wire.DecryptedSecretList> {
  readonly list: (
    place: Place,
    etag: Option.Option<string>,
    view?: View
  ) => Effect.Effect<ConditionalResponse<Wire.DecryptedSecretList>, ReadCallError>
  readonly create: (target: Target, written: Created) => Effect.Effect<Wire.DecryptedSecret, CreateCallError>
  readonly update: (target: Target, written: Written) => Effect.Effect<Wire.DecryptedSecret, CreateCallError>
  readonly delete: (target: Target) => Effect.Effect<void, WriteCallError>
  /** All of them, or none. */
  readonly createMany: (
    place: Place,
    secrets: ReadonlyArray<BatchItem<Created>>
  ) => Effect.Effect<ReadonlyArray<Wire.DecryptedSecret>, CreateCallError>
  readonly updateMany: (
    place: Place,
    secrets: ReadonlyArray<BatchItem>
  ) => Effect.Effect<ReadonlyArray<Wire.DecryptedSecret>, WriteCallError>
  readonly deleteMany: (place: Place, names: ReadonlyArray<string>) => Effect.Effect<void, WriteCallError>
}

/**
 * Where secrets are moved to.
 *
 * @since 0.1.0
 * @category models
 */
export interface Move {
  readonly destination: Location.Location
  readonly secretIds: ReadonlyArray<string>
  /** Their names, for errors: the request has the ids only. */
  readonly names: ReadonlyArray<string>
  /** Whether secrets of the destination that have the same names are replaced. */
  readonly overwrite: boolean
}

/**
 * `/api/v4/secrets`, which can leave a value as it is, create a secret that does not exist, read one by its id, and move
 * secrets to another folder.
 *
 * @since 0.1.0
 * @category models
 */
export interface DecryptedSecrets extends RawSecrets {
  readonly update: (target: Target, written: Updated) => Effect.Effect<Wire.DecryptedSecret, CreateCallError>
  readonly upsert: (target: Target, written: Written) => Effect.Effect<Wire.DecryptedSecret, CreateCallError>
  readonly getById: (
    place: Omit<Place, "location">,
    secretId: string
  ) => Effect.Effect<Wire.DecryptedSecret, ReadCallError>
  readonly move: (place: Place, move: Move) => Effect.Effect<typeof Wire.MoveSecretsAnswer.Type, CreateCallError>
}

/** What differs between the two: paths, and the requests themselves. `W` is what an update takes. */
interface Routes<W> {
  readonly path: string
  readonly batchPath: string
  readonly list: (
    place: Place,
    etag: Option.Option<string>,
    view: View
  ) => Request<WithResponse<Wire.DecryptedSecretList>>
  readonly get: (
    target: Target,
    etag: Option.Option<string>
  ) => Request<WithResponse<typeof Wire.DecryptedSecretAnswer.Type>>
  readonly create: (target: Target, written: Created) => Request<typeof Wire.DecryptedWriteAnswer.Type>
  readonly update: (target: Target, written: W) => Request<typeof Wire.DecryptedWriteAnswer.Type>
  readonly delete: (target: Target) => Request<typeof Wire.DecryptedWriteAnswer.Type>
  readonly createMany: (
    place: Place,
    secrets: ReadonlyArray<{ readonly secretKey: string } & Created>
  ) => Request<typeof Wire.DecryptedBatchAnswer.Type>
  readonly updateMany: (
    place: Place,
    secrets: ReadonlyArray<{ readonly secretKey: string } & Written>
  ) => Request<typeof Wire.DecryptedBatchAnswer.Type>
  readonly deleteMany: (
    place: Place,
    secrets: ReadonlyArray<{ readonly secretKey: string }>
  ) => Request<typeof Wire.DecryptedBatchAnswer.Type>
}

type WithResponse<A> = readonly [A | void, HttpClientResponse.HttpClientResponse]

const calls = <W>(call: Call, { batchPath, path, ...request }: Routes<W>) => ({
  list: (place: Place, etag: Option.Option<string>, view: View = {}) =>
    call.readConditional(locationRequest(`GET ${path}`, "read", place), request.list(place, etag, view)),
  get: (target: Target, etag: Option.Option<string>) =>
    call.readConditional(
      secretRequest(`GET ${path}/:secretName`, "read", target),
      Effect.map(request.get(target, etag), answeredSecret)
    ),
  create: (target: Target, written: Created) =>
    call.create(
      secretRequest(`POST ${path}/:secretName`, "create", target),
      request.create(target, written)
    ).pipe(Effect.map(secretOf)),
  update: (target: Target, written: W) =>
    call.create(
      secretRequest(`PATCH ${path}/:secretName`, "update", target),
      request.update(target, written)
    ).pipe(Effect.map(secretOf)),
  delete: (target: Target) =>
    Effect.asVoid(call.write(secretRequest(`DELETE ${path}/:secretName`, "delete", target), request.delete(target))),
  createMany: (place: Place, secrets: ReadonlyArray<BatchItem<Created>>) =>
    call.create(
      batchRequest(`POST ${batchPath}`, "create", place, secrets.map(({ secretKey }) => secretKey)),
      request.createMany(place, secrets.map(flat))
    ).pipe(Effect.map(secretsOf)),
  updateMany: (place: Place, secrets: ReadonlyArray<BatchItem>) =>
    call.write(
      batchRequest(`PATCH ${batchPath}`, "update", place, secrets.map(({ secretKey }) => secretKey)),
      request.updateMany(place, secrets.map(flat))
    ).pipe(Effect.map(secretsOf)),
  deleteMany: (place: Place, names: ReadonlyArray<string>) =>
    Effect.asVoid(call.write(
      batchRequest(`DELETE ${batchPath}`, "delete", place, names),
      request.deleteMany(place, names.map((secretKey) => ({ secretKey })))
    ))
})

const rawClient = once(HttpApiClient.group(Wire.api, { group: "rawSecrets", httpClient }))

/** `/api/v3/secrets/raw`. */
export const makeRaw = (call: Call, { projectSlug }: InfisicalConfig.Service): RawSecrets => {
  const one = (target: Target) => ({ ...v3(target), type: target.type })
  const many = (place: Place) => ({ ...v3(place), ...defined({ projectSlug: Option.getOrUndefined(projectSlug) }) })
  return calls<Written>(call, {
    path: "/api/v3/secrets/raw",
    batchPath: "/api/v3/secrets/batch/raw",
    list: (place, etag, view) =>
      Effect.flatMap(rawClient, (client) =>
        client.listRawSecrets({
          headers: conditional(place, etag),
          urlParams: { ...v3(place), ...listQuery(place, view) },
          withResponse: true
        })),
    get: (target, etag) =>
      Effect.flatMap(rawClient, (client) =>
        client.getRawSecret({
          headers: conditional(target, etag),
          path: { secretName: target.name },
          urlParams: { ...v3(target), ...getQuery(target) },
          withResponse: true
        })),
    create: (target, written) =>
      Effect.flatMap(
        rawClient,
        (client) => client.createRawSecret({ ...named(target), payload: { ...one(target), ...written } })
      ),
    update: (target, written) =>
      Effect.flatMap(
        rawClient,
        (client) => client.updateRawSecret({ ...named(target), payload: { ...one(target), ...written } })
      ),
    delete: (target) =>
      Effect.flatMap(rawClient, (client) => client.deleteRawSecret({ ...named(target), payload: one(target) })),
    createMany: (place, secrets) =>
      Effect.flatMap(
        rawClient,
        (client) => client.createRawSecrets({ ...authorized(place), payload: { ...many(place), secrets } })
      ),
    updateMany: (place, secrets) =>
      Effect.flatMap(
        rawClient,
        (client) => client.updateRawSecrets({ ...authorized(place), payload: { ...many(place), secrets } })
      ),
    deleteMany: (place, secrets) =>
      Effect.flatMap(
        rawClient,
        (client) => client.deleteRawSecrets({ ...authorized(place), payload: { ...many(place), secrets } })
      )
  })
}

const client = once(HttpApiClient.group(Wire.api, { group: "secrets", httpClient }))

const byId = once(HttpApiClient.group(Wire.api, { group: "secretsById", httpClient }))

/** `/api/v4/secrets`. */
export const make = (call: Call): DecryptedSecrets => {
  const one = (target: Target) => ({ ...v4(target), type: target.type })
  return {
    ...calls<Updated>(call, {
      path: "/api/v4/secrets",
      batchPath: "/api/v4/secrets/batch",
      list: (place, etag, view) =>
        Effect.flatMap(client, (client) =>
          client.listSecretsV4({
            headers: conditional(place, etag),
            urlParams: { ...v4(place), ...listQuery(place, view) },
            withResponse: true
          })),
      get: (target, etag) =>
        Effect.flatMap(client, (client) =>
          client.getSecretV4({
            headers: conditional(target, etag),
            path: { secretName: target.name },
            urlParams: { ...v4(target), ...getQuery(target) },
            withResponse: true
          })),
      create: (target, written) =>
        Effect.flatMap(
          client,
          (client) => client.createSecretV4({ ...named(target), payload: { ...one(target), ...written } })
        ),
      update: (target, written) =>
        Effect.flatMap(
          client,
          (client) => client.updateSecretV4({ ...named(target), payload: { ...one(target), ...written } })
        ),
      delete: (target) =>
        Effect.flatMap(client, (client) => client.deleteSecretV4({ ...named(target), payload: one(target) })),
      createMany: (place, secrets) =>
        Effect.flatMap(
          client,
          (client) => client.createSecretsV4({ ...authorized(place), payload: { ...v4(place), secrets } })
        ),
      updateMany: (place, secrets) =>
        Effect.flatMap(
          client,
          (client) =>
            client.updateSecretsV4({
              ...authorized(place),
              payload: { ...v4(place), mode: "failOnNotFound", secrets }
            })
        ),
      deleteMany: (place, secrets) =>
        Effect.flatMap(
          client,
          (client) => client.deleteSecretsV4({ ...authorized(place), payload: { ...v4(place), secrets } })
        )
    }),
    upsert: (target, written) => {
      const endpoint = "PATCH /api/v4/secrets/batch"
      return call.create(
        secretRequest(endpoint, "update", target),
        Effect.flatMap(client, (client) =>
          client.updateSecretsV4({
            ...authorized(target),
            payload: { ...v4(target), mode: "upsert", secrets: [flat({ secretKey: target.name, written })] }
          }))
      ).pipe(
        Effect.flatMap(({ secrets: [secret] }) => secret === undefined ? emptyBatch(endpoint) : Effect.succeed(secret))
      )
    },
    getById: ({ accessToken }, secretId) =>
      call.read(
        { endpoint: "GET /api/v4/secrets/id/:secretId", action: "read", secretNames: [] },
        Effect.flatMap(byId, (client) =>
          client.getSecretByIdV4({ headers: authorization(accessToken), path: { secretId } }))
      ).pipe(Effect.map(secretOf)),
    move: (place, { destination, names, overwrite, secretIds }) =>
      call.create(
        {
          ...locationRequest("POST /api/v4/secrets/move", "update", place),
          secretNames: names,
          destination: { environment: destination.environment, secretPath: destination.secretPath }
        },
        Effect.flatMap(byId, (client) =>
          client.moveSecretsV4({
            ...authorized(place),
            payload: {
              projectId: place.projectId,
              sourceEnvironment: place.location.environment,
              sourceSecretPath: place.location.secretPath,
              destinationEnvironment: destination.environment,
              destinationSecretPath: destination.secretPath,
              secretIds,
              shouldOverwrite: overwrite
            }
          }))
      )
  }
}

/** The flags of every read. */
const readQuery = ({ location }: Place, { values = true }: View = {}) => ({
  viewSecretValue: flag(values),
  expandSecretReferences: flag(location.expandReferences),
  include_imports: flag(location.includeImports),
  includeImports: flag(location.includeImports)
})

const listQuery = (place: Place, view: View) => ({
  ...readQuery(place, view),
  includePersonalOverrides: flag(view.personal ?? true),
  recursive: flag(place.location.recursive),
  ...defined({
    tagSlugs: place.location.tagSlugs.length === 0 ? undefined : place.location.tagSlugs.join(","),
    metadataFilter: Object.keys(place.location.metadata).length === 0
      ? undefined
      : Object.entries(place.location.metadata).map(([key, value]) => `key=${key},value=${value}`).join("|")
  })
})

const getQuery = (target: Target) => ({
  type: target.type,
  ...readQuery(target),
  ...defined({ version: target.location.version })
})

const flat = <W>({ secretKey, written }: BatchItem<W>) => ({ secretKey, ...written })
