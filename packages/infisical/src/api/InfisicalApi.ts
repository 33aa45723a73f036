/**
 * The calls: one for each route of `Wire`, with a timeout, with the repetitions that are safe, and with every failure
 * classified. What comes back is checked by the schemas of `Wire`.
 *
 * @since 0.1.0
 */
import type * as Headers from "@effect/platform/Headers"
import * as HttpApiClient from "@effect/platform/HttpApiClient"
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type { Login } from "../config/Credential.js"
import * as InfisicalConfig from "../config/InfisicalConfig.js"
import type { AlreadyExistsError, ApprovalRequiredError } from "../model/InfisicalError.js"
import type * as Location from "../model/Location.js"
import { defined } from "../support/defined.js"
import { once } from "../support/once.js"
import * as Call from "./call.js"
import type { RequestInfo } from "./classify.js"
import * as Wire from "./Wire.js"

/**
 * What a call can raise that neither creates nor renames.
 *
 * @since 0.1.0
 * @category models
 */
export type ReadCallError = Call.ReadCallError

/**
 * What a call that writes can raise; one that creates or renames, `AlreadyExistsError` too.
 *
 * @since 0.1.0
 * @category models
 */
export type WriteCallError = ReadCallError | ApprovalRequiredError

/**
 * @since 0.1.0
 * @category models
 */
export type CreateCallError = WriteCallError | AlreadyExistsError

/**
 * What is left of a route's rate limit, as `x-ratelimit-*` tells.
 *
 * @since 0.1.0
 * @category models
 */
export interface RateLimit {
  readonly limit: number
  readonly remaining: number
  /** How long until all of it is there again. */
  readonly resetAfter: Duration.Duration
}

/**
 * A conditional read's answer: nothing new under the ETag that was sent, or all of it with its ETag.
 *
 * @since 0.1.0
 * @category models
 */
export type ConditionalResponse<A> =
  | { readonly _tag: "NotModified"; readonly rateLimit: Option.Option<RateLimit> }
  | {
    readonly _tag: "Modified"
    readonly rateLimit: Option.Option<RateLimit>
    readonly answer: A
    readonly etag: Option.Option<string>
  }

/**
 * Which location a call is about, and with whose access.
 *
 * @since 0.1.0
 * @category models
 */
export interface Place {
  readonly accessToken: Redacted.Redacted<string>
  readonly projectId: string
  readonly location: Location.Location
}

/**
 * Which secret a call is about, and with whose access.
 *
 * @since 0.1.0
 * @category models
 */
export interface Target extends Place {
  readonly name: string
  readonly type: Wire.SecretType
}

/**
 * Reads of secrets that come as `Secret` or `List`. One by name costs a server three times what a list costs (`wire/`
 * "Cost and limits").
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
 * What is written of one of many.
 *
 * @since 0.1.0
 * @category models
 */
export interface BatchItem<W = Written> {
  readonly secretKey: string
  readonly written: W
}

/**
 * What both `/api/v3/secrets/raw` and `/api/v4/secrets` have.
 *
 * @since 0.1.0
 * @category models
 */
export interface RawSecrets extends Reads<Wire.DecryptedSecret, Wire.DecryptedSecretList> {
  readonly create: (
    target: Target,
    written: Omit<Written, "newSecretName">
  ) => Effect.Effect<Wire.DecryptedSecret, CreateCallError>
  readonly update: (target: Target, written: Written) => Effect.Effect<Wire.DecryptedSecret, CreateCallError>
  readonly delete: (target: Target) => Effect.Effect<void, WriteCallError>
  /** All of them, or none. */
  readonly createMany: (
    place: Place,
    secrets: ReadonlyArray<BatchItem<Omit<Written, "newSecretName">>>
  ) => Effect.Effect<ReadonlyArray<Wire.DecryptedSecret>, CreateCallError>
  readonly updateMany: (
    place: Place,
    secrets: ReadonlyArray<BatchItem>
  ) => Effect.Effect<ReadonlyArray<Wire.DecryptedSecret>, WriteCallError>
  readonly deleteMany: (place: Place, names: ReadonlyArray<string>) => Effect.Effect<void, WriteCallError>
}

/**
 * `/api/v4/secrets`, which can leave a value as it is, and create what there is not.
 *
 * @since 0.1.0
 * @category models
 */
export interface DecryptedSecrets extends RawSecrets {
  readonly update: (
    target: Target,
    written: Omit<Written, "secretValue"> & { readonly secretValue?: string }
  ) => Effect.Effect<Wire.DecryptedSecret, CreateCallError>
  readonly upsert: (target: Target, written: Written) => Effect.Effect<Wire.DecryptedSecret, CreateCallError>
}

/**
 * The service behind `InfisicalApi`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  readonly serviceToken: {
    /** `GET /api/v2/service-token`. */
    readonly get: (
      accessToken: Redacted.Redacted<string>
    ) => Effect.Effect<typeof Wire.ServiceTokenAnswer.Type, ReadCallError>
    /** `GET /api/v3/service-token/me/key`. */
    readonly getKey: (
      accessToken: Redacted.Redacted<string>
    ) => Effect.Effect<typeof Wire.ServiceTokenKeyAnswer.Type, ReadCallError>
  }
  readonly authentication: {
    /** `POST /api/v1/auth/<method>/login`. */
    readonly login: (login: Login) => Effect.Effect<Wire.AccessTokenAnswer, ReadCallError>
    /** `POST /api/v1/auth/token/renew`. */
    readonly renew: (
      accessToken: Redacted.Redacted<string>
    ) => Effect.Effect<Wire.AccessTokenAnswer, ReadCallError>
    /** `POST /api/v1/auth/token/revoke`. */
    readonly revoke: (accessToken: Redacted.Redacted<string>) => Effect.Effect<void, ReadCallError>
  }
  /** `/api/v3/secrets`. */
  readonly encryptedSecrets: EncryptedSecrets
  /** `/api/v3/secrets/raw`. */
  readonly rawSecrets: RawSecrets
  /** `/api/v4/secrets`. */
  readonly secrets: DecryptedSecrets
  /** `/api/v1/folders`. */
  readonly folders: {
    readonly list: (place: Place) => Effect.Effect<ReadonlyArray<typeof Wire.Folder.Type>, ReadCallError>
    readonly create: (place: Place, name: string) => Effect.Effect<typeof Wire.Folder.Type, CreateCallError>
    readonly rename: (
      place: Place,
      id: string,
      name: string
    ) => Effect.Effect<typeof Wire.Folder.Type, CreateCallError>
    readonly delete: (place: Place, id: string) => Effect.Effect<void, WriteCallError>
  }
  /** `/api/v1/secret-imports`. */
  readonly secretImports: {
    readonly list: (place: Place) => Effect.Effect<ReadonlyArray<typeof Wire.SecretImport.Type>, ReadCallError>
    readonly create: (
      place: Place,
      source: { readonly environment: string; readonly path: string }
    ) => Effect.Effect<typeof Wire.SecretImport.Type, CreateCallError>
    readonly delete: (place: Place, id: string) => Effect.Effect<void, WriteCallError>
  }
}

/**
 * The calls of Infisical's HTTP API.
 *
 * @since 0.1.0
 * @category tags
 */
export class InfisicalApi extends Context.Tag("effect-infisical/InfisicalApi")<InfisicalApi, Service>() {}

/**
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<Service, never, HttpClient.HttpClient | InfisicalConfig.InfisicalConfig> = Effect.gen(
  function*() {
    const config = yield* InfisicalConfig.InfisicalConfig
    const call = Call.make(config, yield* HttpClient.HttpClient)
    return {
      serviceToken: serviceToken(call),
      authentication: authentication(call),
      encryptedSecrets: encryptedSecrets(call),
      rawSecrets: rawSecrets(call, config),
      secrets: secrets(call),
      folders: folders(call),
      secretImports: secretImports(call)
    }
  }
)

/**
 * @since 0.1.0
 * @category layers
 */
export const layer = (): Layer.Layer<InfisicalApi, never, HttpClient.HttpClient | InfisicalConfig.InfisicalConfig> =>
  Layer.effect(InfisicalApi, make)

const httpClient = Call.transport

// Compiled at first use, once for all.
const clients = {
  serviceToken: once(HttpApiClient.group(Wire.api, { group: "serviceToken", httpClient })),
  authentication: once(HttpApiClient.group(Wire.api, { group: "authentication", httpClient })),
  encryptedSecrets: once(HttpApiClient.group(Wire.api, { group: "encryptedSecrets", httpClient })),
  rawSecrets: once(HttpApiClient.group(Wire.api, { group: "rawSecrets", httpClient })),
  secrets: once(HttpApiClient.group(Wire.api, { group: "secrets", httpClient })),
  folders: once(HttpApiClient.group(Wire.api, { group: "folders", httpClient })),
  secretImports: once(HttpApiClient.group(Wire.api, { group: "secretImports", httpClient }))
}

const serviceToken = (call: Call.Call): Service["serviceToken"] => ({
  get: (accessToken) =>
    call.read(
      { endpoint: "GET /api/v2/service-token", action: undefined },
      Effect.flatMap(clients.serviceToken, (client) => client.getServiceToken({ headers: authorization(accessToken) }))
    ),
  getKey: (accessToken) =>
    call.read(
      { endpoint: "GET /api/v3/service-token/me/key", action: undefined },
      Effect.flatMap(
        clients.serviceToken,
        (client) => client.getServiceTokenKey({ headers: authorization(accessToken) })
      )
    )
})

const authentication = (call: Call.Call): Service["authentication"] => ({
  login: (login) =>
    call.read(
      { endpoint: `POST /api/v1/auth/${login.method}/login`, action: undefined },
      Effect.flatMap(clients.authentication, (client) => {
        switch (login.method) {
          case "universal-auth":
            return client.loginUniversalAuth({
              payload: { clientId: login.clientId, clientSecret: Redacted.value(login.clientSecret) }
            })
          case "ldap-auth":
            return client.loginLdapAuth({
              payload: {
                identityId: login.identityId,
                username: login.username,
                password: Redacted.value(login.password)
              }
            })
          case "aws-auth":
            return client.loginAwsAuth({
              payload: {
                identityId: login.identityId,
                iamHttpRequestMethod: login.iamHttpRequestMethod,
                iamRequestBody: login.iamRequestBody,
                iamRequestHeaders: Redacted.value(login.iamRequestHeaders)
              }
            })
        }
        const payload = { identityId: login.identityId, jwt: Redacted.value(login.jwt) }
        switch (login.method) {
          case "kubernetes-auth":
            return client.loginKubernetesAuth({ payload })
          case "gcp-auth":
            return client.loginGcpAuth({ payload })
          case "azure-auth":
            return client.loginAzureAuth({ payload })
          case "oidc-auth":
            return client.loginOidcAuth({ payload })
          case "jwt-auth":
            return client.loginJwtAuth({ payload })
        }
      })
    ),
  renew: (accessToken) =>
    call.read(
      { endpoint: "POST /api/v1/auth/token/renew", action: undefined },
      Effect.flatMap(
        clients.authentication,
        (client) => client.renewAccessToken({ payload: { accessToken: Redacted.value(accessToken) } })
      )
    ),
  revoke: (accessToken) =>
    Effect.asVoid(call.read(
      { endpoint: "POST /api/v1/auth/token/revoke", action: undefined },
      Effect.flatMap(
        clients.authentication,
        (client) => client.revokeAccessToken({ payload: { accessToken: Redacted.value(accessToken) } })
      )
    ))
})

const encryptedSecrets = (call: Call.Call): EncryptedSecrets => ({
  list: (place, etag) =>
    call.read(
      locationRequest("GET /api/v3/secrets", "read", place),
      Effect.flatMap(clients.encryptedSecrets, (client) =>
        client.listSecrets({
          headers: conditional(place, etag),
          urlParams: {
            ...v3(place),
            include_imports: flag(place.location.includeImports),
            ...defined({ recursive: place.location.recursive ? flag(true) : undefined })
          },
          withResponse: true
        }))
    ).pipe(Effect.map(answered)),
  get: (target, etag) =>
    call.read(
      secretRequest("GET /api/v3/secrets/:secretName", "read", target),
      Effect.flatMap(clients.encryptedSecrets, (client) =>
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
        }))
    ).pipe(Effect.map(answeredSecret)),
  create: (target, encrypted) =>
    call.create(
      secretRequest("POST /api/v3/secrets/:secretName", "create", target),
      Effect.flatMap(clients.encryptedSecrets, (client) =>
        client.createSecret({
          ...named(target),
          payload: { ...v3(target), type: target.type, ...encrypted }
        }))
    ).pipe(Effect.map(secretOf)),
  update: (target, encrypted) =>
    call.create(
      secretRequest("PATCH /api/v3/secrets/:secretName", "update", target),
      Effect.flatMap(clients.encryptedSecrets, (client) =>
        client.updateSecret({
          ...named(target),
          payload: { ...v3(target), type: target.type, ...encrypted }
        }))
    ).pipe(Effect.map(secretOf)),
  delete: (target) =>
    Effect.asVoid(call.write(
      secretRequest("DELETE /api/v3/secrets/:secretName", "delete", target),
      Effect.flatMap(clients.encryptedSecrets, (client) =>
        client.deleteSecret({ ...named(target), payload: { ...v3(target), type: target.type } }))
    )),
  createMany: (place, secrets) =>
    call.create(
      batchRequest("POST /api/v3/secrets/batch", "create", place, secrets.map(({ secretName }) => secretName)),
      Effect.flatMap(
        clients.encryptedSecrets,
        (client) => client.createSecrets({ ...authorized(place), payload: { ...v3(place), secrets } })
      )
    ).pipe(Effect.map(secretsOf)),
  updateMany: (place, secrets) =>
    call.write(
      batchRequest("PATCH /api/v3/secrets/batch", "update", place, secrets.map(({ secretName }) => secretName)),
      Effect.flatMap(
        clients.encryptedSecrets,
        (client) => client.updateSecrets({ ...authorized(place), payload: { ...v3(place), secrets } })
      )
    ).pipe(Effect.map(secretsOf)),
  deleteMany: (place, names) =>
    Effect.asVoid(call.write(
      batchRequest("DELETE /api/v3/secrets/batch", "delete", place, names),
      Effect.flatMap(clients.encryptedSecrets, (client) =>
        client.deleteSecrets({
          ...authorized(place),
          payload: { ...v3(place), secrets: names.map((secretName) => ({ secretName })) }
        }))
    ))
})

const rawSecrets = (call: Call.Call, config: InfisicalConfig.Service): RawSecrets => {
  const batch = (place: Place) => ({
    ...v3(place),
    ...defined({ projectSlug: Option.getOrUndefined(config.projectSlug) })
  })
  return {
    list: (place, etag) =>
      call.read(
        locationRequest("GET /api/v3/secrets/raw", "read", place),
        Effect.flatMap(clients.rawSecrets, (client) =>
          client.listRawSecrets({
            headers: conditional(place, etag),
            urlParams: { ...v3(place), ...listQuery(place) },
            withResponse: true
          }))
      ).pipe(Effect.map(answered)),
    get: (target, etag) =>
      call.read(
        secretRequest("GET /api/v3/secrets/raw/:secretName", "read", target),
        Effect.flatMap(clients.rawSecrets, (client) =>
          client.getRawSecret({
            headers: conditional(target, etag),
            path: { secretName: target.name },
            urlParams: { ...v3(target), ...getQuery(target) },
            withResponse: true
          }))
      ).pipe(Effect.map(answeredSecret)),
    create: (target, written) =>
      call.create(
        secretRequest("POST /api/v3/secrets/raw/:secretName", "create", target),
        Effect.flatMap(clients.rawSecrets, (client) =>
          client.createRawSecret({ ...named(target), payload: { ...v3(target), type: target.type, ...written } }))
      ).pipe(Effect.map(secretOf)),
    update: (target, written) =>
      call.create(
        secretRequest("PATCH /api/v3/secrets/raw/:secretName", "update", target),
        Effect.flatMap(clients.rawSecrets, (client) =>
          client.updateRawSecret({ ...named(target), payload: { ...v3(target), type: target.type, ...written } }))
      ).pipe(Effect.map(secretOf)),
    delete: (target) =>
      Effect.asVoid(call.write(
        secretRequest("DELETE /api/v3/secrets/raw/:secretName", "delete", target),
        Effect.flatMap(clients.rawSecrets, (client) =>
          client.deleteRawSecret({ ...named(target), payload: { ...v3(target), type: target.type } }))
      )),
    createMany: (place, secrets) =>
      call.create(
        batchRequest("POST /api/v3/secrets/batch/raw", "create", place, secrets.map(({ secretKey }) => secretKey)),
        Effect.flatMap(clients.rawSecrets, (client) =>
          client.createRawSecrets({ ...authorized(place), payload: { ...batch(place), secrets: secrets.map(flat) } }))
      ).pipe(Effect.map(secretsOf)),
    updateMany: (place, secrets) =>
      call.write(
        batchRequest("PATCH /api/v3/secrets/batch/raw", "update", place, secrets.map(({ secretKey }) => secretKey)),
        Effect.flatMap(clients.rawSecrets, (client) =>
          client.updateRawSecrets({ ...authorized(place), payload: { ...batch(place), secrets: secrets.map(flat) } }))
      ).pipe(Effect.map(secretsOf)),
    deleteMany: (place, names) =>
      Effect.asVoid(call.write(
        batchRequest("DELETE /api/v3/secrets/batch/raw", "delete", place, names),
        Effect.flatMap(clients.rawSecrets, (client) =>
          client.deleteRawSecrets({
            ...authorized(place),
            payload: { ...batch(place), secrets: names.map((secretKey) => ({ secretKey })) }
          }))
      ))
  }
}

const secrets = (call: Call.Call): DecryptedSecrets => ({
  list: (place, etag) =>
    call.read(
      locationRequest("GET /api/v4/secrets", "read", place),
      Effect.flatMap(clients.secrets, (client) =>
        client.listSecretsV4({
          headers: conditional(place, etag),
          urlParams: { ...v4(place), ...listQuery(place), includeImports: flag(place.location.includeImports) },
          withResponse: true
        }))
    ).pipe(Effect.map(answered)),
  get: (target, etag) =>
    call.read(
      secretRequest("GET /api/v4/secrets/:secretName", "read", target),
      Effect.flatMap(clients.secrets, (client) =>
        client.getSecretV4({
          headers: conditional(target, etag),
          path: { secretName: target.name },
          urlParams: { ...v4(target), ...getQuery(target), includeImports: flag(target.location.includeImports) },
          withResponse: true
        }))
    ).pipe(Effect.map(answeredSecret)),
  create: (target, written) =>
    call.create(
      secretRequest("POST /api/v4/secrets/:secretName", "create", target),
      Effect.flatMap(clients.secrets, (client) =>
        client.createSecretV4({ ...named(target), payload: { ...v4(target), type: target.type, ...written } }))
    ).pipe(Effect.map(secretOf)),
  update: (target, written) =>
    call.create(
      secretRequest("PATCH /api/v4/secrets/:secretName", "update", target),
      Effect.flatMap(clients.secrets, (client) =>
        client.updateSecretV4({ ...named(target), payload: { ...v4(target), type: target.type, ...written } }))
    ).pipe(Effect.map(secretOf)),
  upsert: (target, written) =>
    call.create(
      secretRequest("PATCH /api/v4/secrets/batch", "update", target),
      Effect.flatMap(clients.secrets, (client) =>
        client.updateSecretsV4({
          ...authorized(target),
          payload: { ...v4(target), mode: "upsert", secrets: [flat({ secretKey: target.name, written })] }
        }))
    ).pipe(
      Effect.flatMap(({ secrets: [secret] }) =>
        secret === undefined ? Call.emptyBatch("PATCH /api/v4/secrets/batch") : Effect.succeed(secret)
      )
    ),
  delete: (target) =>
    Effect.asVoid(call.write(
      secretRequest("DELETE /api/v4/secrets/:secretName", "delete", target),
      Effect.flatMap(clients.secrets, (client) =>
        client.deleteSecretV4({ ...named(target), payload: { ...v4(target), type: target.type } }))
    )),
  createMany: (place, secrets) =>
    call.create(
      batchRequest("POST /api/v4/secrets/batch", "create", place, secrets.map(({ secretKey }) => secretKey)),
      Effect.flatMap(clients.secrets, (client) =>
        client.createSecretsV4({ ...authorized(place), payload: { ...v4(place), secrets: secrets.map(flat) } }))
    ).pipe(Effect.map(secretsOf)),
  updateMany: (place, secrets) =>
    call.write(
      batchRequest("PATCH /api/v4/secrets/batch", "update", place, secrets.map(({ secretKey }) => secretKey)),
      Effect.flatMap(clients.secrets, (client) =>
        client.updateSecretsV4({ ...authorized(place), payload: { ...v4(place), secrets: secrets.map(flat) } }))
    ).pipe(Effect.map(secretsOf)),
  deleteMany: (place, names) =>
    Effect.asVoid(call.write(
      batchRequest("DELETE /api/v4/secrets/batch", "delete", place, names),
      Effect.flatMap(clients.secrets, (client) =>
        client.deleteSecretsV4({
          ...authorized(place),
          payload: { ...v4(place), secrets: names.map((secretKey) => ({ secretKey })) }
        }))
    ))
})

const folders = (call: Call.Call): Service["folders"] => ({
  list: (place) =>
    call.read(
      locationRequest("GET /api/v1/folders", "read", place),
      Effect.flatMap(
        clients.folders,
        (client) => client.listFolders({ ...authorized(place), urlParams: folderPlace(place) })
      )
    ).pipe(Effect.map(({ folders }) => folders)),
  create: (place, name) =>
    call.create(
      { ...locationRequest("POST /api/v1/folders", "create", place), folderName: name },
      Effect.flatMap(
        clients.folders,
        (client) => client.createFolder({ ...authorized(place), payload: { ...folderPlace(place), name } })
      )
    ).pipe(Effect.map(({ folder }) => folder)),
  rename: (place, id, name) =>
    call.create(
      { ...locationRequest("PATCH /api/v1/folders/:id", "update", place), folderName: name },
      Effect.flatMap(clients.folders, (client) =>
        client.renameFolder({ ...authorized(place), path: { id }, payload: { ...folderPlace(place), name } }))
    ).pipe(Effect.map(({ folder }) =>
      folder
    )),
  delete: (place, id) =>
    Effect.asVoid(call.write(
      locationRequest("DELETE /api/v1/folders/:id", "delete", place),
      Effect.flatMap(
        clients.folders,
        (client) => client.deleteFolder({ ...authorized(place), path: { id }, payload: folderPlace(place) })
      )
    ))
})

const secretImports = (call: Call.Call): Service["secretImports"] => ({
  list: (place) =>
    call.read(
      locationRequest("GET /api/v1/secret-imports", "read", place),
      Effect.flatMap(
        clients.secretImports,
        (client) => client.listSecretImports({ ...authorized(place), urlParams: folderPlace(place) })
      )
    ).pipe(Effect.map(({ secretImports }) => secretImports)),
  create: (place, source) =>
    call.create(
      locationRequest("POST /api/v1/secret-imports", "create", place),
      Effect.flatMap(clients.secretImports, (client) =>
        client.createSecretImport({ ...authorized(place), payload: { ...folderPlace(place), import: source } }))
    ).pipe(Effect.map(({ secretImport }) =>
      secretImport
    )),
  delete: (place, id) =>
    Effect.asVoid(call.write(
      locationRequest("DELETE /api/v1/secret-imports/:id", "delete", place),
      Effect.flatMap(
        clients.secretImports,
        (client) => client.deleteSecretImport({ ...authorized(place), path: { id }, payload: folderPlace(place) })
      )
    ))
})

const authorization = (accessToken: Redacted.Redacted<string>) => ({
  authorization: `Bearer ${Redacted.value(accessToken)}`
})

const authorized = ({ accessToken }: Place) => ({ headers: authorization(accessToken) })

const named = (target: Target) => ({ ...authorized(target), path: { secretName: target.name } })

const conditional = ({ accessToken }: Place, etag: Option.Option<string>) => ({
  ...authorization(accessToken),
  ...Option.match(etag, { onNone: () => ({}), onSome: (etag) => ({ "if-none-match": etag }) })
})

const v3 = ({ location, projectId }: Place) => ({
  workspaceId: projectId,
  environment: location.environment,
  secretPath: location.secretPath
})

const v4 = ({ location, projectId }: Place) => ({
  projectId,
  environment: location.environment,
  secretPath: location.secretPath
})

const folderPlace = ({ location, projectId }: Place) => ({
  workspaceId: projectId,
  environment: location.environment,
  path: location.secretPath
})

const flag = (value: boolean) => value ? "true" as const : "false" as const

const listQuery = ({ location }: Place) => ({
  expandSecretReferences: flag(location.expandReferences),
  include_imports: flag(location.includeImports),
  recursive: flag(location.recursive),
  ...defined({
    tagSlugs: location.tagSlugs.length === 0 ? undefined : location.tagSlugs.join(","),
    metadataFilter: Object.keys(location.metadata).length === 0
      ? undefined
      : Object.entries(location.metadata).map(([key, value]) => `key=${key},value=${value}`).join("|")
  })
})

const getQuery = ({ location, type }: Target) => ({
  type,
  expandSecretReferences: flag(location.expandReferences),
  include_imports: flag(location.includeImports),
  ...defined({ version: location.version })
})

const flat = <W>({ secretKey, written }: BatchItem<W>) => ({ secretKey, ...written })

const secretOf = <A>({ secret }: { readonly secret: A }): A => secret

const secretsOf = <A>({ secrets }: { readonly secrets: A }): A => secrets

const answered = <A>(
  [answer, { headers }]: readonly [A | void, HttpClientResponse.HttpClientResponse]
): ConditionalResponse<A> => {
  const rateLimit = readRateLimit(headers)
  return answer === undefined
    ? { _tag: "NotModified", rateLimit }
    : { _tag: "Modified", rateLimit, answer, etag: Option.fromNullable(headers["etag"]) }
}

const answeredSecret = <A>(
  [answer, response]: readonly [{ readonly secret: A } | void, HttpClientResponse.HttpClientResponse]
): ConditionalResponse<A> => answered<A>([answer === undefined ? answer : answer.secret, response])

const readRateLimit = (headers: Headers.Headers): Option.Option<RateLimit> => {
  const [limit, remaining, reset] = ["limit", "remaining", "reset"].map((name) => {
    const text = headers[`x-ratelimit-${name}`]
    return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined
  })
  return limit === undefined || remaining === undefined || reset === undefined
    ? Option.none()
    : Option.some({ limit, remaining, resetAfter: Duration.seconds(reset) })
}

const locationRequest = (endpoint: string, action: RequestInfo["action"], { location }: Place): RequestInfo => ({
  endpoint,
  action,
  environment: location.environment,
  secretPath: location.secretPath
})

const secretRequest = (endpoint: string, action: RequestInfo["action"], target: Target): RequestInfo => ({
  ...locationRequest(endpoint, action, target),
  secretNames: [target.name]
})

const batchRequest = (
  endpoint: string,
  action: RequestInfo["action"],
  place: Place,
  secretNames: ReadonlyArray<string>
): RequestInfo => ({ ...locationRequest(endpoint, action, place), secretNames })
