/** What is held for a subscriber that does not read, and what goes on after the release of the layer. */
import { assert, describe, it } from "@effect/vitest"
import {
  DateTime,
  Deferred,
  type Duration,
  Effect,
  Exit,
  Fiber,
  Option,
  Redacted,
  Schedule,
  Scope,
  Stream,
  TestClock
} from "effect"
import { Secret, Secrets, type SecretSource } from "effect-infisical"
import * as SnapshotFeed from "../src/cache/snapshotFeed.js"
import * as Snapshot from "../src/source/Snapshot.js"
import { value } from "./Simulation.js"
import { client, fetched } from "./support/client.js"
import * as ManualSource from "./support/ManualSource.js"
import { at, content, locationOf } from "./support/snapshots.js"

const { settle } = ManualSource
const advance = (duration: Duration.DurationInput) => Effect.zipRight(TestClock.adjust(duration), settle)

describe("A subscriber that never reads", () => {
  it.scoped("holds no secret that was deleted long ago", () =>
    Effect.gen(function*() {
      const feed = SnapshotFeed.make({ capacity: 128 })
      const subscription = yield* feed.subscribe()
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

describe("A slow watcher", () => {
  it.effect("gets the newest value, however many other locations are read meanwhile", () => {
    let text = "old"
    // As if the server answered with 304 what has not changed.
    const answers = new Map<string, SecretSource.FetchResult>()
    const answer = (text: string) => {
      const known = answers.get(text) ?? fetched({ A: text })
      answers.set(text, known)
      return known
    }
    return Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      const go = yield* Deferred.make<void>()
      const seen: Array<string> = []
      yield* Effect.fork(
        Stream.runForEach(secrets.watch("A"), (secret) =>
          Effect.zipRight(
            Effect.sync(() => seen.push(value(secret))),
            Deferred.await(go)
          ))
      )
      yield* settle
      // Whatever the stream has buffered is pulled by now.
      text = "newer"
      yield* secrets.refresh({})
      yield* settle
      text = "newest"
      yield* secrets.refresh({})
      yield* settle
      // As many folders as the cache holds are read for the first time.
      for (let i = 0; i < 128; i++) yield* secrets.list({ secretPath: `/folder${i}` })
      yield* settle
      yield* Deferred.succeed(go, undefined)
      yield* settle
      yield* advance("1 hour")
      assert.strictEqual(value(yield* secrets.get("A")), "newest")
      assert.strictEqual(seen.at(-1), "newest")
    }).pipe(Effect.provide(client(() => Effect.sync(() => answer(text)))))
  })
})
