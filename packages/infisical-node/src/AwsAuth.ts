/**
 * Machine identities that log in by AWS IAM: they prove who they are by a request that only they can sign.
 *
 * This is an entry point of its own, `effect-infisical-node/AwsAuth`, so that nobody else loads what signs.
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
 * What a user sets.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The machine identity's id in Infisical. */
  readonly identityId: string
  /** The region whose STS is asked. Default: `AWS_REGION` of the current `ConfigProvider`, else `us-east-1`. */
  readonly region?: string | undefined
  /**
   * Run again at each login, since they rotate. Default: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and, if it is set,
   * `AWS_SESSION_TOKEN` of the current `ConfigProvider`.
   */
  readonly credentials?: Effect.Effect<AwsCredentials, InfisicalError.InvalidCredentialError> | undefined
}

/**
 * A machine identity that logs in by AWS IAM. What stays the same from login to login is no secret, so sealed snapshots
 * need a `sealingKey` of their own.
 *
 * A login fails with `InvalidCredentialError` where there are no credentials.
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
 * const provide = fromNodeProviderChain()
 *
 * const credentials = Effect.tryPromise({
 *   try: () => provide(),
 *   catch: () => new InfisicalError.InvalidCredentialError({ part: "AWS credentials", problem: "are not there" })
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
export const awsAuth = (options: Options): Credential.MachineIdentity =>
  Credential.machineIdentity({
    id: `aws-auth ${options.identityId}`,
    login: login(options),
    secret: Option.none()
  })

const login = (
  { credentials = fromConfig, identityId, region }: Options
): Effect.Effect<Credential.Login, InfisicalError.InvalidCredentialError> =>
  Effect.gen(function*() {
    const { accessKeyId, secretAccessKey, sessionToken } = yield* credentials
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
          ...sessionToken !== undefined && { sessionToken: Redacted.value(sessionToken) },
          service: "sts",
          datetime: new Date(now).toISOString().replace(/[-:]|\.\d+/g, "")
        }),
      catch: () => malformed
    })
    const signed = yield* Effect.tryPromise({ try: () => signer.sign(), catch: () => malformed })
    return {
      method: "aws-auth",
      identityId,
      iamHttpRequestMethod: method,
      iamRequestBody: Encoding.encodeBase64(body),
      iamRequestHeaders: Redacted.make(Encoding.encodeBase64(JSON.stringify({
        ...Object.fromEntries([...signed.headers].map(([name, value]) => [capitalized(name), value])),
        "Content-Length": String(body.length),
        Host: host
      }))),
      signedWith: Redacted.make(
        [host, accessKeyId, Redacted.value(secretAccessKey), sessionToken ? Redacted.value(sessionToken) : ""].join(" ")
      )
    }
  })

const method = "POST"

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html */
const body = "Action=GetCallerIdentity&Version=2011-06-15"

const malformed = new InfisicalError.InvalidCredentialError({
  part: "AWS credentials",
  problem: "cannot sign: check access key id, secret access key and region"
})

// As Infisical's own clients write them; the server looks for `Authorization` so.
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
      problem: "are not there: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give them as an effect"
    })
)
