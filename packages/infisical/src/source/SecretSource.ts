/**
 * The port that snapshots are fetched from and writes go to. `EncryptedSource` decrypts in this process with the project
 * key, `DecryptedSource` lets the server decrypt, and `MemorySource` is for tests. A replacement implements `Service`.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import type * as InfisicalApi from "../api/InfisicalApi.js"
import type { Cipher, Sealed } from "../crypto/Crypto.js"
import {
  AlreadyExistsError,
  type DecryptError,
  InvalidRequestError,
  type ReadError,
  type WriteError
} from "../model/InfisicalError.js"
import type * as Location from "../model/Location.js"
import type { Details, Reminder, SecretType } from "../model/Secret.js"

/**
 * A value and a comment in plain text.
 *
 * @since 0.1.0
 * @category models
 */
export interface Decrypted {
  readonly _tag: "Decrypted"
  readonly value: Redacted.Redacted<string>
  /** Empty if the secret has none. */
  readonly comment: string
}

/**
 * An encrypted value and comment. Each is decrypted once, when the secret is first used.
 *
 * @since 0.1.0
 * @category models
 */
export interface Encrypted {
  readonly _tag: "Encrypted"
  readonly value: Sealed
  readonly comment: Option.Option<Sealed>
}

/**
 * A value that the credential may not read.
 *
 * @since 0.1.0
 * @category models
 */
export interface Hidden {
  readonly _tag: "Hidden"
}

/**
 * One secret of a response.
 *
 * @since 0.1.0
 * @category models
 */
export interface Row {
  readonly id: string
  readonly name: string
  readonly type: SecretType
  readonly version: number
  readonly environment: string
  readonly secretPath: string
  readonly details: Details
  readonly payload: Decrypted | Encrypted | Hidden
}

/**
 * A secret that this client wrote or read by its id, so its value is known.
 *
 * @since 0.1.0
 * @category models
 */
export interface WrittenRow extends Row {
  readonly payload: Decrypted
  /**
   * Whether the server did not say all of it, and it could not be read back, for example with a credential that may only
   * write. It is not cached; the next read fetches the location.
   */
  readonly isPartial?: boolean | undefined
}

/**
 * The last known row of a name, if any. If it is the version before the written one, the parts that a response does not
 * state are taken from it, which saves a request.
 *
 * @since 0.1.0
 * @category models
 */
export type Known = (name: string) => Row | undefined

/**
 * All secrets of a location.
 *
 * @since 0.1.0
 * @category models
 */
export interface Content {
  /** The folder's own secrets. The first of two with the same name and type wins. */
  readonly own: ReadonlyArray<Row>
  /** Imported secrets, used for names that the folder does not have. The first of two with the same name wins. */
  readonly imported: ReadonlyArray<Row>
  /** One error for each secret whose name cannot be decrypted. */
  readonly undecryptableNames: ReadonlyArray<DecryptError>
  /** Decrypts the rows with an `Encrypted` payload. */
  readonly cipher: Pick<Cipher, "decryptAll">
}

/**
 * The result of fetching a location. The ETag makes the next fetch conditional.
 *
 * @since 0.1.0
 * @category models
 */
export interface FetchResult {
  readonly content: Content
  readonly etag: Option.Option<string>
  /** The state of the server's rate limit, if the server reports it. */
  readonly rateLimit: Option.Option<InfisicalApi.RateLimit>
}

/**
 * The secret that a write changes.
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
 * The parts of a secret beside its value. Omitted fields are unset on create and unchanged on update.
 *
 * @since 0.1.0
 * @category models
 */
export interface Annotations {
  readonly comment?: string | undefined
  /** Tag ids. They replace all tags of the secret. */
  readonly tagIds?: ReadonlyArray<string> | undefined
  /** Replaces all metadata of the secret. */
  readonly metadata?: Readonly<Record<string, string>> | undefined
  /** `null` removes the reminder. */
  readonly reminder?: Reminder | null | undefined
}

/**
 * A new secret.
 *
 * @since 0.1.0
 * @category models
 */
export interface SecretInput extends Annotations {
  readonly value: Redacted.Redacted<string>
}

/**
 * A change of an existing secret. Omitted fields stay as they are, the value included.
 *
 * @since 0.1.0
 * @category models
 */
export interface Changes extends Annotations {
  readonly value?: Redacted.Redacted<string> | undefined
  readonly newName?: string | undefined
}

/**
 * The secrets of a batch, each with its name.
 *
 * @since 0.1.0
 * @category models
 */
export type Batch = ReadonlyArray<readonly [name: string, input: SecretInput]>

/**
 * Where secrets are moved to, and from where.
 *
 * @since 0.1.0
 * @category models
 */
export interface Move {
  readonly location: Location.Location
  readonly names: ReadonlyArray<string>
  readonly destination: Location.Location
  /** Whether secrets of the destination that have the same names are replaced. */
  readonly overwrite: boolean
}

/**
 * What a move has changed. A folder that an approval policy covers is not changed yet: the server has recorded the change
 * as a request that must be approved.
 *
 * @since 0.1.0
 * @category models
 */
export interface Moved {
  readonly isSourceUpdated: boolean
  readonly isDestinationUpdated: boolean
}

/**
 * The service behind `SecretSource`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** Whether the source replaces references in values when a location says `expandReferences`. */
  readonly expandsReferences: boolean
  /** Whether a credential may be refused a list and still read single secrets by name. */
  readonly readsByName: boolean
  /** Fetches all secrets of a location. Returns the previous content if the server says that nothing changed. */
  readonly fetch: (
    location: Location.Location,
    previous: Option.Option<Pick<FetchResult, "content" | "etag">>
  ) => Effect.Effect<FetchResult, ReadError>
  /** Creates a secret and returns it as the server has stored it. */
  readonly create: (target: Target, input: SecretInput) => Effect.Effect<WrittenRow, WriteError | AlreadyExistsError>
  /** Updates a secret and returns it as the server has stored it. Without `value` the value stays as it is. */
  readonly update: (
    target: Target,
    changes: Changes,
    known?: Known
  ) => Effect.Effect<WrittenRow, WriteError | AlreadyExistsError>
  /** Creates a secret, or updates the existing one. */
  readonly upsert: (
    target: Target,
    input: SecretInput,
    known?: Known
  ) => Effect.Effect<WrittenRow, WriteError | AlreadyExistsError>
  /** Deletes a secret. Deleting a shared one also deletes the personal ones of that name. */
  readonly delete: (target: Target) => Effect.Effect<void, WriteError>
  /** Creates shared secrets: all of them, or none. */
  readonly createMany: (
    location: Location.Location,
    secrets: Batch
  ) => Effect.Effect<ReadonlyArray<WrittenRow>, WriteError | AlreadyExistsError>
  /** Updates shared secrets: all of them, or none. */
  readonly updateMany: (
    location: Location.Location,
    secrets: Batch,
    known?: Known
  ) => Effect.Effect<ReadonlyArray<WrittenRow>, WriteError>
  /** Deletes shared secrets: all of them, or none. */
  readonly deleteMany: (
    location: Location.Location,
    names: ReadonlyArray<string>
  ) => Effect.Effect<void, WriteError>
  /** Reads a secret by the server's id, with its references as written. */
  readonly getById: (id: string) => Effect.Effect<WrittenRow, ReadError>
  /** Moves shared secrets to another folder. */
  readonly move: (move: Move) => Effect.Effect<Moved, WriteError | AlreadyExistsError>
}

/**
 * The port that snapshots are fetched from and writes go to.
 *
 * @since 0.1.0
 * @category tags
 */
export class SecretSource extends Context.Tag("effect-infisical/SecretSource")<SecretSource, Service>() {}

/**
 * Updates a secret, or creates it if it does not exist, for sources without an upsert of their own. Starts again, up to
 * three times in all, if another writer creates the secret between the two steps.
 *
 * @since 0.1.0
 * @category combinators
 */
export const upsertWithRetry = (
  { create, update }: Pick<Service, "create" | "update">,
  target: Target,
  input: SecretInput,
  known?: Known,
  attempts = 3
): ReturnType<Service["upsert"]> =>
  Effect.catchIf(
    update(target, input, known),
    (error) => error._tag === "NotFoundError" && error.resource === "secret",
    () =>
      Effect.catchIf(
        create(target, input),
        (error) => error._tag === "AlreadyExistsError" && attempts > 1,
        () => upsertWithRetry({ create, update }, target, input, known, attempts - 1)
      )
  )

/**
 * Adds the name of the existing secret to the `AlreadyExistsError` of a batch, if the server did not say it.
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
 * The error of an operation that servers have only on `/api/v4/secrets`.
 *
 * @since 0.1.0
 * @category errors
 */
export const onlyOnV4 = (operation: string): InvalidRequestError =>
  new InvalidRequestError({
    parameter: "server",
    problem:
      `it cannot ${operation}. That takes a server with /api/v4/secrets (v0.150 and later) that decrypts the project.`
  })

/**
 * Fails if a name is given twice: a server would create two secrets.
 *
 * @since 0.1.0
 * @category predicates
 */
export const checkDistinct = (names: ReadonlyArray<string>): Effect.Effect<void, InvalidRequestError> =>
  Effect.suspend(() => {
    const seen = new Set<string>()
    for (const name of names) {
      if (seen.has(name)) {
        return new InvalidRequestError({
          parameter: "secrets",
          problem: `"${name}" is there twice. Give each name once.`
        })
      }
      seen.add(name)
    }
    return Effect.void
  })
