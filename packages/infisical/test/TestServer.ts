/**
 * The server that behaviour tests run against: the live instance that `INFISICAL_TOKEN` and `SITE_URL` (or
 * `INFISICAL_API_URL`) name in the environment or in `.env`, else an emulator.
 */
import { FetchHttpClient, FileSystem, PlatformConfigProvider } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { Config, type ConfigError, ConfigProvider, Context, Effect, Layer, Option, Redacted } from "effect"
import { Credential, Infisical, type InfisicalConfig, Secrets } from "effect-infisical"
import { Emulator } from "effect-infisical-emulator"
import { randomBytes } from "node:crypto"
import { fileURLToPath } from "node:url"
import { era, isEndToEndEncrypted, source } from "./source.js"

/** What of a credential is to be wrong. */
type Spoiled = "secret" | "key" | undefined

export class TestServer extends Context.Tag("test/TestServer")<TestServer, {
  readonly siteUrl: string
  readonly options: (spoiled: Spoiled) => Omit<InfisicalConfig.Options, "siteUrl">
}>() {}

const environment = Effect.gen(function*() {
  const path = fileURLToPath(new URL("../../../.env", import.meta.url))
  const fs = yield* FileSystem.FileSystem
  const dotEnv = (yield* fs.exists(path))
    ? yield* PlatformConfigProvider.fromDotEnv(path)
    : ConfigProvider.fromMap(new Map())
  return ConfigProvider.orElse(ConfigProvider.fromEnv(), () => dotEnv)
}).pipe(Effect.provide(NodeContext.layer))

const token = Config.redacted("INFISICAL_TOKEN")
const siteUrl = Config.orElse(Config.nonEmptyString("SITE_URL"), () => Config.nonEmptyString("INFISICAL_API_URL"))
const site = Config.option(siteUrl)

const live = Config.all({
  token,
  siteUrl,
  environment: Config.withDefault(Config.nonEmptyString("INFISICAL_ENVIRONMENT"), "dev"),
  secretPath: Config.withDefault(Config.nonEmptyString("INFISICAL_SECRET_PATH"), "/")
})

const ofToken = (token: Redacted.Redacted<string>, spoiled: Spoiled) => ({
  credential: Credential.serviceToken(spoil(token, spoiled)),
  source
})

/** A service token where this process decrypts, a machine identity where the server does. */
const emulated = Layer.effect(
  TestServer,
  Effect.gen(function*() {
    const emulator = yield* Emulator.Emulator
    const { clientId, clientSecret } = yield* emulator.universalAuth()
    const { id: projectId, slug: projectSlug } = yield* emulator.project()
    const token = yield* emulator.serviceToken()
    return {
      siteUrl: emulator.url,
      options: (spoiled) =>
        isEndToEndEncrypted ? ofToken(token, spoiled) : {
          credential: Credential.universalAuth({
            clientId,
            clientSecret: spoiled === undefined ? clientSecret : Redacted.make("wrong")
          }),
          projectId,
          projectSlug
        }
    }
  })
).pipe(Layer.provide(Emulator.layer({
  era,
  secrets: { NAME: "value" },
  serviceTokens: { main: {} },
  identities: { main: {} }
})))

export const layer = Layer.unwrapEffect(
  Effect.gen(function*() {
    const provider = yield* environment
    const named = yield* Effect.withConfigProvider(Effect.all({ site, token: Config.option(token) }), provider)
    // One of the two alone is a mistake, and must not pass for a run against the live instance.
    const chosen: Layer.Layer<TestServer, Layer.Layer.Error<typeof emulated> | ConfigError.ConfigError> =
      Option.isNone(named.site) && Option.isNone(named.token)
        ? emulated
        : Layer.effect(
          TestServer,
          Effect.map(Effect.withConfigProvider(live, provider), ({ environment, secretPath, siteUrl, token }) => ({
            siteUrl,
            options: (spoiled) => ({ ...ofToken(token, spoiled), environment, secretPath })
          }))
        )
    return chosen
  })
)

/** A client of a site, as patient as a live instance's rate limit may want it. */
export const clientOf = (siteUrl: string, options: Omit<InfisicalConfig.Options, "siteUrl">) =>
  Infisical.layer({ retry: { deadline: "2 minutes" }, ...options, siteUrl }).pipe(Layer.provide(FetchHttpClient.layer))

/** A client of the test's server, with its token or one in which one part is another. */
export const client = (
  { spoiled, ...options }: Partial<InfisicalConfig.Options> & { readonly spoiled?: Spoiled } = {}
) =>
  Layer.unwrapEffect(
    Effect.map(TestServer, (server) => clientOf(server.siteUrl, { ...server.options(spoiled), ...options }))
  )

const spoil = (token: Redacted.Redacted<string>, part: Spoiled) => {
  const [prefix, id, secret = "", key = ""] = Redacted.value(token).split(".")
  const other = (text: string) => `${text.startsWith("0") ? "1" : "0"}${text.slice(1)}`
  const parts = [prefix, id, part === "secret" ? other(secret) : secret, part === "key" ? other(key) : key]
  return part === undefined ? token : Redacted.make(parts.join("."))
}

/** A client of a port that nobody listens on. */
export const unreachable = clientOf("http://127.0.0.1:65535", {
  credential: Credential.serviceToken(Redacted.make(`st.id.secret.${"0".repeat(32)}`))
})

/** A name that nobody else uses, of at most 100 characters; whatever the test leaves there is removed. */
export const scratchName = (name: string) =>
  Effect.acquireRelease(
    Effect.sync(() => `${randomBytes(6).toString("hex")}_${name}`.slice(0, 100)),
    (name) => Effect.flatMap(Secrets.Secrets, (secrets) => Effect.ignore(secrets.delete(name)))
  )
