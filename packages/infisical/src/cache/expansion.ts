/**
 * Expands references in the values of a location from what the cache holds, where the source does not.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { isUnreachable, type ReadError } from "../model/InfisicalError.js"
import * as Location from "../model/Location.js"
import { Secret } from "../model/Secret.js"
import * as References from "../source/references.js"
import * as Snapshot from "../source/Snapshot.js"

/** What expanding the values of one location has found. Changed in place by this module alone. */
export interface Expansion {
  /** The keys of the locations that values refer to. */
  references: ReadonlySet<string>
  /** What each expanded secret refers to, by its id. */
  readonly referencesOf: Map<string, { readonly version: number | undefined; readonly keys: ReadonlySet<string> }>
  /** The secrets that were last returned for values with references, by id. */
  readonly returned: Map<string, Secret>
  /** The length of their values together, in UTF-16 units. */
  characters: number
}

export const make = (): Expansion => ({
  references: new Set(),
  referencesOf: new Map(),
  returned: new Map(),
  characters: 0
})

/**
 * The most that the expanded values of one location take together, in UTF-16 units. A few values that are referred to
 * many times would multiply without end. Further values stay as they are written.
 */
const mostCharacters = 32 * 1024 * 1024

export const expandWith = (
  expansion: Expansion,
  options: {
    readonly work: References.Work
    readonly read: (location: Location.Location) => Effect.Effect<Snapshot.Snapshot, ReadError>
    readonly includeImports: boolean
    /** Whether a secret may be readable by its name where its folder may not be listed. */
    readonly readsByName: boolean
  }
): Snapshot.Expand => {
  const find = (
    found: Set<string>,
    { name, ...place }: References.Place,
    more: Pick<Location.Options, "includeImports" | "secretName">
  ) =>
    Location.make({ environment: place.environment, secretPath: place.secretPath, ...more }).pipe(
      Effect.tap(({ key }) => Effect.sync(() => refer(expansion, found, key))),
      Effect.flatMap(options.read),
      Effect.map(({ content }) => ({
        content,
        row: content.own.find((row) => row.name === name && row.type === "shared")
      }))
    )
  const findByName = (found: Set<string>, place: References.Place) =>
    find(found, place, { includeImports: false, secretName: place.name })
  const lookupFor = (keys: Set<string>) => (place: References.Place) =>
    find(keys, place, { includeImports: options.includeImports }).pipe(
      Effect.catchIf(
        (error) => options.readsByName && error._tag === "PermissionError" && error.problem === "scope",
        () => findByName(keys, place)
      ),
      Effect.flatMap((found) =>
        options.readsByName && found.row?.payload._tag === "Hidden" ? findByName(keys, place) : Effect.succeed(found)
      ),
      Effect.flatMap(({ content, row }) =>
        row === undefined ? Effect.succeedNone : Effect.map(
          Snapshot.decryptedRows(content.cipher, [row]),
          ([found]) => Option.map(Option.fromNullable(found), ([, { value }]) => Redacted.value(value))
        )
      ),
      // A reference to what does not exist or may not be read stays as it is; any other error fails the read.
      Effect.catchIf(
        (error) =>
          error._tag === "NotFoundError" || error._tag === "PermissionError" ||
          (error._tag === "InvalidRequestError" && !isUnreachable(error)),
        () => Effect.succeedNone
      )
    )
  // The same object again, as long as nothing that it refers to changed.
  const expanded = new WeakMap<Secret, Secret>()
  return (secret) =>
    Effect.suspend(() => {
      if (expansion.characters >= mostCharacters) return Effect.succeed(secret)
      const keys = new Set<string>()
      const expand = References.expand(
        Redacted.value(secret.value),
        secret,
        lookupFor(keys),
        References.defaultLimits,
        options.work
      )
      return Effect.map(expand, (text) => {
        // Others were expanded at the same time.
        if (expansion.characters >= mostCharacters) return secret
        const known = expanded.get(secret)
        const next = known !== undefined && Redacted.value(known.value) === text
          ? known
          : new Secret({ ...secret, value: Redacted.make(text) })
        expanded.set(secret, next)
        keep(expansion, next, keys)
        return next
      })
    })
}

const refer = (expansion: Expansion, found: Set<string>, key: string): void => {
  found.add(key)
  // At once, so that it is not evicted while the value is being expanded.
  if (!expansion.references.has(key)) expansion.references = new Set([...expansion.references, key])
}

const lengthOf = (secret: Secret | undefined): number => secret === undefined ? 0 : Redacted.value(secret.value).length

const keep = (expansion: Expansion, secret: Secret, keys: ReadonlySet<string>): void => {
  const { id, version } = secret
  if (id === undefined) return
  expansion.characters += lengthOf(secret) - lengthOf(expansion.returned.get(id))
  expansion.returned.set(id, secret)
  expansion.referencesOf.set(id, { version, keys })
}

/** Forgets what was found for secrets that a new snapshot does not have, or has with another value. */
export const prune = (expansion: Expansion, { content }: Snapshot.Snapshot): void => {
  const { referencesOf, returned } = expansion
  if (referencesOf.size === 0) return
  const versions = new Map([...content.own, ...content.imported].map(({ id, version }) => [id, version]))
  for (const [id, secret] of returned) {
    if (versions.has(id)) continue
    expansion.characters -= lengthOf(secret)
    returned.delete(id)
  }
  for (const [id, { version }] of referencesOf) if (versions.get(id) !== version) referencesOf.delete(id)
  expansion.references = new Set([...referencesOf.values()].flatMap(({ keys }) => [...keys]))
}
