/** What several routes have in common. */
import * as Schema from "effect/Schema"

export { SecretType } from "../../model/Secret.js"

/** What some routes and eras give as null, and others leave out. */
export const nullable = Schema.optional(Schema.NullOr(Schema.String))

/**
 * A name in a URL. It is percent-encoded on the way out; a server's router has decoded it already on the way in.
 *
 * @since 0.1.0
 * @category schemas
 */
export const SecretName = Schema.transform(Schema.String, Schema.String, {
  strict: true,
  decode: (name) => name,
  encode: (name) => encodeURIComponent(name)
})

/**
 * A flag in a query: exactly `true` or `false`, anything else is a validation failure.
 *
 * @since 0.1.0
 * @category schemas
 */
export const QueryFlag = Schema.Literal("true", "false")

/**
 * The bearer token, and for a conditional read the ETag: an exact, single, strong one matches.
 *
 * @since 0.1.0
 * @category schemas
 */
export const AuthorizationHeaders = Schema.Struct({ authorization: Schema.String })

/**
 * @since 0.1.0
 * @category schemas
 */
export const ConditionalHeaders = Schema.Struct({
  authorization: Schema.String,
  "if-none-match": Schema.optional(Schema.String)
})

/**
 * The path of a route for one secret.
 *
 * @since 0.1.0
 * @category schemas
 */
export const NamePath = Schema.Struct({ secretName: SecretName })

/**
 * What a write is answered with where an approval policy covers the path: nothing was written.
 *
 * @since 0.1.0
 * @category schemas
 */
export const ApprovalAnswer = Schema.Struct({
  approval: Schema.Struct({ id: Schema.String.pipe(Schema.maxLength(128)) })
})

/**
 * The version of a secret. A number such as `1e400`, which JSON can state but no server counts to, is none.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Version = Schema.NonNegativeInt

/**
 * A time in whole or broken seconds that a `Duration` can hold.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Seconds = Schema.Number.pipe(Schema.between(0, 1e12))

/**
 * A tag, as a project has it.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Tag = Schema.Struct({
  id: Schema.String,
  slug: Schema.String,
  name: nullable,
  color: nullable
})

export const Tags = Schema.optional(Schema.NullOr(Schema.Array(Tag)))

/**
 * When a reminder of a secret is sent, and its text.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Reminder = {
  secretReminderNote: nullable,
  secretReminderRepeatDays: Schema.optional(Schema.NullOr(Schema.Finite))
}

export const isNullableString = (input: unknown): boolean =>
  typeof input === "string" || input === null || input === undefined

/** Decides as `Version` does. */
export const isVersion = (input: unknown): boolean =>
  typeof input === "number" && Number.isSafeInteger(input) && input >= 0

export const isNullableNumber = (input: unknown): boolean =>
  Number.isFinite(input) || input === null || input === undefined

export const isNullableArrayOf = (input: unknown, isItem: (item: unknown) => boolean): boolean =>
  input === null || input === undefined || (Array.isArray(input) && input.every(isItem))

export const isTag = Schema.is(Tag)

export const isArray = (input: unknown): input is ReadonlyArray<unknown> => Array.isArray(input)
