/** References in values that this process decrypts, which no server replaces. */
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect } from "effect"
import { Credential, Secrets } from "effect-infisical"
import { client, get, layer, run, Simulation, value } from "./Simulation.js"

const world = {
  projects: {
    main: {
      folders: {
        dev: {
          "/": {
            secrets: {
              HOST: "db.internal",
              URL: "postgres://${HOST}/${prod.db.NAME}",
              CIRCLE: "a ${CIRCLE}",
              MISSING: "${NOPE} ${nope.NOPE} ${dev.nowhere.NOPE}",
              PLAIN: "plain"
            }
          },
          "/app": { secrets: { LINK: "${dev.HOST}" } }
        },
        prod: { "/db": { secrets: { NAME: "orders" } } }
      }
    }
  },
  serviceTokens: {
    main: {},
    devOnly: { scopes: [{ environment: "dev", secretPath: "/**" }] }
  }
}

describe("A value with references", () => {
  it.effect("is read with what they refer to, across folders and environments", () =>
    Effect.gen(function*() {
      assert.strictEqual(value(yield* get("URL")), "postgres://db.internal/orders")
      assert.strictEqual(value(yield* get("LINK", { secretPath: "/app" })), "db.internal")
    }).pipe(run(world)))

  it.effect("keeps circles, and what there is not, as they are written", () =>
    Effect.gen(function*() {
      assert.strictEqual(value(yield* get("CIRCLE")), "a ${CIRCLE}")
      assert.strictEqual(value(yield* get("MISSING")), "${NOPE} ${nope.NOPE} ${dev.nowhere.NOPE}")
    }).pipe(run(world)))

  it.effect("is read as it is written where references are not to be expanded", () =>
    Effect.gen(function*() {
      const written = "postgres://${HOST}/${prod.db.NAME}"
      assert.strictEqual(value(yield* get("URL", { expandReferences: false })), written)
    }).pipe(run(world)))

  it.effect("is expanded in lists as well", () =>
    Effect.gen(function*() {
      const { secrets } = yield* Effect.flatMap(Secrets.Secrets, (secrets) => secrets.list())
      const url = secrets.find(({ name }) => name === "URL")
      assert.strictEqual(url === undefined ? undefined : value(url), "postgres://db.internal/orders")
    }).pipe(run(world)))

  it.effect("leaves what the token may not read as it is written", () =>
    Effect.gen(function*() {
      const { emulator } = yield* Simulation
      const credential = Credential.serviceToken(yield* emulator.serviceToken("devOnly"))
      const url = yield* Effect.provide(get("URL"), client({ credential }))
      assert.strictEqual(value(url), "postgres://db.internal/${prod.db.NAME}")
    }).pipe(Effect.provide(layer(world))))

  it.effect("is the same object again while nothing changed, and another one after", () =>
    Effect.gen(function*() {
      const simulation = yield* Simulation
      const first = yield* get("URL")
      assert.strictEqual(yield* get("URL"), first)
      yield* simulation.takeRequests
      yield* simulation.emulator.setSecret({ name: "NAME", value: "invoices", environment: "prod", secretPath: "/db" })
      yield* Effect.flatMap(Secrets.Secrets, (secrets) => secrets.refresh({ environment: "prod", secretPath: "/db" }))
      assert.strictEqual(value(yield* get("URL")), "postgres://db.internal/invoices")
      assert.strictEqual((yield* simulation.takeRequests).length, 1)
    }).pipe(run(world)))

  it.effect("costs no request for what is read already", () =>
    Effect.gen(function*() {
      const simulation = yield* Simulation
      yield* get("PLAIN")
      yield* get("NAME", { environment: "prod", secretPath: "/db" })
      yield* simulation.takeRequests
      yield* get("URL")
      assert.deepStrictEqual(yield* simulation.takeRequests, [])
    }).pipe(run(world)))

  it.effect("is an error where the credential was revoked meanwhile, and no half of a value", () =>
    Effect.gen(function*() {
      const { emulator } = yield* Simulation
      yield* get("PLAIN")
      yield* emulator.revokeServiceToken()
      assert.include(yield* Effect.flip(get("URL")), { _tag: "AuthenticationError" })
    }).pipe(run(world)))

  it.effect("has the same fallback, whether its folder has to be fetched or not", () =>
    Effect.gen(function*() {
      const simulation = yield* Simulation
      yield* get("PLAIN")
      yield* simulation.setFault(() => "unreachable")
      assert.include(yield* get("URL"), { source: "fallback" })
      assert.include(yield* get("URL", { secretPath: "/" }), { source: "fallback" })
    }).pipe(
      run(world, { fallback: true }),
      Effect.withConfigProvider(ConfigProvider.fromMap(new Map([["URL", "from the environment"]])))
    ))

  it.effect("is an error where what it refers to cannot be reached, and no half of a value", () =>
    Effect.gen(function*() {
      const simulation = yield* Simulation
      yield* simulation.setFault((path) => path.includes("prod") ? "unreachable" : undefined)
      assert.include(yield* Effect.flip(get("URL")), { _tag: "NetworkError" })
      assert.strictEqual(value(yield* get("PLAIN")), "plain")
    }).pipe(run(world)))

  it.effect("whose folder cannot be reached makes no list fail: it is listed with its error", () =>
    Effect.gen(function*() {
      const { setFault } = yield* Simulation
      const secrets = yield* Secrets.Secrets
      yield* setFault((path) => path.includes("prod") ? "unreachable" : undefined)
      const broken = yield* secrets.list()
      assert.sameMembers(broken.secrets.map(({ name }) => name), ["HOST", "CIRCLE", "MISSING", "PLAIN"])
      assert.deepStrictEqual(broken.unresolved.map(({ error, secret }) => [secret.name, error._tag]), [[
        "URL",
        "NetworkError"
      ]])
      assert.strictEqual(yield* secrets.list(), broken)
    }).pipe(run(world)))

  it.effect("is in the same list each time, as long as nothing that it refers to changes", () =>
    Effect.gen(function*() {
      const { emulator } = yield* Simulation
      const secrets = yield* Secrets.Secrets
      const first = yield* secrets.list()
      assert.strictEqual(yield* secrets.list(), first)
      yield* emulator.setSecret({ environment: "prod", secretPath: "/db", name: "NAME", value: "invoices" })
      yield* secrets.refresh()
      const second = yield* secrets.list()
      assert.notStrictEqual(second, first)
      assert.include(second.secrets.map(value), "postgres://db.internal/invoices")
      assert.strictEqual(yield* secrets.list(), second)
    }).pipe(run(world)))
})
