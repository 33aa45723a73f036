/**
 * Encryption as Infisical does it: AES-256-GCM for texts, an X25519 box for the project key of a service token v3.
 *
 * `layer` runs on Web Crypto, wherever there is one. The Node companion has one on `node:crypto`, which is several
 * times faster for many small values. Both are `make` around two primitives.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { DecryptError, InvalidRequestError } from "../model/InfisicalError.js"
import { checkWellFormed } from "../model/wellFormed.js"

/**
 * The result of AES-256-GCM: three base64 texts, as on the wire. The tag is 16 bytes, there is no additional data.
 *
 * @since 0.1.0
 * @category models
 */
export interface Sealed {
  readonly ciphertext: string
  readonly iv: string
  readonly tag: string
}

/**
 * The result of a NaCl box (x25519-xsalsa20-poly1305): base64 of the tag and the ciphertext, and of the 24-byte nonce.
 *
 * @since 0.1.0
 * @category models
 */
export interface SealedBox {
  readonly ciphertext: string
  readonly nonce: string
}

/**
 * An AES-256-GCM key, imported once, that does not show itself.
 *
 * @since 0.1.0
 * @category models
 */
export interface Cipher {
  /** Encrypts a text under a fresh random IV. The text is valid Unicode (`isWellFormed`): that is the caller's to check. */
  readonly encrypt: (plaintext: string) => Effect.Effect<Sealed>
  /** Decrypts one text. */
  readonly decrypt: (sealed: Sealed) => Effect.Effect<string, DecryptError>
  /** Decrypts many texts; a text that cannot be decrypted is `undefined` and affects no other. */
  readonly decryptAll: (sealed: ReadonlyArray<Sealed>) => Effect.Effect<ReadonlyArray<string | undefined>>
}

/**
 * The service behind `Crypto`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** A fresh symmetric key: base64 of 256 random bits. */
  readonly createSymmetricKey: Effect.Effect<Redacted.Redacted<string>>
  /**
   * Encrypts a text with a key from `createSymmetricKey`: AES-256-GCM, a random 96-bit IV, everything base64.
   *
   * Fails with `InvalidRequestError` where the key is not base64 of 32 bytes, or the text is not valid Unicode.
   */
  readonly encryptSymmetric: (options: {
    readonly plaintext: string | Redacted.Redacted<string>
    readonly key: Redacted.Redacted<string>
  }) => Effect.Effect<Sealed, InvalidRequestError>
  /**
   * Decrypts what `encryptSymmetric` made.
   *
   * Fails with `DecryptError` where any bit of it, or the key, is another; with `InvalidRequestError` where the key is
   * not base64 of 32 bytes.
   */
  readonly decryptSymmetric: (
    options: Sealed & { readonly key: Redacted.Redacted<string> }
  ) => Effect.Effect<Redacted.Redacted<string>, DecryptError | InvalidRequestError>
  /**
   * Imports the text keys of the wire: a project key, or the key part of a service token, 32 characters whose UTF-8
   * bytes are the key. It encrypts under a 16-byte IV.
   *
   * Fails with `InvalidRequestError` where the key is not 32 bytes.
   */
  readonly projectCipher: (key: Redacted.Redacted<string>) => Effect.Effect<Cipher, InvalidRequestError>
  /**
   * A cipher under a key that is derived from a secret (HKDF with SHA-256), one for each purpose. It encrypts under a
   * 12-byte IV.
   */
  readonly derivedCipher: (options: {
    readonly secret: Redacted.Redacted<string>
    readonly purpose: string
  }) => Effect.Effect<Cipher>
  /** A key pair for `sealBox` and `openBox`: X25519, base64. */
  readonly createBoxKeyPair: Effect.Effect<
    { readonly publicKey: string; readonly privateKey: Redacted.Redacted<string> }
  >
  /**
   * Encrypts a text for the holder of one private key, from the holder of another.
   *
   * Fails with `InvalidRequestError` where a key is not one, or the text is not valid Unicode.
   */
  readonly sealBox: (options: {
    readonly plaintext: Redacted.Redacted<string>
    readonly publicKey: string
    readonly privateKey: Redacted.Redacted<string>
  }) => Effect.Effect<SealedBox, InvalidRequestError>
  /**
   * Opens what `sealBox` made.
   *
   * Fails with `DecryptError` where anything in it was changed or a key is another.
   */
  readonly openBox: (
    options: SealedBox & { readonly publicKey: string; readonly privateKey: Redacted.Redacted<string> }
  ) => Effect.Effect<Redacted.Redacted<string>, DecryptError>
}

/**
 * Encryption as Infisical does it.
 *
 * @since 0.1.0
 * @category tags
 */
export class Crypto extends Context.Tag("effect-infisical/Crypto")<Crypto, Service>() {}

/**
 * What a platform brings: randomness, and AES-256-GCM.
 *
 * @since 0.1.0
 * @category models
 */
export interface Primitives {
  /** Random bytes from a cryptographic source. */
  readonly randomBytes: (length: number) => Effect.Effect<Uint8Array>
  /** Imports an AES-256 key of 32 bytes. */
  readonly importKey: (key: Uint8Array) => Effect.Effect<AesGcm>
  /** HKDF with SHA-256 (RFC 5869), without salt: that many bytes for this purpose. */
  readonly deriveKey: (secret: Uint8Array, purpose: Uint8Array, length: number) => Effect.Effect<Uint8Array>
}

/**
 * AES-256-GCM under one imported key.
 *
 * @since 0.1.0
 * @category models
 */
export interface AesGcm {
  readonly encrypt: (plaintext: string, iv: Uint8Array) => Effect.Effect<Sealed>
  /** `undefined` for what is not authentic, not base64, not UTF-8, or has a tag of another length than 16 bytes. */
  readonly decryptAll: (sealed: ReadonlyArray<Sealed>) => Effect.Effect<ReadonlyArray<string | undefined>>
}

/**
 * The length of an authentication tag, in bytes. A shorter one would be easier to forge, so no other is accepted.
 *
 * @since 0.1.0
 * @category constants
 */
export const tagLength = 16

/** `wire/` "Encryption": 16 bytes for secrets, 12 for the symmetric helpers. */
const projectIvLength = 16
const symmetricIvLength = 12
const keyLength = 32

const utf8Encoder = new TextEncoder()
const utf8Decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

const notAuthentic = new DecryptError({
  subject: "text",
  problem: "it is not authentic, or was encrypted with another key"
})

/**
 * Builds the service on a platform's primitives.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (primitives: Primitives): Service => {
  const cipher = (aesGcm: AesGcm, ivLength: number): Cipher => ({
    encrypt: (plaintext) => Effect.flatMap(primitives.randomBytes(ivLength), (iv) => aesGcm.encrypt(plaintext, iv)),
    decrypt: (sealed) =>
      Effect.flatMap(
        aesGcm.decryptAll([sealed]),
        ([plaintext]) => plaintext === undefined ? Effect.fail(notAuthentic) : Effect.succeed(plaintext)
      ),
    decryptAll: aesGcm.decryptAll
  })

  const symmetricCipher = (key: Redacted.Redacted<string>): Effect.Effect<Cipher, InvalidRequestError> =>
    Effect.flatMap(
      decodeBytes("key", Redacted.value(key), keyLength),
      (bytes) => Effect.map(primitives.importKey(bytes), (aesGcm) => cipher(aesGcm, symmetricIvLength))
    )

  const random = (length: number) => Effect.map(primitives.randomBytes(length), Encoding.encodeBase64)

  return {
    createSymmetricKey: Effect.map(random(keyLength), Redacted.make),

    encryptSymmetric: ({ key, plaintext }) =>
      Effect.gen(function*() {
        const text = yield* checkWellFormed(
          "plaintext",
          typeof plaintext === "string" ? plaintext : Redacted.value(plaintext)
        )
        return yield* (yield* symmetricCipher(key)).encrypt(text)
      }),

    decryptSymmetric: ({ key, ...sealed }) =>
      symmetricCipher(key).pipe(
        Effect.flatMap((cipher) => cipher.decrypt(sealed)),
        Effect.map(Redacted.make)
      ),

    projectCipher: (key) => {
      const bytes = utf8Encoder.encode(Redacted.value(key))
      return bytes.length === keyLength
        ? Effect.map(primitives.importKey(bytes), (aesGcm) => cipher(aesGcm, projectIvLength))
        : Effect.fail(new InvalidRequestError({ parameter: "key", problem: "it must be a text of 32 bytes" }))
    },

    derivedCipher: ({ purpose, secret }) =>
      primitives.deriveKey(utf8Encoder.encode(Redacted.value(secret)), utf8Encoder.encode(purpose), keyLength).pipe(
        Effect.flatMap(primitives.importKey),
        Effect.map((aesGcm) => cipher(aesGcm, symmetricIvLength))
      ),

    createBoxKeyPair: Effect.gen(function*() {
      const box = yield* loadBox
      const privateKey = yield* primitives.randomBytes(keyLength)
      return {
        publicKey: Encoding.encodeBase64(box.publicKeyOf(privateKey)),
        privateKey: Redacted.make(Encoding.encodeBase64(privateKey))
      }
    }),

    sealBox: (options) =>
      Effect.gen(function*() {
        const publicKey = yield* decodeBytes("publicKey", options.publicKey, keyLength)
        const privateKey = yield* decodeBytes("privateKey", Redacted.value(options.privateKey), keyLength)
        const plaintext = yield* checkWellFormed("plaintext", Redacted.value(options.plaintext))
        const nonce = yield* primitives.randomBytes(boxNonceLength)
        const { boxCipher } = yield* loadBox
        const box = yield* Effect.try({
          try: () => boxCipher({ privateKey, publicKey, nonce }),
          catch: () => new InvalidRequestError({ parameter: "publicKey", problem: "it is not a usable X25519 key" })
        })
        return {
          ciphertext: Encoding.encodeBase64(box.encrypt(utf8Encoder.encode(plaintext))),
          nonce: Encoding.encodeBase64(nonce)
        }
      }),

    openBox: (options) =>
      Effect.gen(function*() {
        const publicKey = yield* decodeBytes("publicKey", options.publicKey, keyLength)
        const privateKey = yield* decodeBytes("privateKey", Redacted.value(options.privateKey), keyLength)
        const nonce = yield* decodeBytes("nonce", options.nonce, boxNonceLength)
        const ciphertext = yield* decodeBytes("ciphertext", options.ciphertext)
        const { boxCipher } = yield* loadBox
        return yield* Effect.try(() =>
          Redacted.make(utf8Decoder.decode(boxCipher({ privateKey, publicKey, nonce }).decrypt(ciphertext)))
        )
      }).pipe(Effect.mapError(() => notAuthentic))
  }
}

const boxNonceLength = 24

// Only a service token v3 needs the box, and it is as large as all the rest, so it is loaded when it is used.
const loadBox = Effect.promise(() => import("./box.js"))

const decodeBytes = (
  parameter: string,
  base64: string,
  length?: number
): Effect.Effect<Uint8Array, InvalidRequestError> =>
  Either.match(Encoding.decodeBase64(base64), {
    onLeft: () => Effect.fail(new InvalidRequestError({ parameter, problem: "it must be base64" })),
    onRight: (bytes) =>
      length !== undefined && bytes.length !== length
        ? Effect.fail(new InvalidRequestError({ parameter, problem: `it must be base64 of ${length} bytes` }))
        : Effect.succeed(bytes)
  })

const web: Primitives = {
  randomBytes: (length) => Effect.sync(() => globalThis.crypto.getRandomValues(new Uint8Array(length))),
  deriveKey: (secret, purpose, length) =>
    Effect.promise(() =>
      globalThis.crypto.subtle.importKey("raw", new Uint8Array(secret), "HKDF", false, ["deriveBits"]).then((key) =>
        globalThis.crypto.subtle.deriveBits(
          { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(0), info: new Uint8Array(purpose) },
          key,
          length * 8
        )
      )
    ).pipe(Effect.map((bits) => new Uint8Array(bits))),
  importKey: (bytes) =>
    Effect.map(
      Effect.promise(() =>
        globalThis.crypto.subtle.importKey("raw", new Uint8Array(bytes), "AES-GCM", false, ["encrypt", "decrypt"])
      ),
      (key) => ({
        encrypt: (plaintext, iv) =>
          Effect.map(
            Effect.promise(() =>
              globalThis.crypto.subtle.encrypt(
                { name: "AES-GCM", iv: new Uint8Array(iv) },
                key,
                utf8Encoder.encode(plaintext)
              )
            ),
            (buffer) => {
              const bytes = new Uint8Array(buffer)
              return {
                ciphertext: Encoding.encodeBase64(bytes.subarray(0, bytes.length - tagLength)),
                iv: Encoding.encodeBase64(iv),
                tag: Encoding.encodeBase64(bytes.subarray(bytes.length - tagLength))
              }
            }
          ),
        decryptAll: (sealed) => Effect.promise(() => Promise.all(sealed.map((one) => webDecrypt(key, one))))
      })
    )
}

const webDecrypt = (key: CryptoKey, sealed: Sealed): Promise<string | undefined> => {
  const parts = Either.all([
    Encoding.decodeBase64(sealed.ciphertext),
    Encoding.decodeBase64(sealed.iv),
    Encoding.decodeBase64(sealed.tag)
  ])
  if (Either.isLeft(parts)) return Promise.resolve(undefined)
  const [ciphertext, iv, tag] = parts.right
  if (iv.length === 0 || tag.length !== tagLength) return Promise.resolve(undefined)
  const data = new Uint8Array(ciphertext.length + tagLength)
  data.set(ciphertext)
  data.set(tag, ciphertext.length)
  return globalThis.crypto.subtle.decrypt({ name: "AES-GCM", iv: new Uint8Array(iv) }, key, data).then(
    (plaintext) => utf8Decoder.decode(plaintext)
  ).catch(() => undefined)
}

/**
 * `Crypto` on Web Crypto, with the box from the noble libraries.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<Crypto> = Layer.succeed(Crypto, make(web))
