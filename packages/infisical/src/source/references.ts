/**
 * References in values: `${NAME}` to a secret of the same folder, `${env.folder.folder.NAME}` to one of another. What
 * refers to nothing, or in a circle, stays as it is written (`wire/` "Reads").
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"

/** Where a text stands, or what a reference in it is to. */
export interface Place {
  readonly environment: string
  readonly secretPath: string
  readonly name: string
}

export const areIn = (value: Redacted.Redacted<string>): boolean => Redacted.value(value).includes("${")

/** The texts between their braces, each once, in order. */
const referencesIn = (text: string): ReadonlyArray<string> => [
  ...new Set(Array.from(text.matchAll(pattern), ([, reference]) => reference ?? ""))
]

const pattern = /\$\{([^${}]+)\}/g

const placeOf = (reference: string, { environment, secretPath }: Place): Place => {
  const [first = "", ...rest] = reference.trim().split(".")
  const name = rest.pop()
  return name === undefined
    ? { environment, secretPath, name: first }
    : { environment: first, secretPath: `/${rest.join("/")}`, name }
}

/** The text with its references replaced, and those in what they refer to. */
export const expand = <E>(
  text: string,
  place: Place,
  lookup: (place: Place) => Effect.Effect<Option.Option<string>, E>
): Effect.Effect<string, E> => expandWithin(text, place, lookup, [])

const expandWithin = <E>(
  text: string,
  place: Place,
  lookup: (place: Place) => Effect.Effect<Option.Option<string>, E>,
  within: ReadonlyArray<string>
): Effect.Effect<string, E> =>
  Effect.gen(function*() {
    const inside = [...within, idOf(place)]
    const values = new Map<string, string>()
    for (const reference of referencesIn(text)) {
      const target = placeOf(reference, place)
      if (inside.includes(idOf(target)) || inside.length > maximumDepth) continue
      const value = yield* lookup(target)
      if (Option.isSome(value)) values.set(reference, yield* expandWithin(value.value, target, lookup, inside))
    }
    return text.replace(pattern, (written, reference: string) => values.get(reference) ?? written)
  })

/** References to references of which each doubles the text would fill any memory. */
const maximumDepth = 10

const idOf = ({ environment, name, secretPath }: Place) => JSON.stringify([environment, secretPath, name])
