/**
 * The configuration of a client: site, credential, default location, times, retries.
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
import type { InvalidCredentialError, InvalidRequestError } from "../model/InfisicalError.js"
import * as Location from "../model/Location.js"
import { defined } from "../support/defined.js"
import {
  checkCount,
  checkDuration,
  checkHeaders,
  checkProjectId,
  checkSealingKey,
  checkSiteUrl,
  checkSource,
  longestWait
} from "./checks.js"
import * as Credential from "./Credential.js"
import * as CredentialConfig from "./CredentialConfig.js"
import { optionalSecret, optionalText } from "./variables.js"

/**
 * How failed requests are retried.
 *
 * @since 0.1.0
 * @category models
 */
export interface RetryOptions {
  /** The most retries of one request. Default 3. */
  readonly times?: number
  /**
   * The pause before the first retry, at least 1 millisecond. It doubles each time, and varies by a fifth. Default 200
   * milliseconds.
   */
  readonly baseDelay?: Duration.DurationInput
  /** The longest pause that the server did not ask for, at least 1 millisecond. Default 5 seconds. */
  readonly maxDelay?: Duration.DurationInput
  /**
   * The longest time for a call, from its entry to its answer: login, retries, references and storage included. At most
   * 24 days. Default 30 seconds.
   */
  readonly deadline?: Duration.DurationInput
  /**
   * The longest pause that a server can ask for, by `retry-after` or by the reset of a rate limit. At most 24 days.
   * Default 15 minutes.
   */
  readonly maxRetryAfter?: Duration.DurationInput
}

/**
 * Which routes are used, and so who decrypts: this process (`/api/v3/secrets`), or the server (`/api/v3/secrets/raw`,
 * `/api/v4/secrets`).
 *
 * @since 0.1.0
 * @category models
 */
export type SourceKind = "end-to-end-encrypted" | "v3" | "v4"

/**
 * The options of a client.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** Proves who the client is, for example `Credential.serviceToken(token)`. */
  readonly credential: Credential.Credential | Effect.Effect<Credential.Credential, InvalidCredentialError>
  /** The URL of Infisical. A trailing `/api` is dropped. Default `https://app.infisical.com`. */
  readonly siteUrl?: string
  /** The project's id. Required, except for a service token, which belongs to one project. */
  readonly projectId?: string
  /** The project's slug. Needed only to read batches of secrets that a server of 2024 decrypts. */
  readonly projectSlug?: string
  /** Headers of every request, for example for a proxy. Their values are as secret as a token. */
  readonly headers?: Readonly<Record<string, Redacted.Redacted<string>>>
  /**
   * Which routes are used. Default: `end-to-end-encrypted` if the credential has the project key. Otherwise `v4`, or
   * `v3` if the server has no `v4`, which the first request finds out.
   */
  readonly source?: SourceKind
  /** Whether the access tokens of our logins are revoked when the layer is released. Default `false`. */
  readonly revokeOnRelease?: boolean
  /** The slug of the default environment. Default `dev`. */
  readonly environment?: string
  /** The default path. Default `/`. */
  readonly secretPath?: string
  /** How long a snapshot is fresh. Default 5 minutes. */
  readonly cacheTtl?: Duration.DurationInput
  /**
   * The age up to which a stale snapshot is returned while the server is unreachable, counted from its fetch. Default:
   * without limit.
   */
  readonly maxStale?: Duration.DurationInput
  /** How long a missing name is not looked up again. At most 24 days. Default 10 seconds. */
  readonly missTtl?: Duration.DurationInput
  /**
   * When snapshots in use are fetched again, counted from their first fetch. `false`: only on a read after `cacheTtl`.
   * Default: after three quarters of `cacheTtl`, or up to a fifth earlier, so that a read never waits; `false` if
   * `cacheTtl` is less than a second.
   */
  readonly refresh?: Schedule.Schedule<unknown> | false
  /** How long a snapshot without reads is kept up to date. Then it is evicted, in an outage after its end. Default 1 hour. */
  readonly idleTtl?: Duration.DurationInput
  /**
   * The most snapshots in the cache, from 1 to 1,000,000. The least recently used one is evicted first. Default 128.
   */
  readonly cacheCapacity?: number
  /** The age up to which a sealed snapshot is used. Default 7 days. */
  readonly sealedTtl?: Duration.DurationInput
  /**
   * The key that snapshots are sealed with: at least 32 random characters, such as the output of
   * `openssl rand -base64 32`. HKDF, which derives the keys, does not slow down guessing (RFC 5869, section 4), so a
   * password is not enough; 32 hexadecimal characters carry the 128 bits that NIST SP 800-57 wants from 2031 on.
   *
   * Default: the secret part of the credential, if it stays the same and is as long. Only Universal
   * Auth and tokens have one, so `Infisical.layerSealed` requires this option with every other login.
   */
  readonly sealingKey?: Redacted.Redacted<string>
  /** Whether references such as `${NAME}` and `${env.folder.NAME}` in values are expanded. Default `true`. */
  readonly expandReferences?: boolean
  /** The longest time for one request, until its whole answer has arrived. At most 24 days. Default 10 seconds. */
  readonly requestTimeout?: Duration.DurationInput
  /** How failed requests are retried. */
  readonly retry?: RetryOptions
  /**
   * The most bytes of a response, after decompression. A larger response is an `UnexpectedResponseError`. 100,000
   * encrypted secrets are 85 MB. At most 512 MiB. Default 128 MiB.
   */
  readonly maxResponseBytes?: number
  /** Changes the `HttpClient` that makes all requests, for example to add a header or to log. */
  readonly transformClient?: (client: HttpClient.HttpClient) => HttpClient.HttpClient
  /**
   * Whether `get` returns the value of the `ConfigProvider` (by default the environment variable) if Infisical has no
   * such secret or is unreachable. Default `true`.
   */
  readonly fallback?: boolean
  /** Whether messages of level Debug are logged at level Info. Default `false`. */
  readonly debug?: boolean
}

/**
 * The checked configuration, with its defaults.
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
  /** The option, or the secret part of the credential, which may be too short to seal with. */
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
  /** Logs at level Debug, or at level Info with the option `debug`. */
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
 * Checks the options and adds the defaults.
 *
 * Fails with `InvalidCredentialError` if the credential is malformed, and with `InvalidRequestError`, which names the
 * option, if an option is invalid.
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
    const cacheTtl = yield* checkDuration("cacheTtl", options.cacheTtl ?? "5 minutes")
    const sealingKey = yield* Effect.transposeMapOption(Option.fromNullable(options.sealingKey), checkSealingKey)
    return {
      credential,
      siteUrl: yield* checkSiteUrl(options.siteUrl ?? "https://app.infisical.com"),
      projectId: yield* checkProjectId(credential, options.projectId),
      projectSlug: Option.filter(Option.fromNullable(options.projectSlug), (slug) => slug.trim() !== ""),
      headers: { ...yield* checkHeaders(options.headers ?? {}), ...Credential.headersOf(credential) },
      source: yield* checkSource(credential, options.source),
      revokeOnRelease: options.revokeOnRelease ?? false,
      defaultLocation: yield* Location.make({
        environment: options.environment ?? "dev",
        secretPath: options.secretPath ?? "/",
        expandReferences: options.expandReferences ?? true
      }),
      cacheTtl,
      maxStale: yield* checkDuration("maxStale", options.maxStale ?? Duration.infinity),
      missTtl: yield* checkDuration("missTtl", options.missTtl ?? "10 seconds", { atMost: longestWait }),
      refresh: options.refresh === false
        ? Option.none()
        : Option.orElse(Option.fromNullable(options.refresh), () => beforeStale(cacheTtl)),
      idleTtl: yield* checkDuration("idleTtl", options.idleTtl ?? "1 hour"),
      cacheCapacity: yield* checkCount("cacheCapacity", options.cacheCapacity ?? 128, {
        atLeast: 1,
        atMost: 1_000_000
      }),
      sealedTtl: yield* checkDuration("sealedTtl", options.sealedTtl ?? "7 days"),
      sealingKey: Option.orElse(sealingKey, () => Credential.secretOf(credential)),
      requestTimeout: yield* checkDuration("requestTimeout", options.requestTimeout ?? "10 seconds", wait),
      retry: yield* checkRetry(options.retry ?? {}),
      maxResponseBytes: yield* checkCount("maxResponseBytes", options.maxResponseBytes ?? 128 * 1024 * 1024, {
        atLeast: 1,
        atMost: longestResponse
      }),
      transformClient: options.transformClient ?? identity,
      fallback: options.fallback ?? true,
      logDebug: options.debug === true ? Effect.logInfo : Effect.logDebug
    }
  })

/** A pause of zero would retry without end, and a timeout of zero would let no request through. */
const wait = { atLeast: Duration.millis(1), atMost: longestWait }

/** A JavaScript engine holds no longer text: V8's limit is 2^29 - 24 characters. */
const longestResponse = 512 * 1024 * 1024

const checkRetry = (retry: RetryOptions): Effect.Effect<Service["retry"], InvalidRequestError> =>
  Effect.all({
    times: checkCount("retry.times", retry.times ?? 3, { atLeast: 0, atMost: Infinity }),
    baseDelay: checkDuration("retry.baseDelay", retry.baseDelay ?? "200 millis", wait),
    maxDelay: checkDuration("retry.maxDelay", retry.maxDelay ?? "5 seconds", wait),
    deadline: checkDuration("retry.deadline", retry.deadline ?? "30 seconds", wait),
    maxRetryAfter: checkDuration("retry.maxRetryAfter", retry.maxRetryAfter ?? "15 minutes", { atMost: longestWait })
  })

/** With a shorter `cacheTtl` the background refreshes would be a load without use, and with zero they would never pause. */
const beforeStale = (cacheTtl: Duration.Duration): Option.Option<Schedule.Schedule<unknown>> =>
  Duration.lessThan(cacheTtl, "1 second") ? Option.none() : Option.some(scheduleBefore(cacheTtl))

/**
 * A schedule that comes before a snapshot goes stale: every three quarters of `cacheTtl`, up to a fifth earlier. Its
 * delays are whole milliseconds.
 *
 * @since 0.1.0
 * @category configuration
 */
export const scheduleBefore = (cacheTtl: Duration.Duration): Schedule.Schedule<unknown> =>
  Schedule.spaced(Duration.times(cacheTtl, 0.75)).pipe(
    Schedule.jitteredWith({ min: 0.8, max: 1 }),
    Schedule.delayed((delay) => Duration.millis(Math.round(Duration.toMillis(delay))))
  )

/**
 * A configuration for tests without a server. Its credential is made up, and it has no fallback.
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

type Headers = NonNullable<Options["headers"]>

const parseHeaders = (text: Redacted.Redacted<string>): Either.Either<Headers, ConfigError.ConfigError> => {
  const pairs = Redacted.value(text).split(/\s+/).filter((pair) => pair !== "")
  return pairs.every((pair) => pair.indexOf("=") > 0)
    ? Either.right(Object.fromEntries(pairs.map((pair) => {
      const middle = pair.indexOf("=")
      return [pair.slice(0, middle), Redacted.make(pair.slice(middle + 1))]
    })))
    : Either.left(
      ConfigError.InvalidData(
        ["INFISICAL_CUSTOM_HEADERS"],
        "INFISICAL_CUSTOM_HEADERS must be headers in the form name=value, separated by spaces"
      )
    )
}

/**
 * The options from environment variables, with the names that Infisical's own tools use. A platform adds ways to read
 * a credential. An empty variable counts as not set, and no error quotes a value.
 *
 * | variable | option |
 * | --- | --- |
 * | the variables of `CredentialConfig.fromEnvironment` | `credential` |
 * | `INFISICAL_API_URL`, else `SITE_URL` | `siteUrl` |
 * | `INFISICAL_PROJECT_ID` | `projectId` |
 * | `INFISICAL_PROJECT_SLUG` | `projectSlug` |
 * | `INFISICAL_ENVIRONMENT` | `environment` |
 * | `INFISICAL_SECRET_PATH` | `secretPath` |
 * | `INFISICAL_CUSTOM_HEADERS` | `headers`, as `name=value name=value` |
 *
 * An option that is given is used instead of its variables.
 *
 * @since 0.1.0
 * @category configuration
 */
export const fromEnvironmentOn = (
  platform: CredentialConfig.Platform,
  options: Partial<Options> = {}
): Config.Config<Options> =>
  Config.all({
    credential: options.credential === undefined
      ? CredentialConfig.fromEnvironment(platform)
      : Config.succeed(options.credential),
    apiUrl: optionalText("INFISICAL_API_URL"),
    siteUrl: optionalText("SITE_URL"),
    projectId: optionalText("INFISICAL_PROJECT_ID"),
    projectSlug: optionalText("INFISICAL_PROJECT_SLUG"),
    environment: optionalText("INFISICAL_ENVIRONMENT"),
    secretPath: optionalText("INFISICAL_SECRET_PATH"),
    headers: options.headers === undefined
      ? Config.mapOrFail(
        optionalSecret("INFISICAL_CUSTOM_HEADERS"),
        Option.match({
          onNone: () => Either.right(Option.none<Headers>()),
          onSome: (text) => Either.map(parseHeaders(text), Option.some)
        })
      )
      : Config.succeed(Option.none<Headers>())
  }).pipe(
    Config.map(({ apiUrl, credential, environment, headers, projectId, projectSlug, secretPath, siteUrl }) => ({
      ...defined({
        siteUrl: Option.getOrUndefined(Option.orElse(apiUrl, () => siteUrl)),
        projectId: Option.getOrUndefined(projectId),
        projectSlug: Option.getOrUndefined(projectSlug),
        environment: Option.getOrUndefined(environment),
        secretPath: Option.getOrUndefined(secretPath),
        headers: Option.getOrUndefined(headers)
      }),
      ...defined(options),
      credential
    }))
  )

/**
 * The options from environment variables, without what a platform adds: see `fromEnvironmentOn`.
 *
 * @since 0.1.0
 * @category configuration
 */
export const fromEnvironment: Config.Config<Options> = fromEnvironmentOn({})

/**
 * The configuration from environment variables, except for the options that are given; or from a `Config` of all options.
 *
 * A platform adds ways to read a credential from the environment. Fails with `ConfigError` if a variable is missing or
 * invalid, and with the errors of `make`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  options: Partial<Options> | Config.Config<Options> = {},
  platform: CredentialConfig.Platform = {}
): Layer.Layer<InfisicalConfig, InvalidCredentialError | InvalidRequestError | ConfigError.ConfigError> =>
  Layer.effect(
    InfisicalConfig,
    Effect.flatMap(Config.isConfig(options) ? options : fromEnvironmentOn(platform, options), make)
  )
