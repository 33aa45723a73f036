import { assert, describe, it } from "@effect/vitest"
import {
  Cause,
  Context,
  Deferred,
  Duration,
  Effect,
  Exit,
  Fiber,
  FiberId,
  FiberRef,
  Ref,
  Supervisor,
  TestClock
} from "effect"
import { Deadline, endAfter, remaining, within } from "../src/api/deadline.js"

const timedOut = () => "timed out" as const

const second = { duration: Duration.seconds(1), endpoint: "Secrets.get", isWrite: false }

/** Runs while the clock is moved on by a time. */
const after = <A, E>(time: Duration.DurationInput, effect: Effect.Effect<A, E>) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.fork(effect)
    yield* TestClock.adjust(time)
    return yield* Fiber.await(fiber)
  })

class Service extends Context.Tag("test/Service")<Service, string>() {}

describe("An effect that must end after a second", () => {
  const outcomes: Record<string, Exit.Exit<number, string>> = {
    "a success": Exit.succeed(1),
    "a failure": Exit.fail("no"),
    "a defect": Exit.die("broken"),
    "an interruption of its own": Exit.interrupt(FiberId.none),
    "several causes": Exit.failCause(Cause.parallel(Cause.fail("no"), Cause.die("broken")))
  }
  for (const [name, outcome] of Object.entries(outcomes)) {
    it.effect(`passes ${name} through`, () =>
      Effect.gen(function*() {
        const exit = yield* Effect.exit(endAfter(outcome, 1000, timedOut))
        assert.deepStrictEqual(exit, outcome)
        const later = yield* after("1 second", endAfter(Effect.zipRight(Effect.sleep(999), outcome), 1000, timedOut))
        assert.deepStrictEqual(later, outcome)
      }))
  }

  it.effect("fails after a second, and no earlier", () =>
    Effect.gen(function*() {
      const fiber = yield* Effect.fork(endAfter(Effect.never, 1000, timedOut))
      yield* TestClock.adjust(999)
      assert.isTrue((yield* Fiber.poll(fiber))._tag === "None")
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(yield* Fiber.await(fiber), Exit.fail("timed out"))
    }))

  it.effect("fails after a second in an uninterruptible region, too", () =>
    Effect.gen(function*() {
      const exit = yield* after("1 second", Effect.uninterruptible(endAfter(Effect.never, 1000, timedOut)))
      assert.deepStrictEqual(exit, Exit.fail("timed out"))
    }))

  it.effect("fails after a second in a finalizer, too", () =>
    Effect.gen(function*() {
      const last = yield* Ref.make<Exit.Exit<void, string> | undefined>(undefined)
      const finalizer = Effect.flatMap(
        Effect.exit(endAfter(Effect.never, 1000, timedOut)),
        (exit) => Ref.set(last, exit)
      )
      yield* after("1 second", Effect.ensuring(Effect.void, finalizer))
      assert.deepStrictEqual(yield* Ref.get(last), Exit.fail("timed out"))
    }))

  it.effect("fails after a second although the effect itself cannot be interrupted", () =>
    Effect.gen(function*() {
      const hung = Effect.uninterruptible(Effect.never)
      assert.deepStrictEqual(yield* after("1 second", endAfter(hung, 1000, timedOut)), Exit.fail("timed out"))
      assert.deepStrictEqual(
        yield* after("1 second", Effect.uninterruptible(endAfter(hung, 1000, timedOut))),
        Exit.fail("timed out")
      )
    }))

  for (
    const [name, region] of [
      ["an interruptible", Effect.interruptible],
      ["an uninterruptible", Effect.uninterruptible]
    ] as const
  ) {
    it.effect(`is interrupted at its end, and leaves no fiber behind, in ${name} region`, () =>
      Effect.gen(function*() {
        const ended = yield* Deferred.make<Exit.Exit<never>>()
        const work = Effect.onExit(Effect.never, (exit) => Deferred.succeed(ended, exit))
        yield* after("1 second", region(endAfter(work, 1000, timedOut)))
        assert.isTrue(Exit.isInterrupted(yield* Deferred.await(ended)))
      }))
  }

  it.effect("leaves no fiber behind, whichever way it ends", () =>
    Effect.gen(function*() {
      const supervisor = yield* Supervisor.track
      const run = Effect.gen(function*() {
        yield* endAfter(Effect.void, 1000, timedOut)
        yield* Effect.exit(endAfter(Effect.fail("no"), 1000, timedOut))
        yield* Effect.exit(endAfter(Effect.never, 1000, timedOut))
      })
      const caller = yield* Effect.fork(Effect.supervised(supervisor)(run))
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(caller)
      yield* Effect.yieldNow()
      assert.deepStrictEqual((yield* supervisor.value).map(String), [])
    }))

  it.effect("is interrupted with its caller, which waits for its finalizers", () =>
    Effect.gen(function*() {
      const log = yield* Ref.make<ReadonlyArray<string>>([])
      const started = yield* Deferred.make<void>()
      const work = Effect.zipRight(Deferred.succeed(started, undefined), Effect.never).pipe(
        Effect.ensuring(Effect.zipRight(Effect.sleep(100), Ref.update(log, (log) => [...log, "finalized"])))
      )
      const caller = yield* endAfter(work, 1000, timedOut).pipe(
        Effect.ensuring(Ref.update(log, (log) => [...log, "caller ended"])),
        Effect.fork
      )
      yield* Deferred.await(started)
      const exit = yield* after(100, Fiber.interrupt(caller))
      assert.isTrue(Exit.isSuccess(exit) && Exit.isInterrupted(exit.value))
      assert.deepStrictEqual(yield* Ref.get(log), ["finalized", "caller ended"])
    }))

  it.effect("does not keep an interrupted caller longer than that second", () =>
    Effect.gen(function*() {
      const started = yield* Deferred.make<void>()
      const hung = Effect.uninterruptible(Effect.zipRight(Deferred.succeed(started, undefined), Effect.never))
      const caller = yield* Effect.fork(endAfter(hung, 1000, timedOut))
      yield* Deferred.await(started)
      yield* TestClock.adjust(400)
      const interrupting = yield* Effect.fork(Fiber.interrupt(caller))
      yield* TestClock.adjust(599)
      assert.isTrue((yield* Fiber.poll(interrupting))._tag === "None")
      yield* TestClock.adjust(1)
      const exit = yield* Fiber.join(interrupting)
      assert.isTrue(Exit.isInterrupted(exit))
    }))

  it.effect("is finished although its caller is interrupted, if the caller's region is uninterruptible", () =>
    Effect.gen(function*() {
      const done = yield* Ref.make(false)
      const started = yield* Deferred.make<void>()
      const work = Deferred.succeed(started, undefined).pipe(
        Effect.zipRight(Effect.sleep(500)),
        Effect.zipRight(Ref.set(done, true))
      )
      const caller = yield* Effect.fork(Effect.uninterruptible(endAfter(work, 1000, timedOut)))
      yield* Deferred.await(started)
      const interrupting = yield* Effect.fork(Fiber.interrupt(caller))
      yield* TestClock.adjust(500)
      yield* Fiber.join(interrupting)
      assert.isTrue(yield* Ref.get(done))
    }))

  it.scoped("has the caller's context and FiberRefs, and gives its own FiberRefs back, as a direct run does", () =>
    Effect.gen(function*() {
      const ref = yield* FiberRef.make("initial")
      for (const outcome of [Exit.succeed(1), Exit.fail("no")]) {
        yield* FiberRef.set(ref, "of the caller")
        const work = Effect.gen(function*() {
          const seen = [yield* Service, yield* FiberRef.get(ref)]
          yield* FiberRef.set(ref, "of the effect")
          return seen
        })
        const seen = yield* endAfter(work, 1000, timedOut).pipe(Effect.provideService(Service, "service"))
        assert.deepStrictEqual(seen, ["service", "of the caller"])
        assert.strictEqual(yield* FiberRef.get(ref), "of the effect")
        yield* Effect.exit(endAfter(Effect.zipRight(FiberRef.set(ref, "then"), outcome), 1000, timedOut))
        assert.strictEqual(yield* FiberRef.get(ref), "then")
      }
    }))

  it.effect("has no end at all if a timer cannot wait that long", () =>
    Effect.gen(function*() {
      const work = Effect.as(Effect.sleep("30 days"), "done")
      for (const millis of [Infinity, 2 ** 31]) {
        assert.deepStrictEqual(yield* after("30 days", endAfter(work, millis, timedOut)), Exit.succeed("done"))
      }
    }))
})

describe("A call within a deadline", () => {
  it.effect("knows what remains of its time, which is never negative", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* remaining, Infinity)
      const exit = yield* after(
        "10 seconds",
        Effect.gen(function*() {
          const first = yield* remaining
          yield* Effect.sleep(400)
          return [first, yield* remaining]
        }).pipe(within(second))
      )
      assert.deepStrictEqual(exit, Exit.succeed([1000, 600]))
      assert.strictEqual(yield* Effect.provideService(remaining, Deadline, -1), 0)
    }))

  it.effect("fails with a timeout that names the call, and says whether it may have been carried out", () =>
    Effect.gen(function*() {
      for (const isWrite of [false, true]) {
        const exit = yield* after("2 seconds", within({ ...second, isWrite })(Effect.never))
        assert.isTrue(Exit.isFailure(exit))
        if (Exit.isFailure(exit) && Cause.isFailType(exit.cause)) {
          assert.include(exit.cause.error, {
            _tag: "NetworkError",
            reason: "Timeout",
            endpoint: "Secrets.get",
            mayHaveBeenApplied: isWrite
          })
        }
      }
    }))

  it.effect("keeps an outer deadline that comes earlier, and its own where that comes earlier", () =>
    Effect.gen(function*() {
      const minute = { ...second, duration: Duration.minutes(1) }
      assert.strictEqual(yield* remaining.pipe(within(minute), within(second)), 1000)
      assert.strictEqual(yield* remaining.pipe(within(second), within(minute)), 1000)
      const exit = yield* after("2 seconds", Effect.never.pipe(within(minute), within(second)))
      assert.isTrue(Exit.isFailure(exit))
    }))

  it.effect("has no deadline if it is given an infinite duration", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* remaining.pipe(within({ ...second, duration: Duration.infinity })), Infinity)
    }))

  it.effect("still ends if the deadline has passed already", () =>
    Effect.gen(function*() {
      const exit = yield* after(
        "1 second",
        Effect.never.pipe(within(second), Effect.provideService(Deadline, -5000))
      )
      assert.isTrue(Exit.isFailure(exit))
    }))
})
