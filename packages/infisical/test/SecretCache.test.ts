/** The cache in its shell: races, outages, watchers and clocks, against a source that the test answers for. */
import { assert, describe, it } from "@effect/vitest"
import {
  Cause,
  ConfigProvider,
  Deferred,
  type Duration,
  Effect,
  Exit,
  Fiber,
  FiberRef,
  Logger,
  Option,
  Redacted,
  Schedule,
  Scope,
  Stream,
  TestClock
} from "effect"
import { InfisicalError } from "effect-infisical"
import * as Snapshot from "../src/source/Snapshot.js"
import { value } from "./Simulation.js"
import * as ManualSource from "./support/ManualSource.js"
import { at, content } from "./support/snapshots.js"

const { settle, unreachable } = ManualSource

const answered = Exit.succeed({ A: "a" })
const missingFolder = Exit.fail(new InfisicalError.NotFoundError({ resource: "folder" }))

/** Runs in a fiber as far as it can. */
const start = <A, E>(effect: Effect.Effect<A, E>) => Effect.tap(Effect.fork(effect), () => settle)

const advance = (duration: Duration.DurationInput) => Effect.zipRight(TestClock.adjust(duration), settle)

/** Ends each fetch as it begins from now on. */
const answerAll = (
  source: ManualSource.ManualSource,
  exit: () => Exit.Exit<Readonly<Record<string, string>>, InfisicalError.ReadError>
) =>
  Effect.gen(function*() {
    let next = source.calls.length
    return yield* Effect.forkScoped(Effect.forever(Effect.suspend(() => {
      const call = source.calls[next]
      if (call === undefined) return Effect.yieldNow()
      next += 1
      return call.end(exit())
    })))
  })

describe("A race", () => {
  it.scoped("does not keep a refusal that was requested before a write of ours ended", () =>
    Effect.gen(function*() {
      const { calls, secrets, writes } = yield* ManualSource.make()
      const before = yield* start(Effect.flip(secrets.get("A")))
      const creating = yield* start(secrets.create("A", Redacted.make("a")))
      yield* writes[0]?.end(Exit.void) ?? Effect.void
      yield* Fiber.join(creating)
      yield* calls[0]?.end(missingFolder) ?? Effect.void
      assert.include(yield* Fiber.join(before), { _tag: "NotFoundError" })
      const after = yield* start(secrets.get("A"))
      assert.strictEqual(calls.length, 2)
      yield* calls[1]?.end(answered) ?? Effect.void
      assert.strictEqual(value(yield* Fiber.join(after)), "a")
    }))

  it.scoped("of a deletion and an update that are answered in any order has the server asked again", () =>
    Effect.gen(function*() {
      const { calls, secrets, writes } = yield* ManualSource.make()
      const first = yield* start(secrets.get("A"))
      yield* calls[0]?.end(answered) ?? Effect.void
      yield* Fiber.join(first)
      const updating = yield* start(secrets.update("A", Redacted.make("updated")))
      const deleting = yield* start(secrets.delete("A"))
      // The server updates and then deletes; the answers come the other way round.
      yield* writes[1]?.end(Exit.void) ?? Effect.void
      yield* writes[0]?.end(Exit.void) ?? Effect.void
      yield* Fiber.join(deleting)
      yield* Fiber.join(updating)
      const after = yield* start(Effect.flip(secrets.get("A")))
      assert.strictEqual(calls.length, 2)
      yield* calls[1]?.end(Exit.succeed({})) ?? Effect.void
      assert.include(yield* Fiber.join(after), { _tag: "NotFoundError" })
    }))

  it.scoped("does not have a read join a fetch that began before our write, although the location was evicted", () =>
    Effect.gen(function*() {
      const source = yield* ManualSource.make({ cacheCapacity: 1 })
      const { calls, secrets, writes } = source
      const slow = yield* start(secrets.list())
      const creating = yield* start(secrets.create("B", Redacted.make("b")))
      yield* writes[0]?.end(Exit.void) ?? Effect.void
      yield* Fiber.join(creating)
      const other = yield* start(secrets.list({ environment: "prod" }))
      yield* calls[1]?.end(answered) ?? Effect.void
      yield* Fiber.join(other)
      const after = yield* start(secrets.list())
      assert.strictEqual(calls.length, 3)
      yield* calls[0]?.end(answered) ?? Effect.void
      yield* calls[2]?.end(Exit.succeed({ A: "a", B: "b" })) ?? Effect.void
      assert.deepStrictEqual((yield* Fiber.join(slow)).secrets.map(({ name }) => name), ["A"])
      assert.deepStrictEqual((yield* Fiber.join(after)).secrets.map(({ name }) => name), ["A", "B"])
    }))
})

describe("Shared work", () => {
  it.scoped("runs with the FiberRefs of the layer, whichever caller came first", () =>
    Effect.gen(function*() {
      const { calls, secrets } = yield* ManualSource.make()
      yield* start(Effect.locally(secrets.get("A"), ManualSource.mark, "caller"))
      assert.deepStrictEqual(calls.map(({ mark }) => mark), ["layer"])
      assert.strictEqual(yield* FiberRef.get(ManualSource.mark), "layer")
    }))

  it.scoped("ends with the layer, and its callers are told why", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const { secrets } = yield* Scope.extend(ManualSource.make(), scope)
      const reading = yield* start(secrets.get("A"))
      yield* Scope.close(scope, Exit.void)
      const exit = yield* Fiber.await(reading)
      assert.isTrue(Exit.isFailure(exit) && Cause.isDie(exit.cause) && !Cause.isInterrupted(exit.cause))
      assert.include(String(exit), "has been released")
    }))

  it.scoped("asks no ConfigProvider that is made from the secrets themselves", () =>
    Effect.gen(function*() {
      const source = yield* ManualSource.make({ fallback: true })
      yield* answerAll(source, () => Exit.succeed({}))
      const provider = ConfigProvider.fromFlat(ConfigProvider.makeFlat({
        load: (path, config) =>
          Effect.flatMap(
            Effect.orDie(source.secrets.get(path.join("_"))),
            (secret) => Effect.map(config.parse(Redacted.value(secret.value)), (parsed) => [parsed])
          ),
        enumerateChildren: () => Effect.dieMessage("not in this test"),
        patch: { _tag: "Empty" }
      }))
      const error = yield* Effect.flip(source.secrets.get("NO_SUCH_NAME")).pipe(Effect.withConfigProvider(provider))
      assert.include(error, { _tag: "NotFoundError" })
    }))
})

describe("The clock", () => {
  it.scoped("that was ahead makes no answer live for longer: it is fetched again", () =>
    Effect.gen(function*() {
      const source = yield* ManualSource.make()
      yield* TestClock.setTime(86_400_000)
      yield* answerAll(source, () => answered)
      yield* source.secrets.get("A")
      yield* TestClock.setTime(1000)
      yield* source.secrets.get("A")
      assert.strictEqual(source.calls.length, 2)
      yield* source.secrets.get("A")
      assert.strictEqual(source.calls.length, 2)
    }))

  it.scoped("that is set back by little makes everything expire, since its age is unknown", () =>
    Effect.gen(function*() {
      const source = yield* ManualSource.make()
      yield* answerAll(source, () => answered)
      yield* TestClock.setTime(10_000)
      yield* source.secrets.get("A")
      yield* TestClock.setTime(100_000)
      yield* source.secrets.get("A")
      assert.strictEqual(source.calls.length, 1)
      yield* TestClock.setTime(99_000)
      yield* source.secrets.get("A")
      assert.strictEqual(source.calls.length, 2)
    }))
})

describe("A watch", () => {
  const watching = (source: ManualSource.ManualSource, name: string, environment = "dev") =>
    Effect.gen(function*() {
      const seen: Array<string> = []
      yield* source.secrets.watch(name, { environment }).pipe(
        Stream.runForEach((secret) => Effect.sync(() => void seen.push(value(secret)))),
        Effect.forkScoped
      )
      yield* settle
      return seen
    })

  it.scoped("keeps its location up to date although refresh is off", () =>
    Effect.gen(function*() {
      const source = yield* ManualSource.make()
      let current = "a"
      yield* answerAll(source, () => Exit.succeed({ A: current }))
      const seen = yield* watching(source, "A")
      current = "b"
      yield* advance("5 minutes")
      assert.deepStrictEqual(seen, ["a", "b"])
    }))

  it.scoped("goes on while the location is refused, and sees a folder that is created later", () =>
    Effect.gen(function*() {
      const source = yield* ManualSource.make()
      let current: Exit.Exit<Readonly<Record<string, string>>, InfisicalError.ReadError> = answered
      yield* answerAll(source, () => current)
      const seen = yield* watching(source, "A")
      current = missingFolder
      yield* advance("1 hour")
      const requests = source.calls.length
      assert.isAbove(requests, 10)
      current = Exit.succeed({ A: "later" })
      yield* advance("5 minutes")
      assert.deepStrictEqual(seen, ["a", "later"])
    }))

  it.scoped("of several locations outlasts a capacity of one", () =>
    Effect.gen(function*() {
      const source = yield* ManualSource.make({ cacheCapacity: 1 })
      let current = "a"
      yield* answerAll(source, () => Exit.succeed({ A: current }))
      const one = yield* watching(source, "A", "dev")
      const other = yield* watching(source, "A", "prod")
      yield* source.secrets.list({ environment: "test" })
      current = "b"
      yield* advance("5 minutes")
      assert.deepStrictEqual([one, other], [["a", "b"], ["a", "b"]])
    }))

  it.scoped("ends its requests with its scope", () =>
    Effect.gen(function*() {
      const source = yield* ManualSource.make()
      yield* answerAll(source, () => answered)
      yield* Effect.scoped(Effect.zipRight(watching(source, "A"), advance("10 minutes")))
      const requests = source.calls.length
      assert.isAbove(requests, 1)
      yield* advance("1 hour")
      assert.isAtMost(source.calls.length, requests + 1)
    }))
})

describe("An outage", () => {
  it.scoped("is retried with pauses although a fetch dies", () =>
    Effect.gen(function*() {
      const source = yield* ManualSource.make({ refresh: Schedule.spaced("4 minutes") })
      let current: Exit.Exit<Readonly<Record<string, string>>, InfisicalError.ReadError> = answered
      yield* answerAll(source, () => current)
      yield* source.secrets.get("A")
      current = Exit.fail(unreachable)
      yield* advance("5 minutes")
      current = Exit.die("anything")
      const before = source.calls.length
      for (let minute = 0; minute < 10; minute++) yield* advance("1 minute")
      assert.isAtMost(source.calls.length - before, 20)
      current = Exit.succeed({ A: "back" })
      yield* advance("2 minutes")
      assert.strictEqual(value(yield* source.secrets.get("A")), "back")
    }))

  it.scoped("does not last longer the more writers there are, however slowly their reads fail", () =>
    Effect.gen(function*() {
      const source = yield* ManualSource.make({ refresh: Schedule.spaced("4 minutes") })
      const { calls, secrets, writes } = source
      const unknown = new InfisicalError.NetworkError({
        reason: "Timeout",
        endpoint: "PATCH /",
        mayHaveBeenApplied: true
      })
      // For three seconds three writers fail each tenth of a second, and reads hang.
      for (let tenth = 0; tenth < 30; tenth++) {
        yield* Effect.forEach(["A", "B", "C"], (name) => Effect.fork(secrets.update(name, Redacted.make("new"))))
        yield* settle
        for (const write of writes.slice(-3)) yield* write.end(Exit.fail(unknown))
        yield* Effect.fork(secrets.get("A"))
        yield* advance("100 millis")
      }
      const hanging = calls.length
      yield* answerAll(source, () => Exit.succeed({ A: "back" }))
      for (const call of calls.slice(0, hanging)) yield* call.end(Exit.fail(unreachable))
      yield* advance("2 seconds")
      assert.strictEqual(value(yield* secrets.get("A")), "back")
      assert.isAtMost(calls.length - hanging, 2)
    }))
})

describe("A refresh", () => {
  it.scoped("is not put off by writes", () =>
    Effect.gen(function*() {
      const source = yield* ManualSource.make({ refresh: Schedule.spaced("3 minutes") })
      const { calls, secrets, writes } = source
      yield* answerAll(source, () => answered)
      yield* secrets.get("A")
      for (let minute = 0; minute < 9; minute++) {
        const updating = yield* start(secrets.update("A", Redacted.make("new")))
        yield* writes.at(-1)?.end(Exit.void) ?? Effect.void
        yield* Fiber.join(updating)
        yield* advance("1 minute")
      }
      assert.strictEqual(calls.length, 4)
    }))
})

describe("What is bounded", () => {
  it.scoped("interrupted reads leave nothing in the cache", () =>
    Effect.gen(function*() {
      const { cache, calls, secrets } = yield* ManualSource.make({ cacheCapacity: 10 })
      for (let index = 0; index < 100; index++) {
        const reading = yield* start(secrets.list({ secretPath: `/folder${index}` }))
        yield* Fiber.interrupt(reading)
      }
      yield* settle
      const before = calls.length
      yield* start(cache.refreshAll)
      assert.strictEqual(calls.length, before)
    }))

  it.scoped("a subscriber that does not pull holds no more locations than the cache", () =>
    Effect.gen(function*() {
      const source = yield* ManualSource.make({ cacheCapacity: 10 })
      yield* answerAll(source, () => answered)
      const transitions = yield* source.cache.transitions()
      for (let index = 0; index < 100; index++) yield* source.secrets.list({ secretPath: `/folder${index}` })
      const unseen = yield* transitions
      assert.strictEqual(unseen.length, 10)
      assert.strictEqual(unseen.at(-1)?.current.location.secretPath, "/folder99")
    }))

  it.scoped("an old version is not refreshed, since it never changes", () =>
    Effect.gen(function*() {
      const source = yield* ManualSource.make({ refresh: Schedule.spaced("4 minutes") })
      yield* answerAll(source, () => answered)
      yield* Effect.exit(source.secrets.get("A", { version: 1 }))
      for (let minute = 0; minute < 60; minute++) yield* advance("1 minute")
      assert.strictEqual(source.calls.length, 1)
    }))
})

describe("A sealed snapshot", () => {
  it.scoped("is returned in an outage, and is no previous answer of the server", () =>
    Effect.gen(function*() {
      const source = yield* ManualSource.make({ refresh: Schedule.spaced("4 minutes") }, {
        load: (location) =>
          Effect.succeedSome(Snapshot.make({
            location,
            source: "sealed",
            fetchedAt: at(0),
            etag: Option.none(),
            content: content({ A: "sealed" }),
            staleBecause: Option.none(),
            expand: Option.none()
          }))
      })
      const { calls, secrets } = source
      let current: Exit.Exit<Readonly<Record<string, string>>, InfisicalError.ReadError> = Exit.fail(unreachable)
      yield* answerAll(source, () => current)
      const sealed = yield* secrets.get("A")
      assert.strictEqual(`${value(sealed)} ${sealed.source}`, "sealed sealed")
      current = answered
      yield* advance("2 seconds")
      assert.strictEqual(value(yield* secrets.get("A")), "a")
      yield* advance("5 minutes")
      assert.deepStrictEqual(calls.slice(0, 3).map(({ hasPrevious }) => hasPrevious), [false, false, true])
    }))
})

describe("A warm read", () => {
  it.scoped("with options gives the same secret each time, without a fetch", () =>
    Effect.gen(function*() {
      const source = yield* ManualSource.make()
      yield* answerAll(source, () => answered)
      const options = { environment: "prod", secretPath: "/app", type: "shared" } as const
      const first = yield* source.secrets.get("A", options)
      assert.strictEqual(yield* source.secrets.get("A", { ...options }), first)
      assert.strictEqual(source.calls.length, 1)
    }))

  it.scoped("with options of one location gives nothing of another", () =>
    Effect.gen(function*() {
      const source = yield* ManualSource.make()
      const { calls, secrets } = source
      yield* answerAll(source, () => Exit.succeed({ A: `value ${calls.length}` }))
      const variants = [
        {},
        { environment: "prod" },
        { secretPath: "/app" },
        { includeImports: false },
        { expandReferences: false },
        { environment: "prod", secretPath: "/app", includeImports: false, expandReferences: false }
      ]
      const first = yield* Effect.forEach(variants, (options) => Effect.map(secrets.get("A", options), value))
      assert.strictEqual(new Set(first).size, variants.length)
      const second = yield* Effect.forEach(variants, (options) => Effect.map(secrets.get("A", options), value))
      assert.deepStrictEqual(second, first)
      const recursive = yield* secrets.list({ recursive: true })
      assert.notInclude(first, value(recursive.secrets[0] ?? { value: Redacted.make("") }))
    }))

  it.scoped("gives the same list as long as nothing changed", () =>
    Effect.gen(function*() {
      const source = yield* ManualSource.make()
      yield* answerAll(source, () => answered)
      const first = yield* source.secrets.list()
      assert.strictEqual(yield* source.secrets.list(), first)
      const updating = yield* start(source.secrets.update("A", Redacted.make("new")))
      yield* source.writes[0]?.end(Exit.void) ?? Effect.void
      yield* Fiber.join(updating)
      const second = yield* source.secrets.list()
      assert.deepStrictEqual(second.secrets.map(value), ["new"])
    }))
})

describe("A fallback", () => {
  const environment = ConfigProvider.fromMap(new Map([["A", "from the environment"], ["EMPTY", ""]]))

  it.scoped("serves what is unreachable for any reason, and nothing that is refused", () =>
    Effect.gen(function*() {
      for (
        const [expected, error] of [
          ["fallback", unreachable],
          ["fallback", new InfisicalError.UnexpectedResponseError({ endpoint: "GET /", status: 200, problem: "HTML" })],
          ["fallback", new InfisicalError.InvalidRequestError({ parameter: "siteUrl", problem: "redirects" })],
          ["fallback", new InfisicalError.InvalidCredentialError({ part: "jwt", problem: "cannot be read" })],
          ["PermissionError", new InfisicalError.PermissionError({ endpoint: "GET /", problem: "scope" })],
          ["DecryptError", new InfisicalError.DecryptError({ subject: "project key", problem: "other key" })]
        ] as const
      ) {
        const source = yield* Effect.withConfigProvider(ManualSource.make({ fallback: true }), environment)
        yield* answerAll(source, () => Exit.fail(error))
        const exit = yield* Effect.exit(source.secrets.get("A"))
        assert.strictEqual(
          Exit.match(exit, {
            onSuccess: ({ source }) => source,
            onFailure: (cause) => Option.getOrUndefined(Cause.failureOption(cause))?._tag
          }),
          expected
        )
      }
    }))

  it.scoped("is logged once for each name", () =>
    Effect.gen(function*() {
      const logged: Array<string> = []
      const logger = Logger.make(({ message }) => void logged.push(String(message)))
      const both = ConfigProvider.fromMap(new Map([["A", "planted0 a"], ["B", "planted0 b"]]))
      yield* Effect.gen(function*() {
        const source = yield* Effect.withConfigProvider(ManualSource.make({ fallback: true }), both)
        yield* answerAll(source, () => Exit.succeed({}))
        for (const name of ["A", "B", "A", "A", "B"]) yield* source.secrets.get(name)
      }).pipe(Effect.provide(Logger.replace(Logger.defaultLogger, logger)))
      assert.deepStrictEqual(logged.map((line) => line.slice(0, 10)), ["Secret \"A\"", "Secret \"B\""])
    }))

  it.scoped("takes an empty variable for none", () =>
    Effect.gen(function*() {
      const source = yield* Effect.withConfigProvider(ManualSource.make({ fallback: true }), environment)
      yield* answerAll(source, () => Exit.succeed({}))
      assert.include(yield* Effect.flip(source.secrets.get("EMPTY")), { _tag: "NotFoundError" })
    }))
})

describe("A call", () => {
  it.scoped("ends at its deadline, in an uninterruptible region, too", () =>
    Effect.gen(function*() {
      const { secrets } = yield* ManualSource.make({ retry: { deadline: "3 seconds" } })
      for (
        const call of [
          secrets.get("A"),
          secrets.get("A", { version: 1 }),
          secrets.list(),
          secrets.refresh(),
          secrets.refresh({}),
          secrets.create("A", Redacted.make("a")),
          secrets.update("A", Redacted.make("a")),
          secrets.annotate("A", { comment: "new" }),
          secrets.upsert("A", Redacted.make("a")),
          secrets.rename("A", "B"),
          secrets.delete("A")
        ]
      ) {
        const done = yield* Deferred.make<string>()
        yield* Effect.asVoid<
          unknown,
          InfisicalError.ReadError | InfisicalError.WriteError | InfisicalError.AlreadyExistsError,
          never
        >(call).pipe(
          Effect.matchEffect({
            onFailure: (error) => Deferred.succeed(done, error._tag),
            onSuccess: () => Deferred.succeed(done, "success")
          }),
          Effect.uninterruptible,
          Effect.forkDaemon
        )
        yield* settle
        yield* advance("3100 millis")
        assert.isTrue(yield* Deferred.isDone(done))
        assert.include(["NetworkError", "success"], yield* Deferred.await(done))
      }
    }))
})
