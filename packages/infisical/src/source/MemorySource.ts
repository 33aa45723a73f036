/**
 * A source in memory, for tests: it refuses what a server refuses, and every folder exists. It has no imports, and no
 * user who could have personal secrets.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import { AlreadyExistsError, NotFoundError, PermissionError } from "../model/InfisicalError.js"
import * as Location from "../model/Location.js"
import { type Details, noDetails } from "../model/Secret.js"
import * as SecretSource from "./SecretSource.js"
import type * as Snapshot from "./Snapshot.js"

/**
 * The secrets of one folder in memory, by name.
 *
 * @since 0.1.0
 * @category models
 */
export interface Folder {
  readonly environment: string
  readonly secretPath: string
  readonly secrets: Readonly<Record<string, string | Redacted.Redacted<string>>>
}

type Rows = HashMap.HashMap<string, ReadonlyArray<Snapshot.WrittenRow>>

type Place = Pick<Location.Location, "environment" | "secretPath">

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (folders: ReadonlyArray<Folder>): Effect.Effect<SecretSource.Service> =>
  Effect.gen(function*() {
    const rows = yield* Ref.make<Rows>(HashMap.fromIterable(folders.map((folder) => [
      keyOf(folder),
      Object.entries(folder.secrets).map(([name, value]) =>
        created(folder, name, { value: typeof value === "string" ? Redacted.make(value) : value })
      )
    ])))

    /** All of the changes, or none. */
    const change = <A, E>(
      location: Place,
      next: (own: ReadonlyArray<Snapshot.WrittenRow>) => Effect.Effect<
        readonly [answer: A, own: ReadonlyArray<Snapshot.WrittenRow>],
        E
      >
    ): Effect.Effect<A, E> =>
      Effect.gen(function*() {
        const [answer, own] = yield* next(ownOf(yield* Ref.get(rows), location))
        yield* Ref.update(rows, HashMap.set(keyOf(location), own))
        return answer
      })

    const source: SecretSource.Service = {
      expandsReferences: false,
      readsByName: false,

      fetch: (location) =>
        Effect.map(Ref.get(rows), (rows) => ({
          content: {
            own: [...HashMap.values(rows)].flat().filter((row) => belongs(row, location)),
            imported: [],
            undecryptableNames: [],
            cipher: { decryptAll: () => Effect.succeed([]) }
          },
          etag: Option.none(),
          rateLimit: Option.none()
        })),

      create: (target, written) =>
        Effect.zipRight(
          checkShared(target),
          change(target.location, (own) => create(own, target.location, target.name, written))
        ),

      update: (target, changes) =>
        Effect.zipRight(
          checkShared(target),
          change(target.location, (own) => update(own, target.location, target.name, changes))
        ),

      upsert: (target, written) => SecretSource.upsertWithRetry(source, target, written),

      delete: (target) =>
        Effect.zipRight(
          checkShared(target),
          change(target.location, (own) => remove(own, target.location, target.name))
        ),

      createMany: (location, secrets) =>
        change(location, (own) => inTurn(own, secrets, (own, [name, written]) => create(own, location, name, written))),

      updateMany: (location, secrets) =>
        change(location, (own) =>
          inTurn(own, secrets, (own, [name, written]) =>
            Effect.catchTag(update(own, location, name, written), "AlreadyExistsError", () =>
              missing(location, name)))),

      deleteMany: (location, names) =>
        Effect.asVoid(
          change(location, (own) =>
            inTurn(own, names, (own, name) =>
              remove(own, location, name)))
        )
    }
    return source
  })

/**
 * @since 0.1.0
 * @category layers
 */
export const layer = (folders: ReadonlyArray<Folder>): Layer.Layer<SecretSource.SecretSource> =>
  Layer.effect(SecretSource.SecretSource, make(folders))

const keyOf = ({ environment, secretPath }: Place) => JSON.stringify([environment, secretPath])

const ownOf = (rows: Rows, place: Place) => Option.getOrElse(HashMap.get(rows, keyOf(place)), () => [])

const belongs = (row: Snapshot.Row, location: Location.Location): boolean =>
  row.environment === location.environment &&
  (location.recursive
    ? Location.isWithin(row.secretPath, location.secretPath)
    : row.secretPath === location.secretPath) &&
  (location.secretName === undefined || row.name === location.secretName) &&
  (location.tagSlugs.length === 0 || row.details.tags.some(({ slug }) => location.tagSlugs.includes(slug))) &&
  Object.entries(location.metadata).every(([key, value]) => row.details.metadata[key] === value)

const checkShared = ({ location, type }: SecretSource.Target) =>
  type === "shared" ? Effect.void : Effect.fail(
    new PermissionError({
      endpoint: "memory",
      problem: "personal secret",
      environment: location.environment,
      secretPath: location.secretPath
    })
  )

const created = (place: Place, name: string, written: SecretSource.SecretInput): Snapshot.WrittenRow => ({
  id: JSON.stringify([place.environment, place.secretPath, name]),
  name,
  type: "shared",
  version: 1,
  environment: place.environment,
  secretPath: place.secretPath,
  details: detailsOf(noDetails, written),
  payload: { _tag: "Decrypted", value: written.value, comment: written.comment ?? "" }
})

// A tag in memory is known by its id alone.
const detailsOf = (details: Details, { metadata, reminder, tagIds }: SecretSource.Annotations): Details => ({
  ...details,
  tags: tagIds?.map((id) => ({ id, slug: id, name: id })) ?? details.tags,
  metadata: metadata ?? details.metadata,
  reminder: reminder === undefined ? details.reminder : Option.fromNullable(reminder)
})

const missing = ({ environment, secretPath }: Place, secretName: string) =>
  new NotFoundError({ resource: "secret", secretName, environment, secretPath })

const taken = ({ environment, secretPath }: Place, secretName: string) =>
  new AlreadyExistsError({ secretName, environment, secretPath })

const create = (
  own: ReadonlyArray<Snapshot.WrittenRow>,
  place: Place,
  name: string,
  written: SecretSource.SecretInput
) => {
  const row = created(place, name, written)
  return own.some((other) => other.name === name)
    ? Effect.fail(taken(place, name))
    : Effect.succeed([row, [...own, row]] as const)
}

const update = (
  own: ReadonlyArray<Snapshot.WrittenRow>,
  place: Place,
  name: string,
  changes: SecretSource.Changes
): Effect.Effect<
  readonly [Snapshot.WrittenRow, ReadonlyArray<Snapshot.WrittenRow>],
  NotFoundError | AlreadyExistsError
> => {
  const row = own.find((row) => row.name === name)
  if (row === undefined) return missing(place, name)
  const { newName = name } = changes
  if (newName !== name && own.some((other) => other.name === newName)) return taken(place, newName)
  const next: Snapshot.WrittenRow = {
    ...row,
    name: newName,
    version: row.version + 1,
    details: detailsOf(row.details, changes),
    payload: {
      _tag: "Decrypted",
      value: changes.value ?? row.payload.value,
      comment: changes.comment ?? row.payload.comment
    }
  }
  return Effect.succeed([next, own.map((one) => one === row ? next : one)])
}

const remove = (
  own: ReadonlyArray<Snapshot.WrittenRow>,
  place: Place,
  name: string
): Effect.Effect<readonly [void, ReadonlyArray<Snapshot.WrittenRow>], NotFoundError> =>
  own.some((row) => row.name === name)
    ? Effect.succeed([undefined, own.filter((row) => row.name !== name)])
    : missing(place, name)

const inTurn = <A, B, E>(
  own: ReadonlyArray<Snapshot.WrittenRow>,
  items: ReadonlyArray<A>,
  step: (
    own: ReadonlyArray<Snapshot.WrittenRow>,
    item: A
  ) => Effect.Effect<readonly [B, ReadonlyArray<Snapshot.WrittenRow>], E>
): Effect.Effect<readonly [ReadonlyArray<B>, ReadonlyArray<Snapshot.WrittenRow>], E> =>
  Effect.gen(function*() {
    const answers: Array<B> = []
    let rows = own
    for (const item of items) {
      const [answer, next] = yield* step(rows, item)
      answers.push(answer)
      rows = next
    }
    return [answers, rows]
  })
