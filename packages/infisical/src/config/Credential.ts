/**
 * What proves to Infisical who we are. Parsed before any request, redacted from the start.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { InvalidCredentialError } from "../model/InfisicalError.js"
import { claimsOf } from "../support/jwt.js"
import { parseServiceToken, parseServiceTokenV3 } from "./serviceToken.js"

/**
 * A service token (v2), `st.<id>.<secret>.<key>`, for one project and some of its environments. Without its key part it
 * reads what the server decrypts.
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
  readonly key: Option.Option<Redacted.Redacted<string>>
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
 * An access token that somebody else got: by Token Auth, or by a login of a machine identity or user. It is used as it
 * is, never renewed and never revoked.
 *
 * @since 0.1.0
 * @category models
 */
export interface AccessToken {
  readonly _tag: "AccessToken"
  readonly id: string
  readonly accessToken: Redacted.Redacted<string>
}

/**
 * A machine identity, which logs in for an access token whenever it needs one.
 *
 * @since 0.1.0
 * @category models
 */
export interface MachineIdentity {
  readonly _tag: "MachineIdentity"
  /** The method and the id of client or identity, which are no secrets. */
  readonly id: string
  /** What to log in with; run again at each login, so that a rotated credential is read again. */
  readonly login: Effect.Effect<Login, InvalidCredentialError>
  /** What stays secret and the same from login to login, if anything does. */
  readonly secret: Option.Option<Redacted.Redacted<string>>
}

/**
 * What one login sends. Two with the same content are equal.
 *
 * @since 0.1.0
 * @category models
 */
export type Login =
  | {
    readonly method: "universal-auth"
    readonly clientId: string
    readonly clientSecret: Redacted.Redacted<string>
  }
  | {
    readonly method: JwtMethod
    readonly identityId: string
    readonly jwt: Redacted.Redacted<string>
  }
  | {
    readonly method: "ldap-auth"
    readonly identityId: string
    readonly username: string
    readonly password: Redacted.Redacted<string>
  }
  | {
    readonly method: "aws-auth"
    readonly identityId: string
    /** A signed STS `GetCallerIdentity`: its method, and in base64 its body and its headers as JSON. */
    readonly iamHttpRequestMethod: string
    readonly iamRequestBody: string
    readonly iamRequestHeaders: Redacted.Redacted<string>
    /**
     * The credentials that signed. Never sent: it tells a new signature from new credentials, so that refused ones are
     * not offered again.
     */
    readonly signedWith?: Redacted.Redacted<string>
  }

/**
 * The logins with a JWT that somebody else signed.
 *
 * @since 0.1.0
 * @category models
 */
export type JwtMethod = "kubernetes-auth" | "gcp-auth" | "azure-auth" | "oidc-auth" | "jwt-auth"

/**
 * Any credential.
 *
 * @since 0.1.0
 * @category models
 */
export type Credential = ServiceToken | ServiceTokenV3 | AccessToken | MachineIdentity

/**
 * Parses a service token: `st.<id>.<secret>.<key>`, the same without its key part, or the JSON of a service token v3.
 * Space around it is ignored.
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

/**
 * An access token that somebody else got. Space around it is ignored.
 *
 * Fails with `InvalidCredentialError` where it cannot be a header's value.
 *
 * @since 0.1.0
 * @category constructors
 */
export const accessToken = (
  token: Redacted.Redacted<string>
): Effect.Effect<AccessToken, InvalidCredentialError> =>
  Effect.map(checkText("access token", token), (accessToken) => ({
    _tag: "AccessToken",
    id: "access token",
    accessToken
  }))

/**
 * Whatever `INFISICAL_TOKEN` may hold: a service token, the JSON of a service token v3, or an access token.
 *
 * Fails with `InvalidCredentialError`, which names the part that is wrong and quotes nothing of it.
 *
 * @since 0.1.0
 * @category constructors
 */
export const token = (
  token: Redacted.Redacted<string>
): Effect.Effect<ServiceToken | ServiceTokenV3 | AccessToken, InvalidCredentialError> =>
  Effect.suspend((): Effect.Effect<ServiceToken | ServiceTokenV3 | AccessToken, InvalidCredentialError> =>
    /^\s*(st\.|\{)/.test(Redacted.value(token)) ? serviceToken(token) : accessToken(token)
  )

/**
 * A machine identity that logs in by Universal Auth.
 *
 * Fails with `InvalidCredentialError` where a part is empty.
 *
 * @example
 * ```ts
 * import { Credential } from "effect-infisical"
 * import { Redacted } from "effect"
 *
 * const credential = Credential.universalAuth({
 *   clientId: "<client id>",
 *   clientSecret: Redacted.make("<client secret>")
 * })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const universalAuth = (options: {
  readonly clientId: string
  readonly clientSecret: Redacted.Redacted<string>
}): Effect.Effect<MachineIdentity, InvalidCredentialError> =>
  Effect.zipWith(
    checkId("client id", options.clientId),
    checkText("client secret", options.clientSecret),
    (clientId, clientSecret) =>
      machineIdentity({
        id: `universal-auth ${clientId}`,
        login: Effect.succeed({ method: "universal-auth", clientId, clientSecret }),
        secret: Option.some(clientSecret)
      })
  )

/**
 * A machine identity that logs in with a JWT that somebody else signed, by the method that the identity has.
 *
 * The JWT may be an effect, for example one that reads it from a file: it is run again at each login. Nothing in it
 * stays the same, so sealed snapshots need a `sealingKey` of their own.
 *
 * Fails with `InvalidCredentialError` where the identity's id is empty; a login fails with it where the JWT is.
 *
 * @since 0.1.0
 * @category constructors
 */
export const jwt = (options: {
  readonly method: JwtMethod
  readonly identityId: string
  readonly jwt: Redacted.Redacted<string> | Effect.Effect<Redacted.Redacted<string>, InvalidCredentialError>
}): Effect.Effect<MachineIdentity, InvalidCredentialError> =>
  Effect.map(checkId("identity id", options.identityId), (identityId) => {
    const read = Redacted.isRedacted(options.jwt) ? Effect.succeed(options.jwt) : options.jwt
    return machineIdentity({
      id: `${options.method} ${identityId}`,
      login: Effect.map(
        Effect.flatMap(read, (jwt) => checkText("jwt", jwt)),
        (jwt) => ({ method: options.method, identityId, jwt })
      ),
      secret: Option.none()
    })
  })

/**
 * A machine identity that logs in by LDAP.
 *
 * Sealed snapshots need a `sealingKey`: a key that is derived from a password can be guessed.
 *
 * Fails with `InvalidCredentialError` where a part is empty.
 *
 * @since 0.1.0
 * @category constructors
 */
export const ldapAuth = (options: {
  readonly identityId: string
  readonly username: string
  readonly password: Redacted.Redacted<string>
}): Effect.Effect<MachineIdentity, InvalidCredentialError> =>
  Effect.gen(function*() {
    const { password, username } = options
    const identityId = yield* checkId("identity id", options.identityId)
    yield* checkId("username", username)
    if (Redacted.value(password) === "") {
      return yield* new InvalidCredentialError({ part: "password", problem: "is empty" })
    }
    return machineIdentity({
      id: `ldap-auth ${identityId} ${username}`,
      login: Effect.succeed({ method: "ldap-auth", identityId, username, password }),
      // A key that is derived from a password would let everyone who gets a sealed file guess the password.
      secret: Option.none()
    })
  })

/**
 * A machine identity with a login of your own making, such as AWS IAM.
 *
 * @since 0.1.0
 * @category constructors
 */
export const machineIdentity = (options: Omit<MachineIdentity, "_tag">): MachineIdentity => ({
  _tag: "MachineIdentity",
  ...options,
  login: Effect.map(options.login, (login): Login => Data.struct(login))
})

const checkId = (part: string, id: string): Effect.Effect<string, InvalidCredentialError> =>
  id.trim() === "" ? Effect.fail(new InvalidCredentialError({ part, problem: "is empty" })) : Effect.succeed(id.trim())

const checkText = (
  part: string,
  text: Redacted.Redacted<string>
): Effect.Effect<Redacted.Redacted<string>, InvalidCredentialError> =>
  Effect.suspend(() => {
    const trimmed = Redacted.value(text).trim()
    return /^[\x21-\x7e]+$/.test(trimmed) ? Effect.succeed(Redacted.make(trimmed)) : Effect.fail(
      new InvalidCredentialError({
        part,
        problem: trimmed === "" ? "is empty" : "must be printable characters without spaces"
      })
    )
  })

/**
 * Whether the credential opens the project key, so that the server need not decrypt.
 *
 * @since 0.1.0
 * @category predicates
 */
export const hasProjectKey = (credential: Credential): boolean =>
  credential._tag === "ServiceTokenV3" || (credential._tag === "ServiceToken" && Option.isSome(credential.key))

/**
 * The secret parts of a credential that never change, to derive keys from that only its holder can derive. None if every
 * part changes.
 *
 * @since 0.1.0
 * @category getters
 */
export const secretOf = (credential: Credential): Option.Option<Redacted.Redacted<string>> => {
  switch (credential._tag) {
    case "MachineIdentity":
      return credential.secret
    case "AccessToken":
      return Option.some(credential.accessToken)
    case "ServiceToken":
      return Option.some(joined([credential.accessToken, ...Option.toArray(credential.key)]))
    case "ServiceTokenV3":
      return Option.some(joined([credential.accessToken, credential.privateKey]))
  }
}

const joined = (parts: ReadonlyArray<Redacted.Redacted<string>>): Redacted.Redacted<string> =>
  Redacted.make(parts.map(Redacted.value).join(" "))

/**
 * Who holds the credential: the same for a token that was rotated, another for another identity. For an access token it
 * is the identity or user that the JWT names. None for an access token that is no JWT: only the token itself tells.
 *
 * The JWT's signature is not checked, so this is no proof: seals are bound to it, beside their key.
 *
 * @since 0.1.0
 * @category getters
 */
export const holderOf = (credential: Credential): Option.Option<string> =>
  credential._tag !== "AccessToken"
    ? Option.some(credential.id)
    : Option.flatMap(claimsOf(Redacted.value(credential.accessToken)), ({ identityId, userId }) =>
      typeof identityId === "string"
        ? Option.some(`identity ${identityId}`)
        : typeof userId === "string"
        ? Option.some(`user ${userId}`)
        : Option.none())
