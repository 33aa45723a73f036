/** Each source on an emulator, with a hook between the two that sees and changes requests and responses. */
import { HttpClient, HttpClientRequest, HttpClientResponse } from "@effect/platform"
import { Context, Effect, Layer, type Redacted, TestClock } from "effect"
import {
  Credential,
  Crypto,
  DecryptedSource,
  EncryptedSource,
  Infisical,
  InfisicalApi,
  InfisicalConfig,
  Session
} from "effect-infisical"
import { Emulator, type World } from "effect-infisical-emulator"
import { NodeCrypto } from "effect-infisical-node"

export type Kind = InfisicalConfig.SourceKind

export const kinds: ReadonlyArray<Kind> = ["end-to-end-encrypted", "v3", "v4"]

export interface Exchange {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly body: unknown
  /** The emulator's response. */
  readonly respond: Effect.Effect<HttpClientResponse.HttpClientResponse>
  /** The emulator's response to the same request with another body. */
  readonly respondTo: (body: unknown) => Effect.Effect<HttpClientResponse.HttpClientResponse>
  readonly reply: (status: number, body: unknown) => HttpClientResponse.HttpClientResponse
}

/** Answers a request, or lets the emulator answer it. */
export type Hook = (exchange: Exchange) => Effect.Effect<HttpClientResponse.HttpClientResponse>

export class Wire extends Context.Tag("test/Wire")<Wire, {
  readonly setHook: (hook: Hook) => Effect.Effect<void>
  /** Method, path without its query, and status of the requests for secrets, folders and imports so far. */
  readonly takeRequests: Effect.Effect<ReadonlyArray<string>>
  readonly httpClient: HttpClient.HttpClient
}>() {}

const bodyOf = (request: HttpClientRequest.HttpClientRequest): unknown =>
  request.body._tag === "Uint8Array" ? JSON.parse(new TextDecoder().decode(request.body.body)) : undefined

const wire = Layer.effect(
  Wire,
  Effect.map(Emulator.Emulator, (emulator) => {
    let hook: Hook = ({ respond }) => respond
    let requests: Array<string> = []
    return {
      setHook: (next) =>
        Effect.sync(() => {
          hook = next
        }),
      takeRequests: Effect.sync(() => {
        const taken = requests
        requests = []
        return taken
      }),
      httpClient: HttpClient.make((request, url) =>
        Effect.flatMap(
          hook({
            method: request.method,
            path: url.pathname,
            query: url.searchParams,
            body: bodyOf(request),
            respondTo: (body) =>
              Effect.orDie(emulator.httpClient.execute(HttpClientRequest.bodyUnsafeJson(request, body))),
            respond: Effect.orDie(emulator.httpClient.execute(request)),
            reply: (status, body) =>
              HttpClientResponse.fromWeb(
                request,
                new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json" } })
              )
          }),
          (response) =>
            Effect.sync(() => {
              if (/secrets|folders|imports/.test(url.pathname)) {
                requests.push(`${request.method} ${url.pathname} ${response.status}`)
              }
              return response
            })
        )
      )
    }
  })
)

/** Where to log in, and as whom. */
interface Access {
  readonly options?: Partial<InfisicalConfig.Options>
  /** A user of the world, in place of the identity. */
  readonly user?: string
}

const config = (kind: Kind | undefined, { options = {}, user }: Access) =>
  Layer.unwrapEffect(Effect.gen(function*() {
    const emulator = yield* Emulator.Emulator
    const project = yield* emulator.project()
    const credential: Effect.Effect<InfisicalConfig.Options["credential"]> = kind === "end-to-end-encrypted"
      ? Effect.map(emulator.serviceToken(), (token) => Credential.serviceToken(token))
      : user === undefined
      ? Effect.map(emulator.universalAuth(), (identity) => Credential.universalAuth(identity))
      : Effect.map(emulator.user(user), ({ jwt }: { readonly jwt: Redacted.Redacted<string> }) =>
        Credential.accessToken(jwt))
    return InfisicalConfig.layer({
      credential: yield* credential,
      ...kind === undefined ? {} : { source: kind },
      ...kind === "end-to-end-encrypted" ? {} : { projectId: project.id, projectSlug: project.slug },
      siteUrl: "http://infisical.test",
      retry: { times: 0 },
      fallback: false,
      ...options
    })
  }))

const server = (kind: Kind | undefined, world: World.Input) =>
  Layer.provideMerge(
    wire,
    Emulator.layer({
      era: kind === "v3" || kind === "end-to-end-encrypted" ? "2024-07" : "2026",
      serviceTokens: { main: {} },
      identities: { main: {} },
      ...world
    })
  )

const httpClient = Layer.effect(HttpClient.HttpClient, Effect.map(Wire, ({ httpClient }) => httpClient))

/** A source alone, with its server. */
export const sourceLayer = (kind: Kind, world: World.Input, access: Access = {}) =>
  (kind === "end-to-end-encrypted" ? EncryptedSource.layer() : DecryptedSource.layer()).pipe(
    Layer.provide(Session.layer()),
    Layer.provide(InfisicalApi.layer()),
    Layer.provide([config(kind, access), httpClient, NodeCrypto.layer]),
    Layer.provideMerge(server(kind, world))
  )

/** A whole client, with its server. Without a kind it finds out the routes itself. */
export const clientLayer = (kind: Kind | undefined, world: World.Input, access: Access = {}) =>
  Infisical.layerWithoutDependencies().pipe(
    Layer.provide([config(kind, access), httpClient]),
    Layer.provideMerge(Layer.effect(Crypto.Crypto, Crypto.Crypto).pipe(Layer.provide(NodeCrypto.layer))),
    Layer.provideMerge(server(kind, world))
  )

/** Lets all requests under way come to their end. */
export const settle = Effect.forEach(
  Array.from({ length: 500 }),
  () => Effect.async<void>((resume) => void setImmediate(() => resume(Effect.void))),
  { discard: true }
)

/** Moves the clock second by second. */
export const advance = (seconds: number) =>
  Effect.forEach(Array.from({ length: seconds }), () => Effect.zipRight(TestClock.adjust("1 second"), settle), {
    discard: true
  })

export type Json = Readonly<Record<string, unknown>>

export const isRecord = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const listOf = (value: unknown): ReadonlyArray<Json> => Array.isArray(value) ? value.filter(isRecord) : []

/** Changes the secrets of a response, those of imports apart from the others. */
export const mapSecrets =
  (change: (secret: Json) => unknown, changeImported: (secret: Json) => unknown = (secret) => secret) =>
  (body: unknown): unknown =>
    !isRecord(body) ? body : {
      ...body,
      ...isRecord(body["secret"]) ? { secret: change(body["secret"]) } : {},
      ...Array.isArray(body["secrets"]) ? { secrets: listOf(body["secrets"]).map(change) } : {},
      ...Array.isArray(body["imports"])
        ? {
          imports: listOf(body["imports"]).map((entry) => ({
            ...entry,
            secrets: listOf(entry["secrets"]).map(changeImported)
          }))
        }
        : {}
    }

/** A hook that changes the body of responses to requests of some methods for secrets. */
export const changing =
  (methods: ReadonlyArray<string>, change: (body: unknown) => unknown): Hook => ({ method, path, reply, respond }) =>
    Effect.flatMap(
      respond,
      (response) =>
        methods.includes(method) && /\/api\/v[34]\/secrets/.test(path) && response.status === 200
          ? Effect.map(Effect.orDie(response.json), (body) => reply(200, change(body)))
          : Effect.succeed(response)
    )
