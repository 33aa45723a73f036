/**
 * Machine identities that log in by Alibaba Cloud: the access key of a user signs a `GetCallerIdentity`.
 *
 * This is an entry point of its own, `effect-infisical-node/AliCloudAuth`.
 *
 * It signs with `node:crypto`, without `@alicloud/openapi-util`: that brings an HTTP client to compute one HMAC. The HMAC
 * is that of `node:crypto`. Only the text that is signed is written here, and the tests check it by the signatures that
 * Alibaba Cloud publishes.
 *
 * @since 0.1.0
 */
import { Credential, InfisicalError } from "effect-infisical"
import * as Clock from "effect/Clock"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { randomUUID } from "node:crypto"
import { signatureOf } from "./internal/aliCloudSignature.js"

/**
 * The access key of a user of Alibaba Cloud, or temporary credentials.
 *
 * @since 0.1.0
 * @category models
 */
export interface AliCloudCredentials {
  readonly accessKeyId: string
  readonly accessKeySecret: Redacted.Redacted<string>
  /** The token of temporary credentials. Only a server of 2026 accepts them, an older one refuses the login. */
  readonly securityToken?: Redacted.Redacted<string> | undefined
}

/**
 * The options of `aliCloudAuth`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends Credential.OrganizationOptions {
  /** The machine identity's id in Infisical. */
  readonly identityId: string
  /**
   * Runs at each login, so that a rotated key is read again. Default: `ALIBABA_CLOUD_ACCESS_KEY_ID`,
   * `ALIBABA_CLOUD_ACCESS_KEY_SECRET` and, if it is set, `ALIBABA_CLOUD_SECURITY_TOKEN` of the current `ConfigProvider`.
   */
  readonly credentials?: Effect.Effect<AliCloudCredentials, InfisicalError.InvalidCredentialError> | undefined
}

/**
 * A machine identity that logs in by Alibaba Cloud. Sealed snapshots require the option `sealingKey`.
 *
 * Fails with `InvalidCredentialError` if the identity's id is empty. A login fails with it if the credentials are
 * missing or malformed.
 *
 * @example
 * ```ts
 * import * as AliCloudAuth from "effect-infisical-node/AliCloudAuth"
 *
 * const credential = AliCloudAuth.aliCloudAuth({ identityId: "<identity id>" })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const aliCloudAuth = (
  { credentials = fromConfig, ...options }: Options
): Effect.Effect<Credential.MachineIdentity, InfisicalError.InvalidCredentialError> =>
  Credential.aliCloudAuth({ ...options, sign: Effect.flatMap(credentials, signedRequest) })

/** The version of the STS API. */
const version = "2015-04-01"

const signedRequest = (
  { accessKeyId, accessKeySecret, securityToken }: AliCloudCredentials
): Effect.Effect<Credential.SignedAliCloudRequest, InfisicalError.InvalidCredentialError> =>
  Effect.gen(function*() {
    // The server accepts no other key id. That of temporary credentials begins with "STS.".
    if (!(securityToken === undefined ? /^[0-9A-Za-z]+$/ : /^[0-9A-Za-z.]+$/).test(accessKeyId)) {
      return yield* new InfisicalError.InvalidCredentialError({
        part: "Alibaba Cloud access key id",
        problem: "must be letters and digits, or else have the security token of temporary credentials"
      })
    }
    const timestamp = new Date(yield* Clock.currentTimeMillis).toISOString().replace(/\.\d+/, "")
    const signatureNonce = yield* Effect.sync(() => randomUUID())
    return {
      accessKeyId,
      version,
      timestamp,
      signatureNonce,
      ...securityToken !== undefined && { securityToken },
      signature: Redacted.make(
        signatureOf({
          Action: "GetCallerIdentity",
          Format: "JSON",
          Version: version,
          AccessKeyId: accessKeyId,
          SignatureMethod: "HMAC-SHA1",
          Timestamp: timestamp,
          SignatureVersion: "1.0",
          SignatureNonce: signatureNonce,
          ...securityToken !== undefined && { SecurityToken: Redacted.value(securityToken) }
        }, Redacted.value(accessKeySecret))
      ),
      signedWith: Redacted.make(
        [accessKeyId, Redacted.value(accessKeySecret), securityToken && Redacted.value(securityToken)].join(" ")
      )
    }
  })

const fromConfig: Effect.Effect<AliCloudCredentials, InfisicalError.InvalidCredentialError> = Effect.mapError(
  Config.all({
    accessKeyId: Config.nonEmptyString("ALIBABA_CLOUD_ACCESS_KEY_ID"),
    accessKeySecret: Config.redacted(Config.nonEmptyString("ALIBABA_CLOUD_ACCESS_KEY_SECRET")),
    securityToken: Config.map(
      Config.option(Config.redacted("ALIBABA_CLOUD_SECURITY_TOKEN")),
      (token) => Option.getOrUndefined(Option.filter(token, (token) => Redacted.value(token).trim() !== ""))
    )
  }),
  () =>
    new InfisicalError.InvalidCredentialError({
      part: "Alibaba Cloud credentials",
      problem:
        "are missing: set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, or give them as an effect"
    })
)
