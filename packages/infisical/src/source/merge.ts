/** What both kinds of answers have in common on their way to a snapshot's content. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as InfisicalApi from "../api/InfisicalApi.js"
import { type ReadError, UnexpectedResponseError } from "../model/InfisicalError.js"
import * as Location from "../model/Location.js"
import type * as SecretSource from "./SecretSource.js"
import type * as Snapshot from "./Snapshot.js"

export type Previous = Option.Option<Pick<SecretSource.FetchResult, "content" | "etag">>

export const unexpectedNotModified = new UnexpectedResponseError({
  endpoint: "GET /api/v3/secrets",
  status: 304,
  problem: "nothing was said to have changed, though no ETag was sent"
})

/** The content of an answer: read anew, or that of the previous one where nothing changed. */
export const answer = <A, E>(
  previous: Previous,
  read: (answer: A) => Effect.Effect<Snapshot.Content, E>
) =>
(answered: InfisicalApi.ConditionalResponse<A>): Effect.Effect<SecretSource.FetchResult, E | ReadError> => {
  const { rateLimit } = answered
  return answered._tag === "Modified"
    ? Effect.map(read(answered.answer), (content) => ({ content, etag: answered.etag, rateLimit }))
    : Option.match(previous, {
      onNone: () => Effect.fail(unexpectedNotModified),
      onSome: ({ content, etag }) => Effect.succeed({ content, etag, rateLimit })
    })
}

/** The rows that there were, by the server's id. */
export const knownRows = (previous: Previous): ReadonlyMap<string, Snapshot.Row> => {
  const known = new Map<string, Snapshot.Row>()
  if (Option.isSome(previous)) {
    for (const row of previous.value.content.imported) known.set(row.id, row)
    for (const row of previous.value.content.own) known.set(row.id, row)
  }
  return known
}

/**
 * Visits the secrets of an answer in the order in which the first counts: the folder's own, then the last import, and
 * within one entry the importing folder's before those that it imports (`wire/` "Reads").
 */
export const inOrder = <S extends { readonly secretPath?: string | null | undefined }>(
  location: Location.Location,
  secrets: ReadonlyArray<S>,
  imports: ReadonlyArray<{ readonly secretPath?: string | null | undefined; readonly secrets: ReadonlyArray<S> }>,
  visit: (secret: S, secretPath: string, imported: boolean) => void
): void => {
  for (const secret of secrets) {
    const secretPath = secret.secretPath ?? location.secretPath
    // A recursive list has the folders, too, whose path only begins with the same letters.
    if (!location.recursive || Location.isWithin(secretPath, location.secretPath)) visit(secret, secretPath, false)
  }
  for (const entry of imports.toReversed()) {
    for (const secret of entry.secrets) visit(secret, entry.secretPath ?? location.secretPath, true)
  }
}
