/** Secrets of v4 by their id, and moving them. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { Emulator, type World } from "effect-infisical-emulator"
import { accessToken, sendTo } from "./service.js"

const world: World.Input = {
  projects: {
    main: {
      folders: {
        dev: {
          "/": { secrets: { A: "a", B: "b", SAME: "same" } },
          "/app": { secrets: { B: "another b", SAME: "same" } },
          "/guarded": { secrets: { G: "g" } }
        }
      }
    }
  },
  identities: { main: {}, viewer: { role: "viewer" } },
  users: { owner: {} },
  approvalPolicies: [{ environment: "dev", secretPath: "/guarded" }]
}

const run = (era: World.Era) => Effect.provide(Emulator.layer({ era, ...world }))

const ids = (secretPath: string) =>
  Effect.gen(function*() {
    const { body } = yield* sendTo("/api/v4/secrets", { token: yield* accessToken("main"), query: { secretPath } })
    return Object.fromEntries((body.secrets ?? []).map(({ id, secretKey }) => [secretKey, String(id)]))
  })

const values = (secretPath: string) =>
  Effect.gen(function*() {
    const { body } = yield* sendTo("/api/v4/secrets", { token: yield* accessToken("main"), query: { secretPath } })
    return (body.secrets ?? []).map(({ secretKey, secretValue }) => `${secretKey}=${secretValue}`).toSorted()
  })

const move = (
  names: ReadonlyArray<string>,
  { token, ...options }: { readonly token?: string } & Record<string, unknown> = {}
) =>
  Effect.gen(function*() {
    const source = String(options["sourceSecretPath"] ?? "/")
    const known = yield* ids(source)
    return yield* sendTo("/api/v4/secrets/move", {
      method: "POST",
      token: token ?? (yield* accessToken("main")),
      body: {
        sourceEnvironment: "dev",
        sourceSecretPath: source,
        destinationEnvironment: "dev",
        destinationSecretPath: "/app",
        secretIds: names.map((name) => known[name] ?? "00000000-0000-4000-8000-000000000001"),
        shouldOverwrite: false,
        ...options
      }
    })
  })

describe("A secret by its id", () => {
  it.effect("is the one of that id, wherever it is", () =>
    Effect.gen(function*() {
      const { B } = yield* ids("/app")
      const { body, status } = yield* sendTo(`/api/v4/secrets/id/${B}`, { token: yield* accessToken("main") })
      assert.strictEqual(status, 200)
      assert.include(body.secret, { id: B, secretKey: "B", secretValue: "another b", secretPath: "/app" })
      assert.notProperty(body.secret, "secretValueHidden")
    }).pipe(run("2026")))

  it.effect("is not found if there is none", () =>
    Effect.gen(function*() {
      const { body, status } = yield* sendTo("/api/v4/secrets/id/nope", { token: yield* accessToken("main") })
      assert.strictEqual(status, 404)
      assert.include(body, { error: "NotFound", message: "Secret with ID 'nope' not found" })
    }).pipe(run("2026")))

  it.effect("has no route on servers without v4, and neither has a move", () =>
    Effect.gen(function*() {
      const token = yield* accessToken("main")
      const got = yield* sendTo("/api/v4/secrets/id/nope", { token })
      const moved = yield* sendTo("/api/v4/secrets/move", { token, method: "POST" })
      assert.match(String(got.body.message), /^Route GET:\/api\/v4\/secrets\/id\/nope.* not found$/)
      assert.strictEqual(moved.body.message, "Route POST:/api/v4/secrets/move not found")
    }).pipe(run("2024-07")))
})

describe("A move", () => {
  it.effect("takes secrets to another folder, where they have new ids", () =>
    Effect.gen(function*() {
      const before = yield* ids("/")
      const { body } = yield* move(["A"])
      assert.deepStrictEqual(body, { isSourceUpdated: true, isDestinationUpdated: true })
      assert.deepStrictEqual(yield* values("/"), ["B=b", "SAME=same"])
      assert.deepStrictEqual(yield* values("/app"), ["A=a", "B=another b", "SAME=same"])
      assert.notStrictEqual((yield* ids("/app"))["A"], before["A"])
    }).pipe(run("2026")))

  it.effect("replaces secrets of the same names only if that is asked for", () =>
    Effect.gen(function*() {
      const refused = yield* move(["A", "B", "SAME"])
      assert.strictEqual(refused.status, 400)
      assert.strictEqual(
        refused.body.message,
        "Failed to move secrets. The following secrets already exist in the destination: B"
      )
      assert.lengthOf(yield* values("/"), 3)
      yield* move(["A", "B", "SAME"], { shouldOverwrite: true })
      assert.deepStrictEqual(yield* values("/"), [])
      assert.deepStrictEqual(yield* values("/app"), ["A=a", "B=b", "SAME=same"])
    }).pipe(run("2026")))

  it.effect("is refused if the destination has all of it", () =>
    Effect.gen(function*() {
      const { body, status } = yield* move(["SAME"], { shouldOverwrite: true })
      assert.strictEqual(status, 400)
      assert.strictEqual(body.message, "Selected secrets already exist in the destination.")
    }).pipe(run("2026")))

  it.effect("is refused if a secret or a folder does not exist", () =>
    Effect.gen(function*() {
      const messages = yield* Effect.forEach([
        move(["A", "NOPE"]),
        move(["A"], { destinationSecretPath: "/nope" }),
        move(["A"], { destinationEnvironment: "nope" }),
        move(["B"], { sourceSecretPath: "/app", sourceEnvironment: "prod" })
      ], (moving) => Effect.map(moving, ({ body, status }) => `${status} ${body.message}`))
      assert.deepStrictEqual(messages, [
        "404 One or more secrets not found in source folder with path '/' and environment slug 'dev'",
        "404 Destination folder with path '/nope' in environment with slug 'dev' not found",
        "404 Destination folder with path '/app' in environment with slug 'nope' not found",
        "404 Source folder with path '/app' in environment with slug 'prod' not found"
      ])
      assert.lengthOf(yield* values("/"), 3)
    }).pipe(run("2026")))

  it.effect("is refused to an identity that may only read", () =>
    Effect.gen(function*() {
      const { status } = yield* move(["A"], { token: yield* accessToken("viewer") })
      assert.strictEqual(status, 403)
    }).pipe(run("2026")))

  it.effect("by a user leaves the folder as it is that a policy covers", () =>
    Effect.gen(function*() {
      const { jwt } = yield* Effect.flatMap(Emulator.Emulator, (emulator) => emulator.user("owner"))
      const token = Redacted.value(jwt)
      const into = yield* move(["A"], { token, destinationSecretPath: "/guarded" })
      assert.deepStrictEqual(into.body, { isSourceUpdated: true, isDestinationUpdated: false })
      assert.deepStrictEqual(yield* values("/guarded"), ["G=g"])
      const out = yield* move(["G"], { token, sourceSecretPath: "/guarded" })
      assert.deepStrictEqual(out.body, { isSourceUpdated: false, isDestinationUpdated: true })
      assert.deepStrictEqual(yield* values("/guarded"), ["G=g"])
      assert.include(yield* values("/app"), "G=g")
    }).pipe(run("2026")))
})
