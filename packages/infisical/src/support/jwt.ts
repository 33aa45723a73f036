/**
 * The claims of a JWT, without a check of its signature: good for a hint or a binding, never as a proof.
 */
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"

/** None if the text is no JWT. */
export const claimsOf = (text: string): Option.Option<{ readonly [claim: string]: unknown }> =>
  Option.fromNullable(text.split(".", 2)[1]).pipe(
    Option.flatMap((payload) => Either.getRight(Encoding.decodeBase64UrlString(payload))),
    Option.flatMap(Option.liftThrowable((json): unknown => JSON.parse(json))),
    Option.filter(Predicate.isReadonlyRecord)
  )
