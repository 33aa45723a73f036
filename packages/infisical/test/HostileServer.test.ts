/** A real server that does what it can to hold up its clients: each call ends in time, in an error of ours. */
import { FetchHttpClient } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Redacted, Scope } from "effect"
import { Credential, Infisical, Secrets } from "effect-infisical"
import type * as Http from "node:http"
import { against, create, errorOf, list, listening, login } from "./support/api.js"
import { withLongestTurn } from "./support/cpuTime.js"

const megabyte = 1_000_000

/** Writes a chunk again and again, as fast as the client reads it, until there are so many bytes. */
const flood = (response: Http.ServerResponse, chunk: Buffer, bytes: number) => {
  let left = bytes
  const write = () => {
    while (left > 0 && !response.destroyed) {
      left -= chunk.length
      if (!response.write(chunk)) {
        response.once("drain", write)
        return
      }
    }
    response.end()
  }
  write()
}

const json = { "content-type": "application/json" }
const secrets = Buffer.from(`${JSON.stringify({ id: "id", unknown: "x".repeat(64_000) })},`)

// Made beforehand, since the server is in this process.
const repeatedMessage = Buffer.from(
  JSON.stringify({ statusCode: 404, error: "NotFound", message: "Secret with name 'A' ".repeat(1e6) })
)
const manyIssues = Buffer.from(
  `{"statusCode":422,"error":"ValidationFailure","message":[${"{\"path\":[\"a\"]},".repeat(1e6)}null]}`
)

const manyValues = Buffer.from(`[${"{},".repeat(7e6)}{}]`)

interface Attack {
  readonly answer: Http.RequestListener
  /** How many megabytes it sends at least, whether they are read or not. */
  readonly megabytes?: number
  readonly expected: Record<string, string>
}

const attacks: Record<string, Attack> = {
  "never answers": { answer: () => {}, expected: { _tag: "NetworkError", reason: "Timeout" } },
  "hangs after the headers": {
    answer: (_, response) => void response.writeHead(200, json).flushHeaders(),
    expected: { _tag: "NetworkError", reason: "Timeout" }
  },
  "hangs in the middle of a body of stated length": {
    answer: (_, response) => void response.writeHead(200, { ...json, "content-length": "1000" }).write("{"),
    expected: { _tag: "NetworkError", reason: "Timeout" }
  },
  "trickles a byte at a time": {
    answer: (_, response) => {
      response.writeHead(200, json)
      const timer = setInterval(() => response.write(" "), 2)
      response.once("close", () => clearInterval(timer))
    },
    expected: { _tag: "NetworkError", reason: "Timeout" }
  },
  "trickles the body of a refusal": {
    answer: (_, response) => {
      response.writeHead(503, json)
      const timer = setInterval(() => response.write(" "), 2)
      response.once("close", () => clearInterval(timer))
    },
    expected: { _tag: "NetworkError", reason: "Timeout" }
  },
  "nests JSON 100,000 levels deep": {
    answer: (_, response) => response.writeHead(200, json).end("[".repeat(1e5) + "]".repeat(1e5)),
    expected: { _tag: "UnexpectedResponseError" }
  },
  "sends 200 MB and states it": {
    answer: (_, response) => {
      response.writeHead(200, { ...json, "content-length": String(200 * megabyte) })
      flood(response, secrets, 200 * megabyte)
    },
    expected: { _tag: "UnexpectedResponseError" }
  },
  "sends 200 MB without stating it": {
    answer: (_, response) => {
      response.writeHead(200, json).write("{\"secrets\":[")
      flood(response, secrets, 200 * megabyte)
    },
    megabytes: 134,
    expected: { _tag: "UnexpectedResponseError" }
  },
  "repeats a message a million times": {
    answer: (_, response) => response.writeHead(404, json).end(repeatedMessage),
    megabytes: 1,
    expected: { _tag: "UnexpectedResponseError" }
  },
  "sends a million issues": {
    answer: (_, response) => response.writeHead(422, json).end(manyIssues),
    megabytes: 1,
    expected: { _tag: "UnexpectedResponseError" }
  },
  "sends seven million empty objects": {
    answer: (_, response) => response.writeHead(200, json).end(manyValues),
    megabytes: 21,
    expected: { _tag: "UnexpectedResponseError" }
  },
  "redirects without end": {
    answer: ({ url }, response) => response.writeHead(307, { location: `${url ?? ""}/x` }).end(),
    expected: { _tag: "InvalidRequestError", parameter: "siteUrl" }
  },
  "states a longer body than it sends": {
    answer: (_, response) => {
      response.writeHead(200, { ...json, "content-length": "1000" }).write("{\"secrets\":[]}", () => response.destroy())
    },
    expected: { _tag: "NetworkError", reason: "Transport" }
  },
  "states a shorter body than it sends": {
    answer: (request) => void request.socket.end("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n{\"secrets\":[]}"),
    expected: { _tag: "UnexpectedResponseError" }
  },
  "sends what cannot be decompressed": {
    answer: (_, response) => response.writeHead(200, { ...json, "content-encoding": "gzip" }).end("{\"secrets\":[]}"),
    expected: { _tag: "NetworkError", reason: "Transport" }
  }
}

/** How an effect ended, how long it took, and how long it blocked the event loop, in milliseconds. */
const measured = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const started = performance.now()
    const [[exit, took], blocked] = yield* withLongestTurn(
      Effect.map(Effect.exit(effect), (exit) => [exit, performance.now() - started] as const)
    )
    return { exit, took, blocked }
  })

describe("A server that", () => {
  for (const [what, { answer, expected, megabytes = 0 }] of Object.entries(attacks)) {
    // Timeouts are those of real time: the clock of `it.live` runs.
    it.scopedLive(`${what} holds up no call beyond its deadline, and blocks nothing else`, () =>
      Effect.gen(function*() {
        const timeout = megabytes > 0 ? 60_000 : 500
        const siteUrl = yield* listening(answer)
        const calls = megabytes > 0
          ? [Effect.asVoid(list)]
          : [Effect.asVoid(list), Effect.asVoid(create), Effect.asVoid(login)]
        const results = yield* Effect.forEach(
          calls,
          (call) => measured(Effect.provide(call, against(siteUrl, { requestTimeout: timeout }))),
          { concurrency: 3 }
        )
        for (const { blocked, exit, took } of results) {
          assert.isTrue(Exit.isFailure(exit))
          assert.deepInclude(errorOf(exit), expected)
          assert.isBelow(took, timeout + 1500)
          // 50 ms a megabyte, and 250 ms for the server, which is in this process as well.
          assert.isBelow(blocked, 50 * megabytes + 250)
        }
      }))
  }
})

describe("A process that revokes its tokens at the end", () => {
  it.scopedLive("ends within seconds although the server hangs by then", () =>
    Effect.gen(function*() {
      let isHanging = false
      const siteUrl = yield* listening((request, response) => {
        if (isHanging) return
        response.writeHead(200, json).end(
          request.url?.endsWith("/login") === true
            ? JSON.stringify({ accessToken: "token", expiresIn: 3600, accessTokenMaxTTL: 7200, tokenType: "Bearer" })
            : JSON.stringify({ secrets: [] })
        )
      })
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(
        Infisical.layer({
          siteUrl,
          credential: Credential.universalAuth({ clientId: "id", clientSecret: Redacted.make("secret") }),
          projectId: "project",
          revokeOnRelease: true
        }).pipe(Layer.provide(FetchHttpClient.layer)),
        scope
      )
      yield* Effect.provide(Effect.flatMap(Secrets.Secrets, (secrets) => secrets.list()), context)
      isHanging = true
      const started = performance.now()
      yield* Effect.uninterruptible(Scope.close(scope, Exit.void))
      assert.isBelow(performance.now() - started, 7000)
    }))
})
