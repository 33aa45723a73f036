/**
 * The rules of the cache under every interleaving that can be made: fetches and writes that begin, reach the server and
 * are answered in any order, changes of others, refusals, outages, evictions, and a clock that jumps.
 *
 * The model is the history of the server. What a reader gets must have been held by the server, must not be older than
 * the rules allow, and must reflect every write of ours that ended before the read began.
 */
import { assert, describe, it } from "@effect/vitest"
import { DateTime, FastCheck, Option } from "effect"
import { InfisicalError } from "effect-infisical"
import * as State from "../src/cache/LocationState.js"
import type * as Snapshot from "../src/source/Snapshot.js"
import { at, fetched, locationOf, put, remove, values } from "./support/snapshots.js"

const policy: State.Policy = {
  cacheTtl: 100,
  maxStale: 300,
  sealedTtl: 300,
  missTtl: 20,
  isExpandedByServer: false
}

const location = locationOf({ includeImports: false })
const unreachable = new InfisicalError.NetworkError({
  reason: "Transport",
  endpoint: "GET /",
  mayHaveBeenApplied: false
})
const forbidden = new InfisicalError.PermissionError({ endpoint: "GET /", problem: "scope" })
const pause = (attempts: number) => Math.min(5 * 2 ** attempts, 40)

const names = ["A", "B"]

const name = FastCheck.constantFrom(...names)
const pick = FastCheck.nat(5)

const step = FastCheck.oneof(
  { weight: 5, arbitrary: FastCheck.record({ _tag: FastCheck.constant("Read" as const) }) },
  { weight: 4, arbitrary: FastCheck.record({ _tag: FastCheck.constant("ServeFetch" as const), pick }) },
  { weight: 4, arbitrary: FastCheck.record({ _tag: FastCheck.constant("EndFetch" as const), pick }) },
  { weight: 1, arbitrary: FastCheck.record({ _tag: FastCheck.constant("AbandonFetch" as const), pick }) },
  {
    weight: 3,
    arbitrary: FastCheck.record({ _tag: FastCheck.constant("Write" as const), name, deletes: FastCheck.boolean() })
  },
  { weight: 3, arbitrary: FastCheck.record({ _tag: FastCheck.constant("ServeWrite" as const), pick }) },
  {
    weight: 3,
    arbitrary: FastCheck.record({ _tag: FastCheck.constant("EndWrite" as const), pick, isLost: FastCheck.nat(3) })
  },
  {
    weight: 2,
    arbitrary: FastCheck.record({ _tag: FastCheck.constant("Change" as const), name, deletes: FastCheck.boolean() })
  },
  {
    weight: 1,
    arbitrary: FastCheck.record({ _tag: FastCheck.constant("Refuse" as const), isRefusing: FastCheck.boolean() })
  },
  {
    weight: 1,
    arbitrary: FastCheck.record({ _tag: FastCheck.constant("Outage" as const), isDown: FastCheck.boolean() })
  },
  { weight: 1, arbitrary: FastCheck.record({ _tag: FastCheck.constant("Evict" as const) }) },
  {
    weight: 3,
    arbitrary: FastCheck.record({
      _tag: FastCheck.constant("Wait" as const),
      millis: FastCheck.integer({ min: 1, max: 60 })
    })
  },
  {
    weight: 1,
    arbitrary: FastCheck.record({
      _tag: FastCheck.constant("SetBack" as const),
      millis: FastCheck.integer({ min: 1, max: 200 })
    })
  }
)

type Step = typeof step extends FastCheck.Arbitrary<infer A> ? A : never

interface ModelWrite {
  readonly tick: number
  readonly name: string
  readonly text: string | undefined
  /** The moment at which the server carried it out; none before. */
  moment: number | undefined
  refused: boolean
  readonly overlaps: Set<ModelWrite>
}

interface ModelFetch {
  readonly tick: number
  /** What the server answered, once it did. */
  served:
    | { readonly moment: number; readonly result: "refused" | "down" | Readonly<Record<string, string>> }
    | undefined
  /** For each caller that waits: the earliest moment that it may see, of each name. */
  readonly callers: Array<Bounds>
}

type Bounds = Readonly<Record<string, number>>

/** Plays the steps against the rules and checks each answer. Real time passes even when the clock is set back. */
const play = (steps: ReadonlyArray<Step>): void => {
  let clock = 1000
  let real = 0
  let ticks = 0
  let values_: Readonly<Record<string, string>> = { A: "A0" }
  let isRefusing = false
  let isDown = false
  const moments: Array<{ readonly held: Readonly<Record<string, string>> | undefined; readonly from: number }> = []
  const record = () => void moments.push({ held: isRefusing ? undefined : values_, from: real })
  record()
  let texts = 0
  let state = State.initial(location, { expand: Option.none(), writes: [] })
  let fetches: Array<ModelFetch> = []
  let open: Array<ModelWrite> = []
  const ended: Array<ModelWrite> = []

  /** The moments since which each name must be seen as it was, for a read that begins now. */
  const bounds = (): Bounds =>
    Object.fromEntries(names.map((name) => [
      name,
      Math.max(0, ...ended.filter((write) => write.name === name).map((write) => write.moment ?? 0))
    ]))

  /** The same where writes overlapped: their order at the server is unknown until a fetch tells. */
  const looseBounds = (): Bounds =>
    Object.fromEntries(names.map((name) => [
      name,
      Math.max(
        0,
        ...ended.filter((write) => write.name === name).map((write) =>
          Math.min(write.moment ?? 0, ...[...write.overlaps].map((other) => other.moment ?? 0))
        )
      )
    ]))

  const wasHeldSince = (name: string, text: string | undefined, since: number): boolean =>
    moments.slice(since).some(({ held }) => held !== undefined && held[name] === text)

  const momentOfAge = (age: number): number => Math.max(0, moments.findLastIndex(({ from }) => from <= real - age))

  const check = (snapshot: Snapshot.Snapshot, since: Bounds, what: string) => {
    const seen = values(snapshot)
    for (const name of names) {
      assert.isTrue(
        wasHeldSince(name, seen[name], since[name] ?? 0),
        `${what}: ${name} = ${seen[name]} was not held since moment ${since[name]}; ${JSON.stringify(moments)}`
      )
    }
  }

  const checkLive = (snapshot: Snapshot.Snapshot, since: Bounds) => {
    const oldest = momentOfAge(policy.cacheTtl)
    check(
      snapshot,
      Object.fromEntries(names.map((name) => [name, Math.max(oldest, since[name] ?? 0)])),
      "live"
    )
  }

  const checkStale = (snapshot: Snapshot.Snapshot, since: Bounds) => {
    check(snapshot, since, "stale")
    assert.isAtMost(clock - DateTime.toEpochMillis(snapshot.fetchedAt), policy.maxStale)
  }

  const read = () => {
    const decision = State.read(state, { now: clock, policy, isRefreshed: false })
    if (decision._tag === "Return" && decision.snapshot.source === "live") checkLive(decision.snapshot, bounds())
    else if (decision._tag === "Return") checkStale(decision.snapshot, looseBounds())
    else if (decision._tag === "Fail" && decision.error._tag === "PermissionError") {
      const oldest = momentOfAge(policy.missTtl)
      const since = Math.max(oldest, ...ended.map(({ moment }) => moment ?? 0))
      assert.isTrue(
        moments.slice(since).some(({ held }) => held === undefined),
        "refused although the server was not refusing"
      )
    } else if (decision._tag === "Fetch") {
      const known = State.joinable(state)
      const tick = known ?? ++ticks
      if (known === undefined) {
        state = State.fetchBegun(state, tick, clock)
        fetches.push({ tick, served: undefined, callers: [] })
      }
      fetches.find((fetch) => fetch.tick === tick)?.callers.push(bounds())
    }
  }

  const serve = (fetch: ModelFetch) => {
    fetch.served = {
      moment: moments.length - 1,
      result: isDown ? "down" : isRefusing ? "refused" : values_
    }
  }

  const endFetch = (fetch: ModelFetch) => {
    fetches = fetches.filter((other) => other !== fetch)
    const { served } = fetch
    if (served === undefined) return
    if (served.result === "down") {
      state = State.fetchFailed(state, { begun: fetch.tick, failed: ++ticks, error: unreachable, now: clock, pause })
      const last = State.lastSnapshot(state, { now: clock, policy, error: unreachable })
      if (Option.isSome(last)) checkStale(last.value, Object.fromEntries(names.map((name) => [name, 0])))
    } else if (served.result === "refused") {
      state = State.fetchRefused(state, { begun: fetch.tick, error: forbidden, policy }).state
    } else {
      const answered = State.fetchAnswered(state, {
        begun: fetch.tick,
        result: fetched(served.result),
        fetchedAt: at(clock),
        policy
      })
      state = answered.state
      for (const since of fetch.callers) check(answered.snapshot, since, "answered")
    }
  }

  const carryOut = (write: ModelWrite) => {
    if (isRefusing || isDown || (write.text === undefined && values_[write.name] === undefined)) {
      write.refused = true
      return
    }
    const { [write.name]: _, ...rest } = values_
    values_ = write.text === undefined ? rest : { ...rest, [write.name]: write.text }
    record()
    write.moment = moments.length - 1
  }

  const endWrite = (write: ModelWrite, isLost: boolean) => {
    open = open.filter((other) => other !== write)
    const outcome: State.WriteOutcome = isLost
      ? { _tag: "Unknown" }
      : write.refused
      ? { _tag: "Refused" }
      : { _tag: "Applied", change: write.text === undefined ? remove(write.name) : put(write.name, write.text) }
    state = State.writeEnded(state, { begun: write.tick, outcome, effect: "own", policy })
    // A write whose answer is lost is for nobody to rely on; but nothing older may be live.
    if (write.moment !== undefined && !isLost) ended.push(write)
  }

  for (const step of steps) {
    switch (step._tag) {
      case "Read":
        read()
        break
      case "ServeFetch": {
        const waiting = fetches.filter(({ served }) => served === undefined)
        const fetch = waiting[step.pick % Math.max(1, waiting.length)]
        if (fetch !== undefined) serve(fetch)
        break
      }
      case "EndFetch": {
        const served = fetches.filter(({ served }) => served !== undefined)
        const fetch = served[step.pick % Math.max(1, served.length)]
        if (fetch !== undefined) endFetch(fetch)
        break
      }
      case "AbandonFetch": {
        const fetch = fetches[step.pick % Math.max(1, fetches.length)]
        if (fetch !== undefined) {
          fetches = fetches.filter((other) => other !== fetch)
          state = State.fetchAbandoned(state, fetch.tick)
        }
        break
      }
      case "Write": {
        const write: ModelWrite = {
          tick: ++ticks,
          name: step.name,
          text: step.deletes ? undefined : `${step.name}${++texts}`,
          moment: undefined,
          refused: false,
          overlaps: new Set(open)
        }
        for (const other of open) other.overlaps.add(write)
        open.push(write)
        state = State.writeBegun(state, write.tick)
        break
      }
      case "ServeWrite": {
        const waiting = open.filter(({ moment, refused }) => moment === undefined && !refused)
        const write = waiting[step.pick % Math.max(1, waiting.length)]
        if (write !== undefined) carryOut(write)
        break
      }
      case "EndWrite": {
        const served = open.filter(({ moment, refused }) => moment !== undefined || refused)
        const write = served[step.pick % Math.max(1, served.length)]
        if (write !== undefined) endWrite(write, step.isLost === 0)
        break
      }
      case "Change": {
        const { [step.name]: _, ...rest } = values_
        values_ = step.deletes ? rest : { ...rest, [step.name]: `${step.name}${++texts}` }
        record()
        break
      }
      case "Refuse":
        isRefusing = step.isRefusing
        record()
        break
      case "Outage":
        isDown = step.isDown
        break
      case "Evict":
        state = State.evicted(state)
        break
      case "Wait":
        clock += step.millis
        real += step.millis
        break
      case "SetBack":
        clock -= step.millis
        state = State.clockSetBack(state)
        break
    }
    assert.isAtMost(state.fetches.length, fetches.length)
    assert.strictEqual(state.writes.length, open.length)
  }
}

describe("The rules of the cache, under any interleaving", () => {
  it("return what the server held, no older than the TTL, with every write that ended before", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.array(step, { minLength: 10, maxLength: 80, size: "max" }), (steps) => play(steps)),
      { numRuns: 3000 }
    )
  })
})
