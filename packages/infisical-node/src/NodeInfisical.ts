/**
 * The front door on Node: the layers of `Infisical` with cryptography by `node:crypto`, which decrypts many small
 * values several times faster than Web Crypto.
 *
 * @since 0.1.0
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import {
  type CredentialConfig,
  Infisical,
  InfisicalConfig,
  InfisicalError,
  type SnapshotStorage
} from "effect-infisical"
import type * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
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
 * `InfisicalConfig.fromEnvironmentOn`: JWTs from files, and AWS IAM, OCI and Alibaba Cloud with their own variables.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  options?: Partial<InfisicalConfig.Options> | Config.Config<InfisicalConfig.Options>
): Layer.Layer<
  Infisical.Provided,
  InfisicalError.InvalidCredentialError | InfisicalError.InvalidRequestError | ConfigError.ConfigError,
  HttpClient.HttpClient
> =>
  Infisical.layerWithoutDependencies().pipe(
    Layer.provide(InfisicalConfig.layerConfig(options, platform)),
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
  options?: Partial<InfisicalConfig.Options> | Config.Config<InfisicalConfig.Options>
): Layer.Layer<
  Infisical.Provided,
  InfisicalError.InvalidCredentialError | InfisicalError.InvalidRequestError | ConfigError.ConfigError,
  HttpClient.HttpClient | SnapshotStorage.SnapshotStorage
> =>
  Infisical.layerSealedWithoutDependencies().pipe(
    Layer.provide(InfisicalConfig.layerConfig(options, platform)),
    Layer.provideMerge(NodeCrypto.layer)
  )

/** Loads a module that signs only if its method is chosen. */
const load = <Module>(load: () => Promise<Module>): Effect.Effect<Module, InfisicalError.InvalidCredentialError> =>
  Effect.tryPromise({
    try: load,
    catch: () =>
      new InfisicalError.InvalidCredentialError({
        part: "auth method",
        problem: "needs a module that cannot be loaded"
      })
  })

const platform: CredentialConfig.Platform = {
  readJwt: JwtFile.read,
  awsIam: (options) => Effect.flatMap(load(() => import("./AwsAuth.js")), ({ awsAuth }) => awsAuth(options)),
  oci: (options) => Effect.flatMap(load(() => import("./OciAuth.js")), ({ ociAuth }) => ociAuth(options)),
  aliCloud: (options) =>
    Effect.flatMap(load(() => import("./AliCloudAuth.js")), ({ aliCloudAuth }) => aliCloudAuth(options))
}

/**
 * All options from the environment variables that `layerConfig` reads, for example to read them under a prefix.
 *
 * @example
 * ```ts
 * import { NodeInfisical } from "effect-infisical-node"
 * import { Config } from "effect"
 *
 * // Reads BILLING_INFISICAL_TOKEN and so on, where the ConfigProvider joins names by "_".
 * const BillingLive = NodeInfisical.layerConfig(Config.nested(NodeInfisical.fromEnvironment, "BILLING"))
 * ```
 *
 * @since 0.1.0
 * @category configuration
 */
export const fromEnvironment: Config.Config<InfisicalConfig.Options> = InfisicalConfig.fromEnvironmentOn(platform)
