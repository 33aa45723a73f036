/** Logins that sign a request or present a certificate: OCI, Alibaba Cloud, TLS certificate, SPIFFE. */
import { FetchHttpClient, type HttpClient } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer, Redacted, Schema, TestClock } from "effect"
import { Credential, type InfisicalConfig, Secrets } from "effect-infisical"
import { Emulator } from "effect-infisical-emulator"
import { NodeInfisical } from "effect-infisical-node"
import { execFileSync } from "node:child_process"
import { createPublicKey, verify } from "node:crypto"
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import * as Http from "node:http"
import * as Https from "node:https"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { TLSSocket } from "node:tls"
import { inspect } from "node:util"
import * as AliCloudAuth from "../src/AliCloudAuth.js"
import { signatureOf } from "../src/internal/aliCloudSignature.js"
import { authorizationOf } from "../src/internal/ociSignature.js"
import * as OciAuth from "../src/OciAuth.js"
import * as TlsCertificate from "../src/TlsCertificate.js"

/** The private key of Oracle's published example. It is used nowhere else. */
const oraclesKey = `-----BEGIN RSA PRIVATE KEY-----
MIICXgIBAAKBgQDCFENGw33yGihy92pDjZQhl0C36rPJj+CvfSC8+q28hxA161QF
NUd13wuCTUcq0Qd2qsBe/2hFyc2DCJJg0h1L78+6Z4UMR7EOcpfdUE9Hf3m/hs+F
UR45uBJeDK1HSFHD8bHKD6kv8FPGfJTotc+2xjJwoYi+1hqp1fIekaxsyQIDAQAB
AoGBAJR8ZkCUvx5kzv+utdl7T5MnordT1TvoXXJGXK7ZZ+UuvMNUCdN2QPc4sBiA
QWvLw1cSKt5DsKZ8UETpYPy8pPYnnDEz2dDYiaew9+xEpubyeW2oH4Zx71wqBtOK
kqwrXa/pzdpiucRRjk6vE6YY7EBBs/g7uanVpGibOVAEsqH1AkEA7DkjVH28WDUg
f1nqvfn2Kj6CT7nIcE3jGJsZZ7zlZmBmHFDONMLUrXR/Zm3pR5m0tCmBqa5RK95u
412jt1dPIwJBANJT3v8pnkth48bQo/fKel6uEYyboRtA5/uHuHkZ6FQF7OUkGogc
mSJluOdc5t6hI1VsLn0QZEjQZMEOWr+wKSMCQQCC4kXJEsHAve77oP6HtG/IiEn7
kpyUXRNvFsDE0czpJJBvL/aRFUJxuRK91jhjC68sA7NsKMGg5OXb5I5Jj36xAkEA
gIT7aFOYBFwGgQAQkWNKLvySgKbAZRTeLBacpHMuQdl1DfdntvAyqpAZ0lY0RKmW
G6aFKaqQfOXKCyWoUiVknQJAXrlgySFci/2ueKlIE1QqIiLSZ8V8OlpFLRnb1pzI
7U1yQXnTAEFYM560yJlzUpOb1V4cScGd365tiSMvxLOvTA==
-----END RSA PRIVATE KEY-----`

const keyId =
  "ocid1.tenancy.oc1..aaaaaaaaba3pv6wkcr4jqae5f15p2b2m2yt2j6rx32uzr4h25vqstifsfdsq/ocid1.user.oc1..aaaaaaaat5nvwcna5j6aqzjcaty5eqbb6qt2jvpkanghtgdaqedqw3rynjq/20:3b:97:13:55:1c:5b:0d:d3:37:d8:50:4e:c5:3a:34"
const [tenancyOcid = "", userOcid = "", fingerprint = ""] = keyId.split("/")

const ociCredentials = {
  tenancyOcid,
  userOcid,
  fingerprint,
  privateKey: Redacted.make(oraclesKey),
  region: "eu-frankfurt-1"
}

const temporaryFolder = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "logins-"))),
  (folder) => Effect.promise(() => rm(folder, { recursive: true }))
)

const environment = (variables: Record<string, string>) =>
  Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(variables))))

/** Reads a secret with the variables of a method, and those of the server. */
const readWith = (variables: Record<string, string>) =>
  Effect.gen(function*() {
    const emulator = yield* Emulator.Emulator
    const secret = yield* Effect.flatMap(Secrets.Secrets, (secrets) => secrets.get("A")).pipe(
      Effect.provide(NodeInfisical.layerConfig().pipe(Layer.provide(FetchHttpClient.layer))),
      environment({
        INFISICAL_MACHINE_IDENTITY_ID: yield* emulator.identityId(),
        INFISICAL_PROJECT_ID: (yield* emulator.project()).id,
        INFISICAL_API_URL: emulator.url,
        ...variables
      })
    )
    return Redacted.value(secret.value)
  })

const emulator = Emulator.layer({ secrets: { A: "a" }, identities: { main: {} } })

describe("OCI", () => {
  it("has the signature that Oracle publishes for its example", () => {
    // https://docs.oracle.com/en-us/iaas/Content/API/Concepts/signingrequests.htm
    assert.strictEqual(
      authorizationOf({
        keyId,
        privateKey: oraclesKey,
        passphrase: undefined,
        target:
          "get /20160918/instances?availabilityDomain=Pjwf%3A%20PHX-AD-1&compartmentId=ocid1.compartment.oc1..aaaaaaaam3we6vgnherjq5q2idnccdflvjsnog7mlr6rtdb25gilchfeyjxa&displayName=TeamXInstances&volumeId=ocid1.volume.oc1.phx.abyhqljrgvttnlx73nmrwfaux7kcvzfs3s66izvxf2h4lgvyndsdsnoiwr5q",
        host: "iaas.us-phoenix-1.oraclecloud.com",
        date: "Thu, 05 Jan 2014 21:31:40 GMT"
      }),
      `Signature version="1",headers="date (request-target) host",keyId="${keyId}",algorithm="rsa-sha256",signature="GBas7grhyrhSKHP6AVIj/h5/Vp8bd/peM79H9Wv8kjoaCivujVXlpbKLjMPeDUhxkFIWtTtLBj3sUzaFj34XE6YZAHc9r2DmE4pMwOAy/kiITcZxa1oHPOeRheC0jP2dqbTll8fmTZVwKZOKHYPtrLJIJQHJjNvxFWeHQjMaR7M="`
    )
  })

  it.effect("is a request for the user, signed for the region at the clock's time", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(Date.UTC(2026, 10, 23, 12, 34, 56))
      const { login } = yield* OciAuth.ociAuth({
        identityId: "identity",
        organizationSlug: "sub",
        credentials: Effect.succeed(ociCredentials)
      })
      const sent = yield* login
      if (sent.method !== "oci-auth") return yield* Effect.dieMessage(sent.method)
      assert.include(sent, {
        identityId: "identity",
        organizationSlug: "sub",
        userOcid,
        host: "identity.eu-frankfurt-1.oraclecloud.com",
        date: "Mon, 23 Nov 2026 12:34:56 GMT"
      })
      const signature = /signature="([^"]+)"/.exec(Redacted.value(sent.authorization))?.[1] ?? ""
      const text =
        `date: ${sent.date}\n(request-target): get /20160918/users/${userOcid}\nhost: identity.eu-frankfurt-1.oraclecloud.com`
      assert.isTrue(
        verify("sha256", Buffer.from(text), createPublicKey(oraclesKey), Buffer.from(signature, "base64"))
      )
      assert.notInclude(inspect(sent, { depth: null }) + JSON.stringify(sent), signature.slice(0, 12))
    }))

  it.effect.each(
    [
      { what: "private key", credentials: { privateKey: Redacted.make("planted0") } },
      { what: "region", credentials: { region: "planted0.evil.example/" } },
      { what: "user OCID", credentials: { userOcid: "planted0\n" } },
      { what: "tenancy OCID", credentials: { tenancyOcid: "planted0\"" } },
      { what: "fingerprint", credentials: { fingerprint: "planted0" } }
    ] as const
  )(
    "with a malformed $what is an error that names it and quotes nothing",
    ({ credentials, what }) =>
      Effect.gen(function*() {
        const { login } = yield* OciAuth.ociAuth({
          identityId: "identity",
          credentials: Effect.succeed({ ...ociCredentials, ...credentials })
        })
        const error = yield* Effect.flip(login)
        assert.include(error.message, what)
        assert.notInclude(inspect(error, { depth: null }), "planted0")
      })
  )

  it.scoped("logs in with the variables of OCI's command line, with the key in a file or in a variable", () =>
    Effect.gen(function*() {
      const file = join(yield* temporaryFolder, "key.pem")
      yield* Effect.promise(() => writeFile(file, oraclesKey))
      const variables = {
        INFISICAL_AUTH_METHOD: "oci-auth",
        OCI_CLI_TENANCY: tenancyOcid,
        OCI_CLI_USER: userOcid,
        OCI_CLI_FINGERPRINT: fingerprint,
        OCI_CLI_REGION: "eu-frankfurt-1"
      }
      assert.strictEqual(yield* readWith({ ...variables, OCI_CLI_KEY_FILE: file }), "a")
      assert.strictEqual(yield* readWith({ ...variables, OCI_CLI_KEY_CONTENT: oraclesKey }), "a")
      const error = yield* Effect.flip(readWith(variables))
      assert.include(error, { _tag: "InvalidCredentialError", part: "OCI credentials" })
    }).pipe(Effect.provide(emulator)))
})

describe("Alibaba Cloud", () => {
  it.each([
    {
      parameters: {
        AccessKeyId: "testid",
        Action: "DescribeRegions",
        Format: "XML",
        SignatureMethod: "HMAC-SHA1",
        SignatureNonce: "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf",
        SignatureVersion: "1.0",
        Timestamp: "2016-02-23T12:46:24Z",
        Version: "2014-05-26"
      },
      secret: "testsecret",
      expected: "OLeaidS1JvxuMvnyHOwuJ+uX5qY="
    },
    {
      parameters: {
        AccessKeyId: "testId",
        Action: "SendSms",
        Format: "XML",
        OutId: "123",
        PhoneNumbers: "15300000001",
        RegionId: "cn-hangzhou",
        SignName: "阿里云短信测试专用",
        SignatureMethod: "HMAC-SHA1",
        SignatureNonce: "45e25e9b-0a6f-4070-8c85-2956eda1b466",
        SignatureVersion: "1.0",
        TemplateCode: "SMS_71390007",
        TemplateParam: "{\"customer\":\"test\"}",
        Timestamp: "2017-07-12T02:42:19Z",
        Version: "2017-05-25"
      },
      secret: "testSecret",
      expected: "zJDF+Lrzhj/ThnlvIToysFRq6t4="
    }
  ])("has the signature that Alibaba Cloud publishes for $parameters.Action", ({ expected, parameters, secret }) => {
    // https://www.alibabacloud.com/help/en/sdk/product-overview/rpc-mechanism
    assert.strictEqual(signatureOf(parameters, secret), expected)
  })

  it.effect("is a request for the caller's identity at the clock's time, with another nonce at each login", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(Date.UTC(2026, 10, 23, 12, 34, 56))
      const { login } = yield* AliCloudAuth.aliCloudAuth({
        identityId: "identity",
        credentials: Effect.succeed({ accessKeyId: "LTAI", accessKeySecret: Redacted.make("planted0") })
      })
      const [first, second] = yield* Effect.all([login, login])
      if (first.method !== "alicloud-auth" || second.method !== "alicloud-auth") return yield* Effect.dieMessage("no")
      assert.include(first, { accessKeyId: "LTAI", version: "2015-04-01", timestamp: "2026-11-23T12:34:56Z" })
      assert.notStrictEqual(first.signatureNonce, second.signatureNonce)
      assert.notInclude(inspect(first, { depth: null }) + JSON.stringify(first), "planted0")
    }))

  it.effect("signs with the security token of temporary credentials, and sends it", () =>
    Effect.gen(function*() {
      const secret = "planted0secret"
      const loginOf = (securityToken?: string) =>
        Effect.gen(function*() {
          const { login } = yield* AliCloudAuth.aliCloudAuth({
            identityId: "identity",
            credentials: Effect.succeed({
              accessKeyId: "STS.LTAI",
              accessKeySecret: Redacted.make(secret),
              securityToken: securityToken === undefined ? undefined : Redacted.make(securityToken)
            })
          })
          const sent = yield* login
          return sent.method === "alicloud-auth" ? sent : yield* Effect.dieMessage(sent.method)
        })
      const sent = yield* loginOf("planted0token")
      const other = yield* loginOf("planted0other")
      const textOf = (secret: Redacted.Redacted<string> | undefined) => secret && Redacted.value(secret)
      assert.strictEqual(textOf(sent.securityToken), "planted0token")
      assert.strictEqual(
        Redacted.value(sent.signature),
        signatureOf({
          AccessKeyId: "STS.LTAI",
          Action: "GetCallerIdentity",
          Format: "JSON",
          SecurityToken: "planted0token",
          SignatureMethod: "HMAC-SHA1",
          SignatureNonce: sent.signatureNonce,
          SignatureVersion: "1.0",
          Timestamp: sent.timestamp,
          Version: "2015-04-01"
        }, secret)
      )
      // Credentials that were refused are offered again once their token is another one.
      assert.notStrictEqual(textOf(sent.signedWith), textOf(other.signedWith))
      assert.notInclude(inspect(sent, { depth: null }) + JSON.stringify(sent), "planted0")
      assert.include(yield* Effect.flip(loginOf()), { part: "Alibaba Cloud access key id" })
    }))

  it.effect("logs in with its variables", () =>
    Effect.gen(function*() {
      const variables = { INFISICAL_AUTH_METHOD: "alicloud-auth", ALIBABA_CLOUD_ACCESS_KEY_ID: "LTAI" }
      assert.strictEqual(yield* readWith({ ...variables, ALIBABA_CLOUD_ACCESS_KEY_SECRET: "planted0" }), "a")
      const temporary = {
        INFISICAL_AUTH_METHOD: "alicloud-auth",
        ALIBABA_CLOUD_ACCESS_KEY_ID: "STS.LTAI",
        ALIBABA_CLOUD_ACCESS_KEY_SECRET: "planted0",
        ALIBABA_CLOUD_SECURITY_TOKEN: "planted0token"
      }
      assert.strictEqual(yield* readWith(temporary), "a")
      assert.include(yield* Effect.flip(readWith({ ...temporary, ALIBABA_CLOUD_SECURITY_TOKEN: " " })), {
        part: "Alibaba Cloud access key id"
      })
      const error = yield* Effect.flip(readWith({ ...variables, ALIBABA_CLOUD_ACCESS_KEY_SECRET: "" }))
      assert.include(error, { _tag: "InvalidCredentialError", part: "Alibaba Cloud credentials" })
    }).pipe(Effect.provide(emulator)))
})

it.effect("AWS IAM logs in with the variables of AWS", () =>
  Effect.gen(function*() {
    const variables = { INFISICAL_AUTH_METHOD: "aws-iam", AWS_ACCESS_KEY_ID: "AKIDEXAMPLE" }
    assert.strictEqual(yield* readWith({ ...variables, AWS_SECRET_ACCESS_KEY: "planted0" }), "a")
  }).pipe(Effect.provide(emulator)))

it.scoped("SPIFFE logs in with the JWT-SVID in a file, read again at each login", () =>
  Effect.gen(function*() {
    const path = join(yield* temporaryFolder, "jwt_svid.token")
    yield* Effect.promise(() => writeFile(path, "planted0.svid.first\n"))
    assert.strictEqual(yield* readWith({ INFISICAL_SPIFFE_JWT_PATH: path }), "a")
    yield* Effect.promise(() => writeFile(path, "planted0.svid.other\n"))
    const error = yield* Effect.flip(readWith({ INFISICAL_SPIFFE_JWT_PATH: path }))
    assert.strictEqual(error._tag, "AuthenticationError")
  }).pipe(Effect.provide(
    Emulator.layer({ secrets: { A: "a" }, identities: { main: { acceptedJwts: ["planted0.svid.first"] } } })
  )))

/** A certificate authority, and the certificates and keys of a server and of a client. */
const certificates = Effect.gen(function*() {
  const folder = yield* temporaryFolder
  const openssl = (...args: ReadonlyArray<string>) =>
    Effect.sync(() => execFileSync("openssl", args, { cwd: folder, stdio: "pipe" }))
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
  yield* openssl("req", "-x509", ...newKey, "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=test authority")
  for (const name of ["server", "client"]) {
    yield* openssl("req", ...newKey, "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", `/CN=${name}`)
    yield* Effect.promise(() => writeFile(join(folder, "ext"), "subjectAltName=DNS:localhost"))
    yield* openssl(
      ..."x509 -req -CA ca.crt -CAkey ca.key -CAcreateserial -days 1 -extfile ext".split(" "),
      "-in",
      `${name}.csr`,
      "-out",
      `${name}.crt`
    )
  }
  const read = (name: string) => Effect.promise(() => readFile(join(folder, name), "utf8"))
  return yield* Effect.all({
    authority: read("ca.crt"),
    server: Effect.all({ cert: read("server.crt"), key: read("server.key") }),
    client: Effect.all({ cert: read("client.crt"), key: read("client.key") })
  })
})

/** A proxy in front of the emulator that demands a client certificate. Gives its URL, and the clients that it saw. */
const proxy = (ca: string, server: { readonly cert: string; readonly key: string }, target: string) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.async<{ readonly https: Https.Server; readonly clients: Set<string> }>((resume) => {
        const clients = new Set<string>()
        const https = Https.createServer({ ...server, ca, requestCert: true, rejectUnauthorized: true }, (from, to) => {
          const { socket } = from
          if (socket instanceof TLSSocket) clients.add(socket.getPeerX509Certificate()?.subject ?? "none")
          const onward = Http.request(
            new URL(from.url ?? "/", target),
            { method: from.method, headers: from.headers },
            (answer) => {
              to.writeHead(answer.statusCode ?? 500, answer.headers)
              answer.pipe(to)
            }
          )
          from.pipe(onward)
        })
        https.listen(0, "127.0.0.1", () => resume(Effect.succeed({ https, clients })))
      }),
      ({ https }) =>
        Effect.async<void>((resume) => {
          https.closeAllConnections()
          https.close(() => resume(Effect.void))
        })
    ),
    ({ clients, https }) => {
      const { port } = Schema.decodeUnknownSync(Schema.Struct({ port: Schema.Number }))(https.address())
      return { clients, url: `https://localhost:${port}` }
    }
  )

describe("TLS certificate", () => {
  const read = (
    options: Partial<InfisicalConfig.Options>,
    httpClient: Layer.Layer<HttpClient.HttpClient, unknown>
  ) =>
    Effect.gen(function*() {
      const emulator = yield* Emulator.Emulator
      const secret = yield* Effect.flatMap(Secrets.Secrets, (secrets) => secrets.get("A")).pipe(
        Effect.provide(
          NodeInfisical.layer({
            credential: Credential.tlsCertificate({ identityId: yield* emulator.identityId() }),
            projectId: (yield* emulator.project()).id,
            retry: { times: 0 },
            fallback: false,
            ...options
          }).pipe(Layer.provide(httpClient))
        )
      )
      return Redacted.value(secret.value)
    })

  it.scoped(
    "logs in through a server that demands a client certificate, and not without one",
    () =>
      Effect.gen(function*() {
        const { authority, client, server } = yield* certificates
        const { url } = yield* Emulator.Emulator
        const { clients, url: siteUrl } = yield* proxy(authority, server, url)
        const options = { certificateAuthorities: authority, certificate: client.cert }
        const withKey = TlsCertificate.layer({ ...options, privateKey: Redacted.make(client.key) })
        assert.strictEqual(yield* read({ siteUrl }, withKey), "a")
        assert.deepStrictEqual([...clients], ["CN=client"])
        // A certificate of another authority is none.
        const other = yield* certificates
        const withOther = TlsCertificate.layer({
          certificateAuthorities: authority,
          certificate: other.client.cert,
          privateKey: Redacted.make(other.client.key)
        })
        assert.include(yield* Effect.flip(read({ siteUrl }, withOther)), { _tag: "NetworkError" })
        assert.deepStrictEqual([...clients], ["CN=client"])
        // A key that does not belong to the certificate is found out before any request.
        const error = yield* Effect.flip(
          read({ siteUrl }, TlsCertificate.layer({ ...options, privateKey: Redacted.make(other.client.key) }))
        )
        assert.include(error, { _tag: "InvalidCredentialError", part: "TLS certificate" })
        assert.notInclude(inspect(error, { depth: null }), "PRIVATE KEY")
      }).pipe(Effect.provide(emulator)),
    30_000
  )

  it.effect("is chosen by INFISICAL_AUTH_METHOD, with the identity's id alone", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* readWith({ INFISICAL_AUTH_METHOD: "tls-cert-auth" }), "a")
    }).pipe(Effect.provide(emulator)))
})
