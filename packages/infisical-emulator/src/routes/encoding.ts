/** A field that clients may send and that the wire's schema does not know. */
import * as Predicate from "effect/Predicate"

/** How a value of several lines is written where references are expanded. */
export const encodingOf = (body: unknown): { readonly skipMultilineEncoding?: boolean } =>
  Predicate.isReadonlyRecord(body) && typeof body["skipMultilineEncoding"] === "boolean"
    ? { skipMultilineEncoding: body["skipMultilineEncoding"] }
    : {}

/** The same of each secret of a batch. */
export const withEncodings = <A extends object>(body: unknown, items: ReadonlyArray<A>) => {
  const sent = Predicate.isReadonlyRecord(body) && Array.isArray(body["secrets"]) ? body["secrets"] : []
  return items.map((item, index) => ({ ...item, ...encodingOf(sent[index]) }))
}
