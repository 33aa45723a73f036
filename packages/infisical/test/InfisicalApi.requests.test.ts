/** What is sent, and what is not: bodies that are too large, ETags, the routes of a login that the server lacks. */
import { HttpClient, HttpClientResponse } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Redacted, Ref, TestClock } from "effect"
import { Credential, Infisical, InfisicalApi, type InfisicalConfig, Secrets } from "effect-infisical"
import { meaningOf } from "./meaning.js"
import { errorOf, outcome, place } from "./support/api.js"

const written = {
  status: 200,
  body: { secret: { id: "id", version: 1, type: "shared", secretKey: "N", secretValue: "" } }
}

const creating = (secretValue: string) =>
  Effect.gen(function*() {
    const api = yield* InfisicalApi.InfisicalApi
    return yield* api.secrets.create({ ...yield* place, name: "N", type: "shared" }, { secretValue })
  })

/** The bytes that a request has beside its value. */
const overhead = JSON.stringify({
  projectId: "project",
  environment: "dev",
  secretPath: "/",
  type: "shared",
  secretValue: ""
}).length

describe("A request", () => {
  it.effect("of 1 MiB is sent, and a larger one is refused before anything is sent", () =>
    Effect.gen(function*() {
      const most = 1024 * 1024 - overhead
      const sent = yield* outcome(creating("x".repeat(most)), {}, written)
      assert.isTrue(Exit.isSuccess(sent.exit))
      assert.lengthOf(sent.times, 1)
      // Two bytes for each of these characters.
      for (const value of ["x".repeat(most + 1), "é".repeat(most / 2 + 1)]) {
        const refused = yield* outcome(creating(value), {}, written)
        const error = errorOf(refused.exit)
        assert.isDefined(error)
        assert.strictEqual(meaningOf(error), "InvalidRequestError value")
        assert.notProperty(error, "status")
        assert.lengthOf(refused.times, 0)
      }
    }))
})

/** A server that gives the same answer to every request of a path; the requests are kept. */
const server = (answer: (path: string) => { readonly status: number; readonly body: unknown }) =>
  Effect.map(Ref.make<ReadonlyArray<{ readonly path: string; readonly etag: string | undefined }>>([]), (requests) => ({
    requests: Ref.get(requests),
    layer: Layer.succeed(
      HttpClient.HttpClient,
      HttpClient.make((request, url) =>
        Effect.as(
          Ref.update(requests, (all) => [...all, { path: url.pathname, etag: request.headers["if-none-match"] }]),
          HttpClientResponse.fromWeb(
            request,
            new Response(JSON.stringify(answer(url.pathname).body), {
              status: answer(url.pathname).status,
              headers: { etag: "\"the same for all\"" }
            })
          )
        )
      )
    )
  }))

const error = (status: number, error: string, message: string) => ({
  status,
  body: { statusCode: status, error, message }
})

const options = (more: Partial<InfisicalConfig.Options>): InfisicalConfig.Options => ({
  credential: Credential.accessToken(Redacted.make("token")),
  projectId: "project",
  environment: "dev",
  retry: { times: 0 },
  ...more
})

describe("An ETag", () => {
  it.effect("of an answer that is a refusal is not sent, since a server answers it with 304", () =>
    Effect.gen(function*() {
      const { layer, requests } = yield* server((path) =>
        path.endsWith("/raw")
          ? error(403, "PermissionDenied", "You are not allowed to read on secrets")
          : error(404, "NotFound", "Secret with name 'ABSENT' not found")
      )
      yield* Effect.gen(function*() {
        const secrets = yield* Secrets.Secrets
        for (const _ of [1, 2]) {
          yield* Effect.exit(secrets.get("ABSENT"))
          yield* TestClock.adjust("10 minutes")
        }
      }).pipe(Effect.provide(Layer.provide(Infisical.layer(options({ source: "v3", fallback: false })), layer)))
      const sent = yield* requests
      assert.isAtLeast(sent.filter(({ path }) => path.endsWith("/ABSENT")).length, 2)
      assert.deepStrictEqual(sent.filter(({ etag }) => etag !== undefined), [])
    }))
})

describe("A login that the server does not have", () => {
  it.effect("does not say that the server is without v4, and no fallback hides it", () =>
    Effect.gen(function*() {
      const { layer, requests } = yield* server((path) => error(404, "Not Found", `Route POST:${path} not found`))
      const credential = Credential.jwt({ method: "jwt-auth", identityId: "id", jwt: Redacted.make("a.b.c") })
      const found = yield* Effect.flatMap(Secrets.Secrets, (secrets) => Effect.exit(secrets.get("PATH"))).pipe(
        Effect.provide(Layer.provide(Infisical.layer(options({ credential })), layer))
      )
      const failure = errorOf(found)
      assert.isDefined(failure)
      assert.strictEqual(meaningOf(failure), "InvalidRequestError credential")
      assert.deepStrictEqual([...new Set((yield* requests).map(({ path }) => path))], ["/api/v1/auth/jwt-auth/login"])
    }))
})
