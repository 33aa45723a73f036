/** Where the emulator of 2025 and 2026 answers other than `wire/current.md` says. */
import { HttpClientRequest } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { Emulator } from "effect-infisical-emulator"

const folders = { dev: { "/": { secrets: { A: "a" } }, "/to": { secrets: { A: "t" } } } }

const send = (
  method: "GET" | "POST" | "PATCH" | "DELETE",
  path: string,
  { body, headers = {}, token }: {
    readonly body?: unknown
    readonly headers?: Readonly<Record<string, string>>
    readonly token?: string
  }
) =>
  Effect.gen(function*() {
    const { httpClient } = yield* Emulator.Emulator
    const plain = HttpClientRequest.setHeaders(HttpClientRequest.make(method)(`http://infisical.test${path}`), headers)
    const authorized = token === undefined ? plain : HttpClientRequest.bearerToken(plain, token)
    const response = yield* httpClient.execute(
      body === undefined ? authorized : HttpClientRequest.bodyUnsafeJson(authorized, body)
    )
    return { status: response.status, body: (yield* response.json) as any }
  })

const login = (more: Readonly<Record<string, unknown>> = {}) =>
  Effect.gen(function*() {
    const { clientId, clientSecret } = yield* (yield* Emulator.Emulator).universalAuth()
    return yield* send("POST", "/api/v1/auth/universal-auth/login", {
      body: { clientId, clientSecret: Redacted.value(clientSecret), ...more }
    })
  })

const start = Effect.gen(function*() {
  const { id: projectId } = yield* (yield* Emulator.Emulator).project()
  const token: string = (yield* login()).body.accessToken
  return { projectId, token, place: { projectId, environment: "dev" } }
})

for (const era of ["2025", "2026"] as const) {
  describe(`The emulator of ${era}`, () => {
    const run = Effect.provide(Emulator.layer({
      era,
      projects: { main: { folders } },
      serviceTokens: { main: {} },
      identities: { main: {} }
    }))

    it.effect("refuses a name with a colon, 422 custom (1. Names)", () =>
      Effect.gen(function*() {
        const { place, token } = yield* start
        const created = yield* send("POST", "/api/v4/secrets/a%3Ab", { token, body: { ...place, secretValue: "v" } })
        const renamed = yield* send("PATCH", "/api/v4/secrets/A", { token, body: { ...place, newSecretName: "c:d" } })
        assert.deepStrictEqual([created.status, renamed.status], [422, 422])
      }).pipe(run))

    it.effect("writes an item of a batch PATCH in its own secretPath (1. /batch)", () =>
      Effect.gen(function*() {
        const { place, projectId, token } = yield* start
        yield* send("PATCH", "/api/v4/secrets/batch", {
          token,
          body: { ...place, secrets: [{ secretKey: "A", secretPath: "/to", secretValue: "new" }] }
        })
        const { body } = yield* send("GET", `/api/v4/secrets/A?projectId=${projectId}&environment=dev`, { token })
        assert.strictEqual(body.secret.secretValue, "a")
      }).pipe(run))

    it.effect("refuses a login to an organization that does not exist, 404 (3. organizationSlug wrong)", () =>
      Effect.gen(function*() {
        assert.strictEqual((yield* login({ organizationSlug: "nope" })).status, 404)
      }).pipe(run))

    it.effect("refuses a service token with x-infisical-org, 400 (4.)", () =>
      Effect.gen(function*() {
        const emulator = yield* Emulator.Emulator
        const { id } = yield* emulator.project()
        const token = Redacted.value(yield* emulator.serviceToken())
        const path = `/api/v4/secrets?projectId=${id}&environment=dev`
        assert.strictEqual((yield* send("GET", path, { token, headers: { "x-infisical-org": "x" } })).status, 400)
      }).pipe(run))

    it.effect("answers 500 to a tag id that is no UUID (3. bad tag id)", () =>
      Effect.gen(function*() {
        const { place, token } = yield* start
        const body = { ...place, secretValue: "v", tagIds: ["x"] }
        assert.strictEqual((yield* send("POST", "/api/v4/secrets/T", { token, body })).status, 500)
      }).pipe(run))

    it.effect("refuses a metadata filter without its value (1. both parts needed)", () =>
      Effect.gen(function*() {
        const { projectId, token } = yield* start
        const path = `/api/v4/secrets?projectId=${projectId}&environment=dev&metadataFilter=key=a`
        assert.strictEqual((yield* send("GET", path, { token })).status, 422)
      }).pipe(run))

    it.effect("reads folders and imports of v2 by id, and a project by slug (2.)", () =>
      Effect.gen(function*() {
        const { projectId, token, place } = yield* start
        const at = `projectId=${projectId}&environment=dev&path=/`
        const folder = (yield* send("GET", `/api/v2/folders?${at}`, { token })).body.folders[0].id
        const made = yield* send("POST", "/api/v2/secret-imports", {
          token,
          body: { ...place, path: "/", import: { environment: "dev", path: "/to" } }
        })
        const statuses = yield* Effect.forEach([
          `/api/v2/folders/${folder}`,
          `/api/v2/secret-imports/${made.body.secretImport.id}`,
          `/api/v2/secret-imports/secrets?${at}`,
          "/api/v1/projects/slug/main"
        ], (path) => Effect.map(send("GET", path, { token }), ({ status }) => status))
        assert.deepStrictEqual(statuses, [200, 200, 200, 200])
      }).pipe(run))
  })
}
