/**
 * The front door: one layer that gives `Secrets`, `Folders`, `SecretImports` and `Crypto`, and needs only an
 * `HttpClient`.
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
 * What a layer of the front door gives.
 *
 * @since 0.1.0
 * @category models
 */
export type Provided = Services | Crypto.Crypto

type Services = Secrets.Secrets | Folders.Folders | SecretImports.SecretImports

// Which it is depends on the credential alone, or on what was set.
const source = () =>
  Layer.unwrapEffect(
    Effect.map(
      InfisicalConfig.InfisicalConfig,
      ({ source }) =>
        Option.contains(source, "end-to-end-encrypted") ? EncryptedSource.layer() : DecryptedSource.layer()
    )
  )

/**
 * Everything below the configuration, on the `Crypto` that you provide: each box of the data flow on the next.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerWithoutDependencies = (): Layer.Layer<
  Services,
  never,
  InfisicalConfig.InfisicalConfig | Crypto.Crypto | HttpClient.HttpClient
> =>
  Layer.mergeAll(Secrets.layer(), Folders.layer(), SecretImports.layer()).pipe(
    Layer.provide(SecretCache.layer()),
    Layer.provide(SealedSnapshots.layer()),
    Layer.provide(source()),
    Layer.provide(Session.layer()),
    Layer.provide(InfisicalApi.layer())
  )

/**
 * Secrets of Infisical, with cryptography by Web Crypto.
 *
 * No request is made until the first secret is asked for, so it is built whether or not the server can be reached. It
 * fails with `InvalidCredentialError` where the credential is malformed, and with `InvalidRequestError` where site,
 * environment or path cannot be.
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
 * The same, from a `Config`: by default from environment variables, as `InfisicalConfig.fromEnvironment` says.
 *
 * It fails with `ConfigError` as well, where a variable is missing or cannot be read.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  config?: Config.Config.Wrap<InfisicalConfig.Options>
): Layer.Layer<
  Provided,
  InvalidCredentialError | InvalidRequestError | ConfigError.ConfigError,
  HttpClient.HttpClient
> =>
  layerWithoutDependencies().pipe(
    Layer.provide(InfisicalConfig.layerConfig(config)),
    Layer.provideMerge(Crypto.layer)
  )
