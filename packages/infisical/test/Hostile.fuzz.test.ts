/**
 * Answers of a real server, mutated: whatever comes, each call ends in a value or in an error of ours, and none dies.
 *
 * The seed is fixed, so that a failure can be repeated.
 */
import { HttpClient, HttpClientResponse } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Layer, Option, Predicate, Ref } from "effect"
import { InfisicalApi, InfisicalError } from "effect-infisical"
import { classify } from "../src/api/classify.js"
import { load, type Recording } from "./Recordings.js"
import { accessToken, config, create, list, login, place } from "./support/api.js"

const cases = 3000
const seed = 20_261_124

const ours: ReadonlyArray<(error: unknown) => boolean> = [
  InfisicalError.NotFoundError,
  InfisicalError.NetworkError,
  InfisicalError.AuthenticationError,
  InfisicalError.PermissionError,
  InfisicalError.AlreadyExistsError,
  InfisicalError.ApprovalRequiredError,
  InfisicalError.InvalidRequestError,
  InfisicalError.UnexpectedResponseError
].map((type) => (error) => error instanceof type)

/** A generator of numbers below a bound (Numerical Recipes, "Quick and dirty generators"). */
const generator = (seed: number) => {
  let state = seed
  return (bound: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor(state / 2 ** 32 * bound)
  }
}

type Generator = ReturnType<typeof generator>

const pick = <A>(next: Generator, items: ReadonlyArray<A>): A | undefined => items[next(items.length)]

const deep = (levels: number): unknown => {
  let value: unknown = null
  for (let level = 0; level < levels; level++) value = level % 2 === 0 ? [value] : { value }
  return value
}

/** What takes the place of a value. */
const odd: ReadonlyArray<(value: unknown) => unknown> = [
  () => null,
  () => undefined,
  () => "",
  () => -1,
  () => 1.5,
  () => Number.MAX_VALUE,
  () => true,
  () => [],
  () => ({}),
  (value) => [value],
  (value) => ({ value }),
  (value) => String(value),
  () => "x".repeat(5000),
  () => "a.".repeat(5000),
  () => "\ud800",
  () => deep(40),
  () => deep(3000),
  () => ({ toString: 1, valueOf: null, constructor: [], length: -1 }),
  () => JSON.parse("{\"__proto__\":{\"polluted\":true},\"path\":[{\"toString\":1}]}")
]

/** One place of a value mutated: replaced, dropped, doubled, or renamed. */
const mutate = (next: Generator, value: unknown, depth = 0): unknown => {
  if (depth > 8 || next(12) === 0) return (pick(next, odd) ?? (() => null))(value)
  if (Array.isArray(value)) {
    if (value.length === 0) return [deep(3)]
    const index = next(value.length)
    switch (next(4)) {
      case 0:
        return value.filter((_, other) => other !== index)
      case 1:
        return [...value, ...value]
      default:
        return value.map((item: unknown, other) => other === index ? mutate(next, item, depth + 1) : item)
    }
  }
  if (Predicate.isReadonlyRecord(value)) {
    const keys = Object.keys(value)
    const key = pick(next, keys)
    if (key === undefined) return { unknown: 1 }
    const { [key]: inner, ...rest } = value
    switch (next(5)) {
      case 0:
        return rest
      case 1:
        return { ...rest, [`${key}_`]: inner }
      default:
        return { ...rest, [key]: mutate(next, inner, depth + 1) }
    }
  }
  return (pick(next, odd) ?? (() => null))(value)
}

const statuses = [
  200,
  200,
  200,
  200,
  201,
  204,
  206,
  299,
  301,
  304,
  400,
  401,
  403,
  404,
  409,
  413,
  418,
  422,
  429,
  500,
  503
]

const headerValues = [
  "0",
  "-1",
  "1e9",
  "999999999999",
  "NaN",
  "soon",
  "Wed, 21 Oct 2026 07:28:00 GMT",
  "W/\"tag\"",
  "\"tag\""
]

/** The text of a body: JSON as it is, cut off, with a number too large for JSON, or something else. */
const textOf = (next: Generator, body: unknown): Uint8Array => {
  const text = JSON.stringify(body) ?? ""
  const bytes = new TextEncoder().encode(text)
  switch (next(10)) {
    case 0:
      return bytes.slice(0, next(bytes.length + 1))
    case 1:
      return new TextEncoder().encode(text.replace(/:\s*\d+/, ":1e400"))
    case 2:
      return Uint8Array.from(bytes, (byte, index) => index === next(bytes.length + 1) ? 0xff : byte)
    case 3:
      return new TextEncoder().encode("<html>not here</html>")
    default:
      return bytes
  }
}

const responseOf = (next: Generator, { response }: Recording): Response => {
  const status = next(3) === 0 ? pick(next, statuses) ?? 200 : response.status
  const headers = new Headers({ "content-type": pick(next, ["application/json", "text/html", "", "x"]) ?? "" })
  for (
    const name of ["retry-after", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "etag", "date"]
  ) {
    if (next(3) === 0) headers.set(name, pick(next, headerValues) ?? "")
  }
  const once = mutate(next, response.body)
  const body = textOf(next, next(4) === 0 ? mutate(next, once) : once)
  return new Response([204, 304].includes(status) ? null : new Uint8Array(body), { status, headers })
}

/** The calls whose answers are mutated. */
const calls: ReadonlyArray<Effect.Effect<unknown, unknown, InfisicalApi.InfisicalApi>> = [
  list,
  create,
  login,
  Effect.flatMap(InfisicalApi.InfisicalApi, ({ serviceToken }) => serviceToken.get(accessToken)),
  Effect.flatMap(InfisicalApi.InfisicalApi, ({ serviceToken }) => serviceToken.getKey(accessToken)),
  Effect.flatMap(InfisicalApi.InfisicalApi, ({ authentication }) => authentication.renew(accessToken)),
  Effect.flatMap(
    InfisicalApi.InfisicalApi,
    ({ rawSecrets }) => Effect.flatMap(place, (place) => rawSecrets.list(place, Option.some("\"tag\"")))
  ),
  Effect.flatMap(
    InfisicalApi.InfisicalApi,
    ({ secrets }) => Effect.flatMap(place, (place) => secrets.list(place, Option.none()))
  ),
  Effect.flatMap(
    InfisicalApi.InfisicalApi,
    ({ secrets }) =>
      Effect.flatMap(place, (place) => secrets.get({ ...place, name: "NAME", type: "shared" }, Option.none()))
  ),
  Effect.flatMap(
    InfisicalApi.InfisicalApi,
    ({ rawSecrets }) =>
      Effect.flatMap(
        place,
        (place) => rawSecrets.update({ ...place, name: "NAME", type: "shared" }, { secretValue: "planted0 value" })
      )
  ),
  Effect.flatMap(
    InfisicalApi.InfisicalApi,
    ({ secrets }) => Effect.flatMap(place, (place) => secrets.deleteMany(place, ["A", "B"]))
  ),
  Effect.flatMap(InfisicalApi.InfisicalApi, ({ folders }) => Effect.flatMap(place, folders.list)),
  Effect.flatMap(InfisicalApi.InfisicalApi, ({ secretImports }) => Effect.flatMap(place, secretImports.list))
]

/** By the group of a recording: the call that its answers are of. */
const callOf: Readonly<Record<string, number>> = {
  list: 0,
  write: 1,
  auth: 2,
  "service-token": 3,
  raw: 6,
  folders: 11,
  imports: 12
}

const recordings = Effect.map(
  load(["service-token", "list", "get", "write", "names", "auth", "raw", "batch", "folders", "imports", "ratelimit"]),
  ({ recordings }) => recordings
).pipe(Effect.provide(NodeContext.layer))

describe("A hostile answer", () => {
  it.effect("ends in a value or in an error of ours, whatever was mutated in it", () =>
    Effect.gen(function*() {
      const recorded = yield* recordings
      assert.isAbove(recorded.length, 200)
      const next = generator(seed)
      const answer = yield* Ref.make(new Response())
      const client = HttpClient.make((request) =>
        Effect.map(Ref.get(answer), (response) => HttpClientResponse.fromWeb(request, response))
      )
      const outcomes = { values: 0, errors: new Set<string>() }
      yield* Effect.gen(function*() {
        for (let index = 0; index < cases; index++) {
          const recording = pick(next, recorded)
          const own = calls[callOf[recording?.name.split("/")[0] ?? ""] ?? -1]
          const call = next(4) === 0 ? pick(next, calls) : own ?? pick(next, calls)
          if (recording === undefined || call === undefined) continue
          yield* Ref.set(answer, responseOf(next, recording))
          const exit = yield* Effect.exit(call)
          if (Exit.isSuccess(exit)) {
            outcomes.values++
            continue
          }
          const error = Option.getOrUndefined(Cause.failureOption(exit.cause))
          assert.isTrue(
            ours.some((isOurs) => isOurs(error)),
            `case ${index}, ${recording.name}: ${Cause.pretty(exit.cause)}`
          )
          if (error instanceof Error) {
            outcomes.errors.add(error.name)
            assert.isBelow(error.message.length, 1000, `case ${index}, ${recording.name}`)
          }
        }
      }).pipe(
        Effect.provide(
          InfisicalApi.layer().pipe(
            Layer.provide([config({ retry: { times: 0 } }), Layer.succeed(HttpClient.HttpClient, client)])
          )
        )
      )
      // Or else the mutations are too rough to test anything.
      assert.isAbove(outcomes.values, 50)
      assert.isAbove(outcomes.errors.size, 5)
      assert.isUndefined(Reflect.get({}, "polluted"))
    }))

  it.effect("is classified as an error of ours, whatever was mutated in it", () =>
    Effect.gen(function*() {
      const refused = (yield* recordings).filter(({ response }) => response.status >= 400)
      const next = generator(seed)
      for (let index = 0; index < cases; index++) {
        const recording = pick(next, refused)
        if (recording === undefined) continue
        const error = classify(
          {
            status: next(3) === 0 ? pick(next, statuses) ?? 400 : recording.response.status,
            body: mutate(next, recording.response.body),
            retryAfter: undefined
          },
          {
            endpoint: "GET /api/v3/secrets",
            action: pick(next, ["read", "create", "update", "delete", undefined]),
            secretNames: ["A", "B"],
            environment: "dev",
            secretPath: "/"
          }
        )
        assert.isTrue(ours.some((isOurs) => isOurs(error)), `case ${index}, ${recording.name}`)
        assert.isBelow(error.message.length, 1000, `case ${index}, ${recording.name}`)
      }
    }))
})
