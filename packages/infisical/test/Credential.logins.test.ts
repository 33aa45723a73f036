/** What each login sends, with and without an organization, and what an access token sends. */
import { HttpClient, HttpClientResponse } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted, Ref, Schema, TestClock } from "effect"
import { Credential, Infisical, type InfisicalConfig, type InfisicalError, Secrets } from "effect-infisical"
import { inspect } from "node:util"
import { layer, refused, request, run, session, thirtyDays, TokenServer } from "./support/TokenServer.js"

const secret = (text: string) => Redacted.make(`planted0${text}`)

const aws = {
  iamHttpRequestMethod: "POST",
  iamRequestBody: "body",
  iamRequestHeaders: secret("headers"),
  signedWith: secret("key")
}

const oci = {
  userOcid: "ocid1.user",
  host: "identity.region.oraclecloud.com",
  date: "today",
  authorization: secret("signature"),
  signedWith: secret("key")
}

const aliCloud = {
  accessKeyId: "LTAI",
  version: "2015-04-01",
  timestamp: "2026-11-23T12:34:56Z",
  signatureNonce: "nonce",
  signature: secret("signature"),
  signedWith: secret("key")
}

type Login = (
  options: Credential.OrganizationOptions
) => Effect.Effect<Credential.MachineIdentity, InfisicalError.InvalidCredentialError>

const jwtMethods = [
  "kubernetes-auth",
  "gcp-auth",
  "azure-auth",
  "oidc-auth",
  "jwt-auth",
  "spiffe-auth"
] as const

const identityId = "identity"

const logins: ReadonlyArray<{ readonly kind: string; readonly login: Login; readonly body: object }> = [
  {
    kind: "universal-auth",
    login: (options) => Credential.universalAuth({ ...options, clientId: "client", clientSecret: secret("secret") }),
    body: { clientId: "client", clientSecret: "planted0secret" }
  },
  ...jwtMethods.map((method) => ({
    kind: method,
    login: (options: Credential.OrganizationOptions) =>
      method === "spiffe-auth"
        ? Credential.spiffeAuth({ ...options, identityId, jwt: Effect.succeed(secret("jwt")) })
        : Credential.jwt({ ...options, method, identityId, jwt: secret("jwt") }),
    body: { identityId, jwt: "planted0jwt" }
  })),
  {
    kind: "ldap-auth",
    login: (options) => Credential.ldapAuth({ ...options, identityId, username: "me", password: secret("password") }),
    body: { identityId, username: "me", password: "planted0password" }
  },
  {
    kind: "aws-auth",
    login: (options) => Credential.awsAuth({ ...options, identityId, sign: Effect.succeed(aws) }),
    body: { identityId, iamHttpRequestMethod: "POST", iamRequestBody: "body", iamRequestHeaders: "planted0headers" }
  },
  {
    kind: "oci-auth",
    login: (options) => Credential.ociAuth({ ...options, identityId, sign: Effect.succeed(oci) }),
    body: {
      identityId,
      userOcid: "ocid1.user",
      headers: { authorization: "planted0signature", host: "identity.region.oraclecloud.com", date: "today" }
    }
  },
  {
    kind: "alicloud-auth",
    login: (options) => Credential.aliCloudAuth({ ...options, identityId, sign: Effect.succeed(aliCloud) }),
    body: {
      identityId,
      Action: "GetCallerIdentity",
      Format: "JSON",
      Version: "2015-04-01",
      AccessKeyId: "LTAI",
      SignatureMethod: "HMAC-SHA1",
      Timestamp: "2026-11-23T12:34:56Z",
      SignatureVersion: "1.0",
      SignatureNonce: "nonce",
      Signature: "planted0signature"
    }
  },
  {
    kind: "alicloud-auth",
    login: (options) =>
      Credential.aliCloudAuth({
        ...options,
        identityId,
        sign: Effect.succeed({ ...aliCloud, securityToken: secret("token") })
      }),
    body: {
      identityId,
      Action: "GetCallerIdentity",
      Format: "JSON",
      Version: "2015-04-01",
      AccessKeyId: "LTAI",
      SignatureMethod: "HMAC-SHA1",
      Timestamp: "2026-11-23T12:34:56Z",
      SignatureVersion: "1.0",
      SignatureNonce: "nonce",
      SecurityToken: "planted0token",
      Signature: "planted0signature"
    }
  },
  {
    kind: "tls-cert-auth",
    login: (options) => Credential.tlsCertificate({ ...options, identityId }),
    body: { identityId }
  }
]

const parse = Schema.decodeUnknown(Schema.parseJson())

/** The path, the body and the headers of each request of a `get`. The server lets every login in and has no secret. */
const requestsOf = (credential: InfisicalConfig.Options["credential"]) =>
  Effect.gen(function*() {
    const seen: Array<{ readonly path: string; readonly body: unknown; readonly headers: Record<string, string> }> = []
    const server = HttpClient.make((request, url) =>
      Effect.gen(function*() {
        const body = request.body._tag === "Uint8Array" ? new TextDecoder().decode(request.body.body) : "null"
        seen.push({ path: url.pathname, body: yield* Effect.orDie(parse(body)), headers: { ...request.headers } })
        return HttpClientResponse.fromWeb(
          request,
          url.pathname.endsWith("/login")
            ? Response.json({ accessToken: "a.b.c", expiresIn: 60, accessTokenMaxTTL: 60, tokenType: "Bearer" })
            : Response.json({ secrets: [], imports: [] })
        )
      })
    )
    yield* Effect.flatMap(Secrets.Secrets, (secrets) => secrets.list()).pipe(
      Effect.provide(
        Infisical.layer({ credential, projectId: "project", siteUrl: "http://infisical.test", fallback: false }).pipe(
          Layer.provide(Layer.succeed(HttpClient.HttpClient, server))
        )
      )
    )
    return seen
  })

describe("A login", () => {
  for (const { body, kind, login } of logins) {
    it.effect(`by ${kind} sends what its route takes, and the organization if it has one`, () =>
      Effect.gen(function*() {
        const [plain] = yield* requestsOf(login({}))
        assert.strictEqual(plain?.path, `/api/v1/auth/${kind}/login`)
        assert.deepStrictEqual(plain?.body, body)
        assert.notProperty(plain?.headers ?? {}, "x-infisical-org")
        const [scoped] = yield* requestsOf(login({ organizationSlug: " sub-org " }))
        assert.deepStrictEqual(scoped?.body, { ...body, organizationSlug: "sub-org" })
      }))

    it.effect(`by ${kind} shows nothing secret when it is printed, and says what is wrong with its options`, () =>
      Effect.gen(function*() {
        const credential = yield* login({})
        const sent = yield* credential.login
        assert.notInclude([inspect(sent, { depth: null }), JSON.stringify(sent), String(sent)].join(), "planted0")
        assert.notInclude(inspect(credential, { depth: null, showHidden: true }), "planted0")
        for (const organizationSlug of ["", "planted0/slug", "planted0\nslug"]) {
          const error = yield* Effect.flip(login({ organizationSlug }))
          assert.include(error, { _tag: "InvalidCredentialError", part: "organization slug" })
          assert.notInclude(inspect(error, { depth: null }), "planted0")
        }
      }))
  }
})

describe("The organization of a token", () => {
  it.effect("is the header x-infisical-org of every request of an access token", () =>
    Effect.gen(function*() {
      const requests = yield* requestsOf(Credential.accessToken(secret("token"), { organizationSlug: "sub-org" }))
      assert.isAtLeast(requests.length, 1)
      for (const { headers } of requests) assert.include(headers, { "x-infisical-org": "sub-org" })
      for (const { headers } of yield* requestsOf(Credential.accessToken(secret("token")))) {
        assert.notProperty(headers, "x-infisical-org")
      }
    }))

  it.effect.each(["st.id.planted0", "{\"planted0\": 1}"])(
    "is an error with a service token: %s",
    (token) =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(Credential.token(Redacted.make(token), { organizationSlug: "sub-org" }))
        assert.include(error, { _tag: "InvalidCredentialError", part: "organization slug" })
        assert.include(error.message, "service token")
        assert.notInclude(inspect(error, { depth: null }), "planted0")
      })
  )
})

describe("A refused login", () => {
  /** Signs each login differently, with the key of the ref. */
  const signing = (key: Ref.Ref<string>, kind: "oci-auth" | "alicloud-auth") =>
    Effect.map(Ref.make(0), (count) => {
      const sign = <A extends object>(signed: A) =>
        Effect.gen(function*() {
          const n = yield* Ref.updateAndGet(count, (n) => n + 1)
          const signature = Redacted.make(`signature ${n}`)
          return {
            ...signed,
            authorization: signature,
            signature,
            signatureNonce: String(n),
            signedWith: Redacted.make(yield* Ref.get(key))
          }
        })
      return kind === "oci-auth"
        ? Credential.ociAuth({ identityId, sign: sign(oci) })
        : Credential.aliCloudAuth({ identityId, sign: sign(aliCloud) })
    })

  for (const kind of ["oci-auth", "alicloud-auth"] as const) {
    it.effect(`by ${kind} is not offered again with another signature, but with another key`, () =>
      Effect.gen(function*() {
        const { setFault, takeCounts } = yield* TokenServer
        const key = yield* Ref.make("first")
        yield* Effect.gen(function*() {
          yield* setFault(() => refused())
          for (let i = 0; i < 3; i++) yield* Effect.flip(request)
          assert.deepStrictEqual(yield* takeCounts, { "login 401": 1 })
          yield* Ref.set(key, "second")
          yield* setFault(() => undefined)
          yield* request
          assert.deepStrictEqual(yield* takeCounts, { "login 200": 1 })
        }).pipe(Effect.provide(session({ credential: yield* signing(key, kind) })))
      }).pipe(Effect.provide(layer(thirtyDays))))
  }

  it.effect("by oidc-auth is offered once, though the server answers 500 to a refused one", () =>
    Effect.gen(function*() {
      const { setFault, takeCounts } = yield* TokenServer
      const credential = yield* Credential.jwt({ method: "oidc-auth", identityId, jwt: secret("jwt") })
      yield* setFault(() =>
        Response.json({ statusCode: 500, error: "OidcAuthError", message: "jwt audience invalid" }, { status: 500 })
      )
      yield* Effect.gen(function*() {
        for (let i = 0; i < 3; i++) assert.include(yield* Effect.flip(request), { _tag: "AuthenticationError" })
      }).pipe(Effect.provide(session({ credential, retry: { times: 3 } })))
      assert.deepStrictEqual(yield* takeCounts, { "login 500": 1 })
    }).pipe(Effect.provide(layer(thirtyDays))))

  it.effect("by tls-cert-auth is offered again after a growing pause, since the certificate may have been replaced", () =>
    Effect.gen(function*() {
      const { setFault, takeCounts } = yield* TokenServer
      yield* setFault(() => refused())
      for (let i = 0; i < 3; i++) assert.include(yield* Effect.flip(request), { _tag: "AuthenticationError" })
      assert.deepStrictEqual(yield* takeCounts, { "login 401": 1 })
      yield* TestClock.adjust("10 seconds")
      for (let i = 0; i < 3; i++) yield* Effect.flip(request)
      yield* TestClock.adjust("10 seconds")
      yield* Effect.flip(request)
      assert.deepStrictEqual(yield* takeCounts, { "login 401": 1 })
      yield* setFault(() => undefined)
      yield* TestClock.adjust("10 seconds")
      yield* request
      assert.deepStrictEqual(yield* takeCounts, { "login 200": 1 })
    }).pipe(run(thirtyDays, { credential: Credential.tlsCertificate({ identityId }) })))
})
