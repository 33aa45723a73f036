/** The code of the pages: it is in them as in its files, and it runs. */
import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Chunk, ConfigProvider, Effect, Fiber, Layer, Redacted, Stream, TestClock } from "effect"
import { Credential, Infisical, Secrets } from "effect-infisical"
import { Emulator } from "effect-infisical-emulator"
import { pages } from "../scripts/snippets.js"
import * as config from "../snippets/config.js"
import * as crypto from "../snippets/crypto.js"
import * as errors from "../snippets/errors.js"
import * as faults from "../snippets/faults.js"
import * as identities from "../snippets/identities.js"
import * as manifest from "../snippets/manifest.js"
import * as metrics from "../snippets/metrics.js"
import * as options from "../snippets/options.js"
import * as processEnvironment from "../snippets/processEnvironment.js"
import * as reading from "../snippets/reading.js"
import * as rotation from "../snippets/rotation.js"
import * as sealed from "../snippets/sealed.js"
import * as twoProjects from "../snippets/twoProjects.js"
import * as watch from "../snippets/watch.js"
import { outputOf, variables } from "./support/programs.js"

const EmulatorTest = Emulator.layer({
  projects: {
    main: {
      folders: {
        dev: {
          "/": {
            secrets: {
              DATABASE_HOSTS: "a.internal, b.internal",
              DATABASE_PASSWORD: "hunter2",
              DATABASE_URL: "postgres://db.internal/orders",
              FEATURES: "search",
              SMTP_PASSWORD: "letter",
              SMTP_PORT: "smtp",
              STRIPE_KEY: "key"
            }
          },
          "/legacy": { secrets: { SNIPPET_LEGACY: "value" } }
        },
        prod: { "/mail": { secrets: { SMTP_PASSWORD: "letter" } } }
      }
    }
  },
  identities: { main: {} }
})

const EnvironmentTest = Layer.unwrapEffect(Effect.map(
  variables,
  (variables) =>
    Layer.setConfigProvider(ConfigProvider.fromMap(
      new Map(Object.entries({
        ...variables,
        CLIENT_ID: variables.INFISICAL_UNIVERSAL_AUTH_CLIENT_ID,
        CLIENT_SECRET: variables.INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET,
        PROJECT_ID: variables.INFISICAL_PROJECT_ID,
        SITE_URL: variables.INFISICAL_API_URL
      }))
    ))
)).pipe(Layer.provideMerge(EmulatorTest))

const InfisicalTest = Infisical.layerConfig().pipe(
  Layer.provide(Emulator.layerHttpClient),
  Layer.provideMerge(EnvironmentTest)
)

describe("The pages", () => {
  it.effect("have the code of the snippets (else: npm run docs:snippets)", () =>
    Effect.gen(function*() {
      const found = yield* pages
      assert.isAbove(found.length, 4)
      for (const { file, rendered, text } of found) assert.strictEqual(text, rendered, file)
    }).pipe(Effect.provide(NodeContext.layer)))
})

describe("The first program", () => {
  it.live("runs as a process, and prints no value", () =>
    Effect.gen(function*() {
      const output = yield* outputOf("start")
      assert.match(output, /DATABASE_URL\s+<redacted>\s+live/)
      assert.notInclude(output, "db.internal")
    }).pipe(Effect.provide(EmulatorTest)))
})

describe("The programs of the pages", () => {
  it.live("read their secrets, with a client of their own", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* options.program).source, "live")
      const { hosts, password, region } = yield* config.program
      assert.deepStrictEqual([Redacted.value(password), hosts, region], ["hunter2", ["a.internal", "b.internal"], "eu"])
    }).pipe(Effect.provide(EnvironmentTest)))

  it.live("read sealed snapshots while the server is down", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const emulator = yield* Emulator.Emulator
      const directory = yield* fs.makeTempDirectoryScoped()
      const given = yield* variables
      const program = Effect.withConfigProvider(
        sealed.program,
        ConfigProvider.fromMap(new Map(Object.entries({ ...given, SNAPSHOT_DIRECTORY: directory })))
      )
      assert.strictEqual(yield* program, "live")
      yield* emulator.setAvailable(false)
      assert.strictEqual(yield* program, "sealed")
    }).pipe(Effect.scoped, Effect.provide([EmulatorTest, NodeContext.layer])))

  it.live("read two projects", () =>
    Effect.gen(function*() {
      const given = yield* variables
      const emulator = yield* Emulator.Emulator
      const { clientId, clientSecret } = yield* emulator.universalAuth()
      const one = {
        credential: Credential.universalAuth({ clientId, clientSecret }),
        projectId: given.INFISICAL_PROJECT_ID,
        siteUrl: emulator.url
      }
      const found = yield* Effect.provide(twoProjects.program, twoProjects.layer(one, one))
      assert.deepStrictEqual(found.map(({ name }) => name), ["STRIPE_KEY", "SMTP_PASSWORD"])
    }).pipe(Effect.provide(EmulatorTest)))

  it.effect("read, list and write", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* reading.connectionString, "postgres://db.internal/orders")
      assert.strictEqual((yield* reading.smtpPassword).secretPath, "/mail")
      assert.include(yield* reading.names, "SNIPPET_LEGACY")
      yield* reading.write
      assert.notInclude(yield* reading.names, "CLOUD_REGION")
      assert.strictEqual(yield* errors.theme, "light")
      yield* faults.program
    }).pipe(Effect.provide(InfisicalTest)))

  it.effect("decode a manifest, and report what is wrong with it", () =>
    Effect.gen(function*() {
      const { databaseUrl, poolSize } = yield* manifest.program
      assert.deepStrictEqual([Redacted.value(databaseUrl).host, poolSize], ["db.internal", 10])
      const { message: report } = yield* Effect.flip(manifest.report)
      assert.match(report, /^2 of the secrets/)
      assert.match(report, /missing +REGION/)
      assert.match(report, /invalid +SMTP_PORT/)
    }).pipe(Effect.provide(InfisicalTest)))

  it.effect("follow a rotation", () =>
    Effect.gen(function*() {
      const emulator = yield* Emulator.Emulator
      assert.strictEqual(yield* rotation.program, "select 1 at db.internal")
      const values = yield* Effect.fork(Stream.runCollect(Stream.take(watch.features, 1)))
      assert.deepStrictEqual(Chunk.toReadonlyArray(yield* Fiber.join(values)), ["search"])
      const next = yield* Effect.fork(Stream.runCollect(Stream.take(watch.changes, 1)))
      yield* Effect.yieldNow()
      yield* emulator.setSecret({ name: "FEATURES", value: "search,dark" })
      yield* Effect.flatMap(Secrets.Secrets, (secrets) => secrets.refresh())
      assert.deepStrictEqual(Chunk.toReadonlyArray(yield* Fiber.join(next)), ["Updated"])
    }).pipe(Effect.provide(InfisicalTest)))

  it.effect("use a value of their own during an outage", () =>
    Effect.gen(function*() {
      const emulator = yield* Emulator.Emulator
      yield* emulator.setAvailable(false)
      const fiber = yield* Effect.fork(errors.themeOffline)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* Fiber.join(fiber), "light")
    }).pipe(Effect.provide(InfisicalTest)))

  it.effect("encrypt, count, and set variables", () =>
    Effect.gen(function*() {
      assert.strictEqual(Redacted.value(yield* crypto.program), "meet me at noon")
      assert.isAbove(yield* metrics.program, 0)
      const attached = yield* Effect.acquireUseRelease(
        Effect.void,
        () => processEnvironment.program,
        () => Effect.sync(() => delete process.env["SNIPPET_LEGACY"])
      )
      assert.deepStrictEqual(attached, ["SNIPPET_LEGACY"])
    }).pipe(Effect.provide(InfisicalTest)))

  it.effect("build the layers of identities without a request", () =>
    Effect.gen(function*() {
      yield* Layer.build(identities.withSecret(Redacted.make("secret")))
      yield* Layer.build(identities.InPod)
    }).pipe(Effect.scoped))
})
