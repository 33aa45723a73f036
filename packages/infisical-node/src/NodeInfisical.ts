/**
 * The front door on Node: the layers of `Infisical` with cryptography by `node:crypto`, which decrypts many small
 * values several times faster than Web Crypto.
 *
 * @since 0.1.0
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import { Infisical, InfisicalConfig, type InfisicalError } from "effect-infisical"
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
 * `InfisicalConfig.fromEnvironmentOn`, and a Kubernetes service account's token from its file.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  config: Config.Config.Wrap<InfisicalConfig.Options> = InfisicalConfig.fromEnvironmentOn({ readJwt: JwtFile.read })
): Layer.Layer<
  Infisical.Provided,
  InfisicalError.InvalidCredentialError | InfisicalError.InvalidRequestError | ConfigError.ConfigError,
  HttpClient.HttpClient
> =>
  Infisical.layerWithoutDependencies().pipe(
    Layer.provide(InfisicalConfig.layerConfig(config)),
    Layer.provideMerge(NodeCrypto.layer)
  )
