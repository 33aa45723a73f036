/**
 * Secrets of one test. They are removed when its scope is closed, or when the process is asked to end. What a killed run
 * leaves is removed by a later run.
 */
import { Clock, Effect, type Layer, Number, Option } from "effect"
import { Secrets } from "effect-infisical"
import { randomBytes } from "node:crypto"

const prefix = "EFFECT_INFISICAL_TEST_"

/** The longest name that a server takes. */
const longestName = 100

/** A name that nothing else uses, with the minute it was made in. The secret is removed with the scope. */
export const name = (suffix: string) =>
  Effect.acquireRelease(
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      if (isEnding) return Effect.never
      const id = randomBytes(4).toString("hex").toUpperCase()
      const name = `${prefix}${Math.floor(now / 60_000)}_${id}_${suffix}`.slice(0, longestName)
      names.add(name)
      return Effect.succeed(name)
    }),
    (name) => Effect.zipRight(remove(name), Effect.sync(() => names.delete(name)))
  )

const remove = (name: string) => Effect.flatMap(Secrets.Secrets, (secrets) => Effect.ignore(secrets.delete(name)))

/** Those whose scope is open. */
const names = new Set<string>()

let isEnding = false

/** Twice, since a request that is under way may create a secret after the first time. */
const removeAll = Effect.forEach(names, remove, { concurrency: "unbounded", discard: true }).pipe(
  Effect.zipLeft(Effect.sleep("500 millis")),
  Effect.repeatN(1)
)

/** From now on, removes the secrets before the process ends, if a signal or its parent asks it to. */
export const removeAtEnd = (client: Layer.Layer<Secrets.Secrets, unknown>): void => {
  const end = () => {
    if (isEnding) return
    isEnding = true
    void Effect.runPromise(Effect.ignore(Effect.provide(removeAll, client))).finally(() => process.exit(130))
  }
  for (const event of ["SIGINT", "SIGTERM", "SIGHUP", "disconnect"]) process.on(event, end)
}

/** In minutes. A younger secret may be of a run that is under way. */
const sweptAfter = 60

const madeAt = (name: string): Option.Option<number> =>
  name.startsWith(prefix) ? Number.parse(name.slice(prefix.length).split("_")[0] ?? "") : Option.none()

/** Removes what killed runs left. */
export const sweep = Effect.gen(function*() {
  const secrets = yield* Secrets.Secrets
  const now = Math.floor((yield* Clock.currentTimeMillis) / 60_000)
  const { secrets: found } = yield* secrets.list()
  const left = found.map((secret) => secret.name).filter((name) =>
    Option.exists(madeAt(name), (minute) => now - minute > sweptAfter)
  )
  yield* Effect.forEach(left, remove, { discard: true })
})
