/**
 * The same program with `infisical-node` and with `effect-infisical`, call by call. The service token stays the same.
 *
 *     npm run example -- migrated-from-infisical-node
 *
 * It writes, so it always runs against an emulator of its own, which plays a server of 2024.
 *
 * | `infisical-node` | `effect-infisical` |
 * | --- | --- |
 * | `new InfisicalClient({ token, siteURL, cacheTTL })` | `NodeInfisical.layer({ credential, siteUrl, cacheTtl })` |
 * | `getAllSecrets({ environment, path, includeImports })` | `secrets.list({ environment, secretPath, includeImports })` |
 * | … with `attachToProcessEnv: true` | `ProcessEnvironment.attach` of `effect-infisical-node` |
 * | `getSecret(name, { environment, path, type })` | `secrets.get(name, { environment, secretPath, type })` |
 * | `createSecret`, `updateSecret`, `deleteSecret` | `create`, `update`, `delete` |
 * | `createSymmetricKey`, `encryptSymmetric`, `decryptSymmetric` | `Crypto`, with the same formats |
 */
import { FetchHttpClient } from "@effect/platform"
import { NodeRuntime } from "@effect/platform-node"
import { Effect, Layer, Redacted } from "effect"
import { Credential, Crypto, Secrets } from "effect-infisical"
import { Emulator, type World } from "effect-infisical-emulator"
import { NodeInfisical } from "effect-infisical-node"
import type InfisicalNode from "infisical-node"
import { createRequire } from "node:module"

// Its types have a `default` that the module lacks: in ESM, the module is the class.
const InfisicalClient: typeof InfisicalNode.default = createRequire(import.meta.url)("infisical-node")

const before = async (token: string, siteURL: string) => {
  const client = new InfisicalClient({ token, siteURL, cacheTTL: 300 })
  const place = { environment: "dev", path: "/", type: "shared" } as const

  const all = await client.getAllSecrets({
    environment: "dev",
    path: "/",
    attachToProcessEnv: false,
    includeImports: true
  })
  const name = await client.getSecret("NAME", place)
  const created = await client.createSecret("API_KEY", "first", place)
  const updated = await client.updateSecret("API_KEY", "second", place)
  const read = await client.getSecret("API_KEY", place)
  await client.deleteSecret("API_KEY", place)

  const key = client.createSymmetricKey()
  const { ciphertext, iv, tag } = client.encryptSymmetric("a text", key)
  const text = client.decryptSymmetric(ciphertext, key, iv, tag)

  return {
    all: Object.fromEntries(all.map(({ secretName, secretValue }) => [secretName, secretValue])),
    name: name.secretValue,
    apiKey: [created.secretValue, updated.secretValue, read.secretValue],
    text
  }
}

const program = Effect.gen(function*() {
  const secrets = yield* Secrets.Secrets
  const crypto = yield* Crypto.Crypto

  const all = yield* secrets.list()
  const name = yield* secrets.get("NAME", { type: "shared" })
  const created = yield* secrets.create("API_KEY", Redacted.make("first"))
  const updated = yield* secrets.update("API_KEY", Redacted.make("second"))
  const read = yield* secrets.get("API_KEY", { type: "shared" })
  yield* secrets.delete("API_KEY")

  const key = yield* crypto.createSymmetricKey
  const encrypted = yield* crypto.encryptSymmetric({ plaintext: "a text", key })
  const text = yield* crypto.decryptSymmetric({ ...encrypted, key })

  return {
    all: Object.fromEntries(all.secrets.map(({ name, value }) => [name, Redacted.value(value)])),
    name: Redacted.value(name.value),
    apiKey: [created, updated, read].map(({ value }) => Redacted.value(value)),
    text: Redacted.value(text)
  }
})

const after = (token: Redacted.Redacted, siteUrl: string) =>
  program.pipe(
    Effect.provide(
      NodeInfisical.layer({
        credential: Credential.serviceToken(token),
        siteUrl,
        cacheTtl: "5 minutes",
        environment: "dev",
        secretPath: "/"
      }).pipe(Layer.provide(FetchHttpClient.layer))
    )
  )

const world: World.Input = {
  era: "2024-07",
  projects: {
    main: {
      folders: {
        dev: {
          "/": { secrets: { NAME: "Ada Lovelace" }, imports: [{ environment: "dev", path: "/shared" }] },
          "/shared": { secrets: { LOG_LEVEL: "info" } }
        }
      }
    }
  },
  serviceTokens: { main: {} }
}

export const main = Effect.gen(function*() {
  const emulator = yield* Emulator.Emulator
  const token = yield* emulator.serviceToken()
  const results = {
    before: yield* Effect.tryPromise(() => before(Redacted.value(token), emulator.url)),
    after: yield* after(token, emulator.url)
  }
  yield* Effect.log("With infisical-node and with effect-infisical:", results)
  return results
}).pipe(Effect.provide(Emulator.layer(world)))

if (process.argv[1] === import.meta.filename) NodeRuntime.runMain(main)
