/**
 * The front door: one layer that provides `Secrets`, `Folders`, `SecretImports` and `Crypto`, and needs only an
 * `HttpClient`.
 *
 * | layer | settings | sealed snapshots |
 * | --- | --- | --- |
 * | `layer` | options | no |
 * | `layerConfig` | the environment, except for options that are given | no |
 * | `layerSealed` | options | yes: requires a `SnapshotStorage` |
 * | `layerSealedConfig` | the environment, except for options that are given | yes: requires a `SnapshotStorage` |
 *
 * Each call makes a new client. One layer value is one client, however often a graph of layers uses it. For two
 * projects in one process, give each client a tag of its own:
 *
 * ```ts
 * import { Context, Layer } from "effect"
 * import { Infisical, type InfisicalConfig, Secrets } from "effect-infisical"
 *
 * declare const billingOptions: InfisicalConfig.Options
 *
 * class BillingSecrets extends Context.Tag("BillingSecrets")<BillingSecrets, Secrets.Service>() {}
 *
 * const BillingSecretsLive = Layer.effect(BillingSecrets, Secrets.Secrets).pipe(
 *   Layer.provide(Infisical.layer(billingOptions))
 * )
 * ```
 *
 * @since 0.1.0
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import type * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as InfisicalApi from "./api/InfisicalApi.js"
import * as SealedSnapshots from "./cache/SealedSnapshots.js"
import * as SecretCache from "./cache/SecretCache.js"
import type * as SnapshotStorage from "./cache/SnapshotStorage.js"
import * as InfisicalConfig from "./config/InfisicalConfig.js"
import * as Crypto from "./crypto/Crypto.js"
import * as Folders from "./Folders.js"
import type { InvalidCredentialError, InvalidRequestError } from "./model/InfisicalError.js"
import * as SecretImports from "./SecretImports.js"
import * as Secrets from "./Secrets.js"
import * as Session from "./session/Session.js"
import * as DecryptedSource from "./source/DecryptedSource.js"
import * as EncryptedSource from "./source/EncryptedSource.js"

/**
 * The services that a layer of the front door provides.
 *
 * @since 0.1.0
 * @category models
 */
export type Provided = Services | Crypto.Crypto

type Services = Secrets.Secrets | Folders.Folders | SecretImports.SecretImports

type Dependencies = InfisicalConfig.InfisicalConfig | Crypto.Crypto | HttpClient.HttpClient

/** The source that the configuration names, or that its credential implies. */
const source = () =>
  Layer.unwrapEffect(
    Effect.map(
      InfisicalConfig.InfisicalConfig,
      ({ source }) =>
        Option.contains(source, "end-to-end-encrypted") ? EncryptedSource.layer() : DecryptedSource.layer()
    )
  )

/** Everything below the configuration. Each box of the data flow is built on the next. */
const services = <E, R>(
  sealedSnapshots: Layer.Layer<SealedSnapshots.SealedSnapshots, E, R>
): Layer.Layer<Services, E, R | Dependencies> =>
  Layer.mergeAll(Secrets.layer(), Folders.layer(), SecretImports.layer()).pipe(
    Layer.provide(SecretCache.layer()),
    Layer.provide(sealedSnapshots),
    Layer.provide(source()),
    Layer.provide(Session.layer()),
    Layer.provide(InfisicalApi.layer())
  )

/**
 * The services without their configuration and without `Crypto`, for a platform that has its own.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerWithoutDependencies = (): Layer.Layer<Services, never, Dependencies> =>
  services(SealedSnapshots.layerDisabled)

/**
 * `layerWithoutDependencies` with sealed snapshots.
 *
 * Fails with `InvalidRequestError` if there is no key to seal with (see `InfisicalConfig.Options.sealingKey`).
 *
 * @since 0.1.0
 * @category layers
 */
export const layerSealedWithoutDependencies = (): Layer.Layer<
  Services,
  InvalidRequestError,
  Dependencies | SnapshotStorage.SnapshotStorage
> => services(SealedSnapshots.layer())

/**
 * A client of Infisical, with cryptography by Web Crypto.
 *
 * No request is made until the first secret is read, so the layer is built whether or not the server can be reached.
 * It fails with `InvalidCredentialError` if the credential is malformed, and with `InvalidRequestError` if an option is
 * invalid.
 *
 * @example
 * ```ts
 * import { FetchHttpClient } from "@effect/platform"
 * import { Credential, Infisical, Secrets } from "effect-infisical"
 * import { Effect, Layer, Redacted } from "effect"
 *
 * const InfisicalLive = Infisical.layer({
 *   credential: Credential.serviceToken(Redacted.make("st.<id>.<secret>.<key>")),
 *   environment: "prod"
 * }).pipe(Layer.provide(FetchHttpClient.layer))
 *
 * const program = Effect.flatMap(Secrets.Secrets, (secrets) => secrets.get("DATABASE_URL"))
 *
 * program.pipe(Effect.provide(InfisicalLive))
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: InfisicalConfig.Options
): Layer.Layer<Provided, InvalidCredentialError | InvalidRequestError, HttpClient.HttpClient> =>
  layerWithoutDependencies().pipe(
    Layer.provide(InfisicalConfig.layer(options)),
    Layer.provideMerge(Crypto.layer)
  )

/**
 * `layer` with its options from environment variables, except for those that are given; or from a `Config` of all
 * options. `InfisicalConfig.fromEnvironmentOn` lists the variables.
 *
 * It also fails with `ConfigError`, if a variable is missing or invalid.
 *
 * @example
 * ```ts
 * import { FetchHttpClient } from "@effect/platform"
 * import { Infisical } from "effect-infisical"
 * import { Layer } from "effect"
 *
 * const InfisicalLive = Infisical.layerConfig({ cacheTtl: "1 minute" }).pipe(
 *   Layer.provide(FetchHttpClient.layer)
 * )
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  options?: Partial<InfisicalConfig.Options> | Config.Config<InfisicalConfig.Options>
): Layer.Layer<
  Provided,
  InvalidCredentialError | InvalidRequestError | ConfigError.ConfigError,
  HttpClient.HttpClient
> =>
  layerWithoutDependencies().pipe(
    Layer.provide(InfisicalConfig.layerConfig(options)),
    Layer.provideMerge(Crypto.layer)
  )

/**
 * `layer` with sealed snapshots: the last good secrets are kept, encrypted, in the `SnapshotStorage`. A process that
 * starts while the server is unreachable reads them from there.
 *
 * It also fails with `InvalidRequestError` if there is no key to seal with (see `InfisicalConfig.Options.sealingKey`).
 *
 * @example
 * ```ts
 * import { FetchHttpClient } from "@effect/platform"
 * import { NodeKeyValueStore } from "@effect/platform-node"
 * import { Credential, Infisical, SnapshotStorage } from "effect-infisical"
 * import { Layer, Redacted } from "effect"
 *
 * const InfisicalLive = Infisical.layerSealed({
 *   credential: Credential.serviceToken(Redacted.make("st.<id>.<secret>.<key>"))
 * }).pipe(
 *   Layer.provide(SnapshotStorage.layerKeyValueStore()),
 *   Layer.provide([NodeKeyValueStore.layerFileSystem("/var/lib/my-service"), FetchHttpClient.layer])
 * )
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerSealed = (
  options: InfisicalConfig.Options
): Layer.Layer<
  Provided,
  InvalidCredentialError | InvalidRequestError,
  HttpClient.HttpClient | SnapshotStorage.SnapshotStorage
> =>
  layerSealedWithoutDependencies().pipe(
    Layer.provide(InfisicalConfig.layer(options)),
    Layer.provideMerge(Crypto.layer)
  )

/**
 * `layerSealed` with its options from environment variables, except for those that are given; or from a `Config` of all
 * options.
 *
 * It also fails with `ConfigError`, if a variable is missing or invalid.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerSealedConfig = (
  options?: Partial<InfisicalConfig.Options> | Config.Config<InfisicalConfig.Options>
): Layer.Layer<
  Provided,
  InvalidCredentialError | InvalidRequestError | ConfigError.ConfigError,
  HttpClient.HttpClient | SnapshotStorage.SnapshotStorage
> =>
  layerSealedWithoutDependencies().pipe(
    Layer.provide(InfisicalConfig.layerConfig(options)),
    Layer.provideMerge(Crypto.layer)
  )
