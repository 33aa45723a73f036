/**
 * A source in memory, for tests: what a server holds, and whether it answers, change on demand. It refuses what a server
 * refuses. Every folder exists. There are no imports and no personal secrets.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import {
  AlreadyExistsError,
  type InvalidRequestError,
  NetworkError,
  NotFoundError,
  PermissionError,
  type ReadError
} from "../model/InfisicalError.js"
import * as Location from "../model/Location.js"
import { type Details, noDetails } from "../model/Secret.js"
import * as SecretSource from "./SecretSource.js"

/**
 * The secrets of one folder in memory, by name.
 *
 * @since 0.1.0
 * @category models
 */
export interface Folder {
  readonly environment: string
  /** Normalized as in a request: space around it and one slash at its end are dropped. */
  readonly secretPath: string
  readonly secrets: Readonly<Record<string, string | Redacted.Redacted<string>>>
}

/**
 * The source, and what a test does to it. A change is one on the server: a read sees it once the answer before it is
 * stale, or after `secrets.refresh()`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service extends SecretSource.Service {
  /** Creates a secret, or gives it another value. The place is by default `/` of `dev`. */
  readonly set: (
    name: string,
    value: string | Redacted.Redacted<string>,
    options?: Location.PlaceOptions
  ) => Effect.Effect<void, InvalidRequestError>
  /** Deletes a secret, if there is one. */
  readonly remove: (name: string, options?: Location.PlaceOptions) => Effect.Effect<void, InvalidRequestError>
  /** Every request fails with this error, until `recover`. See `unreachable`. */
  readonly failWith: (error: ReadError) => Effect.Effect<void>
  /** Requests are answered again. */
  readonly recover: Effect.Effect<void>
}

/**
 * What `Secrets.layerTest` provides beside `Secrets`.
 *
 * @since 0.1.0
 * @category tags
 */
export class MemorySource extends Context.Tag("effect-infisical/MemorySource")<MemorySource, Service>() {}

/**
 * The error of a server that cannot be reached, for `failWith`.
 *
 * @since 0.1.0
 * @category errors
 */
export const unreachable: NetworkError = new NetworkError({
  reason: "Transport",
  endpoint: "memory",
  mayHaveBeenApplied: false
})

type Rows = HashMap.HashMap<string, ReadonlyArray<SecretSource.WrittenRow>>

type Place = Pick<Location.Location, "environment" | "secretPath">

/**
 * Fails with `InvalidRequestError` if an environment or a path is one that `Secrets` refuses.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  folders: ReadonlyArray<Folder>,
  defaults: Place = { environment: "dev", secretPath: "/" }
): Effect.Effect<Service, InvalidRequestError> =>
  Effect.gen(function*() {
    const rows = yield* Ref.make((yield* Effect.forEach(folders, rowsOf)).reduce(withFolder, HashMap.empty()))
    const failure = yield* Ref.make(Option.none<ReadError>())
    const answered = Effect.gen(function*() {
      const error = yield* Ref.get(failure)
      return Option.isSome(error) ? yield* error.value : yield* Ref.get(rows)
    })

    /** All of the changes, or none. */
    const change = <A, E>(
      location: Place,
      next: (own: ReadonlyArray<SecretSource.WrittenRow>) => Effect.Effect<
        readonly [answer: A, own: ReadonlyArray<SecretSource.WrittenRow>],
        E
      >
    ): Effect.Effect<A, E | ReadError> =>
      Effect.gen(function*() {
        const [answer, own] = yield* next(ownOf(yield* answered, location))
        yield* Ref.update(rows, HashMap.set(keyOf(location), own))
        return answer
      })

    const source: SecretSource.Service = {
      expandsReferences: false,
      readsByName: false,

      fetch: (location) =>
        Effect.map(answered, (rows) => ({
          content: {
            own: [...HashMap.values(rows)].flat().filter((row) => belongs(row, location)),
            imported: [],
            undecryptableNames: [],
            cipher: { decryptAll: () => Effect.succeed([]) }
          },
          etag: Option.none(),
          rateLimit: Option.none()
        })),

      create: (target, input) =>
        Effect.zipRight(
          checkShared(target),
          change(target.location, (own) => create(own, target.location, target.name, input))
        ),

      update: (target, changes) =>
        Effect.zipRight(
          checkShared(target),
          change(target.location, (own) => update(own, target.location, target.name, changes))
        ),

      upsert: (target, input) => SecretSource.upsertWithRetry(source, target, input),

      delete: (target) =>
        Effect.zipRight(
          checkShared(target),
          change(target.location, (own) => remove(own, target.location, target.name))
        ),

      createMany: (location, secrets) =>
        change(location, (own) => oneByOne(own, secrets, (own, [name, input]) => create(own, location, name, input))),

      updateMany: (location, secrets) =>
        change(location, (own) =>
          oneByOne(own, secrets, (own, [name, input]) =>
            Effect.catchTag(update(own, location, name, input), "AlreadyExistsError", () =>
              missing(location, name)))),

      deleteMany: (location, names) =>
        Effect.asVoid(
          change(location, (own) =>
            oneByOne(own, names, (own, name) =>
              remove(own, location, name)))
        ),

      getById: (id) =>
        Effect.flatMap(answered, (rows) =>
          Option.match(
            Option.fromNullable([...HashMap.values(rows)].flat().find((row) => row.id === id)),
            {
              onNone: () => Effect.fail(new NotFoundError({ resource: "secret" })),
              onSome: Effect.succeed
            }
          )),

      move: ({ destination, location, names, overwrite }) =>
        Effect.gen(function*() {
          const all = yield* answered
          const from = ownOf(all, location)
          const to = ownOf(all, destination)
          for (const name of names) {
            if (!from.some((row) => row.name === name)) return yield* missing(location, name)
            if (!overwrite && to.some((row) => row.name === name)) return yield* taken(destination, name)
          }
          const moved = from.filter(({ name }) => names.includes(name)).map((row) => ({
            ...row,
            id: JSON.stringify([destination.environment, destination.secretPath, row.name]),
            environment: destination.environment,
            secretPath: destination.secretPath
          }))
          const rest = (own: ReadonlyArray<SecretSource.WrittenRow>) => own.filter(({ name }) => !names.includes(name))
          yield* Ref.update(rows, (rows) =>
            HashMap.set(
              HashMap.set(rows, keyOf(location), rest(from)),
              keyOf(destination),
              [...rest(to), ...moved]
            ))
          return { isSourceUpdated: true, isDestinationUpdated: true }
        })
    }

    /** A change that no client has asked for. */
    const changed = (
      { environment = defaults.environment, secretPath = defaults.secretPath }: Location.PlaceOptions = {},
      next: (own: ReadonlyArray<SecretSource.WrittenRow>, place: Place) => ReadonlyArray<SecretSource.WrittenRow>
    ) =>
      Effect.flatMap(Location.make({ environment, secretPath }), (place) =>
        Ref.update(rows, (rows) =>
          HashMap.set(rows, keyOf(place), next(ownOf(rows, place), place))))

    return {
      ...source,
      set: (name, text, options) =>
        Effect.zipRight(
          Location.checkName(name, "write"),
          changed(options, (own, place) => {
            const value = redacted(text)
            const known = own.find((row) =>
              row.name === name
            )
            return known === undefined
              ? [...own, created(place, name, { value })]
              : own.map((row) => row === known ? updated(row, { value }) : row)
          })
        ),
      remove: (name, options) => changed(options, (own) => own.filter((row) => row.name !== name)),
      failWith: (error) => Ref.set(failure, Option.some(error)),
      recover: Ref.set(failure, Option.none())
    }
  })

/**
 * The service as a layer. Each call makes a new one.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  folders: ReadonlyArray<Folder>,
  defaults?: Place
): Layer.Layer<MemorySource | SecretSource.SecretSource, InvalidRequestError> =>
  Layer.effectContext(
    Effect.map(make(folders, defaults), (service) =>
      Context.make(MemorySource, service).pipe(Context.add(SecretSource.SecretSource, service)))
  )

const keyOf = ({ environment, secretPath }: Place) => JSON.stringify([environment, secretPath])

const ownOf = (rows: Rows, place: Place) => Option.getOrElse(HashMap.get(rows, keyOf(place)), () => [])

const belongs = (row: SecretSource.Row, location: Location.Location): boolean =>
  row.environment === location.environment &&
  (location.recursive
    ? Location.isWithin(row.secretPath, location.secretPath)
    : row.secretPath === location.secretPath) &&
  (location.secretName === undefined || row.name === location.secretName) &&
  (location.version === undefined || row.version === location.version)

const checkShared = ({ location, type }: SecretSource.Target) =>
  type === "shared" ? Effect.void : Effect.fail(
    new PermissionError({
      endpoint: "memory",
      problem: "personal secret",
      environment: location.environment,
      secretPath: location.secretPath
    })
  )

const rowsOf = ({ environment, secretPath, secrets }: Folder) =>
  Effect.map(Location.make({ environment, secretPath }), (location) => {
    const rows = Object.entries(secrets).map(([name, value]) => created(location, name, { value: redacted(value) }))
    return [keyOf(location), rows] as const
  })

const redacted = (text: string | Redacted.Redacted<string>): Redacted.Redacted<string> =>
  typeof text === "string" ? Redacted.make(text) : text

/** A folder that is given twice has the secrets of both. Of one name, the last counts. */
const withFolder = (
  rows: Rows,
  [key, own]: readonly [key: string, own: ReadonlyArray<SecretSource.WrittenRow>]
): Rows => {
  const names = new Set(own.map(({ name }) => name))
  const before = Option.getOrElse(HashMap.get(rows, key), () => [])
  return HashMap.set(rows, key, [...before.filter(({ name }) => !names.has(name)), ...own])
}

const created = (place: Place, name: string, input: SecretSource.SecretInput): SecretSource.WrittenRow => ({
  id: JSON.stringify([place.environment, place.secretPath, name]),
  name,
  type: "shared",
  version: 1,
  environment: place.environment,
  secretPath: place.secretPath,
  details: detailsOf(noDetails, input),
  payload: { _tag: "Decrypted", value: input.value, comment: input.comment ?? "" }
})

// A tag in memory has only its id.
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
  own: ReadonlyArray<SecretSource.WrittenRow>,
  place: Place,
  name: string,
  input: SecretSource.SecretInput
) => {
  const row = created(place, name, input)
  return own.some((other) => other.name === name)
    ? Effect.fail(taken(place, name))
    : Effect.succeed([row, [...own, row]] as const)
}

const updated = (row: SecretSource.WrittenRow, changes: SecretSource.Changes): SecretSource.WrittenRow => ({
  ...row,
  name: changes.newName ?? row.name,
  version: row.version + 1,
  details: detailsOf(row.details, changes),
  payload: {
    _tag: "Decrypted",
    value: changes.value ?? row.payload.value,
    comment: changes.comment ?? row.payload.comment
  }
})

const update = (
  own: ReadonlyArray<SecretSource.WrittenRow>,
  place: Place,
  name: string,
  changes: SecretSource.Changes
): Effect.Effect<
  readonly [SecretSource.WrittenRow, ReadonlyArray<SecretSource.WrittenRow>],
  NotFoundError | AlreadyExistsError
> => {
  const row = own.find((row) => row.name === name)
  if (row === undefined) return missing(place, name)
  const { newName = name } = changes
  if (newName !== name && own.some((other) => other.name === newName)) return taken(place, newName)
  const next = updated(row, changes)
  return Effect.succeed([next, own.map((one) => one === row ? next : one)])
}

const remove = (
  own: ReadonlyArray<SecretSource.WrittenRow>,
  place: Place,
  name: string
): Effect.Effect<readonly [void, ReadonlyArray<SecretSource.WrittenRow>], NotFoundError> =>
  own.some((row) => row.name === name)
    ? Effect.succeed([undefined, own.filter((row) => row.name !== name)])
    : missing(place, name)

const oneByOne = <A, B, E>(
  own: ReadonlyArray<SecretSource.WrittenRow>,
  items: ReadonlyArray<A>,
  step: (
    own: ReadonlyArray<SecretSource.WrittenRow>,
    item: A
  ) => Effect.Effect<readonly [B, ReadonlyArray<SecretSource.WrittenRow>], E>
): Effect.Effect<readonly [ReadonlyArray<B>, ReadonlyArray<SecretSource.WrittenRow>], E> =>
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
