/** The whole client against a server that the test writes. */
import { HttpClient, HttpClientResponse } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, type Duration, Effect, Fiber, Layer, Redacted, Stream, TestClock } from "effect"
import { Credential, Folders, Infisical, type InfisicalConfig, SecretImports, Secrets } from "effect-infisical"
import { value } from "./Simulation.js"
import { settle } from "./support/settle.js"

const advance = (duration: Duration.DurationInput) => Effect.zipRight(TestClock.adjust(duration), settle)
const start = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.tap(Effect.fork(effect), () => settle)

interface Request {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
}

const json = (body: unknown, status = 200) =>
  new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json" } })

const refusal = (statusCode: number, error: string, message: string) => json({ statusCode, error, message }, statusCode)

const secret = (name: string, text: string, more: object = {}) => ({
  id: `id of ${name}`,
  _id: `id of ${name}`,
  workspace: "project",
  environment: "dev",
  version: 1,
  type: "shared",
  secretKey: name,
  secretValue: text,
  secretComment: "",
  ...more
})

const login = json({
  accessToken: "planted0token",
  expiresIn: 2592000,
  accessTokenMaxTTL: 2592000,
  tokenType: "Bearer"
})

const client = (
  answer: (request: Request) => Effect.Effect<Response>,
  options: Partial<InfisicalConfig.Options> = {}
) =>
  Infisical.layer({
    credential: Credential.universalAuth({ clientId: "client", clientSecret: Redacted.make("planted0secret") }),
    siteUrl: "http://infisical.test",
    projectId: "project",
    source: "v4",
    refresh: false,
    fallback: false,
    ...options
  }).pipe(Layer.provide(Layer.succeed(
    HttpClient.HttpClient,
    HttpClient.make((request, url) =>
      Effect.map(
        answer({ method: request.method, path: url.pathname, query: url.searchParams }),
        (response) => HttpClientResponse.fromWeb(request, response.clone())
      )
    )
  )))

const fromEnvironment = Effect.withConfigProvider(ConfigProvider.fromMap(new Map([["A", "planted0 environment"]])))

describe("Input from outside", () => {
  it.effect("is no defect: the id of an import with half a surrogate pair", () =>
    Effect.gen(function*() {
      const imports = yield* SecretImports.SecretImports
      assert.include(yield* Effect.flip(imports.list()), { _tag: "UnexpectedResponseError" })
      assert.include(yield* Effect.flip(imports.delete("\ud800")), { _tag: "InvalidRequestError" })
    }).pipe(Effect.provide(client(({ method, path }) =>
      Effect.succeed(
        path.endsWith("/login")
          ? login
          : method === "GET"
          ? json({ secretImports: [{ id: "\ud800", importPath: "/", position: 1, importEnv: { slug: "dev" } }] })
          : refusal(404, "NotFound", "Secret import not found")
      )
    ))))

  it.effect("names no other route: the id of a folder, as a server or a proxy gave it", () => {
    const seen: Array<string> = []
    return Effect.gen(function*() {
      const folders = yield* Folders.Folders
      yield* Effect.exit(folders.delete("old"))
      assert.deepStrictEqual(seen, [])
    }).pipe(Effect.provide(client(({ method, path }) =>
      Effect.sync(() => {
        if (path.endsWith("/login")) return login
        if (method === "GET") return json({ folders: [{ id: "../workspace/other-project", name: "old" }] })
        seen.push(path)
        return json({ folder: { id: "x", name: "old" } })
      })
    )))
  })
})

describe("A write", () => {
  it.effect("to an environment is read back from it, though it was written with a space that servers trim", () => {
    let text = "old"
    return Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      const options = { includeImports: false, expandReferences: false }
      assert.strictEqual(value(yield* secrets.get("A", { environment: "dev", ...options })), "old")
      yield* secrets.update("A", Redacted.make("new"), { environment: "dev " })
      assert.strictEqual(value(yield* secrets.get("A", { environment: "dev", ...options })), "new")
    }).pipe(Effect.provide(client(({ method, path }) =>
      Effect.sync(() => {
        if (path.endsWith("/login")) return login
        if (method === "GET") return json({ secrets: [secret("A", text)], imports: [] })
        text = "new"
        return json({ secret: secret("A", "new", { version: 2 }) })
      })
    )))
  })
})

describe("A stale snapshot", () => {
  it.effect("is served before the fallback where a slow login and then a server that hangs take the whole deadline", () => {
    let phase: "fine" | "slow" = "fine"
    return Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      assert.strictEqual(value(yield* secrets.get("A")), "a")
      yield* advance("10 minutes")
      phase = "slow"
      const fiber = yield* start(Effect.either(secrets.get("A")))
      yield* advance("5 minutes")
      const result = yield* Fiber.join(fiber)
      assert.strictEqual(
        result._tag === "Left" ? result.left._tag : `${result.right.source} ${value(result.right)}`,
        "stale a"
      )
    }).pipe(
      Effect.provide(client(({ path }) =>
        Effect.suspend(() =>
          path.endsWith("/login")
            ? Effect.delay(
              Effect.succeed(json({ accessToken: "planted0token", expiresIn: 60, tokenType: "Bearer" })),
              phase === "fine" ? 0 : "8 seconds"
            )
            : phase === "fine"
            ? Effect.succeed(json({ secrets: [secret("A", "a")], imports: [] }))
            : Effect.never
        ), { fallback: true })),
      fromEnvironment,
      (effect) => Effect.zipRight(Effect.void, effect)
    )
  })
})

describe("A watch", () => {
  it.effect("that began while the server was gone follows a secret that may only be read by its name", () => {
    let isDown = true
    return Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      const seen: Array<string> = []
      yield* start(Stream.runForEach(secrets.watch("A"), (secret) => Effect.sync(() => seen.push(value(secret)))))
      isDown = false
      yield* advance("1 hour")
      assert.strictEqual(value(yield* secrets.get("A")), "by name")
      yield* advance("1 hour")
      assert.deepStrictEqual(seen, ["planted0 environment", "by name"])
    }).pipe(
      Effect.provide(client(({ path }) =>
        Effect.sync(() =>
          isDown
            ? json("down", 503)
            : path.endsWith("/login")
            ? login
            : path.endsWith("/A")
            ? json({ secret: secret("A", "by name", { secretPath: "/" }) })
            : refusal(403, "PermissionDenied", "You are not allowed to read on secrets")
        ), { fallback: true, retry: { times: 0 } })),
      fromEnvironment
    )
  })
})
