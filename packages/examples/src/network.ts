/**
 * Networks that are not open: a private certificate authority, a proxy, headers that a gateway asks for. The library
 * leaves the `HttpClient` to you, so each is a layer of its own.
 */
import { NodeHttpClient } from "@effect/platform-node"
import { Config, Effect, Layer, Redacted } from "effect"
import { Credential, Secrets } from "effect-infisical"
import { NodeInfisical } from "effect-infisical-node"
import { Agent, type Dispatcher, ProxyAgent } from "undici"

/** An `HttpClient` on a dispatcher of undici, which is closed with the layer. */
const onDispatcher = (make: () => Dispatcher) =>
  NodeHttpClient.layerUndiciWithoutDispatcher.pipe(
    Layer.provide(Layer.scoped(
      NodeHttpClient.Dispatcher,
      Effect.acquireRelease(Effect.sync(make), (dispatcher) => Effect.promise(() => dispatcher.destroy()))
    ))
  )

/** Trusts servers whose certificate one of these authorities has signed (PEM), and no others. */
export const privateAuthority = (ca: string) => onDispatcher(() => new Agent({ connect: { ca } }))

/** Goes through a proxy, for example `http://proxy.internal:3128`; `ca` is the certificate authority of the servers behind it. */
export const proxy = (uri: string, ca?: string) =>
  onDispatcher(() => new ProxyAgent({ uri, ...ca !== undefined && { requestTls: { ca } } }))

/** The same headers with every request, as Cloudflare Access or a gateway of your own wants them. */
export const throughGateway = (options: { readonly siteUrl: string; readonly projectId: string }) =>
  Layer.unwrapEffect(Effect.gen(function*() {
    const clientSecret = yield* Config.redacted("GATEWAY_SECRET")
    return NodeInfisical.layer({
      ...options,
      credential: Credential.universalAuth({
        clientId: yield* Config.string("INFISICAL_UNIVERSAL_AUTH_CLIENT_ID"),
        clientSecret: yield* Config.redacted("INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET")
      }),
      headers: { "CF-Access-Client-Id": Redacted.make("backend"), "CF-Access-Client-Secret": clientSecret }
    })
  }))

/** The program knows nothing of all this. */
export const program = Effect.flatMap(Secrets.Secrets, (secrets) => secrets.get("DATABASE_URL"))
