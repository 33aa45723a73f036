import { Effect } from "effect"
import { Crypto } from "effect-infisical"

export const program = Effect.gen(function*() {
  const crypto = yield* Crypto.Crypto
  const key = yield* crypto.createSymmetricKey // base64 of 256 random bits
  const encrypted = yield* crypto.encryptSymmetric({ plaintext: "meet me at noon", key }) // ciphertext, iv, tag
  return yield* crypto.decryptSymmetric({ ...encrypted, key })
}).pipe(Effect.provide(Crypto.layer))
