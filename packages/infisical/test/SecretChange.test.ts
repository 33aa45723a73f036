/** What a subscriber is told of transitions, one after the other. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, Redacted } from "effect"
import { Secret, SecretChange } from "effect-infisical"
import * as Snapshot from "../src/source/Snapshot.js"
import { at, content, locationOf } from "./support/snapshots.js"

describe("A change of what a value refers to", () => {
  it.effect("is reported once, although a second transition began before the first was read", () =>
    Effect.gen(function*() {
      let text = "one"
      const snapshot = Snapshot.make({
        location: locationOf(),
        source: "live",
        fetchedAt: at(0),
        etag: Option.none(),
        content: content({ A: "${B}" }),
        staleBecause: Option.none(),
        expand: Option.some((secret) => Effect.sync(() => new Secret.Secret({ ...secret, value: Redacted.make(text) })))
      })
      const first = yield* snapshot.get("A", "shared") ?? Effect.dieMessage("missing")
      // Both transitions carry what was returned before either was read.
      const transition = {
        previous: Option.some(snapshot),
        current: snapshot,
        returned: new Map([[first.id ?? "", first]])
      }
      const diff = SecretChange.makeDiff()
      text = "two"
      assert.deepStrictEqual((yield* diff(transition)).map(({ _tag }) => _tag), ["Updated"])
      assert.deepStrictEqual(yield* diff(transition), [])
      text = "three"
      assert.deepStrictEqual((yield* diff(transition)).map(({ _tag }) => _tag), ["Updated"])
      // A location that was evicted and read again has no changes for the subscriber.
      assert.deepStrictEqual(yield* diff({ ...transition, previous: Option.none() }), [])
    }))
})
