/** What is different where the server decrypts. */
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer, Option, Redacted } from "effect"
import { Credential, type InfisicalConfig, Secrets } from "effect-infisical"
import type { World } from "effect-infisical-emulator"
import { client, get, layer, Simulation, value } from "./Simulation.js"

const identityClient = (options: Partial<InfisicalConfig.Options> = {}, identity?: string) =>
  Layer.unwrapEffect(Effect.gen(function*() {
    const { emulator } = yield* Simulation
    return client({
      credential: Credential.universalAuth(yield* emulator.universalAuth(identity)),
      projectId: (yield* emulator.project()).id,
      ...options
    })
  }))

const run =
  (world: World.Input, options: Partial<InfisicalConfig.Options> = {}) => <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.provide(effect, Layer.provideMerge(identityClient(options), layer(world)))

const paths = Effect.gen(function*() {
  const { takeRequests } = yield* Simulation
  return (yield* takeRequests).map(({ path, status }) => `${path.replace(/\?.*/, "")} ${status}`)
})

const folders = { dev: { "/": { secrets: { A: "a" } }, "/one": { secrets: { B: "b" } } } }

describe("The routes of a server", () => {
  it.effect("of today are found at once", () =>
    Effect.gen(function*() {
      assert.strictEqual(value(yield* get("A")), "a")
      assert.deepStrictEqual(yield* paths, ["/api/v4/secrets 200"])
    }).pipe(run({ era: "2026", projects: { main: { folders } }, identities: { main: {} } })))

  it.effect("of 2024 are found out by the first request, however many there are, and never again", () =>
    Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      yield* Effect.forEach(["/", "/one"], (secretPath) => secrets.list({ secretPath }), { concurrency: "unbounded" })
      yield* secrets.refresh()
      assert.deepStrictEqual((yield* paths).toSorted(), [
        "/api/v3/secrets/raw 200",
        "/api/v3/secrets/raw 200",
        "/api/v3/secrets/raw 304",
        "/api/v3/secrets/raw 304",
        "/api/v4/secrets 404"
      ])
    }).pipe(run({ era: "2024-07", projects: { main: { folders } }, identities: { main: {} } })))

  it.effect("are those that are configured", () =>
    Effect.gen(function*() {
      yield* get("A")
      assert.deepStrictEqual(yield* paths, ["/api/v3/secrets/raw 200"])
    }).pipe(run({ era: "2026", projects: { main: { folders } }, identities: { main: {} } }, { source: "v3" })))

  it.effect("are not decided by a server that cannot be reached", () =>
    Effect.gen(function*() {
      const { setFault } = yield* Simulation
      yield* setFault((path) => path.includes("secrets") ? "unreachable" : undefined)
      assert.include(yield* Effect.flip(get("A")), { _tag: "NetworkError" })
      yield* setFault(() => undefined)
      yield* paths
      yield* Effect.flatMap(Secrets.Secrets, (secrets) => secrets.refresh())
      assert.deepStrictEqual(yield* paths, ["/api/v4/secrets 404", "/api/v3/secrets/raw 200"])
    }).pipe(run({ era: "2024-07", projects: { main: { folders } }, identities: { main: {} } })))
})

describe("An end-to-end encrypted project", () => {
  it.effect("behind an identity says so, and what to do", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(get("A"))
      assert.include(error, { _tag: "InvalidRequestError", parameter: "project" })
      assert.include(error.message, "end-to-end encrypted")
      assert.include(error.message, "service token with its key part")
    }).pipe(run({
      era: "2024-07",
      projects: { main: { endToEndEncrypted: true, folders } },
      identities: { main: {} }
    })))
})

describe("A service token without its key part", () => {
  it.effect("reads what the server decrypts", () =>
    Effect.gen(function*() {
      const { emulator } = yield* Simulation
      const token = Redacted.value(yield* emulator.serviceToken())
      const credential = Credential.serviceToken(Redacted.make(token.slice(0, token.lastIndexOf("."))))
      assert.strictEqual(value(yield* Effect.provide(get("A"), identityClient({ credential }))), "a")
    }).pipe(
      Effect.provide(layer({ projects: { main: { folders } }, serviceTokens: { main: {} }, identities: { main: {} } }))
    ))

  it.effect("that is for one folder alone serves nothing of it for another folder", () =>
    Effect.gen(function*() {
      const { emulator } = yield* Simulation
      const credential = Credential.serviceToken(yield* emulator.serviceToken())
      const read = (secretPath: string) =>
        Effect.provide(get("B", { secretPath }), client({ credential, source: "v3" }))
      assert.strictEqual(value(yield* read("/one")), "b")
      assert.include(yield* Effect.flip(read("/")), { _tag: "UnexpectedResponseError" })
    }).pipe(Effect.provide(layer({
      projects: { main: { folders } },
      serviceTokens: { main: { scopes: [{ environment: "dev", secretPath: "/one" }] } }
    }))))
})

describe("A batch on a server of 2024", () => {
  it.effect("says that the project's slug is needed where it is not configured", () =>
    Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      const error = yield* Effect.flip(secrets.createMany([{ name: "NEW", value: Redacted.make("new") }]))
      assert.include(error, { _tag: "InvalidRequestError", parameter: "projectSlug" })
    }).pipe(run(
      { era: "2024-07", projects: { main: { folders } }, identities: { main: {} } },
      { projectSlug: "" }
    )))
})

describe("A hidden value", () => {
  it.effect("is no value: get says why, and a list tells that it is there", () =>
    Effect.gen(function*() {
      assert.include(yield* Effect.flip(get("A")), { _tag: "PermissionError", problem: "hidden value" })
      const list = yield* Effect.flatMap(Secrets.Secrets, (secrets) => secrets.list())
      assert.deepStrictEqual(list.secrets, [])
      assert.deepStrictEqual(list.hidden.map(({ name }) => name), ["A"])
    }).pipe(run({
      era: "2026",
      projects: { main: { folders } },
      identities: { main: { hidesValues: true } }
    })))
})

describe("An identity that may read some names only", () => {
  it.effect("reads them by name, cached as such, without asking for the folder each time", () =>
    Effect.gen(function*() {
      const { advance } = yield* Simulation
      assert.strictEqual(value(yield* get("A")), "a")
      assert.deepStrictEqual(yield* paths, [
        "/api/v4/secrets 403",
        // Asked again without values.
        "/api/v4/secrets 403",
        "/api/v4/secrets/A 200"
      ])
      for (let turn = 0; turn < 10; turn++) {
        yield* get("A")
        yield* advance("10 seconds")
      }
      assert.deepStrictEqual(yield* paths, [])
    }).pipe(run({
      era: "2026",
      projects: { main: { folders } },
      identities: { main: { readableNames: ["A"] } }
    })))

  it.effect("is served the last answers while the server is gone, and not those of the environment", () =>
    Effect.gen(function*() {
      const { advance, setFault } = yield* Simulation
      assert.strictEqual(value(yield* get("A")), "a")
      yield* setFault(() => "unreachable")
      yield* advance("6 minutes", "30 seconds")
      const secret = yield* get("A")
      assert.strictEqual(value(secret), "a")
      assert.strictEqual(secret.source, "stale")
    }).pipe(
      run(
        { era: "2026", secrets: { A: "a", B: "b" }, identities: { main: { readableNames: ["A"] } } },
        { fallback: true }
      ),
      Effect.withConfigProvider(ConfigProvider.fromMap(new Map([["A", "from the environment"]])))
    ))
})

describe("A write that awaits approval", () => {
  it.effect("is no success, and says under which id it waits", () =>
    Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      yield* get("A")
      const value_ = Redacted.make("other")
      for (
        const write of [
          secrets.create("NEW", value_),
          secrets.update("A", value_),
          secrets.upsert("A", value_),
          secrets.rename("A", "Z"),
          secrets.delete("A"),
          secrets.createMany([{ name: "NEW", value: value_ }]),
          secrets.updateMany([{ name: "A", value: value_ }]),
          secrets.deleteMany(["A"])
        ]
      ) {
        const error = yield* Effect.flip(write)
        assert.strictEqual(error._tag, "ApprovalRequiredError")
        if (error._tag === "ApprovalRequiredError") assert.isNotEmpty(error.approvalId)
      }
      yield* secrets.refresh()
      assert.strictEqual(value(yield* get("A")), "a")
    }).pipe(run({
      era: "2026",
      projects: { main: { folders } },
      identities: { main: {} },
      approvalPolicies: [{ environment: "dev", secretPath: "/**", binds: "everyone" }]
    })))
})

const tagged: World.Input = {
  era: "2026",
  projects: {
    main: {
      tags: { db: { name: "Database" }, web: {} },
      folders: {
        dev: {
          "/": {
            secrets: {
              URL: {
                value: "url",
                tags: ["db"],
                metadata: { team: "core" },
                reminder: { repeatDays: 30, note: "rotate" }
              },
              KEY: { value: "key", tags: ["db", "web"], metadata: { team: "web" } },
              NONE: "none"
            }
          }
        }
      }
    }
  },
  identities: { main: {} }
}

const namesOf = (options: Secrets.ListOptions) =>
  Effect.map(
    Effect.flatMap(Secrets.Secrets, (secrets) => secrets.list(options)),
    ({ secrets }) => secrets.map(({ name }) => name).toSorted()
  )

describe("What belongs to a secret on a server of today", () => {
  it.effect("is read with it: tags, metadata and a reminder", () =>
    Effect.gen(function*() {
      const { details } = yield* get("URL")
      assert.deepStrictEqual(details.tags.map(({ name, slug }) => ({ name, slug })), [{ name: "Database", slug: "db" }])
      assert.deepStrictEqual(details.metadata, { team: "core" })
      assert.deepStrictEqual(details.reminder, Option.some({ repeatDays: 30, note: "rotate" }))
    }).pipe(run(tagged)))

  it.effect("filters a list by tags, of which one is enough, and by metadata, of which all must match", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* namesOf({ tagSlugs: ["db"] }), ["KEY", "URL"])
      assert.deepStrictEqual(yield* namesOf({ tagSlugs: ["web", "other"] }), ["KEY"])
      assert.deepStrictEqual(yield* namesOf({ metadata: { team: "core" } }), ["URL"])
      assert.deepStrictEqual(yield* namesOf({ tagSlugs: ["web"], metadata: { team: "core" } }), [])
      assert.deepStrictEqual(yield* namesOf({}), ["KEY", "NONE", "URL"])
    }).pipe(run(tagged)))

  it.effect("is written with it, and stays where it is not said", () =>
    Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      const tagIds = (yield* get("URL")).details.tags.map(({ id }) => id)
      yield* secrets.update("NONE", Redacted.make("none"), { tagIds, metadata: { team: "new" } })
      yield* secrets.update("NONE", Redacted.make("other"))
      yield* secrets.refresh()
      const { details } = yield* get("NONE")
      assert.deepStrictEqual(details.tags.map(({ slug }) => slug), ["db"])
      assert.deepStrictEqual(details.metadata, { team: "new" })
    }).pipe(run(tagged)))

  it.effect("cannot be looked for by an empty filter, or by a slug that no tag can have", () =>
    Effect.gen(function*() {
      for (const options of [{ tagSlugs: ["a,b"] }, { tagSlugs: [""] }, { metadata: { "": "c" } }]) {
        assert.include(yield* Effect.flip(namesOf(options)), { _tag: "InvalidRequestError" })
      }
    }).pipe(run(tagged)))
})

describe("Metadata of an end-to-end encrypted secret", () => {
  it.effect("cannot be written, since there is none", () =>
    Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      const error = yield* Effect.flip(secrets.update("A", Redacted.make("a"), { metadata: { team: "core" } }))
      assert.include(error, { _tag: "InvalidRequestError", parameter: "metadata" })
    }).pipe(Effect.provide(
      Layer.provideMerge(client({ source: "end-to-end-encrypted" }), layer({ secrets: { A: "a" } }))
    )))
})
