/**
 * An `HttpClient` that presents a client certificate, for machine identities that log in by TLS certificate.
 *
 * This is an entry point of its own, `effect-infisical-node/TlsCertificate`, which alone needs `@effect/platform-node`.
 *
 * @since 0.1.0
 */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import Undici from "@effect/platform-node/Undici"
import type * as HttpClient from "@effect/platform/HttpClient"
import { InfisicalError } from "effect-infisical"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { createSecureContext } from "node:tls"

/**
 * The options of `layer`. All texts are PEM.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The client certificate, followed by its intermediates if there are any. */
  readonly certificate: string
  /** The private key of the certificate. */
  readonly privateKey: Redacted.Redacted<string>
  /** The passphrase of an encrypted key. */
  readonly passphrase?: Redacted.Redacted<string> | undefined
  /** The authorities that may sign the server's certificate. Default: those of Node. */
  readonly certificateAuthorities?: string | undefined
}

/**
 * An `HttpClient` on undici that presents a client certificate. A certificate that was replaced needs a new layer.
 *
 * Fails with `InvalidCredentialError` if the certificate and the key cannot be read, or do not belong together.
 *
 * @example
 * ```ts
 * import { Credential } from "effect-infisical"
 * import { NodeInfisical } from "effect-infisical-node"
 * import * as TlsCertificate from "effect-infisical-node/TlsCertificate"
 * import { Layer, Redacted } from "effect"
 *
 * const InfisicalLive = NodeInfisical.layer({
 *   credential: Credential.tlsCertificate({ identityId: "<identity id>" }),
 *   projectId: "<project id>"
 * }).pipe(
 *   Layer.provide(TlsCertificate.layer({
 *     certificate: "-----BEGIN CERTIFICATE-----…",
 *     privateKey: Redacted.make("-----BEGIN PRIVATE KEY-----…")
 *   }))
 * )
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: Options
): Layer.Layer<HttpClient.HttpClient, InfisicalError.InvalidCredentialError> =>
  NodeHttpClient.layerUndiciWithoutDispatcher.pipe(
    Layer.provide(Layer.scoped(NodeHttpClient.Dispatcher, makeAgent(options)))
  )

const makeAgent = ({ certificate, certificateAuthorities, passphrase, privateKey }: Options) =>
  Effect.acquireRelease(
    Effect.try({
      try: () => {
        const connect = {
          cert: certificate,
          key: Redacted.value(privateKey),
          ...passphrase !== undefined && { passphrase: Redacted.value(passphrase) },
          ...certificateAuthorities !== undefined && { ca: certificateAuthorities }
        }
        // Without this check, a wrong key would fail every request as if the server could not be reached.
        createSecureContext(connect)
        return new Undici.Agent({ connect })
      },
      catch: () =>
        new InfisicalError.InvalidCredentialError({
          part: "TLS certificate",
          problem: "cannot be used: check that certificate, private key and passphrase are PEM and belong together"
        })
    }),
    (agent) => Effect.promise(() => agent.destroy())
  )
