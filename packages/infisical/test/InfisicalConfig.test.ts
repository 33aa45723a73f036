import { assert, describe, it } from "@effect/vitest"
import { Cause, Config, ConfigProvider, Duration, Effect, Exit, Option, Redacted } from "effect"
import { Credential, InfisicalConfig } from "effect-infisical"
import { inspect } from "node:util"
import { checkSiteUrl } from "../src/config/checks.js"

const token = `st.id.secret.${"0".repeat(32)}`
const credential = Credential.serviceToken(Redacted.make(token))

/**
 * The error of options that must be refused. Without the configuration of those that are not: a test that fails with it
 * prints it, and Vitest spends minutes on the graph of its layers and schedules.
 */
const refusal = (options: InfisicalConfig.Options) => Effect.flip(Effect.asVoid(InfisicalConfig.make(options)))

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
      "https://example.com/infisical": "https://example.com/infisical",
      " https://example.com/infisical/api/ ": "https://example.com/infisical",
      "HTTPS://Example.COM:443": "https://example.com",
      "https://[::1]:8080/": "https://[::1]:8080",
      "https://exämple.com": "https://xn--exmple-cua.com",
      "https://example.com/geheim/ä": "https://example.com/geheim/%C3%A4",
      "https://example.com/a/../b@c/": "https://example.com/b@c"
    })
  ) {
    it.effect(`reads the site ${given} as ${used}`, () =>
      Effect.gen(function*() {
        assert.strictEqual((yield* InfisicalConfig.make({ credential, siteUrl: given })).siteUrl, used)
      }))
  }

  it.effect("reads a site with a letter such as ä however often it is asked", () =>
    Effect.gen(function*() {
      for (let time = 0; time < 20_000; time++) {
        assert.strictEqual(yield* checkSiteUrl("https://exämple.com"), "https://xn--exmple-cua.com")
      }
    }))

  for (
    const siteUrl of [
      "",
      "infisical.example.com",
      "ftp://example.com",
      "https://user:pw@example.com",
      "https://user@example.com",
      "https://@example.com",
      "https://:@example.com",
      "https://a?b",
      "https://a?",
      "https://a/?",
      "https://a/api?",
      "https://a#b",
      "https://a#",
      "https://a/#",
      "https://a/#/api",
      "https://a b",
      "https://a/b c",
      "https://a/\tb",
      "https://a\nb",
      "https://a/b\u00a0c",
      "https://a\\b",
      "https:\\\\a",
      "https:a",
      "https:/a",
      "https://",
      "https:///a",
      "https://a:65536",
      "https://a%",
      "javascript:alert(1)//https://a"
    ]
  ) {
    it.effect(`refuses the site ${JSON.stringify(siteUrl)} before any request`, () =>
      Effect.gen(function*() {
        const error = yield* refusal({ credential, siteUrl })
        assert.include(error, { _tag: "InvalidRequestError", parameter: "siteUrl" })
      }))
  }

  it.effect("refuses a default path without a leading slash, and an empty environment", () =>
    Effect.gen(function*() {
      const path = yield* refusal({ credential, secretPath: "foo" })
      assert.include(path, { _tag: "InvalidRequestError", parameter: "secretPath" })
      const environment = yield* refusal({ credential, environment: " " })
      assert.include(environment, { _tag: "InvalidRequestError", parameter: "environment" })
    }))

  for (
    const [parameter, options] of [
      ["cacheCapacity", { cacheCapacity: 0 }],
      ["cacheCapacity", { cacheCapacity: -1 }],
      ["cacheCapacity", { cacheCapacity: 1.5 }],
      ["cacheCapacity", { cacheCapacity: 1_000_001 }],
      ["cacheCapacity", { cacheCapacity: Infinity }],
      ["cacheCapacity", { cacheCapacity: Number.NaN }],
      ["maxResponseBytes", { maxResponseBytes: 0 }],
      ["maxResponseBytes", { maxResponseBytes: Number.NaN }],
      ["maxResponseBytes", { maxResponseBytes: Infinity }],
      ["retry.times", { retry: { times: -1 } }],
      ["retry.times", { retry: { times: 1.5 } }],
      ["retry.times", { retry: { times: Number.NaN } }]
    ] as const
  ) {
    it.effect(`refuses ${inspect(options)}, and names the option`, () =>
      Effect.gen(function*() {
        const error = yield* refusal({ credential, ...options })
        assert.include(error, { _tag: "InvalidRequestError", parameter })
      }))
  }

  const negative: ReadonlyArray<Duration.DurationInput> = [-1, Number.NaN, -Infinity, -1n, "-5 minutes", [-1, 0], [
    0,
    Number.NaN
  ]]
  const endless: ReadonlyArray<Duration.DurationInput> = [Infinity, Duration.infinity, "25 days", 2 ** 31]
  const durations: Readonly<
    Record<string, {
      readonly set: (duration: Duration.DurationInput) => Partial<InfisicalConfig.Options>
      readonly refused: ReadonlyArray<Duration.DurationInput>
      readonly taken: ReadonlyArray<Duration.DurationInput>
    }>
  > = {
    cacheTtl: { set: (cacheTtl) => ({ cacheTtl }), refused: [], taken: [0, "1 millis", "365 days", Infinity] },
    maxStale: { set: (maxStale) => ({ maxStale }), refused: [], taken: [0, "365 days", Infinity] },
    missTtl: { set: (missTtl) => ({ missTtl }), refused: endless, taken: [0, "24 days"] },
    idleTtl: { set: (idleTtl) => ({ idleTtl }), refused: [], taken: [0, "365 days", Infinity] },
    sealedTtl: { set: (sealedTtl) => ({ sealedTtl }), refused: [], taken: [0, "365 days", Infinity] },
    requestTimeout: {
      set: (requestTimeout) => ({ requestTimeout }),
      refused: [0, "999 micros", ...endless],
      taken: [1, "24 days"]
    },
    "retry.baseDelay": {
      set: (baseDelay) => ({ retry: { baseDelay } }),
      refused: [0, ...endless],
      taken: [1, "1 minutes"]
    },
    "retry.maxDelay": { set: (maxDelay) => ({ retry: { maxDelay } }), refused: [0, ...endless], taken: [1, "1 hours"] },
    "retry.deadline": { set: (deadline) => ({ retry: { deadline } }), refused: [0, ...endless], taken: [1, "24 days"] },
    "retry.maxRetryAfter": {
      set: (maxRetryAfter) => ({ retry: { maxRetryAfter } }),
      refused: endless,
      taken: [0, "24 days"]
    }
  }

  for (const [parameter, { refused, set, taken }] of Object.entries(durations)) {
    it.effect(`refuses a ${parameter} that is negative, no number, or cannot be waited for`, () =>
      Effect.gen(function*() {
        for (const duration of [...negative, ...refused]) {
          const exit = yield* Effect.exit(InfisicalConfig.make({ credential, ...set(duration) }))
          const error = Exit.isFailure(exit) ? Option.getOrUndefined(Cause.failureOption(exit.cause)) : undefined
          assert.include(error, { _tag: "InvalidRequestError", parameter }, inspect(duration))
        }
      }))

    it.effect(`takes every other ${parameter} as it is`, () =>
      Effect.gen(function*() {
        for (const duration of taken) {
          const config = yield* InfisicalConfig.make({ credential, ...set(duration) })
          const all: Readonly<Record<string, unknown>> = {
            ...config,
            ...Object.fromEntries(Object.entries(config.retry).map(([name, value]) => [`retry.${name}`, value]))
          }
          assert.deepStrictEqual(all[parameter], Duration.decode(duration))
        }
      }))
  }

  it.effect("refuses a duration that is no duration, which a program without types can pass", () =>
    Effect.gen(function*() {
      for (const duration of ["5 parsecs", "", "minutes", null, {}, true]) {
        const options = { credential, ...JSON.parse(JSON.stringify({ idleTtl: duration })) }
        if (duration === null) continue
        const error = yield* refusal(options)
        assert.include(error, { _tag: "InvalidRequestError", parameter: "idleTtl" })
      }
    }))

  const random = "6b1f0c5d9a7e4f3286d0b4a1c9e85f70"

  for (
    const sealingKey of ["", " ", "short", random.slice(1), ` ${random.slice(1)} `, " ".repeat(64), `${random}\ud800`]
  ) {
    it.effect(`refuses the sealing key ${JSON.stringify(sealingKey)}, and does not quote it`, () =>
      Effect.gen(function*() {
        const error = yield* refusal({ credential, sealingKey: Redacted.make(sealingKey) })
        assert.include(error, { _tag: "InvalidRequestError", parameter: "sealingKey" })
        if (sealingKey.trim().length > 4) assert.notInclude(inspect(error), sealingKey.trim())
      }))
  }

  it.effect("takes a sealing key of 32 characters", () =>
    Effect.gen(function*() {
      const { sealingKey } = yield* InfisicalConfig.make({ credential, sealingKey: Redacted.make(random) })
      assert.deepStrictEqual(sealingKey, Option.some(Redacted.make(random)))
    }))

  it.effect("derives no sealing key from the password of LDAP, which can be guessed", () =>
    Effect.gen(function*() {
      const ldap = Credential.ldapAuth({
        identityId: "identity",
        username: "me",
        password: Redacted.make(random)
      })
      const { sealingKey } = yield* InfisicalConfig.make({ credential: ldap, projectId: "project" })
      assert.deepStrictEqual(sealingKey, Option.none())
    }))

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

describe("Infisical.layerConfig", () => {
  const variables = {
    INFISICAL_TOKEN: token,
    INFISICAL_API_URL: "https://infisical.example.com",
    INFISICAL_ENVIRONMENT: "prod",
    INFISICAL_SECRET_PATH: "/app"
  }
  const configured = (
    environment: Readonly<Record<string, string>>,
    options?: Parameters<typeof InfisicalConfig.layerConfig>[0]
  ) =>
    InfisicalConfig.InfisicalConfig.pipe(
      Effect.provide(InfisicalConfig.layerConfig(options)),
      Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(environment))))
    )

  it.effect("takes the given options, and the rest from the environment", () =>
    Effect.gen(function*() {
      const config = yield* configured(variables, { cacheTtl: "1 minute", environment: "staging" })
      assert.strictEqual(Duration.toSeconds(config.cacheTtl), 60)
      assert.include(config.defaultLocation, { environment: "staging", secretPath: "/app" })
      assert.strictEqual(config.siteUrl, "https://infisical.example.com")
      assert.strictEqual(config.credential._tag, "ServiceToken")
    }))

  it.effect("does not read the variables of an option that is given", () =>
    Effect.gen(function*() {
      const options = { credential: Credential.serviceToken(Redacted.make(token)), headers: {} }
      const config = yield* configured({ INFISICAL_TOKEN: " malformed ", INFISICAL_CUSTOM_HEADERS: "none" }, options)
      assert.strictEqual(config.credential._tag, "ServiceToken")
    }))

  it.effect("takes nothing from the environment where a Config of all options is given", () =>
    Effect.gen(function*() {
      const nested = Config.nested(InfisicalConfig.fromEnvironment, "SHOP")
      const config = yield* configured({ ...variables, "SHOP.INFISICAL_TOKEN": token }, nested)
      assert.strictEqual(config.defaultLocation.environment, "dev")
    }))
})
