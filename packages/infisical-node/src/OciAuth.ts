/**
 * Machine identities that log in by OCI: the private key of an OCI user signs a request for that user.
 *
 * This is an entry point of its own, `effect-infisical-node/OciAuth`.
 *
 * It signs with `node:crypto`, without Oracle's `oci-common`: that brings other packages, such as an HTTP client, to sign
 * three lines. The RSA signature is that of `node:crypto`. Only the text that is signed is written here, and the tests
 * check it by the signature that Oracle publishes.
 *
 * @since 0.1.0
 */
import { Credential, InfisicalError } from "effect-infisical"
import * as Clock from "effect/Clock"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { createHash } from "node:crypto"
import { authorizationOf } from "./internal/ociSignature.js"
import { readText } from "./internal/readText.js"

/**
 * An API signing key of an OCI user.
 *
 * @since 0.1.0
 * @category models
 */
export interface OciCredentials {
  readonly tenancyOcid: string
  readonly userOcid: string
  /** The key's fingerprint: 16 bytes in hexadecimal, separated by colons. */
  readonly fingerprint: string
  /** The RSA key in PEM. */
  readonly privateKey: Redacted.Redacted<string>
  /** The passphrase of an encrypted key. */
  readonly passphrase?: Redacted.Redacted<string> | undefined
  /** The region whose identity service is called, such as `eu-frankfurt-1`. */
  readonly region: string
}

/**
 * The options of `ociAuth`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends Credential.OrganizationOptions {
  /** The machine identity's id in Infisical. */
  readonly identityId: string
  /**
   * Runs at each login, so that a rotated key is read again. Default: the variables of OCI's command line in the current
   * `ConfigProvider`: `OCI_CLI_TENANCY`, `OCI_CLI_USER`, `OCI_CLI_FINGERPRINT`, `OCI_CLI_REGION`, `OCI_CLI_KEY_CONTENT`
   * or `OCI_CLI_KEY_FILE`, and `OCI_CLI_PASSPHRASE` if the key is encrypted.
   */
  readonly credentials?: Effect.Effect<OciCredentials, InfisicalError.InvalidCredentialError> | undefined
}

/**
 * A machine identity that logs in by OCI. Sealed snapshots require the option `sealingKey`.
 *
 * Fails with `InvalidCredentialError` if the identity's id is empty. A login fails with it if the credentials are
 * missing or cannot sign.
 *
 * @example
 * ```ts
 * import * as OciAuth from "effect-infisical-node/OciAuth"
 *
 * const credential = OciAuth.ociAuth({ identityId: "<identity id>" })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const ociAuth = (
  { credentials = fromConfig, ...options }: Options
): Effect.Effect<Credential.MachineIdentity, InfisicalError.InvalidCredentialError> =>
  Credential.ociAuth({ ...options, sign: Effect.flatMap(credentials, signedRequest) })

const signedRequest = (
  credentials: OciCredentials
): Effect.Effect<Credential.SignedOciRequest, InfisicalError.InvalidCredentialError> =>
  Effect.gen(function*() {
    const { fingerprint, passphrase, privateKey, region, tenancyOcid, userOcid } = credentials
    if (!/^[a-z0-9-]+$/.test(region)) return yield* malformed("region")
    if (!/^ocid1\.user\.[\w.-]+$/.test(userOcid)) return yield* malformed("user OCID")
    if (!/^ocid1\.tenancy\.[\w.-]+$/.test(tenancyOcid)) return yield* malformed("tenancy OCID")
    if (!/^[0-9a-f]{2}(?::[0-9a-f]{2})+$/i.test(fingerprint)) return yield* malformed("fingerprint")
    const host = `identity.${region}.oraclecloud.com`
    const date = new Date(yield* Clock.currentTimeMillis).toUTCString()
    const authorization = yield* Effect.try({
      try: () =>
        authorizationOf({
          keyId: `${tenancyOcid}/${userOcid}/${fingerprint}`,
          privateKey: Redacted.value(privateKey),
          passphrase: passphrase === undefined ? undefined : Redacted.value(passphrase),
          target: `get /20160918/users/${encodeURIComponent(userOcid)}`,
          host,
          date
        }),
      catch: () => malformed("private key")
    })
    return {
      userOcid,
      host,
      date,
      authorization: Redacted.make(authorization),
      signedWith: Redacted.make(
        // The key itself need not stay in memory to be compared.
        createHash("sha256").update(
          [host, tenancyOcid, userOcid, fingerprint, Redacted.value(privateKey)].join("\n")
        ).digest("base64")
      )
    }
  })

const malformed = (part: string) =>
  new InfisicalError.InvalidCredentialError({
    part: `OCI ${part}`,
    problem: "is malformed, so that nothing can be signed"
  })

const fromConfig: Effect.Effect<OciCredentials, InfisicalError.InvalidCredentialError> = Effect.gen(function*() {
  const { content, file, passphrase, ...credentials } = yield* Effect.mapError(
    Config.all({
      tenancyOcid: Config.nonEmptyString("OCI_CLI_TENANCY"),
      userOcid: Config.nonEmptyString("OCI_CLI_USER"),
      fingerprint: Config.nonEmptyString("OCI_CLI_FINGERPRINT"),
      region: Config.nonEmptyString("OCI_CLI_REGION"),
      content: Config.option(Config.redacted(Config.nonEmptyString("OCI_CLI_KEY_CONTENT"))),
      file: Config.option(Config.nonEmptyString("OCI_CLI_KEY_FILE")),
      passphrase: Config.option(Config.redacted(Config.nonEmptyString("OCI_CLI_PASSPHRASE")))
    }),
    () => missing
  )
  const privateKey = yield* Option.match(content, {
    onSome: Effect.succeed,
    onNone: () => Option.match(file, { onSome: (path) => readText("OCI private key", path), onNone: () => missing })
  })
  return { ...credentials, privateKey, passphrase: Option.getOrUndefined(passphrase) }
})

const missing = new InfisicalError.InvalidCredentialError({
  part: "OCI credentials",
  problem:
    "are missing: set OCI_CLI_TENANCY, OCI_CLI_USER, OCI_CLI_FINGERPRINT, OCI_CLI_REGION and OCI_CLI_KEY_FILE, or give them as an effect"
})
