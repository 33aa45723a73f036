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
  "gcp-iam": "gcp-auth",
  "oidc-auth": "oidc-auth",
  "jwt-auth": "jwt-auth",
  "spiffe-auth": "spiffe-auth"
} as const

/** Logins with a signature, by the name of Infisical's command line, or else of the API. */
const signedMethods = { "aws-iam": "awsIam", "oci-auth": "oci", "alicloud-auth": "aliCloud" } as const

type JwtMethod = keyof typeof jwtMethods
type SignedMethod = keyof typeof signedMethods
type Tokens = "token" | "access token"
type Method = Tokens | "universal-auth" | "ldap-auth" | "tls-cert-auth" | JwtMethod | SignedMethod

const methodNames = [
  "universal-auth",
  "kubernetes",
  "azure",
  "gcp-id-token",
  "gcp-iam",
  "aws-iam",
  "oidc-auth",
  "jwt-auth",
  "ldap-auth",
  "oci-auth",
  "alicloud-auth",
  "tls-cert-auth",
  "spiffe-auth"
] as const satisfies ReadonlyArray<Exclude<Method, Tokens>>

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
  accessToken: optionalSecret("INFISICAL_ACCESS_TOKEN"),
  clientId: optionalText("INFISICAL_UNIVERSAL_AUTH_CLIENT_ID"),
  clientSecret: optionalSecret("INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET"),
  identityId: optionalText("INFISICAL_MACHINE_IDENTITY_ID"),
  awsIdentityId: optionalText("INFISICAL_AWS_IAM_AUTH_IDENTITY_ID"),
  azureIdentityId: optionalText("INFISICAL_AZURE_AUTH_IDENTITY_ID"),
  gcpIdentityId: optionalText("INFISICAL_GCP_AUTH_IDENTITY_ID"),
  kubernetesIdentityId: optionalText("INFISICAL_KUBERNETES_IDENTITY_ID"),
  ldapIdentityId: optionalText("INFISICAL_LDAP_AUTH_IDENTITY_ID"),
  ociIdentityId: optionalText("INFISICAL_OCI_AUTH_IDENTITY_ID"),
  oidcIdentityId: optionalText("INFISICAL_OIDC_AUTH_IDENTITY_ID"),
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
 * | method | variables, in addition to the identity's id |
 * | --- | --- |
 * | `universal-auth` | `INFISICAL_UNIVERSAL_AUTH_CLIENT_ID`, `INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET`; needs no identity's id |
 * | `kubernetes` | `INFISICAL_JWT`, or on Node the file that `INFISICAL_KUBERNETES_SERVICE_ACCOUNT_TOKEN_PATH` names (default: the file that Kubernetes mounts) |
 * | `oidc-auth` | `INFISICAL_OIDC_AUTH_JWT` or `INFISICAL_JWT` |
 * | `jwt-auth`, `azure`, `gcp-id-token`, `gcp-iam` | `INFISICAL_JWT` |
 * | `spiffe-auth` | `INFISICAL_JWT`, or on Node the file that `INFISICAL_SPIFFE_JWT_PATH` names |
 * | `aws-iam`, `oci-auth`, `alicloud-auth`, on Node | the variables of the cloud |
 * | `tls-cert-auth` | none; the `HttpClient` presents the certificate |
 * | `ldap-auth` | `INFISICAL_LDAP_USERNAME`, `INFISICAL_LDAP_PASSWORD` |
 * | none: an access token | `INFISICAL_ACCESS_TOKEN` or `INFISICAL_TOKEN`; needs no identity's id |
 * | none: a service token, the older way | `INFISICAL_TOKEN`; needs no identity's id |
 *
 * The identity's id is `INFISICAL_MACHINE_IDENTITY_ID`. The method's own variable comes first, if it is set:
 * `INFISICAL_AWS_IAM_AUTH_IDENTITY_ID`, `INFISICAL_AZURE_AUTH_IDENTITY_ID`, `INFISICAL_GCP_AUTH_IDENTITY_ID`,
 * `INFISICAL_KUBERNETES_IDENTITY_ID`, `INFISICAL_LDAP_AUTH_IDENTITY_ID`, `INFISICAL_OCI_AUTH_IDENTITY_ID`,
 * `INFISICAL_OIDC_AUTH_IDENTITY_ID`. It also selects the method, so that `INFISICAL_AUTH_METHOD` is not needed.
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
  if (method === "access token") {
    return Either.zipWith(
      need("INFISICAL_ACCESS_TOKEN", variables.accessToken),
      organizationSlug,
      (token, organizationSlug) => Credential.accessToken(token, { organizationSlug })
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
  const identity = {
    identityId: need("INFISICAL_MACHINE_IDENTITY_ID", identityIdOf(method, variables)),
    organizationSlug
  }
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

/** The id of the method's own variable, or else the general one. */
const identityIdOf = (method: Method, variables: Variables): Option.Option<string> => {
  const own: Partial<Record<Method, Option.Option<string>>> = {
    "aws-iam": variables.awsIdentityId,
    "azure": variables.azureIdentityId,
    "gcp-id-token": variables.gcpIdentityId,
    "gcp-iam": variables.gcpIdentityId,
    "kubernetes": variables.kubernetesIdentityId,
    "ldap-auth": variables.ldapIdentityId,
    "oci-auth": variables.ociIdentityId,
    "oidc-auth": variables.oidcIdentityId
  }
  return Option.orElse(own[method] ?? Option.none(), () => variables.identityId)
}

/** The variables that belong to some methods only. The first method is the one that the variable selects alone. */
const ownVariables = (
  variables: Variables
): ReadonlyArray<
  readonly [variable: string, methods: Array.NonEmptyReadonlyArray<Method>, value: Option.Option<unknown>]
> => [
  ["INFISICAL_TOKEN", ["token"], variables.token],
  ["INFISICAL_ACCESS_TOKEN", ["access token"], variables.accessToken],
  ["INFISICAL_UNIVERSAL_AUTH_CLIENT_ID", ["universal-auth"], variables.clientId],
  ["INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET", ["universal-auth"], variables.clientSecret],
  ["INFISICAL_LDAP_USERNAME", ["ldap-auth"], variables.username],
  ["INFISICAL_LDAP_PASSWORD", ["ldap-auth"], variables.password],
  ["INFISICAL_LDAP_AUTH_IDENTITY_ID", ["ldap-auth"], variables.ldapIdentityId],
  ["INFISICAL_OIDC_AUTH_JWT", ["oidc-auth"], variables.oidcJwt],
  ["INFISICAL_OIDC_AUTH_IDENTITY_ID", ["oidc-auth"], variables.oidcIdentityId],
  ["INFISICAL_KUBERNETES_SERVICE_ACCOUNT_TOKEN_PATH", ["kubernetes"], variables.jwtPath],
  ["INFISICAL_KUBERNETES_IDENTITY_ID", ["kubernetes"], variables.kubernetesIdentityId],
  ["INFISICAL_SPIFFE_JWT_PATH", ["spiffe-auth"], variables.spiffeJwtPath],
  ["INFISICAL_AZURE_AUTH_IDENTITY_ID", ["azure"], variables.azureIdentityId],
  ["INFISICAL_GCP_AUTH_IDENTITY_ID", ["gcp-id-token", "gcp-iam"], variables.gcpIdentityId],
  ["INFISICAL_AWS_IAM_AUTH_IDENTITY_ID", ["aws-iam"], variables.awsIdentityId],
  ["INFISICAL_OCI_AUTH_IDENTITY_ID", ["oci-auth"], variables.ociIdentityId],
  // The last, since it fits what the others select.
  [
    "INFISICAL_JWT",
    ["jwt-auth", "oidc-auth", "kubernetes", "azure", "gcp-id-token", "gcp-iam", "spiffe-auth"],
    variables.jwt
  ]
]

/** The method that all variables fit. The identity's general id fits several. */
const choose = (variables: Variables): Either.Either<Method, ConfigError.ConfigError> => {
  const { method } = variables
  const set = ownVariables(variables).filter(([, , value]) => Option.isSome(value))
  if (Option.isSome(method)) {
    const other = set.find(([, methods]) => !methods.includes(method.value))
    return other === undefined ? Either.right(method.value) : invalid(
      other[0],
      `contradicts INFISICAL_AUTH_METHOD, which is ${method.value}: unset one of them`
    )
  }
  const first = set[0]
  if (first === undefined) {
    return Either.left(
      ConfigError.MissingData(
        ["INFISICAL_UNIVERSAL_AUTH_CLIENT_ID"],
        "No credential is set. Set INFISICAL_UNIVERSAL_AUTH_CLIENT_ID and INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET, or INFISICAL_AUTH_METHOD and INFISICAL_MACHINE_IDENTITY_ID, or INFISICAL_TOKEN"
      )
    )
  }
  const selected = first[1][0]
  const other = set.find(([, methods]) => !methods.includes(selected))
  return other === undefined ? Either.right(selected) : invalid(
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
