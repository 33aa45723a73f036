import { FetchHttpClient, HttpClient } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Context, DateTime, Effect, Layer, Logger, LogLevel, Redacted, TestClock } from "effect"
import { Credential, Infisical, type InfisicalConfig, Secrets } from "effect-infisical"
import { Emulator, type World } from "effect-infisical-emulator"
import { inspect } from "node:util"
import { eraOf } from "./support/eras.js"
import { kinds } from "./support/sources.js"

const value = (secret: { readonly value: Redacted.Redacted<string> }) => Redacted.value(secret.value)

const get = (name: string, options?: Secrets.ReadOptions) =>
  Effect.flatMap(Secrets.Secrets, (secrets) => secrets.get(name, options))

for (const source of kinds) {
  const era = eraOf(source)

  describe(`On ${source}`, () => {
    /** A client of the emulator in the context, that fetches only what is read. */
    const client = (options: Partial<InfisicalConfig.Options> = {}, token?: string) =>
      Layer.unwrapEffect(Effect.gen(function*() {
        const emulator = yield* Emulator.Emulator
        return Infisical.layer({
          credential: Credential.serviceToken(yield* emulator.serviceToken(token)),
          siteUrl: emulator.url,
          source,
          retry: { times: 0 },
          refresh: false,
          fallback: false,
          ...options
        }).pipe(Layer.provide(FetchHttpClient.layer))
      }))

    /** Runs with a server that holds this world and a client of it that has not asked yet. */
    const withWorld =
      (world: World.Input, options: Partial<InfisicalConfig.Options> = {}) =>
      <A, E>(effect: Effect.Effect<A, E, Secrets.Secrets | Emulator.Emulator>) =>
        Effect.provide(effect, Layer.provideMerge(client(options), Emulator.layer({ era, ...world })))

    /** The requests for secrets since the last count, without that for the token. */
    const countRequests = Effect.gen(function*() {
      const emulator = yield* Emulator.Emulator
      const requests = yield* emulator.requests
      yield* emulator.resetRequests
      return requests.filter(({ path }) => /^\/api\/v[34]\/secrets/.test(path)).length
    })

    const dev = (folders: Record<string, typeof World.Folder.Encoded>): World.Input => ({
      projects: { main: { folders: { dev: folders } } }
    })

    describe("The cache", () => {
      it.effect("answers every name of a folder from one request until its TTL is over", () =>
        Effect.gen(function*() {
          for (const name of ["A", "B", "C", "A"]) assert.strictEqual(value(yield* get(name)), name.toLowerCase())
          yield* TestClock.adjust("299 seconds")
          const last = yield* get("A")
          assert.strictEqual(last.source, "live")
          assert.strictEqual(yield* countRequests, 1)
          yield* TestClock.adjust("1 second")
          yield* get("A")
          assert.strictEqual(yield* countRequests, 1)
        }).pipe(withWorld({ secrets: { A: "a", B: "b", C: "c" } })))

      it.effect("gives the same object for as long as the answer is the same", () =>
        Effect.gen(function*() {
          const first = yield* get("A")
          assert.isTrue(first === (yield* get("A")))
          assert.isTrue(first === (yield* get("A", { type: "personal" })))
        }).pipe(withWorld({ secrets: { A: "a" } })))

      it.effect("shares one request among a thousand concurrent reads of a cold folder", () =>
        Effect.gen(function*() {
          const names = Array.from({ length: 100 }, (_, index) => `NAME_${index}`)
          const emulator = yield* Emulator.Emulator
          yield* emulator.resetRequests
          yield* Effect.forEach(Array.from({ length: 10 }, () => names).flat(), (name) => get(name), {
            concurrency: "unbounded"
          })
          assert.strictEqual((yield* emulator.requests).length, 2)
        }).pipe(withWorld({
          secrets: Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`NAME_${index}`, `${index}`]))
        })))

      it.effect("takes a value that was changed on the server once the TTL is over", () =>
        Effect.gen(function*() {
          const emulator = yield* Emulator.Emulator
          assert.strictEqual(value(yield* get("A")), "old")
          yield* emulator.setSecret({ name: "A", value: "new" })
          assert.strictEqual(value(yield* get("A")), "old")
          yield* TestClock.adjust("5 minutes")
          assert.strictEqual(value(yield* get("A")), "new")
        }).pipe(withWorld({ secrets: { A: "old" } })))

      it.effect("serves the last answer where the server is gone, says that it is stale, and recovers", () =>
        Effect.gen(function*() {
          const emulator = yield* Emulator.Emulator
          const live = yield* get("A")
          yield* emulator.setAvailable(false)
          yield* TestClock.adjust("5 minutes")
          const stale = yield* get("A")
          assert.strictEqual(value(stale), "a")
          assert.strictEqual(stale.source, "stale")
          assert.deepStrictEqual(stale.fetchedAt, live.fetchedAt)
          yield* emulator.setAvailable(true)
          yield* TestClock.adjust("2 seconds")
          const recovered = yield* get("A")
          assert.strictEqual(recovered.source, "live")
          assert.isTrue(DateTime.greaterThan(recovered.fetchedAt, live.fetchedAt))
        }).pipe(withWorld({ secrets: { A: "a" } })))

      it.effect("does not ask a server that is gone for every read", () =>
        Effect.gen(function*() {
          const emulator = yield* Emulator.Emulator
          yield* get("A")
          yield* emulator.setAvailable(false)
          yield* TestClock.adjust("5 minutes")
          yield* get("A")
          yield* emulator.setAvailable(true)
          yield* countRequests
          for (let read = 0; read < 100; read++) assert.strictEqual((yield* get("A")).source, "stale")
          assert.strictEqual(yield* countRequests, 0)
        }).pipe(withWorld({ secrets: { A: "a" } })))

      it.effect("does not say that a name is missing on the word of a stale answer", () =>
        Effect.gen(function*() {
          const emulator = yield* Emulator.Emulator
          yield* get("A")
          yield* emulator.setAvailable(false)
          yield* TestClock.adjust("5 minutes")
          assert.include(yield* Effect.flip(get("LATER")), { _tag: "NetworkError" })
        }).pipe(withWorld({ secrets: { A: "a" } })))

      it.effect("does not hide a revoked token behind an answer whose TTL is over, and does not offer it again", () =>
        Effect.gen(function*() {
          const emulator = yield* Emulator.Emulator
          yield* get("A")
          yield* emulator.revokeServiceToken()
          yield* TestClock.adjust("5 minutes")
          yield* countRequests
          for (let read = 0; read < 5; read++) {
            assert.include(yield* Effect.flip(get("A")), { _tag: "AuthenticationError" })
          }
          assert.strictEqual(yield* countRequests, 1)
        }).pipe(
          withWorld({ secrets: { A: "a" } }, { fallback: true }),
          Effect.withConfigProvider(ConfigProvider.fromMap(new Map([["A", "from the environment"]])))
        ))

      it.effect("gives what was created, updated and deleted to the next read without asking the server", () =>
        Effect.gen(function*() {
          const secrets = yield* Secrets.Secrets
          yield* get("A")
          yield* secrets.create("B", Redacted.make("b"))
          yield* secrets.update("A", Redacted.make("new"))
          yield* countRequests
          assert.strictEqual(value(yield* get("B")), "b")
          assert.strictEqual(value(yield* get("A")), "new")
          yield* secrets.delete("A")
          yield* countRequests
          assert.include(yield* Effect.flip(get("A")), { _tag: "NotFoundError" })
          assert.deepStrictEqual((yield* secrets.list()).secrets.map(({ name }) => name), ["B"])
          assert.strictEqual(yield* countRequests, 0)
        }).pipe(withWorld({ secrets: { A: "a" } })))

      it.effect("does not take an unchanged ETag for an unchanged folder after a write of its own", () =>
        Effect.gen(function*() {
          const emulator = yield* Emulator.Emulator
          const secrets = yield* Secrets.Secrets
          yield* get("A")
          yield* secrets.create("B", Redacted.make("b"))
          // The server is now as it was when it gave its ETag.
          yield* emulator.removeSecret({ name: "B" })
          yield* TestClock.adjust("5 minutes")
          assert.include(yield* Effect.flip(get("B")), { _tag: "NotFoundError" })
        }).pipe(withWorld({ secrets: { A: "a" } })))

      it.effect("gives a write to every folder that imports the one it was made in", () =>
        Effect.gen(function*() {
          const secrets = yield* Secrets.Secrets
          assert.strictEqual(value(yield* get("A")), "old")
          yield* secrets.update("A", Redacted.make("new"), { secretPath: "/shared" })
          assert.strictEqual(value(yield* get("A")), "new")
        }).pipe(withWorld(dev({
          "/": { imports: [{ environment: "dev", path: "/shared" }] },
          "/shared": { secrets: { A: "old" } }
        }))))

      it.effect("asks anew after a write that may have been carried out although it failed", () =>
        Effect.gen(function*() {
          const emulator = yield* Emulator.Emulator
          const secrets = yield* Secrets.Secrets
          yield* get("A")
          yield* emulator.setAvailable(false)
          const error = yield* Effect.flip(secrets.update("A", Redacted.make("new")))
          assert.include(error, { _tag: "NetworkError", mayHaveBeenApplied: true })
          yield* emulator.setSecret({ name: "A", value: "new" })
          yield* emulator.setAvailable(true)
          assert.strictEqual(value(yield* get("A")), "new")
        }).pipe(withWorld({ secrets: { A: "old" } })))
    })

    describe("A credential", () => {
      it.effect("may be the JSON of a service token v3", () =>
        Effect.gen(function*() {
          const secrets = yield* Secrets.Secrets
          assert.strictEqual(value(yield* get("A")), "a")
          yield* secrets.create("B", Redacted.make("b"))
          assert.strictEqual(value(yield* Effect.provide(get("B"), Layer.fresh(client()))), "b")
        }).pipe(withWorld({ secrets: { A: "a" }, serviceTokens: { main: { version: "v3" } } })))

      it.effect("that has expired is refused as such, once, and remembered", () =>
        Effect.gen(function*() {
          const emulator = yield* Emulator.Emulator
          yield* TestClock.adjust("61 minutes")
          for (let read = 0; read < 3; read++) {
            assert.include(yield* Effect.flip(get("A")), { _tag: "AuthenticationError", reason: "Expired" })
          }
          assert.strictEqual((yield* emulator.requests).length, 1)
        }).pipe(withWorld({ secrets: { A: "a" }, serviceTokens: { main: { ttl: "1 hour" } } })))

      it.effect("is logged in with once, however many locations are read at once", () =>
        Effect.gen(function*() {
          const emulator = yield* Emulator.Emulator
          yield* Effect.forEach(["/", "/a", "/b", "/c"], (secretPath) => Effect.exit(get("A", { secretPath })), {
            concurrency: "unbounded"
          })
          const logins = (yield* emulator.requests).filter(({ path }) => path.startsWith("/api/v2/service-token"))
          assert.strictEqual(logins.length, 1)
        }).pipe(withWorld(dev({ "/": { secrets: { A: "a" } }, "/a": {}, "/b": {}, "/c": {} }))))

      it.effect("never sends its key part", () =>
        Effect.gen(function*() {
          const emulator = yield* Emulator.Emulator
          const sent: Array<string> = []
          const listening = Layer.map(FetchHttpClient.layer, (context) =>
            Context.add(
              context,
              HttpClient.HttpClient,
              HttpClient.mapRequest(Context.get(context, HttpClient.HttpClient), (request) => {
                sent.push(
                  inspect(request, { depth: 10 }),
                  JSON.stringify(request.body),
                  JSON.stringify(request.headers)
                )
                return request
              })
            ))
          const token = yield* emulator.serviceToken()
          yield* Effect.gen(function*() {
            const secrets = yield* Secrets.Secrets
            yield* secrets.get("A")
            yield* secrets.create("B", Redacted.make("b"))
          }).pipe(Effect.provide(
            Infisical.layer({ credential: Credential.serviceToken(token), siteUrl: emulator.url }).pipe(
              Layer.provide(listening)
            )
          ))
          const [, , secret = "", key = ""] = Redacted.value(token).split(".")
          assert.include(sent.join("\n"), secret)
          assert.notInclude(sent.join("\n"), key)
        }).pipe(Effect.provide(Emulator.layer({ era, secrets: { A: "a" } }))))

      it.effect("without write permission may read, and is told which permission a write lacks", () =>
        Effect.gen(function*() {
          const secrets = yield* Secrets.Secrets
          assert.strictEqual(value(yield* get("A")), "a")
          const something = Redacted.make("value")
          assert.include(yield* Effect.flip(secrets.create("B", something)), {
            _tag: "PermissionError",
            action: "create"
          })
          assert.include(yield* Effect.flip(secrets.update("A", something)), {
            _tag: "PermissionError",
            action: "update"
          })
          assert.include(yield* Effect.flip(secrets.delete("A")), { _tag: "PermissionError", action: "delete" })
          assert.strictEqual(value(yield* get("A")), "a")
        }).pipe(withWorld({ secrets: { A: "a" }, serviceTokens: { main: { permissions: ["read"] } } })))
    })

    describe("debug", () => {
      const levels = (options: Partial<InfisicalConfig.Options>) =>
        Effect.gen(function*() {
          const logged: Array<string> = []
          const logger = Logger.make<unknown, void>(({ logLevel }) => void logged.push(logLevel.label))
          yield* get("A").pipe(
            Effect.provide(Layer.provideMerge(client(options), Logger.replace(Logger.defaultLogger, logger))),
            Logger.withMinimumLogLevel(LogLevel.All)
          )
          return logged
        })

      it.effect("raises what is logged at level Debug to level Info", () =>
        Effect.gen(function*() {
          const quiet = yield* levels({})
          assert.include(quiet, "DEBUG")
          assert.notInclude(quiet, "INFO")
          const loud = yield* levels({ debug: true })
          assert.include(loud, "INFO")
          assert.notInclude(loud, "DEBUG")
        }).pipe(Effect.provide(Emulator.layer({ era, secrets: { A: "a" } }))))
    })

    describe("What the legacy client got wrong", () => {
      it.effect("a value of one environment is not served for another", () =>
        Effect.gen(function*() {
          assert.strictEqual(value(yield* get("A", { environment: "dev" })), "in dev")
          assert.strictEqual(value(yield* get("A", { environment: "prod" })), "in prod")
          assert.strictEqual(value(yield* get("A", { environment: "dev" })), "in dev")
          assert.include(yield* Effect.flip(get("A", { environment: "staging" })), { _tag: "NotFoundError" })
        }).pipe(withWorld({
          projects: {
            main: {
              folders: { dev: { "/": { secrets: { A: "in dev" } } }, prod: { "/": { secrets: { A: "in prod" } } } }
            }
          }
        })))

      it.effect("a value of one path is not served for another", () =>
        Effect.gen(function*() {
          assert.strictEqual(value(yield* get("A")), "in root")
          assert.strictEqual(value(yield* get("A", { secretPath: "/folder" })), "in folder")
          assert.include(yield* Effect.flip(get("A", { secretPath: "/other" })), { _tag: "NotFoundError" })
        }).pipe(withWorld(dev({
          "/": { secrets: { A: "in root" } },
          "/folder": { secrets: { A: "in folder" } },
          "/other": {}
        }))))

      it.effect("a value of one project is not served for another", () =>
        Effect.gen(function*() {
          const read = (token: string) => Effect.map(Effect.provide(get("A"), client({}, token)), value)
          assert.strictEqual(yield* read("first"), "in first")
          assert.strictEqual(yield* read("second"), "in second")
        }).pipe(Effect.provide(Emulator.layer({
          era,
          projects: {
            first: { folders: { dev: { "/": { secrets: { A: "in first" } } } } },
            second: { folders: { dev: { "/": { secrets: { A: "in second" } } } } }
          },
          serviceTokens: { first: { project: "first" }, second: { project: "second" } }
        }))))

      it.effect("what a list fetched is what the next get finds, and the other way round", () =>
        Effect.gen(function*() {
          const secrets = yield* Secrets.Secrets
          yield* secrets.list()
          yield* get("A")
          yield* secrets.list()
          assert.strictEqual(yield* countRequests, 1)
        }).pipe(withWorld({ secrets: { A: "a" } })))

      it.effect("a deleted secret is not put into the cache", () =>
        Effect.gen(function*() {
          const secrets = yield* Secrets.Secrets
          yield* get("A")
          yield* secrets.delete("A")
          assert.include(yield* Effect.flip(get("A")), { _tag: "NotFoundError" })
        }).pipe(withWorld({ secrets: { A: "a" } })))

      it.effect("an import does not override the folder's own secret, and the last import wins over the others", () =>
        Effect.gen(function*() {
          const secrets = yield* Secrets.Secrets
          assert.strictEqual(value(yield* get("OWN")), "own")
          assert.strictEqual(value(yield* get("CLASH")), "from second")
          const list = yield* secrets.list()
          assert.deepStrictEqual(
            Object.fromEntries(list.secrets.map((secret) => [secret.name, value(secret)])),
            { OWN: "own", CLASH: "from second", FIRST: "first", SECOND: "second" }
          )
        }).pipe(withWorld(dev({
          "/": {
            secrets: { OWN: "own" },
            imports: [{ environment: "dev", path: "/first" }, { environment: "dev", path: "/second" }]
          },
          "/first": { secrets: { OWN: "imported", CLASH: "from first", FIRST: "first" } },
          "/second": { secrets: { OWN: "imported", CLASH: "from second", SECOND: "second" } }
        }))))

      it.effect("names are encoded in the URL", () =>
        Effect.gen(function*() {
          const secrets = yield* Secrets.Secrets
          // Servers with v4 refuse a slash in the name of a new secret.
          const name = source === "v4" ? "A B?C#D%2F" : "A/B?C#D%2F"
          yield* secrets.create(name, Redacted.make("value"))
          yield* secrets.update(name, Redacted.make("new"))
          assert.strictEqual(value(yield* Effect.provide(get(name), Layer.fresh(client()))), "new")
        }).pipe(withWorld({})))

      it.effect("a list without imports works, and has none", () =>
        Effect.gen(function*() {
          const secrets = yield* Secrets.Secrets
          const names = (includeImports: boolean) =>
            Effect.map(secrets.list({ includeImports }), (list) => list.secrets.map(({ name }) => name))
          assert.deepStrictEqual(yield* names(false), ["OWN"])
          assert.deepStrictEqual(yield* names(true), ["OWN", "IMPORTED"])
          assert.include(yield* Effect.flip(get("IMPORTED", { includeImports: false })), { _tag: "NotFoundError" })
        }).pipe(withWorld(dev({
          "/": { secrets: { OWN: "own" }, imports: [{ environment: "dev", path: "/shared" }] },
          "/shared": { secrets: { IMPORTED: "imported" } }
        }))))

      it.effect("a failed write fails, whatever the environment holds", () =>
        Effect.gen(function*() {
          const emulator = yield* Emulator.Emulator
          const secrets = yield* Secrets.Secrets
          yield* emulator.setAvailable(false)
          for (
            const write of [
              secrets.create("A", Redacted.make("new")),
              secrets.update("A", Redacted.make("new")),
              secrets.delete("A")
            ]
          ) {
            assert.include(yield* Effect.flip(write), { _tag: "NetworkError" })
          }
        }).pipe(
          withWorld({ secrets: { A: "a" } }, { fallback: true }),
          Effect.withConfigProvider(ConfigProvider.fromMap(new Map([["A", "from the environment"]])))
        ))

      it.effect("a failed read fails with what went wrong", () =>
        Effect.gen(function*() {
          const emulator = yield* Emulator.Emulator
          yield* emulator.setAvailable(false)
          assert.include(yield* Effect.flip(get("A")), { _tag: "NetworkError", reason: "Transport" })
          const secrets = yield* Secrets.Secrets
          assert.include(yield* Effect.flip(secrets.list()), { _tag: "NetworkError", reason: "Transport" })
        }).pipe(withWorld({ secrets: { A: "a" } })))
    })
  })
}
