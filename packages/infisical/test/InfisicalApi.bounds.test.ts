/** What a response can do to a call, however odd it is: very little. */
import { FetchHttpClient, HttpClient, HttpClientRequest, HttpClientResponse } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Duration, Effect, Exit, Fiber, Layer, Option, TestClock } from "effect"
import { InfisicalApi, type InfisicalConfig, InfisicalError } from "effect-infisical"
import { within } from "../src/api/deadline.js"
import { config, create, empty, errorOf, list, listening, login, outcome, place } from "./support/api.js"

const row = {
  id: "id",
  version: 1,
  type: "shared",
  secretKeyCiphertext: "",
  secretKeyIV: "",
  secretKeyTag: "",
  secretValueCiphertext: "",
  secretValueIV: "",
  secretValueTag: ""
}
const rawRow = { id: "id", version: 1, type: "shared", secretKey: "NAME", secretValue: "value" }

const rawList = Effect.gen(function*() {
  const api = yield* InfisicalApi.InfisicalApi
  return yield* api.secrets.list(yield* place, Option.none())
})
const rawGet = Effect.gen(function*() {
  const api = yield* InfisicalApi.InfisicalApi
  return yield* api.secrets.get({ ...yield* place, name: "NAME", type: "shared" }, Option.none())
})

/** A client whose every response has this body. */
const answering = (
  body: BodyInit | null,
  init: ResponseInit = { status: 200 },
  options: Partial<InfisicalConfig.Options> = {}
) =>
  InfisicalApi.layer().pipe(Layer.provide([
    config({ retry: { times: 0 }, ...options }),
    Layer.succeed(
      HttpClient.HttpClient,
      HttpClient.make((request) => Effect.sync(() => HttpClientResponse.fromWeb(request, new Response(body, init))))
    )
  ]))

const failure = <A, E>(call: Effect.Effect<A, E, InfisicalApi.InfisicalApi>, layer: ReturnType<typeof answering>) =>
  Effect.map(Effect.exit(Effect.provide(call, layer)), (exit) => {
    assert.isTrue(Exit.isFailure(exit))
    const defects = Exit.isFailure(exit) ? [...Cause.defects(exit.cause)] : []
    assert.deepStrictEqual(defects.map(String), [])
    return errorOf(exit)
  })

describe("The pause that a server asks for", () => {
  const retryAfterOf = (
    headers: Record<string, string>,
    status = 429,
    options: Partial<InfisicalConfig.Options> = {}
  ) =>
    Effect.map(
      outcome(list, { ...options, retry: { times: 0, ...options.retry } }, { status, headers }),
      ({ exit }) => {
        const error = errorOf(exit)
        assert.instanceOf(error, InfisicalError.NetworkError)
        return error instanceof InfisicalError.NetworkError && error.retryAfter !== undefined
          ? Duration.toMillis(error.retryAfter)
          : undefined
      }
    )

  it.effect("is fifteen minutes at most, unless the user allows more", () =>
    Effect.gen(function*() {
      for (const seconds of ["86400", "999999999", "999999999999999"]) {
        assert.strictEqual(yield* retryAfterOf({ "retry-after": seconds }), 900_000)
        const patient = { retry: { maxRetryAfter: "1 day" } } as const
        assert.strictEqual(yield* retryAfterOf({ "retry-after": seconds }, 429, patient), 86_400_000)
      }
      assert.strictEqual(yield* retryAfterOf({ "retry-after": "299" }), 299_000)
    }))

  it.effect("is never longer than a timer can wait", () =>
    Effect.gen(function*() {
      const endless = { retry: { maxRetryAfter: "24 days", deadline: "24 days" } } as const
      assert.strictEqual(yield* retryAfterOf({ "retry-after": "999999999" }, 429, endless), 24 * 86_400_000)
    }))

  it.effect("can be the reset of a rate limit, with the same bound", () =>
    Effect.gen(function*() {
      const headers = { "x-ratelimit-limit": "60", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "999999999" }
      const { exit } = yield* outcome(list, {}, { ...empty, headers })
      const limit = Exit.isSuccess(exit) ? Option.getOrUndefined(exit.value.rateLimit) : undefined
      assert.deepStrictEqual(limit, { limit: 60, remaining: 0, resetAfter: Duration.minutes(15) })
    }))

  it.effect("can be a date, which counts from the date of the response", () =>
    Effect.gen(function*() {
      const headers = { "retry-after": "Wed, 21 Oct 2026 07:28:07 GMT", date: "Wed, 21 Oct 2026 07:28:00 GMT" }
      for (const status of [429, 503]) assert.strictEqual(yield* retryAfterOf(headers, status), 7000)
      assert.strictEqual(yield* retryAfterOf({ ...headers, date: "Wed, 21 Oct 2020 07:28:00 GMT" }), 900_000)
    }))

  for (const date of ["none", "now", "Wed, 99 Oct 2026 99:99:99 GMT"]) {
    it.effect(`can be a date that counts from now, if the date of the response is ${date}`, () =>
      Effect.gen(function*() {
        const headers = { "retry-after": "Thu, 01 Jan 1970 00:00:07 GMT", ...date === "none" ? {} : { date } }
        assert.strictEqual(yield* retryAfterOf(headers), 7000)
      }))
  }

  it.effect("is ours if the server asks for none, or for one in the past, or for nonsense", () =>
    Effect.gen(function*() {
      for (const text of ["0", "-5", "1e9", "soon", "Thu, 01 Jan 1960 00:00:07 GMT", "Thu, 99 Jan 1970 99:99:99 GMT"]) {
        assert.isUndefined(yield* retryAfterOf({ "retry-after": text }))
      }
      const { times } = yield* outcome(list, { retry: { times: 1 } }, { status: 503, headers: { "retry-after": "0" } })
      assert.isAtLeast((times[1] ?? 0) - (times[0] ?? 0), 160)
    }))

  it.effect("is kept to by reads after status 503", () =>
    Effect.gen(function*() {
      const { exit, times } = yield* outcome(list, {}, { status: 503, headers: { "retry-after": "17" } }, empty)
      assert.isTrue(Exit.isSuccess(exit))
      assert.deepStrictEqual(times, [0, 17_000])
    }))
})

describe("A call with little time left", () => {
  const second = within({ duration: Duration.seconds(1), endpoint: "Secrets.list", isWrite: false })

  it.effect("retries only until its deadline", () =>
    Effect.gen(function*() {
      const options = { retry: { times: 100, baseDelay: "100 millis", maxDelay: "100 millis" } } as const
      const { exit, times, took } = yield* outcome(second(list), options, { status: 503 })
      assert.include(errorOf(exit), { _tag: "NetworkError", reason: "ServerFailure", endpoint: "GET /api/v3/secrets" })
      assert.isAtMost(took, 1000)
      assert.isAbove(times.length, 3)
    }))

  it.effect("ends the request under way at its deadline, and names its route", () =>
    Effect.gen(function*() {
      const { exit, took } = yield* outcome(second(list), {}, "hang")
      assert.include(errorOf(exit), { _tag: "NetworkError", reason: "Timeout", endpoint: "GET /api/v3/secrets" })
      assert.strictEqual(took, 1000)
    }))

  it.effect("begins no request after its deadline, so nothing can have been carried out", () =>
    Effect.gen(function*() {
      const none = within({ duration: Duration.zero, endpoint: "Secrets.create", isWrite: true })
      const { exit, times } = yield* outcome(none(create), {}, empty)
      assert.include(errorOf(exit), { _tag: "NetworkError", reason: "Timeout", mayHaveBeenApplied: false })
      assert.deepStrictEqual(times, [])
    }))

  it.effect("ends in an uninterruptible region and in a finalizer, too", () =>
    Effect.gen(function*() {
      for (
        const call of [
          Effect.uninterruptible(create),
          Effect.acquireUseRelease(Effect.void, () => create, () => Effect.void)
        ]
      ) {
        const { exit, took } = yield* outcome(Effect.uninterruptible(call), { requestTimeout: "2 seconds" }, "hang")
        assert.include(errorOf(exit), { _tag: "NetworkError", reason: "Timeout", mayHaveBeenApplied: true })
        assert.strictEqual(took, 2000)
      }
    }))
})

describe("A status that Infisical does not use", () => {
  for (const status of [201, 202, 206, 299, 304]) {
    it.effect(`such as ${status} is an unexpected response, and the request is not repeated`, () =>
      Effect.gen(function*() {
        for (const call of [list, Effect.asVoid(create)]) {
          const { exit, times } = yield* outcome(call, {}, { status, body: { secrets: [] } })
          assert.include(errorOf(exit), { _tag: "UnexpectedResponseError" })
          assert.lengthOf(times, 1)
        }
      }))
  }
})

describe("Status 204", () => {
  it.effect("without a body is an unexpected response", () =>
    Effect.gen(function*() {
      assert.include(yield* failure(list, answering(null, { status: 204 })), { _tag: "UnexpectedResponseError" })
    }))
})

describe("JSON", () => {
  const nested = (depth: number) => `${"[".repeat(depth)}${"]".repeat(depth)}`
  const places: Record<string, (json: string) => string> = {
    "as the whole body": (json) => json,
    "in place of the secrets": (json) => `{"secrets":${json}}`,
    "in an unknown field": (json) => `{"secrets":[],"unknown":${json}}`,
    "in an unknown field of a secret": (json) => `{"secrets":[${JSON.stringify(row).slice(0, -1)},"unknown":${json}}]}`,
    "in the tags of a secret": (json) => `{"secrets":[${JSON.stringify(row).slice(0, -1)},"tags":[${json}]}]}`,
    "after brackets in a string": (json) => `{"secrets":${JSON.stringify("]}\"]}\\")},"unknown":${json}}`,
    "without an end": (json) => json.replaceAll("]", "")
  }
  for (const [where, body] of Object.entries(places)) {
    it.effect(`nested 100,000 levels deep ${where} is an unexpected response`, () =>
      Effect.gen(function*() {
        for (const depth of [2500, 100_000]) {
          for (const call of [list, Effect.asVoid(rawList), Effect.asVoid(rawGet), Effect.asVoid(login)]) {
            const error = yield* failure(call, answering(body(nested(depth))))
            assert.include(error, { _tag: "UnexpectedResponseError", status: 200 })
            assert.include(String(error), "nested more than 64 levels deep")
          }
        }
      }))
  }

  it.effect("nested deeply in a refusal leaves its status to say what it means", () =>
    Effect.gen(function*() {
      const error = yield* failure(list, answering(nested(100_000), { status: 503 }))
      assert.include(error, { _tag: "NetworkError", reason: "ServerFailure" })
    }))

  const dense: Record<string, string> = {
    "empty objects": "{}",
    "empty arrays": "[]",
    numbers: "1",
    "objects in objects": "{\"a\":{}}"
  }
  for (const [what, one] of Object.entries(dense)) {
    it.effect(`that is dense with ${what} is an unexpected response, since it takes much more memory than bytes`, () =>
      Effect.gen(function*() {
        const json = `{"secrets":[],"unknown":[${`${one},`.repeat(100_000)}1]}`
        for (const call of [list, Effect.asVoid(rawList), Effect.asVoid(rawGet), Effect.asVoid(login)]) {
          const error = yield* failure(call, answering(json))
          assert.include(error, { _tag: "UnexpectedResponseError", status: 200 })
          assert.include(String(error), "too many values")
        }
      }))
  }

  it.effect("of a secret with the most and the shortest metadata that there can be is read", () =>
    Effect.gen(function*() {
      const secretMetadata = Array.from({ length: 50_000 }, () => ({ key: "a", value: "b" }))
      const answer = yield* Effect.provide(
        rawList,
        answering(JSON.stringify({ secrets: [{ ...rawRow, secretMetadata }] }))
      )
      assert.strictEqual(answer._tag, "Modified")
    }))

  it.effect("with brackets in strings is not nested, however many there are", () =>
    Effect.gen(function*() {
      const tag = { id: "id", slug: `${"[{".repeat(500)}\\"` }
      const answer = yield* Effect.provide(list, answering(JSON.stringify({ secrets: [{ ...row, tags: [tag] }] })))
      assert.strictEqual(answer._tag === "Modified" ? answer.answer.secrets[0]?.tags?.[0]?.slug : undefined, tag.slug)
    }))

  it.effect("of another shape is named by its places in our schema, without anything that was received", () =>
    Effect.gen(function*() {
      const error = yield* failure(
        rawGet,
        answering(JSON.stringify({ secret: { ...rawRow, secretKey: ["planted0"] } }))
      )
      assert.include(String(error), "at secret.secretKey (Type)")
      assert.notInclude(String(error), "planted0")
      assert.include(String(yield* failure(rawGet, answering("<html>planted0</html>"))), "the body is not JSON")
    }))

  for (
    const [what, bytes] of Object.entries({
      "a byte of Latin-1": [0xe4],
      "half a character": [0xe2, 0x82],
      "a character cut off by the end of the string": [0xf0, 0x9f, 0x98],
      "a surrogate": [0xed, 0xa0, 0x80],
      "a character encoded longer than need be": [0xc0, 0xaf],
      "a character beyond the last": [0xf4, 0x90, 0x80, 0x80],
      "a continuation of nothing": [0x80]
    })
  ) {
    it.effect(`with ${what} in a value is an unexpected response, not another value`, () =>
      Effect.gen(function*() {
        const [before, after] = JSON.stringify({ secret: rawRow }).split("value\"}")
        const encoder = new TextEncoder()
        const body = new Uint8Array([
          ...encoder.encode(before),
          ...bytes,
          ...encoder.encode(`"}${after}`)
        ])
        const error = yield* failure(rawGet, answering(body))
        assert.include(String(error), "the body is not UTF-8")
      }))
  }

  it.effect("with any character in a value gives that value", () =>
    Effect.gen(function*() {
      const secretValue = "äÿ\u0080߿ࠀ퟿\uffff\u{10000}\u{10ffff}\ud800\"\\"
      const answer = yield* Effect.provide(rawGet, answering(JSON.stringify({ secret: { ...rawRow, secretValue } })))
      assert.strictEqual(answer._tag === "Modified" ? answer.answer.secretValue : undefined, secretValue)
    }))
})

describe("A number that is no version", () => {
  for (const version of ["1e400", "-1", "1.5", "9007199254740992", "\"1\"", "null"]) {
    it.effect(`such as ${version} is an unexpected response from every route`, () =>
      Effect.gen(function*() {
        const body = (secret: object) =>
          JSON.stringify({ secret, secrets: [secret] }).replaceAll("\"version\":1", `"version":${version}`)
        for (const call of [Effect.asVoid(rawList), Effect.asVoid(rawGet)]) {
          assert.include(yield* failure(call, answering(body(rawRow))), { _tag: "UnexpectedResponseError" })
        }
        assert.include(yield* failure(list, answering(body(row))), { _tag: "UnexpectedResponseError" })
      }))
  }

  it.effect("makes a login unexpected as well, as the seconds of a token", () =>
    Effect.gen(function*() {
      for (const expiresIn of ["1e400", "-1"]) {
        const error = yield* failure(login, answering(`{"accessToken":"token","expiresIn":${expiresIn}}`))
        assert.include(error, { _tag: "UnexpectedResponseError" })
      }
    }))
})

describe("A large body", () => {
  const small = { maxResponseBytes: 1000 }
  const chunks = (count: number, onCancel: () => void) => {
    let sent = 0
    return {
      sent: () => sent,
      body: new ReadableStream<Uint8Array>({
        pull: (controller) => {
          sent++
          if (sent > count) controller.close()
          else controller.enqueue(new TextEncoder().encode(" ".repeat(100)))
        },
        cancel: onCancel
      }, { highWaterMark: 0 })
    }
  }

  it.effect("is read no further than its bound", () =>
    Effect.gen(function*() {
      const { body, sent } = chunks(1e6, () => {})
      const error = yield* failure(list, answering(body, { status: 200 }, small))
      assert.include(error, { _tag: "UnexpectedResponseError" })
      assert.include(String(error), "maxResponseBytes (1000)")
      assert.isAtMost(sent(), 13)
    }))

  it.effect("is refused unread if it states a length beyond the bound", () =>
    Effect.gen(function*() {
      const { body, sent } = chunks(1e6, () => {})
      const error = yield* failure(list, answering(body, { headers: { "content-length": "1001" } }, small))
      assert.include(String(error), "maxResponseBytes (1000)")
      assert.strictEqual(sent(), 0)
    }))

  // As a compressed body is, of whose encoding the client is not told.
  it.effect("is read no further than its bound although it states a small length", () =>
    Effect.gen(function*() {
      const { body, sent } = chunks(1e6, () => {})
      const error = yield* failure(list, answering(body, { headers: { "content-length": "10" } }, small))
      assert.include(String(error), "maxResponseBytes (1000)")
      assert.isAtMost(sent(), 13)
    }))

  it.effect("of exactly the bound is read, whether its length is stated or not", () =>
    Effect.gen(function*() {
      const text = JSON.stringify({ secrets: [] }).padEnd(1000)
      for (const headers of [{}, { "content-length": "1000" }, { "content-length": "9", "content-encoding": "gzip" }]) {
        const answer = yield* Effect.provide(list, answering(text, { headers: new Headers(headers) }, small))
        assert.strictEqual(answer._tag, "Modified")
      }
    }))

  it.effect("of a refusal leaves its status to say what it means", () =>
    Effect.gen(function*() {
      const error = yield* failure(list, answering(" ".repeat(2000), { status: 503 }, small))
      assert.include(error, { _tag: "NetworkError", reason: "ServerFailure" })
    }))

  it.effect("that is not there at all is an unexpected response", () =>
    Effect.gen(function*() {
      for (const body of [null, ""]) {
        assert.include(yield* failure(list, answering(body)), { _tag: "UnexpectedResponseError" })
      }
    }))
})

describe("The user's own client", () => {
  const spy = Effect.sync(() => {
    const inits: Array<RequestInit> = []
    const fetch = (_: unknown, init?: RequestInit) => {
      inits.push(init ?? {})
      return Promise.resolve(Response.json({ secrets: [] }))
    }
    return { inits, fetch: Layer.succeed(FetchHttpClient.Fetch, fetch) }
  })
  const init = Layer.succeed(FetchHttpClient.RequestInit, { credentials: "include", redirect: "follow" })
  const api = InfisicalApi.layer().pipe(Layer.provide(config({ retry: { times: 0 } })))

  it.effect("keeps its RequestInit, such as a dispatcher for a proxy, wherever that was provided", () =>
    Effect.gen(function*() {
      const { fetch, inits } = yield* spy
      const layers = [
        api.pipe(Layer.provide(FetchHttpClient.layer), Layer.provide([init, fetch])),
        api.pipe(Layer.provide(FetchHttpClient.layer.pipe(Layer.provide([init, fetch])))),
        api.pipe(Layer.provide([FetchHttpClient.layer.pipe(Layer.provide(fetch)), init]))
      ]
      for (const layer of layers) yield* Effect.provide(list, layer)
      assert.lengthOf(inits, 3)
      for (const init of inits) assert.include(init, { credentials: "include", redirect: "manual" })
    }))

  it.effect("is used as it was when the layer was built, not as the caller has it", () =>
    Effect.gen(function*() {
      const { fetch, inits } = yield* spy
      yield* list.pipe(
        Effect.provideService(FetchHttpClient.RequestInit, { credentials: "omit" }),
        Effect.provide(api.pipe(Layer.provide(FetchHttpClient.layer.pipe(Layer.provide([init, fetch])))))
      )
      assert.include(inits[0], { credentials: "include", redirect: "manual" })
    }))

  it.effect("needs no RequestInit, and is asked for one without a request", () =>
    Effect.gen(function*() {
      const { fetch, inits } = yield* spy
      yield* Effect.void.pipe(Effect.provide(api.pipe(Layer.provide(FetchHttpClient.layer), Layer.provide(fetch))))
      assert.lengthOf(inits, 0)
      yield* Effect.provide(list, api.pipe(Layer.provide(FetchHttpClient.layer), Layer.provide(fetch)))
      assert.include(inits[0], { redirect: "manual" })
    }))

  it.effect("may fail, or take its time, before it prepares a request", () =>
    Effect.gen(function*() {
      for (const first of [Effect.die("broken"), Effect.never, Effect.interrupt]) {
        const client = Layer.succeed(
          HttpClient.HttpClient,
          HttpClient.transformResponse(
            HttpClient.make((request) => Effect.succeed(HttpClientResponse.fromWeb(request, new Response("")))),
            (response) => Effect.zipRight(first, response)
          )
        )
        const fiber = yield* Effect.fork(Effect.exit(Effect.provide(Effect.void, Layer.provide(api, client))))
        yield* TestClock.adjust("10 seconds")
        assert.deepStrictEqual(yield* Fiber.join(fiber), Exit.void)
      }
    }))

  it.scoped("can be changed by an option, and then makes every request", () =>
    Effect.gen(function*() {
      const seen: Array<string | undefined> = []
      const siteUrl = yield* listening((request, response) => {
        seen.push(String(request.headers["x-added"]))
        response.end(JSON.stringify({ secrets: [] }))
      })
      const urls: Array<string> = []
      const options: Partial<InfisicalConfig.Options> = {
        siteUrl,
        transformClient: (client) =>
          client.pipe(
            HttpClient.mapRequest(HttpClientRequest.setHeader("x-added", "yes")),
            HttpClient.tapRequest((request) => Effect.sync(() => urls.push(request.url)))
          )
      }
      yield* Effect.provide(list, InfisicalApi.layer().pipe(Layer.provide([config(options), FetchHttpClient.layer])))
      assert.deepStrictEqual(seen, ["yes"])
      assert.deepStrictEqual(urls, [`${siteUrl}/api/v3/secrets`])
    }))
})
