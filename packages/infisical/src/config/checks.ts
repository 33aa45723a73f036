/** Checks of options before any request. Each fails with `InvalidRequestError`, which names the option. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { InvalidRequestError } from "../model/InfisicalError.js"
import { checkWellFormed } from "../model/wellFormed.js"
import * as Credential from "./Credential.js"
import type { SourceKind } from "./InfisicalConfig.js"

type Headers = Readonly<Record<string, Redacted.Redacted<string>>>

const invalid = (parameter: string, problem: string) => Effect.fail(new InvalidRequestError({ parameter, problem }))

/** A whole number within bounds. */
export const checkCount = (
  parameter: string,
  count: number,
  { atLeast, atMost }: { readonly atLeast: number; readonly atMost: number }
): Effect.Effect<number, InvalidRequestError> =>
  (Number.isInteger(count) || count === Infinity) && count >= atLeast && count <= atMost
    ? Effect.succeed(count)
    : invalid(
      parameter,
      `it must be a whole number of at least ${atLeast}${atMost === Infinity ? "" : ` and at most ${atMost}`}`
    )

/** `setTimeout` takes 31 bits of milliseconds. A wait that is longer would never end. */
export const longestWait = Duration.days(24)

/** A duration within bounds. Effect reads a negative duration and `NaN` as zero; here they are mistakes. */
export const checkDuration = (
  parameter: string,
  input: Duration.DurationInput,
  { atLeast = Duration.zero, atMost = Duration.infinity }: {
    readonly atLeast?: Duration.Duration
    readonly atMost?: Duration.Duration
  } = {}
): Effect.Effect<Duration.Duration, InvalidRequestError> => {
  const duration = isNegative(input) ? Option.none() : Duration.decodeUnknown(input)
  return Option.isSome(duration) && Duration.between(duration.value, { minimum: atLeast, maximum: atMost })
    ? Effect.succeed(duration.value)
    : invalid(
      parameter,
      `it must be a duration, such as "5 minutes", of at least ${Duration.format(atLeast)}${
        Duration.isFinite(atMost) ? ` and at most ${Duration.format(atMost)}` : ""
      }`
    )
}

const isNegative = (input: Duration.DurationInput): boolean =>
  typeof input === "string"
    ? input.startsWith("-")
    : typeof input === "number"
    ? !(input >= 0)
    : typeof input === "bigint"
    ? input < 0n
    : Array.isArray(input) && input.some((part) => !(part >= 0))

/**
 * The fewest characters of a key that snapshots are sealed with.
 *
 * The key is derived by HKDF, which does not slow down guessing (RFC 5869, section 4), so the input itself must be as
 * strong as the key has to be. NIST SP 800-57 part 1 rev. 5, section 5.6.1, wants 128 bits from 2031 on. Random
 * characters of the weakest usual encoding, hexadecimal, carry 4 bits each.
 */
const shortestSealingKey = 32

/** A key that snapshots can be sealed with. */
export const checkSealingKey = (
  key: Redacted.Redacted<string>
): Effect.Effect<Redacted.Redacted<string>, InvalidRequestError> =>
  Effect.suspend(() =>
    Redacted.value(key).trim().length >= shortestSealingKey
      ? Effect.as(checkWellFormed("sealingKey", Redacted.value(key)), key)
      : invalid(
        "sealingKey",
        `it must have at least ${shortestSealingKey} characters, and they must be random, such as the output of "openssl rand -base64 32"`
      )
  )

/** Headers that can be sent. One that cannot would fail every request as if the server could not be reached. */
export const checkHeaders = (headers: Headers): Effect.Effect<Headers, InvalidRequestError> =>
  Object.entries(headers).every(([name, value]) =>
      /^[\w!#$%&'*+.^`|~-]+$/.test(name) && /^[\x20-\x7e]*$/.test(Redacted.value(value))
    )
    ? Effect.succeed(headers)
    : invalid("headers", "each must be the name of a header, with a value of printable characters")

/**
 * The URL that the paths of routes are appended to: without a slash at its end, and without `/api`.
 *
 * The URL parser drops what a route cannot be appended to (`?`, `#`) only if nothing follows it, corrects `https:/host`,
 * `https:///host` and backslashes, and removes line breaks. So the text is checked as well.
 */
export const checkSiteUrl = (siteUrl: string): Effect.Effect<string, InvalidRequestError> => {
  const text = siteUrl.trim()
  const url = /^https?:\/\/[^\s\\?#/][^\s\\?#]*$/i.test(text) ? parseUrl(text) : Option.none()
  return Option.isNone(url) || (text.split("/")[2] ?? "").includes("@")
    ? invalid(
      "siteUrl",
      "it must be a URL that begins with http:// or https://, such as https://app.infisical.com, without user name, query, fragment and spaces"
    )
    : Effect.succeed(
      `${url.value.origin}${url.value.pathname.replace(/\/+$/, "").replace(/\/api$/, "").replace(/\/+$/, "")}`
    )
}

// Not `URL.canParse`: that of Node 20 denies a host with a letter such as "ä" after some thousand calls.
const parseUrl = Option.liftThrowable((text: string) => new URL(text))

/** The project's id. A service token brings its own. */
export const checkProjectId = (
  credential: Credential.Credential,
  projectId: string | undefined
): Effect.Effect<Option.Option<string>, InvalidRequestError> =>
  projectId !== undefined && projectId.trim() !== ""
    ? Effect.succeedSome(projectId.trim())
    : credential._tag === "ServiceToken" || credential._tag === "ServiceTokenV3"
    ? Effect.succeedNone
    : invalid(
      "projectId",
      credential._tag === "AccessToken"
        ? "an access token needs it. Set projectId or INFISICAL_PROJECT_ID to the id from the project's settings. If the token was meant to be a service token: those begin with st."
        : "a machine identity needs it. Set projectId or INFISICAL_PROJECT_ID to the id from the project's settings."
    )

/** The routes, as far as they are known before the first request. */
export const checkSource = (
  credential: Credential.Credential,
  source: SourceKind | undefined
): Effect.Effect<Option.Option<SourceKind>, InvalidRequestError> =>
  source === "end-to-end-encrypted" && !Credential.hasProjectKey(credential)
    ? invalid("source", "only a service token with its key part can read end-to-end encrypted secrets")
    : Effect.succeed(
      Option.orElse(
        Option.fromNullable(source),
        () => Credential.hasProjectKey(credential) ? Option.some("end-to-end-encrypted" as const) : Option.none()
      )
    )
