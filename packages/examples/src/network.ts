/**
 * A network that is not open: a private certificate authority, a proxy, a gateway that wants headers. The library leaves
 * the `HttpClient` to you, so the first two are a layer of it; headers are a variable.
 *
 *     npm run example -- network
 *
 * | variable | what it is |
 * | --- | --- |
 * | `CA_FILE` | the certificate (PEM) of the authority that signed the server's |
 * | `HTTPS_PROXY` | the proxy, for example `http://proxy.internal:3128` |
 * | `INFISICAL_CUSTOM_HEADERS` | headers of every request: `CF-Access-Client-Id=… CF-Access-Client-Secret=…` |
 *
 * Without them it reads as on an open network.
 */
import { FileSystem } from "@effect/platform"
import { NodeContext, NodeHttpClient, NodeRuntime } from "@effect/platform-node"
import { Config, Effect, Layer, Option } from "effect"
import { Secrets } from "effect-infisical"
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

/** Goes through a proxy; `ca` is the certificate authority of the servers behind it. */
export const proxy = (uri: string, ca?: string) =>
  onDispatcher(() => new ProxyAgent({ uri, ...ca !== undefined && { requestTls: { ca } } }))

const HttpClientLive = Layer.unwrapEffect(Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const uri = Option.getOrUndefined(yield* Config.option(Config.string("HTTPS_PROXY")))
  const file = yield* Config.option(Config.string("CA_FILE"))
  const ca = Option.getOrUndefined(yield* Effect.transposeMapOption(file, (path) => fs.readFileString(path)))
  if (uri !== undefined) return proxy(uri, ca)
  return ca === undefined ? NodeHttpClient.layerUndici : privateAuthority(ca)
}))

const InfisicalLive = NodeInfisical.layerConfig().pipe(
  Layer.provide(HttpClientLive),
  Layer.provide(NodeContext.layer)
)

/** It does not know the network. */
export const program = Effect.gen(function*() {
  const secrets = yield* Secrets.Secrets
  const secret = yield* secrets.get("DATABASE_URL")
  yield* Effect.log(`Read ${secret.name} (${secret.source})`)
  return secret
})

export const main = Effect.provide(program, InfisicalLive)

if (process.argv[1] === import.meta.filename) NodeRuntime.runMain(main)
