/**
 * The live Infisical server that the environment or `.env` names, by the variables of `Infisical.layerConfig`: its site,
 * and a service token or a machine identity. What the server, the project and the credential are is found out by asking.
 */
import { FetchHttpClient, FileSystem, HttpClient, HttpClientRequest, PlatformConfigProvider } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { Config, ConfigProvider, Effect, Layer, Option, Redacted, Ref } from "effect"
import { type Credential, Infisical, InfisicalConfig, Secrets } from "effect-infisical"
import { fileURLToPath } from "node:url"
import * as Scratch from "./scratch.js"

export interface LiveServer {
  readonly options: InfisicalConfig.Options & {
    readonly siteUrl: string
    readonly credential: Credential.Credential
  }
  /** Whether the client decrypts the project's secrets, and not the server. */
  readonly isEndToEndEncrypted: boolean
  /** Why the credential cannot write, if it cannot. */
  readonly cannotWrite: Option.Option<string>
  /** What the server, the project and the credential are. */
  readonly description: string
}

const environment = Effect.gen(function*() {
  const path = fileURLToPath(new URL("../../../../.env", import.meta.url))
  const fs = yield* FileSystem.FileSystem
  const dotEnv = (yield* fs.exists(path))
    ? yield* PlatformConfigProvider.fromDotEnv(path)
    : ConfigProvider.fromMap(new Map())
  return ConfigProvider.orElse(ConfigProvider.fromEnv(), () => dotEnv)
}).pipe(Effect.provide(NodeContext.layer))

/** One of them alone is a mistake, and must not pass for a run without a live server. */
const isNamed = Effect.map(
  Effect.forEach(
    ["INFISICAL_TOKEN", "INFISICAL_UNIVERSAL_AUTH_CLIENT_ID", "SITE_URL", "INFISICAL_API_URL"],
    (name) => Config.option(Config.nonEmptyString(name))
  ),
  (variables) => variables.some(Option.isSome)
)

/** A client of the live server, as patient as its rate limit may want it. */
export const clientOf = (options: InfisicalConfig.Options) =>
  Infisical.layer({ retry: { deadline: "2 minutes" }, fallback: false, ...options }).pipe(
    Layer.provide(FetchHttpClient.layer)
  )

/** The route by which the client lists secrets, once it knows how the project's secrets are read. */
const listRouteOf = (options: InfisicalConfig.Options) =>
  Effect.gen(function*() {
    const route = yield* Ref.make("")
    const listed = clientOf({
      ...options,
      transformClient: HttpClient.tapRequest((request) =>
        Option.match(HttpClientRequest.toUrl(request), {
          onNone: () => Effect.void,
          onSome: ({ pathname }) => pathname.includes("/secrets") ? Ref.set(route, pathname) : Effect.void
        })
      )
    })
    yield* Effect.provide(Effect.flatMap(Secrets.Secrets, (secrets) => secrets.list()), listed)
    return yield* Ref.get(route)
  })

const cannotWrite = Effect.gen(function*() {
  const secrets = yield* Secrets.Secrets
  yield* Scratch.sweep
  const name = yield* Scratch.name("PROBE")
  return yield* secrets.create(name, Redacted.make("probe")).pipe(
    Effect.as(Option.none<string>()),
    Effect.catchTags({
      PermissionError: () => Effect.succeedSome("the credential may not write there"),
      ApprovalRequiredError: () => Effect.succeedSome("writes there need an approval")
    })
  )
}).pipe(Effect.scoped)

const credentialNames = {
  ServiceToken: "a service token",
  ServiceTokenV3: "a service token v3",
  AccessToken: "an access token",
  MachineIdentity: "a machine identity"
} as const

/** The live server. None if the environment and `.env` name no server. Fails if they do and it cannot be read. */
export const find = Effect.gen(function*() {
  if (!(yield* isNamed)) return Option.none<LiveServer>()
  const variables = yield* InfisicalConfig.fromEnvironment
  const { credential, siteUrl } = yield* InfisicalConfig.make(variables)
  const options = { ...variables, credential, siteUrl }
  const route = yield* listRouteOf(options)
  const isEndToEndEncrypted = !route.includes("/raw") && !route.includes("/v4/")
  return Option.some<LiveServer>({
    options,
    isEndToEndEncrypted,
    cannotWrite: yield* Effect.provide(cannotWrite, clientOf(options)),
    description: [
      siteUrl,
      credentialNames[credential._tag],
      isEndToEndEncrypted ? "an end-to-end encrypted project" : "a project that the server decrypts",
      `lists by ${route}`,
      `environment ${options.environment ?? "dev"}`,
      `path ${options.secretPath ?? "/"}`
    ].join(", ")
  })
}).pipe((effect) => Effect.flatMap(environment, (provider) => Effect.withConfigProvider(effect, provider)))

/** What the tests leave out on this server, and why. */
export const skipped = ({ cannotWrite, isEndToEndEncrypted, options }: LiveServer): ReadonlyArray<string> => [
  ...Option.match(cannotWrite, { onNone: () => [], onSome: (reason) => [`every test that writes, since ${reason}`] }),
  ...isEndToEndEncrypted ? [] : ["a wrong project key, since the server decrypts"],
  ...options.credential._tag === "AccessToken"
    ? ["that a service token or an identity writes no personal secret, since this may be the token of a user"]
    : []
]
