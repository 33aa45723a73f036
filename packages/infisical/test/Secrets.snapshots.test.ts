import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Deferred, Effect, Exit, Fiber, Redacted } from "effect"
import { Secrets } from "effect-infisical"
import { get, numbered, on, Simulation, value } from "./Simulation.js"
import { kinds } from "./support/sources.js"

const folders = (paths: ReadonlyArray<string>, secrets = 100) => ({
  projects: {
    main: { folders: { dev: Object.fromEntries(paths.map((path) => [path, { secrets: numbered(secrets) }])) } }
  }
})

for (const source of kinds) {
  const isEndToEndEncrypted = source === "end-to-end-encrypted"
  const { run } = on(source)

  describe(`On ${source}`, () => {
    describe("A snapshot", () => {
      for (const [paths, requests] of [[["/"], 2], [["/a", "/b", "/c", "/d", "/e"], 6]] as const) {
        it.effect(`serves a thousand concurrent gets of 100 names in ${paths.length} cold folders with ${requests} requests`, () =>
          Effect.gen(function*() {
            const { emulator } = yield* Simulation
            yield* emulator.resetRequests
            const reads = Array.from({ length: 1000 }, (_, index) => ({
              name: `NAME_${index % 100}`,
              secretPath: paths[index % paths.length] ?? "/"
            }))
            yield* Effect.forEach(reads, ({ name, secretPath }) => get(name, { secretPath }), {
              concurrency: "unbounded"
            })
            assert.strictEqual((yield* emulator.requests).length, requests)
          }).pipe(run(folders(paths))))
      }

      it.effect.runIf(isEndToEndEncrypted)(
        "decrypts names when it arrives, and a value at its first use, once",
        () =>
          Effect.gen(function*() {
            const { takeDecryptions } = yield* Simulation
            yield* get("NAME_0")
            assert.strictEqual(yield* takeDecryptions, 101)
            yield* Effect.all([get("NAME_0"), get("NAME_0"), get("NAME_1"), get("NAME_1")], {
              concurrency: "unbounded"
            })
            assert.strictEqual(yield* takeDecryptions, 1)
          }).pipe(run({ secrets: numbered(100) }))
      )

      it.effect("is confirmed by the server without being decrypted again", () =>
        Effect.gen(function*() {
          const { advance, takeDecryptions, takeRequests } = yield* Simulation
          const secrets = yield* Secrets.Secrets
          const before = yield* secrets.list()
          yield* takeRequests
          yield* takeDecryptions
          yield* advance("5 minutes", "5 seconds")
          const after = yield* secrets.list()
          assert.deepStrictEqual(
            (yield* takeRequests).map(({ conditional, status }) => ({ conditional, status })),
            [{ conditional: true, status: 304 }]
          )
          assert.strictEqual(yield* takeDecryptions, 0)
          assert.deepStrictEqual(after.secrets.map(value), before.secrets.map(value))
          assert.notDeepEqual(after.fetchedAt, before.fetchedAt)
        }).pipe(run({ secrets: numbered(100) })))

      it.effect.runIf(isEndToEndEncrypted)(
        "decrypts only what is new in an answer that differs a little from the last",
        () =>
          Effect.gen(function*() {
            const { advance, emulator, takeDecryptions } = yield* Simulation
            const secrets = yield* Secrets.Secrets
            yield* secrets.list()
            yield* takeDecryptions
            yield* emulator.setSecret({ name: "NAME_7", value: "new" })
            yield* advance("5 minutes")
            const list = yield* secrets.list()
            assert.strictEqual(yield* takeDecryptions, 2)
            assert.strictEqual(list.secrets.length, 100)
            assert.strictEqual(value(yield* get("NAME_7")), "new")
          }).pipe(run({ secrets: numbered(100) }))
      )

      it.effect("goes on arriving for the others when the one who asked first is interrupted", () =>
        Effect.gen(function*() {
          const { takeRequests } = yield* Simulation
          const first = yield* Effect.fork(get("NAME_0"))
          const second = yield* Effect.fork(get("NAME_0"))
          yield* Effect.repeatN(Effect.yieldNow(), 10)
          assert.isTrue(Exit.isInterrupted(yield* Fiber.interrupt(first)))
          assert.strictEqual(value(yield* Fiber.join(second)), "value 0")
          assert.strictEqual((yield* takeRequests).length, 1)
        }).pipe(run({ secrets: numbered(1) })))
    })

    describe("A name that a fresh snapshot lacks", () => {
      it.effect("is missing without another request for ten seconds, and then is looked up again conditionally", () =>
        Effect.gen(function*() {
          const { advance, takeRequests } = yield* Simulation
          const missing = Effect.flip(get("LATER"))
          for (let read = 0; read < 10; read++) assert.include(yield* missing, { _tag: "NotFoundError" })
          assert.strictEqual((yield* takeRequests).length, 1)
          yield* advance("9 seconds")
          yield* missing
          assert.deepStrictEqual(yield* takeRequests, [])
          yield* advance("1 seconds")
          for (let read = 0; read < 10; read++) yield* missing
          const again = yield* takeRequests
          assert.deepStrictEqual(again.map(({ conditional, status }) => ({ conditional, status })), [
            { conditional: true, status: 304 }
          ])
        }).pipe(run({ secrets: numbered(1) })))

      it.effect("is found once it was created behind our back", () =>
        Effect.gen(function*() {
          const { advance, emulator } = yield* Simulation
          yield* Effect.flip(get("LATER"))
          yield* emulator.setSecret({ name: "LATER", value: "here" })
          assert.include(yield* Effect.flip(get("LATER")), { _tag: "NotFoundError" })
          yield* advance("10 seconds")
          assert.strictEqual(value(yield* get("LATER")), "here")
        }).pipe(run({ secrets: numbered(1) })))

      it.effect("stays missing on the word of a fresh snapshot while the server is gone", () =>
        Effect.gen(function*() {
          const { advance, setFault } = yield* Simulation
          yield* get("NAME_0")
          yield* setFault(() => "unreachable")
          yield* advance("30 seconds")
          assert.include(yield* Effect.flip(get("LATER")), { _tag: "NotFoundError" })
          assert.strictEqual((yield* get("NAME_0")).source, "live")
        }).pipe(run({ secrets: numbered(1) })))
    })

    describe("A name that is missing", () => {
      it.effect("is not asked for again while a rate limit wants us to wait", () =>
        Effect.gen(function*() {
          const { advance, setFault, takeRequests } = yield* Simulation
          yield* get("NAME_0")
          yield* setFault(() => new Response("", { status: 429, headers: { "retry-after": "600" } }))
          yield* advance("11 seconds")
          yield* takeRequests
          yield* Effect.repeatN(Effect.exit(get("MISSING")), 19)
          assert.deepStrictEqual((yield* takeRequests).map(({ status }) => status), [429])
        }).pipe(run({ secrets: numbered(1) })))
    })

    describe("A write", () => {
      it.effect("that ends while a fetch is under way is not undone by that fetch's older answer", () =>
        Effect.gen(function*() {
          const { holdAnswers, takeRequests } = yield* Simulation
          const secrets = yield* Secrets.Secrets
          yield* get("NAME_0")
          const afterTheWrite = yield* Deferred.make<void>()
          yield* holdAnswers(Deferred.await(afterTheWrite))
          const refreshing = yield* Effect.fork(secrets.refresh())
          yield* Effect.repeat(takeRequests, { until: (requests) => requests.some(({ status }) => status === 304) })
          yield* secrets.update("NAME_0", Redacted.make("new"))
          yield* Deferred.succeed(afterTheWrite, undefined)
          yield* holdAnswers(Effect.void)
          yield* Fiber.join(refreshing)
          assert.strictEqual(value(yield* get("NAME_0")), "new")
        }).pipe(run({ secrets: numbered(1) })))
    })

    describe("A write that fails", () => {
      it.effect("or is interrupted has its folder asked for anew, since it may have been carried out", () =>
        Effect.gen(function*() {
          const { holdAnswers, settle, takeRequests } = yield* Simulation
          const secrets = yield* Secrets.Secrets
          yield* get("NAME_0")
          yield* takeRequests
          yield* holdAnswers(Effect.never, "PATCH")
          const updating = yield* Effect.fork(secrets.update("NAME_0", Redacted.make("new")))
          yield* settle
          assert.isAbove((yield* takeRequests).length, 0)
          yield* Fiber.interrupt(updating)
          assert.strictEqual(value(yield* get("NAME_0")), "new")
        }).pipe(run({ secrets: numbered(1) })))

      it.effect("because the name is taken or gone has its folder asked for anew", () =>
        Effect.gen(function*() {
          const { emulator } = yield* Simulation
          const secrets = yield* Secrets.Secrets
          yield* get("NAME_0")
          yield* emulator.setSecret({ name: "LATER", value: "theirs" })
          yield* emulator.removeSecret({ name: "NAME_0" })
          assert.include(yield* Effect.flip(secrets.create("LATER", Redacted.make("ours"))), {
            _tag: "AlreadyExistsError"
          })
          assert.strictEqual(value(yield* get("LATER")), "theirs")
          yield* emulator.removeSecret({ name: "LATER" })
          assert.include(yield* Effect.flip(secrets.delete("LATER")), { _tag: "NotFoundError" })
          assert.include(yield* Effect.flip(get("LATER")), { _tag: "NotFoundError" })
        }).pipe(run({ secrets: numbered(1) })))

      it.effect("because of what a comment has in it is refused before any request", () =>
        Effect.gen(function*() {
          const { takeRequests } = yield* Simulation
          const secrets = yield* Secrets.Secrets
          const error = yield* Effect.flip(secrets.create("A", Redacted.make("a"), { comment: "half \ud83d a pair" }))
          assert.include(error, { _tag: "InvalidRequestError", parameter: "comment" })
          assert.deepStrictEqual(yield* takeRequests, [])
        }).pipe(run({})))
    })

    describe("A read that is refused", () => {
      it.effect("is not asked again by every read, but is after ten seconds", () =>
        Effect.gen(function*() {
          const { advance, takeRequests } = yield* Simulation
          // Where the server decrypts, a credential may be one that lists names only, or that reads by name what it may not list.
          const requests = isEndToEndEncrypted ? 1 : 3
          for (let read = 0; read < 10; read++) {
            assert.include(yield* Effect.flip(get("A", { environment: "prod" })), { _tag: "PermissionError" })
          }
          assert.strictEqual((yield* takeRequests).length, requests)
          yield* advance("10 seconds")
          yield* Effect.flip(get("A", { environment: "prod" }))
          assert.strictEqual((yield* takeRequests).length, requests)
        }).pipe(run({ serviceTokens: { main: { scopes: [{ environment: "dev", secretPath: "/**" }] } } })))

      it.effect("by a proxy leaves the last answer in service", () =>
        Effect.gen(function*() {
          const { advance, setFault } = yield* Simulation
          yield* get("NAME_0")
          for (const status of [401, 403, 404]) {
            yield* setFault(() => new Response("<html>no</html>", { status }))
            yield* advance("10 minutes", "1 minutes")
            assert.include(yield* get("NAME_0"), { source: "stale" })
            yield* setFault(() => undefined)
            yield* advance("2 minutes", "30 seconds")
            assert.include(yield* get("NAME_0"), { source: "live" })
          }
        }).pipe(run({ secrets: numbered(1) })))
    })

    describe("A secret whose name cannot be decrypted", () => {
      it.effect.runIf(isEndToEndEncrypted)(
        "is not taken for one that is not there, and hurts no other",
        () =>
          Effect.gen(function*() {
            const { advance, setFault } = yield* Simulation
            yield* get("NAME_0")
            const sealed = { Ciphertext: "AAAA", IV: "AAAAAAAAAAAAAAAAAAAAAA==", Tag: "AAAAAAAAAAAAAAAAAAAAAA==" }
            const fields = ["secretKey", "secretValue"].flatMap((field) =>
              Object.entries(sealed).map(([part, text]) => [`${field}${part}`, text])
            )
            const row = { id: "row-1", version: 1, type: "shared", ...Object.fromEntries(fields) }
            yield* setFault(() => new Response(JSON.stringify({ secrets: [row] })))
            yield* advance("5 minutes")
            const error = yield* Effect.flip(get("NAME_0"))
            assert.include(error, { _tag: "DecryptError", subject: "secret name", secretId: "row-1" })
            const secrets = yield* Secrets.Secrets
            assert.strictEqual((yield* secrets.list()).undecryptable.length, 1)
          }).pipe(
            run({ secrets: numbered(1) }, { fallback: true }),
            Effect.withConfigProvider(ConfigProvider.fromMap(new Map([["NAME_0", "from the environment"]])))
          )
      )
    })

    describe("Options", () => {
      it.effect("that are undefined are as good as none", () =>
        Effect.gen(function*() {
          const options = { environment: "dev", secretPath: undefined, includeImports: undefined, type: undefined }
          assert.strictEqual(value(yield* get("IMPORTED", options)), "imported")
        }).pipe(run({
          projects: {
            main: {
              folders: {
                dev: {
                  "/": { imports: [{ environment: "dev", path: "/shared" }] },
                  "/shared": { secrets: { IMPORTED: "imported" } }
                }
              }
            }
          }
        })))
    })

    describe("The fallback", () => {
      for (const name of ["constructor", "toString", "__proto__", "hasOwnProperty"]) {
        it.effect(`does not take what every object has for a secret: ${name}`, () =>
          Effect.gen(function*() {
            assert.include(yield* Effect.flip(get(name)), { _tag: "NotFoundError" })
          }).pipe(run({}, { fallback: true }), Effect.withConfigProvider(ConfigProvider.fromEnv())))
      }
    })

    describe("The number of snapshots", () => {
      it.effect("is bounded, and the least recently used goes first", () =>
        Effect.gen(function*() {
          const { takeRequests } = yield* Simulation
          const from = (folder: string) => Effect.exit(get("A", { secretPath: `/${folder}` }))
          for (const folder of ["a", "b", "c"]) yield* from(folder)
          yield* from("a")
          yield* from("d")
          yield* takeRequests
          for (const folder of ["a", "c", "d"]) yield* from(folder)
          assert.deepStrictEqual(yield* takeRequests, [])
          yield* from("b")
          assert.strictEqual((yield* takeRequests).length, 1)
        }).pipe(run(folders(["/a", "/b", "/c", "/d"], 1), { cacheCapacity: 3 })))

      it.effect("stays bounded on a walk through three hundred locations, and so does what refreshes them", () =>
        Effect.gen(function*() {
          const { advance, takeRequests } = yield* Simulation
          for (let folder = 0; folder < 300; folder++) yield* Effect.exit(get("A", { secretPath: `/folder-${folder}` }))
          assert.strictEqual((yield* takeRequests).length, 300)
          yield* advance("5 minutes")
          assert.strictEqual((yield* takeRequests).length, 10)
        }).pipe(
          run(folders(Array.from({ length: 300 }, (_, folder) => `/folder-${folder}`), 1), { cacheCapacity: 10 })
        ))
    })
  })
}
