/** What a server stores of a write: what is refused beforehand, and what is compared afterwards. */
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type { DecryptedSecret } from "../api/Wire.js"
import {
  type AlreadyExistsError,
  InvalidRequestError,
  NetworkError,
  UnexpectedResponseError,
  type WriteError
} from "../model/InfisicalError.js"
import * as Details from "./details.js"
import type { Routes } from "./routes.js"
import type * as SecretSource from "./SecretSource.js"

/** What a server stores beside value, comment and tags. */
export interface Features {
  readonly reminders: boolean
  readonly metadata: boolean
}

export const everything: Features = { reminders: true, metadata: true }

/**
 * What a server of v3 stores, by what a read of it states: servers of 2024-07 state no reminders, and none of 2024 states
 * metadata.
 */
export const featuresOf = (secret: DecryptedSecret): Features => {
  const metadata = secret.secretMetadata !== undefined
  return {
    metadata,
    reminders: metadata || secret.secretReminderRepeatDays !== undefined || secret.secretReminderNote !== undefined
  }
}

/** The routes of 2024-07 for single secrets ignore new names and comments in updates. */
export const isOf2024_07 = ({ reminders }: Features): boolean => !reminders

const hasMetadata = ({ metadata }: SecretSource.Annotations): boolean => Object.keys(metadata ?? {}).length > 0

/** Whether a write has anything that a response does not confirm, or that a server may ignore. */
export const isAnnotated = ({ comment, metadata, reminder, tagIds }: SecretSource.Annotations): boolean =>
  comment !== undefined || metadata !== undefined || reminder !== undefined || tagIds !== undefined

/** Whether a new secret has anything that the response to its creation does not confirm. */
export const needsConfirmation = (input: SecretSource.Annotations): boolean =>
  hasMetadata(input) || (input.reminder ?? undefined) !== undefined || (input.tagIds ?? []).length > 0

/** Whether it depends on the server's age whether a write can be stored. */
export const needsFeatures = (input: SecretSource.Annotations): boolean =>
  input.reminder !== undefined || hasMetadata(input)

/** Why a server cannot store a write. */
export const refusal = (features: Features, changes: SecretSource.Annotations): InvalidRequestError | undefined =>
  changes.reminder !== undefined && !features.reminders
    ? new InvalidRequestError({
      parameter: "reminder",
      problem: "a server of 2024-07 stores no reminders of secrets that it encrypts. Set it in Infisical."
    })
    : hasMetadata(changes) && !features.metadata
    ? new InvalidRequestError({
      parameter: "metadata",
      problem: "servers of 2024 store none. Use tags, or update the server."
    })
    : undefined

/** Which part of a write a server has not stored, by a later read. A part that the read does not state is not compared. */
export const ignored = (
  { keepsValues }: Pick<Routes, "keepsValues">,
  changes: SecretSource.Annotations,
  stored: DecryptedSecret
): string | undefined =>
  changes.comment !== undefined && typeof stored.secretComment === "string" &&
    stored.secretComment.trim() !== changes.comment.trim()
    ? "comment"
    : ignoresTags(changes, stored)
    ? "tagIds"
    : changes.metadata !== undefined && Array.isArray(stored.secretMetadata) &&
        !sameMetadata(changes.metadata, Details.make(stored))
    ? "metadata"
    : keepsValues
    ? undefined
    : changes.reminder !== undefined && (changes.reminder?.repeatDays ?? 0) !== (stored.secretReminderRepeatDays ?? 0)
    ? "reminder"
    // The first secret of a folder is the first to show what the server stores.
    : refusal(featuresOf(stored), changes)?.parameter

export const ignoresTags = (
  { tagIds }: SecretSource.Annotations,
  { tags }: Pick<DecryptedSecret, "tags">
): boolean =>
  tagIds !== undefined && tags !== undefined && tags !== null && !sameMembers(tagIds, tags.map(({ id }) => id))

/** The error for a part that a server has ignored. `status` tells that the write was carried out. */
export const notStored = (parameter: string, done: "created" | "updated"): InvalidRequestError =>
  new InvalidRequestError({
    parameter,
    problem: `the secret was ${done}, but this server has ignored this part of it. Set it in Infisical.`,
    status: 200
  })

const sameMembers = (one: ReadonlyArray<string>, other: ReadonlyArray<string>): boolean => {
  const ids = new Set(one.map((id) => id.toLowerCase()))
  return ids.size === other.length && other.every((id) => ids.has(id.toLowerCase()))
}

const sameMetadata = (
  wanted: Readonly<Record<string, string>>,
  { encryptedMetadata, metadata }: ReturnType<typeof Details.make>
): boolean => {
  const stored = new Map([
    ...Object.entries(metadata),
    ...Object.entries(encryptedMetadata).map(([key, value]) => [key, Redacted.value(value)] as const)
  ])
  const entries = Object.entries(wanted)
  return entries.length === stored.size && entries.every(([key, value]) => stored.get(key) === value)
}

/**
 * The row of an updated secret, merged with the known one. `None` unless the known row is the version before it, so that
 * no other client has changed the secret in between.
 */
export const merged = (
  known: SecretSource.Row | undefined,
  changes: SecretSource.Changes,
  answer: SecretSource.WrittenRow
): Option.Option<SecretSource.WrittenRow> =>
  known?.payload._tag !== "Decrypted" || !isVersionBefore(known, answer) || isAnnotated(changes)
    ? Option.none()
    : Option.some({
      ...answer,
      details: known.details,
      payload: {
        _tag: "Decrypted",
        value: changes.value === undefined ? known.payload.value : answer.payload.value,
        comment: known.payload.comment
      }
    })

export const isVersionBefore = (known: SecretSource.Row | undefined, written: SecretSource.Row): boolean =>
  known !== undefined && known.id === written.id && known.version === written.version - 1

/** An error after a write was carried out says so. */
export const afterWrite =
  (endpoint: string, done: "created" | "updated", what = "but cannot be read back") =>
  (error: WriteError | AlreadyExistsError): NetworkError | UnexpectedResponseError =>
    error._tag === "NetworkError"
      ? new NetworkError({ ...error, endpoint, mayHaveBeenApplied: true })
      : new UnexpectedResponseError({
        endpoint,
        status: 200,
        problem: `the secret was ${done}, ${what} (${error._tag})`
      })
