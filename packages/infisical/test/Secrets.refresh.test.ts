import { assert, describe, it } from "@effect/vitest"
import {
  Array as Arr,
  ConfigProvider,
  Context,
  Effect,
  Exit,
  Layer,
  Logger,
  Metric,
  Option,
  Schedule,
  Scope,
  Tracer
} from "effect"
import { SecretMetrics, Secrets } from "effect-infisical"
import { get, numbered, on, Simulation, value } from "./Simulation.js"
import { kinds } from "./support/sources.js"

/** Every three minutes, without jitter, for a TTL of five. */
const every3Minutes = { refresh: Schedule.spaced("3 minutes") }

const unavailable = () => new Response("down", { status: 503 })
const limited = () =>
  new Response(JSON.stringify({ statusCode: 429, error: "Too Many Requests", message: "Rate limit exceeded" }), {
    status: 429,
    headers: { "retry-after": "600" }
  })

const minutes = (requests: ReadonlyArray<{ readonly at: number; readonly status: number }>) =>
  requests.map(({ at, status }) => [at / 60, status])

for (const source of kinds) {
  const { client, layer, run } = on(source)

  describe(`On ${source}`, () => {
    describe("The refresh", () => {
      it.effect("fetches what is in use before it goes stale, conditionally, so that no read waits", () =>
        Effect.gen(function*() {
          const { advance, takeRequests } = yield* Simulation
          yield* get("NAME_0")
          yield* takeRequests
          for (let minute = 0; minute < 60; minute++) {
            yield* advance("1 minutes")
            assert.strictEqual((yield* get("NAME_0")).source, "live")
          }
          const requests = yield* takeRequests
          assert.deepStrictEqual(minutes(requests), Array.from({ length: 20 }, (_, index) => [3 + 3 * index, 304]))
          assert.isTrue(requests.every(({ conditional }) => conditional))
        }).pipe(run({ secrets: numbered(1) }, every3Minutes)))

      it.effect("has a schedule by default that keeps every answer live, and that varies", () =>
        Effect.gen(function*() {
          const { advance, takeRequests } = yield* Simulation
          yield* get("NAME_0")
          for (let second = 0; second < 3600; second += 10) {
            yield* advance("10 seconds")
            assert.strictEqual((yield* get("NAME_0")).source, "live")
          }
          const times = (yield* takeRequests).map(({ at }) => at)
          const pauses = times.slice(1).map((time, index) => time - (times[index] ?? 0))
          for (const pause of pauses) {
            assert.isAtLeast(pause, 180)
            assert.isAtMost(pause, 235)
          }
          assert.isAbove(new Set(pauses).size, 3)
        }).pipe(run({ secrets: numbered(1) })))

      it.effect("can be switched off; then only reads fetch", () =>
        Effect.gen(function*() {
          const { advance, takeRequests } = yield* Simulation
          yield* get("NAME_0")
          yield* advance("1 hour")
          assert.strictEqual((yield* takeRequests).length, 1)
          yield* get("NAME_0")
          assert.strictEqual((yield* takeRequests).length, 1)
        }).pipe(run({ secrets: numbered(1) }, { refresh: false })))

      it.effect("is none where no answer is kept: each read fetches, and nothing else does", () =>
        Effect.gen(function*() {
          const { advance, takeRequests } = yield* Simulation
          yield* get("NAME_0")
          yield* get("NAME_0")
          yield* advance("1 hour")
          assert.strictEqual((yield* takeRequests).length, 2)
        }).pipe(run({ secrets: numbered(1) }, { cacheTtl: 0 })))

      it.effect("drops what nobody has read for long, and takes it up again with the next read", () =>
        Effect.gen(function*() {
          const { advance, takeRequests } = yield* Simulation
          yield* get("NAME_0")
          yield* advance("30 minutes", "1 minutes")
          const dropped = (yield* takeRequests).at(-1)?.at ?? 0
          assert.isAtMost(dropped, 15 * 60)
          yield* get("NAME_0")
          yield* advance("3 minutes")
          assert.deepStrictEqual(minutes(yield* takeRequests), [[30, 200], [33, 304]])
        }).pipe(run({ secrets: numbered(1) }, { ...every3Minutes, idleTtl: "12 minutes" })))

      it.effect("keeps what is not read any more as long as the server is gone, and evicts it afterwards", () =>
        Effect.gen(function*() {
          const { advance, setFault, takeRequests } = yield* Simulation
          yield* get("NAME_0")
          yield* setFault(() => "unreachable")
          yield* advance("3 hours")
          assert.strictEqual((yield* get("NAME_0")).source, "stale")
          yield* advance("3 hours")
          yield* setFault(() => undefined)
          yield* advance("1 hour")
          yield* takeRequests
          yield* advance("1 hour")
          assert.deepStrictEqual(yield* takeRequests, [])
        }).pipe(run({ secrets: numbered(1) }, { ...every3Minutes, idleTtl: "12 minutes" })))

      it.effect("ends with its scope", () =>
        Effect.gen(function*() {
          const { advance, takeRequests } = yield* Simulation
          const scope = yield* Scope.make()
          const context = yield* Layer.buildWithScope(client(every3Minutes), scope)
          yield* Effect.provide(get("NAME_0"), context)
          yield* advance("3 minutes")
          assert.strictEqual((yield* takeRequests).length, 2)
          yield* Scope.close(scope, Exit.void)
          yield* advance("1 hour", "1 minutes")
          assert.deepStrictEqual(yield* takeRequests, [])
        }).pipe(Effect.provide(layer({ secrets: numbered(1) }))))

      it.effect("waits for as long as a rate limit asks, and recovers by itself", () =>
        Effect.gen(function*() {
          const { advance, setFault, takeRequests } = yield* Simulation
          yield* get("NAME_0")
          yield* takeRequests
          yield* setFault(limited)
          yield* advance("12 minutes", "1 minutes")
          assert.deepStrictEqual(minutes(yield* takeRequests), [[3, 429]])
          assert.strictEqual((yield* get("NAME_0")).source, "stale")
          yield* setFault(() => undefined)
          yield* advance("2 minutes", "1 minutes")
          assert.deepStrictEqual(minutes(yield* takeRequests), [[13, 304]])
          assert.strictEqual((yield* get("NAME_0")).source, "live")
        }).pipe(run({ secrets: numbered(1) }, every3Minutes)))

      it.effect("leaves the last tenth of a rate limit to reads that somebody waits for", () =>
        Effect.gen(function*() {
          const { advance, setFault, takeRequests } = yield* Simulation
          const secrets = yield* Secrets.Secrets
          yield* get("NAME_0")
          yield* takeRequests
          let first = true
          yield* setFault((path) => {
            if (!/^\/api\/v[34]\/secrets/.test(path) || !first) return undefined
            first = false
            return new Response(JSON.stringify({ secrets: [] }), {
              headers: { "x-ratelimit-limit": "60", "x-ratelimit-remaining": "6", "x-ratelimit-reset": "250" }
            })
          })
          yield* secrets.refresh()
          yield* advance("4 minutes", "10 seconds")
          assert.deepStrictEqual(minutes(yield* takeRequests), [[0, 200]])
          yield* Effect.exit(get("A", { environment: "prod" }))
          assert.deepStrictEqual(minutes(yield* takeRequests), [[4, 200]])
          yield* advance("10 seconds")
          assert.deepStrictEqual(minutes(yield* takeRequests), [[250 / 60, 200]])
        }).pipe(run({ secrets: numbered(1) }, every3Minutes)))

      it.effect("does not let a revoked token pass for longer than until the next fetch, which is due within the TTL", () =>
        Effect.gen(function*() {
          const { advance, emulator, takeRequests } = yield* Simulation
          yield* get("NAME_0")
          yield* emulator.revokeServiceToken()
          yield* advance("2 minutes")
          assert.strictEqual((yield* get("NAME_0")).source, "live")
          yield* advance("1 minutes")
          assert.include(yield* Effect.flip(get("NAME_0")), { _tag: "AuthenticationError" })
          yield* takeRequests
          yield* advance("1 hour", "1 minutes")
          assert.deepStrictEqual(yield* takeRequests, [])
          // A token that was refused is offered again after a pause, so that a mistaken refusal heals.
          for (let read = 0; read < 5; read++) {
            assert.include(yield* Effect.flip(get("NAME_0")), { _tag: "AuthenticationError" })
          }
          assert.strictEqual((yield* takeRequests).length, 1)
        }).pipe(
          run({ secrets: numbered(1) }, { ...every3Minutes, fallback: true }),
          Effect.withConfigProvider(ConfigProvider.fromMap(new Map([["NAME_0", "from the environment"]])))
        ))

      it.effect("serves stale answers up to maxStale, and then says what is wrong", () =>
        Effect.gen(function*() {
          const { advance, setFault } = yield* Simulation
          yield* get("NAME_0")
          yield* setFault(() => "unreachable")
          yield* advance("20 minutes", "1 minutes")
          const stale = yield* get("NAME_0")
          assert.strictEqual(stale.source, "stale")
          assert.strictEqual(value(stale), "value 0")
          yield* advance("1 minutes")
          assert.include(yield* Effect.flip(get("NAME_0")), { _tag: "NetworkError" })
          yield* setFault(() => undefined)
          yield* advance("2 minutes", "30 seconds")
          assert.strictEqual((yield* get("NAME_0")).source, "live")
        }).pipe(run({ secrets: numbered(1) }, { ...every3Minutes, maxStale: "20 minutes" })))

      it.effect("is done at once for one location or for all where it is asked for, and tells its failures", () =>
        Effect.gen(function*() {
          const { emulator, setFault, takeRequests } = yield* Simulation
          const secrets = yield* Secrets.Secrets
          yield* get("NAME_0")
          yield* Effect.exit(get("A", { environment: "prod" }))
          yield* takeRequests
          yield* emulator.setSecret({ name: "NAME_0", value: "new" })
          yield* secrets.refresh({ environment: "dev" })
          assert.strictEqual(value(yield* get("NAME_0")), "new")
          assert.strictEqual((yield* takeRequests).length, 1)
          yield* secrets.refresh()
          assert.strictEqual((yield* takeRequests).length, 2)
          yield* setFault(unavailable)
          assert.include(yield* Effect.flip(secrets.refresh()), { _tag: "NetworkError", status: 503 })
          assert.include(yield* Effect.flip(secrets.refresh({ environment: "dev" })), {
            _tag: "NetworkError",
            status: 503
          })
          assert.strictEqual((yield* get("NAME_0")).source, "live")
        }).pipe(run({ secrets: numbered(1) }, every3Minutes)))

      it.effect("tries again by itself what a read found to be unreachable, however late its schedule comes", () =>
        Effect.gen(function*() {
          const { advance, emulator, setFault } = yield* Simulation
          yield* get("NAME_0")
          yield* setFault(() => "unreachable")
          yield* advance("301 seconds")
          assert.strictEqual((yield* get("NAME_0")).source, "stale")
          yield* setFault(() => undefined)
          yield* emulator.setSecret({ name: "NAME_0", value: "rotated" })
          yield* advance("2 seconds")
          const secret = yield* get("NAME_0")
          assert.strictEqual(value(secret), "rotated")
          assert.strictEqual(secret.source, "live")
        }).pipe(run({ secrets: numbered(1) }, { refresh: Schedule.spaced("1 hour") })))

      it.effect("takes a redirect for a server that cannot be reached: it says nothing of the secrets", () =>
        Effect.gen(function*() {
          const { advance, setFault } = yield* Simulation
          yield* get("NAME_0")
          yield* setFault(() => new Response("", { status: 302, headers: { location: "https://login.example/" } }))
          yield* advance("6 minutes", "30 seconds")
          const secret = yield* get("NAME_0")
          assert.strictEqual(value(secret), "value 0")
          assert.strictEqual(secret.source, "stale")
        }).pipe(run({ secrets: numbered(1) }, every3Minutes)))

      it.effect("has neither the span nor the annotations of the caller that was the first to read", () =>
        Effect.gen(function*() {
          const { context, span } = yield* Effect.tracer
          const request = span("GET /orders", Option.none(), Context.empty(), [], 0n, "server")
          const roots = new Set<string>()
          const linked = new Set<string>()
          const tracer = Tracer.make({
            context,
            span: (name, parent, context, links, ...rest) => {
              if (Option.isNone(parent)) roots.add(name)
              else if (parent.value === request) roots.add(`${name} in the request`)
              if (links.some(({ span }) => span === request)) linked.add(name)
              return span(name, parent, context, links, ...rest)
            }
          })
          const annotations: Array<unknown> = []
          const logger = Logger.make(({ annotations: given }) => void annotations.push(Object.fromEntries(given)))
          yield* Effect.gen(function*() {
            const { advance, setFault } = yield* Simulation
            yield* get("NAME_0").pipe(Effect.withParentSpan(request), Effect.annotateLogs({ requestId: "first" }))
            assert.include([...roots], "SecretCache.refresh")
            assert.isEmpty([...roots].filter((name) => name.endsWith("in the request")))
            assert.include([...linked], "SecretCache.refresh")
            roots.clear()
            linked.clear()
            yield* setFault(() => "unreachable")
            yield* advance("6 minutes", "1 minutes")
            assert.deepStrictEqual([...roots], ["SecretCache.refresh"])
            assert.deepStrictEqual([...linked], [])
            assert.deepStrictEqual(annotations, [{}])
          }).pipe(
            run({ secrets: numbered(1) }, every3Minutes),
            Effect.withTracer(tracer),
            Effect.provide(Logger.add(logger))
          )
        }))

      it.effect("warns once when the server is gone, and says once when it is back", () =>
        Effect.gen(function*() {
          const { advance, setFault } = yield* Simulation
          yield* get("NAME_0")
          yield* setFault(() => "unreachable")
          yield* advance("2 hours", "1 minutes")
          yield* setFault(() => undefined)
          yield* advance("10 minutes", "1 minutes")
        }).pipe(
          run({ secrets: numbered(1) }, { ...every3Minutes, idleTtl: "1 day" }),
          (effect) =>
            Effect.gen(function*() {
              const logged: Array<string> = []
              const logger = Logger.make<unknown, void>(({ logLevel, message }) =>
                void logged.push(`${logLevel.label} ${String(message)}`)
              )
              yield* Effect.provide(effect, Logger.add(logger))
              assert.deepStrictEqual(logged.map((line) => line.split(" ")[0]), ["WARN", "INFO"])
              assert.include(logged[0], "dev:/")
            })
        ))

      it.effect("counts hits, misses, stale answers, refreshes and failures, and the age of the oldest snapshot", () =>
        Effect.gen(function*() {
          const { advance, setFault } = yield* Simulation
          const counts = Effect.all({
            hits: Metric.value(SecretMetrics.hits),
            misses: Metric.value(SecretMetrics.misses),
            stale: Metric.value(SecretMetrics.stale),
            refreshes: Metric.value(SecretMetrics.refreshes)
          })
          const before = yield* counts
          yield* get("NAME_0")
          yield* Effect.repeatN(get("NAME_0"), 9)
          yield* setFault(() => "unreachable")
          yield* advance("6 minutes", "1 minutes")
          yield* get("NAME_0")
          const after = yield* counts
          assert.strictEqual(after.hits.count - before.hits.count, 10)
          assert.strictEqual(after.misses.count - before.misses.count, 1)
          assert.strictEqual(after.stale.count - before.stale.count, 1)
          assert.isAbove(after.refreshes.count - before.refreshes.count, 3)
          const failures = yield* Metric.value(Metric.tagged(SecretMetrics.refreshFailures, "error", "NetworkError"))
          assert.isAbove(failures.count, 2)
          assert.isAtLeast((yield* Metric.value(SecretMetrics.oldestSnapshotAge)).value, 180)
        }).pipe(run({ secrets: numbered(1) }, every3Minutes)))
    })

    describe("A day", () => {
      // The cache is the same on every source, and a simulated day takes long.
      it.effect.runIf(source === "v4")(
        "with an outage, a rate limit and a rotation in it has exactly these requests, and serves these values",
        () =>
          Effect.gen(function*() {
            const { advance, emulator, setFault, takeRequests } = yield* Simulation
            const served: Array<string> = []
            const read = Effect.map(get("PASSWORD"), (secret) => void served.push(`${value(secret)} ${secret.source}`))
            /** Reads once a minute for some hours; gives the requests by status, and what was served, without repetition. */
            const live = (hours: number) =>
              Effect.gen(function*() {
                served.length = 0
                for (let minute = 0; minute < hours * 60; minute++) {
                  yield* advance("1 minutes")
                  yield* read
                }
                const requests = yield* takeRequests
                return {
                  requests: Object.entries(Arr.groupBy(requests, ({ status }) => String(status))).map(([status, all]) =>
                    [Number(status), all.length] as const
                  ),
                  first: requests[0]?.at,
                  served: served.filter((one, index) => one !== served[index - 1])
                }
              })

            yield* read
            assert.strictEqual((yield* takeRequests).length, 1)

            // Eight quiet hours: one conditional request every three minutes.
            assert.deepStrictEqual(yield* live(8), { requests: [[304, 160]], first: 180, served: ["old live"] })

            // A rotation, found by the next refresh.
            yield* emulator.setSecret({ name: "PASSWORD", value: "new" })
            assert.deepStrictEqual(yield* live(1), {
              requests: [[200, 1], [304, 19]],
              first: 8 * 3600 + 180,
              served: ["old live", "new live"]
            })

            // Four hours without a server: pauses of 1, 2, 4, 8, 16, 32 and then 60 seconds, each varied by a fifth.
            yield* setFault(() => "unreachable")
            const outage = yield* live(4)
            assert.deepStrictEqual(outage.served, ["new live", "new stale"])
            const failures = outage.requests.find(([status]) => status === 0)?.[1] ?? 0
            assert.isAtLeast(failures, 200)
            assert.isAtMost(failures, 300)

            // It is back, with a value that was rotated meanwhile, and is found within a minute and a bit.
            yield* emulator.setSecret({ name: "PASSWORD", value: "newest" })
            yield* setFault(() => undefined)
            const back = yield* live(1)
            assert.deepStrictEqual(back.served.slice(-1), ["newest live"])
            assert.deepStrictEqual(back.requests.filter(([status]) => status === 200), [[200, 1]])
            assert.isAtMost((back.first ?? 0) - 13 * 3600, 72)

            // Two hours of a rate limit that asks for ten minutes each time.
            yield* setFault(limited)
            const limit = yield* live(2)
            assert.deepStrictEqual(limit.served, ["newest live", "newest stale"])
            const asked = limit.requests.find(([status]) => status === 429)?.[1] ?? 0
            assert.isAtLeast(asked, 11)
            assert.isAtMost(asked, 12)

            // And the rest of the day.
            yield* setFault(() => undefined)
            const rest = yield* live(8)
            assert.deepStrictEqual(rest.served.slice(-1), ["newest live"])
            assert.deepStrictEqual(rest.requests.map(([status]) => status), [304])
          }).pipe(run({ secrets: { PASSWORD: "old" } }, every3Minutes))
      )
    })

    describe("The server gone at start", () => {
      it.effect("leaves the environment to answer, which says so, or an honest failure", () =>
        Effect.gen(function*() {
          const { setFault } = yield* Simulation
          yield* setFault(() => "unreachable")
          const secret = yield* get("NAME_0")
          assert.strictEqual(value(secret), "from the environment")
          assert.strictEqual(secret.source, "fallback")
          assert.include(yield* Effect.flip(get("OTHER")), { _tag: "NetworkError" })
        }).pipe(
          run({ secrets: numbered(1) }, { fallback: true }),
          Effect.withConfigProvider(ConfigProvider.fromMap(new Map([["NAME_0", "from the environment"]])))
        ))

      it.effect("is recovered from without anybody asking", () =>
        Effect.gen(function*() {
          const { advance, setFault } = yield* Simulation
          yield* setFault(() => "unreachable")
          yield* Effect.flip(get("NAME_0"))
          yield* setFault(() => undefined)
          yield* advance("2 seconds")
          const secret = yield* get("NAME_0")
          assert.strictEqual(value(secret), "value 0")
          assert.strictEqual(secret.source, "live")
        }).pipe(run({ secrets: numbered(1) })))
    })
  })
}
