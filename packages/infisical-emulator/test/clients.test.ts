/** Infisical's own clients, as they come from npm, through their whole flows against the emulator. */
import { assert, describe, it } from "@effect/vitest"
import { InfisicalSDK } from "@infisical/sdk"
import { Effect, Redacted } from "effect"
import { Emulator, World } from "effect-infisical-emulator"
import type InfisicalNode from "infisical-node"
import { createRequire } from "node:module"

// The types of `infisical-node` promise a property `default` that the module has not: it is the class itself.
const isClass = (module: unknown): module is typeof InfisicalNode.default => typeof module === "function"
const loaded: unknown = createRequire(import.meta.url)("infisical-node")
if (!isClass(loaded)) throw new TypeError("infisical-node is not a class")
const InfisicalClient = loaded

const world = (era: World.Era): World.Input => ({
  era,
  projects: {
    main: {
      folders: {
        dev: {
          "/": {
            secrets: { A: "a", HOST: "db.internal", URL: "postgres://${HOST}/${prod.db.NAME}" },
            imports: [{ environment: "dev", path: "/shared" }]
          },
          "/shared": { secrets: { SHARED: "from shared", A: "shadowed" } },
          "/folder/deep": { secrets: { DEEP: "deep" } }
        },
        prod: { "/db": { secrets: { NAME: "orders" } } }
      }
    }
  },
  serviceTokens: { main: {} },
  identities: { main: { accessTokenTTL: 600, accessTokenMaxTTL: 86_400 } }
})

const byName = (secrets: ReadonlyArray<{ readonly secretName: string; readonly secretValue?: string | undefined }>) =>
  Object.fromEntries(secrets.map(({ secretName, secretValue }) => [secretName, secretValue]))

const byKey = (secrets: ReadonlyArray<{ readonly secretKey: string; readonly secretValue: string }>) =>
  Object.fromEntries(secrets.map(({ secretKey, secretValue }) => [secretKey, secretValue]))

describe("infisical-node", () => {
  const client = Effect.gen(function*() {
    const emulator = yield* Emulator.Emulator
    const token = Redacted.value(yield* emulator.serviceToken())
    return new InfisicalClient({ token, siteURL: emulator.url, cacheTTL: 0 })
  })
  const place = { environment: "dev", path: "/", type: "shared" as const }

  it.effect("lists with and without imports, and subfolders", () =>
    Effect.gen(function*() {
      const { getAllSecrets } = yield* Effect.map(client, (client) => ({
        getAllSecrets: (path: string, includeImports: boolean) =>
          Effect.promise(() =>
            client.getAllSecrets({ environment: "dev", path, includeImports, attachToProcessEnv: false })
          )
      }))
      assert.deepStrictEqual(byName(yield* getAllSecrets("/", false)), {
        A: "a",
        HOST: "db.internal",
        URL: "postgres://${HOST}/${prod.db.NAME}"
      })
      assert.include(byName(yield* getAllSecrets("/", true)), { SHARED: "from shared" })
      assert.deepStrictEqual(byName(yield* getAllSecrets("/folder/deep", false)), { DEEP: "deep" })
    }).pipe(Effect.provide(Emulator.layer(world("2024-07")))))

  it.effect("creates, gets, updates and deletes, with empty and unicode values", () =>
    Effect.gen(function*() {
      const infisical = yield* client
      const value = (name: string) =>
        Effect.map(Effect.promise(() => infisical.getSecret(name, place)), ({ secretValue }) => secretValue)
      for (const text of ["a value", "", "пароль 密码 🔑\nline two"]) {
        yield* Effect.promise(() => infisical.createSecret("NEW", text, place))
        assert.strictEqual(yield* value("NEW"), text)
        yield* Effect.promise(() => infisical.updateSecret("NEW", `${text} again`, place))
        assert.strictEqual(yield* value("NEW"), `${text} again`)
        yield* Effect.promise(() => infisical.deleteSecret("NEW", place))
        const { secrets } = yield* Effect.promise(() =>
          infisical.getAllSecrets({ ...place, attachToProcessEnv: false, includeImports: false })
        ).pipe(Effect.map((secrets) => ({ secrets: byName(secrets) })))
        assert.notProperty(secrets, "NEW")
      }
    }).pipe(Effect.provide(Emulator.layer(world("2024-07")))))
})

describe.each(World.Era.literals)("@infisical/sdk, on a server of %s,", (era) => {
  const session = Effect.gen(function*() {
    const emulator = yield* Emulator.Emulator
    const { clientId, clientSecret } = yield* emulator.universalAuth()
    const { id: projectId } = yield* emulator.project()
    const client = yield* Effect.promise(() =>
      new InfisicalSDK({ siteUrl: emulator.url }).auth().universalAuth.login({
        clientId,
        clientSecret: Redacted.value(clientSecret)
      })
    )
    return { client, place: { projectId, environment: "dev" } }
  })
  const run = <A, E>(effect: Effect.Effect<A, E, Emulator.Emulator>) =>
    Effect.provide(effect, Emulator.layer(world(era)))

  it.effect("logs in and renews", () =>
    run(Effect.gen(function*() {
      const { client, place } = yield* session
      const renewed = yield* Effect.promise(() => client.auth().universalAuth.renew())
      const { secrets } = yield* Effect.promise(() => renewed.secrets().listSecrets({ ...place, secretPath: "/" }))
      assert.include(byKey(secrets), { A: "a" })
    })))

  it.effect("lists: expanded, recursively, with imports", () =>
    run(Effect.gen(function*() {
      const { client, place } = yield* session
      const { secrets } = yield* Effect.promise(() =>
        client.secrets().listSecrets({ ...place, secretPath: "/", expandSecretReferences: true })
      )
      assert.include(byKey(secrets), { URL: "postgres://db.internal/orders" })
      const recursive = yield* Effect.promise(() =>
        client.secrets().listSecrets({ ...place, secretPath: "/", recursive: true })
      )
      assert.include(byKey(recursive.secrets), { DEEP: "deep", SHARED: "from shared" })
      const merged = yield* Effect.promise(() => client.secrets().listSecretsWithImports({ ...place, secretPath: "/" }))
      assert.include(byKey(merged), { SHARED: "from shared", A: "a" })
    })))

  it.effect("creates, gets, updates, renames and deletes", () =>
    run(Effect.gen(function*() {
      const { client, place } = yield* session
      const created = yield* Effect.promise(() =>
        client.secrets().createSecret("NEW", { ...place, secretPath: "/", secretValue: "значение", secretComment: "c" })
      )
      assert.include(created.secret, { secretKey: "NEW", secretValue: "значение", secretComment: "c" })
      const got = yield* Effect.promise(() =>
        client.secrets().getSecret({ ...place, secretPath: "/", secretName: "NEW" })
      )
      assert.include(got, { secretValue: "значение" })
      yield* Effect.promise(() =>
        client.secrets().updateSecret("NEW", {
          ...place,
          secretPath: "/",
          secretValue: "second",
          newSecretName: "RENAMED"
        })
      )
      // A server of July 2024 ignores the new name.
      const name = era === "2024-07" ? "NEW" : "RENAMED"
      const renamed = yield* Effect.promise(() =>
        client.secrets().getSecret({ ...place, secretPath: "/", secretName: name })
      )
      assert.include(renamed, { secretValue: "second" })
      yield* Effect.promise(() => client.secrets().deleteSecret(name, { ...place, secretPath: "/" }))
      const gone = yield* Effect.either(
        Effect.tryPromise(() => client.secrets().getSecret({ ...place, secretPath: "/", secretName: name }))
      )
      assert.strictEqual(gone._tag, "Left")
    })))

  it.effect("creates and lists folders", () =>
    run(Effect.gen(function*() {
      const { client, place } = yield* session
      yield* Effect.promise(() => client.folders().create({ ...place, name: "new", path: "/folder" }))
      const folders = yield* Effect.promise(() => client.folders().listFolders({ ...place, path: "/folder" }))
      assert.deepStrictEqual(folders.map(({ name }) => name).toSorted(), ["deep", "new"])
    })))
})
