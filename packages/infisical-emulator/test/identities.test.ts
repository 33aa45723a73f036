import { expect, it } from "@effect/vitest"
import { Effect, Redacted, TestClock } from "effect"
import type { World } from "effect-infisical-emulator"
import { Emulator } from "effect-infisical-emulator"
import { accessToken, login, send, sendTo } from "./service.js"

const on = (world: World.Input) => Effect.provide(Emulator.layer({ era: "2024-07", ...world }))

const list = (token: string, query: Readonly<Record<string, string>> = {}) =>
  sendTo("/api/v3/secrets/raw", { token, query })

const statusOf = <E, R>(answer: Effect.Effect<{ readonly status: number }, E, R>) =>
  Effect.map(answer, ({ status }) => status)

const identityIn = (body: object, kind: string) => send(`/api/v1/auth/${kind}/login`, { method: "POST", body })

for (const kind of ["kubernetes-auth", "gcp-auth", "azure-auth", "oidc-auth", "jwt-auth", "spiffe-auth"]) {
  it.effect(`${kind} lets in any JWT, or those alone that the world names`, () =>
    Effect.gen(function*() {
      const emulator = yield* Emulator.Emulator
      const any = yield* emulator.identityId("any")
      const some = yield* emulator.identityId("some")
      const { body } = yield* identityIn({ identityId: any, jwt: "whatever" }, kind)
      expect(yield* statusOf(list(String(body.accessToken)))).toBe(200)
      expect(yield* statusOf(identityIn({ identityId: any, jwt: "" }, kind))).toBe(401)
      expect(yield* statusOf(identityIn({ identityId: some, jwt: "right" }, kind))).toBe(200)
      expect(yield* statusOf(identityIn({ identityId: some, jwt: "wrong" }, kind))).toBe(401)
    }).pipe(on({ era: "2026", identities: { any: {}, some: { acceptedJwts: ["right"] } } })))
}

it.effect("ldap-auth lets in the name and password of the identity, and no other", () =>
  Effect.gen(function*() {
    const identityId = yield* Effect.flatMap(Emulator.Emulator, (emulator) => emulator.identityId())
    const enter = (username: string, password: string) => identityIn({ identityId, username, password }, "ldap-auth")
    expect(yield* statusOf(enter("service", "right"))).toBe(200)
    expect(yield* statusOf(enter("service", "wrong"))).toBe(401)
    expect(yield* statusOf(enter("other", "right"))).toBe(401)
  }).pipe(on({ era: "2026", identities: { main: { ldap: { username: "service", password: "right" } } } })))

it.effect("aws-auth lets in a signed GetCallerIdentity, and nothing else", () =>
  Effect.gen(function*() {
    const identityId = yield* Effect.flatMap(Emulator.Emulator, (emulator) => emulator.identityId())
    const enter = (body: string, headers: string) =>
      identityIn({
        identityId,
        iamHttpRequestMethod: "POST",
        iamRequestBody: Buffer.from(body).toString("base64"),
        iamRequestHeaders: Buffer.from(headers).toString("base64")
      }, "aws-auth")
    const body = "Action=GetCallerIdentity&Version=2011-06-15"
    const signed = JSON.stringify({ Authorization: "AWS4-HMAC-SHA256 Credential=…", "Content-Length": 43 })
    expect(yield* statusOf(enter(body, signed))).toBe(200)
    expect(yield* statusOf(enter("Action=ListUsers", signed))).toBe(403)
    expect(yield* statusOf(enter(body, JSON.stringify({ Authorization: "Bearer token" })))).toBe(403)
    expect(yield* statusOf(enter(body, "Authorization: AWS4-HMAC-SHA256 Credential=…"))).toBe(403)
  }).pipe(on({ identities: { main: {} } })))

it.effect("oci-auth lets in a signed request of the user to OCI's identity service, and nothing else", () =>
  Effect.gen(function*() {
    const identityId = yield* Effect.flatMap(Emulator.Emulator, (emulator) => emulator.identityId())
    const enter = (headers: object) =>
      identityIn({
        identityId,
        userOcid: "ocid1.user",
        headers: {
          authorization: "Signature keyId=\"ocid1.tenancy/ocid1.user/aa:bb\"",
          host: "identity.eu-frankfurt-1.oraclecloud.com",
          date: "today",
          ...headers
        }
      }, "oci-auth")
    expect(yield* statusOf(enter({}))).toBe(200)
    expect(yield* statusOf(enter({ host: "identity.example.com" }))).toBe(401)
    expect(yield* statusOf(enter({ authorization: "Bearer token" }))).toBe(401)
    expect(yield* statusOf(enter({ authorization: "Signature keyId=\"ocid1.tenancy/other/aa:bb\"" }))).toBe(401)
  }).pipe(on({ era: "2026", identities: { main: {} } })))

it.effect("alicloud-auth lets in any signature of the right form, and tls-cert-auth any identity that it knows", () =>
  Effect.gen(function*() {
    const identityId = yield* Effect.flatMap(Emulator.Emulator, (emulator) => emulator.identityId())
    const enter = (Signature: string) =>
      identityIn({
        identityId,
        Action: "GetCallerIdentity",
        Format: "JSON",
        Version: "2015-04-01",
        AccessKeyId: "LTAI",
        SignatureMethod: "HMAC-SHA1",
        Timestamp: "2026-11-23T12:34:56Z",
        SignatureVersion: "1.0",
        SignatureNonce: "nonce",
        Signature
      }, "alicloud-auth")
    expect(yield* statusOf(enter("OLeaidS1JvxuMvnyHOwuJ+uX5qY="))).toBe(200)
    expect(yield* statusOf(enter("none"))).toBe(401)
    expect(yield* statusOf(identityIn({ identityId }, "tls-cert-auth"))).toBe(200)
    expect(yield* statusOf(identityIn({ identityId: "another" }, "tls-cert-auth"))).toBe(404)
  }).pipe(on({ era: "2026", identities: { main: {} } })))

it.effect("a token that its signature does not fit is refused, and so is one of another server", () =>
  Effect.gen(function*() {
    const token = yield* accessToken()
    expect(yield* list(`${token.slice(0, -4)}AAAA`)).toMatchObject({
      status: 500,
      body: { message: "invalid signature" }
    })
    const [header, , signature] = token.split(".")
    const claims = Buffer.from(JSON.stringify({ identityId: "another" })).toString("base64url")
    expect((yield* list(`${header}.${claims}.${signature}`)).body.message).toBe("invalid signature")
    const foreign = yield* Effect.provide(accessToken(), Emulator.layer({ identities: { main: {} } }))
    expect((yield* list(foreign)).body.message).toBe("invalid signature")
  }).pipe(on({ identities: { main: {} } })))

it.effect("a renewed token lives on, to its longest life", () =>
  Effect.gen(function*() {
    const token = yield* accessToken()
    const renew = send("/api/v1/auth/token/renew", { method: "POST", body: { accessToken: token } })
    for (let minute = 0; minute < 5; minute++) {
      yield* TestClock.adjust("9 minutes")
      expect((yield* renew).body).toMatchObject({ accessToken: token, expiresIn: 600, accessTokenMaxTTL: 3600 })
    }
    yield* TestClock.adjust("9 minutes")
    expect(yield* renew).toMatchObject({
      status: 403,
      body: { message: "Failed to renew MI access token past its Max TTL expiration" }
    })
    expect(yield* statusOf(list(token))).toBe(403)
  }).pipe(on({ identities: { main: { accessTokenTTL: 600, accessTokenMaxTTL: 3600 } } })))

it.effect("access tokens that are revoked behind the client's back are refused, others are not", () =>
  Effect.gen(function*() {
    const one = yield* accessToken("one")
    const other = yield* accessToken("other")
    yield* Effect.flatMap(Emulator.Emulator, (emulator) => emulator.revokeAccessTokens("one"))
    expect(yield* list(one)).toMatchObject({
      status: 403,
      body: { message: "You are not allowed to access this resource" }
    })
    expect(yield* statusOf(list(other))).toBe(200)
    expect(yield* statusOf(login("one"))).toBe(200)
  }).pipe(on({ identities: { one: {}, other: {} } })))

it.effect("logins that come at once each get a token that is good", () =>
  Effect.gen(function*() {
    const tokens = yield* Effect.replicateEffect(accessToken(), 20).pipe(Effect.withConcurrency("unbounded"))
    expect(new Set(tokens).size).toBe(20)
    const statuses = yield* Effect.forEach(tokens, (token) => statusOf(list(token)))
    expect(new Set(statuses)).toEqual(new Set([200]))
  }).pipe(on({ identities: { main: {} } })))

it.effect("three refused logins within thirty seconds lock an identity for five minutes, today", () =>
  Effect.gen(function*() {
    const wrong = login("main", "wrong")
    expect(yield* wrong).toMatchObject({ status: 401, body: { message: "Invalid credentials" } })
    yield* wrong
    yield* TestClock.adjust("31 seconds")
    yield* wrong
    // The first two are too long ago.
    expect(yield* statusOf(login())).toBe(200)
    yield* Effect.replicateEffect(wrong, 3)
    const locked = yield* login()
    expect(locked.status).toBe(401)
    expect(locked.body.message).toContain("temporarily locked")
    expect(yield* statusOf(login("other"))).toBe(200)
    yield* TestClock.adjust("299 seconds")
    expect(yield* statusOf(login())).toBe(401)
    yield* TestClock.adjust("1 second")
    expect(yield* statusOf(login())).toBe(200)
  }).pipe(on({ era: "2026", identities: { main: {}, other: {} } })))

it.effect("no number of refused logins locks an identity on a server of 2024-07", () =>
  Effect.gen(function*() {
    yield* Effect.replicateEffect(login("main", "wrong"), 10)
    expect(yield* statusOf(login())).toBe(200)
  }).pipe(on({ identities: { main: {} } })))

it.effect("an identity may in each project what its role there says", () =>
  Effect.gen(function*() {
    const emulator = yield* Emulator.Emulator
    const token = yield* accessToken()
    const statuses = (project: string) =>
      Effect.gen(function*() {
        const workspaceId = yield* emulator.projectId(project)
        const read = yield* list(token, { workspaceId })
        const written = yield* sendTo("/api/v3/secrets/raw/NEW", {
          token,
          method: "POST",
          body: { workspaceId, secretValue: "value" }
        })
        return [read.status, written.status]
      })
    expect(yield* statuses("main")).toEqual([200, 200])
    expect(yield* statuses("seen")).toEqual([200, 401])
    expect(yield* statuses("hidden")).toEqual([403, 403])
    expect(yield* statuses("unmentioned")).toEqual([403, 403])
  }).pipe(on({
    projects: { main: {}, seen: {}, hidden: {}, unmentioned: {} },
    identities: { main: { projects: { main: "admin", seen: "viewer", hidden: "none" } } }
  })))

it.effect("an identity with scopes is kept out of other environments and folders", () =>
  Effect.gen(function*() {
    const token = yield* accessToken()
    expect(yield* statusOf(list(token, { secretPath: "/app/web" }))).toBe(200)
    expect(yield* statusOf(list(token))).toBe(401)
    expect(yield* statusOf(list(token, { environment: "prod", secretPath: "/app" }))).toBe(401)
    expect(yield* statusOf(list(token, { environment: "nope" }))).toBe(401)
  }).pipe(on({
    projects: { main: { folders: { dev: { "/app/web": {} }, prod: { "/app": {} } } } },
    identities: { main: { scopes: [{ environment: "dev", secretPath: "/app/**" }] } }
  })))

it.effect("an identity that may read some names reads those by name, and lists nothing", () =>
  Effect.gen(function*() {
    const token = yield* accessToken()
    expect((yield* sendTo("/api/v3/secrets/raw/A", { token })).body.secret?.secretValue).toBe("a")
    expect(yield* statusOf(sendTo("/api/v3/secrets/raw/B", { token }))).toBe(401)
    expect(yield* statusOf(list(token))).toBe(401)
  }).pipe(on({ secrets: { A: "a", B: "b" }, identities: { main: { readableNames: ["A"] } } })))

it.effect("credentials are not shown when the world is printed", () =>
  Effect.gen(function*() {
    const emulator = yield* Emulator.Emulator
    const { clientSecret } = yield* emulator.universalAuth()
    expect(JSON.stringify(emulator.world)).not.toContain(Redacted.value(clientSecret))
  }).pipe(on({ identities: { main: {} } })))
