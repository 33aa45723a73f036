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
 * What changed from one snapshot to the next. A location that was not known before has no changes, and a secret that
 * cannot be decrypted counts as missing. Only what is not plainly the same is decrypted. A secret that stayed as it is
 * written has changed where what it refers to has, if it was read before.
 *
 * @since 0.1.0
 * @category constructors
 */
export const between = ({ current, previous, served }: Transition): Effect.Effect<ReadonlyArray<SecretChange>> =>
  Option.match(previous, {
    onNone: () => Effect.succeed([]),
    onSome: (previous) =>
      Effect.gen(function*() {
        const { location } = current
        const before = previous.rows("personal")
        const after = current.rows("personal")
        const changes: Array<SecretChange> = []
        for (const key of new Set([...before.keys(), ...after.keys()])) {
          const row = before.get(key)
          const last = row === undefined ? undefined : served.get(row.id)
          if (row === after.get(key) && last === undefined) continue
          const old = last === undefined ? yield* readable(previous, key) : Option.some(last)
          const secret = yield* readable(current, key)
          if (old === unreachable || secret === unreachable) continue
          if (Option.isNone(old) && Option.isSome(secret)) changes.push(Added({ location, secret: secret.value }))
          else if (Option.isSome(old) && Option.isNone(secret)) changes.push(Removed({ location, previous: old.value }))
          else if (
            Option.isSome(old) && Option.isSome(secret) && !Equal.equals(old.value.value, secret.value.value)
          ) changes.push(Updated({ location, previous: old.value, secret: secret.value }))
        }
        return changes
      })
  })

/** What a value refers to cannot be read now, so that nobody knows whether it changed. */
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
