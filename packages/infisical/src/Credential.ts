/**
 * What proves to Infisical who we are. Parsed before any request, redacted from the start.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as ParseResult from "effect/ParseResult"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { InvalidCredentialError } from "./InfisicalError.js"

/**
 * A service token (v2), `st.<id>.<secret>.<key>`, for one project and some of its environments.
 *
 * @since 0.1.0
 * @category models
 */
export interface ServiceToken {
  readonly _tag: "ServiceToken"
  /** The token's id, which is no secret. */
  readonly id: string
  /** What is sent: `st.<id>.<secret>`. */
  readonly accessToken: Redacted.Redacted<string>
  /** Opens the project key; never leaves the process. 32 characters, used as text. */
  readonly key: Redacted.Redacted<string>
}

/**
 * A service token v3 (beta, 2023): JSON of `publicKey`, `privateKey` and `serviceToken`.
 *
 * Servers from 2024 on no longer admit it.
 *
 * @since 0.1.0
 * @category models
 */
export interface ServiceTokenV3 {
  readonly _tag: "ServiceTokenV3"
  /** The token's public key, which is no secret and one of its own. */
  readonly id: string
  /** What is sent: `serviceToken`. */
  readonly accessToken: Redacted.Redacted<string>
  /** Opens the project key; never leaves the process. Base64 of 32 bytes (X25519). */
  readonly privateKey: Redacted.Redacted<string>
}

/**
 * Any credential.
 *
 * @since 0.1.0
 * @category models
 */
export type Credential = ServiceToken | ServiceTokenV3

const part = (pattern: RegExp, description: string) =>
  Schema.String.pipe(Schema.pattern(pattern, { message: () => description }))

const base64Bytes32 = Schema.String.pipe(
  Schema.filter(
    (text) =>
      Either.match(Encoding.decodeBase64(text), { onLeft: () => false, onRight: (bytes) => bytes.length === 32 }),
    { message: () => "must be base64 of 32 bytes" }
  )
)

const ServiceTokenParts = Schema.Struct({
  prefix: part(/^st$/, "must be \"st\""),
  id: part(/^[0-9A-Za-z-]+$/, "must be letters, digits and dashes"),
  secret: part(/^[0-9A-Za-z]+$/, "must be letters and digits"),
  key: part(/^[0-9a-fA-F]{32}$/, "must be 32 hexadecimal characters")
})

const ServiceTokenV3Parts = Schema.parseJson(Schema.Struct({
  publicKey: base64Bytes32,
  privateKey: base64Bytes32,
  serviceToken: part(/^[\x21-\x7e]+$/, "must be printable characters without spaces")
}))

// A ParseError quotes its input; only the place and our own description of it may pass.
const malformed = (error: ParseResult.ParseError): InvalidCredentialError => {
  const issue = ParseResult.ArrayFormatter.formatErrorSync(error)[0]
  const place = issue?.path[0]
  if (issue === undefined || place === undefined) {
    return new InvalidCredentialError({
      part: "service token v3",
      problem: "must be JSON of publicKey, privateKey and serviceToken"
    })
  }
  return new InvalidCredentialError({
    part: String(place),
    problem: issue._tag === "Missing" ? "is missing" : issue._tag === "Refinement" ? issue.message : "must be text"
  })
}

/**
 * Parses a service token: `st.<id>.<secret>.<key>`, or the JSON of a service token v3. Space around it is ignored.
 *
 * Fails with `InvalidCredentialError`, which names the part that is wrong and quotes nothing of it.
 *
 * @example
 * ```ts
 * import { Credential } from "effect-infisical"
 * import { Config, Effect } from "effect"
 *
 * const credential = Effect.flatMap(Config.redacted("INFISICAL_TOKEN"), Credential.serviceToken)
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const serviceToken = (
  token: Redacted.Redacted<string>
): Effect.Effect<ServiceToken | ServiceTokenV3, InvalidCredentialError> =>
  // Not before it is run: an effect that holds the parts shows them when it is printed.
  Effect.suspend((): Effect.Effect<ServiceToken | ServiceTokenV3, InvalidCredentialError> => {
    const text = Redacted.value(token).trim()
    return text.startsWith("{") ? parseServiceTokenV3(text) : parseServiceToken(text)
  })

const parseServiceToken = (text: string): Effect.Effect<ServiceToken, InvalidCredentialError> => {
  const parts = text.split(".")
  if (parts[0] !== "st") {
    return Effect.fail(
      new InvalidCredentialError({ part: "service token", problem: "must begin with \"st.\", or be JSON" })
    )
  }
  if (parts.length !== 4) {
    return Effect.fail(
      new InvalidCredentialError({
        part: "service token",
        problem: `must have four parts separated by dots (st.<id>.<secret>.<key>), but has ${parts.length}`
      })
    )
  }
  const [prefix, id, secret, key] = parts
  return Schema.decodeUnknown(ServiceTokenParts)({ prefix, id, secret, key }).pipe(
    Effect.mapBoth({
      onFailure: malformed,
      onSuccess: (token) => ({
        _tag: "ServiceToken" as const,
        id: token.id,
        accessToken: Redacted.make(`st.${token.id}.${token.secret}`),
        key: Redacted.make(token.key)
      })
    })
  )
}

const parseServiceTokenV3 = (text: string): Effect.Effect<ServiceTokenV3, InvalidCredentialError> =>
  Schema.decodeUnknown(ServiceTokenV3Parts)(text).pipe(
    Effect.mapBoth({
      onFailure: malformed,
      onSuccess: (token) => ({
        _tag: "ServiceTokenV3" as const,
        id: token.publicKey,
        accessToken: Redacted.make(token.serviceToken),
        privateKey: Redacted.make(token.privateKey)
      })
    })
  )

/**
 * Everything secret of a credential, from which keys can be derived that nobody has who has not the credential.
 *
 * @since 0.1.0
 * @category getters
 */
export const secretOf = (credential: Credential): Redacted.Redacted<string> =>
  Redacted.make(
    [credential.accessToken, credential._tag === "ServiceToken" ? credential.key : credential.privateKey]
      .map(Redacted.value)
      .join(" ")
  )
