/** The contestants: this library on Node, the client it is measured against, and the least that any client has to do. */
import { FetchHttpClient, HttpClient } from "@effect/platform"
import { NodeHttpClient } from "@effect/platform-node"
import { Effect, Layer, ManagedRuntime, Predicate, Redacted, type Scope } from "effect"
import { Credential, type Infisical, type InfisicalConfig, type InfisicalError, type Wire } from "effect-infisical"
import { NodeInfisical } from "effect-infisical-node"
import type InfisicalNode from "infisical-node"
import { createDecipheriv, createSecretKey, type KeyObject } from "node:crypto"
import { createRequire } from "node:module"
import { RecordedServer } from "./RecordedServer.js"

/** A program with this library. Its layer is built at the first use, as in a program of a user. */
export type Ours = ManagedRuntime.ManagedRuntime<
  Infisical.Provided,
  InfisicalError.InvalidCredentialError | InfisicalError.InvalidRequestError
>

/** The HTTP client of all requests; its connections stay open from one client to the next, as those of `fetch` do. */
export const httpClients = {
  fetch: FetchHttpClient.layer,
  undici: NodeHttpClient.layerUndiciWithoutDispatcher.pipe(Layer.provide(NodeHttpClient.dispatcherLayerGlobal))
}

/** Makes new programs with this library, each with a cache of its own. */
export const ours: Effect.Effect<
  (options?: Partial<InfisicalConfig.Options>, httpClient?: Layer.Layer<HttpClient.HttpClient>) => Ours,
  never,
  RecordedServer
> = Effect.map(RecordedServer, ({ siteUrl, token }) => (options, httpClient = httpClients.fetch) =>
  ManagedRuntime.make(
    NodeInfisical.layer({ credential: Credential.serviceToken(token), siteUrl, ...options }).pipe(
      Layer.provide(httpClient)
    )
  ))

/** A program with this library that ends with the scope. */
export const oursScoped = (
  options?: Partial<InfisicalConfig.Options>
): Effect.Effect<Ours, never, RecordedServer | Scope.Scope> =>
  Effect.flatMap(ours, (make) =>
    Effect.acquireRelease(
      Effect.sync(() => make(options)),
      (runtime) => runtime.disposeEffect
    ))

type Theirs = InfisicalNode.default

/** Makes new clients of `infisical-node`, each with a cache of its own. */
export const theirs: Effect.Effect<() => Theirs, never, RecordedServer> = Effect.map(
  RecordedServer,
  ({ siteUrl, token }) => () =>
    withoutWarning(() => new InfisicalClient({ token: Redacted.value(token), siteURL: siteUrl }))
)

// The types of `infisical-node` promise a property `default` that the module has not: it is the class itself.
const isClass = (module: unknown): module is typeof InfisicalNode.default => typeof module === "function"
const loaded: unknown = createRequire(import.meta.url)("infisical-node")
if (!isClass(loaded)) throw new TypeError("infisical-node is not a class")
const InfisicalClient = loaded

// Each new client says that it is deprecated, which takes longer than all else in making one.
const withoutWarning = <A>(make: () => A): A => {
  const output = globalThis.console
  const { warn } = output
  output.warn = () => undefined
  try {
    return make()
  } finally {
    output.warn = warn
  }
}

/** Where secrets of the folder are for `infisical-node`; a secret that it got by name it finds only as `shared`. */
export const theirPlace = (path: string) => ({ environment: "dev", path, type: "shared" as const })

/**
 * The limit: the same two requests with `fetch`, then `JSON.parse`, and a loop over `node:crypto` with a key object that
 * was made once. Of the answers only what the types need is checked.
 */
export const limit: Effect.Effect<(path: string) => Promise<ReadonlyMap<string, string>>, never, RecordedServer> =
  Effect.map(RecordedServer, ({ siteUrl, token }) => {
    const { headers, tokenKey } = partsOf(token)
    const ask = async <A>(path: string, isAnswer: (answer: unknown) => answer is A): Promise<A> =>
      parse(await (await fetch(siteUrl + path, { headers })).text(), isAnswer)

    return async (path) => {
      const answer = await ask(tokenPath, isToken)
      const key = projectKey(tokenKey, answer)
      const list = await ask(listPath(answer, path), isList)
      return new Map(list.secrets.map((secret) => [nameOf(key, secret), valueOf(key, secret)]))
    }
  })

/**
 * The least that a client of this design does until it knows what there is: the same two requests through Effect's
 * `HttpClient`, each with a timeout and a span; of what they give only the names are decrypted.
 */
export const leastOfNames: Effect.Effect<
  (path: string) => Effect.Effect<ReadonlyMap<string, EncryptedSecret>, unknown, HttpClient.HttpClient>,
  never,
  RecordedServer
> = Effect.map(RecordedServer, ({ siteUrl, token }) => {
  const { headers, tokenKey } = partsOf(token)
  const ask = <A>(path: string, isAnswer: (answer: unknown) => answer is A) =>
    HttpClient.HttpClient.pipe(
      Effect.flatMap((client) =>
        HttpClient.withTracerDisabledWhen(client, () => true).get(siteUrl + path, { headers })
      ),
      Effect.flatMap((response) => response.text),
      Effect.map((text) => parse(text, isAnswer)),
      Effect.timeout("10 seconds"),
      Effect.withSpan(path, { kind: "client", captureStackTrace: false })
    )

  return (path) =>
    Effect.gen(function*() {
      const answer = yield* ask(tokenPath, isToken)
      const key = projectKey(tokenKey, answer)
      const list = yield* ask(listPath(answer, path), isList)
      return new Map(list.secrets.map((secret) => [nameOf(key, secret), secret]))
    })
})

const tokenPath = "/api/v2/service-token"

const listPath = ({ workspace }: TokenAnswer, secretPath: string): string =>
  `/api/v3/secrets?${new URLSearchParams({
    workspaceId: workspace,
    environment: "dev",
    secretPath,
    include_imports: "true"
  })}`

const partsOf = (token: Redacted.Redacted<string>) => {
  const text = Redacted.value(token)
  const dot = text.lastIndexOf(".")
  return {
    headers: { authorization: `Bearer ${text.slice(0, dot)}` },
    tokenKey: createSecretKey(text.slice(dot + 1), "utf8")
  }
}

const parse = <A>(text: string, isAnswer: (answer: unknown) => answer is A): A => {
  const answer: unknown = JSON.parse(text)
  if (!isAnswer(answer)) throw new TypeError("It has another answer")
  return answer
}

type EncryptedSecret = Wire.EncryptedSecret

interface TokenAnswer {
  readonly workspace: string
  readonly encryptedKey: string
  readonly iv: string
  readonly tag: string
}

const isToken = (answer: unknown): answer is TokenAnswer => Predicate.hasProperty(answer, "encryptedKey")

const isList = (answer: unknown): answer is { readonly secrets: ReadonlyArray<EncryptedSecret> } =>
  Predicate.hasProperty(answer, "secrets")

const projectKey = (tokenKey: KeyObject, { encryptedKey, iv, tag }: TokenAnswer): KeyObject =>
  createSecretKey(decrypt(tokenKey, encryptedKey, iv, tag), "utf8")

const nameOf = (key: KeyObject, secret: EncryptedSecret): string =>
  decrypt(key, secret.secretKeyCiphertext, secret.secretKeyIV, secret.secretKeyTag)

const valueOf = (key: KeyObject, secret: EncryptedSecret): string =>
  decrypt(key, secret.secretValueCiphertext, secret.secretValueIV, secret.secretValueTag)

// Of the ways to say it in Node this is the fastest: with "base64" and "utf8" as arguments of `update` it takes longer.
const decrypt = (key: KeyObject, ciphertext: string, iv: string, tag: string): string => {
  const decipher = createDecipheriv("aes-256-gcm", key, Buffer.from(iv, "base64"), { authTagLength: 16 })
  decipher.setAuthTag(Buffer.from(tag, "base64"))
  const plaintext = decipher.update(Buffer.from(ciphertext, "base64"))
  decipher.final()
  return plaintext.toString("utf8")
}
