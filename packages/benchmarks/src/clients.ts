/** The contestants: this library on Node, the client it is measured against, and the least that any client has to do. */
import { FetchHttpClient } from "@effect/platform"
import { Effect, Layer, ManagedRuntime, Predicate, Redacted, type Scope } from "effect"
import { Credential, type Infisical, type InfisicalConfig, type InfisicalError } from "effect-infisical"
import { NodeInfisical } from "effect-infisical-node"
import type InfisicalNode from "infisical-node"
import { createDecipheriv, createSecretKey, type KeyObject } from "node:crypto"
import { createRequire } from "node:module"
import { RecordedServer } from "./RecordedServer.js"

/** A program that has this library, as it is for whoever has it: built at the first use, and not before. */
export type Ours = ManagedRuntime.ManagedRuntime<
  Infisical.Provided,
  InfisicalError.InvalidCredentialError | InfisicalError.InvalidRequestError
>

/** Makes new programs with this library, each with a cache of its own. */
export const ours: Effect.Effect<
  (options?: Partial<InfisicalConfig.Options>) => Ours,
  never,
  RecordedServer
> = Effect.map(RecordedServer, ({ siteUrl, token }) => (options) =>
  ManagedRuntime.make(
    NodeInfisical.layer({ credential: Credential.serviceToken(token), siteUrl, ...options }).pipe(
      Layer.provide(FetchHttpClient.layer)
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
    const text = Redacted.value(token)
    const dot = text.lastIndexOf(".")
    const headers = { authorization: `Bearer ${text.slice(0, dot)}` }
    const ask = async <A>(path: string, isAnswer: (answer: unknown) => answer is A): Promise<A> => {
      const answer: unknown = JSON.parse(await (await fetch(siteUrl + path, { headers })).text())
      if (!isAnswer(answer)) throw new TypeError(`${path} has another answer`)
      return answer
    }

    return async (path) => {
      const answer = await ask("/api/v2/service-token", isToken)
      const tokenKey = createSecretKey(text.slice(dot + 1), "utf8")
      const key = createSecretKey(decrypt(tokenKey, answer.encryptedKey, answer.iv, answer.tag), "utf8")
      const query = new URLSearchParams({
        workspaceId: answer.workspace,
        environment: "dev",
        secretPath: path,
        include_imports: "true"
      })
      const list = await ask(`/api/v3/secrets?${query}`, isList)
      const secrets = new Map<string, string>()
      for (const secret of list.secrets) {
        secrets.set(
          decrypt(key, secret.secretKeyCiphertext, secret.secretKeyIV, secret.secretKeyTag),
          decrypt(key, secret.secretValueCiphertext, secret.secretValueIV, secret.secretValueTag)
        )
      }
      return secrets
    }
  })

const isToken = (answer: unknown): answer is {
  readonly workspace: string
  readonly encryptedKey: string
  readonly iv: string
  readonly tag: string
} => Predicate.hasProperty(answer, "encryptedKey")

const isList = (answer: unknown): answer is {
  readonly secrets: ReadonlyArray<{
    readonly secretKeyCiphertext: string
    readonly secretKeyIV: string
    readonly secretKeyTag: string
    readonly secretValueCiphertext: string
    readonly secretValueIV: string
    readonly secretValueTag: string
  }>
} => Predicate.hasProperty(answer, "secrets")

// Of the ways to say it in Node this is the fastest: with "base64" and "utf8" as arguments of `update` it takes longer.
const decrypt = (key: KeyObject, ciphertext: string, iv: string, tag: string): string => {
  const decipher = createDecipheriv("aes-256-gcm", key, Buffer.from(iv, "base64"), { authTagLength: 16 })
  decipher.setAuthTag(Buffer.from(tag, "base64"))
  const plaintext = decipher.update(Buffer.from(ciphertext, "base64"))
  decipher.final()
  return plaintext.toString("utf8")
}
