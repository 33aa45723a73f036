/**
 * Whether a text survives UTF-8: half a surrogate pair would silently become another character.
 */
import * as Effect from "effect/Effect"
import { InvalidRequestError } from "./InfisicalError.js"

export const isWellFormed = (text: string): boolean => !/\p{Surrogate}/u.test(text)

/** The text, or `InvalidRequestError` for this parameter. */
export const checkWellFormed = (parameter: string, text: string): Effect.Effect<string, InvalidRequestError> =>
  isWellFormed(text) ? Effect.succeed(text) : Effect.fail(
    new InvalidRequestError({
      parameter,
      problem: "it has half a surrogate pair, which UTF-8 cannot hold. Encode binary data first, as base64."
    })
  )
