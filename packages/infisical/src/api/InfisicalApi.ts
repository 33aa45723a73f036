/**
 * The calls: one for each route of `Wire`, within a deadline, with the retries that are safe, and with every failure
 * classified. Every answer is checked by the schemas of `Wire`.
 *
 * @since 0.1.0
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as InfisicalConfig from "../config/InfisicalConfig.js"
import * as Authentication from "./authentication.js"
import * as Call from "./call.js"
import * as DecryptedSecrets from "./decryptedSecrets.js"
import * as EncryptedSecrets from "./encryptedSecrets.js"
import * as Folders from "./folders.js"
import * as SecretImports from "./secretImports.js"
import * as ServiceToken from "./serviceToken.js"

export type { Authentication } from "./authentication.js"
export type { CreateCallError, ReadCallError, WriteCallError } from "./call.js"
export type { BatchItem, DecryptedSecrets, Move, RawSecrets, View, Written } from "./decryptedSecrets.js"
export type { EncryptedSecrets, Reads } from "./encryptedSecrets.js"
export type { Folders, FoldersV2 } from "./folders.js"
export type { ConditionalResponse, Place, RateLimit, Target } from "./requests.js"
export type { ImportChange, ImportSource, SecretImports } from "./secretImports.js"
export type { ServiceToken } from "./serviceToken.js"

/**
 * The service behind `InfisicalApi`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** `/api/v2/service-token`, `/api/v3/service-token/me/key`. */
  readonly serviceToken: ServiceToken.ServiceToken
  /** `/api/v1/auth`. */
  readonly authentication: Authentication.Authentication
  /** `/api/v3/secrets`. */
  readonly encryptedSecrets: EncryptedSecrets.EncryptedSecrets
  /** `/api/v3/secrets/raw`. */
  readonly rawSecrets: DecryptedSecrets.RawSecrets
  /** `/api/v4/secrets`. */
  readonly secrets: DecryptedSecrets.DecryptedSecrets
  /** `/api/v1/folders`. */
  readonly folders: Folders.Folders
  /** `/api/v2/folders`. */
  readonly foldersV2: Folders.FoldersV2
  /** `/api/v1/secret-imports`. */
  readonly secretImports: SecretImports.SecretImports
  /** `/api/v2/secret-imports`. */
  readonly secretImportsV2: SecretImports.SecretImports
}

/**
 * The calls of Infisical's HTTP API.
 *
 * @since 0.1.0
 * @category tags
 */
export class InfisicalApi extends Context.Tag("effect-infisical/InfisicalApi")<InfisicalApi, Service>() {}

/**
 * Makes the service from those that it needs. `layer` is the usual way to have it.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<
  Service,
  never,
  HttpClient.HttpClient | InfisicalConfig.InfisicalConfig
> = Effect.gen(function*() {
  const config = yield* InfisicalConfig.InfisicalConfig
  const call = yield* Call.make(config)
  return {
    serviceToken: ServiceToken.make(call),
    authentication: Authentication.make(call),
    encryptedSecrets: EncryptedSecrets.make(call),
    rawSecrets: DecryptedSecrets.makeRaw(call, config),
    secrets: DecryptedSecrets.make(call),
    folders: Folders.make(call),
    foldersV2: Folders.makeV2(call),
    secretImports: SecretImports.make(call),
    secretImportsV2: SecretImports.makeV2(call)
  }
})

/**
 * The service as a layer. Each call makes a new one.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (): Layer.Layer<InfisicalApi, never, HttpClient.HttpClient | InfisicalConfig.InfisicalConfig> =>
  Layer.effect(InfisicalApi, make)
