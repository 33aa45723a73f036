import { KeyValueStore } from "@effect/platform"
import { SystemError } from "@effect/platform/Error"
import { assert, describe, it } from "@effect/vitest"
import {
  ConfigProvider,
  DateTime,
  type Duration,
  Effect,
  Encoding,
  Exit,
  FastCheck,
  Layer,
  Logger,
  Redacted,
  Schedule,
  Scope,
  Stream,
  TestClock
} from "effect"
import { Credential, type InfisicalConfig, Secrets } from "effect-infisical"
import type { World } from "effect-infisical-emulator"
import { client, get, layer, sealedClient, Simulation, value } from "./Simulation.js"
import { makeDisk, storage } from "./support/disk.js"

type Options = Partial<InfisicalConfig.Options>

/** Runs in a process of its own: it begins with nothing in memory, and ends with the effect. */
const inProcess =
  (store: KeyValueStore.KeyValueStore, options: Options = {}) => <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.provide(effect, Layer.provide(sealedClient(options), storage(store)))

const fromEnvironment = Effect.withConfigProvider(ConfigProvider.fromMap(new Map([["A", "planted0 environment"]])))

const list = Effect.flatMap(Secrets.Secrets, (secrets) => secrets.list())

const goOffline = Effect.flatMap(Simulation, ({ setFault }) => setFault(() => "unreachable"))
const goOnline = Effect.flatMap(Simulation, ({ setFault }) => setFault(() => undefined))

/** What an effect gives, and what it says meanwhile of sealed snapshots. */
const withWarnings = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    const logged: Array<string> = []
    const logger = Logger.make<unknown, void>(({ logLevel, message }) => {
      const line = `${logLevel.label} ${String(message)}`
      if (line.includes("seal") || logLevel.label === "ERROR") logged.push(line)
    })
    return Effect.map(Effect.provide(effect, Logger.add(logger)), (result) => ({ result, logged }))
  })

/** Starts a process offline, which must not find a sealed snapshot that it trusts. */
const assertIgnored = (store: KeyValueStore.KeyValueStore, why: RegExp) =>
  Effect.gen(function*() {
    yield* goOffline
    const { logged, result } = yield* withWarnings(Effect.flip(get("A")).pipe(inProcess(store)))
    assert.include(result, { _tag: "NetworkError" })
    assert.lengthOf(logged, 1)
    assert.match(logged[0] ?? "", /^WARN The sealed snapshot of dev at \/ is ignored: /)
    assert.match(logged[0] ?? "", why)
  })

const run = (world: World.Input) => <A, E>(effect: Effect.Effect<A, E, Simulation>) =>
  Effect.provide(effect, layer(world))

/** The same ids and the same token each time. */
const fixedWorld = (a: string, token: string = fixedToken): World.Input => ({
  projects: {
    main: {
      folders: {
        dev: {
          "/": { secrets: { A: { id: "7e0d4b1c-5f0e-4c1a-9a43-0a2f3c9d1e11", value: a } } },
          "/other": { secrets: { A: "planted0 other path" } }
        },
        prod: { "/": { secrets: { A: "planted0 prod" } } }
      }
    }
  },
  serviceTokens: { main: { token } }
})
const fixedToken = `st.6f9c1de2-9f61-4f5e-8f0a-3f2b7a1c0d11.${"ab".repeat(16)}.${"0123456789abcdef".repeat(2)}`

const world = { secrets: { A: { value: "planted0 a", comment: "planted0 comment" }, B: "planted0 b" } }

/** A disk with the snapshot of one process, and the one text on it. */
const sealed = (options: Options = {}, where?: Secrets.ReadOptions) =>
  Effect.gen(function*() {
    const disk = makeDisk()
    yield* get("A", where).pipe(inProcess(disk.store, options))
    assert.strictEqual(disk.texts.size, 1)
    const [entry] = disk.texts
    if (entry === undefined) return assert.fail("nothing was stored")
    const [key, text] = entry
    return { ...disk, key, text }
  })

describe("A process that starts while the server is gone", () => {
  it.effect("serves the sealed snapshot, says so, and when the server gave it", () =>
    Effect.gen(function*() {
      const { advance } = yield* Simulation
      const { store } = makeDisk()
      yield* advance("1 hour")
      const live = yield* get("A").pipe(inProcess(store))
      yield* advance("3 hours")
      yield* goOffline
      const secret = yield* get("A").pipe(inProcess(store, { fallback: true }), fromEnvironment)
      assert.strictEqual(live.source, "live")
      assert.strictEqual(DateTime.toEpochMillis(secret.fetchedAt), 60 * 60 * 1000)
      assert.deepStrictEqual({ ...secret }, { ...live, source: "sealed" })
      assert.strictEqual(value(secret), "planted0 a")
      assert.strictEqual(secret.comment, "planted0 comment")
    }).pipe(run(world)))

  it.effect("lists the sealed snapshot", () =>
    Effect.gen(function*() {
      const { store } = makeDisk()
      const live = yield* list.pipe(inProcess(store))
      yield* goOffline
      const secrets = yield* list.pipe(inProcess(store))
      assert.strictEqual(secrets.source, "sealed")
      assert.deepStrictEqual(secrets.fetchedAt, live.fetchedAt)
      assert.sameDeepMembers(secrets.secrets.map((secret) => [secret.name, value(secret), secret.source]), [
        ["A", "planted0 a", "sealed"],
        ["B", "planted0 b", "sealed"]
      ])
    }).pipe(run(world)))

  it.effect("serves from the environment where nothing is sealed", () =>
    Effect.gen(function*() {
      yield* goOffline
      const secret = yield* get("A").pipe(inProcess(makeDisk().store, { fallback: true }), fromEnvironment)
      assert.deepInclude({ source: secret.source, value: value(secret) }, {
        source: "fallback",
        value: "planted0 environment"
      })
    }).pipe(run(world)))

  it.effect("fails with NetworkError where there is neither", () =>
    Effect.gen(function*() {
      yield* goOffline
      const { logged, result } = yield* withWarnings(
        Effect.flip(get("A")).pipe(inProcess(makeDisk().store, { fallback: true }))
      )
      assert.include(result, { _tag: "NetworkError" })
      assert.deepStrictEqual(logged, [])
    }).pipe(run(world)))

  it.effect("does not take a name for missing that the sealed snapshot lacks", () =>
    Effect.gen(function*() {
      const { store } = yield* sealed()
      yield* goOffline
      assert.include(yield* Effect.flip(get("C").pipe(inProcess(store))), { _tag: "NetworkError" })
    }).pipe(run(world)))

  it.effect("serves each location from its own seal, imports and the folder's own before them", () =>
    Effect.gen(function*() {
      const { store } = makeDisk()
      const all = Effect.all({
        both: Effect.map(get("BOTH"), value),
        imported: Effect.map(get("IMPORTED"), value),
        without: Effect.map(Effect.flip(get("IMPORTED", { includeImports: false })), ({ _tag }) => _tag),
        shared: Effect.map(get("BOTH", { secretPath: "/shared" }), value),
        staging: Effect.map(Effect.flip(get("BOTH", { environment: "staging" })), ({ _tag }) => _tag)
      })
      const expected = { both: "planted0 own", imported: "planted0 imported", shared: "planted0 shared" }
      const missing = { without: "NotFoundError", staging: "NotFoundError" }
      assert.deepStrictEqual(yield* all.pipe(inProcess(store)), { ...expected, ...missing })
      yield* goOffline
      const offline = { without: "NetworkError", staging: "NetworkError" }
      assert.deepStrictEqual(yield* all.pipe(inProcess(store)), { ...expected, ...offline })
    }).pipe(run({
      projects: {
        main: {
          folders: {
            dev: {
              "/": { secrets: { BOTH: "planted0 own" }, imports: [{ environment: "dev", path: "/shared" }] },
              "/shared": { secrets: { BOTH: "planted0 shared", IMPORTED: "planted0 imported" } }
            }
          }
        }
      }
    })))

  it.effect("is live again by itself once the server is back", () =>
    Effect.gen(function*() {
      const { advance, emulator, takeRequests } = yield* Simulation
      const { store } = yield* sealed()
      yield* goOffline
      yield* Effect.gen(function*() {
        assert.strictEqual((yield* get("A")).source, "sealed")
        yield* emulator.setSecret({ name: "A", value: "planted0 rotated" })
        yield* advance("10 minutes", "10 seconds")
        assert.strictEqual((yield* get("A")).source, "sealed")
        yield* goOnline
        yield* advance("75 seconds", "5 seconds")
        yield* takeRequests
        const secret = yield* get("A")
        assert.deepStrictEqual(yield* takeRequests, [])
        assert.deepStrictEqual([secret.source, value(secret)], ["live", "planted0 rotated"])
      }).pipe(inProcess(store))
      yield* goOffline
      assert.strictEqual(value(yield* get("A").pipe(inProcess(store))), "planted0 rotated")
    }).pipe(run(world)))

  it.effect("gives a watcher the sealed value and then only one that differs", () =>
    Effect.gen(function*() {
      const { advance, emulator, settle } = yield* Simulation
      const { store } = yield* sealed()
      yield* goOffline
      const seen: Array<readonly [string, string]> = []
      yield* Effect.gen(function*() {
        const secrets = yield* Secrets.Secrets
        yield* Effect.forkScoped(
          Stream.runForEach(
            secrets.watch("A"),
            (secret) => Effect.sync(() => seen.push([secret.source, value(secret)]))
          )
        )
        yield* settle
        yield* goOnline
        yield* advance("2 minutes", "5 seconds")
        assert.deepStrictEqual(seen, [["sealed", "planted0 a"]])
        yield* emulator.setSecret({ name: "A", value: "planted0 rotated" })
        yield* advance("5 minutes", "5 seconds")
        assert.deepStrictEqual(seen, [["sealed", "planted0 a"], ["live", "planted0 rotated"]])
      }).pipe(Effect.scoped, inProcess(store))
    }).pipe(run(world)))

  it.effect("takes nothing that was sealed for what the server says once it is back", () =>
    Effect.gen(function*() {
      const { store } = yield* sealed().pipe(run(fixedWorld("planted0 a")))
      const { advance } = yield* Simulation
      yield* goOffline
      yield* Effect.gen(function*() {
        assert.strictEqual(value(yield* get("A")), "planted0 a")
        yield* goOnline
        yield* advance("2 minutes", "5 seconds")
        const secret = yield* get("A")
        assert.deepStrictEqual([secret.source, value(secret)], ["live", "planted0 other"])
      }).pipe(inProcess(store))
      // A server that was restored from a backup and written since: the same id and version, another value.
    }).pipe(run(fixedWorld("planted0 other"))))

  it.effect("serves the sealed snapshot for no longer than maxStale", () =>
    Effect.gen(function*() {
      const { advance } = yield* Simulation
      const { store } = yield* sealed()
      const maxStale = { maxStale: "1 hour" } as const
      yield* goOffline
      yield* advance("59 minutes")
      yield* Effect.gen(function*() {
        assert.strictEqual((yield* get("A")).source, "sealed")
        yield* advance("1 minutes")
        assert.strictEqual((yield* get("A")).source, "sealed")
        yield* advance("1 seconds")
        assert.include(yield* Effect.flip(get("A")), { _tag: "NetworkError" })
        assert.include(yield* Effect.flip(list), { _tag: "NetworkError" })
      }).pipe(inProcess(store, maxStale))
      assert.include(yield* Effect.flip(get("A").pipe(inProcess(store, maxStale))), { _tag: "NetworkError" })
      assert.strictEqual((yield* get("A").pipe(inProcess(store))).source, "sealed")
    }).pipe(run(world)))
})

describe("What is stored", () => {
  it.effect("is nothing, and nothing more is decrypted, without a storage", () =>
    Effect.gen(function*() {
      const { takeDecryptions } = yield* Simulation
      const { store } = makeDisk()
      yield* get("A").pipe(
        Effect.provide(Layer.provide(client(), Layer.succeed(KeyValueStore.KeyValueStore, store)))
      )
      assert.strictEqual(yield* store.size, 0)
      // Two names, one value with its comment.
      assert.strictEqual(yield* takeDecryptions, 4)
    }).pipe(run(world)))

  it.effect("has no value, comment, name of a secret, key or token in it, in whatever encoding", () =>
    Effect.gen(function*() {
      const { emulator } = yield* Simulation
      const { key, text } = yield* sealed()
      const token = Redacted.value(yield* emulator.serviceToken())
      const project = yield* emulator.project()
      const [, , tokenSecret = "", tokenKey = ""] = token.split(".")
      const stored = [key, text, ...base64Parts(text)].join("\n")
      assert.include(stored, "ciphertext")
      for (
        const secret of ["planted0", "LONG_NAME", token, tokenSecret, tokenKey, Redacted.value(project.key)]
      ) {
        assert.notInclude(stored, secret)
        assert.notInclude(stored, Encoding.encodeHex(secret))
        // Whatever its offset in a text that is encoded.
        for (const offset of [0, 1, 2]) {
          const encoded = Encoding.encodeBase64(" ".repeat(offset) + secret)
          assert.notInclude(stored, encoded.slice(offset === 0 ? 0 : 4, -4))
        }
      }
    }).pipe(run({ secrets: { A: "planted0 a", LONG_NAME_OF_A_SECRET: "planted0 b" } })))

  it.effect("differs each time, though the snapshot is the same: no initialization vector is used twice", () =>
    Effect.gen(function*() {
      const disk = makeDisk()
      const seals = []
      for (let process = 0; process < 20; process++) {
        yield* get("A").pipe(inProcess(disk.store))
        seals.push(JSON.parse([...disk.texts.values()].join()))
      }
      assert.strictEqual(new Set(seals.map(({ iv }) => iv)).size, 20)
      assert.strictEqual(new Set(seals.map(({ ciphertext }) => ciphertext)).size, 20)
      for (const { iv } of seals) assert.lengthOf(Buffer.from(iv, "base64"), 12)
    }).pipe(run(world)))

  it.effect("is there even if the process ends right after its first reads", () =>
    Effect.gen(function*() {
      const disk = makeDisk()
      const slow = {
        ...disk.store,
        set: (key: string, text: string | Uint8Array) =>
          Effect.zipRight(Effect.repeatN(Effect.yieldNow(), 100), disk.store.set(key, text))
      }
      const reads = Effect.all([get("A"), get("A", { includeImports: false })], { concurrency: 2 })
      yield* reads.pipe(inProcess(slow))
      assert.strictEqual(disk.texts.size, 2)
      yield* goOffline
      const secrets = yield* reads.pipe(inProcess(disk.store))
      assert.deepStrictEqual(secrets.map(({ source }) => source), ["sealed", "sealed"])
    }).pipe(run(world)))

  it.effect("has our own writes in it", () =>
    Effect.gen(function*() {
      const { store } = makeDisk()
      yield* Effect.gen(function*() {
        const secrets = yield* Secrets.Secrets
        yield* get("A")
        yield* secrets.update("A", Redacted.make("planted0 updated"))
        yield* secrets.create("C", Redacted.make("planted0 created"), { comment: "planted0 new" })
        yield* secrets.delete("B")
      }).pipe(inProcess(store))
      yield* goOffline
      const { secrets } = yield* list.pipe(inProcess(store))
      assert.sameDeepMembers(secrets.map((secret) => [secret.name, value(secret), secret.comment, secret.version]), [
        ["A", "planted0 updated", "planted0 comment", 2],
        ["C", "planted0 created", "planted0 new", 1]
      ])
    }).pipe(run(world)))

  it.effect("has those writes in it that end before the server was read again", () =>
    Effect.gen(function*() {
      const { store } = yield* sealed()
      yield* goOffline
      yield* Effect.gen(function*() {
        const secrets = yield* Secrets.Secrets
        assert.strictEqual((yield* get("A")).source, "sealed")
        yield* goOnline
        yield* secrets.update("A", Redacted.make("planted0 updated"))
      }).pipe(inProcess(store))
      yield* goOffline
      const secret = yield* get("A").pipe(inProcess(store))
      assert.deepStrictEqual([secret.source, value(secret)], ["sealed", "planted0 updated"])
    }).pipe(run(world)))

  it.effect("lacks a secret that cannot be decrypted, and has all others", () =>
    Effect.gen(function*() {
      const { store } = makeDisk()
      const live = yield* list.pipe(inProcess(store), breaking("planted0 b"))
      assert.deepStrictEqual(live.undecryptable.map(({ secretName }) => secretName), ["B"])
      yield* goOffline
      yield* Effect.gen(function*() {
        assert.sameMembers((yield* list).secrets.map(({ name }) => name), ["A", "C"])
        assert.strictEqual(value(yield* get("C")), "planted0 c")
        assert.include(yield* Effect.flip(get("B")), { _tag: "NetworkError" })
      }).pipe(inProcess(store))
    }).pipe(run({ secrets: { ...world.secrets, C: "planted0 c" } })))
})

const base64Parts = (text: string): ReadonlyArray<string> =>
  [...text.matchAll(/[\w+/]{16,}=*/g)].map(([part]) => Buffer.from(part, "base64").toString("latin1"))

/** A world in which what holds this text cannot be decrypted. */
const breaking = (broken: string) =>
  Effect.updateService(Simulation, (simulation) => ({
    ...simulation,
    crypto: {
      ...simulation.crypto,
      projectCipher: (key) =>
        Effect.map(simulation.crypto.projectCipher(key), (cipher) => ({
          ...cipher,
          decryptAll: (sealed) =>
            Effect.map(cipher.decryptAll(sealed), (texts) => texts.map((text) => text === broken ? undefined : text))
        }))
    }
  }))

describe("A sealed snapshot", () => {
  it.effect.prop(
    "of which any one byte was changed is ignored with a warning",
    [FastCheck.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), FastCheck.integer({ min: 1, max: 255 })],
    ([place, difference]) =>
      Effect.gen(function*() {
        const { key, store, text, texts } = yield* sealed()
        const bytes = Buffer.from(text)
        const index = Math.floor(place * bytes.length)
        bytes[index] = (bytes[index] ?? 0) ^ difference
        const changed = bytes.toString()
        texts.set(key, changed)
        if (opensTheSame(text, changed)) {
          yield* goOffline
          assert.strictEqual(value(yield* get("A").pipe(inProcess(store))), "planted0 a")
        } else yield* assertIgnored(store, /corrupt or cut off|another version|was changed/)
      }).pipe(run(world)),
    { fastCheck: { numRuns: 150 } }
  )

  it.effect("that was cut off, wherever, is ignored with a warning", () =>
    Effect.gen(function*() {
      const { key, store, text, texts } = yield* sealed()
      for (let length = 0; length < text.length; length++) {
        texts.set(key, text.slice(0, length))
        yield* assertIgnored(store, /corrupt or cut off/)
      }
    }).pipe(run(world)))

  for (
    const [what, text] of [
      ["is empty", ""],
      ["is no JSON", "not JSON"],
      ["is JSON of something else", "[1]"],
      ["is plain text of what a snapshot holds", JSON.stringify({ fetchedAt: 0, own: [], imported: [] })],
      ["has empty parts", JSON.stringify({ version: 2, ciphertext: "", iv: "", tag: "" })]
    ] as const
  ) {
    it.effect(`that ${what} is ignored with a warning`, () =>
      Effect.gen(function*() {
        const { key, store, texts } = yield* sealed()
        texts.set(key, text)
        yield* assertIgnored(store, /corrupt or cut off|was changed/)
        const instead = yield* get("A").pipe(inProcess(store, { fallback: true }), fromEnvironment)
        assert.strictEqual(instead.source, "fallback")
      }).pipe(run(world)))
  }

  for (
    const [what, elsewhere, token] of [
      ["another environment", { environment: "prod" }, fixedToken],
      ["another path", { secretPath: "/other" }, fixedToken],
      ["other flags", { secretPath: "/" }, fixedToken],
      ["another site", { siteUrl: "http://other.test" }, fixedToken],
      ["another token with the same id", {}, `${fixedToken.slice(0, -1)}0`],
      ["another token with the same id and key", {}, fixedToken.replace("ab", "ba")]
    ] as const
  ) {
    it.effect(`of ${what} is ignored with a warning, even under the name of the right one`, () =>
      Effect.gen(function*() {
        const here = yield* sealed()
        const there = what === "other flags"
          ? yield* sealed({}, { includeImports: false })
          : yield* sealed(elsewhere).pipe(run(fixedWorld("planted0 a", token)))
        assert.strictEqual(here.key === there.key, what.startsWith("another token"))
        here.texts.set(here.key, there.text)
        yield* assertIgnored(here.store, /another credential, for another site or location/)
      }).pipe(run(fixedWorld("planted0 a"))))
  }

  it.effect("of another credential of the same project is ignored with a warning, even under the name of the right one", () =>
    Effect.gen(function*() {
      const { emulator } = yield* Simulation
      const here = yield* sealed()
      const there = yield* sealed({ credential: Credential.serviceToken(yield* emulator.serviceToken("other")) })
      assert.notStrictEqual(here.key, there.key)
      here.texts.set(here.key, there.text)
      yield* assertIgnored(here.store, /another credential/)
    }).pipe(run({ ...world, serviceTokens: { main: {}, other: {} } })))

  for (const version of [0, 1, 3, 1000, 1.5, -1]) {
    it.effect(`of version ${version} is ignored with a warning`, () =>
      Effect.gen(function*() {
        const { key, store, text, texts } = yield* sealed()
        texts.set(key, JSON.stringify({ ...JSON.parse(text), version }))
        yield* assertIgnored(store, /another version of this library/)
      }).pipe(run(world)))
  }

  it.effect("that cannot be used is said to be so once, however long the server is gone", () =>
    Effect.gen(function*() {
      const { advance } = yield* Simulation
      const { key, store, texts } = yield* sealed()
      texts.set(key, "corrupt")
      yield* goOffline
      const { logged } = yield* withWarnings(
        Effect.flip(get("A")).pipe(Effect.zipRight(advance("1 hour", "1 minutes")), inProcess(store))
      )
      assert.lengthOf(logged, 1)
    }).pipe(run(world)))

  it.effect("is served until it is as old as sealedTtl, then ignored with a warning and removed", () =>
    Effect.gen(function*() {
      const { advance } = yield* Simulation
      const { store, texts } = yield* sealed()
      yield* advance("7 days")
      yield* goOffline
      assert.strictEqual((yield* get("A").pipe(inProcess(store))).source, "sealed")
      yield* advance("1 millis")
      assert.strictEqual(texts.size, 1)
      yield* assertIgnored(store, /older than 7d/)
      assert.strictEqual(texts.size, 0)
    }).pipe(run(world)))

  for (
    const [what, limit] of [
      ["expire", { sealedTtl: "3 hours" }],
      ["expire, however soon that is", { sealedTtl: "20 minutes" }],
      ["become too old for maxStale", { maxStale: "20 minutes" }]
    ] as const
  ) {
    it.effect(`is sealed again while it is in use and does not change, so that it does not ${what}`, () =>
      Effect.gen(function*() {
        const { advance, takeRequests } = yield* Simulation
        const { store } = makeDisk()
        const options = { ...limit, idleTtl: "1 day", refresh: Schedule.spaced("3 minutes") } as const
        const scope = yield* Scope.make()
        const context = yield* Layer.buildWithScope(Layer.provide(sealedClient(options), storage(store)), scope)
        yield* Effect.provide(get("A"), context)
        yield* takeRequests
        yield* advance("5 hours", "3 minutes")
        assert.isTrue((yield* takeRequests).every(({ status }) => status === 304))
        // It is killed: what is not sealed by now never is.
        yield* goOffline
        const secret = yield* get("A").pipe(inProcess(store, options))
        assert.strictEqual(secret.source, "sealed")
        assert.isAtLeast(DateTime.toEpochMillis(secret.fetchedAt), (5 - 1.1) * 60 * 60 * 1000)
        yield* Scope.close(scope, Exit.void)
      }).pipe(run(world)))
  }

  it.effect("is written anew only as often as it has to be while nothing changes", () =>
    Effect.gen(function*() {
      const { advance } = yield* Simulation
      const { store } = makeDisk()
      let writes = 0
      const counting = {
        ...store,
        set: (key: string, text: string | Uint8Array) => Effect.tap(store.set(key, text), () => void writes++)
      }
      yield* Effect.zipRight(get("A"), advance("5 hours", "3 minutes")).pipe(inProcess(counting, { idleTtl: "1 day" }))
      assert.isAtMost(writes, 6)
    }).pipe(run(world)))
})

/** The keys of sealed snapshots in a storage, without the marks of refused credentials. */
const sealsIn = (texts: ReadonlyMap<string, string>) => [...texts.keys()].filter((key) => !key.startsWith("refused-"))

describe("A refused credential", () => {
  it.effect("voids every seal of the credential, and not those that are made after it is accepted again", () =>
    Effect.gen(function*() {
      const { advance, setFault } = yield* Simulation
      const { store } = makeDisk()
      const everywhere = Effect.all([Effect.exit(get("A")), Effect.exit(get("B", { environment: "prod" }))])
      yield* Effect.all([get("A"), Effect.exit(get("B", { environment: "prod" }))]).pipe(inProcess(store))
      yield* advance("1 minute")
      // It is refused for one location only, by a process that does not know the other.
      yield* setFault(() =>
        Response.json({ statusCode: 403, error: "TokenError", message: "Token missing" }, { status: 403 })
      )
      assert.include(yield* Effect.flip(get("A").pipe(inProcess(store))), { _tag: "AuthenticationError" })
      yield* goOffline
      for (const exit of yield* everywhere.pipe(inProcess(store))) assert.isTrue(Exit.isFailure(exit))
      yield* goOnline
      yield* advance("1 minute")
      yield* get("A").pipe(inProcess(store))
      yield* goOffline
      assert.include(yield* get("A").pipe(inProcess(store)), { source: "sealed" })
    }).pipe(run(world)))

  it.effect("takes the sealed snapshot with it, so that no process that starts offline serves it", () =>
    Effect.gen(function*() {
      const { advance, emulator } = yield* Simulation
      const { store, texts } = yield* sealed()
      yield* Effect.gen(function*() {
        yield* get("A")
        yield* emulator.revokeServiceToken()
        yield* advance("5 minutes", "30 seconds")
        assert.include(yield* Effect.flip(get("A")), { _tag: "AuthenticationError" })
      }).pipe(inProcess(store))
      assert.deepStrictEqual(sealsIn(texts), [])
      yield* goOffline
      assert.include(yield* Effect.flip(get("A").pipe(inProcess(store))), { _tag: "NetworkError" })
    }).pipe(run(world)))

  it.effect("takes it also where it is refused to a process from the start", () =>
    Effect.gen(function*() {
      const { emulator } = yield* Simulation
      const { store, texts } = yield* sealed()
      yield* emulator.revokeServiceToken()
      assert.include(yield* Effect.flip(get("A").pipe(inProcess(store))), { _tag: "AuthenticationError" })
      assert.deepStrictEqual(sealsIn(texts), [])
    }).pipe(run(world)))

  it.effect("takes it also where only the permission is gone", () =>
    Effect.gen(function*() {
      const { setFault } = yield* Simulation
      const { store, texts } = yield* sealed()
      yield* setFault((path) =>
        path.startsWith("/api/v3/secrets")
          ? new Response(JSON.stringify({ statusCode: 403, error: "PermissionDenied", message: "no" }), { status: 403 })
          : undefined
      )
      assert.include(yield* Effect.flip(get("A").pipe(inProcess(store))), { _tag: "PermissionError" })
      assert.strictEqual(texts.size, 0)
    }).pipe(run(world)))

  it.effect("takes it though it is being written at that very time", () =>
    Effect.gen(function*() {
      const { emulator, settle } = yield* Simulation
      const { store, texts } = makeDisk()
      const slow = {
        ...store,
        set: (key: string, text: string | Uint8Array) => Effect.zipRight(settle, store.set(key, text))
      }
      yield* Effect.gen(function*() {
        const secrets = yield* Secrets.Secrets
        yield* Effect.all([get("A"), get("A", { includeImports: false })], { concurrency: 2 })
        yield* emulator.revokeServiceToken()
        assert.include(yield* Effect.flip(secrets.refresh()), { _tag: "AuthenticationError" })
      }).pipe(inProcess(slow))
      assert.deepStrictEqual(sealsIn(texts), [])
    }).pipe(run(world)))
})

for (
  const [what, broken] of [
    [
      "fails",
      (method: string) =>
        Effect.fail(new SystemError({ module: "KeyValueStore", method, reason: "PermissionDenied", description: "no" }))
    ],
    ["dies", () => Effect.die("planted0 text")]
  ] as const
) {
  describe(`A storage that ${what}`, () => {
    const store = KeyValueStore.makeStringOnly({
      get: () => broken("get"),
      set: () => broken("set"),
      remove: () => broken("remove"),
      clear: broken("clear"),
      size: broken("size")
    })

    it.effect("breaks no read and no write: there are warnings, and that is all", () =>
      Effect.gen(function*() {
        const { logged, result } = yield* withWarnings(
          Effect.gen(function*() {
            const secrets = yield* Secrets.Secrets
            yield* secrets.update("A", Redacted.make("planted0 updated"))
            return [yield* get("A"), yield* get("B")]
          }).pipe(inProcess(store))
        )
        assert.deepStrictEqual(result.map((secret) => [secret.source, value(secret)]), [
          ["live", "planted0 updated"],
          ["live", "planted0 b"]
        ])
        assert.lengthOf(logged, 1)
        assert.match(logged[0] ?? "", /^WARN The snapshot of dev at \/ could not be sealed: /)
        assert.notInclude(logged[0], "planted0")
      }).pipe(run(world)))

    it.effect("is no storage to a process that starts offline", () =>
      assertIgnored(store, /could not be read/).pipe(run(world)))

    it.effect("does not hide that a credential is refused", () =>
      Effect.gen(function*() {
        const { emulator } = yield* Simulation
        yield* emulator.revokeServiceToken()
        const { logged, result } = yield* withWarnings(Effect.flip(get("A")).pipe(inProcess(store)))
        assert.include(result, { _tag: "AuthenticationError" })
        assert.lengthOf(logged, 2)
        assert.match(logged[0] ?? "", /^WARN The sealed snapshot of dev at \/ could not be removed: /)
      }).pipe(run(world)))
  })
}

describe("A storage that hangs", () => {
  const hanging = (operation: "get" | "set" | "remove" | "all") => {
    const { store, texts } = makeDisk()
    const on = (...operations: ReadonlyArray<string>) => operations.includes(operation) || operation === "all"
    const never = Effect.uninterruptible(Effect.never)
    const broken: KeyValueStore.KeyValueStore = {
      ...store,
      ...on("get") && { get: () => never },
      ...on("set") && { set: () => never },
      ...on("remove") && { remove: () => never }
    }
    return { texts, store: broken }
  }

  /** Ends as soon as simulated time has passed, or fails after some of it. */
  const within = (duration: Duration.DurationInput) => <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.gen(function*() {
      const { advance } = yield* Simulation
      const fiber = yield* Effect.fork(effect)
      yield* advance(duration)
      const exit = fiber.unsafePoll()
      return exit === null ? assert.fail("it still waits") : yield* exit
    })

  it.effect("on get lets a read fail with its reason, and come from the fallback", () =>
    Effect.gen(function*() {
      const { store } = hanging("get")
      yield* goOffline
      const { logged, result } = yield* withWarnings(
        Effect.flip(get("A")).pipe(inProcess(store), within("6 seconds"))
      )
      assert.include(result, { _tag: "NetworkError" })
      assert.deepStrictEqual(logged, [
        "WARN The sealed snapshot of dev at / is ignored: it could not be read: the storage did not answer in time"
      ])
      const instead = yield* get("A").pipe(inProcess(store, { fallback: true }), fromEnvironment, within("6 seconds"))
      assert.strictEqual(instead.source, "fallback")
    }).pipe(run(world)))

  it.effect("on get lets a read end at its deadline in an uninterruptible region", () =>
    Effect.gen(function*() {
      yield* goOffline
      const result = yield* Effect.uninterruptible(Effect.flip(get("A"))).pipe(
        inProcess(hanging("get").store, { retry: { times: 0, deadline: "1 second" } }),
        within("8 seconds")
      )
      assert.include(result, { _tag: "NetworkError" })
    }).pipe(run(world)))

  it.effect("on set lets reads go on and the layer be released, with a warning", () =>
    Effect.gen(function*() {
      const { store } = hanging("set")
      const { logged, result } = yield* withWarnings(
        Effect.all([get("A"), get("A", { includeImports: false })]).pipe(
          inProcess(store),
          within("20 seconds")
        )
      )
      assert.deepStrictEqual(result.map(({ source }) => source), ["live", "live"])
      assert.isAtLeast(logged.length, 1)
      assert.match(logged[0] ?? "", /^WARN The snapshot of dev at \/ could not be sealed: the storage did not answer/)
    }).pipe(run(world)))

  it.effect("on remove does not hide that a credential is refused", () =>
    Effect.gen(function*() {
      const { emulator } = yield* Simulation
      yield* emulator.revokeServiceToken()
      for (const operation of ["remove", "all"] as const) {
        const { logged, result } = yield* withWarnings(
          Effect.flip(get("A")).pipe(inProcess(hanging(operation).store), within("30 seconds"))
        )
        assert.include(result, { _tag: "AuthenticationError" })
        assert.isAtLeast(logged.length, 1)
      }
    }).pipe(run(world)))
})

/** Whether a change is one of those bits of base64 that stand for nothing. */
const opensTheSame = (text: string, changed: string): boolean => {
  const parts = (text: string) => {
    try {
      const { ciphertext, iv, tag, version } = JSON.parse(text)
      return [version, ...[ciphertext, iv, tag].map((part) => Buffer.from(part, "base64").toString("hex"))].join()
    } catch {
      return undefined
    }
  }
  return /^[\x20-\x7e]*$/.test(changed) && parts(text) === parts(changed)
}

describe("A seal of an access token", () => {
  const sealingKey = Redacted.make("planted0 sealing key of thirty-two characters")
  const jwt = (claims: object, signature: string) =>
    Credential.accessToken(
      Redacted.make(
        `${Encoding.encodeBase64Url("{}")}.${Encoding.encodeBase64Url(JSON.stringify(claims))}.${signature}`
      )
    )
  /** Whether a seal that was made with one token is served to another, with the same sealing key. */
  const isServed = (one: ReturnType<typeof jwt>, other: ReturnType<typeof jwt>) =>
    Effect.gen(function*() {
      const { setFault } = yield* Simulation
      const { store } = makeDisk()
      const options = { sealingKey, projectId: "project", source: "v4" } as const
      yield* setFault(() =>
        Response.json({
          secrets: [{
            id: "id",
            version: 1,
            type: "shared",
            secretKey: "A",
            secretValue: "planted0 a",
            environment: "dev"
          }]
        })
      )
      yield* get("A").pipe(inProcess(store, { ...options, credential: yield* one }))
      yield* goOffline
      return Exit.isSuccess(
        yield* Effect.exit(get("A").pipe(inProcess(store, { ...options, credential: yield* other })))
      )
    }).pipe(run(world))

  it.effect("is opened by a rotated token of the same identity, and by no other identity", () =>
    Effect.gen(function*() {
      const token = jwt({ identityId: "one", iat: 1 }, "first")
      assert.isTrue(yield* isServed(token, jwt({ identityId: "one", iat: 2 }, "second")))
      assert.isFalse(yield* isServed(token, jwt({ identityId: "other" }, "first")))
      assert.isFalse(yield* isServed(token, jwt({ userId: "one" }, "first")))
    }))

  it.effect("that is no JWT is opened by that token alone", () =>
    Effect.gen(function*() {
      const opaque = (text: string) => Credential.accessToken(Redacted.make(text))
      assert.isTrue(yield* isServed(opaque("planted0one"), opaque("planted0one")))
      assert.isFalse(yield* isServed(opaque("planted0one"), opaque("planted0other")))
    }))
})

describe("A seal from the future", () => {
  it.effect("is ignored: the clock that made it was ahead", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(86_400_000)
      const { store } = yield* sealed()
      yield* TestClock.setTime(1000)
      yield* assertIgnored(store, /from the future/)
    }).pipe(run(world)))
})
