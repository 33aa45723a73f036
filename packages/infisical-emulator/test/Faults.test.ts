import { FetchHttpClient, HttpClient, type HttpClientError } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect, Fiber, Layer, Option, Random, Redacted, TestClock } from "effect"
import { Credential, Crypto, Infisical, type InfisicalConfig, Secrets } from "effect-infisical"
import type { Faults } from "effect-infisical-emulator"
import { Emulator } from "effect-infisical-emulator"
import { request } from "./request.js"

const route = "/api/v3/secrets"

const start = (options: Emulator.Options = {}) =>
  Emulator.make({ era: "2024-07", secrets: { NAME: "value" } }, options).pipe(Effect.provide(Crypto.layer))

/** What a client sees who reads a secret over a socket, without trying again. */
const read = (emulator: Emulator.Service, options: Partial<InfisicalConfig.Options> = {}) =>
  Effect.gen(function*() {
    const token = yield* emulator.serviceToken()
    const client = Infisical.layer({
      credential: Credential.serviceToken(token),
      siteUrl: emulator.url,
      fallback: false,
      refresh: false,
      retry: { times: 0 },
      ...options
    })
    return yield* Secrets.Secrets.pipe(
      Effect.flatMap((secrets) => secrets.get("NAME")),
      Effect.map(({ value }) => Redacted.value(value)),
      Effect.provide(client.pipe(Layer.provide(FetchHttpClient.layer)))
    )
  })

/** A list as it comes over a socket. */
const list = (emulator: Emulator.Service, headers: Record<string, string> = {}) =>
  Effect.gen(function*() {
    const token = Redacted.value(yield* emulator.serviceToken())
    const { id } = yield* emulator.project()
    return yield* request(emulator.url, `${route}?workspaceId=${id}&environment=dev`, {
      headers: { authorization: `Bearer ${token.split(".").slice(0, 3).join(".")}`, ...headers }
    })
  })

/** Lets the sockets have their turn. */
const turn = Effect.async<void>((resume) => {
  setImmediate(() => resume(Effect.void))
})

describe("a fault over real HTTP", () => {
  const transport = { _tag: "NetworkError", reason: "Transport" }
  const cases: ReadonlyArray<readonly [Faults.Input["fault"], object]> = [
    [{ _tag: "RefuseConnection" }, transport],
    [{ _tag: "ResetMidBody" }, transport],
    [{ _tag: "Truncate" }, transport],
    [{ _tag: "MalformedJson" }, { _tag: "UnexpectedResponseError" }],
    [{ _tag: "WrongShape" }, { _tag: "UnexpectedResponseError" }],
    [{ _tag: "Respond", status: 503 }, { _tag: "NetworkError", reason: "ServerFailure", status: 503 }],
    [
      { _tag: "Respond", status: 429, body: { message: "Rate limit exceeded" }, headers: { "retry-after": "7" } },
      { _tag: "NetworkError", reason: "RateLimited", retryAfter: Duration.seconds(7) }
    ],
    [
      { _tag: "Respond", status: 404, body: "<html>a proxy of ours</html>", headers: { "content-type": "text/html" } },
      { _tag: "UnexpectedResponseError" }
    ]
  ]
  for (const [fault, seen] of cases) {
    it.scoped(`${JSON.stringify(fault)} is seen once as ${JSON.stringify(seen)}`, () =>
      Effect.gen(function*() {
        const emulator = yield* start()
        yield* emulator.faults.add({ fault, route, times: 1 })
        expect(yield* Effect.flip(read(emulator))).toMatchObject(seen)
        expect(yield* read(emulator)).toBe("value")
      }))
  }

  for (
    const fault of [
      { _tag: "Hang" },
      { _tag: "Delay", duration: "1 hour" },
      { _tag: "Trickle", interval: "1 hour" }
    ] as const
  ) {
    it.scopedLive(`${JSON.stringify(fault)} is a timeout for whoever does not wait`, () =>
      Effect.gen(function*() {
        const emulator = yield* start()
        yield* emulator.faults.add({ fault, route })
        const error = yield* Effect.flip(read(emulator, { requestTimeout: "100 millis" }))
        expect(error).toMatchObject({ _tag: "NetworkError", reason: "Timeout" })
      }))
  }

  it.scopedLive("of bytes that trickle is no fault for whoever waits", () =>
    Effect.gen(function*() {
      const emulator = yield* start()
      yield* emulator.faults.add({ fault: { _tag: "Trickle", bytes: 100, interval: "1 millis" } })
      expect(yield* read(emulator)).toBe("value")
    }))

  it.scoped("in the middle of a body comes after the head, with half of the body", () =>
    Effect.gen(function*() {
      for (const _tag of ["ResetMidBody", "Truncate"] as const) {
        const emulator = yield* start()
        yield* emulator.faults.add({ fault: { _tag } })
        const answer = yield* Effect.tryPromise(() => fetch(`${emulator.url}/api/status`))
        expect([_tag, answer.status]).toEqual([_tag, 200])
        expect([_tag, answer.headers.get("content-type")]).toEqual([_tag, "application/json; charset=utf-8"])
        const error = yield* Effect.flip(Effect.tryPromise(() => answer.text()))
        const cause = Object(Object(error.error)["cause"])
        expect([_tag, cause["code"]]).toEqual([_tag, _tag === "ResetMidBody" ? "ECONNRESET" : "UND_ERR_SOCKET"])
      }
    }))

  it.scoped("answers with the content type that is asked for, and else with that of its body", () =>
    Effect.gen(function*() {
      const emulator = yield* start()
      const typeOf = (headers: Readonly<Record<string, string>>) =>
        Effect.gen(function*() {
          yield* emulator.faults.add({ fault: { _tag: "Respond", status: 200, body: { a: 1 }, headers }, times: 1 })
          const answer = yield* request(emulator.url, "/api/status")
          return answer.headers["content-type"]
        })
      expect(yield* typeOf({ "Content-Type": "text/weird" })).toBe("text/weird")
      expect(yield* typeOf({})).toBe("application/json")
    }))

  it.scoped("of the ETag makes the next conditional request an unconditional one", () =>
    Effect.gen(function*() {
      const emulator = yield* start()
      yield* emulator.faults.add({ fault: { _tag: "WrongETag" }, times: 1 })
      const { headers: { etag = "" } } = yield* list(emulator)
      expect(etag).toBe("\"wrong\"")
      expect((yield* list(emulator, { "if-none-match": etag })).status).toBe(200)
    }))

  it.scoped("of the clock is in what the server writes, believes and dates", () =>
    Effect.gen(function*() {
      const emulator = yield* Emulator.make({ era: "2024-07", serviceTokens: { main: { ttl: "1 hour" } } })
      yield* emulator.faults.add({ fault: { _tag: "ClockSkew", by: "2 hours" }, route: "/api/status" })
      const status = yield* request(emulator.url, "/api/status")
      expect(status.body).toMatchObject({ date: "1970-01-01T02:00:00.000Z" })
      expect(status.headers.date).toBe("Thu, 01 Jan 1970 02:00:00 GMT")
      yield* emulator.faults.clear
      yield* TestClock.adjust("90 minutes")
      yield* emulator.faults.add({ fault: { _tag: "ClockSkew", by: "1 hour", direction: "behind" }, times: 1 })
      expect((yield* list(emulator)).status).toBe(200)
      expect((yield* list(emulator)).body).toMatchObject({ message: "failed to authenticate expired service token" })
    }).pipe(Effect.provide(Crypto.layer)))

  it.scoped("leaves other routes and methods alone, and is recorded", () =>
    Effect.gen(function*() {
      const emulator = yield* start()
      const ofOne = `${route}/:secretName`
      yield* emulator.faults.add({ fault: { _tag: "Respond", status: 500 }, method: "POST", route: ofOne })
      yield* emulator.faults.add({ fault: { _tag: "Respond", status: 502 }, route: ofOne })
      yield* emulator.faults.add({ fault: { _tag: "RefuseConnection" }, route: "/api/status" })
      expect((yield* list(emulator)).status).toBe(200)
      expect((yield* request(emulator.url, `${route}/NAME`)).status).toBe(502)
      expect((yield* Effect.flip(request(emulator.url, "/api/status"))).code).toBe("ECONNRESET")
      expect((yield* emulator.requests).map(({ route, status }) => [route, status])).toEqual([
        [route, 200],
        [ofOne, 502],
        ["/api/status", undefined]
      ])
      expect(yield* emulator.requestCounts).toEqual({
        [`GET ${route}`]: 1,
        [`GET ${ofOne}`]: 1,
        "GET /api/status": 1
      })
    }))

  it.scoped("strikes a share of the requests, as Random draws", () =>
    Effect.gen(function*() {
      const emulator = yield* start()
      yield* emulator.faults.add({ fault: { _tag: "Respond", status: 503 }, share: 0.5 })
      const statuses = yield* Effect.replicateEffect(list(emulator), 40)
      const failed = statuses.filter(({ status }) => status === 503).length
      expect(failed).toBeGreaterThan(0)
      expect(failed).toBeLessThan(40)
    }).pipe(Effect.withRandom(Random.make("a seed"))))

  it.scoped("acts before one that was added later", () =>
    Effect.gen(function*() {
      const emulator = yield* start()
      yield* emulator.faults.add({ fault: { _tag: "Delay", duration: "1 hour" }, times: 1 })
      yield* emulator.faults.add({ fault: { _tag: "Respond", status: 504 }, times: 1 })
      const waiting = yield* Effect.fork(list(emulator))
      yield* TestClock.adjust("1 hour").pipe(
        Effect.zipRight(turn),
        Effect.zipRight(Fiber.poll(waiting)),
        Effect.repeat({ until: Option.isSome })
      )
      expect((yield* Fiber.join(waiting)).status).toBe(504)
      expect(yield* emulator.faults.rules).toEqual([])
    }))
})

describe("a fault without a socket", () => {
  const withClient = Emulator.layerHttpClient.pipe(Layer.provideMerge(Emulator.layer()))

  const answer = (fault: Faults.Input["fault"]) =>
    Effect.gen(function*() {
      const emulator = yield* Emulator.Emulator
      yield* emulator.faults.add({ fault })
      const client = yield* HttpClient.HttpClient
      const response = yield* client.get("http://localhost/api/status")
      return { status: response.status, text: yield* response.text }
    }).pipe(Effect.provide(withClient))

  const failures: ReadonlyArray<
    readonly [Faults.Input["fault"], Pick<HttpClientError.HttpClientError, "_tag" | "reason">]
  > = [
    [{ _tag: "RefuseConnection" }, { _tag: "RequestError", reason: "Transport" }],
    [{ _tag: "ResetMidBody" }, { _tag: "ResponseError", reason: "Decode" }],
    [{ _tag: "Truncate" }, { _tag: "ResponseError", reason: "Decode" }]
  ]
  for (const [fault, seen] of failures) {
    it.effect(`${fault._tag} is a ${seen._tag} with reason ${seen.reason}`, () =>
      Effect.gen(function*() {
        expect(yield* Effect.flip(answer(fault))).toMatchObject(seen)
      }))
  }

  it.effect("that hangs never ends, and can be interrupted", () =>
    Effect.gen(function*() {
      const waiting = yield* Effect.fork(Effect.timeoutOption(answer({ _tag: "Hang" }), "1 day"))
      yield* TestClock.adjust("1 day")
      expect(yield* Fiber.join(waiting)).toMatchObject({ _tag: "None" })
    }))

  it.effect("that delays or trickles goes by the clock of the test", () =>
    Effect.gen(function*() {
      for (const fault of [{ _tag: "Delay", duration: "1 hour" }, { _tag: "Trickle", bytes: 50 }] as const) {
        const waiting = yield* Effect.fork(answer(fault))
        yield* TestClock.adjust("1 hour")
        expect(yield* Fiber.join(waiting)).toMatchObject({ status: 200 })
      }
    }))

  it.effect("answers what it is told to", () =>
    Effect.gen(function*() {
      expect(yield* answer({ _tag: "Respond", status: 418, body: { short: true } })).toEqual({
        status: 418,
        text: "{\"short\":true}"
      })
    }))
})

describe("a rule", () => {
  it.scoped("with mistakes is refused with their places", () =>
    Effect.gen(function*() {
      const { faults } = yield* start()
      const places = (rule: Faults.Input) =>
        Effect.map(Effect.flip(faults.add(rule)), ({ mistakes }) => mistakes.map(({ place }) => place))
      expect(yield* places({ fault: { _tag: "Respond", status: 99 }, times: 0, share: 2 })).toEqual([
        "fault.status",
        "times",
        "share"
      ])
      expect(yield* places({ fault: { _tag: "Hang" }, route: "/api/v3/secret" })).toEqual(["route"])
      expect(yield* places({ fault: { _tag: "Delay", duration: -1 } })).toEqual(["fault.duration"])
      expect(yield* places({ fault: { _tag: "ClockSkew", by: "99999999999 weeks" } })).toEqual(["fault.by"])
      for (const [name, value] of [["bad name", "x"], ["x", "a\r\nb"], ["ключ", "x"]] as const) {
        expect(yield* places({ fault: { _tag: "Respond", status: 200, headers: { [name]: value } } })).toEqual([
          "fault"
        ])
      }
      expect(yield* places({ fault: { _tag: "WrongETag", etag: "a\nb" } })).toEqual(["fault"])
      expect(yield* places({ fault: { _tag: "Hang" }, method: "PUT", route: "/api/v3/secrets" })).toEqual(["route"])
      expect(yield* faults.rules).toEqual([])
    }))
})

describe("the control route", () => {
  const path = "/__emulator/faults"
  const json = { "content-type": "application/json" }
  const post = (emulator: Emulator.Service, body: string, headers: Record<string, string> = json) =>
    request(emulator.url, path, { method: "POST", headers, body })

  it.scoped("adds, lists and clears faults, and is not struck by them", () =>
    Effect.gen(function*() {
      const emulator = yield* start({ controlRoute: true })
      const rule = { fault: { _tag: "Delay", duration: 1000 }, route, times: 2 }
      const written = { ...rule, fault: { ...rule.fault, duration: "1 second" } }
      const refused = { fault: { _tag: "RefuseConnection" }, method: "GET" }
      yield* post(emulator, JSON.stringify(written))
      const added = yield* post(emulator, JSON.stringify(refused))
      expect([added.status, added.body]).toEqual([200, { rules: [rule, refused] }])
      expect((yield* Effect.flip(request(emulator.url, "/api/status"))).code).toBe("ECONNRESET")
      expect((yield* request(emulator.url, path)).body).toEqual(added.body)
      expect((yield* request(emulator.url, path, { method: "DELETE" })).body).toEqual({ rules: [] })
      expect(yield* read(emulator)).toBe("value")
      expect((yield* emulator.requests).map(({ path }) => path)).not.toContain(path)
    }))

  it.scoped("says where a rule is wrong, and takes no other media type, which a web page could send", () =>
    Effect.gen(function*() {
      const emulator = yield* start({ controlRoute: true })
      const wrong = yield* post(emulator, "{\"fault\":{\"_tag\":\"Nothing\"},\"time\":1}")
      expect([wrong.status, wrong.body]).toMatchObject([400, {
        mistakes: [{ place: "time", problem: "is not known here" }, { place: "fault._tag" }]
      }])
      const text = yield* post(emulator, "{\"fault\":{\"_tag\":\"Hang\"}}", { "content-type": "text/plain" })
      expect(text.status).toBe(400)
      expect((yield* post(emulator, "{", json)).status).toBe(400)
      expect((yield* request(emulator.url, path, { method: "PUT" })).status).toBe(405)
      expect(yield* emulator.faults.rules).toEqual([])
    }))

  it.scoped("is not there unless it is switched on", () =>
    Effect.gen(function*() {
      const emulator = yield* start()
      expect((yield* post(emulator, "{\"fault\":{\"_tag\":\"Hang\"}}")).status).toBe(404)
      expect(yield* emulator.faults.rules).toEqual([])
    }))
})
