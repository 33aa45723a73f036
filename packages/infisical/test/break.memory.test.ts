/** What grows without end, and what is used after the release. */
import { assert, describe, it } from "@effect/vitest"
import { Clock, DateTime, type Duration, Effect, Exit, Fiber, Option, Redacted, Schedule, Scope, Stream, TestClock } from "effect"
import { Secret, Secrets } from "effect-infisical"
import * as SnapshotFeed from "../src/cache/snapshotFeed.js"
import * as Snapshot from "../src/source/Snapshot.js"
import { value } from "./Simulation.js"
import { client } from "./support/breaking.js"
import * as ManualSource from "./support/ManualSource.js"
import { at, content, locationOf } from "./support/snapshots.js"

const { settle } = ManualSource
const advance = (duration: Duration.DurationInput) => Effect.zipRight(TestClock.adjust(duration), settle)

describe("A subscriber that never reads", () => {
  it.scoped("holds no secret that was deleted long ago", () =>
    Effect.gen(function*() {
      const feed = SnapshotFeed.make({ capacity: 128 })
      const subscription = yield* feed.subscribe
      const current = Snapshot.make({
        location: locationOf(),
        source: "live",
        fetchedAt: at(0),
        etag: Option.none(),
        staleBecause: Option.none(),
        expand: Option.none(),
        content: content({ A: "a" })
      })
      // A secret with a reference that is deleted and created again each time, as some rotations do.
      for (let i = 0; i < 1000; i++) {
        const secret = new Secret.Secret({
          name: "A",
          value: Redacted.make(`value ${i}`),
          type: "shared",
          comment: "",
          environment: "dev",
          secretPath: "/",
          source: "live",
          fetchedAt: DateTime.unsafeMake(0),
          id: `id ${i}`,
          details: Secret.noDetails
        })
        feed.publish({ previous: Option.some(current), current, returned: new Map([[`id ${i}`, secret]]) })
      }
      const [transition] = yield* subscription
      assert.isAtMost(transition?.returned.size ?? 0, 10)
    }))
})

describe("After the release", () => {
  it.effect("a write that was under way ends as the server says", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const { secrets, writes } = yield* Scope.extend(ManualSource.make({}, { isEnabled: true }), scope)
      const fiber = yield* Effect.fork(secrets.create("A", Redacted.make("a")))
      yield* settle
      yield* Scope.close(scope, Exit.void)
      yield* writes[0]?.end(Exit.void) ?? Effect.void
      assert.strictEqual(value(yield* Fiber.join(fiber)), "a")
    }))
})

describe("A watch", () => {
  it.effect("survives a schedule that dies once", () => {
    let text = "old"
    let died = false
    return Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      const seen: Array<string> = []
      yield* Effect.fork(Stream.runForEach(secrets.watch("A"), (secret) => Effect.sync(() => seen.push(value(secret)))))
      yield* advance("10 minutes")
      text = "new"
      yield* advance("1 day")
      assert.deepStrictEqual(seen, ["old", "new"])
    }).pipe(Effect.provide(client(() => Effect.sync(() => ({ A: text })), {
      refresh: Schedule.spaced("1 minute").pipe(Schedule.mapEffect((n) => {
        if (n === 2 && !died) {
          died = true
          return Effect.die("once")
        }
        return Effect.succeed(n)
      }))
    })))
  })

})

describe("A clock", () => {
  it.live("that was set back for an hour while nobody read makes no answer live for longer", () => {
    let wall = 10 * 3600 * 1000
    let elapsed = 0
    let requests = 0
    // As Effect's own: the time of day can be set, the nanoseconds come from `performance.now`.
    const clock: Clock.Clock = {
      ...Clock.make(),
      unsafeCurrentTimeMillis: () => wall,
      currentTimeMillis: Effect.sync(() => wall),
      unsafeCurrentTimeNanos: () => BigInt(elapsed) * 1_000_000n,
      currentTimeNanos: Effect.sync(() => BigInt(elapsed) * 1_000_000n)
    }
    return Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      yield* secrets.get("A")
      elapsed += 3600 * 1000
      wall += 1000
      yield* secrets.get("A")
      assert.strictEqual(requests, 2, "an answer of an hour ago is served as live")
    }).pipe(
      Effect.provide(client(() => Effect.sync(() => ({ A: `${requests++}` })), { refresh: false })),
      Effect.withClock(clock)
    )
  })
})
