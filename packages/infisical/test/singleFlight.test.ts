import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Ref } from "effect"
import * as SingleFlight from "../src/support/singleFlight.js"

/** A run that counts its beginnings and its interruptions, and ends when it is told to. */
const counted = Effect.gen(function*() {
  const begun = yield* Ref.make(0)
  const interrupted = yield* Ref.make(0)
  const end = yield* Deferred.make<number, string>()
  const run = Ref.update(begun, (n) => n + 1).pipe(
    Effect.zipRight(Deferred.await(end)),
    Effect.onInterrupt(() => Ref.update(interrupted, (n) => n + 1))
  )
  return { begun: Ref.get(begun), interrupted: Ref.get(interrupted), end, run }
})

/** Lets every fiber go as far as it can. */
const settle = Effect.repeatN(Effect.yieldNow(), 20)

describe("A single flight", () => {
  it.scoped("is one run for all who ask for the same at the same time", () =>
    Effect.gen(function*() {
      const join = yield* SingleFlight.make<number, string>()
      const { begun, end, run } = yield* counted
      const fibers = yield* Effect.replicateEffect(Effect.fork(join("key", run)), 100)
      yield* settle
      yield* Deferred.succeed(end, 42)
      const results = yield* Fiber.join(Fiber.all(fibers))
      assert.deepStrictEqual(new Set(results), new Set([42]))
      assert.strictEqual(yield* begun, 1)
    }))

  it.scoped("is another run for another key, and for whoever comes later", () =>
    Effect.gen(function*() {
      const join = yield* SingleFlight.make<number, string>()
      const { begun, end, run } = yield* counted
      yield* Deferred.succeed(end, 42)
      yield* Effect.all([join("one", run), join("two", run)], { concurrency: "unbounded" })
      yield* join("one", run)
      assert.strictEqual(yield* begun, 3)
    }))

  it.scoped("shares its failure", () =>
    Effect.gen(function*() {
      const join = yield* SingleFlight.make<number, string>()
      const { end, run } = yield* counted
      const fibers = yield* Effect.replicateEffect(Effect.fork(Effect.flip(join("key", run))), 3)
      yield* settle
      yield* Deferred.fail(end, "no")
      assert.deepStrictEqual(yield* Fiber.join(Fiber.all(fibers)), ["no", "no", "no"])
    }))

  it.scoped("goes on for the others when one leaves, even the one who began it", () =>
    Effect.gen(function*() {
      const join = yield* SingleFlight.make<number, string>()
      const { begun, end, interrupted, run } = yield* counted
      const first = yield* Effect.fork(join("key", run))
      yield* settle
      const second = yield* Effect.fork(join("key", run))
      yield* settle
      assert.isTrue(Exit.isInterrupted(yield* Fiber.interrupt(first)))
      yield* Deferred.succeed(end, 42)
      assert.strictEqual(yield* Fiber.join(second), 42)
      assert.strictEqual(yield* begun, 1)
      assert.strictEqual(yield* interrupted, 0)
    }))

  it.scoped("goes on when all callers have left, and the next one joins it", () =>
    Effect.gen(function*() {
      const join = yield* SingleFlight.make<number, string>()
      const { begun, end, interrupted, run } = yield* counted
      const fibers = yield* Effect.replicateEffect(Effect.fork(join("key", run)), 3)
      yield* settle
      yield* Fiber.interruptAll(fibers)
      yield* settle
      assert.strictEqual(yield* interrupted, 0)
      const next = yield* Effect.fork(join("key", run))
      yield* settle
      yield* Deferred.succeed(end, 42)
      assert.strictEqual(yield* Fiber.join(next), 42)
      assert.strictEqual(yield* begun, 1)
    }))

  it.effect("stops with its scope", () =>
    Effect.gen(function*() {
      const { interrupted, run } = yield* counted
      yield* Effect.scoped(Effect.gen(function*() {
        const join = yield* SingleFlight.make<number, string>()
        yield* Effect.forkDaemon(join("key", run))
        yield* settle
      }))
      assert.strictEqual(yield* interrupted, 1)
    }))

  it.effect("says what is wrong where its scope is closed", () =>
    Effect.gen(function*() {
      const { begun, run } = yield* counted
      const join = yield* Effect.scoped(SingleFlight.make<number, string>())
      const exit = yield* Effect.exit(join("key", run))
      assert.include(exit.toString(), "has been released")
      assert.strictEqual(yield* begun, 0)
    }))
})
