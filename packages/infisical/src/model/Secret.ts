/**
 * A secret, and a list of them, as they are returned.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import type * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type { DecryptError, ReadError } from "./InfisicalError.js"

/**
 * `shared`: everyone reads it. `personal`: only the user who wrote it does.
 *
 * @since 0.1.0
 * @category schemas
 */
export const SecretType = Schema.Literal("shared", "personal")

/**
 * Whether a secret is everyone's, or overrides that for one user.
 *
 * @since 0.1.0
 * @category models
 */
export type SecretType = typeof SecretType.Type

/**
 * Where a secret came from:
 *
 * - `live`: an answer of the server that is no older than `cacheTtl`
 * - `stale`: an older answer, since the server could not be asked again
 * - `sealed`: an answer of an earlier process, from the snapshot store, since the server cannot be reached
 * - `fallback`: the `ConfigProvider` of the time when the layer was built, by default the environment variables
 *
 * @since 0.1.0
 * @category models
 */
export type Source = "live" | "stale" | "sealed" | "fallback"

/**
 * A tag of a secret.
 *
 * @since 0.1.0
 * @category models
 */
export interface Tag {
  readonly id: string
  readonly slug: string
  readonly name: string
}

/**
 * When a reminder of a secret is sent, and its text.
 *
 * @since 0.1.0
 * @category models
 */
export interface Reminder {
  readonly repeatDays: number
  readonly note: string
}

/**
 * What belongs to a secret beside its value and comment. Some routes leave it out: lists of servers of 2024-07 have no
 * tags, end-to-end encrypted secrets no metadata.
 *
 * @since 0.1.0
 * @category models
 */
export interface Details {
  readonly tags: ReadonlyArray<Tag>
  readonly metadata: Readonly<Record<string, string>>
  /** Metadata that the server keeps encrypted. */
  readonly encryptedMetadata: Readonly<Record<string, Redacted.Redacted<string>>>
  readonly reminder: Option.Option<Reminder>
}

/**
 * Those of a secret that has none.
 *
 * @since 0.1.0
 * @category constants
 */
export const noDetails: Details = { tags: [], metadata: {}, encryptedMetadata: {}, reminder: Option.none() }

/**
 * A secret. Immutable; it prints itself without its value.
 *
 * @example
 * ```ts
 * import { Secrets } from "effect-infisical"
 * import { Effect, Redacted } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const secrets = yield* Secrets.Secrets
 *   const url = yield* secrets.get("DATABASE_URL")
 *   return Redacted.value(url.value)
 * })
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export class Secret extends Data.Class<{
  readonly name: string
  readonly value: Redacted.Redacted<string>
  readonly type: SecretType
  /** Empty where there is none, or none that can be decrypted. */
  readonly comment: string
  /** The environment that holds it; for an imported secret as the server labels it. */
  readonly environment: string
  /** The folder that holds it; for an imported secret as the server labels it. */
  readonly secretPath: string
  readonly source: Source
  /** When the server gave it; for a fallback, when it was read. */
  readonly fetchedAt: DateTime.Utc
  /** The server's id; a fallback has none. */
  readonly id?: string
  /** Counts the writes of it, from 1 (from 0 for one that a batch made); a fallback has none. */
  readonly version?: number
  readonly details: Details
}> {}

/**
 * A secret that is visible by name only: the credential may not read its value, or not as part of a list.
 *
 * @since 0.1.0
 * @category models
 */
export type HiddenSecret = Pick<Secret, "name" | "type" | "environment" | "secretPath" | "details">

/**
 * A secret that refers to others, some of which cannot be read now, with the reason.
 *
 * @since 0.1.0
 * @category models
 */
export interface UnresolvedSecret {
  readonly secret: Pick<Secret, "name" | "type" | "environment" | "secretPath">
  readonly error: ReadError
}

/**
 * All secrets of one location.
 *
 * @since 0.1.0
 * @category models
 */
export interface SecretList {
  /** One for each name, in a recursive list for each name and folder; the folder's own before imported ones. */
  readonly secrets: ReadonlyArray<Secret>
  /** Those whose value the list does not show. `get` may still read one of them by its name. */
  readonly hidden: ReadonlyArray<HiddenSecret>
  /** Those that could not be decrypted; they hurt no other. */
  readonly undecryptable: ReadonlyArray<DecryptError>
  /** Secrets whose references cannot be resolved now. `get` fails for them with the same error. */
  readonly unresolved: ReadonlyArray<UnresolvedSecret>
  readonly source: Source
  /** When the server gave it. */
  readonly fetchedAt: DateTime.Utc
}
