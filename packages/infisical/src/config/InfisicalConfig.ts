/**
 * The one configuration that the other services read: site, credential, default location, times, retries.
 *
 * @since 0.1.0
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { identity } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import { type InvalidCredentialError, InvalidRequestError } from "../model/InfisicalError.js"
import * as Location from "../model/Location.js"
import { defined } from "../support/defined.js"
import * as Credential from "./Credential.js"
import * as CredentialConfig from "./CredentialConfig.js"

/**
 * How failed requests are repeated.
 *
 * @since 0.1.0
 * @category models
 */
export interface RetryOptions {
  /** How many times a request is repeated at most. Default 3. */
  readonly times?: number
  /** The pause before the first repetition; it doubles each time, and varies by a fifth. Default 200 milliseconds. */
  readonly baseDelay?: Duration.DurationInput
  /** The longest pause that is not the server's own wish. Default 5 seconds. */
  readonly maxDelay?: Duration.DurationInput
  /**
   * A call fails after this, from its entry to its answer: login, retries, references and storage included. Default 30
   * seconds.
   */
  readonly deadline?: Duration.DurationInput
  /**
   * The longest pause that a server can ask for, by `retry-after` or by the reset of a rate limit. Default 15 minutes.
   */
  readonly maxRetryAfter?: Duration.DurationInput
}

/**
 * Who decrypts, and by which routes: this process (`/api/v3/secrets`), or the server (`/api/v3/secrets/raw`,
 * `/api/v4/secrets`).
 *
 * @since 0.1.0
 * @category models
 */
export type SourceKind = "end-to-end-encrypted" | "v3" | "v4"

/**
 * What a user sets.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** Who we are, for example `Credential.serviceToken(token)`. */
  readonly credential: Credential.Credential | Effect.Effect<Credential.Credential, InvalidCredentialError>
  /** Where Infisical is. Default `https://app.infisical.com`. A trailing `/api` is dropped. */
  readonly siteUrl?: string
  /** The project's id. A service token has its own; every other credential needs it. */
  readonly projectId?: string
  /** The project's slug, by which servers of 2024 find batches of secrets that they decrypt. Nothing else needs it. */
  readonly projectSlug?: string
  /** Headers that every request bears, for example for a proxy. Their values are as secret as a token. */
  readonly headers?: Readonly<Record<string, Redacted.Redacted<string>>>
  /**
   * Who decrypts, and by which routes. Default: this process where the credential has the project key, and otherwise the
   * server, by `v4` where it has that and else by `v3`; which one it has is found out by the first request.
   */
  readonly source?: SourceKind
  /** Whether access tokens that we logged in for are revoked when the layer is released. Default `false`. */
  readonly revokeOnRelease?: boolean
  /** The environment where a call names none: its slug. Default `dev`. */
  readonly environment?: string
  /** The path where a call names none. Default `/`. */
  readonly secretPath?: string
  /** How long an answer is served without asking again. Default 5 minutes. */
  readonly cacheTtl?: Duration.DurationInput
  /**
   * How old an answer may become that serves on because the server cannot be asked again, counted from when the server
   * gave it. Default: without limit.
   */
  readonly maxStale?: Duration.DurationInput
  /** How long a name that was not there counts as missing before the server is asked again. Default 10 seconds. */
  readonly missTtl?: Duration.DurationInput
  /**
   * When the answers in use are fetched anew, each counted from its first fetch; `false` for only when they are read
   * after `cacheTtl`. Default: after three quarters of `cacheTtl`, up to a fifth earlier, so that a read never waits;
   * `false` where `cacheTtl` is less than a second.
   */
  readonly refresh?: Schedule.Schedule<unknown> | false
  /** How long an answer that nobody reads is fetched anew before it is dropped. Default 1 hour. */
  readonly idleTtl?: Duration.DurationInput
  /** How many answers are kept at most; the least recently used goes first. Default 128. */
  readonly cacheCapacity?: number
  /** How old a sealed snapshot may be. Default 7 days. */
  readonly sealedTtl?: Duration.DurationInput
  /** What snapshots are sealed with. Default: the secret part of the credential, where it has one that stays the same. */
  readonly sealingKey?: Redacted.Redacted<string>
  /** Whether references such as `${NAME}` and `${env.folder.NAME}` in values are replaced. Default `true`. */
  readonly expandReferences?: boolean
  /** How long one request may take, until its whole answer is here. Default 10 seconds. */
  readonly requestTimeout?: Duration.DurationInput
  /** How failed requests are repeated. */
  readonly retry?: RetryOptions
  /**
   * The most bytes that a response may have, after decompression; a larger one is an `UnexpectedResponseError`. 100,000
   * encrypted secrets are 85 MB. Default 128 MiB.
   */
  readonly maxResponseBytes?: number
  /** Changes the `HttpClient` that all requests are made with, for example to add a header or to log. */
  readonly transformClient?: (client: HttpClient.HttpClient) => HttpClient.HttpClient
  /**
   * Whether `get` answers from the current `ConfigProvider` (by default the environment variables) where Infisical has
   * no such secret or cannot be reached. Default `true`.
   */
  readonly fallback?: boolean
  /** Whether what is logged at level Debug is logged at level Info. Default `false`. */
  readonly debug?: boolean
}

/**
 * The configuration with its defaults filled in and checked.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  readonly credential: Credential.Credential
  /** Without a slash at its end. */
  readonly siteUrl: string
  readonly projectId: Option.Option<string>
  readonly projectSlug: Option.Option<string>
  readonly headers: Readonly<Record<string, Redacted.Redacted<string>>>
  readonly source: Option.Option<SourceKind>
  readonly revokeOnRelease: boolean
  readonly defaultLocation: Location.Location
  readonly cacheTtl: Duration.Duration
  readonly maxStale: Duration.Duration
  readonly missTtl: Duration.Duration
  readonly refresh: Option.Option<Schedule.Schedule<unknown>>
  readonly idleTtl: Duration.Duration
  readonly cacheCapacity: number
  readonly sealedTtl: Duration.Duration
  readonly sealingKey: Option.Option<Redacted.Redacted<string>>
  readonly requestTimeout: Duration.Duration
  readonly retry: {
    readonly times: number
    readonly baseDelay: Duration.Duration
    readonly maxDelay: Duration.Duration
    readonly deadline: Duration.Duration
    readonly maxRetryAfter: Duration.Duration
  }
  readonly maxResponseBytes: number
  readonly transformClient: (client: HttpClient.HttpClient) => HttpClient.HttpClient
  readonly fallback: boolean
  /** Logs what a user wants to read only while looking for a fault. */
  readonly logDebug: (message: string) => Effect.Effect<void>
}

/**
 * The configuration that the other services read.
 *
 * @since 0.1.0
 * @category tags
 */
export class InfisicalConfig extends Context.Tag("effect-infisical/InfisicalConfig")<InfisicalConfig, Service>() {}

/**
 * Fills in the defaults and checks everything.
 *
 * Fails with `InvalidCredentialError` where the credential is malformed, and with `InvalidRequestError` where site,
 * environment, path or a number cannot be.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options): Effect.Effect<Service, InvalidCredentialError | InvalidRequestError> =>
  Effect.isEffect(options.credential)
    ? Effect.flatMap(options.credential, (credential) => makeWith(credential, options))
    : makeWith(options.credential, options)

const makeWith = (
  credential: Credential.Credential,
  options: Omit<Options, "credential">
): Effect.Effect<Service, InvalidRequestError> =>
  Effect.gen(function*() {
    const cacheTtl = Duration.decode(options.cacheTtl ?? "5 minutes")
    return {
      credential,
      siteUrl: yield* checkSiteUrl(options.siteUrl ?? "https://app.infisical.com"),
      projectId: yield* checkProjectId(credential, options.projectId),
      projectSlug: Option.filter(Option.fromNullable(options.projectSlug), (slug) => slug.trim() !== ""),
      headers: yield* checkHeaders(options.headers ?? {}),
      source: yield* checkSource(credential, options.source),
      revokeOnRelease: options.revokeOnRelease ?? false,
      defaultLocation: yield* Location.make({
        environment: options.environment ?? "dev",
        secretPath: options.secretPath ?? "/",
        expandReferences: options.expandReferences ?? true
      }),
      cacheTtl,
      maxStale: Duration.decode(options.maxStale ?? Duration.infinity),
      missTtl: Duration.decode(options.missTtl ?? "10 seconds"),
      refresh: options.refresh === false
        ? Option.none()
        : Option.orElse(Option.fromNullable(options.refresh), () => beforeStale(cacheTtl)),
      idleTtl: Duration.decode(options.idleTtl ?? "1 hour"),
      cacheCapacity: yield* checkCount("cacheCapacity", options.cacheCapacity ?? 128, 1),
      sealedTtl: Duration.decode(options.sealedTtl ?? "7 days"),
      sealingKey: Option.orElse(Option.fromNullable(options.sealingKey), () => Credential.secretOf(credential)),
      requestTimeout: Duration.decode(options.requestTimeout ?? "10 seconds"),
      retry: {
        times: yield* checkCount("retry.times", options.retry?.times ?? 3, 0),
        baseDelay: Duration.decode(options.retry?.baseDelay ?? "200 millis"),
        maxDelay: Duration.decode(options.retry?.maxDelay ?? "5 seconds"),
        deadline: Duration.decode(options.retry?.deadline ?? "30 seconds"),
        maxRetryAfter: Duration.decode(options.retry?.maxRetryAfter ?? "15 minutes")
      },
      maxResponseBytes: yield* checkCount("maxResponseBytes", options.maxResponseBytes ?? 128 * 1024 * 1024, 1),
      transformClient: options.transformClient ?? identity,
      fallback: options.fallback ?? true,
      logDebug: options.debug === true ? Effect.logInfo : Effect.logDebug
    }
  })

// Who keeps no answer wants none fetched without a read; without a pause, no end of them would be.
const beforeStale = (cacheTtl: Duration.Duration): Option.Option<Schedule.Schedule<unknown>> =>
  Duration.lessThan(cacheTtl, "1 second")
    ? Option.none()
    : Option.some(Schedule.spaced(Duration.times(cacheTtl, 0.75)).pipe(Schedule.jitteredWith({ min: 0.8, max: 1 })))

/**
 * A configuration for tests without a server: it has a credential that no server knows, and no fallback.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerTest = (
  options: Omit<Options, "credential"> = {}
): Layer.Layer<InfisicalConfig, InvalidRequestError> =>
  Layer.effect(
    InfisicalConfig,
    makeWith(
      {
        _tag: "ServiceToken",
        id: "test",
        accessToken: Redacted.make("st.test.test"),
        key: Option.some(Redacted.make("0".repeat(32)))
      },
      { fallback: false, ...options }
    )
  )

const checkProjectId = (
  credential: Credential.Credential,
  projectId: string | undefined
): Effect.Effect<Option.Option<string>, InvalidRequestError> =>
  projectId !== undefined && projectId.trim() !== ""
    ? Effect.succeedSome(projectId.trim())
    : credential._tag === "ServiceToken" || credential._tag === "ServiceTokenV3"
    ? Effect.succeedNone
    : Effect.fail(
      new InvalidRequestError({
        parameter: "projectId",
        problem: "it is needed, since only service tokens belong to one project. It is in the project's settings."
      })
    )

const checkSource = (
  credential: Credential.Credential,
  source: SourceKind | undefined
): Effect.Effect<Option.Option<SourceKind>, InvalidRequestError> =>
  source === "end-to-end-encrypted" && !Credential.hasProjectKey(credential)
    ? Effect.fail(
      new InvalidRequestError({
        parameter: "source",
        problem: "only a service token with its key part can read what is end-to-end encrypted"
      })
    )
    : Effect.succeed(
      Option.orElse(
        Option.fromNullable(source),
        () => Credential.hasProjectKey(credential) ? Option.some("end-to-end-encrypted" as const) : Option.none()
      )
    )

const checkCount = (parameter: string, count: number, least: number): Effect.Effect<number, InvalidRequestError> =>
  (Number.isInteger(count) || count === Infinity) && count >= least
    ? Effect.succeed(count)
    : Effect.fail(new InvalidRequestError({ parameter, problem: `it must be a whole number, and at least ${least}` }))

// A header that cannot be sent would fail every request as if the server could not be reached.
const checkHeaders = (
  headers: NonNullable<Options["headers"]>
): Effect.Effect<NonNullable<Options["headers"]>, InvalidRequestError> =>
  Effect.as(
    Effect.forEach(
      Object.entries(headers),
      ([name, value]) =>
        /^[\w!#$%&'*+.^`|~-]+$/.test(name) && /^[\x20-\x7e]*$/.test(Redacted.value(value))
          ? Effect.void
          : Effect.fail(
            new InvalidRequestError({
              parameter: "headers",
              problem: "each must be a header's name, with a value of printable characters"
            })
          ),
      { discard: true }
    ),
    headers
  )

const checkSiteUrl = (siteUrl: string): Effect.Effect<string, InvalidRequestError> => {
  const trimmed = siteUrl.trim().replace(/\/+$/, "").replace(/\/api$/, "").replace(/\/+$/, "")
  const url = URL.canParse(trimmed) ? new URL(trimmed) : undefined
  return url === undefined || !/^https?:$/.test(url.protocol) || url.search !== "" || url.hash !== ""
      || url.username !== "" || url.password !== ""
    ? Effect.fail(
      new InvalidRequestError({
        parameter: "siteUrl",
        problem: "it must be a URL that begins with http:// or https://, such as https://app.infisical.com"
      })
    )
    : Effect.succeed(trimmed)
}

/**
 * The configuration from options.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: Options
): Layer.Layer<InfisicalConfig, InvalidCredentialError | InvalidRequestError> =>
  Layer.effect(InfisicalConfig, make(options))

const parseHeaders = (
  text: Redacted.Redacted<string>
): Either.Either<NonNullable<Options["headers"]>, ConfigError.ConfigError> => {
  const pairs = Redacted.value(text).split(/\s+/).filter((pair) => pair !== "")
  return pairs.every((pair) => pair.indexOf("=") > 0)
    ? Either.right(Object.fromEntries(pairs.map((pair) => {
      const middle = pair.indexOf("=")
      return [pair.slice(0, middle), Redacted.make(pair.slice(middle + 1))]
    })))
    : Either.left(
      ConfigError.InvalidData(
        ["INFISICAL_CUSTOM_HEADERS"],
        "INFISICAL_CUSTOM_HEADERS must be headers as name=value, separated by spaces"
      )
    )
}

/**
 * The options from environment variables, by the names that Infisical's own tools use:
 *
 * | variable | option |
 * | --- | --- |
 * | those of `CredentialConfig.fromEnvironment` | `credential` |
 * | `INFISICAL_API_URL`, else `SITE_URL` | `siteUrl` |
 * | `INFISICAL_PROJECT_ID` | `projectId` |
 * | `INFISICAL_ENVIRONMENT` | `environment` |
 * | `INFISICAL_SECRET_PATH` | `secretPath` |
 * | `INFISICAL_CUSTOM_HEADERS` | `headers`, as `name=value name=value` |
 *
 * @since 0.1.0
 * @category configuration
 */
export const fromEnvironmentOn = (platform: CredentialConfig.Platform): Config.Config<Options> =>
  Config.all({
    credential: CredentialConfig.fromEnvironment(platform),
    siteUrl: Config.option(
      Config.orElse(Config.nonEmptyString("INFISICAL_API_URL"), () => Config.nonEmptyString("SITE_URL"))
    ),
    projectId: Config.option(Config.nonEmptyString("INFISICAL_PROJECT_ID")),
    environment: Config.option(Config.nonEmptyString("INFISICAL_ENVIRONMENT")),
    secretPath: Config.option(Config.nonEmptyString("INFISICAL_SECRET_PATH")),
    headers: Config.option(Config.mapOrFail(Config.redacted("INFISICAL_CUSTOM_HEADERS"), parseHeaders))
  }).pipe(
    Config.map(({ credential, environment, headers, projectId, secretPath, siteUrl }) => ({
      credential,
      ...defined({
        siteUrl: Option.getOrUndefined(siteUrl),
        projectId: Option.getOrUndefined(projectId),
        environment: Option.getOrUndefined(environment),
        secretPath: Option.getOrUndefined(secretPath),
        headers: Option.getOrUndefined(headers)
      })
    }))
  )

/**
 * `fromEnvironmentOn` any platform.
 *
 * @since 0.1.0
 * @category configuration
 */
export const fromEnvironment: Config.Config<Options> = fromEnvironmentOn({})

/**
 * The configuration from a `Config`, by default from environment variables.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  config: Config.Config.Wrap<Options> = fromEnvironment
): Layer.Layer<InfisicalConfig, InvalidCredentialError | InvalidRequestError | ConfigError.ConfigError> =>
  Layer.effect(InfisicalConfig, Effect.flatMap(Config.unwrap(config), make))
