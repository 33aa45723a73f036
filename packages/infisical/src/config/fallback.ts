/**
 * The value of a secret from the `ConfigProvider` that was current when the layer was built, by default the environment
 * variables. It serves if Infisical does not have the secret or cannot be reached.
 */
import * as Config from "effect/Config"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as Location from "../model/Location.js"
import { noDetails, Secret } from "../model/Secret.js"

export type Fallback = (name: string, location: Location.Location) => Effect.Effect<Option.Option<Secret>>

/** So many names are remembered as logged; then they are logged again. */
const capacity = 1024

export const make: Effect.Effect<Fallback> = Effect.gen(function*() {
  // Captured: a provider that is made from `Secrets` would ask itself without end.
  const provider = yield* Effect.configProviderWith(Effect.succeed)
  const logged = new Set<string>()

  const log = (name: string, { environment, secretPath }: Location.Location) =>
    Effect.suspend(() => {
      if (logged.has(name)) return Effect.void
      if (logged.size >= capacity) logged.clear()
      logged.add(name)
      return Effect.logWarning(
        `Secret "${name}" of ${environment}:${secretPath} comes from the fallback (ConfigProvider, by default the environment variables). Set fallback to false to get the error instead.`
      )
    })

  return (name, location) =>
    Effect.gen(function*() {
      const found = yield* provider.load(Config.redacted(name)).pipe(
        Effect.option,
        Effect.catchAllDefect(() => Effect.succeedNone)
      )
      // On Node the environment has the functions of every object under their names.
      const value = Option.filter(found, (value) => {
        const text: unknown = Redacted.value(value)
        return typeof text === "string" && text !== ""
      })
      if (Option.isNone(value)) return Option.none()
      yield* log(name, location)
      return Option.some(
        new Secret({
          name,
          value: value.value,
          type: "shared",
          comment: "",
          environment: location.environment,
          secretPath: location.secretPath,
          source: "fallback",
          fetchedAt: yield* DateTime.now,
          details: noDetails
        })
      )
    })
})
