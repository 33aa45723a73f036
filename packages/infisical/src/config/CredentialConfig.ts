/**
 * Credentials from environment variables, with the names that Infisical's own tools use.
 *
 * @since 0.1.0
 */
import * as Array from "effect/Array"
import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import type * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import type { InvalidCredentialError } from "../model/InfisicalError.js"
import * as Credential from "./Credential.js"
import { optionalSecret, optionalText } from "./variables.js"

/**
 * A credential that is checked when it is run.
 *
 * @since 0.1.0
 * @category models
 */
export type Parsed = Effect.Effect<Credential.Credential, InvalidCredentialError>

/**
 * The ways to read a credential that a platform adds.
 *
 * @since 0.1.0
 * @category models
 */
export interface Platform {
  /** Reads a JWT from a file, at each login. */
  readonly readJwt?: (path: string) => Effect.Effect<Redacted.Redacted<string>, InvalidCredentialError>
}

/** The file with the token of a pod's service account. */
const serviceAccountTokenPath = "/var/run/secrets/kubernetes.io/serviceaccount/token"

/** Logins with a JWT, by the names of Infisical's command line. */
const methods = {
  "kubernetes": "kubernetes-auth",
  "azure": "azure-auth",
  "gcp-id-token": "gcp-auth",
  "oidc-auth": "oidc-auth",
  "jwt-auth": "jwt-auth"
} as const

const methodNames = [
  "universal-auth",
  "kubernetes",
  "azure",
  "gcp-id-token",
  "oidc-auth",
  "jwt-auth",
  "ldap-auth"
] as const

// Not Config.literal, whose error quotes the value on Effect 3.
const method = Config.mapOrFail(
  optionalText("INFISICAL_AUTH_METHOD"),
  Option.match({
    onNone: () => Either.right(Option.none<(typeof methodNames)[number]>()),
    onSome: (text) =>
      Option.match(Array.findFirst(methodNames, (name) => name === text), {
        onNone: () => invalid("INFISICAL_AUTH_METHOD", `must be one of ${methodNames.join(", ")}`),
        onSome: (name) => Either.right(Option.some(name))
      })
  })
)

const variables = Config.all({
  method,
  token: optionalSecret("INFISICAL_TOKEN"),
  clientId: optionalText("INFISICAL_UNIVERSAL_AUTH_CLIENT_ID"),
  clientSecret: optionalSecret("INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET"),
  identityId: optionalText("INFISICAL_MACHINE_IDENTITY_ID"),
  jwt: optionalSecret("INFISICAL_JWT"),
  oidcJwt: optionalSecret("INFISICAL_OIDC_AUTH_JWT"),
  jwtPath: optionalText("INFISICAL_KUBERNETES_SERVICE_ACCOUNT_TOKEN_PATH"),
  username: optionalText("INFISICAL_LDAP_USERNAME"),
  password: optionalSecret("INFISICAL_LDAP_PASSWORD")
})

type Variables = Config.Config.Success<typeof variables>

/**
 * The credential whose variables are set. `INFISICAL_AUTH_METHOD` is needed only if they fit several methods. An empty
 * variable counts as not set.
 *
 * | method | variables |
 * | --- | --- |
 * | none: a service token, or an access token | `INFISICAL_TOKEN` |
 * | `universal-auth` | `INFISICAL_UNIVERSAL_AUTH_CLIENT_ID`, `INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET` |
 * | `oidc-auth` | `INFISICAL_MACHINE_IDENTITY_ID`, `INFISICAL_OIDC_AUTH_JWT` or `INFISICAL_JWT` |
 * | `jwt-auth`, `azure`, `gcp-id-token` | `INFISICAL_MACHINE_IDENTITY_ID`, `INFISICAL_JWT` |
 * | `kubernetes` | `INFISICAL_MACHINE_IDENTITY_ID`, `INFISICAL_JWT`, or on Node the file that `INFISICAL_KUBERNETES_SERVICE_ACCOUNT_TOKEN_PATH` names (default: the one that Kubernetes makes) |
 * | `ldap-auth` | `INFISICAL_MACHINE_IDENTITY_ID`, `INFISICAL_LDAP_USERNAME`, `INFISICAL_LDAP_PASSWORD` |
 *
 * Fails with `ConfigError`, which names the variables and quotes no value, if a variable is missing, or if two
 * contradict each other.
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

/** The method whose own variables are set. The identity's id belongs to several. */
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
    return other === undefined ? Either.right(method.value) : invalid(
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
  return other === undefined ? Either.right(first[1]) : invalid(
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

function invalid(variable: string, problem: string) {
  return Either.left(ConfigError.InvalidData([variable], `${variable} ${problem}`))
}

const need = <A>(variable: string, value: Option.Option<A>): Either.Either<A, ConfigError.ConfigError> =>
  Either.fromOption(value, () => ConfigError.MissingData([variable], `${variable} is not set`))
