import { assert, describe, it } from "@effect/vitest"
import { Config, ConfigProvider, Duration, Effect, Redacted } from "effect"
import { Credential, InfisicalConfig } from "effect-infisical"

const token = `st.id.secret.${"0".repeat(32)}`
const credential = Credential.serviceToken(Redacted.make(token))

const load = (variables: Record<string, string>) =>
  Effect.flatMap(InfisicalConfig.fromEnvironment, InfisicalConfig.make).pipe(
    Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(variables))))
  )

describe("InfisicalConfig", () => {
  it.effect("has the legacy client's defaults", () =>
    Effect.gen(function*() {
      const config = yield* InfisicalConfig.make({ credential })
      assert.strictEqual(config.siteUrl, "https://app.infisical.com")
      assert.strictEqual(config.defaultLocation.environment, "dev")
      assert.strictEqual(config.defaultLocation.secretPath, "/")
      assert.isTrue(config.defaultLocation.includeImports)
      assert.deepStrictEqual(config.cacheTtl, Duration.minutes(5))
      assert.isTrue(config.fallback)
    }))

  for (
    const [given, used] of Object.entries({
      "https://infisical.example.com": "https://infisical.example.com",
      "https://infisical.example.com/": "https://infisical.example.com",
      "https://infisical.example.com/api": "https://infisical.example.com",
      "https://infisical.example.com/api/": "https://infisical.example.com",
      "http://127.0.0.1:8080": "http://127.0.0.1:8080",
      "https://example.com/infisical": "https://example.com/infisical"
    })
  ) {
    it.effect(`reads the site ${given} as ${used}`, () =>
      Effect.gen(function*() {
        assert.strictEqual((yield* InfisicalConfig.make({ credential, siteUrl: given })).siteUrl, used)
      }))
  }

  for (
    const siteUrl of ["", "infisical.example.com", "ftp://example.com", "https://user:pw@example.com", "https://a?b"]
  ) {
    it.effect(`refuses the site "${siteUrl}" before any request`, () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(InfisicalConfig.make({ credential, siteUrl }))
        assert.include(error, { _tag: "InvalidRequestError", parameter: "siteUrl" })
      }))
  }

  it.effect("refuses a default path without a leading slash, and an empty environment", () =>
    Effect.gen(function*() {
      const path = yield* Effect.flip(InfisicalConfig.make({ credential, secretPath: "foo" }))
      assert.include(path, { _tag: "InvalidRequestError", parameter: "secretPath" })
      const environment = yield* Effect.flip(InfisicalConfig.make({ credential, environment: " " }))
      assert.include(environment, { _tag: "InvalidRequestError", parameter: "environment" })
    }))

  for (
    const [parameter, options] of [
      ["cacheCapacity", { cacheCapacity: 0 }],
      ["cacheCapacity", { cacheCapacity: Number.NaN }],
      ["retry.times", { retry: { times: -1 } }],
      ["retry.times", { retry: { times: 1.5 } }]
    ] as const
  ) {
    it.effect(`refuses ${JSON.stringify(options)}, and names the option`, () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(InfisicalConfig.make({ credential, ...options }))
        assert.include(error, { _tag: "InvalidRequestError", parameter })
      }))
  }

  it.effect("reads the variables that Infisical's own tools use", () =>
    Effect.gen(function*() {
      const config = yield* load({
        INFISICAL_TOKEN: token,
        INFISICAL_API_URL: "https://infisical.example.com/api",
        SITE_URL: "https://other.example.com",
        INFISICAL_ENVIRONMENT: "prod",
        INFISICAL_SECRET_PATH: "/folder"
      })
      assert.strictEqual(config.siteUrl, "https://infisical.example.com")
      assert.strictEqual(config.defaultLocation.environment, "prod")
      assert.strictEqual(config.defaultLocation.secretPath, "/folder")
    }))

  it.effect("reads SITE_URL where INFISICAL_API_URL is missing or empty", () =>
    Effect.gen(function*() {
      const missing = yield* load({ INFISICAL_TOKEN: token, SITE_URL: "https://other.example.com" })
      assert.strictEqual(missing.siteUrl, "https://other.example.com")
      const empty = yield* load({
        INFISICAL_TOKEN: token,
        INFISICAL_API_URL: "",
        SITE_URL: "https://other.example.com"
      })
      assert.strictEqual(empty.siteUrl, "https://other.example.com")
    }))

  it.effect("names the variable that is missing", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(load({}))
      assert.include(String(error), "INFISICAL_TOKEN")
    }))

  it.effect("takes a Config of one's own for each option", () =>
    Effect.gen(function*() {
      const options = Config.unwrap({
        credential: Config.succeed(credential),
        environment: Config.string("STAGE")
      })
      const config = yield* Effect.flatMap(options, InfisicalConfig.make).pipe(
        Effect.withConfigProvider(ConfigProvider.fromMap(new Map([["STAGE", "staging"]])))
      )
      assert.strictEqual(config.defaultLocation.environment, "staging")
    }))
})
