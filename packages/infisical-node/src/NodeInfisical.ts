/**
 * The front door on Node: the layers of `Infisical` with cryptography by `node:crypto`, which decrypts many small
 * values several times faster than Web Crypto.
 *
 * @since 0.1.0
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import { Infisical, InfisicalConfig, type InfisicalError, type SnapshotStorage } from "effect-infisical"
import type * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Layer from "effect/Layer"
import * as JwtFile from "./JwtFile.js"
import * as NodeCrypto from "./NodeCrypto.js"

/**
 * `Infisical.layer` with `node:crypto`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: InfisicalConfig.Options
): Layer.Layer<
  Infisical.Provided,
  InfisicalError.InvalidCredentialError | InfisicalError.InvalidRequestError,
  HttpClient.HttpClient
> =>
  Infisical.layerWithoutDependencies().pipe(
    Layer.provide(InfisicalConfig.layer(options)),
    Layer.provideMerge(NodeCrypto.layer)
  )

/**
 * `Infisical.layerConfig` with `node:crypto`. By default it reads the environment variables of
 * `InfisicalConfig.fromEnvironmentOn`, and the token of a Kubernetes service account from its file.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  config: Config.Config.Wrap<InfisicalConfig.Options> = fromEnvironment
): Layer.Layer<
  Infisical.Provided,
  InfisicalError.InvalidCredentialError | InfisicalError.InvalidRequestError | ConfigError.ConfigError,
  HttpClient.HttpClient
> =>
  Infisical.layerWithoutDependencies().pipe(
    Layer.provide(InfisicalConfig.layerConfig(config)),
    Layer.provideMerge(NodeCrypto.layer)
  )

/**
 * `Infisical.layerSealed` with `node:crypto`.
 *
 * @example
 * ```ts
 * import { FetchHttpClient } from "@effect/platform"
 * import { NodeContext } from "@effect/platform-node"
 * import { Credential } from "effect-infisical"
 * import { NodeInfisical, NodeSnapshotStorage } from "effect-infisical-node"
 * import { Layer, Redacted } from "effect"
 *
 * const InfisicalLive = NodeInfisical.layerSealed({
 *   credential: Credential.serviceToken(Redacted.make("st.<id>.<secret>.<key>"))
 * }).pipe(
 *   Layer.provide(NodeSnapshotStorage.layer({ directory: "/var/lib/my-service/secrets" })),
 *   Layer.provide([FetchHttpClient.layer, NodeContext.layer])
 * )
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerSealed = (
  options: InfisicalConfig.Options
): Layer.Layer<
  Infisical.Provided,
  InfisicalError.InvalidCredentialError | InfisicalError.InvalidRequestError,
  HttpClient.HttpClient | SnapshotStorage.SnapshotStorage
> =>
  Infisical.layerSealedWithoutDependencies().pipe(
    Layer.provide(InfisicalConfig.layer(options)),
    Layer.provideMerge(NodeCrypto.layer)
  )

/**
 * `Infisical.layerSealedConfig` with `node:crypto`. By default it reads what `layerConfig` reads.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerSealedConfig = (
  config: Config.Config.Wrap<InfisicalConfig.Options> = fromEnvironment
): Layer.Layer<
  Infisical.Provided,
  InfisicalError.InvalidCredentialError | InfisicalError.InvalidRequestError | ConfigError.ConfigError,
  HttpClient.HttpClient | SnapshotStorage.SnapshotStorage
> =>
  Infisical.layerSealedWithoutDependencies().pipe(
    Layer.provide(InfisicalConfig.layerConfig(config)),
    Layer.provideMerge(NodeCrypto.layer)
  )

const fromEnvironment = InfisicalConfig.fromEnvironmentOn({ readJwt: JwtFile.read })
