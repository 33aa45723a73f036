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

/** What expanding the values of one location has found. Changed in place by the expansion itself. */
export interface Expansion {
  /** The keys of the locations that values refer to. */
  readonly references: Set<string>
  /** The secrets that were last returned for values with references, by id. */
  readonly returned: Map<string, Secret>
}

export const make = (): Expansion => ({ references: new Set(), returned: new Map() })

export const expandWith = (
  { references, returned }: Expansion,
  options: {
    readonly read: (location: Location.Location) => Effect.Effect<Snapshot.Snapshot, ReadError>
    readonly includeImports: boolean
    /** Whether a secret may be readable by its name where its folder may not be listed. */
    readonly readsByName: boolean
  }
): Snapshot.Expand => {
  const find = (place: References.Place, options_: Pick<Location.Options, "includeImports" | "secretName">) =>
    Location.make({ environment: place.environment, secretPath: place.secretPath, ...options_ }).pipe(
      Effect.tap(({ key }) => Effect.sync(() => references.add(key))),
      Effect.flatMap(options.read),
      Effect.map(({ content }) => ({
        content,
        row: content.own.find(({ name, type }) => name === place.name && type === "shared")
      }))
    )
  const findByName = (place: References.Place) => find(place, { includeImports: false, secretName: place.name })
  const lookup = (place: References.Place) =>
    find(place, { includeImports: options.includeImports }).pipe(
      Effect.catchIf(
        (error) => options.readsByName && error._tag === "PermissionError" && error.problem === "scope",
        () => findByName(place)
      ),
      Effect.flatMap((found) =>
        options.readsByName && found.row?.payload._tag === "Hidden" ? findByName(place) : Effect.succeed(found)
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
    Effect.map(References.expand(Redacted.value(secret.value), secret, lookup), (text) => {
      const known = expanded.get(secret)
      const next = known !== undefined && Redacted.value(known.value) === text
        ? known
        : new Secret({ ...secret, value: Redacted.make(text) })
      expanded.set(secret, next)
      if (next.id !== undefined) returned.set(next.id, next)
      return next
    })
}

/** Forgets the returned secrets that a new snapshot does not have. */
export const prune = ({ returned }: Expansion, { content }: Snapshot.Snapshot): void => {
  if (returned.size === 0) return
  const ids = new Set([...content.own, ...content.imported].map(({ id }) => id))
  for (const id of returned.keys()) if (!ids.has(id)) returned.delete(id)
}
