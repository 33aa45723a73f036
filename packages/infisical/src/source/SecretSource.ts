/**
 * Where snapshots come from, and where writes go: a port. `EncryptedSource` decrypts in this process with the project
 * key, `DecryptedSource` has the server do it, `MemorySource` is for tests.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import type * as InfisicalApi from "../api/InfisicalApi.js"
import { AlreadyExistsError, InvalidRequestError, type ReadError, type WriteError } from "../model/InfisicalError.js"
import type * as Location from "../model/Location.js"
import type { Reminder } from "../model/Secret.js"
import type { SecretType } from "../model/Secret.js"
import type * as Snapshot from "./Snapshot.js"

/**
 * What a server said of a location, with the ETag under which it will say that nothing changed.
 *
 * @since 0.1.0
 * @category models
 */
export interface FetchResult {
  readonly content: Snapshot.Content
  readonly etag: Option.Option<string>
  /** What is left of the server's rate limit, where it says so. */
  readonly rateLimit: Option.Option<InfisicalApi.RateLimit>
}

/**
 * Which secret a write is about.
 *
 * @since 0.1.0
 * @category models
 */
export interface Target {
  readonly location: Location.Location
  readonly name: string
  readonly type: SecretType
}

/**
 * What belongs to a secret beside its value. What is left out, a new secret has not, and an updated one keeps.
 *
 * @since 0.1.0
 * @category models
 */
export interface Annotations {
  readonly comment?: string | undefined
  /** The ids of its tags; they take the place of all that it has. */
  readonly tagIds?: ReadonlyArray<string> | undefined
  /** It takes the place of all that the secret has. */
  readonly metadata?: Readonly<Record<string, string>> | undefined
  /** `null` removes it. */
  readonly reminder?: Reminder | null | undefined
}

/**
 * What a secret is created with.
 *
 * @since 0.1.0
 * @category models
 */
export interface SecretInput extends Annotations {
  readonly value: Redacted.Redacted<string>
}

/**
 * What of a secret changes.
 *
 * @since 0.1.0
 * @category models
 */
export interface Changes extends Annotations {
  readonly value?: Redacted.Redacted<string> | undefined
  readonly newName?: string | undefined
}

/**
 * The service behind `SecretSource`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** Whether values come with their references replaced where that is asked for. */
  readonly expandsReferences: boolean
  /** Whether a credential may be one that sees some names only, which then have to be read one by one. */
  readonly readsByName: boolean
  /** All the secrets of a location. Where nothing changed since the previous answer, that very content. */
  readonly fetch: (
    location: Location.Location,
    previous: Option.Option<Pick<FetchResult, "content" | "etag">>
  ) => Effect.Effect<FetchResult, ReadError>
  /** Creates a secret and gives it as the server holds it now. */
  readonly create: (
    target: Target,
    written: SecretInput
  ) => Effect.Effect<Snapshot.WrittenRow, WriteError | AlreadyExistsError>
  /** Updates a secret and gives it as the server holds it now. */
  readonly update: (
    target: Target,
    changes: Changes
  ) => Effect.Effect<Snapshot.WrittenRow, WriteError | AlreadyExistsError>
  /** Creates a shared secret, or updates the one that there is. */
  readonly upsert: (
    target: Target,
    written: SecretInput
  ) => Effect.Effect<Snapshot.WrittenRow, WriteError | AlreadyExistsError>
  /** Deletes a secret; with a shared one, the personal ones of its name. */
  readonly delete: (target: Target) => Effect.Effect<void, WriteError>
  /** Creates shared secrets: all of them, or none. */
  readonly createMany: (
    location: Location.Location,
    secrets: ReadonlyArray<readonly [name: string, written: SecretInput]>
  ) => Effect.Effect<ReadonlyArray<Snapshot.WrittenRow>, WriteError | AlreadyExistsError>
  /** Updates shared secrets: all of them, or none. */
  readonly updateMany: (
    location: Location.Location,
    secrets: ReadonlyArray<readonly [name: string, written: SecretInput]>
  ) => Effect.Effect<ReadonlyArray<Snapshot.WrittenRow>, WriteError>
  /** Deletes shared secrets: all of them, or none. */
  readonly deleteMany: (
    location: Location.Location,
    names: ReadonlyArray<string>
  ) => Effect.Effect<void, WriteError>
}

/**
 * Where snapshots come from, and where writes go.
 *
 * @since 0.1.0
 * @category tags
 */
export class SecretSource extends Context.Tag("effect-infisical/SecretSource")<SecretSource, Service>() {}

/**
 * Creates a secret, or updates the one that there is, by a source that can only do either: whoever comes between the
 * two makes it begin again, some times.
 *
 * @since 0.1.0
 * @category combinators
 */
export const upsertWithRetry = (
  { create, update }: Pick<Service, "create" | "update">,
  target: Target,
  written: SecretInput,
  turns = 3
): ReturnType<Service["upsert"]> =>
  Effect.catchIf(
    update(target, written),
    (error) => error._tag === "NotFoundError" && error.resource === "secret",
    () =>
      Effect.catchIf(
        create(target, written),
        (error) => error._tag === "AlreadyExistsError" && turns > 1,
        () => upsertWithRetry({ create, update }, target, written, turns - 1)
      )
  )

/**
 * Has the error of a batch name the secret that exists already, which the server does not.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withConflictingName = <A, E>(
  write: Effect.Effect<A, E | AlreadyExistsError>,
  { fetch }: Pick<Service, "fetch">,
  location: Location.Location,
  names: ReadonlyArray<string>
): Effect.Effect<A, E | AlreadyExistsError> =>
  Effect.catchIf(
    write,
    (error): error is AlreadyExistsError & E => error instanceof AlreadyExistsError && error.secretName === undefined,
    (error) =>
      Effect.matchEffect(fetch(location, Option.none()), {
        onFailure: () => Effect.fail(error),
        onSuccess: ({ content }) => {
          const taken = new Set(content.own.map(({ name }) => name))
          const secretName = names.find((name) => taken.has(name))
          return Effect.fail(secretName === undefined ? error : new AlreadyExistsError({ ...error, secretName }))
        }
      })
  )

/**
 * Fails where a name is given twice, of which a server would make two secrets.
 *
 * @since 0.1.0
 * @category predicates
 */
export const checkDistinct = (names: ReadonlyArray<string>): Effect.Effect<void, InvalidRequestError> =>
  Effect.suspend(() => {
    const twice = names.find((name, index) => names.indexOf(name) !== index)
    return twice === undefined
      ? Effect.void
      : new InvalidRequestError({ parameter: "secrets", problem: `"${twice}" is there twice. Give each name once.` })
  })
