/**
 * Credentials from environment variables, by the names that Infisical's own tools use.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import type * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type { InvalidCredentialError } from "../model/InfisicalError.js"
import * as Credential from "./Credential.js"

/**
 * A credential that may yet turn out to be malformed.
 *
 * @since 0.1.0
 * @category models
 */
export type Parsed = Effect.Effect<Credential.Credential, InvalidCredentialError>

/**
 * What a platform adds.
 *
 * @since 0.1.0
 * @category models
 */
export interface Platform {
  /** Reads a JWT from a file, at each login. */
  readonly readJwt?: (path: string) => Effect.Effect<Redacted.Redacted<string>, InvalidCredentialError>
}

/** Where Kubernetes puts the token of a pod's service account. */
const serviceAccountTokenPath = "/var/run/secrets/kubernetes.io/serviceaccount/token"

/** By the names of Infisical's command line. */
const methods = {
  "kubernetes": "kubernetes-auth",
  "azure": "azure-auth",
  "gcp-id-token": "gcp-auth",
  "oidc-auth": "oidc-auth",
  "jwt-auth": "jwt-auth"
} as const

const variables = Config.all({
  method: Config.option(
    Config.literal("universal-auth", "kubernetes", "azure", "gcp-id-token", "oidc-auth", "jwt-auth", "ldap-auth")(
      "INFISICAL_AUTH_METHOD"
    )
  ),
  token: optional(Config.redacted("INFISICAL_TOKEN")),
  clientId: optional(Config.nonEmptyString("INFISICAL_UNIVERSAL_AUTH_CLIENT_ID")),
  clientSecret: optional(Config.redacted("INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET")),
  identityId: optional(Config.nonEmptyString("INFISICAL_MACHINE_IDENTITY_ID")),
  jwt: optional(Config.redacted("INFISICAL_JWT")),
  oidcJwt: optional(Config.redacted("INFISICAL_OIDC_AUTH_JWT")),
  jwtPath: optional(Config.nonEmptyString("INFISICAL_KUBERNETES_SERVICE_ACCOUNT_TOKEN_PATH")),
  username: optional(Config.nonEmptyString("INFISICAL_LDAP_USERNAME")),
  password: optional(Config.redacted("INFISICAL_LDAP_PASSWORD"))
})

type Variables = Config.Config.Success<typeof variables>

/**
 * The credential of which the variables are set; `INFISICAL_AUTH_METHOD` is needed only where they leave that open.
 *
 * | method | variables |
 * | --- | --- |
 * | none: a service token, or an access token | `INFISICAL_TOKEN` |
 * | `universal-auth` | `INFISICAL_UNIVERSAL_AUTH_CLIENT_ID`, `INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET` |
 * | `oidc-auth` | `INFISICAL_MACHINE_IDENTITY_ID`, `INFISICAL_OIDC_AUTH_JWT` or `INFISICAL_JWT` |
 * | `jwt-auth`, `azure`, `gcp-id-token` | `INFISICAL_MACHINE_IDENTITY_ID`, `INFISICAL_JWT` |
 * | `kubernetes` | `INFISICAL_MACHINE_IDENTITY_ID`, `INFISICAL_JWT`, or on Node the file that `INFISICAL_KUBERNETES_SERVICE_ACCOUNT_TOKEN_PATH` names (default: where Kubernetes puts it) |
 * | `ldap-auth` | `INFISICAL_MACHINE_IDENTITY_ID`, `INFISICAL_LDAP_USERNAME`, `INFISICAL_LDAP_PASSWORD` |
 *
 * Fails with `ConfigError` where one is missing, or where they contradict each other, and names them.
 *
 * @since 0.1.0
 * @category configuration
 */
export const fromEnvironment = (platform: Platform = {}): Config.Config<Parsed> =>
  Config.mapOrFail(variables, (variables): Either.Either<Parsed, ConfigError.ConfigError> => {
    const chosen = choose(variables)
    if (Either.isLeft(chosen)) return Either.left(chosen.left)
    switch (chosen.right) {
      case "token":
        return Either.map(need("INFISICAL_TOKEN", variables.token), Credential.token)
      case "universal-auth":
        return Either.map(
          Either.all({
            clientId: need("INFISICAL_UNIVERSAL_AUTH_CLIENT_ID", variables.clientId),
            clientSecret: need("INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET", variables.clientSecret)
          }),
          Credential.universalAuth
        )
      case "ldap-auth":
        return Either.map(
          Either.all({
            identityId: need("INFISICAL_MACHINE_IDENTITY_ID", variables.identityId),
            username: need("INFISICAL_LDAP_USERNAME", variables.username),
            password: need("INFISICAL_LDAP_PASSWORD", variables.password)
          }),
          Credential.ldapAuth
        )
      default:
        return Either.map(
          Either.all({
            method: Either.right(methods[chosen.right]),
            identityId: need("INFISICAL_MACHINE_IDENTITY_ID", variables.identityId),
            jwt: need("INFISICAL_JWT", jwtOf(chosen.right, variables, platform))
          }),
          Credential.jwt
        )
    }
  })

type Method = "token" | "universal-auth" | "ldap-auth" | keyof typeof methods

// Those whose own variables are set; the identity's id belongs to several.
const choose = (variables: Variables): Either.Either<Method, ConfigError.ConfigError> => {
  const { clientId, clientSecret, jwt, jwtPath, method, oidcJwt, password, token, username } = variables
  const named: ReadonlyArray<readonly [variable: string, method: Method, value: Option.Option<unknown>]> = [
    ["INFISICAL_TOKEN", "token", token],
    ["INFISICAL_UNIVERSAL_AUTH_CLIENT_ID", "universal-auth", clientId],
    ["INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET", "universal-auth", clientSecret],
    ["INFISICAL_LDAP_USERNAME", "ldap-auth", username],
    ["INFISICAL_LDAP_PASSWORD", "ldap-auth", password],
    ["INFISICAL_OIDC_AUTH_JWT", "oidc-auth", oidcJwt],
    ["INFISICAL_KUBERNETES_SERVICE_ACCOUNT_TOKEN_PATH", "kubernetes", jwtPath],
    ["INFISICAL_JWT", Option.getOrElse(jwtMethod(method), () => "jwt-auth" as const), jwt]
  ]
  const set = named.filter(([, , value]) => Option.isSome(value))
  const first = set[0]
  const other = set.find(([, of]) => of !== Option.getOrElse(method, () => first?.[1]))
  if (Option.isSome(method)) {
    return other === undefined ? Either.right(method.value) : contradiction(
      other[0],
      `contradicts INFISICAL_AUTH_METHOD, which is ${method.value}: unset one of them`
    )
  }
  if (first === undefined) {
    return Either.left(
      ConfigError.MissingData(
        ["INFISICAL_TOKEN"],
        "No credential is set. Set INFISICAL_TOKEN, or INFISICAL_UNIVERSAL_AUTH_CLIENT_ID and INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET, or INFISICAL_AUTH_METHOD and INFISICAL_MACHINE_IDENTITY_ID"
      )
    )
  }
  return other === undefined ? Either.right(first[1]) : contradiction(
    other[0],
    `contradicts ${first[0]}: unset one of them, since they are different credentials`
  )
}

const jwtMethod = (method: Variables["method"]): Option.Option<keyof typeof methods> =>
  Option.filter(method, (method) => method !== "universal-auth" && method !== "ldap-auth")

const jwtOf = (
  method: keyof typeof methods,
  { jwt, jwtPath, oidcJwt }: Variables,
  { readJwt }: Platform
) =>
  Option.orElse(
    method === "oidc-auth" ? Option.orElse(oidcJwt, () => jwt) : jwt,
    () =>
      method === "kubernetes" && readJwt !== undefined
        ? Option.some(readJwt(Option.getOrElse(jwtPath, () => serviceAccountTokenPath)))
        : Option.none()
  )

const contradiction = (variable: string, problem: string) =>
  Either.left(ConfigError.InvalidData([variable], `${variable} ${problem}`))

const need = <A>(variable: string, value: Option.Option<A>): Either.Either<A, ConfigError.ConfigError> =>
  Either.fromOption(value, () => ConfigError.MissingData([variable], `${variable} is not set`))

// An empty variable is as good as none.
function optional<A>(config: Config.Config<A>): Config.Config<Option.Option<A>> {
  return Config.option(
    Config.mapOrFail(config, (value) =>
      String(Redacted.isRedacted(value) ? Redacted.value(value) : value).trim() === ""
        ? Either.left(ConfigError.MissingData([], "empty"))
        : Either.right(value))
  )
}
