import { describe, expect, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import type { World } from "effect-infisical-emulator"
import { Emulator } from "effect-infisical-emulator"
import { accessToken, send, sendTo } from "./service.js"

const world: World.Input = {
  projects: {
    main: {
      tags: { blue: { name: "Blue", color: "#00f" }, red: {} },
      folders: {
        dev: {
          "/": {
            secrets: {
              A: { value: "a", tags: ["blue"], metadata: { team: "core", tier: "1" } },
              B: { value: "${A} and ${prod.db.NAME}", tags: ["red"], metadata: { team: "core" } },
              C: "c"
            },
            imports: [{ environment: "dev", path: "/shared" }]
          },
          "/shared": { secrets: { SHARED: "shared" } }
        },
        prod: { "/db": { secrets: { NAME: "orders" } } }
      }
    }
  },
  identities: { main: {}, viewer: { role: "viewer" }, blind: { hidesValues: true } },
  serviceTokens: {
    main: {},
    shared: { scopes: [{ environment: "dev", secretPath: "/shared" }] },
    below: { scopes: [{ environment: "dev", secretPath: "/shared/**" }] }
  },
  users: { alice: {} }
}

const on = (more: World.Input) => Effect.provide(Emulator.layer({ ...world, ...more }))
const today = on({ era: "2026" })
const of2024 = on({ era: "2024-07" })

const pathOf = (name?: string) => name === undefined ? "/api/v4/secrets" : `/api/v4/secrets/${name}`

const v4 = (name?: string, options: Parameters<typeof sendTo>[1] = {}) =>
  Effect.flatMap(accessToken("main"), (token) => sendTo(pathOf(name), { token, ...options }))

const values = (secrets: ReadonlyArray<{ readonly secretKey: string; readonly secretValue: string }> = []) =>
  Object.fromEntries(secrets.map(({ secretKey, secretValue }) => [secretKey, secretValue]))

describe("a server of today", () => {
  it.effect("gives of every secret its place, tags, metadata and times", () =>
    Effect.gen(function*() {
      const { body } = yield* v4()
      for (const secret of body.secrets ?? []) {
        expect(secret).toMatchObject({
          secretPath: expect.any(String),
          tags: expect.any(Array),
          secretMetadata: expect.any(Array),
          secretValueHidden: false,
          createdAt: expect.any(String),
          updatedAt: expect.any(String)
        })
      }
      // Of what is imported it says less.
      expect(body.imports?.[0]).toMatchObject({
        secretPath: "/shared",
        secrets: [{ secretKey: "SHARED", workspace: "", secretMetadata: [], secretValueHidden: false }]
      })
      for (const field of ["secretPath", "tags", "createdAt", "updatedAt"]) {
        expect(body.imports?.[0]?.secrets[0]).not.toHaveProperty(field)
      }
      expect((yield* v4("SHARED")).body.secret).toMatchObject({ secretPath: "/shared" })
      expect((yield* v4("A")).body.secret).toMatchObject({
        tags: [{ slug: "blue", name: "Blue", color: "#00f" }],
        secretMetadata: [{ key: "team", value: "core" }, { key: "tier", value: "1" }]
      })
    }).pipe(today))

  it.effect("imports unless it is told not to, by the flag's name of today", () =>
    Effect.gen(function*() {
      const imported = (query: Record<string, string>) =>
        Effect.map(v4(undefined, { query }), ({ body }) => body.imports?.length)
      expect(yield* imported({})).toBe(1)
      expect(yield* imported({ includeImports: "false" })).toBe(undefined)
      expect(yield* imported({ include_imports: "false" })).toBe(1)
    }).pipe(today))

  it.effect("of 2025 does not import unless it is told to, by the flag's older name", () =>
    Effect.gen(function*() {
      const imported = (query: Record<string, string>) =>
        Effect.map(v4(undefined, { query }), ({ body }) => body.imports?.length)
      expect(yield* imported({})).toBe(undefined)
      expect(yield* imported({ include_imports: "true" })).toBe(1)
      expect(yield* imported({ includeImports: "true" })).toBe(undefined)
    }).pipe(on({ era: "2025" })))

  it.effect("answers an update with what it carried alone, and keeps the rest", () =>
    Effect.gen(function*() {
      const change = (body: object) => Effect.map(v4("A", { method: "PATCH", body }), ({ body }) => body.secret)
      expect(yield* change({ secretComment: "why" })).toMatchObject({ secretValue: "", secretComment: "why" })
      const renamed = yield* change({ secretValue: "b", tagIds: [] })
      expect(renamed).toMatchObject({ secretValue: "b", secretComment: "" })
      for (const field of ["tags", "secretPath", "secretMetadata"]) expect(renamed).not.toHaveProperty(field)
      expect((yield* v4("A")).body.secret).toMatchObject({ secretValue: "b", secretComment: "why", tags: [] })
    }).pipe(today))

  it.effect("has no encrypted secrets in a project of the v2 engine, and those of clients in one of v1", () =>
    Effect.gen(function*() {
      const token = Redacted.value((yield* (yield* Emulator.Emulator).user("alice")).jwt)
      const encrypted = (project: string) =>
        Effect.flatMap(
          Effect.flatMap(Emulator.Emulator, (emulator) => emulator.projectId(project)),
          (workspaceId) => send("/api/v3/secrets", { token, query: { workspaceId, environment: "dev" } })
        )
      expect((yield* encrypted("main")).body.secrets).toEqual([])
      expect((yield* encrypted("older")).body.secrets).toHaveLength(1)
      expect((yield* sendTo("/api/v3/secrets/A", { token })).status).toBe(404)
    }).pipe(on({
      projects: { ...world.projects, older: { engine: "v1", folders: { dev: { "/": { secrets: { A: "a" } } } } } },
      serviceTokens: {}
    })))

  it.effect("expands references to the same folder and to others, in lists and by name", () =>
    Effect.gen(function*() {
      const query = { expandSecretReferences: "true" }
      expect(values((yield* v4(undefined, { query })).body.secrets)["B"]).toBe("a and orders")
      expect((yield* v4("B", { query })).body.secret?.secretValue).toBe("a and orders")
      expect((yield* v4("B")).body.secret?.secretValue).toBe("a and orders")
      expect((yield* v4("B", { query: { expandSecretReferences: "false" } })).body.secret?.secretValue).toBe(
        "${A} and ${prod.db.NAME}"
      )
    }).pipe(today))

  it.effect("hides values from who does not want them, and refuses them to who may not see them", () =>
    Effect.gen(function*() {
      const hidden = { secretValue: "<hidden-by-infisical>", secretValueHidden: true }
      expect((yield* v4("A", { query: { viewSecretValue: "false" } })).body.secret).toMatchObject(hidden)
      const token = yield* accessToken("blind")
      expect((yield* v4("A", { token })).status).toBe(403)
      expect((yield* v4(undefined, { token })).status).toBe(403)
      const query = { viewSecretValue: "false" }
      expect((yield* v4("A", { token, query })).body.secret).toMatchObject(hidden)
      expect((yield* v4(undefined, { token, query })).body.secrets?.[0]).toMatchObject(hidden)
    }).pipe(today))

  it.effect("lists by tags and by metadata", () =>
    Effect.gen(function*() {
      const names = (query: Record<string, string>) =>
        Effect.map(v4(undefined, { query }), ({ body }) => Object.keys(values(body.secrets)).toSorted())
      expect(yield* names({ tagSlugs: "blue" })).toEqual(["A"])
      expect(yield* names({ tagSlugs: "blue,red" })).toEqual(["A", "B"])
      expect(yield* names({ metadataFilter: "key=team,value=core" })).toEqual(["A", "B"])
      expect(yield* names({ metadataFilter: "key=team,value=core|key=tier,value=1" })).toEqual(["A"])
      expect(yield* names({ metadataFilter: "key=team,value=other" })).toEqual([])
    }).pipe(today))

  it.effect("gives a renamed secret its new name in the values that refer to it, in other folders as well", () =>
    Effect.gen(function*() {
      const { id: projectId } = yield* (yield* Emulator.Emulator).project()
      const listed = (environment: string, secretPath: string) =>
        Effect.map(
          v4(undefined, { query: { projectId, environment, secretPath, expandSecretReferences: "false" } }),
          ({ body }) => values(body.secrets)
        )
      const rename = (name: string, environment: string, secretPath: string, newSecretName: string) =>
        v4(name, { method: "PATCH", body: { projectId, environment, secretPath, newSecretName } })
      yield* rename("A", "dev", "/", "A2")
      yield* rename("NAME", "prod", "/db", "DATABASE")
      expect(yield* listed("dev", "/")).toMatchObject({ A2: "a", B: "${A2} and ${prod.db.DATABASE}", C: "c" })
    }).pipe(today))

  it.effect("refuses a colon and a slash in the name of a new secret, and not in one that is there", () =>
    Effect.gen(function*() {
      const { id: projectId } = (yield* Emulator.Emulator).world.projects["main"] ?? {}
      const place = { projectId, environment: "dev" }
      const refusal = (path: ReadonlyArray<string | number>) => ({
        status: 422,
        body: { error: "ValidationFailure", message: [{ code: "custom", path }] }
      })
      const body = { ...place, secretValue: "v" }
      expect(yield* v4("N%3AM", { method: "POST", body })).toMatchObject(refusal(["secretName"]))
      expect(yield* v4("N%2FM", { method: "POST", body })).toMatchObject(refusal(["secretName"]))
      expect(yield* v4("A", { method: "PATCH", body: { ...body, newSecretName: "A:B" } }))
        .toMatchObject(refusal(["newSecretName"]))
      const secrets = [{ secretKey: "N", secretValue: "v" }, { secretKey: "N:M", secretValue: "v" }]
      expect(yield* v4("batch", { method: "POST", body: { ...place, secrets } }))
        .toMatchObject(refusal(["secrets", 1, "secretKey"]))
      expect((yield* v4("X%3AY", { method: "DELETE", body: place })).status).toBe(404)
    }).pipe(today))

  it.effect("keeps the versions of a secret through changes and a new name", () =>
    Effect.gen(function*() {
      yield* v4("A", { method: "PATCH", body: { secretValue: " second \n\n" } })
      yield* v4("A", { method: "PATCH", body: { newSecretName: "Z" } })
      expect((yield* v4("Z")).body.secret).toMatchObject({ version: 3, secretValue: "second\n" })
      expect((yield* v4("A", { query: { version: "1" } })).body.secret).toMatchObject({ version: 1, secretValue: "a" })
      expect((yield* v4("A")).status).toBe(404)
    }).pipe(today))

  it.effect("updates in a batch what there is, and treats what there is not as it is told", () =>
    Effect.gen(function*() {
      const batch = (mode?: string) =>
        v4("batch", {
          method: "PATCH",
          body: {
            ...(mode !== undefined && { mode }),
            secrets: [{ secretKey: "C", secretValue: `by ${mode}` }, { secretKey: "NEW", secretValue: "new" }]
          }
        })
      const now = Effect.map(v4(), ({ body }) => values(body.secrets))
      expect((yield* batch()).status).toBe(404)
      expect(yield* now).toMatchObject({ C: "c" })
      expect((yield* batch("ignore")).body.secrets).toHaveLength(1)
      expect(yield* now).toMatchObject({ C: "by ignore" })
      expect(yield* now).not.toHaveProperty("NEW")
      expect((yield* batch("upsert")).body.secrets).toHaveLength(2)
      expect(yield* now).toMatchObject({ C: "by upsert", NEW: "new" })
      expect((yield* v4("batch", { method: "PATCH", body: { secrets: [] } })).status).toBe(422)
    }).pipe(today))

  it.effect("names what is missing or refused, each with an id of the request", () =>
    Effect.gen(function*() {
      const refused = (status: number, error: string, message?: string) => ({
        status,
        body: { statusCode: status, error, reqId: expect.any(String), message: message ?? expect.anything() }
      })
      const notFound = (message: string) => refused(404, "NotFound", message)
      const unlisted = (environment: string, path: string) =>
        refused(
          404,
          "SecretPathNotFound",
          `Folder with path '${path}' in environment '${environment}' was not found. ` +
            "Please ensure the environment slug and secret path is correct."
        )
      expect(yield* v4("NOPE")).toMatchObject(notFound("Secret with name 'NOPE' not found"))
      expect(yield* v4("NOPE", { method: "DELETE" })).toMatchObject(
        refused(404, "DeleteSecret", "Secret with name 'NOPE' not found")
      )
      expect(yield* v4("A", { query: { secretPath: "/nope" } })).toMatchObject(
        refused(404, "GetSecretByName", "Folder with path '/nope' in environment with slug 'dev' not found")
      )
      expect(yield* v4(undefined, { query: { secretPath: "/nope" } })).toMatchObject(unlisted("dev", "/nope"))
      expect(yield* v4(undefined, { query: { environment: "nope" } })).toMatchObject(unlisted("nope", "/"))
      expect(yield* v4("A", { method: "POST", body: {} })).toMatchObject(refused(422, "ValidationFailure"))
      expect(yield* v4("A", { method: "POST", body: { secretValue: "again" } })).toMatchObject(
        refused(400, "BadRequest", "Secret already exists")
      )
      const token = yield* accessToken("viewer")
      expect(yield* v4("NEW", { token, method: "POST", body: { secretValue: "value" } })).toMatchObject(
        refused(403, "PermissionDenied")
      )
      expect(yield* v4(undefined, { token: "garbage" })).toMatchObject(refused(403, "TokenError"))
      expect(yield* send("/api/v4/nope")).toMatchObject({ status: 404 })
    }).pipe(today))

  it.effect("says how long to wait where there were too many requests", () =>
    Effect.gen(function*() {
      const token = yield* accessToken("main")
      yield* v4(undefined, { token })
      expect(yield* v4(undefined, { token })).toMatchObject({
        status: 429,
        headers: { "retry-after": "10", "x-ratelimit-limit": "1", "x-ratelimit-remaining": "0" },
        body: { error: "RateLimitExceeded", message: "Rate limit exceeded. Please try again in 10 seconds" }
      })
    }).pipe(on({ era: "2026", rateLimit: { limit: 1, window: "10 seconds" } })))
})

describe("a server of 2024-07", () => {
  it.effect("has no v4", () =>
    Effect.gen(function*() {
      const { body, status } = yield* v4()
      expect(status).toBe(404)
      expect(body.message).toMatch(/^Route GET:\/api\/v4\/secrets\?.* not found$/)
      expect((yield* v4("A", { method: "POST", body: { secretValue: "value" } })).status).toBe(404)
    }).pipe(of2024))

  it.effect("says how long the window is where there were too many requests", () =>
    Effect.gen(function*() {
      const token = yield* accessToken("main")
      const list = sendTo("/api/v3/secrets/raw", { token })
      yield* list
      expect((yield* list).body.message).toBe("Rate limit exceeded, retry in 10 seconds")
    }).pipe(on({ era: "2024-07", rateLimit: { limit: 1, window: "10 seconds" } })))
})

describe("a service token where the server decrypts", () => {
  const bearer = (name: string) =>
    Effect.flatMap(Emulator.Emulator, (emulator) =>
      Effect.map(
        emulator.serviceToken(name),
        (token) => Redacted.value(token).split(".").slice(0, 3).join(".")
      ))

  it.effect("for one folder alone reads that one, whatever it asks for", () =>
    Effect.gen(function*() {
      const token = yield* bearer("shared")
      const list = yield* sendTo("/api/v3/secrets/raw", { token, query: { environment: "prod", secretPath: "/db" } })
      expect(values(list.body.secrets)).toEqual({ SHARED: "shared" })
      expect((yield* send("/api/v3/secrets/raw", { token })).status).toBe(200)
      expect((yield* sendTo("/api/v3/secrets/raw/SHARED", { token })).body.secret?.secretValue).toBe("shared")
    }).pipe(of2024))

  it.effect("for a glob reads what it asks for", () =>
    Effect.gen(function*() {
      const token = yield* bearer("below")
      expect((yield* sendTo("/api/v3/secrets/raw", { token })).status).toBe(401)
      expect((yield* sendTo("/api/v3/secrets/raw", { token, query: { secretPath: "/shared" } })).status).toBe(200)
    }).pipe(of2024))
})

describe("a write where a policy covers the folder", () => {
  for (const era of ["2024-07", "2026"] as const) {
    it.effect(`awaits approval and changes nothing, on a server of ${era}`, () =>
      Effect.gen(function*() {
        // Policies bind users.
        const token = Redacted.value((yield* (yield* Emulator.Emulator).user("alice")).jwt)
        const write = (method: "POST" | "PATCH" | "DELETE", name: string, secretPath: string) =>
          sendTo(`/api/v3/secrets/raw/${name}`, { token, method, body: { secretPath, secretValue: "other" } })
        const answers = [
          yield* write("POST", "NEW", "/shared"),
          yield* write("PATCH", "SHARED", "/shared"),
          yield* write("DELETE", "SHARED", "/shared")
        ]
        for (const answer of answers) {
          expect(answer).toMatchObject({ status: 200, body: { approval: { id: expect.any(String), status: "open" } } })
          expect(answer.body).not.toHaveProperty("secret")
        }
        const { body } = yield* sendTo("/api/v3/secrets/raw", { token, query: { secretPath: "/shared" } })
        expect(values(body.secrets)).toEqual({ SHARED: "shared" })
        expect((yield* write("PATCH", "C", "/")).body.secret?.secretValue).toBe("other")
        expect((yield* write("PATCH", "NOPE", "/shared")).status).toBe(era === "2026" ? 404 : 400)
      }).pipe(on({ era, approvalPolicies: [{ project: "main", environment: "dev", secretPath: "/shared/**" }] })))
  }
})

describe("maintenance mode", () => {
  it.effect("ends when it is switched off", () =>
    Effect.gen(function*() {
      const emulator = yield* Emulator.Emulator
      const token = yield* accessToken("main")
      const write = sendTo("/api/v3/secrets/raw/C", { token, method: "PATCH", body: { secretValue: "other" } })
      yield* emulator.setMaintenance(true)
      expect((yield* write).status).toBe(500)
      expect((yield* sendTo("/api/v3/secrets/raw/C", { token })).body.secret?.secretValue).toBe("c")
      yield* emulator.setMaintenance(false)
      expect((yield* write).status).toBe(200)
    }).pipe(of2024))
})
