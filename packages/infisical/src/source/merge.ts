/** The common steps from a response to the content of a snapshot. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as InfisicalApi from "../api/InfisicalApi.js"
import { type ReadError, UnexpectedResponseError } from "../model/InfisicalError.js"
import * as Location from "../model/Location.js"
import type * as SecretSource from "./SecretSource.js"

export type Previous = Option.Option<Pick<SecretSource.FetchResult, "content" | "etag">>

export const unexpectedNotModified = new UnexpectedResponseError({
  endpoint: "GET /api/v3/secrets",
  status: 304,
  problem: "it says that nothing changed, although the request had no ETag"
})

/** The content of a response, or the previous content if nothing changed. */
export const fetchResult = <A, E>(
  previous: Previous,
  response: InfisicalApi.ConditionalResponse<A>,
  read: (answer: A) => Effect.Effect<SecretSource.Content, E>
): Effect.Effect<SecretSource.FetchResult, E | ReadError> => {
  const { rateLimit } = response
  return response._tag === "Modified"
    ? Effect.map(read(response.answer), (content) => ({ content, etag: response.etag, rateLimit }))
    : Option.match(previous, {
      onNone: () => Effect.fail(unexpectedNotModified),
      onSome: ({ content, etag }) => Effect.succeed({ content, etag, rateLimit })
    })
}

/** The rows of the previous content, by the server's id. */
export const knownRows = (previous: Previous): ReadonlyMap<string, SecretSource.Row> => {
  const known = new Map<string, SecretSource.Row>()
  if (Option.isSome(previous)) {
    for (const row of previous.value.content.imported) known.set(row.id, row)
    for (const row of previous.value.content.own) known.set(row.id, row)
  }
  return known
}

/**
 * Visits the secrets of a response by precedence: the folder's own, then the last import, and within one import the
 * importing folder's before those that it imports itself (`wire/` "Reads").
 */
export const inOrder = <S extends { readonly secretPath?: string | null | undefined }>(
  location: Location.Location,
  secrets: ReadonlyArray<S>,
  imports: ReadonlyArray<{ readonly secretPath?: string | null | undefined; readonly secrets: ReadonlyArray<S> }>,
  visit: (secret: S, secretPath: string, isImported: boolean) => void
): void => {
  for (const secret of secrets) {
    const secretPath = secret.secretPath ?? location.secretPath
    // A recursive list also has folders whose path only begins with the same letters.
    if (!location.recursive || Location.isWithin(secretPath, location.secretPath)) visit(secret, secretPath, false)
  }
  if (!location.includeImports) return
  for (const entry of imports.toReversed()) {
    for (const secret of entry.secrets) visit(secret, entry.secretPath ?? location.secretPath, true)
  }
}
