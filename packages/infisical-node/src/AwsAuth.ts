/**
 * Machine identities that log in by AWS IAM: the credentials of AWS sign a `GetCallerIdentity`.
 *
 * This is an entry point of its own, `effect-infisical-node/AwsAuth`, which alone loads `aws4fetch`.
 *
 * @since 0.1.0
 */
import { AwsV4Signer } from "aws4fetch"
import { Credential, InfisicalError } from "effect-infisical"
import * as Clock from "effect/Clock"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Encoding from "effect/Encoding"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"

/**
 * Credentials of AWS.
 *
 * @since 0.1.0
 * @category models
 */
export interface AwsCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: Redacted.Redacted<string>
  /** Of temporary credentials. */
  readonly sessionToken?: Redacted.Redacted<string> | undefined
}

/**
 * The options of `awsAuth`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends Credential.OrganizationOptions {
  /** The machine identity's id in Infisical. */
  readonly identityId: string
  /** The region whose STS is called. Default: `AWS_REGION` of the current `ConfigProvider`, else `us-east-1`. */
  readonly region?: string | undefined
  /**
   * Runs at each login, since they rotate. Default: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and, if it is set and
   * not empty, `AWS_SESSION_TOKEN` of the current `ConfigProvider`.
   */
  readonly credentials?: Effect.Effect<AwsCredentials, InfisicalError.InvalidCredentialError> | undefined
}

/**
 * A machine identity that logs in by AWS IAM. Sealed snapshots require the option `sealingKey`.
 *
 * Fails with `InvalidCredentialError` if the identity's id is empty. A login fails with it if the credentials are
 * missing or cannot sign.
 *
 * @example
 * ```ts
 * import * as AwsAuth from "effect-infisical-node/AwsAuth"
 *
 * const credential = AwsAuth.awsAuth({ identityId: "<identity id>" })
 * ```
 *
 * With the credentials of an instance, a task or a profile, by `@aws-sdk/credential-providers`:
 *
 * ```ts
 * import { Effect, Redacted } from "effect"
 * import { InfisicalError } from "effect-infisical"
 *
 * // `fromNodeProviderChain()`
 * declare const provide: () => Promise<{
 *   readonly accessKeyId: string
 *   readonly secretAccessKey: string
 *   readonly sessionToken?: string
 * }>
 *
 * const credentials = Effect.tryPromise({
 *   try: () => provide(),
 *   catch: () => new InfisicalError.InvalidCredentialError({ part: "AWS credentials", problem: "are missing" })
 * }).pipe(Effect.map(({ accessKeyId, secretAccessKey, sessionToken }) => ({
 *   accessKeyId,
 *   secretAccessKey: Redacted.make(secretAccessKey),
 *   sessionToken: sessionToken === undefined ? undefined : Redacted.make(sessionToken)
 * })))
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const awsAuth = (
  { credentials = fromConfig, region, ...options }: Options
): Effect.Effect<Credential.MachineIdentity, InfisicalError.InvalidCredentialError> =>
  Credential.awsAuth({
    ...options,
    sign: Effect.flatMap(credentials, (credentials) => signedRequest(credentials, region))
  })

const signedRequest = (
  { accessKeyId, secretAccessKey, sessionToken: givenSessionToken }: AwsCredentials,
  region: string | undefined
): Effect.Effect<Credential.SignedAwsRequest, InfisicalError.InvalidCredentialError> =>
  Effect.gen(function*() {
    // A shell that has no session token often exports an empty one.
    const sessionToken = givenSessionToken === undefined ? "" : Redacted.value(givenSessionToken).trim()
    const host = `sts.${region ?? (yield* configuredRegion)}.amazonaws.com`
    const now = yield* Clock.currentTimeMillis
    const signer = yield* Effect.try({
      try: () =>
        new AwsV4Signer({
          method,
          url: `https://${host}/`,
          headers: { "content-type": "application/x-www-form-urlencoded; charset=utf-8" },
          body,
          accessKeyId,
          secretAccessKey: Redacted.value(secretAccessKey),
          ...sessionToken !== "" && { sessionToken },
          service: "sts",
          datetime: new Date(now).toISOString().replace(/[-:]|\.\d+/g, "")
        }),
      catch: () => malformed
    })
    const signed = yield* Effect.tryPromise({ try: () => signer.sign(), catch: () => malformed })
    return {
      iamHttpRequestMethod: method,
      iamRequestBody: Encoding.encodeBase64(body),
      iamRequestHeaders: Redacted.make(Encoding.encodeBase64(JSON.stringify({
        ...Object.fromEntries([...signed.headers].map(([name, value]) => [capitalized(name), value])),
        "Content-Length": String(body.length),
        Host: host
      }))),
      signedWith: Redacted.make([host, accessKeyId, Redacted.value(secretAccessKey), sessionToken].join(" "))
    }
  })

const method = "POST"

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html */
const body = "Action=GetCallerIdentity&Version=2011-06-15"

const malformed = new InfisicalError.InvalidCredentialError({
  part: "AWS credentials",
  problem: "cannot sign: check access key id, secret access key and region"
})

// As Infisical's own clients write them. The server looks for `Authorization` with a capital.
const capitalized = (name: string): string =>
  name.split("-").map((word) => `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`).join("-")

const configuredRegion = Effect.orElseSucceed(Config.nonEmptyString("AWS_REGION"), () => "us-east-1")

const fromConfig: Effect.Effect<AwsCredentials, InfisicalError.InvalidCredentialError> = Effect.mapError(
  Config.all({
    accessKeyId: Config.nonEmptyString("AWS_ACCESS_KEY_ID"),
    secretAccessKey: Config.redacted("AWS_SECRET_ACCESS_KEY"),
    sessionToken: Config.map(Config.option(Config.redacted("AWS_SESSION_TOKEN")), Option.getOrUndefined)
  }),
  () =>
    new InfisicalError.InvalidCredentialError({
      part: "AWS credentials",
      problem: "are missing: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give them as an effect"
    })
)
