/** Sealed snapshots in the background of the cache: a storage or a server that hangs, a clock that moves. */
import { NodeContext, NodeKeyValueStore } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, type Duration, Effect, Exit, Fiber, Layer, Logger, Scope, TestClock } from "effect"
import { InfisicalError, Secrets, SnapshotStorage } from "effect-infisical"
import { mkdtempSync, readdirSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { get, layer, sealedClient, Simulation, value } from "./Simulation.js"
import { client, fetched } from "./support/client.js"
import { cpuTime } from "./support/cpuTime.js"
import { makeDisk, storage } from "./support/disk.js"
import { settle } from "./support/ManualSource.js"

const advance = (duration: Duration.DurationInput) => Effect.zipRight(TestClock.adjust(duration), settle)
const start = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.tap(Effect.fork(effect), () => settle)

const never = Effect.uninterruptible(Effect.never)
const world = { secrets: { A: "planted0 a" } } as const
const fromEnvironment = Effect.withConfigProvider(ConfigProvider.fromMap(new Map([["A", "planted0 environment"]])))

describe("A storage that hangs", () => {
  for (const deadline of ["9 seconds", "30 seconds"] as const) {
    it.effect(`hides no refused credential behind the fallback, with a deadline of ${deadline}`, () =>
      Effect.gen(function*() {
        const { advance, emulator } = yield* Simulation
        yield* emulator.revokeServiceToken()
        const { store } = makeDisk()
        const broken = { ...store, set: () => never, remove: () => never }
        const fiber = yield* Effect.fork(
          Effect.either(get("A")).pipe(
            Effect.provide(Layer.provide(
              sealedClient({ fallback: true, retry: { times: 0, deadline } }),
              storage(broken)
            )),
            fromEnvironment
          )
        )
        yield* advance("60 seconds")
        const result = yield* Fiber.join(fiber)
        assert.strictEqual(
          result._tag === "Left" ? result.left._tag : `${result.right.source}: ${value(result.right)}`,
          "AuthenticationError"
        )
      }).pipe(Effect.provide(layer(world))))
  }

  it.effect("hides no refused permission behind the fallback, while other folders are being sealed", () =>
    Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      for (let i = 0; i < 10; i++) yield* secrets.list({ secretPath: `/folder${i}` })
      yield* settle
      const fiber = yield* start(Effect.either(secrets.get("A", { secretPath: "/refused" })))
      yield* advance("2 minutes")
      const result = yield* Fiber.join(fiber)
      assert.strictEqual(result._tag === "Left" ? result.left._tag : result.right.source, "PermissionError")
    }).pipe(
      Effect.provide(client(
        ({ secretPath }) =>
          secretPath === "/refused"
            ? Effect.fail(new InfisicalError.PermissionError({ endpoint: "GET /", problem: "scope" }))
            : Effect.succeed({ A: "a" }),
        { fallback: true, refresh: false },
        // As `SealedSnapshots` bounds each operation of a storage that hangs.
        { sealed: { isEnabled: true, save: () => Effect.sleep("5 seconds"), remove: () => Effect.sleep("5 seconds") } }
      )),
      fromEnvironment
    ))

  it.effect("lets the layer be released within seconds, after a refusal, with many folders to seal", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const context = yield* Scope.extend(
        Layer.build(client(
          ({ secretPath }) =>
            secretPath === "/refused"
              ? Effect.fail(new InfisicalError.PermissionError({ endpoint: "GET /", problem: "scope" }))
              : Effect.succeed({ A: "a" }),
          { refresh: false },
          {
            sealed: { isEnabled: true, save: () => Effect.sleep("5 seconds"), remove: () => Effect.sleep("5 seconds") }
          }
        )),
        scope
      )
      yield* Effect.gen(function*() {
        const secrets = yield* Secrets.Secrets
        // Each is read, and so sealed, once the one before is being written.
        yield* Effect.forEach(
          Array.from({ length: 30 }, (_, i) => i),
          (i) => secrets.list({ secretPath: `/folder${i}` }),
          { concurrency: "unbounded" }
        )
        yield* start(Effect.either(secrets.get("A", { secretPath: "/refused" })))
      }).pipe(Effect.provide(context))
      const closing = yield* start(Scope.close(scope, Exit.void))
      yield* advance("40 seconds")
      assert.isNotNull(closing.unsafePoll(), "the release has not ended after 40 seconds")
    }))

  it.effect("does not let fibers that wait for it pile up", () => {
    let version = 0
    return Effect.gen(function*() {
      const scope = yield* Scope.make()
      const before = Fiber.unsafeRoots().length
      const context = yield* Scope.extend(
        Layer.build(client(
          () => Effect.sync(() => ({ A: `${version++}` })),
          { refresh: false },
          {
            sealed: { isEnabled: true, save: () => Effect.sleep("5 seconds"), remove: () => Effect.sleep("5 seconds") }
          }
        )),
        scope
      )
      const counts: Array<number> = []
      yield* Effect.gen(function*() {
        const secrets = yield* Secrets.Secrets
        for (let round = 0; round < 6; round++) {
          for (let i = 0; i < 50; i++) yield* secrets.refresh({ secretPath: `/folder${i}` })
          yield* advance("1 minute")
          counts.push(Fiber.unsafeRoots().length - before)
        }
      }).pipe(Effect.provide(context))
      yield* Effect.forkDaemon(Scope.close(scope, Exit.void))
      assert.isAtMost(Math.max(...counts), 50, `fibers that wait after each minute: ${counts.join(", ")}`)
    })
  })
})

describe("A process that starts while the server hangs", () => {
  it.effect("serves the sealed snapshot before the fallback", () =>
    Effect.gen(function*() {
      const { advance, holdAnswers } = yield* Simulation
      const { store, texts } = makeDisk()
      yield* get("A").pipe(Effect.provide(Layer.provide(sealedClient(), storage(store))))
      assert.isAbove(texts.size, 0)
      yield* holdAnswers(Effect.never)
      // A disk takes some milliseconds.
      const slow = { ...store, get: (key: string) => Effect.delay(store.get(key), "5 millis") }
      const fiber = yield* Effect.fork(
        get("A").pipe(
          Effect.provide(Layer.provide(sealedClient({ fallback: true, retry: { times: 3 } }), storage(slow))),
          fromEnvironment
        )
      )
      yield* advance("2 minutes")
      const secret = yield* Fiber.join(fiber)
      assert.deepStrictEqual([secret.source, value(secret)], ["sealed", "planted0 a"])
    }).pipe(Effect.provide(layer(world))))
})

describe("A storage", () => {
  it.effect("of Effect on the file system can store seals: its names are not too long", () =>
    Effect.gen(function*() {
      const directory = mkdtempSync(join(tmpdir(), "sealed-"))
      const warnings: Array<string> = []
      yield* get("A").pipe(
        Effect.provide(
          sealedClient().pipe(
            Layer.provide(SnapshotStorage.layerKeyValueStore()),
            Layer.provide(Layer.orDie(NodeKeyValueStore.layerFileSystem(directory))),
            Layer.provide(NodeContext.layer),
            Layer.provide(Logger.add(Logger.make(({ message }) => void warnings.push(String(message)))))
          )
        )
      )
      yield* settle
      assert.isAbove(readdirSync(directory).length, 0, warnings.join("\n"))
    }).pipe(Effect.provide(layer(world))))

  it.effect("that has four megabytes of brackets in it does not block the event loop for seconds", () =>
    Effect.gen(function*() {
      const { setFault } = yield* Simulation
      const { store, texts } = makeDisk()
      yield* get("A").pipe(Effect.provide(Layer.provide(sealedClient(), storage(store))))
      yield* setFault(() => "unreachable")
      for (const key of texts.keys()) texts.set(key, "[".repeat(4 * 1024 * 1024))
      const times: Array<number> = []
      for (let i = 0; i < 3; i++) {
        const begun = yield* cpuTime
        const error = yield* Effect.flip(get("A")).pipe(Effect.provide(Layer.provide(sealedClient(), storage(store))))
        times.push((yield* cpuTime) - begun)
        assert.include(error, { _tag: "NetworkError" })
      }
      // The bound for what a server sends: 50 ms a megabyte.
      assert.isBelow(Math.min(...times), 200, `${times.join(", ")} ms`)
    }).pipe(Effect.provide(layer(world))))
})

describe("The clock", () => {
  it.effect("that was ahead and is right again has seals made again before the next process needs them", () => {
    let texts = 0
    return Effect.gen(function*() {
      yield* TestClock.setTime(10 * 24 * 3600 * 1000)
      const secrets = yield* Secrets.Secrets
      yield* secrets.get("A")
      yield* settle
      assert.strictEqual(texts, 1)
      // The clock was a day ahead. The seal says tomorrow, and would be ignored as from the future.
      yield* TestClock.setTime(9 * 24 * 3600 * 1000)
      for (let hour = 0; hour < 12; hour++) {
        yield* advance("1 hour")
        yield* secrets.get("A")
      }
      yield* settle
      assert.isAbove(texts, 1, "confirmed by the server for twelve hours, and not sealed again")
    }).pipe(Effect.provide(client(
      () => Effect.succeed(same),
      { refresh: false },
      { sealed: { isEnabled: true, save: () => Effect.sync(() => void texts++) } }
    )))
  })
})

/** As if the server answered with 304. */
const same = fetched({ A: "a" })
