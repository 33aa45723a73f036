/**
 * The NaCl box (x25519-xsalsa20-poly1305), put together from the primitives of the noble libraries.
 */
import { hsalsa, xsalsa20poly1305 } from "@noble/ciphers/salsa.js"
import { x25519 } from "@noble/curves/ed25519.js"

export const publicKeyOf = (privateKey: Uint8Array): Uint8Array => x25519.getPublicKey(privateKey)

/** Seals and opens under this nonce; throws where the public key is none. */
export const boxCipher = (options: {
  readonly privateKey: Uint8Array
  readonly publicKey: Uint8Array
  readonly nonce: Uint8Array
}) => xsalsa20poly1305(boxKey(options.privateKey, options.publicKey), options.nonce)

// NaCl's crypto_box_beforenm: HSalsa20 of the X25519 shared secret under a zero nonce.
const boxKey = (privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array => {
  const words = (bytes: Uint8Array) => new Uint32Array(bytes.slice().buffer)
  const key = new Uint32Array(8)
  hsalsa(
    words(new TextEncoder().encode("expand 32-byte k")),
    words(x25519.getSharedSecret(privateKey, publicKey)),
    new Uint32Array(4),
    key
  )
  return new Uint8Array(key.buffer)
}
