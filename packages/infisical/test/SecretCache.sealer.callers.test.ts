/** A sealed snapshot and callers that leave before a server that hangs is given up. */
import { assert, describe, it } from "@effect/vitest"
import { type Duration, Effect, Fiber, Option, TestClock } from "effect"
import { type Location, Secrets } from "effect-infisical"
import * as Snapshot from "../src/source/Snapshot.js"
import { client, unreachable } from "./support/client.js"
import { settle } from "./support/ManualSource.js"
import { at, content } from "./support/snapshots.js"

const advance = (duration: Duration.DurationInput) => Effect.zipRight(TestClock.adjust(duration), settle)
const start = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.tap(Effect.fork(effect), () => settle)

describe("A sealed snapshot", () => {
  it.effect("is served although each caller waits for less than a server that hangs takes to be given up", () => {
    const sealed = (location: Location.Location) =>
      Option.some(Snapshot.make({
        location,
        source: "sealed",
        fetchedAt: at(0),
        etag: Option.none(),
        staleBecause: Option.some(unreachable),
        expand: Option.none(),
        content: content({ A: "a" })
      }))
    return Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      const seen: Array<string> = []
      for (let i = 0; i < 30; i++) {
        const fiber = yield* start(Effect.option(Effect.timeout(secrets.get("A"), "20 seconds")))
        yield* advance("20 seconds")
        seen.push(Option.match(yield* Fiber.join(fiber), { onNone: () => "none", onSome: ({ source }) => source }))
      }
      assert.include(seen, "sealed", `${seen.length} callers in ten minutes`)
    }).pipe(Effect.provide(client(
      // A request to a server that hangs: three attempts of 10 seconds within the deadline.
      () => Effect.delay(Effect.fail(unreachable), "30 seconds"),
      {},
      { sealed: { isEnabled: true, load: (location) => Effect.sync(() => sealed(location)) } }
    )))
  })
})
