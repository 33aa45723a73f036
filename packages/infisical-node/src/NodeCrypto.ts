/**
 * Encryption on `node:crypto`: the same as `Crypto.layer` of `effect-infisical`, and several times faster for many
 * small values, since nothing is asynchronous and a key is imported once.
 *
 * @since 0.1.0
 */
import { Crypto } from "effect-infisical"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Layer from "effect/Layer"
import { isUtf8 } from "node:buffer"
import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomFillSync
} from "node:crypto"

/**
 * `Crypto` on `node:crypto`.
 *
 * @example
 * ```ts
 * import { Crypto } from "effect-infisical"
 * import { NodeCrypto } from "effect-infisical-node"
 * import { Effect } from "effect"
 *
 * const key = Effect.flatMap(Crypto.Crypto, (crypto) => crypto.createSymmetricKey).pipe(
 *   Effect.provide(NodeCrypto.layer)
 * )
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<Crypto.Crypto> = Layer.sync(Crypto.Crypto, () =>
  Crypto.make({
    randomBytes: (length) => Effect.sync(() => randomFillSync(new Uint8Array(length))),
    importKey: (key) => Effect.sync(() => aesGcm(createSecretKey(key))),
    deriveKey: (secret, purpose, length) =>
      Effect.sync(() => new Uint8Array(hkdfSync("sha256", secret, new Uint8Array(0), purpose, length)))
  }))

const algorithm = "aes-256-gcm"
const options = { authTagLength: Crypto.tagLength }

const aesGcm = (key: KeyObject): Crypto.AesGcm => ({
  encrypt: (plaintext, iv) => Effect.sync(() => encrypt(key, plaintext, iv)),
  decryptAll: (sealed) => Effect.sync(() => sealed.map((one) => decrypt(key, one)))
})

const encrypt = (key: KeyObject, plaintext: string, iv: Uint8Array): Crypto.Sealed => {
  const cipher = createCipheriv(algorithm, key, iv, options)
  const ciphertext = cipher.update(plaintext, "utf8", "base64") + cipher.final("base64")
  return { ciphertext, iv: Buffer.from(iv).toString("base64"), tag: cipher.getAuthTag().toString("base64") }
}

const decrypt = (key: KeyObject, sealed: Crypto.Sealed): string | undefined => {
  const ciphertext = decodeBase64(sealed.ciphertext)
  const iv = decodeBase64(sealed.iv)
  const tag = decodeBase64(sealed.tag)
  if (ciphertext === undefined || iv === undefined || tag === undefined) return undefined
  // Node refuses these as well; that it does is not left to the version and its options.
  if (iv.length === 0 || tag.length !== Crypto.tagLength) return undefined
  try {
    const decipher = createDecipheriv(algorithm, key, iv, options).setAuthTag(tag)
    const plaintext = decipher.update(ciphertext)
    // It checks the tag, and throws; bytes it has none, since GCM holds none back.
    decipher.final()
    return isUtf8(plaintext) ? plaintext.toString("utf8") : undefined
  } catch {
    return undefined
  }
}

// `Buffer.from` skips what is not base64, takes base64url for it, and of a character beyond ASCII a part; what opens must
// not depend on the layer. Where nothing of that can have been, its answer is right. All else (line breaks, no padding)
// is for `effect/Encoding` to decide, as in the other layer. To encode again and compare would take as long as to decode.
const decodeBase64 = (text: string): Uint8Array | undefined => {
  const bytes = Buffer.from(text, "base64")
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0
  const nothingSkipped = bytes.length === text.length / 4 * 3 - padding
  return nothingSkipped && Buffer.byteLength(text) === text.length && !text.includes("-") && !text.includes("_")
    ? bytes
    : Either.getOrUndefined(Encoding.decodeBase64(text))
}
