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
 * The logins that a platform adds. Without them, `fromEnvironment` refuses their methods.
 *
 * @since 0.1.0
 * @category models
 */
export interface Platform {
  /** Reads a JWT from a file, at each login. */
  readonly readJwt?: (path: string) => Effect.Effect<Redacted.Redacted<string>, InvalidCredentialError>
  /** Logs in by AWS IAM, with the variables of AWS. */
  readonly awsIam?: SignedLogin
  /** Logs in by OCI, with the variables of OCI's command line. */
  readonly oci?: SignedLogin
  /** Logs in by Alibaba Cloud, with its variables. */
  readonly aliCloud?: SignedLogin
}

/**
 * Makes a credential that signs a request at each login.
 *
 * @since 0.1.0
 * @category models
 */
export type SignedLogin = (
  options: Credential.OrganizationOptions & { readonly identityId: string }
) => Effect.Effect<Credential.MachineIdentity, InvalidCredentialError>

/** The file that Kubernetes mounts with the token of a pod's service account. */
const serviceAccountTokenPath = "/var/run/secrets/kubernetes.io/serviceaccount/token"

/** Logins with a JWT, by the names of Infisical's command line; it has none for SPIFFE, which has that of the API. */
const jwtMethods = {
  "kubernetes": "kubernetes-auth",
  "azure": "azure-auth",
  "gcp-id-token": "gcp-auth",
  "oidc-auth": "oidc-auth",
  "jwt-auth": "jwt-auth",
  "spiffe-auth": "spiffe-auth"
} as const

/** Logins with a signature, by the name of Infisical's command line, or else of the API. */
const signedMethods = { "aws-iam": "awsIam", "oci-auth": "oci", "alicloud-auth": "aliCloud" } as const

type JwtMethod = keyof typeof jwtMethods
type SignedMethod = keyof typeof signedMethods
type Method = "token" | "universal-auth" | "ldap-auth" | "tls-cert-auth" | JwtMethod | SignedMethod

const methodNames = [
  "universal-auth",
  "kubernetes",
  "azure",
  "gcp-id-token",
  "aws-iam",
  "oidc-auth",
  "jwt-auth",
  "ldap-auth",
  "oci-auth",
  "alicloud-auth",
  "tls-cert-auth",
  "spiffe-auth"
] as const satisfies ReadonlyArray<Exclude<Method, "token">>

const isJwtMethod = (method: Method): method is JwtMethod => Object.hasOwn(jwtMethods, method)

const isSignedMethod = (method: Method): method is SignedMethod => Object.hasOwn(signedMethods, method)

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
  spiffeJwtPath: optionalText("INFISICAL_SPIFFE_JWT_PATH"),
  username: optionalText("INFISICAL_LDAP_USERNAME"),
  password: optionalSecret("INFISICAL_LDAP_PASSWORD"),
  organizationSlug: optionalText("INFISICAL_AUTH_ORGANIZATION_SLUG")
})

type Variables = Config.Config.Success<typeof variables>

/**
 * The credential whose variables are set. `INFISICAL_AUTH_METHOD` is needed only if they fit several methods, or if the
 * method has no variables of its own. An empty variable counts as not set. The names are those of Infisical's command
 * line and Go SDK, if they have one.
 *
 * | method | variables |
 * | --- | --- |
 * | none: a service token, or an access token | `INFISICAL_TOKEN` |
 * | `universal-auth` | `INFISICAL_UNIVERSAL_AUTH_CLIENT_ID`, `INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET` |
 * | `oidc-auth` | `INFISICAL_MACHINE_IDENTITY_ID`, `INFISICAL_OIDC_AUTH_JWT` or `INFISICAL_JWT` |
 * | `jwt-auth`, `azure`, `gcp-id-token` | `INFISICAL_MACHINE_IDENTITY_ID`, `INFISICAL_JWT` |
 * | `kubernetes` | `INFISICAL_MACHINE_IDENTITY_ID`, `INFISICAL_JWT`, or on Node the file that `INFISICAL_KUBERNETES_SERVICE_ACCOUNT_TOKEN_PATH` names (default: the file that Kubernetes mounts) |
 * | `spiffe-auth` | `INFISICAL_MACHINE_IDENTITY_ID`, `INFISICAL_JWT`, or on Node the file that `INFISICAL_SPIFFE_JWT_PATH` names |
 * | `ldap-auth` | `INFISICAL_MACHINE_IDENTITY_ID`, `INFISICAL_LDAP_USERNAME`, `INFISICAL_LDAP_PASSWORD` |
 * | `tls-cert-auth` | `INFISICAL_MACHINE_IDENTITY_ID`; the `HttpClient` presents the certificate |
 * | `aws-iam`, `oci-auth`, `alicloud-auth`, on Node | `INFISICAL_MACHINE_IDENTITY_ID`, and the variables of the cloud |
 *
 * `INFISICAL_AUTH_ORGANIZATION_SLUG` selects a sub-organization, with every method and with an access token.
 *
 * Fails with `ConfigError`, which names the variables and quotes no value, if a variable is missing, or if two
 * contradict each other.
 *
 * @since 0.1.0
 * @category configuration
 */
export const fromEnvironment = (platform: Platform = {}): Config.Config<Parsed> =>
  Config.mapOrFail(
    variables,
    (variables): Either.Either<Parsed, ConfigError.ConfigError> =>
      Either.flatMap(choose(variables), (method) => credentialOf(method, variables, platform))
  )

const credentialOf = (
  method: Method,
  variables: Variables,
  platform: Platform
): Either.Either<Parsed, ConfigError.ConfigError> => {
  const organizationSlug = Either.right(Option.getOrUndefined(variables.organizationSlug))
  if (method === "token") {
    return Either.zipWith(
      need("INFISICAL_TOKEN", variables.token),
      organizationSlug,
      (token, organizationSlug) => Credential.token(token, { organizationSlug })
    )
  }
  if (method === "universal-auth") {
    return Either.map(
      Either.all({
        clientId: need("INFISICAL_UNIVERSAL_AUTH_CLIENT_ID", variables.clientId),
        clientSecret: need("INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET", variables.clientSecret),
        organizationSlug
      }),
      Credential.universalAuth
    )
  }
  const identity = { identityId: need("INFISICAL_MACHINE_IDENTITY_ID", variables.identityId), organizationSlug }
  if (method === "ldap-auth") {
    return Either.map(
      Either.all({
        ...identity,
        username: need("INFISICAL_LDAP_USERNAME", variables.username),
        password: need("INFISICAL_LDAP_PASSWORD", variables.password)
      }),
      Credential.ldapAuth
    )
  }
  if (method === "tls-cert-auth") return Either.map(Either.all(identity), Credential.tlsCertificate)
  if (isSignedMethod(method)) {
    const signed = platform[signedMethods[method]]
    return signed === undefined
      ? invalid("INFISICAL_AUTH_METHOD", `is ${method}, which needs the package effect-infisical-node`)
      : Either.map(Either.all(identity), signed)
  }
  return Either.map(
    Either.all({
      ...identity,
      method: Either.right(jwtMethods[method]),
      jwt: need("INFISICAL_JWT", jwtOf(method, variables, platform))
    }),
    Credential.jwt
  )
}

/** The method whose own variables are set. The identity's id belongs to several. */
const choose = (variables: Variables): Either.Either<Method, ConfigError.ConfigError> => {
  const { clientId, clientSecret, jwt, jwtPath, method, oidcJwt, password, spiffeJwtPath, token, username } = variables
  const named: ReadonlyArray<readonly [variable: string, method: Method, value: Option.Option<unknown>]> = [
    ["INFISICAL_TOKEN", "token", token],
    ["INFISICAL_UNIVERSAL_AUTH_CLIENT_ID", "universal-auth", clientId],
    ["INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET", "universal-auth", clientSecret],
    ["INFISICAL_LDAP_USERNAME", "ldap-auth", username],
    ["INFISICAL_LDAP_PASSWORD", "ldap-auth", password],
    ["INFISICAL_OIDC_AUTH_JWT", "oidc-auth", oidcJwt],
    ["INFISICAL_KUBERNETES_SERVICE_ACCOUNT_TOKEN_PATH", "kubernetes", jwtPath],
    ["INFISICAL_SPIFFE_JWT_PATH", "spiffe-auth", spiffeJwtPath],
    ["INFISICAL_JWT", Option.getOrElse(Option.filter(method, isJwtMethod), () => "jwt-auth" as const), jwt]
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

const jwtOf = (
  method: JwtMethod,
  { jwt, jwtPath, oidcJwt, spiffeJwtPath }: Variables,
  { readJwt }: Platform
) => {
  const path = method === "kubernetes"
    ? Option.orElseSome(jwtPath, () => serviceAccountTokenPath)
    : Option.filter(spiffeJwtPath, () => method === "spiffe-auth")
  return Option.orElse(
    method === "oidc-auth" ? Option.orElse(oidcJwt, () => jwt) : jwt,
    () => readJwt === undefined ? Option.none() : Option.map(path, readJwt)
  )
}

function invalid(variable: string, problem: string) {
  return Either.left(ConfigError.InvalidData([variable], `${variable} ${problem}`))
}

const need = <A>(variable: string, value: Option.Option<A>): Either.Either<A, ConfigError.ConfigError> =>
  Either.fromOption(value, () => ConfigError.MissingData([variable], `${variable} is not set`))
