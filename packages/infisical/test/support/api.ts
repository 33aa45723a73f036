/** Calls of `InfisicalApi` by themselves, and servers in their place: scripted ones in memory, and real ones. */
import { FetchHttpClient, HttpClient, HttpClientError, HttpClientResponse } from "@effect/platform"
import { Cause, Clock, Effect, Exit, Fiber, Layer, Option, Redacted, Ref, TestClock } from "effect"
import { Credential, InfisicalApi, InfisicalConfig, Location } from "effect-infisical"
import * as Http from "node:http"

export const accessToken = Redacted.make("st.id.planted0token")

export const place: Effect.Effect<InfisicalApi.Place> = Effect.map(
  Effect.orDie(Location.make({ environment: "dev", secretPath: "/", includeImports: true })),
  (location) => ({ accessToken, projectId: "project", location })
)

/** A list of end-to-end encrypted secrets. */
export const list = Effect.gen(function*() {
  const api = yield* InfisicalApi.InfisicalApi
  return yield* api.encryptedSecrets.list(yield* place, Option.none())
})

/** The creation of an end-to-end encrypted secret. */
export const create = Effect.gen(function*() {
  const api = yield* InfisicalApi.InfisicalApi
  return yield* api.encryptedSecrets.create({ ...yield* place, name: "NAME", type: "shared" }, {
    secretKeyCiphertext: "",
    secretKeyIV: "",
    secretKeyTag: "",
    secretValueCiphertext: "",
    secretValueIV: "",
    secretValueTag: ""
  })
})

export const login = Effect.flatMap(
  InfisicalApi.InfisicalApi,
  ({ authentication }) =>
    authentication.login({ method: "universal-auth", clientId: "id", clientSecret: Redacted.make("planted0secret") })
)

export const config = (options: Partial<InfisicalConfig.Options> = {}) =>
  InfisicalConfig.layer({
    credential: Credential.serviceToken(Redacted.make(`st.id.planted0token.${"0".repeat(32)}`)),
    ...options
  })

export type Reply =
  | { readonly status: number; readonly body?: unknown; readonly headers?: Record<string, string> }
  | "hang"
  | {
    readonly code: string
  }

export const empty = { status: 200, body: { secrets: [] } } satisfies Reply

/** A server that gives these replies in turn, and the last one for ever; the times of the requests are kept. */
export const scripted = (...replies: ReadonlyArray<Reply>) =>
  Effect.gen(function*() {
    const times = yield* Ref.make<ReadonlyArray<number>>([])
    const client = HttpClient.make((request) =>
      Effect.gen(function*() {
        const now = yield* Clock.currentTimeMillis
        const sofar = yield* Ref.getAndUpdate(times, (times) => [...times, now])
        const reply: Reply = replies[Math.min(sofar.length, replies.length - 1)] ?? empty
        if (reply === "hang") return yield* Effect.never
        if ("code" in reply) {
          return yield* new HttpClientError.RequestError({
            request,
            reason: "Transport",
            cause: Object.assign(new TypeError("fetch failed"), { cause: Object.assign(new Error("no"), reply) })
          })
        }
        return HttpClientResponse.fromWeb(
          request,
          new Response(reply.status === 304 ? null : JSON.stringify(reply.body), {
            status: reply.status,
            ...reply.headers === undefined ? {} : { headers: reply.headers }
          })
        )
      })
    )
    return { times: Ref.get(times), layer: Layer.succeed(HttpClient.HttpClient, client) }
  })

/** Runs to the end, with the clock moved as far as need be: the outcome, how long it took, the times of the requests. */
export const outcome = <A, E>(
  effect: Effect.Effect<A, E, InfisicalApi.InfisicalApi>,
  options: Partial<InfisicalConfig.Options>,
  ...replies: ReadonlyArray<Reply>
) =>
  Effect.gen(function*() {
    const server = yield* scripted(...replies)
    const started = yield* Clock.currentTimeMillis
    const fiber = yield* effect.pipe(
      Effect.exit,
      Effect.zip(Clock.currentTimeMillis),
      Effect.provide(InfisicalApi.layer().pipe(Layer.provide([config(options), server.layer]))),
      Effect.fork
    )
    yield* TestClock.adjust("10 minutes")
    const [exit, ended] = yield* Fiber.join(fiber)
    return { exit, took: ended - started, times: yield* server.times }
  })

export const errorOf = <A, E>(exit: Exit.Exit<A, E>): E | undefined =>
  // Of an error that has its span, chai prints no end.
  Exit.isFailure(exit) && exit.cause._tag === "Fail" ? Cause.originalError(exit.cause.error) : undefined

/** A real server that answers every request in one way. */
export const listening = (answer: Http.RequestListener) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.async<Http.Server>((resume) => {
        const server = Http.createServer(answer)
        server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
      }),
      (server) =>
        Effect.async<void>((resume) => {
          server.closeAllConnections()
          server.close(() => resume(Effect.void))
        })
    ),
    (server) => {
      const address = server.address()
      return `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`
    }
  )

/** Calls of a site, by `fetch`, each made once. */
export const against = (siteUrl: string, options: Partial<InfisicalConfig.Options> = {}) =>
  InfisicalApi.layer().pipe(
    Layer.provide([config({ siteUrl, retry: { times: 0 }, ...options }), FetchHttpClient.layer])
  )
