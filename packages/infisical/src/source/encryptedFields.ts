/** The encrypted fields of a secret, from the wire and to the wire. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { EncryptedSecret } from "../api/Wire.js"
import type { Cipher, Sealed } from "../crypto/Crypto.js"
import { InvalidRequestError } from "../model/InfisicalError.js"
import * as Details from "./details.js"
import type * as SecretSource from "./SecretSource.js"

export const name = (secret: EncryptedSecret): Sealed => ({
  ciphertext: secret.secretKeyCiphertext,
  iv: secret.secretKeyIV,
  tag: secret.secretKeyTag
})

export const value = (secret: EncryptedSecret): Sealed => ({
  ciphertext: secret.secretValueCiphertext,
  iv: secret.secretValueIV,
  tag: secret.secretValueTag
})

/** An empty comment has an empty ciphertext, with or without IV and tag. */
export const comment = (secret: EncryptedSecret): Option.Option<Sealed> =>
  secret.secretCommentCiphertext && secret.secretCommentIV && secret.secretCommentTag
    ? Option.some({
      ciphertext: secret.secretCommentCiphertext,
      iv: secret.secretCommentIV,
      tag: secret.secretCommentTag
    })
    : Option.none()

export const encryptName = (cipher: Cipher, name: string) =>
  Effect.map(cipher.encrypt(name), ({ ciphertext, iv, tag }) => ({
    secretKeyCiphertext: ciphertext,
    secretKeyIV: iv,
    secretKeyTag: tag
  }))

export const encryptValue = (cipher: Cipher, value: string) =>
  Effect.map(cipher.encrypt(value), ({ ciphertext, iv, tag }) => ({
    secretValueCiphertext: ciphertext,
    secretValueIV: iv,
    secretValueTag: tag
  }))

export const annotations = (cipher: Cipher, { comment, metadata, reminder, tagIds }: SecretSource.Annotations) =>
  Effect.gen(function*() {
    if (metadata !== undefined) {
      return yield* new InvalidRequestError({
        parameter: "metadata",
        problem: "end-to-end encrypted secrets have none. Use tags, or a machine identity on a project without it."
      })
    }
    const sealed = yield* Effect.transposeMapOption(Option.fromNullable(comment), cipher.encrypt)
    return {
      ...Option.match(sealed, {
        onNone: () => ({}),
        onSome: ({ ciphertext, iv, tag }) => ({
          secretCommentCiphertext: ciphertext,
          secretCommentIV: iv,
          secretCommentTag: tag
        })
      }),
      ...tagIds === undefined ? {} : { tags: tagIds },
      ...Details.reminderFields(reminder)
    }
  })
