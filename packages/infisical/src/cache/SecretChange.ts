/**
 * What changed, by value.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Option from "effect/Option"
import type * as Location from "../model/Location.js"
import type { Secret } from "../model/Secret.js"
import type { Snapshot } from "../source/Snapshot.js"
import type { Transition } from "./snapshotFeed.js"

/**
 * A secret that was added, updated or removed, with its versions in it.
 *
 * `location` is where it was read: for an imported secret the folder that imports it.
 *
 * @since 0.1.0
 * @category models
 */
export type SecretChange = Data.TaggedEnum<{
  Added: { readonly location: Location.Location; readonly secret: Secret }
  Updated: { readonly location: Location.Location; readonly previous: Secret; readonly secret: Secret }
  Removed: { readonly location: Location.Location; readonly previous: Secret }
}>

/**
 * Constructors and matchers of `SecretChange`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const { $is, $match, Added, Removed, Updated } = Data.taggedEnum<SecretChange>()

/**
 * Makes the function that one subscriber turns transitions into changes with, one after the other.
 *
 * A location that was not known before has no changes, and a secret that cannot be decrypted counts as missing. Only rows
 * that are not the same object are decrypted. A value with references changes when what it refers to does, if it was read
 * before; what the subscriber saw of it last is remembered, so that no change is reported twice.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeDiff = (): (transition: Transition) => Effect.Effect<ReadonlyArray<SecretChange>> => {
  /** By location and id: the secrets with references as this subscriber saw them last. */
  const seen = new Map<string, Map<string, Secret>>()

  const memoryOf = (key: string): Map<string, Secret> => {
    const known = seen.get(key) ?? new Map<string, Secret>()
    seen.delete(key)
    seen.set(key, known)
    for (const oldest of seen.keys()) {
      if (seen.size <= maximumMemory) break
      seen.delete(oldest)
    }
    return known
  }

  return ({ current, previous, returned }) =>
    Option.match(previous, {
      onNone: () => {
        seen.delete(current.location.key)
        return Effect.succeed([])
      },
      onSome: (previous) => diff({ current, previous, returned, memory: memoryOf(current.location.key) })
    })
}

/** As many locations as a cache of eight times the default capacity holds. */
const maximumMemory = 1024

const diff = ({ current, memory, previous, returned }: {
  readonly previous: Snapshot
  readonly current: Snapshot
  readonly returned: ReadonlyMap<string, Secret>
  readonly memory: Map<string, Secret>
}): Effect.Effect<ReadonlyArray<SecretChange>> =>
  Effect.gen(function*() {
    const { location } = current
    const before = previous.rows("personal")
    const after = current.rows("personal")
    const changes: Array<SecretChange> = []
    for (const key of new Set([...before.keys(), ...after.keys()])) {
      const row = before.get(key)
      const last = row === undefined ? undefined : memory.get(row.id) ?? returned.get(row.id)
      if (row === after.get(key) && last === undefined) continue
      const old = last === undefined ? yield* readable(previous, key) : Option.some(last)
      const secret = yield* readable(current, key)
      if (old === unreachable || secret === unreachable) continue
      if (row !== undefined) memory.delete(row.id)
      if (last !== undefined && Option.isSome(secret) && secret.value.id !== undefined) {
        memory.set(secret.value.id, secret.value)
      }
      if (Option.isNone(old) && Option.isSome(secret)) changes.push(Added({ location, secret: secret.value }))
      else if (Option.isSome(old) && Option.isNone(secret)) changes.push(Removed({ location, previous: old.value }))
      else if (
        Option.isSome(old) && Option.isSome(secret) && !Equal.equals(old.value.value, secret.value.value)
      ) changes.push(Updated({ location, previous: old.value, secret: secret.value }))
    }
    return changes
  })

/** What a value refers to cannot be read now, so that it is unknown whether it changed. */
const unreachable = Symbol("unreachable")

const readable = (
  snapshot: Snapshot,
  key: string
): Effect.Effect<Option.Option<Secret> | typeof unreachable> => {
  const secret = snapshot.get(key, "personal")
  return secret === undefined ? Effect.succeedNone : Effect.matchEffect(secret, {
    onFailure: ({ _tag }) =>
      Effect.succeed(_tag === "DecryptError" || _tag === "PermissionError" ? Option.none() : unreachable),
    onSuccess: Effect.succeedSome
  })
}
