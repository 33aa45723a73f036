import { HttpClient, HttpClientRequest } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Clock, Duration, Effect, Either, Exit, Layer, Redacted, Scope, TestClock, Tracer } from "effect"
import { Crypto } from "effect-infisical"
import type { World } from "effect-infisical-emulator"
import { Emulator } from "effect-infisical-emulator"
import * as Http from "node:http"
import { request } from "./request.js"

/** What is sent of a v2 token: all but its key. */
const bearer = (token: Redacted.Redacted<string>) => `Bearer ${Redacted.value(token).split(".").slice(0, 3).join(".")}`

interface Row {
  readonly id: string
  readonly version: number
  readonly type: string
  readonly environment: string
  readonly secretPath?: string
  readonly secretKeyCiphertext: string
  readonly secretKeyIV: string
  readonly secretKeyTag: string
  readonly secretValueCiphertext: string
  readonly secretValueIV: string
  readonly secretValueTag: string
}

interface Body {
  readonly message?: string
  readonly secret?: Row
  readonly secrets?: ReadonlyArray<Row>
  readonly imports?: ReadonlyArray<
    { readonly environment: string; readonly secretPath: string; readonly secrets: ReadonlyArray<Row> }
  >
}

/** A client that knows the project key. */
const makeClient = (emulator: Emulator.Service, token?: string) =>
  Effect.gen(function*() {
    const project = yield* emulator.project()
    const crypto = yield* Crypto.Crypto
    const cipher = yield* crypto.projectCipher(project.key)
    const authorization = token ?? bearer(yield* emulator.serviceToken())
    const value = (row: Row) =>
      cipher.decrypt({ ciphertext: row.secretValueCiphertext, iv: row.secretValueIV, tag: row.secretValueTag })
    const name = (row: Row) =>
      cipher.decrypt({ ciphertext: row.secretKeyCiphertext, iv: row.secretKeyIV, tag: row.secretKeyTag })
    const plain = (rows: ReadonlyArray<Row> = []) =>
      Effect.map(
        Effect.forEach(rows, (row) => Effect.all([name(row), value(row)])),
        (pairs) => pairs.map(([key, text]) => `${key}=${text}`)
      )
    const send = (path: string, headers: Record<string, string> = {}) =>
      Effect.map(
        request(emulator.url, path, { headers: { authorization, ...headers } }),
        ({ body, headers, status, text }): { status: number; body: Body; etag: string; text: string } => ({
          status,
          body: typeof body === "object" && body !== null ? body : {},
          etag: headers.etag ?? "",
          text
        })
      )
    const list = (query = "", headers: Record<string, string> = {}) =>
      send(`/api/v3/secrets?workspaceId=${project.id}&environment=dev${query}`, headers)
    const get = (secretName: string, query = "") =>
      send(`/api/v3/secrets/${encodeURIComponent(secretName)}?workspaceId=${project.id}&environment=dev${query}`)
    const write = (method: "POST" | "PATCH" | "DELETE", secretName: string, body: Record<string, string>) =>
      Effect.gen(function*() {
        const sealedName = yield* cipher.encrypt(body["secretName"] ?? secretName)
        const sealedValue = yield* cipher.encrypt(body["value"] ?? "")
        return yield* request(emulator.url, `/api/v3/secrets/${encodeURIComponent(secretName)}`, {
          method,
          headers: { authorization, "content-type": "application/json" },
          body: JSON.stringify({
            workspaceId: project.id,
            environment: "dev",
            secretKeyCiphertext: sealedName.ciphertext,
            secretKeyIV: sealedName.iv,
            secretKeyTag: sealedName.tag,
            secretValueCiphertext: sealedValue.ciphertext,
            secretValueIV: sealedValue.iv,
            secretValueTag: sealedValue.tag,
            ...body
          })
        })
      })
    return { get, list, plain, send, value, write }
  }).pipe(Effect.provide(Crypto.layer))

const start = (world: World.Input = {}) =>
  Effect.gen(function*() {
    const emulator = yield* Emulator.make({ era: "2024-07", ...world })
    return { emulator, client: yield* makeClient(emulator) }
  }).pipe(Effect.provide(Crypto.layer))

describe("a world", () => {
  it.scoped("of one line is served, encrypted with the project key", () =>
    Effect.gen(function*() {
      const { client } = yield* start({ secrets: { NAME: "value" } })
      const { body, text } = yield* client.list()
      expect(yield* client.plain(body.secrets)).toEqual(["NAME=value"])
      expect(text).not.toContain("NAME")
    }))

  it.scoped("keeps what is given: ids, key and token", () =>
    Effect.gen(function*() {
      const id = "77fa7aed-9288-401e-a4c9-3a9430be62a0"
      const key = "6dff049a8cbdd39f6fefefa494a4267e"
      const token =
        "st.d81703ad-ae12-40eb-952f-226aba3d99cd.65d6c21c44e9a342285f30862bd60796.5100f3b08f995fd366d71c66fec18ff3"
      const { client, emulator } = yield* start({
        projects: { only: { id, key } },
        serviceTokens: { only: { token } }
      })
      const project = yield* emulator.project()
      expect([project.id, Redacted.value(project.key)]).toEqual([id, key])
      expect(Redacted.value(yield* emulator.serviceToken())).toBe(token)
      expect((yield* client.list()).status).toBe(200)
    }))

  it.scoped("opens with its service token: the key part decrypts the project key", () =>
    Effect.gen(function*() {
      const { client, emulator } = yield* start()
      const crypto = yield* Crypto.Crypto
      const key = Redacted.make(Redacted.value(yield* emulator.serviceToken()).split(".")[3] ?? "")
      const cipher = yield* crypto.projectCipher(key)
      const { text } = yield* client.send("/api/v2/service-token")
      const { encryptedKey, iv, tag } = JSON.parse(text)
      const opened = yield* cipher.decrypt({ ciphertext: encryptedKey, iv, tag })
      expect(opened).toBe(Redacted.value((yield* emulator.project()).key))
    }).pipe(Effect.provide(Crypto.layer)))

  it.scoped("shows no credential, key or value when it is printed", () =>
    Effect.gen(function*() {
      const { emulator } = yield* start({ users: { alice: {} } })
      const token = Redacted.value(yield* emulator.serviceToken())
      const jwt = Redacted.value((yield* emulator.user("alice")).jwt)
      const key = Redacted.value((yield* emulator.project()).key)
      const printed = JSON.stringify(emulator.world)
      for (const secret of [token, jwt, key]) expect(printed).not.toContain(secret)
    }))

  it.effect("starts fifty times at once, each on a port of its own", () =>
    Effect.gen(function*() {
      const emulators = yield* Effect.all(Array.from({ length: 50 }, () => Emulator.make()), {
        concurrency: "unbounded"
      })
      const answers = yield* Effect.forEach(emulators, ({ url }) => request(url, "/api/status"), {
        concurrency: "unbounded"
      })
      expect(new Set(emulators.map(({ url }) => url)).size).toBe(50)
      expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 50 }, () => 200))
    }).pipe(Effect.scoped, Effect.provide(Crypto.layer)))
})

describe("a server", () => {
  it.live("stops with its scope while a kept connection is open", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const emulator = yield* Scope.extend(Emulator.make(), scope)
      const agent = new Http.Agent({ keepAlive: true })
      yield* request(emulator.url, "/api/status", { agent })
      const [duration] = yield* Effect.timed(Scope.close(scope, Exit.void))
      expect(Duration.toMillis(duration)).toBeLessThan(1000)
      const refused = yield* Effect.flip(request(emulator.url, "/api/status"))
      expect(refused.code).toBe("ECONNREFUSED")
      agent.destroy()
    }).pipe(Effect.provide(Crypto.layer)))

  it.scoped("resets connections while it is not available, and answers again afterwards", () =>
    Effect.gen(function*() {
      const { client, emulator } = yield* start()
      yield* emulator.setAvailable(false)
      expect((yield* Effect.flip(client.list())).code).toBe("ECONNRESET")
      yield* emulator.setAvailable(true)
      expect((yield* client.list()).status).toBe(200)
    }))

  it.scoped("records method, route, path and status of what it answered, and forgets them when told", () =>
    Effect.gen(function*() {
      const { client, emulator } = yield* start({ secrets: { NAME: "value" } })
      const project = yield* emulator.project()
      const query = `workspaceId=${project.id}&environment=dev`
      yield* client.get("NAME")
      yield* client.send("/api/v9/nope")
      expect(yield* emulator.requests).toEqual([
        { method: "GET", route: "/api/v3/secrets/:secretName", path: `/api/v3/secrets/NAME?${query}`, status: 200 },
        { method: "GET", route: undefined, path: "/api/v9/nope", status: 404 }
      ])
      yield* emulator.resetRequests
      expect(yield* emulator.requests).toEqual([])
    }))

  it.scoped("answers 304 without a body to an exact ETag, until something changes", () =>
    Effect.gen(function*() {
      const { client, emulator } = yield* start({ secrets: { NAME: "value" } })
      const { etag } = yield* client.list()
      const unchanged = yield* client.list("", { "if-none-match": etag })
      expect([unchanged.status, unchanged.text, unchanged.etag]).toEqual([304, "", etag])
      yield* emulator.setSecret({ name: "NAME", value: "other" })
      const changed = yield* client.list("", { "if-none-match": etag })
      expect(changed.status).toBe(200)
      expect(yield* client.plain(changed.body.secrets)).toEqual(["NAME=other"])
    }))

  it.scoped("gives the service token another ETag at every call, even where the clock stands still", () =>
    Effect.gen(function*() {
      const { client } = yield* start()
      const first = yield* client.send("/api/v2/service-token")
      const second = yield* client.send("/api/v2/service-token", { "if-none-match": first.etag })
      expect(second.status).toBe(200)
    }))

  it.scoped("opens no span of its own among those of the program that is tested", () =>
    Effect.gen(function*() {
      const names: Array<string> = []
      const native = yield* Effect.tracer
      const tracer = Tracer.make({
        context: native.context,
        span: (name, ...rest) => {
          names.push(name)
          return native.span(name, ...rest)
        }
      })
      const status = Effect.flatMap(Emulator.make(), ({ url }) => request(url, "/api/status"))
      yield* status.pipe(Effect.withSpan("tested"), Effect.withTracer(tracer))
      expect(names).toEqual(["tested"])
    }).pipe(Effect.provide(Crypto.layer)))

  it.scoped("refuses a media type it cannot read", () =>
    Effect.gen(function*() {
      const { emulator } = yield* start()
      const answered = yield* request(emulator.url, "/api/v3/secrets/NAME", {
        method: "POST",
        headers: { "authorization": bearer(yield* emulator.serviceToken()), "content-type": "application/xml" },
        body: "<a/>"
      })
      expect(answered.status).toBe(415)
    }))
})

describe("a service token", () => {
  it.scoped("expires by the clock of the test, is said to be expired once, and is then unknown", () =>
    Effect.gen(function*() {
      const { client } = yield* start({ serviceTokens: { main: { ttl: "5 minutes" } } })
      expect((yield* client.list()).status).toBe(200)
      yield* TestClock.adjust("5 minutes")
      expect((yield* client.list()).status).toBe(200)
      yield* TestClock.adjust("1 millis")
      const first = yield* client.list()
      const second = yield* client.list()
      expect([first.status, first.body.message]).toEqual([403, "failed to authenticate expired service token"])
      expect([second.status, second.body.message]).toEqual([403, "You are not allowed to access this resource"])
    }))

  it.scoped("is refused once it is revoked", () =>
    Effect.gen(function*() {
      const { client, emulator } = yield* start()
      yield* emulator.revokeServiceToken()
      expect((yield* client.list()).status).toBe(403)
    }))

  it.scoped("without its secret part is a failure of the server, as it was in 2024", () =>
    Effect.gen(function*() {
      const { client, emulator } = yield* start()
      const authorization = bearer(yield* emulator.serviceToken()).split(".").slice(0, 2).join(".")
      const { body, status } = yield* client.send("/api/v2/service-token", { authorization })
      expect([status, body.message]).toEqual([500, "data and hash arguments required"])
    }))

  const paths = ["/", "/foo", "/foo/bar", "/foo/bar/baz", "/foobar"]
  for (
    const [scope, allowed] of [
      ["/**", paths],
      ["/", ["/"]],
      ["/foo", ["/foo"]],
      ["/foo/**", ["/foo", "/foo/bar", "/foo/bar/baz"]],
      ["/foo/*", ["/foo/bar"]],
      ["/foo*", ["/foo", "/foobar"]],
      ["/*/bar", ["/foo/bar"]],
      ["/**/bar", ["/foo/bar"]]
    ] as const
  ) {
    it.scoped(`with the scope ${scope} reads ${allowed.join(", ")} and no more`, () =>
      Effect.gen(function*() {
        const { client } = yield* start({
          projects: { main: { folders: { dev: Object.fromEntries(paths.map((path) => [path, {}])) } } },
          serviceTokens: { main: { scopes: [{ environment: "dev", secretPath: scope }] } }
        })
        const answers = yield* Effect.forEach(paths, (path) =>
          Effect.map(client.list(`&secretPath=${path}`), ({ status }) => status === 200 ? [path] : []))
        expect(answers.flat()).toEqual(allowed)
      }))
  }

  it.scoped("v3 opens the box with the project key, where the world has one", () =>
    Effect.gen(function*() {
      const { emulator } = yield* start({ serviceTokens: { main: {}, third: { version: "v3" } }, secrets: { A: "b" } })
      const crypto = yield* Crypto.Crypto
      const token = JSON.parse(Redacted.value(yield* emulator.serviceToken("third")))
      const authorization = `Bearer ${token.serviceToken}`
      const client = yield* makeClient(emulator, authorization)
      const answered = yield* client.send("/api/v3/service-token/me/key")
      const { key } = JSON.parse(answered.text)
      const opened = yield* crypto.openBox({
        ciphertext: key.encryptedKey,
        nonce: key.nonce,
        publicKey: key.publicKey,
        privateKey: Redacted.make(token.privateKey)
      })
      const project = yield* emulator.project()
      expect(Redacted.value(opened)).toBe(Redacted.value(project.key))
      expect(key.workspace).toBe(project.id)
      expect(yield* client.plain((yield* client.list()).body.secrets)).toEqual(["A=b"])
    }).pipe(Effect.provide(Crypto.layer)))

  it.scoped("v3 has no route where the world has none", () =>
    Effect.gen(function*() {
      const { client } = yield* start()
      const { body, status } = yield* client.send("/api/v3/service-token/me/key")
      expect([status, body.message]).toEqual([404, "Route GET:/api/v3/service-token/me/key not found"])
    }))
})

describe("imports", () => {
  const from = (...paths: ReadonlyArray<string>) => paths.map((path) => ({ environment: "dev", path }))
  const folders = (dev: Record<string, typeof World.Folder.Encoded>): World.Input => ({
    projects: { main: { folders: { dev } } }
  })

  const entries = (world: World.Input, query: string) =>
    Effect.gen(function*() {
      const { client } = yield* start(world)
      const { body } = yield* client.list(`&include_imports=true${query}`)
      return yield* Effect.forEach(body.imports ?? [], ({ secretPath, secrets }) =>
        Effect.map(client.plain(secrets), (plain) => ({ secretPath, plain })))
    })

  it.scoped("come in position order, each with what it imports itself after its own", () =>
    Effect.gen(function*() {
      const found = yield* entries(
        folders({
          "/": { imports: from("/b", "/a") },
          "/a": { secrets: { A: "a" } },
          "/b": { secrets: { B: "b" }, imports: from("/c") },
          "/c": { secrets: { C: "c" }, imports: from("/d") },
          "/d": { secrets: { D: "d" } }
        }),
        ""
      )
      expect(found).toEqual([
        { secretPath: "/b", plain: ["B=b", "C=c", "D=d"] },
        { secretPath: "/a", plain: ["A=a"] }
      ])
    }))

  it.scoped("end where they come back to a folder that was imported already", () =>
    Effect.gen(function*() {
      const found = yield* entries(
        folders({
          "/one": { secrets: { ONE: "1" }, imports: from("/two") },
          "/two": { secrets: { TWO: "2" }, imports: from("/one") }
        }),
        "&secretPath=/one"
      )
      expect(found).toEqual([{ secretPath: "/two", plain: ["TWO=2", "ONE=1"] }])
    }))

  it.scoped("give later labels the secrets of the source after their own, where a source is gone", () =>
    Effect.gen(function*() {
      const found = yield* entries(
        folders({
          "/": { imports: from("/gone", "/a", "/b") },
          "/a": { secrets: { A: "a" } },
          "/b": { secrets: { B: "b" } }
        }),
        ""
      )
      expect(found).toEqual([
        { secretPath: "/gone", plain: ["A=a"] },
        { secretPath: "/a", plain: ["B=b"] },
        { secretPath: "/b", plain: [] }
      ])
    }))

  it.scoped("lose to the folder's own secret, and the last one wins among them, in a read by name", () =>
    Effect.gen(function*() {
      const { client } = yield* start(folders({
        "/": { secrets: { OWN: "own" }, imports: from("/a", "/b") },
        "/a": { secrets: { OWN: "a", CLASH: "a", ONLY: "a" } },
        "/b": { secrets: { OWN: "b", CLASH: "b" } }
      }))
      const values = yield* Effect.forEach(
        ["OWN", "CLASH", "ONLY"],
        (name) => Effect.map(client.get(name, "&include_imports=true"), ({ body }) => body.secret)
      )
      const plain = yield* client.plain(values.flatMap((row) => row === undefined ? [] : [row]))
      expect(plain).toEqual(["OWN=own", "CLASH=b", "ONLY=a"])
    }))
})

describe("a personal secret", () => {
  const world: World.Input = {
    users: { alice: {}, bob: {} },
    projects: {
      main: { folders: { dev: { "/": { secrets: { NAME: { value: "shared", personal: { alice: "of alice" } } } } } } }
    }
  }

  it.scoped("is seen by its user alone", () =>
    Effect.gen(function*() {
      const { client, emulator } = yield* start(world)
      const user = (name: string) =>
        Effect.flatMap(emulator.user(name), ({ jwt }) => makeClient(emulator, `Bearer ${Redacted.value(jwt)}`))
      const listed = (client: Effect.Effect.Success<ReturnType<typeof makeClient>>) =>
        Effect.flatMap(client.list(), ({ body }) => Effect.map(client.plain(body.secrets), (plain) => plain.toSorted()))
      expect(yield* listed(yield* user("alice"))).toEqual(["NAME=of alice", "NAME=shared"])
      expect(yield* listed(yield* user("bob"))).toEqual(["NAME=shared"])
      expect(yield* listed(client)).toEqual(["NAME=shared"])
    }))

  it.scoped("cannot be renamed", () =>
    Effect.gen(function*() {
      const { emulator } = yield* start(world)
      const alice = yield* makeClient(emulator, `Bearer ${Redacted.value((yield* emulator.user("alice")).jwt)}`)
      const { body, status } = yield* alice.write("PATCH", "NAME", { type: "personal", secretName: "OTHER" })
      expect([status, body]).toMatchObject([400, { message: "Personal secret cannot change the key name" }])
    }))

  it.scoped("can be deleted, and leaves the shared one", () =>
    Effect.gen(function*() {
      const { client, emulator } = yield* start(world)
      const alice = yield* makeClient(emulator, `Bearer ${Redacted.value((yield* emulator.user("alice")).jwt)}`)
      expect((yield* alice.write("DELETE", "NAME", { type: "personal" })).status).toBe(200)
      expect((yield* alice.get("NAME", "&type=personal")).status).toBe(400)
      expect((yield* client.get("NAME")).status).toBe(200)
    }))
})

describe("a write", () => {
  it.scoped("counts the version up, and stamps the time of the test's clock", () =>
    Effect.gen(function*() {
      const { client } = yield* start({ secrets: { NAME: "value" } })
      yield* TestClock.adjust("1 day")
      const { body } = yield* client.write("PATCH", "NAME", { value: "other" })
      expect(body).toMatchObject({
        secret: { version: 2, createdAt: "1970-01-01T00:00:00.000Z", updatedAt: "1970-01-02T00:00:00.000Z" }
      })
      expect(yield* client.plain((yield* client.list()).body.secrets)).toEqual(["NAME=other"])
    }))

  it.scoped("of one name by many at once succeeds once", () =>
    Effect.gen(function*() {
      const { client } = yield* start()
      const answers = yield* Effect.all(
        Array.from({ length: 10 }, () => client.write("POST", "NAME", { value: "value" })),
        { concurrency: "unbounded" }
      )
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
      expect((yield* client.list()).body.secrets).toHaveLength(1)
    }))
})

describe("behind the clients' backs", () => {
  it.scoped("a secret is set in a new folder, changed, and removed", () =>
    Effect.gen(function*() {
      const { client, emulator } = yield* start()
      const place = { secretPath: "/new/folder", name: "NAME" }
      const listed = Effect.flatMap(
        client.list("&secretPath=/new/folder"),
        ({ body }) => client.plain(body.secrets)
      )
      yield* emulator.setSecret({ ...place, value: Redacted.make("one") })
      expect(yield* listed).toEqual(["NAME=one"])
      yield* emulator.setSecret({ ...place, value: "two" })
      expect(yield* listed).toEqual(["NAME=two"])
      yield* emulator.removeSecret(place)
      expect(yield* listed).toEqual([])
    }))

  it.scoped("a secret in an environment that does not exist is a mistake with its place", () =>
    Effect.gen(function*() {
      const { emulator } = yield* start()
      const error = yield* Effect.flip(emulator.setSecret({ environment: "nope", name: "NAME", value: "value" }))
      expect(error.mistakes).toEqual([
        { place: "environment", problem: "must be one of the project's environments: dev, staging, prod" }
      ])
    }))
})

describe("the client without a socket", () => {
  const withClient = Emulator.layerHttpClient.pipe(
    Layer.provideMerge(Emulator.layer({ era: "2024-07", secrets: { NAME: "value" } }))
  )

  it.effect("reads and writes for any host, is recorded, and sees the server go", () =>
    Effect.gen(function*() {
      const emulator = yield* Emulator.Emulator
      const client = yield* HttpClient.HttpClient
      const project = yield* emulator.project()
      const authorized = HttpClientRequest.setHeader("authorization", bearer(yield* emulator.serviceToken()))
      const url = "https://app.infisical.com/api/v3/secrets"
      const listed = yield* client.execute(
        authorized(HttpClientRequest.get(url, { urlParams: { workspaceId: project.id, environment: "dev" } }))
      )
      expect(listed.status).toBe(200)
      const deleted = yield* HttpClientRequest.del(`${url}/NAME`).pipe(
        authorized,
        HttpClientRequest.bodyUnsafeJson({ workspaceId: project.id, environment: "dev" }),
        client.execute
      )
      expect(deleted.status).toBe(200)
      expect((yield* emulator.requests).map(({ route }) => route)).toEqual([
        "/api/v3/secrets",
        "/api/v3/secrets/:secretName"
      ])
      yield* emulator.setAvailable(false)
      const gone = yield* Effect.either(client.get(url))
      expect(Either.isLeft(gone) && gone.left).toMatchObject({ _tag: "RequestError", reason: "Transport" })
    }).pipe(Effect.provide(withClient)))

  it.effect("answers in the fiber that asks, by its clock", () =>
    Effect.gen(function*() {
      const client = yield* HttpClient.HttpClient
      const date = client.get("http://localhost/api/status").pipe(
        Effect.flatMap((response) => response.json),
        Effect.map((body) => JSON.stringify(body))
      )
      expect(yield* date).toContain("1970-01-01T00:00:00.000Z")
      expect(yield* Effect.withClock(date, Clock.make())).not.toContain("1970")
    }).pipe(Effect.provide(withClient)))
})
