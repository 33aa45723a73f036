import { HttpClient, HttpClientResponse } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Cause, ConfigProvider, Effect, Exit, Layer, Redacted } from "effect"
import { Credential, type CredentialConfig, Infisical, InfisicalConfig, Secrets } from "effect-infisical"
import { inspect } from "node:util"

const provider = (variables: Record<string, string>) =>
  Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(variables))))

const projectId = { INFISICAL_PROJECT_ID: "project" }

const configOf = (variables: Record<string, string>, platform = {}) =>
  Effect.flatMap(InfisicalConfig.fromEnvironmentOn(platform), InfisicalConfig.make).pipe(
    provider({ ...projectId, ...variables })
  )

const credentialOf = (variables: Record<string, string>, platform = {}) =>
  Effect.map(configOf(variables, platform), ({ credential }) => credential)

const loginOf = (credential: Credential.Credential) =>
  credential._tag === "MachineIdentity" ? credential.login : Effect.dieMessage(credential._tag)

/** With the text of what is redacted, since two redacted texts are always deeply equal. */
const bare = (fields: object): object =>
  Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, Redacted.isRedacted(value) ? Redacted.value(value) : value])
  )

const universalAuth = {
  INFISICAL_UNIVERSAL_AUTH_CLIENT_ID: "client",
  INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET: "planted0secret"
}
const identity = { INFISICAL_MACHINE_IDENTITY_ID: "identity" }
const jwt = { INFISICAL_JWT: "planted0.jwt.signed" }

describe("A credential from the environment", () => {
  it.effect.each([
    { token: `st.id.secret.${"0".repeat(32)}`, tag: "ServiceToken" },
    { token: "st.id.secret", tag: "ServiceToken" },
    { token: "eyJhbGciOi.eyJpZGVudGl0eUlk.dskuCbtSvJ", tag: "AccessToken" }
  ])("is what INFISICAL_TOKEN is: $tag", ({ tag, token }) =>
    Effect.gen(function*() {
      assert.strictEqual((yield* credentialOf({ INFISICAL_TOKEN: token }))._tag, tag)
    }))

  it.effect.each([
    { what: "universal-auth", variables: universalAuth, expected: { method: "universal-auth", clientId: "client" } },
    {
      what: "universal-auth, said as well",
      variables: { ...universalAuth, INFISICAL_AUTH_METHOD: "universal-auth" },
      expected: { method: "universal-auth", clientId: "client" }
    },
    {
      what: "jwt-auth",
      variables: { ...identity, ...jwt },
      expected: { method: "jwt-auth", identityId: "identity" }
    },
    {
      what: "oidc-auth",
      variables: { ...identity, INFISICAL_OIDC_AUTH_JWT: "a.b.c" },
      expected: { method: "oidc-auth", identityId: "identity" }
    },
    {
      what: "azure",
      variables: { ...identity, ...jwt, INFISICAL_AUTH_METHOD: "azure" },
      expected: { method: "azure-auth", identityId: "identity" }
    },
    {
      what: "gcp-id-token",
      variables: { ...identity, ...jwt, INFISICAL_AUTH_METHOD: "gcp-id-token" },
      expected: { method: "gcp-auth", identityId: "identity" }
    },
    {
      what: "kubernetes",
      variables: { ...identity, ...jwt, INFISICAL_AUTH_METHOD: "kubernetes" },
      expected: { method: "kubernetes-auth", identityId: "identity" }
    },
    {
      what: "ldap-auth",
      variables: { ...identity, INFISICAL_LDAP_USERNAME: "me", INFISICAL_LDAP_PASSWORD: "planted0password" },
      expected: { method: "ldap-auth", identityId: "identity", username: "me" }
    },
    {
      what: "spiffe-auth",
      variables: { ...identity, ...jwt, INFISICAL_AUTH_METHOD: "spiffe-auth" },
      expected: { method: "spiffe-auth", identityId: "identity" }
    },
    {
      what: "tls-cert-auth",
      variables: { ...identity, INFISICAL_AUTH_METHOD: "tls-cert-auth" },
      expected: { method: "tls-cert-auth", identityId: "identity" }
    },
    {
      what: "gcp-iam",
      variables: { ...identity, ...jwt, INFISICAL_AUTH_METHOD: "gcp-iam" },
      expected: { method: "gcp-auth", identityId: "identity" }
    },
    {
      what: "azure, by the id of its own",
      variables: { ...identity, ...jwt, INFISICAL_AZURE_AUTH_IDENTITY_ID: "own" },
      expected: { method: "azure-auth", identityId: "own" }
    },
    {
      what: "gcp-id-token, by the id of its own",
      variables: { ...jwt, INFISICAL_GCP_AUTH_IDENTITY_ID: "own" },
      expected: { method: "gcp-auth", identityId: "own" }
    },
    {
      what: "gcp-iam, with the id of its own",
      variables: { ...jwt, INFISICAL_GCP_AUTH_IDENTITY_ID: "own", INFISICAL_AUTH_METHOD: "gcp-iam" },
      expected: { method: "gcp-auth", identityId: "own" }
    },
    {
      what: "kubernetes, by the id of its own",
      variables: { ...jwt, INFISICAL_KUBERNETES_IDENTITY_ID: "own" },
      expected: { method: "kubernetes-auth", identityId: "own" }
    },
    {
      what: "oidc-auth, by the id of its own, with the JWT of its own rather than the general one",
      variables: { ...jwt, INFISICAL_OIDC_AUTH_JWT: "a.b.c", INFISICAL_OIDC_AUTH_IDENTITY_ID: "own" },
      expected: { method: "oidc-auth", identityId: "own", jwt: "a.b.c" }
    },
    {
      what: "ldap-auth, with the id of its own",
      variables: {
        INFISICAL_LDAP_AUTH_IDENTITY_ID: "own",
        INFISICAL_LDAP_USERNAME: "me",
        INFISICAL_LDAP_PASSWORD: "planted0password"
      },
      expected: { method: "ldap-auth", identityId: "own", username: "me" }
    }
  ])("logs in by $what where its variables are set", ({ expected, variables }) =>
    Effect.gen(function*() {
      const login = yield* Effect.flatMap(credentialOf({ ...variables }), loginOf)
      assert.include<object>(bare(login), expected)
      assert.notInclude(inspect(login, { depth: null }) + JSON.stringify(login), "planted0")
    }))

  it.effect.each([
    { what: "universal-auth", variables: universalAuth },
    { what: "jwt-auth", variables: { ...identity, ...jwt } },
    { what: "ldap-auth", variables: { ...identity, INFISICAL_LDAP_USERNAME: "me", INFISICAL_LDAP_PASSWORD: "pass" } },
    { what: "tls-cert-auth", variables: { ...identity, INFISICAL_AUTH_METHOD: "tls-cert-auth" } }
  ])(
    "logs in by $what to the organization of INFISICAL_AUTH_ORGANIZATION_SLUG",
    ({ variables }) =>
      Effect.gen(function*() {
        const read = (slug: string) =>
          Effect.flatMap(credentialOf({ ...variables, INFISICAL_AUTH_ORGANIZATION_SLUG: slug }), loginOf)
        assert.include(yield* read("sub-org"), { organizationSlug: "sub-org" })
        assert.notProperty(yield* read(" "), "organizationSlug")
        assert.include(yield* Effect.flip(read("planted0/")), {
          _tag: "InvalidCredentialError",
          part: "organization slug"
        })
      })
  )

  it.effect("goes with an access token and an organization, but with no service token and one", () =>
    Effect.gen(function*() {
      const read = (token: string) => configOf({ INFISICAL_TOKEN: token, INFISICAL_AUTH_ORGANIZATION_SLUG: "sub-org" })
      assert.deepStrictEqual(bare((yield* read("a.b.c")).headers), { "x-infisical-org": "sub-org" })
      assert.include(yield* Effect.flip(read("st.id.secret")), {
        _tag: "InvalidCredentialError",
        part: "organization slug"
      })
    }))

  it.effect("is an access token in INFISICAL_ACCESS_TOKEN, with the organization", () =>
    Effect.gen(function*() {
      const config = yield* configOf({
        INFISICAL_ACCESS_TOKEN: "a.b.c",
        INFISICAL_AUTH_ORGANIZATION_SLUG: "sub-org"
      })
      assert.strictEqual(config.credential._tag, "AccessToken")
      assert.deepStrictEqual(bare(config.headers), { "x-infisical-org": "sub-org" })
    }))

  it.effect.each([
    { method: "aws-iam", variable: "INFISICAL_AWS_IAM_AUTH_IDENTITY_ID" },
    { method: "oci-auth", variable: "INFISICAL_OCI_AUTH_IDENTITY_ID" }
  ])("is signed by $method for the identity of $variable", ({ method, variable }) =>
    Effect.gen(function*() {
      const signer = (name: string): CredentialConfig.SignedLogin => ({ identityId }) =>
        Credential.tlsCertificate({ identityId: `${name} ${identityId}` })
      const login = yield* Effect.flatMap(
        credentialOf(
          { ...identity, [variable]: "own" },
          { awsIam: signer("aws-iam"), oci: signer("oci-auth"), aliCloud: signer("alicloud-auth") }
        ),
        loginOf
      )
      assert.include(login, { identityId: `${method} own` })
    }))

  it.effect.each(["aws-iam", "oci-auth", "alicloud-auth"])(
    "by %s is what the platform signs, or an error",
    (method) =>
      Effect.gen(function*() {
        const variables = { ...identity, INFISICAL_AUTH_METHOD: method, INFISICAL_AUTH_ORGANIZATION_SLUG: "sub-org" }
        const signed: CredentialConfig.SignedLogin = Credential.tlsCertificate
        const login = yield* Effect.flatMap(
          credentialOf(variables, { awsIam: signed, oci: signed, aliCloud: signed }),
          loginOf
        )
        assert.include(login, { identityId: "identity", organizationSlug: "sub-org" })
        const message = String(yield* Effect.flip(credentialOf(variables)))
        assert.include(message, "INFISICAL_AUTH_METHOD")
        assert.include(message, "effect-infisical-node")
      })
  )

  it.effect("reads a JWT-SVID from the file that is named", () =>
    Effect.gen(function*() {
      const readJwt = (path: string) => Effect.succeed(Redacted.make(`jwt.of.${path.replaceAll("/", "_")}`))
      const login = yield* Effect.flatMap(
        credentialOf({ ...identity, INFISICAL_SPIFFE_JWT_PATH: "/svid" }, { readJwt }),
        loginOf
      )
      assert.include<object>(bare(login), { method: "spiffe-auth", jwt: "jwt.of._svid" })
    }))

  it.effect("reads the token of a Kubernetes service account from where it is, or from where it is said to be", () =>
    Effect.gen(function*() {
      const readJwt = (path: string) => Effect.succeed(Redacted.make(`jwt.of.${path.replaceAll("/", "_")}`))
      const read = (variables: Record<string, string>) =>
        Effect.flatMap(credentialOf({ ...identity, ...variables }, { readJwt }), loginOf)
      assert.include<object>(bare(yield* read({ INFISICAL_AUTH_METHOD: "kubernetes" })), {
        jwt: "jwt.of._var_run_secrets_kubernetes.io_serviceaccount_token"
      })
      assert.include<object>(bare(yield* read({ INFISICAL_KUBERNETES_SERVICE_ACCOUNT_TOKEN_PATH: "/token" })), {
        method: "kubernetes-auth",
        jwt: "jwt.of._token"
      })
    }))

  it.effect.each([
    { what: "nothing", variables: {}, missing: "INFISICAL_TOKEN" },
    { what: "an empty token", variables: { INFISICAL_TOKEN: " " }, missing: "INFISICAL_TOKEN" },
    {
      what: "a client id alone",
      variables: { INFISICAL_UNIVERSAL_AUTH_CLIENT_ID: "client" },
      missing: "INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET"
    },
    {
      what: "a client secret alone",
      variables: { INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET: "secret" },
      missing: "INFISICAL_UNIVERSAL_AUTH_CLIENT_ID"
    },
    { what: "a JWT alone", variables: jwt, missing: "INFISICAL_MACHINE_IDENTITY_ID" },
    {
      what: "a method without its JWT",
      variables: { ...identity, INFISICAL_AUTH_METHOD: "azure" },
      missing: "INFISICAL_JWT"
    },
    {
      what: "a user without a password",
      variables: { ...identity, INFISICAL_LDAP_USERNAME: "me" },
      missing: "INFISICAL_LDAP_PASSWORD"
    }
  ])("of $what says that $missing is not set", ({ missing, variables }) =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(credentialOf({ ...variables }))
      assert.include(String(error), missing)
      assert.notInclude(String(error), "planted0")
    }))

  it.effect.each([
    {
      variables: { INFISICAL_TOKEN: "a.b.c", ...universalAuth },
      named: ["INFISICAL_TOKEN", "INFISICAL_UNIVERSAL_AUTH"]
    },
    {
      variables: { ...universalAuth, ...identity, ...jwt },
      named: ["INFISICAL_UNIVERSAL_AUTH_CLIENT_ID", "INFISICAL_JWT"]
    },
    {
      variables: { INFISICAL_TOKEN: "a.b.c", INFISICAL_ACCESS_TOKEN: "a.b.c" },
      named: ["INFISICAL_TOKEN", "INFISICAL_ACCESS_TOKEN"]
    },
    {
      variables: { INFISICAL_AZURE_AUTH_IDENTITY_ID: "a", INFISICAL_OCI_AUTH_IDENTITY_ID: "b" },
      named: ["INFISICAL_AZURE_AUTH_IDENTITY_ID", "INFISICAL_OCI_AUTH_IDENTITY_ID"]
    },
    {
      variables: { ...identity, ...jwt, INFISICAL_LDAP_AUTH_IDENTITY_ID: "a" },
      named: ["INFISICAL_LDAP_AUTH_IDENTITY_ID", "INFISICAL_JWT"]
    },
    {
      variables: { INFISICAL_TOKEN: "a.b.c", INFISICAL_AUTH_METHOD: "universal-auth", ...universalAuth },
      named: ["INFISICAL_TOKEN", "INFISICAL_AUTH_METHOD"]
    }
  ])("of variables that contradict each other names both: $named", ({ named, variables }) =>
    Effect.gen(function*() {
      const message = String(yield* Effect.flip(credentialOf({ ...variables })))
      for (const variable of named) assert.include(message, variable)
    }))

  it.effect("of an unknown method says which ones there are, and does not quote it", () =>
    Effect.gen(function*() {
      const message = String(yield* Effect.flip(credentialOf({ INFISICAL_AUTH_METHOD: "planted0" })))
      assert.include(message, "INFISICAL_AUTH_METHOD")
      assert.include(message, "universal-auth")
      assert.notInclude(message, "planted0")
    }))

  it.effect.each(["", " "])(
    "takes an empty INFISICAL_AUTH_METHOD for none: \"%s\"",
    (method) =>
      Effect.gen(function*() {
        const { id } = yield* credentialOf({ ...universalAuth, INFISICAL_AUTH_METHOD: method })
        assert.strictEqual(id, "universal-auth client")
      })
  )

  it.effect("takes every empty variable for none", () =>
    Effect.gen(function*() {
      const config = yield* configOf({
        ...Object.fromEntries(allVariables.map((variable) => [variable, " "])),
        ...universalAuth,
        ...projectId
      })
      assert.strictEqual(config.credential.id, "universal-auth client")
      assert.strictEqual(config.siteUrl, "https://app.infisical.com")
      assert.include(config.defaultLocation, { environment: "dev", secretPath: "/" })
      assert.deepStrictEqual(config.headers, {})
    }))

  it.effect("needs the project's id, but for a service token, which has its own", () =>
    Effect.gen(function*() {
      const load = (variables: Record<string, string>) =>
        Effect.flatMap(InfisicalConfig.fromEnvironment, InfisicalConfig.make).pipe(provider(variables))
      assert.include(yield* Effect.flip(load(universalAuth)), { _tag: "InvalidRequestError", parameter: "projectId" })
      assert.include(yield* Effect.flip(load({ INFISICAL_TOKEN: "a.b.c" })), { parameter: "projectId" })
      const { message } = yield* Effect.flip(load({ INFISICAL_TOKEN: "abc" }))
      for (const part of ["access token", "INFISICAL_PROJECT_ID", "service token", "st."]) assert.include(message, part)
      assert.strictEqual((yield* load({ INFISICAL_TOKEN: "st.id.secret" })).credential._tag, "ServiceToken")
    }))

  it.effect("cannot read what is end-to-end encrypted without a project key", () =>
    Effect.gen(function*() {
      const options = yield* provider({ ...projectId, ...universalAuth })(InfisicalConfig.fromEnvironment)
      const error = yield* Effect.flip(InfisicalConfig.make({ ...options, source: "end-to-end-encrypted" }))
      assert.include(error, { _tag: "InvalidRequestError", parameter: "source" })
    }))
})

const allVariables = [
  "INFISICAL_AUTH_METHOD",
  "INFISICAL_TOKEN",
  "INFISICAL_ACCESS_TOKEN",
  "INFISICAL_AWS_IAM_AUTH_IDENTITY_ID",
  "INFISICAL_AZURE_AUTH_IDENTITY_ID",
  "INFISICAL_GCP_AUTH_IDENTITY_ID",
  "INFISICAL_KUBERNETES_IDENTITY_ID",
  "INFISICAL_LDAP_AUTH_IDENTITY_ID",
  "INFISICAL_OCI_AUTH_IDENTITY_ID",
  "INFISICAL_OIDC_AUTH_IDENTITY_ID",
  "INFISICAL_UNIVERSAL_AUTH_CLIENT_ID",
  "INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET",
  "INFISICAL_MACHINE_IDENTITY_ID",
  "INFISICAL_JWT",
  "INFISICAL_OIDC_AUTH_JWT",
  "INFISICAL_KUBERNETES_SERVICE_ACCOUNT_TOKEN_PATH",
  "INFISICAL_LDAP_USERNAME",
  "INFISICAL_LDAP_PASSWORD",
  "INFISICAL_SPIFFE_JWT_PATH",
  "INFISICAL_AUTH_ORGANIZATION_SLUG",
  "INFISICAL_API_URL",
  "SITE_URL",
  "INFISICAL_PROJECT_ID",
  "INFISICAL_ENVIRONMENT",
  "INFISICAL_SECRET_PATH",
  "INFISICAL_CUSTOM_HEADERS"
]

describe("No error of the configuration", () => {
  const methods = ["kubernetes", "azure", "universal-auth", "ldap-auth", "spiffe-auth", "tls-cert-auth", "oci-auth"]
  const others: ReadonlyArray<Record<string, string>> = [
    {},
    projectId,
    { ...universalAuth, ...projectId },
    { ...identity, ...jwt, ...projectId },
    ...methods.map((method) => ({ ...projectId, INFISICAL_AUTH_METHOD: method }))
  ]

  for (const variable of allVariables) {
    it.effect(`quotes the value of ${variable}`, () =>
      Effect.gen(function*() {
        let failures = 0
        for (const value of ["planted0.value", "planted0 value", "{planted0", "st.planted0", "https://planted0?x"]) {
          for (const variables of others) {
            const exit = yield* Effect.exit(
              Effect.flatMap(InfisicalConfig.fromEnvironment, InfisicalConfig.make).pipe(
                provider({ ...variables, [variable]: value })
              )
            )
            if (Exit.isSuccess(exit)) continue
            failures++
            for (const error of Cause.failures(exit.cause)) {
              assert.notInclude(
                [String(error), JSON.stringify(error), inspect(error, { depth: null }), error.message].join("\n"),
                "planted0"
              )
            }
            assert.notInclude(Cause.pretty(exit.cause), "planted0")
          }
        }
        assert.isAbove(failures, 0)
      }))
  }
})

describe("Custom headers", () => {
  it.effect("are sent with every request, and never in the place of the token", () =>
    Effect.gen(function*() {
      const seen: Array<Readonly<Record<string, string>>> = []
      const recording = HttpClient.make((request) =>
        Effect.sync(() => {
          seen.push(request.headers)
          return HttpClientResponse.fromWeb(request, new Response("no", { status: 404 }))
        })
      )
      yield* Effect.flatMap(Secrets.Secrets, (secrets) => secrets.list()).pipe(
        Effect.ignore,
        Effect.provide(
          Infisical.layerConfig().pipe(Layer.provide(Layer.succeed(HttpClient.HttpClient, recording)))
        ),
        provider({
          INFISICAL_TOKEN: "st.id.secret",
          INFISICAL_CUSTOM_HEADERS: "CF-Access-Client-Id=abc CF-Access-Client-Secret=planted0=x authorization=mine"
        })
      )
      assert.isAtLeast(seen.length, 1)
      for (const headers of seen) {
        assert.include(headers, {
          "cf-access-client-id": "abc",
          "cf-access-client-secret": "planted0=x",
          authorization: "Bearer st.id.secret"
        })
      }
    }))

  it.effect("are not printed with the configuration", () =>
    Effect.gen(function*() {
      const config = yield* configOf({ ...universalAuth, INFISICAL_CUSTOM_HEADERS: "X-Secret=planted0" })
      assert.notInclude(inspect(config, { depth: null }) + JSON.stringify(config), "planted0")
    }))

  it.effect.each(["no-equals-sign", "=value", "bad name=value=", "x=\u0007"])(
    "that cannot be sent are refused: %s",
    (headers) =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(configOf({ ...universalAuth, INFISICAL_CUSTOM_HEADERS: headers }))
        assert.include(String(error), "eaders")
      })
  )
})
