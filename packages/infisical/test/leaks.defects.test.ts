/** What is logged at level Debug, in full, by the fibers that the library forks. */
import { HttpClient, HttpClientError, HttpClientResponse } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Layer, Logger, LogLevel, Option, Redacted, TestClock } from "effect"
import { Credential, Infisical, type InfisicalConfig, RotatingResource, Secrets } from "effect-infisical"
import { inspect } from "node:util"
import { client as cacheClient } from "./support/client.js"
import { settle } from "./support/settle.js"

/** Everything that is logged, at every level and full depth, as a logger that prints causes does. */
const logged = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    const lines: Array<string> = []
    const logger = Logger.make<unknown, void>(({ cause, logLevel, message }) => {
      lines.push(
        `${logLevel.label} ${inspect(message, { depth: 20 })} ${Cause.pretty(cause)} ${inspect(cause, { depth: 20 })}`
      )
    })
    return Effect.exit(effect).pipe(
      Effect.zipRight(settle),
      Effect.provide(Logger.replace(Logger.defaultLogger, logger)),
      Logger.withMinimumLogLevel(LogLevel.All),
      Effect.map(() => lines.filter((line) => line.includes("planted0")))
    )
  })

const json = (body: unknown) => new Response(JSON.stringify(body), { headers: { "content-type": "application/json" } })

const answering = HttpClient.make((request, url) =>
  Effect.succeed(HttpClientResponse.fromWeb(
    request,
    url.pathname.endsWith("/login")
      ? json({ accessToken: "planted0token", expiresIn: 2592000, accessTokenMaxTTL: 2592000, tokenType: "Bearer" })
      : json({ secrets: [], imports: [] })
  ))
)

const client = (options: Partial<InfisicalConfig.Options>, httpClient = answering) =>
  Infisical.layer({
    credential: Credential.universalAuth({ clientId: "client", clientSecret: Redacted.make("planted0secret") }),
    siteUrl: "http://infisical.test",
    projectId: "project",
    source: "v4",
    refresh: false,
    fallback: false,
    retry: { times: 0 },
    ...options
  }).pipe(Layer.provide(Layer.succeed(HttpClient.HttpClient, httpClient)))

const read = Effect.flatMap(Secrets.Secrets, (secrets) => secrets.get("A"))

describe("No log shows", () => {
  it.effect("a credential that the effect that reads it died with", () =>
    Effect.gen(function*() {
      const lines = yield* logged(read.pipe(Effect.provide(client({
        credential: Credential.machineIdentity({
          id: "own",
          login: Effect.die(new Error("cannot parse planted0credential")),
          secret: Option.none()
        })
      }))))
      assert.deepStrictEqual(lines, [])
    }))

  it.effect("a token that the user's client died with", () =>
    Effect.gen(function*() {
      const lines = yield* logged(read.pipe(Effect.provide(client({
        transformClient: HttpClient.mapRequestEffect((request) =>
          request.url.includes("/secrets")
            ? Effect.die(new Error(`cannot send ${Object.values(request.headers).join()}`))
            : Effect.succeed(request)
        )
      }))))
      assert.deepStrictEqual(lines, [])
    }))

  it.effect("a header of the configuration, where the user's client refuses a request", () =>
    Effect.gen(function*() {
      const lines = yield* logged(read.pipe(Effect.provide(client(
        { headers: { "x-proxy-key": Redacted.make("planted0header") } },
        HttpClient.mapRequestEffect(answering, (request) =>
          Effect.fail(new HttpClientError.RequestError({ request, reason: "Transport" }))) as never
      ))))
      assert.deepStrictEqual(lines, [])
    }))

  it.effect("a value that a resource was built from", () => {
    let text = "planted0old"
    return Effect.gen(function*() {
      const lines = yield* logged(
        Effect.scoped(Effect.gen(function*() {
          const secrets = yield* Secrets.Secrets
          yield* RotatingResource.make({
            name: "A",
            acquire: (secret) =>
              Redacted.value(secret.value) === "planted0old" ? Effect.succeed(1) : Effect.zipRight(
                Effect.addFinalizer(() => Effect.die(new Error(`cannot close ${Redacted.value(secret.value)}`))),
                Effect.fail(`cannot open ${Redacted.value(secret.value)}`)
              )
          })
          text = "planted0new"
          yield* secrets.refresh()
          yield* settle
          yield* TestClock.adjust("30 seconds")
          yield* settle
        }))
      )
      assert.deepStrictEqual(lines, [])
    }).pipe(Effect.provide(cacheClient(() => Effect.sync(() => ({ A: text })), { refresh: false })))
  })
})
