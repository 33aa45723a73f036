/** What servers of each era say to the same requests: the table of errors of the wire. */
import { expect, layer } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { Emulator, World } from "effect-infisical-emulator"
import { request } from "./request.js"

const world = (era: World.Era): World.Input => ({
  era,
  projects: {
    main: { folders: { dev: { "/": { secrets: { A: "a" } }, "/there": {}, "/other": {} } } },
    other: { endToEndEncrypted: true }
  },
  serviceTokens: { main: { project: "main" }, reader: { project: "main", permissions: ["read"] } },
  identities: { main: {}, viewer: { role: "viewer" }, stranger: { projects: [] } },
  users: { user: {} },
  approvalPolicies: [{ project: "main", environment: "prod", secretPath: "/**" }]
})

interface Asked {
  readonly method?: string
  readonly path: (ids: { readonly main: string; readonly other: string }) => string
  readonly as?: "identity" | "viewer" | "stranger" | "user" | "nobody" | "garbage"
  readonly body?: (ids: { readonly main: string; readonly other: string }) => unknown
}

type Said = readonly [status: number, error?: unknown]

const list = (query: string): Asked["path"] => ({ main }) => `/api/v3/secrets/raw?workspaceId=${main}&${query}`
const inDev = ({ main }: { readonly main: string }) => ({ workspaceId: main, environment: "dev", secretPath: "/" })

/** What is asked, and what servers say to it, from the oldest era on. An era that is left out is as the one before. */
const cases: Readonly<
  Record<string, readonly [asked: Asked, of2024July: Said, of2024October?: Said, of2025?: Said, of2026?: Said]>
> = {
  "a secret that is not there": [
    { path: ({ main }) => `/api/v3/secrets/raw/NOPE?workspaceId=${main}&environment=dev&secretPath=/` },
    [400, "BadRequest"],
    [404, "NotFound"]
  ],
  "a secret to delete that is not there": [
    { method: "DELETE", path: () => "/api/v3/secrets/raw/NOPE", body: inDev },
    [400, "BadRequest"],
    [404, "DeleteSecret"]
  ],
  "a list of a folder that is not there": [
    { path: list("environment=dev&secretPath=/nope") },
    [200],
    [200],
    [404, "SecretPathNotFound"]
  ],
  "a list of an environment that is not there": [
    { path: list("environment=nope&secretPath=/") },
    [200],
    [200],
    [404, "SecretPathNotFound"]
  ],
  "a name that is taken": [
    { method: "POST", path: () => "/api/v3/secrets/raw/A", body: (ids) => ({ ...inDev(ids), secretValue: "x" }) },
    [400, "BadRequest"],
    [400, "BadRequest"]
  ],
  "a write by who may only read": [
    {
      method: "POST",
      as: "viewer",
      path: () => "/api/v3/secrets/raw/NEW",
      body: (ids) => ({ ...inDev(ids), secretValue: "x" })
    },
    [401, "PermissionDenied"],
    [403, "PermissionDenied"]
  ],
  "nobody": [{ as: "nobody", path: list("environment=dev") }, [403, "Unauthorized access"], [401, "UnauthorizedError"]],
  "a malformed token": [
    { as: "garbage", path: list("environment=dev") },
    [500, "Internal Server Error"],
    [403, "TokenError"]
  ],
  "a wrong login": [
    {
      method: "POST",
      as: "nobody",
      path: () => "/api/v1/auth/universal-auth/login",
      body: () => ({ clientId: "nope", clientSecret: "nope" })
    },
    [403, "UnauthorizedError"],
    [404, "NotFound"],
    [401, "UnauthorizedError"]
  ],
  "a body without what it needs": [
    { method: "POST", path: () => "/api/v3/secrets/raw/NEW", body: inDev },
    [403, "ValidationFailure"],
    [401, "ValidationFailure"],
    [422, "ValidationFailure"]
  ],
  "a write that awaits approval": [
    {
      method: "POST",
      as: "user",
      path: () => "/api/v3/secrets/raw/NEW",
      body: (ids) => ({ ...inDev(ids), environment: "prod", secretValue: "x" })
    },
    [200],
    [200]
  ],
  "an end-to-end encrypted project": [
    { path: ({ other }) => `/api/v3/secrets/raw?workspaceId=${other}&environment=dev&secretPath=/` },
    [400, "bot_not_found_error"],
    [404, "NotFound"]
  ],
  "an identity that is no member": [
    { as: "stranger", path: list("environment=dev&secretPath=/") },
    [403, "Identity not in project"],
    [403, expect.stringMatching(/^Identity is not a member of the specified project with ID '.+'$/)],
    [403, "You are not member of this project"],
    [403, "ProjectMembershipNotFound"]
  ],
  "an unknown client": [
    {
      method: "POST",
      as: "nobody",
      path: () => "/api/v1/auth/universal-auth/login",
      body: () => ({ clientId: "5a1d0c9e-0000-4000-8000-000000000001", clientSecret: "x" })
    },
    [403, "UnauthorizedError"],
    [404, "NotFound"],
    [401, "UnauthorizedError"]
  ],
  "a login by a method that the identity has not": [
    {
      method: "POST",
      as: "nobody",
      path: () => "/api/v1/auth/gcp-auth/login",
      body: () => ({ identityId: "5a1d0c9e-0000-4000-8000-000000000001", jwt: "a.b.c" })
    },
    [403, "UnauthorizedError"],
    [404, "NotFound"]
  ],
  "a login by a JWT of no provider": [
    {
      method: "POST",
      as: "nobody",
      path: () => "/api/v1/auth/jwt-auth/login",
      body: () => ({ identityId: "5a1d0c9e-0000-4000-8000-000000000001", jwt: "a.b.c" })
    },
    [404, "Not Found"],
    [404, "Not Found"],
    [404, "NotFound"]
  ],
  "a folder that is there": [
    {
      method: "POST",
      path: () => "/api/v1/folders",
      body: ({ main }) => ({ workspaceId: main, environment: "dev", path: "/", name: "there" })
    },
    [200],
    [200],
    [400, "BadRequest"]
  ],
  "a folder of another name that is there": [
    {
      method: "PATCH",
      path: () => "/api/v1/folders/other",
      body: ({ main }) => ({ workspaceId: main, environment: "dev", path: "/", name: "there" })
    },
    [400, "BadRequest"],
    [400, "UpdateFolder"]
  ],
  "an import to change that is not there": [
    {
      method: "PATCH",
      path: () => "/api/v1/secret-imports/5a1d0c9e-0000-4000-8000-000000000001",
      body: ({ main }) => ({ workspaceId: main, environment: "dev", path: "/", import: { position: 1 } })
    },
    [400, "Sec imp update"],
    [404, "NotFound"]
  ],
  "a reminder of zero days": [
    {
      method: "PATCH",
      path: () => "/api/v3/secrets/raw/A",
      body: (ids) => ({ ...inDev(ids), secretValue: "a", secretReminderRepeatDays: 0 })
    },
    [403, "ValidationFailure"],
    [200],
    [422, "ValidationFailure"]
  ],
  "a batch that updates one secret twice": [
    {
      method: "PATCH",
      path: () => "/api/v3/secrets/batch/raw",
      body: (ids) => ({
        ...inDev(ids),
        projectSlug: "main",
        secrets: [{ secretKey: "A", secretValue: "1" }, { secretKey: "A", secretValue: "2" }]
      })
    },
    [400, "BadRequest"],
    [404, "NotFound"]
  ],
  "a body of more than 1 MiB": [
    {
      method: "POST",
      path: () => "/api/v3/secrets/raw/BIG",
      body: (ids) => ({ ...inDev(ids), secretValue: "x".repeat(1_100_000) })
    },
    [413, "Payload Too Large"],
    [500, "InternalServerError"]
  ],
  "the routes of v4": [
    { path: ({ main }) => `/api/v4/secrets?projectId=${main}&environment=dev&secretPath=/` },
    [404, "Not Found"],
    [404, "Not Found"],
    [200]
  ],
  "a folder in an environment that is not there": [
    {
      method: "POST",
      path: () => "/api/v1/folders",
      body: ({ main }) => ({ workspaceId: main, environment: "nope", path: "/", name: "new" })
    },
    [400, "Create folder"],
    [404, "NotFound"]
  ],
  "an import from an environment that is not there": [
    {
      method: "POST",
      path: () => "/api/v1/secret-imports",
      body: ({ main }) => ({
        workspaceId: main,
        environment: "dev",
        path: "/",
        import: { environment: "nope", path: "/" }
      })
    },
    [400, "Create import"],
    [404, "NotFound"]
  ],
  "a version that is no number": [
    { path: ({ main }) => `/api/v3/secrets/raw/A?workspaceId=${main}&environment=dev&version=abc` },
    [403, "ValidationFailure"],
    [401, "ValidationFailure"],
    [422, "ValidationFailure"]
  ],
  "a move, which a secret of that name would be": [
    { method: "POST", path: () => "/api/v3/secrets/move", body: inDev },
    [403, "ValidationFailure"],
    [401, "ValidationFailure"],
    [422, "ValidationFailure"]
  ],
  "a route in capitals": [{ path: () => "/API/status" }, [404, "Not Found"], [404, "Not Found"]],
  "a route with a slash too many": [{ path: () => "/api//status" }, [404, "Not Found"], [404, "Not Found"]],
  "a route that is none": [{ path: () => "/api/v9/nope" }, [404, "Not Found"], [404, "Not Found"]]
}

const asUser = Effect.flatMap(
  Emulator.Emulator,
  (emulator) => Effect.map(emulator.user(), ({ jwt }) => `Bearer ${Redacted.value(jwt)}`)
)

const login = (name: string) =>
  Effect.gen(function*() {
    const emulator = yield* Emulator.Emulator
    const { clientId, clientSecret } = yield* emulator.universalAuth(name)
    const { body } = yield* request(emulator.url, "/api/v1/auth/universal-auth/login", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ clientId, clientSecret: Redacted.value(clientSecret) })
    })
    return `Bearer ${String(Object(body)["accessToken"])}`
  })

for (const [column, era] of World.Era.literals.entries()) {
  layer(Emulator.layer(world(era)))(`A server of ${era}`, (it) => {
    for (const [what, [asked, ...said]] of Object.entries(cases)) {
      const [status, error] = said.slice(0, column + 1).findLast((one) => one !== undefined) ?? said[0]
      it.effect(`answers ${what} with ${status}${typeof error === "string" ? ` ${error}` : ""}`, () =>
        Effect.gen(function*() {
          const emulator = yield* Emulator.Emulator
          const ids = { main: (yield* emulator.project("main")).id, other: (yield* emulator.project("other")).id }
          const authorization = asked.as === "nobody"
            ? undefined
            : asked.as === "garbage"
            ? "Bearer garbage"
            : asked.as === "user"
            ? yield* asUser
            : yield* login(asked.as === "viewer" || asked.as === "stranger" ? asked.as : "main")
          const answered = yield* request(emulator.url, asked.path(ids), {
            method: asked.method ?? "GET",
            headers: {
              ...(authorization !== undefined && { authorization }),
              ...(asked.body !== undefined && { "content-type": "application/json" })
            },
            body: asked.body === undefined ? undefined : JSON.stringify(asked.body(ids))
          })
          expect(answered.status).toBe(status)
          expect(Object(answered.body)["error"]).toEqual(error)
          // Servers from 2025 on name each refusal.
          expect("reqId" in Object(answered.body)).toBe(column >= 2 && status >= 400)
        }))
    }

    it.effect("says of a write that awaits approval which request it is", () =>
      Effect.gen(function*() {
        const emulator = yield* Emulator.Emulator
        const { id } = yield* emulator.project("main")
        const { body } = yield* request(emulator.url, "/api/v3/secrets/raw/NEW", {
          method: "POST",
          headers: { authorization: yield* asUser, "content-type": "application/json" },
          body: JSON.stringify({ workspaceId: id, environment: "prod", secretPath: "/", secretValue: "x" })
        })
        expect(Object(body)["approval"]).toMatchObject({ status: "open" })
      }))
  })
}

layer(Emulator.layer(world("2026")))("A server of today", (it) => {
  it.effect("locks an identity after three refused logins, which one of July 2024 does not", () =>
    Effect.gen(function*() {
      const emulator = yield* Emulator.Emulator
      const { clientId, clientSecret } = yield* emulator.universalAuth("viewer")
      const attempt = (clientSecret: string) =>
        request(emulator.url, "/api/v1/auth/universal-auth/login", {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ clientId, clientSecret })
        })
      yield* Effect.replicateEffect(attempt("wrong"), 3)
      const locked = yield* attempt(Redacted.value(clientSecret))
      expect(locked.status).toBe(401)
      expect(Object(locked.body)["message"]).toMatch(/temporarily locked/)
    }))
})
