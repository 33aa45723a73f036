import { assert, describe, it } from "@effect/vitest"
import { Clock, Deferred, Duration, Effect, Exit, FastCheck, Fiber, Layer, Random, TestClock } from "effect"
import { InfisicalApi, InfisicalError } from "effect-infisical"
import type * as Http from "node:http"
import { inspect } from "node:util"
import {
  against,
  config,
  create,
  empty,
  errorOf,
  list,
  listening,
  outcome,
  type Reply,
  scripted
} from "./support/api.js"

const limited = (seconds: string): Reply => ({
  status: 429,
  body: { statusCode: 429, error: "Too Many Requests", message: "Rate limit exceeded, retry in 1 minute" },
  headers: { "retry-after": seconds }
})
const failing = (status: number, message = "Something broke"): Reply => ({
  status,
  body: { statusCode: status, error: "Internal Server Error", message }
})

describe("A read that fails", () => {
  for (
    const [name, reply] of Object.entries<Reply>({
      "a connection that is reset": { code: "ECONNRESET" },
      "a connection that is refused": { code: "ECONNREFUSED" },
      "no answer in time": "hang",
      "status 500": failing(500),
      "status 502": failing(502),
      "status 503": failing(503),
      "status 504": failing(504),
      "a rate limit": limited("1")
    })
  ) {
    it.effect(`is repeated after ${name}`, () =>
      Effect.gen(function*() {
        const { exit, times } = yield* outcome(list, {}, reply, empty)
        assert.isTrue(Exit.isSuccess(exit))
        assert.strictEqual(times.length, 2)
      }))
  }

  it.effect("is repeated three times, with pauses that double and vary by a fifth", () =>
    Effect.gen(function*() {
      const { exit, times } = yield* outcome(list, {}, failing(503))
      assert.instanceOf(errorOf(exit), InfisicalError.NetworkError)
      assert.strictEqual(times.length, 4)
      for (const [index, pause] of [200, 400, 800].entries()) {
        const actual = (times[index + 1] ?? 0) - (times[index] ?? 0)
        assert.isAtLeast(actual, pause * 0.8 - 1)
        assert.isAtMost(actual, pause * 1.2 + 1)
      }
    }))

  it.effect("waits for exactly as long as a rate limit asks", () =>
    Effect.gen(function*() {
      const { exit, times } = yield* outcome(list, {}, limited("17"), empty)
      assert.isTrue(Exit.isSuccess(exit))
      assert.deepStrictEqual(times, [0, 17_000])
    }))

  it.effect("fails at once where a rate limit asks to wait beyond the deadline, and says how long", () =>
    Effect.gen(function*() {
      const { exit, times } = yield* outcome(list, {}, limited("56"))
      const error = errorOf(exit)
      assert.deepStrictEqual(times, [0])
      assert.instanceOf(error, InfisicalError.NetworkError)
      assert.include(error, { reason: "RateLimited" })
      assert.deepStrictEqual(
        error instanceof InfisicalError.NetworkError ? error.retryAfter : undefined,
        Duration.seconds(56)
      )
    }))

  it.effect.prop(
    "has failed by the deadline, the request under way included, whatever the pauses came to",
    [FastCheck.integer({ min: 1 })],
    ([seed]) =>
      Effect.gen(function*() {
        const server = yield* scripted("hang")
        const options = { retry: { times: 100 }, requestTimeout: "9 seconds" } as const
        const started = yield* Clock.currentTimeMillis
        const fiber = yield* list.pipe(
          Effect.provide(InfisicalApi.layer().pipe(Layer.provide([config(options), server.layer]))),
          Effect.exit,
          Effect.zip(Clock.currentTimeMillis),
          Effect.withRandom(Random.make(seed)),
          Effect.fork
        )
        yield* TestClock.adjust("1 minute")
        const [exit, ended] = yield* Fiber.join(fiber)
        const times = yield* server.times
        assert.include(errorOf(exit), { _tag: "NetworkError", reason: "Timeout" })
        assert.isAtMost(ended - started, 30_000)
        assert.isAbove(times.length, 2)
      }),
    { fastCheck: { numRuns: 20 } }
  )

  for (
    const message of ["jwt malformed", "invalid token", "jwt must be provided", "data and hash arguments required"]
  ) {
    it.effect(`is not repeated after a status 500 that means a refused credential: ${message}`, () =>
      Effect.gen(function*() {
        const { exit, times } = yield* outcome(list, {}, failing(500, message))
        assert.include(errorOf(exit), { _tag: "AuthenticationError" })
        assert.strictEqual(times.length, 1)
      }))
  }
})

describe("A write that fails", () => {
  for (
    const [name, reply] of Object.entries<Reply>({
      "a connection that is reset": { code: "ECONNRESET" },
      "no answer in time": "hang",
      "status 500": failing(500),
      "status 503": failing(503)
    })
  ) {
    it.effect(`is not repeated after ${name}, and says that it may have been carried out`, () =>
      Effect.gen(function*() {
        const { exit, times } = yield* outcome(create, {}, reply)
        assert.include(errorOf(exit), { _tag: "NetworkError", mayHaveBeenApplied: true })
        assert.strictEqual(times.length, 1)
      }))
  }

  for (
    const [name, reply] of Object.entries<Reply>({
      "a connection that is refused": { code: "ECONNREFUSED" },
      "a rate limit": limited("1"),
      "maintenance mode": failing(500, "Infisical is in maintenance mode. Please try again later.")
    })
  ) {
    it.effect(`is repeated after ${name}, since nothing was carried out`, () =>
      Effect.gen(function*() {
        const { exit, times } = yield* outcome(create, {}, reply)
        assert.include(errorOf(exit), { _tag: "NetworkError", mayHaveBeenApplied: false })
        assert.strictEqual(times.length, 4)
      }))
  }

  it.effect("is no success where it awaits approval", () =>
    Effect.gen(function*() {
      const { exit } = yield* outcome(create, {}, { status: 200, body: { approval: { id: "approval-1", slug: "x" } } })
      assert.include(errorOf(exit), { _tag: "ApprovalRequiredError", approvalId: "approval-1" })
    }))
})

const planted = "planted0value"

describe("A server that is none", () => {
  const answers: Record<string, [Http.RequestListener, Partial<InfisicalError.UnexpectedResponseError>]> = {
    "HTML with status 200": [(_, response) => response.end(`<html>${planted}</html>`), { status: 200 }],
    "HTML with status 404": [
      (_, response) => response.writeHead(404, { "content-type": "text/html" }).end(`<html>${planted}</html>`),
      { status: 404 }
    ],
    "half a JSON": [(_, response) => response.end(`{"secrets":[{"id":"${planted}`), { status: 200 }],
    "the wrong shape": [(_, response) => response.end(JSON.stringify({ secrets: { [planted]: planted } })), {
      status: 200
    }],
    "a secret without its tag": [
      (_, response) =>
        response.end(
          JSON.stringify({ secrets: [{ id: planted, version: 1, type: "shared", secretValueCiphertext: planted }] })
        ),
      { status: 200 }
    ],
    "another API's refusal": [
      (_, response) => response.writeHead(418).end(JSON.stringify({ fault: planted })),
      { status: 418 }
    ],
    "nothing at all": [(_, response) => response.end(), { status: 200 }]
  }
  for (const [name, [listener, expected]] of Object.entries(answers)) {
    it.scoped(`gives UnexpectedResponseError for ${name}, and repeats nothing of it`, () =>
      Effect.gen(function*() {
        const siteUrl = yield* listening(listener)
        const error = yield* Effect.flip(Effect.provide(list, against(siteUrl)))
        assert.instanceOf(error, InfisicalError.UnexpectedResponseError)
        assert.include(error, expected)
        for (
          const printed of [String(error), JSON.stringify(error), inspect(error, { depth: null, showHidden: true })]
        ) {
          assert.notInclude(printed, planted)
          assert.notInclude(printed, "planted0token")
        }
      }))
  }

  it.scoped("that sends us on to another address is not followed, and the site is said to be wrong", () =>
    Effect.gen(function*() {
      const followed: Array<string | undefined> = []
      const other = yield* listening((request, response) => {
        followed.push(request.headers.authorization)
        response.end(JSON.stringify({ secrets: [] }))
      })
      const siteUrl = yield* listening((_, response) => response.writeHead(301, { location: `${other}/x` }).end())
      for (const call of [Effect.asVoid(list), Effect.asVoid(create)]) {
        const error = yield* Effect.flip(Effect.provide(call, against(siteUrl)))
        assert.include(error, { _tag: "InvalidRequestError", parameter: "siteUrl" })
      }
      assert.deepStrictEqual(followed, [])
    }))

  it.scoped("gives NetworkError for a connection that is reset in the middle of the body", () =>
    Effect.gen(function*() {
      const siteUrl = yield* listening((_, response) => {
        response.writeHead(200, { "content-length": "1000" }).write("{\"secrets\":[", () => response.destroy())
      })
      const error = yield* Effect.flip(Effect.provide(list, against(siteUrl)))
      assert.include(error, { _tag: "NetworkError", reason: "Transport" })
    }))

  it.scoped("gives NetworkError for a port that nobody listens on, and says what to check", () =>
    Effect.gen(function*() {
      const siteUrl = yield* Effect.scoped(listening((_, response) => response.end()))
      const error = yield* Effect.flip(Effect.provide(list, against(siteUrl)))
      assert.include(error, { _tag: "NetworkError", reason: "Transport", code: "ECONNREFUSED" })
      assert.include(error.message, "Check siteUrl")
      assert.notInclude(inspect(error, { depth: null, showHidden: true }), "planted0token")
    }))

  it.scoped("is left alone at once when the request is interrupted", () =>
    Effect.gen(function*() {
      const closed = yield* Deferred.make<void>()
      const arrived = yield* Deferred.make<void>()
      const siteUrl = yield* listening((request) => {
        Deferred.unsafeDone(arrived, Effect.void)
        request.socket.on("close", () => Deferred.unsafeDone(closed, Effect.void))
      })
      const fiber = yield* Effect.fork(Effect.provide(list, against(siteUrl)))
      yield* Deferred.await(arrived)
      const exit = yield* Fiber.interrupt(fiber)
      assert.isTrue(Exit.isInterrupted(exit))
      yield* Deferred.await(closed)
    }))
})
