import { assert, describe, it } from "@effect/vitest"
import { Clock, DateTime, Duration, Effect, Exit, FastCheck, Layer, Redacted } from "effect"
import { Secrets } from "effect-infisical"
import { on, Simulation, value } from "./Simulation.js"
import { kinds } from "./support/sources.js"

const environments = ["dev", "prod"] as const
const names = ["A", "B"] as const
const ttl = Duration.minutes(5)
const maxStale = Duration.minutes(20)
/** A reader may be told of an outage for as long as the longest pause between two attempts, and its jitter. */
const longestPause = Duration.seconds(73)

const place = { environment: FastCheck.constantFrom(...environments), name: FastCheck.constantFrom(...names) }

const step = FastCheck.oneof(
  { weight: 6, arbitrary: FastCheck.record({ _tag: FastCheck.constant("Read" as const), ...place }) },
  { weight: 2, arbitrary: FastCheck.record({ _tag: FastCheck.constant("Rotate" as const), ...place }) },
  { weight: 1, arbitrary: FastCheck.record({ _tag: FastCheck.constant("Remove" as const), ...place }) },
  { weight: 2, arbitrary: FastCheck.record({ _tag: FastCheck.constant("Create" as const), ...place }) },
  { weight: 2, arbitrary: FastCheck.record({ _tag: FastCheck.constant("Update" as const), ...place }) },
  { weight: 1, arbitrary: FastCheck.record({ _tag: FastCheck.constant("Delete" as const), ...place }) },
  {
    weight: 4,
    arbitrary: FastCheck.record({
      _tag: FastCheck.constant("Wait" as const),
      seconds: FastCheck.integer({ min: 1, max: 700 })
    })
  },
  {
    weight: 2,
    arbitrary: FastCheck.record({ _tag: FastCheck.constant("Outage" as const), begins: FastCheck.boolean() })
  }
)

type Step = typeof step extends FastCheck.Arbitrary<infer A> ? A : never

/** What the server held, and when: the last entry of a key holds now. `undefined` where there was no such secret. */
class Model {
  readonly history = new Map<string, ReadonlyArray<{ readonly from: number; readonly value: string | undefined }>>()
  readonly outages: Array<{ readonly from: number; until: number }> = []

  put(key: string, from: number, value: string | undefined) {
    this.history.set(key, [...this.history.get(key) ?? [{ from: 0, value: undefined }], { from, value }])
  }

  /** Every value that the server held at some time from then until now. */
  heldSince(key: string, since: number): ReadonlyArray<string | undefined> {
    const all = this.history.get(key) ?? [{ from: 0, value: undefined }]
    return all.filter((_, index) => (all[index + 1]?.from ?? Infinity) >= since).map(({ value }) => value)
  }

  get isDown() {
    return this.outages.at(-1)?.until === Infinity
  }

  wasDownSince(since: number) {
    return this.outages.some(({ until }) => until >= since)
  }
}

for (const source of kinds) {
  const { client, layer } = on(source)

  describe(`On ${source}`, () => {
    const play = (steps: ReadonlyArray<Step>) =>
      Effect.gen(function*() {
        const { advance, emulator, setFault } = yield* Simulation
        const secrets = yield* Secrets.Secrets
        const model = new Model()
        let count = 0

        for (const step of steps) {
          const now = yield* Clock.currentTimeMillis
          if (step._tag === "Wait") {
            yield* advance(Duration.seconds(step.seconds), "20 seconds")
            continue
          }
          if (step._tag === "Outage") {
            yield* setFault(() => step.begins ? "unreachable" : undefined)
            const last = model.outages.at(-1)
            if (step.begins && last?.until !== Infinity) model.outages.push({ from: now, until: Infinity })
            if (!step.begins && last?.until === Infinity) last.until = now
            continue
          }
          const { environment, name } = step
          const key = `${environment}/${name}`
          const next = `${key}/${++count}`
          const held = model.heldSince(key, now).at(-1)
          switch (step._tag) {
            case "Rotate": {
              yield* emulator.setSecret({ environment, name, value: next })
              model.put(key, now, next)
              break
            }
            case "Remove": {
              yield* emulator.removeSecret({ environment, name })
              model.put(key, now, undefined)
              break
            }
            case "Create":
            case "Update":
            case "Delete": {
              const write = step._tag === "Create"
                ? secrets.create(name, Redacted.make(next), { environment })
                : step._tag === "Update"
                ? secrets.update(name, Redacted.make(next), { environment })
                : secrets.delete(name, { environment })
              const exit = yield* Effect.exit(Effect.asVoid(write))
              const expected = model.isDown
                ? "NetworkError"
                : step._tag === "Create"
                ? held === undefined ? undefined : "AlreadyExistsError"
                : held === undefined
                ? "NotFoundError"
                : undefined
              assert.strictEqual(
                Exit.isFailure(exit) && exit.cause._tag === "Fail" ? exit.cause.error._tag : undefined,
                expected
              )
              if (expected === undefined) model.put(key, now, step._tag === "Delete" ? undefined : next)
              break
            }
            case "Read": {
              const exit = yield* Effect.exit(secrets.get(name, { environment }))
              if (Exit.isSuccess(exit)) {
                const secret = exit.value
                const fetchedAt = DateTime.toEpochMillis(secret.fetchedAt)
                assert.include(model.heldSince(key, fetchedAt), value(secret), "a value that the server held since")
                assert.isAtMost(fetchedAt, now)
                if (secret.source === "live") assert.isBelow(now - fetchedAt, Duration.toMillis(ttl), "live")
                else {
                  assert.strictEqual(secret.source, "stale")
                  assert.isAtMost(now - fetchedAt, Duration.toMillis(maxStale), "maxStale")
                  assert.isTrue(model.wasDownSince(now - Duration.toMillis(longestPause)), "stale without an outage")
                }
              } else {
                assert.strictEqual(exit.cause._tag, "Fail")
                const tag = exit.cause._tag === "Fail" ? exit.cause.error._tag : undefined
                if (tag === "NotFoundError") {
                  assert.include(
                    model.heldSince(key, now - Duration.toMillis(ttl)),
                    undefined,
                    "a name that was missing"
                  )
                } else {
                  assert.strictEqual(tag, "NetworkError")
                  assert.isTrue(
                    model.wasDownSince(now - Duration.toMillis(longestPause)),
                    "unreachable without an outage"
                  )
                }
              }
            }
          }
        }
      }).pipe(Effect.provide(
        Layer.provideMerge(
          client({ cacheTtl: ttl, maxStale }),
          layer({
            projects: { main: { folders: { dev: { "/": {} }, prod: { "/": {} } } } }
          })
        )
      ))

    describe("Whatever happens", () => {
      it.effect.prop(
        "what is served is a value that the server held at that location, and no older than the rules allow",
        [FastCheck.array(step, { minLength: 5, maxLength: 40 })],
        ([steps]) => play(steps),
        // For each source.
        { fastCheck: { numRuns: 15 } }
      )
    })
  })
}
