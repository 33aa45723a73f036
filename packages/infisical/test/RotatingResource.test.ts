import { assert, describe, it } from "@effect/vitest"
import {
  Cause,
  Context,
  Deferred,
  Effect,
  Exit,
  FastCheck,
  Fiber,
  FiberRef,
  Logger,
  Option,
  Redacted,
  Ref,
  Schedule,
  Scope,
  TestClock,
  Tracer
} from "effect"
import { RotatingResource, Secrets } from "effect-infisical"
import { run, Simulation, value } from "./Simulation.js"
import { settle } from "./support/settle.js"

const every3Minutes = { refresh: Schedule.spaced("3 minutes") }

/** Pools of a password. They log when they are opened and closed. Some passwords are refused. */
const pools = Effect.gen(function*() {
  const log = yield* Ref.make<ReadonlyArray<string>>([])
  const refused = yield* Ref.make<ReadonlySet<string>>(new Set())
  const note = (line: string) => Ref.update(log, (all) => [...all, line])
  const acquire = (secret: { readonly value: Redacted.Redacted<string> }) =>
    Effect.gen(function*() {
      const password = value(secret)
      if ((yield* Ref.get(refused)).has(password)) {
        yield* note(`refused ${password}`)
        return yield* Effect.fail("refused" as const)
      }
      return yield* Effect.acquireRelease(
        Effect.as(note(`opened ${password}`), { password }),
        () => note(`closed ${password}`)
      )
    })
  return {
    acquire,
    refuse: (passwords: ReadonlyArray<string>) => Ref.set(refused, new Set(passwords)),
    log: Ref.get(log)
  }
})

describe("A rotating resource", () => {
  class Pool extends Context.Tag("test/Pool")<
    Pool,
    RotatingResource.RotatingResource<{ readonly password: string }>
  >() {}

  it.scoped("can be a layer, which releases it", () =>
    Effect.gen(function*() {
      const { advance, emulator, settle } = yield* Simulation
      const { acquire, log } = yield* pools
      const password = Effect.flatMap(Pool, (pool) => pool.use(({ password }) => Effect.succeed(password)))
      yield* Effect.gen(function*() {
        yield* settle
        assert.strictEqual(yield* password, "old")
        yield* emulator.setSecret({ name: "PASSWORD", value: "new" })
        yield* advance("3 minutes")
        assert.strictEqual(yield* password, "new")
      }).pipe(Effect.provide(RotatingResource.layer(Pool, { name: "PASSWORD", acquire })))
      assert.deepStrictEqual(yield* log, ["opened old", "opened new", "closed old", "closed new"])
    }).pipe(run({ secrets: { PASSWORD: "old" } }, every3Minutes)))

  it.scoped("is rebuilt when its secret rotates: the new one opens before the old one closes", () =>
    Effect.gen(function*() {
      const { advance, emulator, settle } = yield* Simulation
      const { acquire, log } = yield* pools
      const pool = yield* RotatingResource.make({ name: "PASSWORD", acquire })
      yield* settle
      assert.strictEqual(yield* pool.use(({ password }) => Effect.succeed(password)), "old")
      yield* emulator.setSecret({ name: "PASSWORD", value: "new" })
      yield* advance("3 minutes")
      assert.strictEqual(yield* pool.use(({ password }) => Effect.succeed(password)), "new")
      assert.deepStrictEqual(yield* log, ["opened old", "opened new", "closed old"])
      yield* advance("1 hour", "3 minutes")
      assert.deepStrictEqual(yield* log, ["opened old", "opened new", "closed old"])
    }).pipe(run({ secrets: { PASSWORD: "old" } }, every3Minutes)))

  it.scoped("lets those who are using the old one finish on it", () =>
    Effect.gen(function*() {
      const { advance, emulator, settle } = yield* Simulation
      const { acquire, log } = yield* pools
      const pool = yield* RotatingResource.make({ name: "PASSWORD", acquire })
      const finish = yield* Deferred.make<void>()
      const using = yield* Effect.fork(pool.use(({ password }) => Effect.as(Deferred.await(finish), password)))
      yield* settle
      yield* emulator.setSecret({ name: "PASSWORD", value: "new" })
      yield* advance("3 minutes")
      assert.deepStrictEqual(yield* log, ["opened old", "opened new"])
      assert.strictEqual(yield* Effect.scoped(Effect.map(pool.get, ({ password }) => password)), "new")
      yield* Deferred.succeed(finish, undefined)
      assert.strictEqual(yield* Fiber.join(using), "old")
      yield* settle
      assert.deepStrictEqual(yield* log, ["opened old", "opened new", "closed old"])
    }).pipe(run({ secrets: { PASSWORD: "old" } }, every3Minutes)))

  it.scoped("stays the old one while the new one cannot be built, which is tried again", () =>
    Effect.gen(function*() {
      const { advance, emulator, settle } = yield* Simulation
      const { acquire, log, refuse } = yield* pools
      const pool = yield* RotatingResource.make({ name: "PASSWORD", acquire })
      yield* settle
      yield* refuse(["new"])
      yield* emulator.setSecret({ name: "PASSWORD", value: "new" })
      yield* advance("3 minutes")
      yield* advance("1 minutes", "5 seconds")
      assert.strictEqual(yield* pool.use(({ password }) => Effect.succeed(password)), "old")
      assert.include(yield* log, "refused new")
      assert.notInclude(yield* log, "closed old")
      yield* refuse([])
      yield* advance("1 minutes", "5 seconds")
      assert.strictEqual(yield* pool.use(({ password }) => Effect.succeed(password)), "new")
      assert.deepStrictEqual((yield* log).slice(-2), ["opened new", "closed old"])
    }).pipe(run({ secrets: { PASSWORD: "old" } }, every3Minutes)))

  it.scoped("gives up on a value that cannot be used when a newer one comes", () =>
    Effect.gen(function*() {
      const { advance, emulator, settle } = yield* Simulation
      const { acquire, log, refuse } = yield* pools
      yield* RotatingResource.make({ name: "PASSWORD", acquire })
      yield* settle
      yield* refuse(["bad"])
      yield* emulator.setSecret({ name: "PASSWORD", value: "bad" })
      yield* advance("3 minutes")
      yield* emulator.setSecret({ name: "PASSWORD", value: "good" })
      yield* advance("3 minutes", "10 seconds")
      const before = (yield* log).filter((line) => line === "refused bad").length
      yield* advance("10 minutes", "10 seconds")
      assert.strictEqual((yield* log).filter((line) => line === "refused bad").length, before)
      assert.deepStrictEqual((yield* log).slice(-2), ["opened good", "closed old"])
    }).pipe(run({ secrets: { PASSWORD: "old" } }, every3Minutes)))

  it.scoped("stays the old one while the new one dies being built, which is tried again", () =>
    Effect.gen(function*() {
      const { advance, emulator, settle } = yield* Simulation
      const pool = yield* RotatingResource.make({
        name: "PASSWORD",
        acquire: (secret) => value(secret) === "bad" ? Effect.dieMessage("invalid URL") : Effect.succeed(value(secret))
      })
      yield* settle
      yield* emulator.setSecret({ name: "PASSWORD", value: "bad" })
      yield* advance("4 minutes", "30 seconds")
      assert.strictEqual(yield* pool.use(Effect.succeed), "old")
      yield* emulator.setSecret({ name: "PASSWORD", value: "good" })
      yield* advance("4 minutes", "30 seconds")
      assert.strictEqual(yield* pool.use(Effect.succeed), "good")
    }).pipe(run({ secrets: { PASSWORD: "old" } }, every3Minutes)))

  it.scoped("goes on rotating where an old one dies being released, and its last user does not notice", () =>
    Effect.gen(function*() {
      const { advance, emulator, settle } = yield* Simulation
      const pool = yield* RotatingResource.make({
        name: "PASSWORD",
        acquire: (secret) =>
          Effect.acquireRelease(
            Effect.succeed(value(secret)),
            (password) => password === "last" ? Effect.void : Effect.dieMessage("it cannot be closed")
          )
      })
      yield* settle
      yield* emulator.setSecret({ name: "PASSWORD", value: "second" })
      yield* advance("4 minutes", "30 seconds")
      const finish = yield* Deferred.make<void>()
      const using = yield* Effect.fork(pool.use((password) => Effect.as(Deferred.await(finish), password)))
      yield* settle
      yield* emulator.setSecret({ name: "PASSWORD", value: "last" })
      yield* advance("4 minutes", "30 seconds")
      yield* Deferred.succeed(finish, undefined)
      assert.strictEqual(yield* Fiber.join(using), "second")
      assert.strictEqual(yield* pool.use(Effect.succeed), "last")
    }).pipe(run({ secrets: { PASSWORD: "old" } }, every3Minutes)))

  it.effect("fails to be made as its secret and its acquisition do, and closes with its scope", () =>
    Effect.gen(function*() {
      const { acquire, log, refuse } = yield* pools
      assert.include(yield* Effect.flip(Effect.scoped(RotatingResource.make({ name: "NONE", acquire }))), {
        _tag: "NotFoundError"
      })
      yield* refuse(["old"])
      assert.strictEqual(
        yield* Effect.flip(Effect.scoped(RotatingResource.make({ name: "PASSWORD", acquire }))),
        "refused"
      )
      yield* refuse([])
      const exit = yield* Effect.exit(Effect.scoped(RotatingResource.make({ name: "PASSWORD", acquire })))
      assert.isTrue(Exit.isSuccess(exit))
      assert.deepStrictEqual(yield* log, ["refused old", "opened old", "closed old"])
    }).pipe(run({ secrets: { PASSWORD: "old" } })))
})

/** A client in memory. Its own writes are changes like those of others. */
const inMemory = Secrets.layerTest({ PASSWORD: "0" }, { refresh: false })

const rotate = (password: string) =>
  Effect.flatMap(Secrets.Secrets, (secrets) => secrets.update("PASSWORD", Redacted.make(password))).pipe(
    Effect.zipRight(settle)
  )

/** Collects the messages of the log. */
const logged = Effect.map(Ref.make<ReadonlyArray<string>>([]), (lines) => ({
  lines: Ref.get(lines),
  layer: Logger.replace(
    Logger.defaultLogger,
    Logger.make(({ message }) => {
      Effect.runSync(Ref.update(lines, (all) => [...all, String(message)]))
    })
  )
}))

const spanName = (span: Tracer.AnySpan) => span._tag === "Span" ? span.name : span._tag

const openScope = Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))

describe("A rotating resource", () => {
  it.effect("keeps rotating while the release of an earlier one never ends, and nobody waits for it", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const releasing = yield* Ref.make<ReadonlyArray<string>>([])
      const pool = yield* RotatingResource.make({
        name: "PASSWORD",
        acquire: (secret) =>
          Effect.acquireRelease(
            Effect.succeed(value(secret)),
            (password) => Effect.zipRight(Ref.update(releasing, (all) => [...all, password]), Effect.never)
          )
      }).pipe(Scope.extend(scope))
      const finish = yield* Deferred.make<void>()
      const using = yield* Effect.fork(pool.use((password) => Effect.as(Deferred.await(finish), password)))
      yield* settle
      yield* rotate("1")
      yield* Deferred.succeed(finish, undefined)
      yield* settle
      assert.deepStrictEqual(yield* Fiber.poll(using), Option.some(Exit.succeed("0")))
      yield* rotate("2")
      assert.strictEqual(yield* pool.use(Effect.succeed), "2")
      assert.deepStrictEqual(yield* Ref.get(releasing), ["0", "1"])
    }).pipe(Effect.provide(inMemory)))

  it.scoped("closes in bounded time while releases never end, and logs a warning", () =>
    Effect.gen(function*() {
      const { layer, lines } = yield* logged
      yield* Effect.gen(function*() {
        const scope = yield* Scope.make()
        yield* RotatingResource.make({
          name: "PASSWORD",
          acquire: (secret) => Effect.acquireRelease(Effect.succeed(value(secret)), () => Effect.never)
        }).pipe(Scope.extend(scope))
        yield* rotate("1")
        const closing = yield* Effect.fork(Scope.close(scope, Exit.void))
        yield* settle
        assert.isTrue(Option.isNone(yield* Fiber.poll(closing)))
        yield* TestClock.adjust(RotatingResource.releaseTimeout)
        yield* settle
        assert.deepStrictEqual(yield* Fiber.poll(closing), Option.some(Exit.void))
      }).pipe(Effect.provide(layer))
      assert.deepStrictEqual(yield* lines, [
        `Rotated the resource built from secret "PASSWORD"`,
        `Releasing a resource built from secret "PASSWORD" has not ended within 5s; it continues in the background`
      ])
    }).pipe(Effect.provide(inMemory)))

  it.scoped("waits at the end of its scope for callers that use it, in bounded time", () =>
    Effect.gen(function*() {
      const { layer, lines } = yield* logged
      yield* Effect.gen(function*() {
        for (const isPatient of [true, false]) {
          const { acquire, log } = yield* pools
          const scope = yield* Scope.make()
          const pool = yield* Scope.extend(RotatingResource.make({ name: "PASSWORD", acquire }), scope)
          const finish = yield* Deferred.make<void>()
          const using = yield* Effect.fork(pool.use(() => Deferred.await(finish)))
          yield* settle
          const closing = yield* Effect.fork(Scope.close(scope, Exit.void))
          yield* settle
          assert.deepStrictEqual(yield* log, ["opened 0"])
          if (isPatient) yield* Deferred.succeed(finish, undefined)
          else yield* TestClock.adjust(RotatingResource.useTimeout)
          yield* settle
          assert.deepStrictEqual(yield* log, ["opened 0", "closed 0"])
          yield* Fiber.join(closing)
          yield* Fiber.interrupt(using)
          assert.deepStrictEqual(yield* log, ["opened 0", "closed 0"])
        }
      }).pipe(Effect.provide(layer))
      assert.deepStrictEqual(yield* lines, [
        `A resource built from secret "PASSWORD" is still in use 5s after its scope began to close; releasing it now`
      ])
    }).pipe(Effect.provide(inMemory)))

  it.effect("dies with an explanation when it is used after its scope was closed", () =>
    Effect.gen(function*() {
      const { acquire } = yield* pools
      const pool = yield* Effect.scoped(RotatingResource.make({ name: "PASSWORD", acquire }))
      for (const use of [pool.use(Effect.succeed), Effect.scoped(pool.get)]) {
        const exit = yield* Effect.exit(use)
        assert.strictEqual(
          Exit.isFailure(exit) && Cause.isDie(exit.cause) ? Cause.pretty(exit.cause).split("\n")[0] : "none",
          `RuntimeException: The resource built from secret "PASSWORD" was used after the scope of its RotatingResource was closed. ` +
            `Keep that scope open for as long as the resource is used.`
        )
      }
    }).pipe(Effect.provide(inMemory)))

  it.scoped("says when it rotated, and when it retries a build, without the value", () =>
    Effect.gen(function*() {
      const { layer, lines } = yield* logged
      yield* Effect.gen(function*() {
        const { acquire, refuse } = yield* pools
        yield* refuse(["planted0"])
        yield* RotatingResource.make({ name: "PASSWORD", acquire })
        yield* rotate("planted0")
        yield* rotate("1")
      }).pipe(Effect.provide(layer))
      const [failed, ...rest] = yield* lines
      assert.match(
        failed ?? "",
        /^Building the resource from the new value of secret "PASSWORD" failed; keeping the current one, retrying in [01]\.\d s$/
      )
      assert.deepStrictEqual(rest, [`Rotated the resource built from secret "PASSWORD"`])
    }).pipe(Effect.provide(inMemory)))

  it.scoped("builds and releases with the context of make, never with that of a caller", () =>
    Effect.gen(function*() {
      class Owner extends Context.Reference<Owner>()("test/Owner", { defaultValue: () => "nobody" }) {}
      const label = yield* FiberRef.make("none")
      const seen = yield* Ref.make<ReadonlyArray<string>>([])
      const note = (event: string) =>
        Effect.gen(function*() {
          const owner = yield* Owner
          const labelled = yield* FiberRef.get(label)
          const span = yield* Effect.serviceOption(Tracer.ParentSpan)
          const line = [event, owner, labelled, ...Option.toArray(span).map(spanName)].join(" ")
          yield* Ref.update(seen, (all) => [...all, line])
        })
      const as = (who: string) => <A, E, R>(effect: Effect.Effect<A, E, R>) =>
        effect.pipe(Effect.provideService(Owner, who), Effect.locally(label, who), Effect.withSpan(who))
      const pool = yield* RotatingResource.make({
        name: "PASSWORD",
        acquire: (secret) => Effect.acquireRelease(note(`open ${value(secret)}`), () => note(`close ${value(secret)}`))
      }).pipe(as("maker"))
      const finish = yield* Deferred.make<void>()
      const using = yield* Effect.fork(as("caller")(pool.use(() => Deferred.await(finish))))
      yield* settle
      yield* as("writer")(rotate("1"))
      yield* Deferred.succeed(finish, undefined)
      yield* Fiber.join(using)
      yield* settle
      assert.deepStrictEqual(yield* Ref.get(seen), [
        "open 0 maker maker maker",
        "open 1 maker maker",
        "close 0 maker maker maker"
      ])
    }).pipe(Effect.provide(inMemory)))

  for (const region of ["interruptible", "uninterruptible"] as const) {
    it.scoped(`is replaced by a newer value while the ${region} acquisition of a value hangs`, () =>
      Effect.gen(function*() {
        const arrive = yield* Deferred.make<void>()
        const { acquire, log } = yield* pools
        const pool = yield* RotatingResource.make({
          name: "PASSWORD",
          acquire: (secret) => {
            const opening = value(secret) === "hanging"
              ? Effect.zipRight(Deferred.await(arrive), acquire(secret))
              : acquire(secret)
            return region === "uninterruptible" ? Effect.uninterruptible(opening) : opening
          }
        })
        yield* rotate("hanging")
        assert.strictEqual(yield* pool.use(({ password }) => Effect.succeed(password)), "0")
        yield* rotate("2")
        assert.strictEqual(yield* pool.use(({ password }) => Effect.succeed(password)), "2")
        yield* Deferred.succeed(arrive, undefined)
        yield* settle
        assert.strictEqual(yield* pool.use(({ password }) => Effect.succeed(password)), "2")
        assert.deepStrictEqual(yield* log, [
          "opened 0",
          "opened 2",
          "closed 0",
          ...region === "uninterruptible" ? ["opened hanging", "closed hanging"] : []
        ])
      }).pipe(Effect.provide(inMemory)))
  }
})

/** What the acquisition of a value does, and the release of what it gave. */
const behaviour = FastCheck.record({
  acquire: FastCheck.constantFrom("ok", "ok", "fails", "dies", "hangs", "hangs uninterruptibly"),
  release: FastCheck.constantFrom("ok", "ok", "dies", "hangs")
})

const step = FastCheck.oneof(
  { weight: 5, arbitrary: FastCheck.record({ _tag: FastCheck.constant("Rotate" as const), behaviour }) },
  { weight: 1, arbitrary: FastCheck.record({ _tag: FastCheck.constant("RotateBack" as const) }) },
  { weight: 4, arbitrary: FastCheck.record({ _tag: FastCheck.constant("BeginUse" as const) }) },
  {
    weight: 5,
    arbitrary: FastCheck.record({
      _tag: FastCheck.constant("EndUse" as const),
      index: FastCheck.nat({ max: 5 })
    })
  },
  { weight: 2, arbitrary: FastCheck.record({ _tag: FastCheck.constant("Unhang" as const) }) },
  {
    weight: 2,
    arbitrary: FastCheck.record({
      _tag: FastCheck.constant("Wait" as const),
      seconds: FastCheck.integer({ min: 1, max: 20 })
    })
  },
  { weight: 1, arbitrary: FastCheck.record({ _tag: FastCheck.constant("Close" as const) }) }
)

type ValueOf<A> = A extends FastCheck.Arbitrary<infer B> ? B : never
type Step = ValueOf<typeof step>

interface Built {
  readonly value: string
  users: number
  releases: number
}

/** Runs the steps. Checks after each what is in use, and at last how often each resource was released. */
const play = (steps: ReadonlyArray<Step>) =>
  Effect.gen(function*() {
    const secrets = yield* Secrets.Secrets
    const scope = yield* openScope
    const behaviours = new Map<string, ValueOf<typeof behaviour>>()
    const built: Array<Built> = []
    const problems: Array<string> = []
    const uses: Array<Fiber.RuntimeFiber<void>> = []
    const state = { expected: "0", pending: "0", closedFor: -1, hangs: true }
    let finish = yield* Deferred.make<void>()

    const hang = Effect.suspend(() => state.hangs ? Deferred.await(finish) : Effect.void)
    const of = (value: string) => behaviours.get(value) ?? { acquire: "ok", release: "ok" }
    const open = (value: string) =>
      Effect.acquireRelease(
        Effect.sync(() => {
          const one: Built = { value, users: 0, releases: 0 }
          built.push(one)
          return one
        }),
        (one) =>
          Effect.suspend(() => {
            one.releases += 1
            if (one.users > 0 && state.closedFor < 5) problems.push(`${value} was released in use`)
            const { release } = of(value)
            return release === "dies" ? Effect.dieMessage("cannot close") : release === "hangs" ? hang : Effect.void
          })
      )
    const acquire = (secret: { readonly value: Redacted.Redacted<string> }) => {
      if (state.closedFor >= 5) problems.push(`${value(secret)} was built after the end`)
      const opening = open(value(secret))
      switch (of(value(secret)).acquire) {
        case "fails":
          return Effect.zipRight(opening, Effect.fail("cannot open"))
        case "dies":
          return Effect.zipRight(opening, Effect.dieMessage("cannot open"))
        case "hangs":
          return Effect.zipLeft(opening, hang)
        case "hangs uninterruptibly":
          return Effect.uninterruptible(Effect.zipRight(hang, opening))
        default:
          return opening
      }
    }
    const pool = yield* Scope.extend(RotatingResource.make({ name: "PASSWORD", acquire }), scope)
    const use = pool.use((one) =>
      Effect.acquireUseRelease(
        Effect.sync(() => void (one.users += 1)),
        () => Effect.never,
        () => Effect.sync(() => void (one.users -= 1))
      )
    )
    const unhang = Effect.gen(function*() {
      const done = finish
      finish = yield* Deferred.make<void>()
      yield* Deferred.succeed(done, undefined)
    })
    const wait = (seconds: number) =>
      Effect.replicateEffect(
        Effect.zipRight(
          Effect.suspend(() => {
            if (state.closedFor >= 0) state.closedFor += 5
            return TestClock.adjust("5 seconds")
          }),
          settle
        ),
        Math.ceil(seconds / 5),
        { discard: true }
      )
    const close = Effect.suspend(() => {
      if (state.closedFor >= 0) return Effect.void
      state.closedFor = 0
      return Effect.asVoid(Effect.forkDaemon(Scope.close(scope, Exit.void)))
    })
    const isOpen = () => state.closedFor < 0

    const perform = (step: Step) =>
      Effect.gen(function*() {
        switch (step._tag) {
          case "Rotate": {
            const next = String(behaviours.size + 1)
            behaviours.set(next, step.behaviour)
            yield* secrets.update("PASSWORD", Redacted.make(next))
            if (!isOpen()) return
            state.pending = next
            if (step.behaviour.acquire === "ok") state.expected = next
            return
          }
          case "RotateBack": {
            yield* secrets.update("PASSWORD", Redacted.make(state.expected))
            state.pending = state.expected
            return
          }
          case "BeginUse": {
            const fiber = yield* Effect.forkDaemon(use)
            yield* settle
            const exit = yield* Fiber.poll(fiber)
            assert.strictEqual(Option.isSome(exit), !isOpen(), "whether it is closed")
            if (isOpen()) uses.push(fiber)
            return
          }
          case "EndUse": {
            const [fiber] = uses.splice(step.index % Math.max(1, uses.length), 1)
            if (fiber !== undefined) yield* Fiber.interrupt(fiber)
            return
          }
          case "Unhang": {
            yield* unhang
            if (isOpen() && of(state.pending).acquire.startsWith("hangs")) state.expected = state.pending
            return
          }
          case "Wait":
            return yield* wait(step.seconds)
          case "Close":
            return yield* close
        }
      })

    for (const step of steps) {
      yield* perform(step)
      yield* settle
      if (isOpen()) assert.strictEqual(yield* pool.use(({ value }) => Effect.succeed(value)), state.expected)
      assert.isTrue(!isOpen() || built.every(({ users, releases }) => users === 0 || releases === 0))
    }
    yield* close
    state.hangs = false
    yield* unhang
    yield* wait(15)
    yield* Fiber.interruptAll(uses)
    yield* settle
    assert.deepStrictEqual(problems, [])
    assert.deepStrictEqual(built.filter(({ releases }) => releases !== 1), [])
  }).pipe(Effect.scoped, Effect.provide(inMemory))

describe("A rotating resource", () => {
  it.effect.prop(
    "is the latest that could be built, and each is released exactly once and never in use, in any interleaving",
    [FastCheck.array(step, { minLength: 5, maxLength: 30 })],
    ([steps]) => play(steps),
    { fastCheck: { numRuns: 40 } }
  )
})
