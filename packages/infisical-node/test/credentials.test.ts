/** Credentials that Node brings: JWTs in files, and AWS IAM. */
import { FetchHttpClient } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer, Redacted, TestClock } from "effect"
import { type Credential, Secrets } from "effect-infisical"
import { Emulator, type World } from "effect-infisical-emulator"
import { JwtFile, NodeInfisical } from "effect-infisical-node"
import { execFileSync } from "node:child_process"
import { createHash, createHmac } from "node:crypto"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { inspect } from "node:util"
import * as AwsAuth from "../src/AwsAuth.js"

const temporaryFile = Effect.map(
  Effect.acquireRelease(
    Effect.promise(() => mkdtemp(join(tmpdir(), "jwt-"))),
    (folder) => Effect.promise(() => rm(folder, { recursive: true }))
  ),
  (folder) => join(folder, "token")
)

const write = (path: string, text: string) => Effect.promise(() => writeFile(path, text))

describe("A JWT in a file", () => {
  it.scoped("is read whenever it is asked for, since it rotates", () =>
    Effect.gen(function*() {
      const path = yield* temporaryFile
      const jwt = JwtFile.read(path)
      yield* write(path, "first.jwt.signed\n")
      assert.strictEqual(Redacted.value(yield* jwt).trim(), "first.jwt.signed")
      yield* write(path, "second.jwt.signed\n")
      assert.strictEqual(Redacted.value(yield* jwt).trim(), "second.jwt.signed")
    }))

  it.scoped("that is not there, or empty, is an error that names the file", () =>
    Effect.gen(function*() {
      const path = yield* temporaryFile
      const missing = yield* Effect.flip(JwtFile.read(path))
      assert.include(missing, { _tag: "InvalidCredentialError", part: "jwt" })
      assert.include(missing.message, path)
      assert.include(missing.message, "ENOENT")
      yield* write(path, " \n")
      assert.include((yield* Effect.flip(JwtFile.read(path))).message, path)
    }))

  it.scoped("that is a FIFO or a device is an error at once", () =>
    Effect.gen(function*() {
      const path = yield* temporaryFile
      yield* Effect.sync(() => execFileSync("mkfifo", [path]))
      for (const file of [path, "/dev/zero", tmpdir()]) {
        const error = yield* Effect.flip(JwtFile.read(file))
        assert.include(error.message, file)
        assert.include(error.message, "not a regular file")
      }
    }), 5000)

  it.scoped("that is too large is an error that does not quote it", () =>
    Effect.gen(function*() {
      const path = yield* temporaryFile
      yield* write(path, "planted0".repeat(8192))
      assert.strictEqual(Redacted.value(yield* JwtFile.read(path)).length, 65_536)
      yield* write(path, `${"planted0".repeat(8192)}x`)
      const error = yield* Effect.flip(JwtFile.read(path))
      assert.include(error.message, path)
      assert.notInclude(error.message, "planted0")
    }))

  it.scoped("of a Kubernetes service account logs in with what the environment says", () =>
    Effect.gen(function*() {
      const path = yield* temporaryFile
      yield* write(path, "planted0.service.account")
      const emulator = yield* Emulator.Emulator
      const secret = yield* Effect.flatMap(Secrets.Secrets, (secrets) => secrets.get("A")).pipe(
        Effect.provide(NodeInfisical.layerConfig().pipe(Layer.provide(FetchHttpClient.layer))),
        Effect.withConfigProvider(ConfigProvider.fromMap(
          new Map([
            ["INFISICAL_AUTH_METHOD", "kubernetes"],
            ["INFISICAL_MACHINE_IDENTITY_ID", yield* emulator.identityId()],
            ["INFISICAL_KUBERNETES_SERVICE_ACCOUNT_TOKEN_PATH", path],
            ["INFISICAL_PROJECT_ID", (yield* emulator.project()).id],
            ["INFISICAL_API_URL", emulator.url]
          ])
        ))
      )
      assert.strictEqual(Redacted.value(secret.value), "a")
    }).pipe(Effect.provide(
      Emulator.layer({
        era: "2024-07",
        secrets: { A: "a" },
        identities: { main: { acceptedJwts: ["planted0.service.account"] } }
      })
    )))
})

const world: World.Input = { era: "2024-07", secrets: { A: "a" }, identities: { main: {} } }

const credentials = {
  accessKeyId: "AKIDEXAMPLE",
  secretAccessKey: Redacted.make("planted0wJalrXUtnFEMI"),
  sessionToken: Redacted.make("planted0session")
}

/** What a login sends, opened. */
const signed = (options: Partial<AwsAuth.Options> = {}) =>
  Effect.gen(function*() {
    const credential = yield* AwsAuth.awsAuth({
      identityId: "identity",
      region: "eu-central-1",
      credentials: Effect.succeed(credentials),
      ...options
    })
    const login = yield* credential.login
    if (login.method !== "aws-auth") return yield* Effect.dieMessage(login.method)
    const headers: Record<string, string> = JSON.parse(
      Buffer.from(Redacted.value(login.iamRequestHeaders), "base64").toString()
    )
    return { login, headers, body: Buffer.from(login.iamRequestBody, "base64").toString() }
  })

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex")

const hmac = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text).digest()

describe("AWS IAM", () => {
  it.effect("is a request for the caller's identity, signed for the region at the clock's time", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(Date.UTC(2026, 10, 23, 12, 34, 56))
      const { body, headers, login } = yield* signed()
      assert.include(login, { identityId: "identity", iamHttpRequestMethod: "POST" })
      assert.strictEqual(body, "Action=GetCallerIdentity&Version=2011-06-15")
      assert.include(headers, {
        Host: "sts.eu-central-1.amazonaws.com",
        "Content-Length": "43",
        "X-Amz-Date": "20261123T123456Z",
        "X-Amz-Security-Token": "planted0session"
      })
    }))

  it.effect("has the signature that AWS expects", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(Date.UTC(2026, 10, 23, 12, 34, 56))
      const { body, headers } = yield* signed()
      const authorization = headers["Authorization"] ?? ""
      const names = /SignedHeaders=([^,]+)/.exec(authorization)?.[1] ?? ""
      const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
      // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
      const canonical = [
        "POST",
        "/",
        "",
        ...names.split(";").map((name) => `${name}:${lower[name] ?? ""}`),
        "",
        names,
        sha256(body)
      ].join("\n")
      const scope = "20261123/eu-central-1/sts/aws4_request"
      const key = hmac(hmac(hmac(hmac("AWS4planted0wJalrXUtnFEMI", "20261123"), "eu-central-1"), "sts"), "aws4_request")
      const signature = hmac(key, `AWS4-HMAC-SHA256\n20261123T123456Z\n${scope}\n${sha256(canonical)}`).toString("hex")
      assert.strictEqual(
        authorization,
        `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/${scope}, SignedHeaders=${names}, Signature=${signature}`
      )
      assert.include(names, "host")
      assert.include(names, "x-amz-date")
    }))

  it.effect("asks for its credentials at each login, by default from the environment", () =>
    Effect.gen(function*() {
      const environment = new Map([
        ["AWS_ACCESS_KEY_ID", "AKIDENVIRONMENT"],
        ["AWS_SECRET_ACCESS_KEY", "planted0"],
        ["AWS_REGION", "us-west-2"]
      ])
      const { headers } = yield* signed({ credentials: undefined, region: undefined }).pipe(
        Effect.withConfigProvider(ConfigProvider.fromMap(environment))
      )
      assert.include(headers["Authorization"], "AKIDENVIRONMENT")
      assert.strictEqual(headers["Host"], "sts.us-west-2.amazonaws.com")
      assert.notProperty(headers, "X-Amz-Security-Token")
      const error = yield* Effect.flip(signed({ credentials: undefined })).pipe(
        Effect.withConfigProvider(ConfigProvider.fromMap(new Map()))
      )
      assert.include(error, { _tag: "InvalidCredentialError", part: "AWS credentials" })
    }))

  it.effect.each(["", " "])("takes an empty session token for none: %j", (sessionToken) =>
    Effect.gen(function*() {
      const given = yield* signed({
        credentials: Effect.succeed({ ...credentials, sessionToken: Redacted.make(sessionToken) })
      })
      assert.notProperty(given.headers, "X-Amz-Security-Token")
      const environment = new Map([
        ["AWS_ACCESS_KEY_ID", "AKIDENVIRONMENT"],
        ["AWS_SECRET_ACCESS_KEY", "planted0"],
        ["AWS_SESSION_TOKEN", sessionToken]
      ])
      const { headers } = yield* signed({ credentials: undefined }).pipe(
        Effect.withConfigProvider(ConfigProvider.fromMap(environment))
      )
      assert.notProperty(headers, "X-Amz-Security-Token")
      assert.notInclude(headers["Authorization"], "security-token")
    }))

  it.effect("shows no key and no signature when it is printed", () =>
    Effect.gen(function*() {
      const { login } = yield* signed()
      assert.notInclude(inspect(login, { depth: null }) + JSON.stringify(login), "planted0")
      assert.notInclude(JSON.stringify(login), "QVdTNC1ITUFD")
    }))

  it.effect("logs in", () =>
    Effect.gen(function*() {
      const emulator = yield* Emulator.Emulator
      const credential: Credential.Credential = yield* AwsAuth.awsAuth({
        identityId: yield* emulator.identityId(),
        region: "eu-central-1",
        credentials: Effect.succeed(credentials)
      })
      const secret = yield* Effect.flatMap(Secrets.Secrets, (secrets) => secrets.get("A")).pipe(
        Effect.provide(
          NodeInfisical.layer({ credential, siteUrl: emulator.url, projectId: (yield* emulator.project()).id }).pipe(
            Layer.provide(FetchHttpClient.layer)
          )
        )
      )
      assert.strictEqual(Redacted.value(secret.value), "a")
    }).pipe(Effect.provide(Emulator.layer(world))))
})
