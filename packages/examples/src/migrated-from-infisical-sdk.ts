/**
 * The same program with `@infisical/sdk` and with `effect-infisical`, call by call.
 *
 *     npm run example -- migrated-from-infisical-sdk
 *
 * It writes, so it always runs against an emulator of its own.
 *
 * | `@infisical/sdk` | `effect-infisical` |
 * | --- | --- |
 * | `new InfisicalSDK({ siteUrl })`, `auth().universalAuth.login(…)` | `NodeInfisical.layer({ siteUrl, credential, … })`; it logs in and renews by itself |
 * | `secrets().listSecrets(…)`, `listSecretsWithImports(…)` | `secrets.list()`, with imports by default |
 * | `secrets().getSecret({ secretName })`, a request each time | `secrets.get(name)`, from memory |
 * | `createSecret`, `updateSecret`, `deleteSecret` | `create`, `update`, `delete` |
 * | a rejected promise with a text | an error with a tag, in the type |
 */
import { FetchHttpClient } from "@effect/platform"
import { NodeRuntime } from "@effect/platform-node"
import { InfisicalSDK } from "@infisical/sdk"
import { Effect, Layer, Redacted } from "effect"
import { Credential, Secrets } from "effect-infisical"
import { Emulator, type World } from "effect-infisical-emulator"
import { NodeInfisical } from "effect-infisical-node"

interface Login {
  readonly siteUrl: string
  readonly projectId: string
  readonly clientId: string
  readonly clientSecret: string
}

const before = async ({ clientId, clientSecret, projectId, siteUrl }: Login) => {
  const client = await new InfisicalSDK({ siteUrl }).auth().universalAuth.login({ clientId, clientSecret })
  const place = { projectId, environment: "dev", secretPath: "/" }

  const all = await client.secrets().listSecretsWithImports({ ...place, expandSecretReferences: true })
  const url = await client.secrets().getSecret({ ...place, secretName: "DATABASE_URL", expandSecretReferences: true })
  const created = await client.secrets().createSecret("API_KEY", { ...place, secretValue: "first" })
  const updated = await client.secrets().updateSecret("API_KEY", { ...place, secretValue: "second" })
  const read = await client.secrets().getSecret({ ...place, secretName: "API_KEY" })
  await client.secrets().deleteSecret("API_KEY", place)

  return {
    all: Object.fromEntries(all.map(({ secretKey, secretValue }) => [secretKey, secretValue])),
    url: url.secretValue,
    apiKey: [created.secret.secretValue, updated.secret.secretValue, read.secretValue]
  }
}

const program = Effect.gen(function*() {
  const secrets = yield* Secrets.Secrets

  const all = yield* secrets.list()
  const url = yield* secrets.get("DATABASE_URL")
  const created = yield* secrets.create("API_KEY", Redacted.make("first"))
  const updated = yield* secrets.update("API_KEY", Redacted.make("second"))
  const read = yield* secrets.get("API_KEY")
  yield* secrets.delete("API_KEY")

  return {
    all: Object.fromEntries(all.secrets.map(({ name, value }) => [name, Redacted.value(value)])),
    url: Redacted.value(url.value),
    apiKey: [created, updated, read].map(({ value }) => Redacted.value(value))
  }
})

const after = ({ clientId, clientSecret, projectId, siteUrl }: Login) =>
  program.pipe(
    Effect.provide(
      NodeInfisical.layer({
        siteUrl,
        projectId,
        environment: "dev",
        credential: Credential.universalAuth({ clientId, clientSecret: Redacted.make(clientSecret) })
      }).pipe(Layer.provide(FetchHttpClient.layer))
    )
  )

const world: World.Input = {
  projects: {
    main: {
      folders: {
        dev: {
          "/": {
            secrets: { HOST: "db.internal", DATABASE_URL: "postgres://${HOST}/app", NAME: "Ada Lovelace" },
            imports: [{ environment: "dev", path: "/shared" }]
          },
          "/shared": { secrets: { LOG_LEVEL: "info", NAME: "shadowed" } }
        }
      }
    }
  },
  identities: { main: {} }
}

export const main = Effect.gen(function*() {
  const emulator = yield* Emulator.Emulator
  const { clientId, clientSecret } = yield* emulator.universalAuth()
  const login = {
    siteUrl: emulator.url,
    projectId: yield* emulator.projectId(),
    clientId,
    clientSecret: Redacted.value(clientSecret)
  }
  const results = { before: yield* Effect.tryPromise(() => before(login)), after: yield* after(login) }
  yield* Effect.log("With @infisical/sdk and with effect-infisical:", results)
  return results
}).pipe(Effect.provide(Emulator.layer(world)))

if (process.argv[1] === import.meta.filename) NodeRuntime.runMain(main)
