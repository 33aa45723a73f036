/** The programs of the packages' README files run. */
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer, Redacted } from "effect"
import { Infisical, Secrets } from "effect-infisical"
import { Emulator } from "effect-infisical-emulator"
import { InfisicalTest as WithoutPort } from "../snippets/emulatorWithoutPort.js"
import * as withConfig from "../snippets/infisicalConfig.js"
import * as errors from "../snippets/infisicalErrors.js"
import * as manifest from "../snippets/infisicalManifest.js"
import * as options from "../snippets/infisicalOptions.js"
import * as inMemory from "../snippets/infisicalTest.js"
import * as writes from "../snippets/infisicalWrites.js"
import * as nodeEnvironment from "../snippets/nodeEnvironment.js"
import { outputOf, variables } from "./support/programs.js"

const EmulatorTest = Emulator.layer({
  identities: { main: {} },
  projects: {
    main: {
      folders: {
        dev: {
          "/": { secrets: { DATABASE_URL: "postgres://db.internal/orders", DATABASE_PASSWORD: "hunter2" } },
          "/billing": { secrets: { STRIPE_KEY: "key" } }
        }
      }
    }
  }
})

const EnvironmentTest = Layer.unwrapEffect(
  Effect.map(
    variables,
    (variables) => Layer.setConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(variables))))
  )
).pipe(Layer.provideMerge(EmulatorTest))

const InfisicalTest = Infisical.layerConfig().pipe(
  Layer.provide(Emulator.layerHttpClient),
  Layer.provideMerge(EnvironmentTest)
)

describe("The first program of a README", () => {
  for (const name of ["infisicalStart", "nodeStart"]) {
    it.live(`runs as a process, and prints no value: ${name}`, () =>
      Effect.gen(function*() {
        const output = yield* outputOf(name)
        assert.include(output, "DATABASE_URL, version 1: <redacted>")
      }).pipe(Effect.provide(EmulatorTest)))
  }
})

describe("The common tasks of a README", () => {
  it.effect("handle a missing secret, decode a manifest, write, and attach", () =>
    Effect.gen(function*() {
      yield* errors.program
      yield* manifest.program
      yield* writes.program
      const before = process.env["STRIPE_KEY"]
      yield* nodeEnvironment.program
      assert.strictEqual(process.env["STRIPE_KEY"], "key")
      if (before === undefined) delete process.env["STRIPE_KEY"]
      else process.env["STRIPE_KEY"] = before
    }).pipe(Effect.provide(InfisicalTest)))

  it.live("read a Config", () =>
    Effect.gen(function*() {
      assert.strictEqual(Redacted.value(yield* withConfig.program), "hunter2")
    }).pipe(Effect.provide(EnvironmentTest)))

  it.effect("test in memory, and build the layer of options", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* inMemory.test, "postgres://localhost/test")
      yield* Layer.build(options.InfisicalLive)
    }).pipe(Effect.scoped))

  it.effect("read without a socket", () =>
    Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      assert.strictEqual(Redacted.value((yield* secrets.get("NAME")).value), "value")
    }).pipe(Effect.provide(WithoutPort)))
})
