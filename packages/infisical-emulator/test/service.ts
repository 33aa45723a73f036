import { Effect, Redacted } from "effect"
import { Emulator } from "effect-infisical-emulator"
import { request } from "./request.js"

/** An answer whose body is read as far as a test goes. */
export interface Answer {
  readonly status: number
  readonly body: Body
  readonly headers: Readonly<Record<string, unknown>>
}

export interface Body {
  readonly [field: string]: unknown
  readonly message?: unknown
  readonly error?: unknown
  readonly accessToken?: string
  readonly secret?: Secret
  readonly secrets?: ReadonlyArray<Secret>
  readonly imports?: ReadonlyArray<{ readonly secretPath: string; readonly secrets: ReadonlyArray<Secret> }>
  readonly folders?: ReadonlyArray<{ readonly name: string }>
}

export interface Secret {
  readonly [field: string]: unknown
  readonly secretKey: string
  readonly secretValue: string
}

interface Options {
  readonly method?: "GET" | "POST" | "PATCH" | "DELETE"
  readonly token?: string | undefined
  readonly query?: Readonly<Record<string, string>>
  readonly body?: object
}

const isBody = (value: unknown): value is Body => typeof value === "object" && value !== null

/** One request to the emulator, as JSON. */
export const send = (path: string, { body, method = "GET", query = {}, token }: Options = {}) =>
  Effect.gen(function*() {
    const { url } = yield* Emulator.Emulator
    const parameters = new URLSearchParams(query)
    const answered = yield* request(url, parameters.size === 0 ? path : `${path}?${parameters}`, {
      method,
      headers: {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { "content-type": "application/json" })
      },
      body: body === undefined ? undefined : JSON.stringify(body)
    })
    const answer: Answer = {
      status: answered.status,
      headers: answered.headers,
      body: isBody(answered.body) ? answered.body : {}
    }
    return answer
  })

/** A Universal Auth login of an identity of the world. */
export const login = (name?: string, clientSecret?: string) =>
  Effect.gen(function*() {
    const emulator = yield* Emulator.Emulator
    const identity = yield* emulator.universalAuth(name)
    return yield* send("/api/v1/auth/universal-auth/login", {
      method: "POST",
      body: {
        clientId: identity.clientId,
        clientSecret: clientSecret ?? Redacted.value(identity.clientSecret)
      }
    })
  })

/** The access token of such a login. */
export const accessToken = (name?: string) => Effect.map(login(name), ({ body }) => String(body.accessToken))

/** A request about the folder `/` of environment `dev` in project `main`, or about another place. */
export const sendTo = (
  path: string,
  { body, query, ...options }: Options & { readonly body?: object } = {}
) =>
  Effect.gen(function*() {
    const emulator = yield* Emulator.Emulator
    const id = yield* emulator.projectId()
    const place = { workspaceId: id, projectId: id, environment: "dev" }
    return yield* send(path, {
      ...options,
      ...(options.method === undefined || options.method === "GET"
        ? { query: { ...place, ...query } }
        : { body: { ...place, ...body } })
    })
  })
