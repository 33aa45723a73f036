/** The rules of the cache as a table: what each event makes of the state of a location. */
import { assert, describe, it } from "@effect/vitest"
import { Option } from "effect"
import { InfisicalError, type Location } from "effect-infisical"
import * as State from "../src/cache/LocationState.js"
import { at, fetched, locationOf, put, remove, values } from "./support/snapshots.js"

const policy: State.Policy = {
  cacheTtl: 300_000,
  maxStale: 3_600_000,
  sealedTtl: 86_400_000,
  missTtl: 10_000,
  isExpandedByServer: false
}

const location = locationOf({ includeImports: false })
const none = State.initial(location, { expand: Option.none(), writes: [] })

const unreachable = new InfisicalError.NetworkError({
  reason: "Transport",
  endpoint: "GET /",
  mayHaveBeenApplied: false
})
const forbidden = new InfisicalError.PermissionError({ endpoint: "GET /", problem: "scope" })
const missing = new InfisicalError.NotFoundError({ resource: "folder" })

const pause = (attempts: number) => 1000 * 2 ** (attempts - 1)

const begin = (tick: number, now = 1000) => (state: State.LocationState) => State.fetchBegun(state, tick, now)

const answer = (begun: number, held: Record<string, string>, now = 1000) => (state: State.LocationState) =>
  State.fetchAnswered(state, { begun, result: fetched(held), fetchedAt: at(now), policy }).state

const fail = (begun: number, failed: number, now = 1000) => (state: State.LocationState) =>
  State.fetchFailed(state, { begun, failed, error: unreachable, now, pause })

const refuse = (begun: number, error: InfisicalError.ReadError = forbidden) => (state: State.LocationState) =>
  State.fetchRefused(state, { begun, error, policy }).state

const write = (tick: number) => (state: State.LocationState) => State.writeBegun(state, tick)

const end = (
  begun: number,
  outcome: State.WriteOutcome,
  effect: State.WriteEffect = "own",
  on: State.Policy = policy
) =>
(state: State.LocationState) => State.writeEnded(state, { begun, outcome, effect, policy: on })

const applied = (change: ReturnType<typeof put>): State.WriteOutcome => ({ _tag: "Applied", change })

const after = (
  ...events: ReadonlyArray<(state: State.LocationState) => State.LocationState>
): State.LocationState => events.reduce((state, event) => event(state), none)

const held = (state: State.LocationState) => Option.getOrUndefined(Option.map(state.snapshot, values))

/** What a reader gets: the source and the values, the error, or "fetch". */
const read = (state: State.LocationState, now = 1000, isRefreshed = true) => {
  const decision = State.read(state, { now, policy, isRefreshed })
  switch (decision._tag) {
    case "Return":
      return [decision.snapshot.source, values(decision.snapshot)]
    case "Fail":
      return decision.error._tag
    case "Fetch":
      return "fetch"
  }
}

describe("A reader", () => {
  const fresh = after(begin(1), answer(1, { A: "a" }))

  it("fetches if nothing is known", () => assert.strictEqual(read(none), "fetch"))

  it("gets the snapshot as live until its TTL is over, and fetches then", () => {
    assert.deepStrictEqual(read(fresh, 1000), ["live", { A: "a" }])
    assert.deepStrictEqual(read(fresh, 300_999), ["live", { A: "a" }])
    assert.strictEqual(read(fresh, 301_000), "fetch")
  })

  it("gets an answer that took long as live for less long, since it may be as old as its request", () => {
    const slow = after(begin(1, 1000), answer(1, { A: "a" }, 201_000))
    assert.deepStrictEqual(read(slow, 300_999), ["live", { A: "a" }])
    assert.strictEqual(read(slow, 301_000), "fetch")
  })

  it("fetches if the snapshot is from the future: the clock was set back", () =>
    assert.strictEqual(read(fresh, 999), "fetch"))

  it("fetches after the clock was set back, although the snapshot is not from the future", () =>
    assert.strictEqual(read(State.clockSetBack(fresh), 2000), "fetch"))

  it("gets a refusal for the TTL of misses, and fetches then", () => {
    const refused = after(begin(1), refuse(1))
    assert.strictEqual(read(refused, 10_999), "PermissionError")
    assert.strictEqual(read(refused, 11_000), "fetch")
    assert.strictEqual(read(refused, 999), "fetch")
  })

  it("gets the error of an outage while it pauses, and fetches then, whoever else retries", () => {
    const failed = after(begin(1), fail(1, 2))
    assert.strictEqual(read(failed, 1999), "NetworkError")
    assert.strictEqual(read(failed, 2000), "fetch")
    assert.strictEqual(read(failed, 2000, false), "fetch")
    assert.strictEqual(read(failed, 999), "fetch")
  })

  it("gets the snapshot in an outage: as live while it is fresh, then as stale up to the limit", () => {
    const failed = after(begin(1), answer(1, { A: "a" }), begin(2), fail(2, 3, 301_000))
    assert.deepStrictEqual(read(failed, 300_999), ["live", { A: "a" }])
    assert.deepStrictEqual(read(failed, 301_000), ["stale", { A: "a" }])
    assert.deepStrictEqual(read(failed, 3_601_000), ["stale", { A: "a" }])
    assert.strictEqual(read(failed, 3_601_001), "fetch")
  })

  it("waits for no retry if a background fiber makes it, and for its own if none does", () => {
    const failed = after(begin(1), answer(1, { A: "a" }), begin(2), fail(2, 3, 301_000))
    assert.deepStrictEqual(read(failed, 302_000, true), ["stale", { A: "a" }])
    assert.strictEqual(read(failed, 302_000, false), "fetch")
  })

  it("gets no stale snapshot from the future where there is a limit, since its age is unknown", () => {
    const state = State.clockSetBack(after(begin(1), answer(1, { A: "a" }), begin(2), fail(2, 3)))
    assert.isTrue(Option.isNone(State.lastSnapshot(state, { now: 999, policy, error: unreachable })))
    assert.isTrue(
      Option.isSome(
        State.lastSnapshot(state, { now: 999, policy: { ...policy, maxStale: Infinity }, error: unreachable })
      )
    )
  })

  it("looks a missing name up again after the TTL of misses, not in an outage's pause", () => {
    const snapshot = Option.getOrThrow(fresh.snapshot)
    assert.isFalse(State.mayLookUpAgain(fresh, snapshot, { now: 10_999, policy }))
    assert.isTrue(State.mayLookUpAgain(fresh, snapshot, { now: 11_000, policy }))
    assert.isTrue(State.mayLookUpAgain(fresh, snapshot, { now: 999, policy }))
    const failed = fail(2, 3, 11_000)(begin(2)(fresh))
    assert.isFalse(State.mayLookUpAgain(failed, snapshot, { now: 11_500, policy }))
    assert.isTrue(State.mayLookUpAgain(failed, snapshot, { now: 12_000, policy }))
  })
})

describe("An answer", () => {
  it("replaces the snapshot of an earlier fetch, and not of a later one", () => {
    assert.deepStrictEqual(held(after(begin(1), begin(2), answer(1, { A: "1" }), answer(2, { A: "2" }))), { A: "2" })
    assert.deepStrictEqual(held(after(begin(1), begin(2), answer(2, { A: "2" }), answer(1, { A: "1" }))), { A: "2" })
  })

  it("is given to its callers as it is, since their reads began before the writes that it may lack had ended", () => {
    const state = after(begin(1), write(2), end(2, applied(put("A", "new"))))
    const answered = State.fetchAnswered(state, { begun: 1, result: fetched({ A: "a" }), fetchedAt: at(1000), policy })
    assert.deepStrictEqual(values(answered.snapshot), { A: "a" })
    assert.deepStrictEqual(held(answered.state), { A: "new" })
  })

  it("does not undo a refusal of a later fetch", () =>
    assert.strictEqual(read(after(begin(1), begin(2), refuse(2), answer(1, { A: "1" }))), "PermissionError"))

  it("ends an outage", () => assert.isTrue(Option.isNone(after(begin(1), fail(1, 2), begin(3), answer(3, {})).outage)))

  it("that was requested before a write ended has the write applied, and is not live", () => {
    const state = after(begin(1), write(2), end(2, applied(put("B", "b"))), answer(1, { A: "a" }))
    assert.deepStrictEqual(held(state), { A: "a", B: "b" })
    assert.strictEqual(read(state), "fetch")
  })

  it("that was requested while a write was under way is not live", () => {
    const state = after(write(1), begin(2), answer(2, { A: "a" }))
    assert.strictEqual(read(state), "fetch")
    assert.strictEqual(read(end(1, applied(put("A", "new")))(state)), "fetch")
  })
})

describe("A refusal", () => {
  const fresh = after(begin(1), answer(1, { A: "a" }))

  it("removes the snapshot", () => {
    const state = refuse(2)(begin(2)(fresh))
    assert.isTrue(Option.isNone(state.snapshot))
    assert.strictEqual(read(state), "PermissionError")
  })

  it("of an earlier fetch does not count", () => {
    const state = after(begin(1), begin(2), answer(2, { A: "a" }))
    assert.deepStrictEqual(read(refuse(1)(state)), ["live", { A: "a" }])
  })

  it("that was requested before a write of ours ended does not count", () => {
    const state = after(begin(1), write(2), end(2, applied(put("A", "a"))), refuse(1, missing))
    assert.strictEqual(read(state), "fetch")
    assert.isFalse(
      State.fetchRefused(after(begin(1), write(2)), { begun: 1, error: missing, policy }).counts
    )
  })

  it("is forgotten when a write of ours ends", () =>
    assert.strictEqual(read(after(begin(1), refuse(1, missing), write(2), end(2, applied(put("A", "a"))))), "fetch"))
})

describe("A failure", () => {
  it("pauses longer with each attempt", () => {
    const state = after(begin(1), fail(1, 2, 0), begin(3), fail(3, 4, 0), begin(5), fail(5, 6, 0))
    assert.deepInclude(Option.getOrThrow(state.outage), { attempts: 3, pause: { from: 0, until: 4000 } })
  })

  it("counts once for fetches that failed at the same time", () => {
    const state = after(begin(1), begin(2), begin(3), fail(1, 4, 0), fail(2, 5, 0), fail(3, 6, 0))
    assert.deepInclude(Option.getOrThrow(state.outage), { attempts: 1, pause: { from: 0, until: 1000 } })
  })

  it("of a fetch that is earlier than the last answer says nothing", () =>
    assert.isTrue(Option.isNone(after(begin(1), begin(2), answer(2, {}), fail(1, 3)).outage)))

  it("ends its pause when a write succeeds, since the server is reachable", () => {
    const state = after(begin(1), fail(1, 2), write(3), end(3, applied(put("A", "a"))))
    assert.strictEqual(read(state, 1500), "fetch")
  })

  it("does not end its pause when a write fails", () =>
    assert.strictEqual(read(after(begin(1), fail(1, 2), write(3), end(3, { _tag: "Unknown" })), 1500), "NetworkError"))

  it("that is a defect pauses, too, if the location was failing before", () => {
    const died = (state: State.LocationState) => State.fetchDied(state, { begun: 3, failed: 4, now: 5000, pause })
    const state = died(after(begin(1), fail(1, 2), begin(3)))
    assert.deepInclude(Option.getOrThrow(state.outage), { attempts: 2, pause: { from: 5000, until: 7000 } })
    assert.isTrue(Option.isNone(died(after(begin(3))).outage))
  })
})

describe("A caller may join", () => {
  it("the fetch under way", () => assert.strictEqual(State.joinable(after(begin(1))), 1))

  it("no fetch that ended", () => assert.isUndefined(State.joinable(after(begin(1), answer(1, {})))))

  it("a fetch that began before a write that is under way: the read overlaps it", () =>
    assert.strictEqual(State.joinable(after(begin(1), write(2))), 1))

  for (const outcome of [applied(put("A", "a")), { _tag: "Unknown" }] as const) {
    it(`no fetch that began before a write ended, which was ${outcome._tag}`, () => {
      const state = after(begin(1), write(2), end(2, outcome))
      assert.isUndefined(State.joinable(state))
      assert.strictEqual(State.joinable(begin(3)(state)), 3)
    })
  }

  it("a fetch that began before a write was refused, which wrote nothing", () =>
    assert.strictEqual(State.joinable(after(begin(1), write(2), end(2, { _tag: "Refused" }))), 1))

  it("no outdated fetch after an eviction", () => {
    const state = State.evicted(after(begin(1), write(2), end(2, applied(put("A", "a")))))
    assert.isUndefined(State.joinable(state))
    assert.isFalse(State.isBlank(state))
  })
})

describe("A write", () => {
  const fresh = after(begin(1), answer(1, { A: "a", B: "b" }))

  it("changes the snapshot, which stays live", () => {
    assert.deepStrictEqual(read(end(2, applied(put("A", "new")))(write(2)(fresh))), ["live", { A: "new", B: "b" }])
    assert.deepStrictEqual(read(end(2, applied(remove("A")))(write(2)(fresh))), ["live", { B: "b" }])
  })

  it("that was refused changes nothing", () =>
    assert.deepStrictEqual(read(end(2, { _tag: "Refused" })(write(2)(fresh))), ["live", { A: "a", B: "b" }]))

  it("of unknown outcome has the location fetched again", () => {
    const state = end(2, { _tag: "Unknown" })(write(2)(fresh))
    assert.strictEqual(read(state), "fetch")
    assert.deepStrictEqual(held(state), { A: "a", B: "b" })
  })

  it("that overlaps another one has the location fetched again, in whichever order they end", () => {
    const both = write(3)(write(2)(fresh))
    const update = end(2, applied(put("A", "new")))
    const removal = end(3, applied(remove("A")))
    assert.strictEqual(read(removal(update(both))), "fetch")
    assert.strictEqual(read(update(removal(both))), "fetch")
    assert.strictEqual(read(update(both)), "fetch")
  })

  it("that began while the location was not known yet overlaps as well", () => {
    const state = State.initial(location, { expand: Option.none(), writes: [1, 2] })
    const stored = answer(5, { A: "old" })(begin(5)(end(1, applied(put("A", "new")))(state)))
    assert.strictEqual(read(end(2, applied(remove("A")))(stored)), "fetch")
  })

  it("to a folder that the location depends on has it fetched again", () =>
    assert.strictEqual(read(end(2, applied(put("A", "new")), "dependent")(write(2)(fresh))), "fetch"))

  it("has values fetched again that the server may have expanded with it", () => {
    const on = { ...policy, isExpandedByServer: true }
    const state = after(begin(1), answer(1, { A: "a", B: "has a in it" }), write(2))
    assert.strictEqual(read(end(2, applied(put("A", "new")), "own", on)(state)), "fetch")
  })
})

describe("What a write touches", () => {
  const written = { environment: "dev", secretPath: "/app" }
  const cases: ReadonlyArray<readonly [State.WriteEffect, Partial<Location.Options>, boolean?]> = [
    ["own", { secretPath: "/app", includeImports: false }],
    ["own", { secretPath: "/app" }],
    ["dependent", { secretPath: "/app", recursive: true, includeImports: false }],
    ["dependent", { secretPath: "/app", secretName: "A" }],
    ["dependent", { secretPath: "/app", version: 1, secretName: "A" }],
    ["dependent", { secretPath: "/app", tagSlugs: ["tag"] }],
    ["dependent", { secretPath: "/app", metadata: { key: "value" } }],
    ["dependent", { secretPath: "/", recursive: true, includeImports: false }],
    ["none", { secretPath: "/other", recursive: true, includeImports: false }],
    ["none", { secretPath: "/", includeImports: false }],
    ["none", { environment: "prod", secretPath: "/app", includeImports: false }],
    ["none", { environment: "prod", secretPath: "/", recursive: true, includeImports: false }],
    ["dependent", { secretPath: "/other", includeImports: true }],
    ["dependent", { environment: "prod", secretPath: "/other", includeImports: true }],
    ["dependent", { secretPath: "/other", includeImports: false }, true],
    ["none", { secretPath: "/other", includeImports: false, expandReferences: false }, true]
  ]
  for (const [effect, options, isExpandedByServer = false] of cases) {
    it(`is ${effect} for ${JSON.stringify(options)}${isExpandedByServer ? ", expanded by the server" : ""}`, () =>
      assert.strictEqual(State.effectOfWrite(written, locationOf(options), { isExpandedByServer }), effect))
  }
})

describe("A sealed snapshot", () => {
  const sealed = { ...Option.getOrThrow(after(begin(1), answer(1, { A: "a" })).snapshot), source: "sealed" as const }
  const failed = after(begin(1), fail(1, 2, 2000))

  it("is returned as sealed in an outage, up to its own limit", () => {
    const state = State.sealLoaded(failed, sealed)
    assert.deepStrictEqual(read(state, 2000), ["sealed", { A: "a" }])
    assert.isTrue(
      Option.isNone(
        State.lastSnapshot(state, { now: 90_000, policy: { ...policy, sealedTtl: 80_000 }, error: unreachable })
      )
    )
  })

  it("replaces no snapshot, and nothing once the outage is over", () => {
    const known = after(begin(1), answer(1, { A: "new" }), begin(2), fail(2, 3))
    assert.deepStrictEqual(held(State.sealLoaded(known, sealed)), { A: "new" })
    assert.isUndefined(held(State.sealLoaded(none, sealed)))
  })
})

describe("Where there are too many entries", () => {
  const entry = (name: string, usedAt: number, state: State.LocationState) => ({ name, usedAt, state })
  const fresh = after(begin(1), answer(1, {}))
  const surplus = (entries: ReadonlyArray<ReturnType<typeof entry>>, capacity: number) =>
    State.surplus(entries, { capacity, isPinned: ({ pinCount }) => pinCount > 0 }).map(({ name }) => name)

  it("the least recently used go first", () =>
    assert.deepStrictEqual(surplus([entry("new", 2, fresh), entry("old", 1, fresh), entry("newest", 3, fresh)], 2), [
      "old"
    ]))

  it("those without a snapshot go before", () =>
    assert.deepStrictEqual(surplus([entry("old", 1, fresh), entry("refused", 2, after(begin(1), refuse(1)))], 1), [
      "refused"
    ]))

  it("pinned ones stay, and those with a fetch or a write under way", () =>
    assert.deepStrictEqual(
      surplus(
        [
          entry("pinned", 1, State.pinned(fresh)),
          entry("fetching", 2, begin(5)(fresh)),
          entry("writing", 3, write(5)(fresh)),
          entry("idle", 4, fresh)
        ],
        0
      ),
      ["idle"]
    ))
})
