/**
 * One suite for every layer of `Crypto`: the vectors of the standards, the exchanges recorded from a real server, and
 * what must never be opened.
 */
import { FileSystem, Path } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Either, Encoding, FastCheck, type Layer, Option, Redacted, Schema } from "effect"
import { Credential, Crypto, type InfisicalError } from "effect-infisical"
import { NodeCrypto } from "effect-infisical-node"
import * as NodeApi from "node:crypto"
import { inspect } from "node:util"

// ---------------------------------------------------------------------------------------------------------------------
// Arbitraries and helpers
// ---------------------------------------------------------------------------------------------------------------------

const fields = ["ciphertext", "iv", "tag"] as const

/** Any text of Unicode, and often what trips decoders: a byte order mark, line ends, NUL, characters of four bytes. */
const text = FastCheck.oneof(
  FastCheck.string({ unit: "binary" }),
  FastCheck.string({ unit: FastCheck.constantFrom("\uFEFF", "\r\n", "\n", "\0", "é", "密", "🔑", "a") })
)

const projectKey = Redacted.make("6dff049a8cbdd39f6fefefa494a4267e")

const bytesOf = (base64: string): Buffer => Buffer.from(base64, "base64")

const base64OfHex = (hex: string): string => Buffer.from(hex, "hex").toString("base64")

const flipBit = (base64: string, bit: number): string => {
  const bytes = bytesOf(base64)
  bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
  return bytes.toString("base64")
}

type Failure = InfisicalError.DecryptError | InfisicalError.InvalidRequestError

const tagOf = <A, E extends Failure, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A | Failure["_tag"], never, R> =>
  Effect.merge(Effect.mapError(effect, ({ _tag }) => _tag))

const refused = <A, E extends Failure, R>(effect: Effect.Effect<A, E, R>, what?: string) =>
  Effect.map(tagOf(effect), (tag) => assert.strictEqual<unknown>(tag, "DecryptError", what))

const invalid = <A, E extends Failure, R>(effect: Effect.Effect<A, E, R>, parameter: string, input: string) =>
  Effect.map(Effect.flip(effect), (error) => {
    assert.strictEqual(error._tag === "InvalidRequestError" ? error.parameter : error._tag, parameter)
    for (const printed of printings(error)) assert.isFalse(input !== "" && printed.includes(input), printed)
  })

/** Every way in which an error may reach a log. */
const printings = (error: Error): ReadonlyArray<string> => [
  String(error),
  error.message,
  JSON.stringify(error),
  inspect(error, { depth: null, showHidden: true }),
  Cause.pretty(Cause.fail(error))
]

const sealedText = Effect.gen(function*() {
  const crypto = yield* Crypto.Crypto
  const key = yield* crypto.createSymmetricKey
  const open = (sealed: Crypto.Sealed) => crypto.decryptSymmetric({ ...sealed, key })
  return { crypto, key, open, sealed: yield* crypto.encryptSymmetric({ plaintext: "a secret", key }) }
})

const boxedText = Effect.gen(function*() {
  const crypto = yield* Crypto.Crypto
  const alice = yield* crypto.createBoxKeyPair
  const bob = yield* crypto.createBoxKeyPair
  const seal = (plaintext: string) =>
    crypto.sealBox({
      plaintext: Redacted.make(plaintext),
      publicKey: bob.publicKey,
      privateKey: alice.privateKey
    })
  const open = (box: Crypto.SealedBox) =>
    crypto.openBox({ ...box, publicKey: alice.publicKey, privateKey: bob.privateKey })
  return { crypto, alice, bob, seal, open, box: yield* seal("a secret") }
})

// ---------------------------------------------------------------------------------------------------------------------
// Vectors
// ---------------------------------------------------------------------------------------------------------------------

/**
 * AES-256-GCM with a 96-bit IV and no additional data: test cases 13, 14 and 15 of "The Galois/Counter Mode of
 * Operation" (McGrew, Viega), and NIST's `gcmDecrypt256.rsp`. `text` is undefined where it is to be refused.
 */
const gcmVectors = [
  {
    name: "test case 13",
    key: "00".repeat(32),
    iv: "00".repeat(12),
    ciphertext: "",
    tag: "530f8afbc74536b9a963b4f1c4cb738b",
    text: ""
  },
  {
    name: "test case 14",
    key: "00".repeat(32),
    iv: "00".repeat(12),
    ciphertext: "cea7403d4d606b6e074ec5d3baf39d18",
    tag: "d0d1c8a799996bf0265b98b5d48ab919",
    text: "\0".repeat(16)
  },
  {
    name: "test case 15, authentic but not UTF-8",
    key: "feffe9928665731c6d6a8f9467308308".repeat(2),
    iv: "cafebabefacedbaddecaf888",
    ciphertext: "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
      + "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad",
    tag: "b094dac5d93471bdec1a502270e3cc6c",
    text: undefined
  },
  {
    name: "gcmDecrypt256.rsp, PTlen 0, count 0",
    key: "f5a2b27c74355872eb3ef6c5feafaa740e6ae990d9d48c3bd9bb8235e589f010",
    iv: "58d2240f580a31c1d24948e9",
    ciphertext: "",
    tag: "15e051a5e4a5f5da6cea92e2ebee5bac",
    text: ""
  },
  {
    name: "gcmDecrypt256.rsp, PTlen 0, count 1 (FAIL)",
    key: "e5a8123f2e2e007d4e379ba114a2fb66e6613f57c72d4e4f024964053028a831",
    iv: "51e43385bf533e168427e1ad",
    ciphertext: "",
    tag: "38fe845c66e66bdd884c2aecafd280e6",
    text: undefined
  }
]

/**
 * The box of "Cryptography in NaCl" (sections 5 to 10, tests/box.c): Alice's text to Bob is no UTF-8, but it gives the
 * key stream away, and section 9 the key that authenticates, so a box of any text of its length can be written by hand.
 */
const nacl = {
  alicePrivateKey: "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
  alicePublicKey: "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
  bobPrivateKey: "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
  bobPublicKey: "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
  nonce: "69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37",
  authenticationKey: "eea6a7251c1e72916d11c2cb214d3c252539121d8e234e652d651fa4c8cff880",
  plaintext: "be075fc53c81f2d5cf141316ebeb0c7b5228c52a4c62cbd44b66849b64244ffce5ecbaaf33bd751a1ac728d45e6c6129"
    + "6cdc3c01233561f41db66cce314adb310e3be8250c46f06dceea3a7fa1348057e2f6556ad6b1318a024a838f21af1fde"
    + "048977eb48f59ffd4924ca1c60902e52f0a089bc76897040e082f937763848645e0705",
  tag: "f3ffc7703f9400e52a7dfb4b3d3305d9",
  ciphertext: "8e993b9f48681273c29650ba32fc76ce48332ea7164d96a4476fb8c531a1186ac0dfc17c98dce87b4da7f011ec48c972"
    + "71d2c20f9b928fe2270d6fb863d51738b48eeee314a7cc8ab932164548e526ae90224368517acfeabd6bb3732bc0e9da"
    + "99832b61ca01b6de56244a9e88d5f9b37973f622a43d14a6599b1f654cb45a74e355a5"
}

const numberOf = (bytes: Buffer): bigint => BigInt(`0x0${Buffer.from(bytes.toReversed()).toString("hex")}`)

/** Poly1305 as its definition says it (section 9 of "Cryptography in NaCl"). */
const poly1305 = (key: Buffer, message: Buffer): Buffer => {
  const r = numberOf(key.subarray(0, 16)) & 0x0ffffffc0ffffffc0ffffffc0fffffffn
  let sum = 0n
  for (let at = 0; at < message.length; at += 16) {
    const block = message.subarray(at, at + 16)
    sum = ((sum + numberOf(block) + (1n << BigInt(8 * block.length))) * r) % ((1n << 130n) - 5n)
  }
  const tag = (sum + numberOf(key.subarray(16))) % (1n << 128n)
  return Buffer.from(Buffer.from(tag.toString(16).padStart(32, "0"), "hex").toReversed())
}

const xor = (left: Buffer, right: Buffer): Buffer => Buffer.from(left.map((byte, index) => byte ^ (right[index] ?? 0)))

/** A text of the vector's length, and its box under the vector's keys and nonce. */
const naclText = "Cryptography in NaCl: ñ, 密, 🔑. ".padEnd(126, ".")
const naclBox = ((): string => {
  const keyStream = xor(Buffer.from(nacl.plaintext, "hex"), Buffer.from(nacl.ciphertext, "hex"))
  const ciphertext = xor(Buffer.from(naclText), keyStream)
  return Buffer.concat([poly1305(Buffer.from(nacl.authenticationKey, "hex"), ciphertext), ciphertext]).toString(
    "base64"
  )
})()

describe("The hand-written vectors", () => {
  it("are right, since their parts are those that NaCl publishes", () => {
    assert.strictEqual(
      poly1305(Buffer.from(nacl.authenticationKey, "hex"), Buffer.from(nacl.ciphertext, "hex")).toString("hex"),
      nacl.tag
    )
    assert.strictEqual(Buffer.byteLength(naclText), nacl.plaintext.length / 2)
  })
})

// ---------------------------------------------------------------------------------------------------------------------
// Recordings
// ---------------------------------------------------------------------------------------------------------------------

const World = Schema.parseJson(Schema.Struct({
  projects: Schema.Struct({ projectV1: Schema.Struct({ projectKey: Schema.Redacted(Schema.String) }) }),
  serviceTokens: Schema.Record({ key: Schema.String, value: Schema.Struct({ token: Schema.Redacted(Schema.String) }) }),
  secretsInBothProjects: Schema.Record({
    key: Schema.String,
    value: Schema.Record({ key: Schema.String, value: Schema.String })
  })
}))

const Exchange = Schema.parseJson(Schema.Struct({
  name: Schema.String,
  request: Schema.Struct({ path: Schema.String, body: Schema.optional(Schema.Unknown) }),
  response: Schema.Struct({ status: Schema.Number, body: Schema.optional(Schema.Unknown) })
}))

const groups = ["service-token", "list", "get", "names", "write", "etag"]

const recordings = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const folder = path.join(import.meta.dirname, "../../recordings/2024-07")
  const world = yield* Effect.flatMap(fs.readFileString(path.join(folder, "world.json")), Schema.decode(World))
  const names = yield* Effect.forEach(
    groups,
    (group) =>
      Effect.map(fs.readDirectory(path.join(folder, group)), (files) => files.map((file) => path.join(group, file)))
  )
  const exchanges = yield* Effect.forEach(
    names.flat(),
    (name) => Effect.flatMap(fs.readFileString(path.join(folder, name)), Schema.decode(Exchange))
  )
  return { world, exchanges }
}).pipe(Effect.provide(NodeContext.layer))

const optionalText = Schema.optional(Schema.NullOr(Schema.String))

/** Anything on the wire that may hold something encrypted, with where it says it is. */
const Encrypted = Schema.Struct({
  environment: optionalText,
  secretPath: optionalText,
  type: optionalText,
  secretKeyCiphertext: optionalText,
  secretKeyIV: optionalText,
  secretKeyTag: optionalText,
  secretValueCiphertext: optionalText,
  secretValueIV: optionalText,
  secretValueTag: optionalText,
  secretCommentCiphertext: optionalText,
  secretCommentIV: optionalText,
  secretCommentTag: optionalText
})
type Encrypted = typeof Encrypted.Type

/** Every object within a body, each with the place that it, or what holds it, gives. */
const walk = (node: unknown, outer: Encrypted = {}): ReadonlyArray<Encrypted> => {
  if (Array.isArray(node)) return node.flatMap((item: unknown) => walk(item, outer))
  if (typeof node !== "object" || node === null) return []
  const { environment, secretPath } = outer
  const here = { environment, secretPath, ...Option.getOrElse(Schema.decodeUnknownOption(Encrypted)(node), () => ({})) }
  return [here, ...Object.values(node).flatMap((item) => walk(item, here))]
}

type Part = string | null | undefined

/** The recording cuts long strings, and says so within them. */
const isCut = (part: Part): boolean => part?.includes("…<cut") === true || part?.includes("...<cut") === true

const sealedOf = (ciphertext: Part, iv: Part, tag: Part): Option.Option<Crypto.Sealed> =>
  typeof ciphertext === "string" && typeof iv === "string" && typeof tag === "string" && !isCut(ciphertext)
    ? Option.some({ ciphertext, iv, tag })
    : Option.none()

interface Description {
  readonly environment: string
  readonly secretPath: string
  readonly name: string
  readonly shared: string
  readonly personal: string
  readonly comment: string
}

/** `value`, `value (comment: …)` or `value (and a personal override of the user: …)`. */
const descriptionsOf = (world: typeof World.Type): ReadonlyArray<Description> =>
  Object.entries(world.secretsInBothProjects).flatMap(([place, secrets]) =>
    Object.entries(secrets).map(([name, described]) => {
      const [environment = "", secretPath = ""] = place.split(":")
      const [, value = described, comment = "", personal = ""] =
        /^(.*?) \((?:comment: (.*)|and a personal override of the user: (.*))\)$/.exec(described) ?? []
      return { environment, secretPath, name, shared: value, personal, comment }
    })
  )

// ---------------------------------------------------------------------------------------------------------------------
// The suite
// ---------------------------------------------------------------------------------------------------------------------

const cryptoSuite = (name: string, layer: Layer.Layer<Crypto.Crypto>) => {
  it.layer(layer)(name, (it) => {
    describe("createSymmetricKey", () => {
      it.effect("is base64 of 32 bytes, another each time, and does not show itself", () =>
        Effect.gen(function*() {
          const { createSymmetricKey } = yield* Crypto.Crypto
          const keys = yield* Effect.replicateEffect(createSymmetricKey, 20)
          const texts = keys.map((key) => Redacted.value(key))
          for (const text of texts) assert.strictEqual(Either.getOrThrow(Encoding.decodeBase64(text)).length, 32)
          assert.strictEqual(new Set(texts).size, 20)
          const shown = JSON.stringify(keys) + inspect(keys, { depth: null })
          for (const text of texts) assert.isFalse(shown.includes(text))
        }))
    })

    describe("encryptSymmetric and decryptSymmetric", () => {
      it.effect.prop(
        "give back any text, under a fresh IV of 12 bytes and with a tag of 16",
        [text],
        ([plaintext]) =>
          Effect.gen(function*() {
            const crypto = yield* Crypto.Crypto
            const key = yield* crypto.createSymmetricKey
            const sealed = yield* crypto.encryptSymmetric({ plaintext, key })
            const again = yield* crypto.encryptSymmetric({ plaintext: Redacted.make(plaintext), key })
            assert.deepStrictEqual(fields.map((field) => bytesOf(sealed[field]).length), [
              Buffer.byteLength(plaintext),
              12,
              16
            ])
            assert.notStrictEqual(sealed.iv, again.iv)
            for (const one of [sealed, again]) {
              assert.strictEqual(Redacted.value(yield* crypto.decryptSymmetric({ ...one, key })), plaintext)
            }
          })
      )

      it.effect("give back half a megabyte", () =>
        Effect.gen(function*() {
          const crypto = yield* Crypto.Crypto
          const key = yield* crypto.createSymmetricKey
          const plaintext = "12345 é\n".repeat(62_500)
          const sealed = yield* crypto.encryptSymmetric({ plaintext, key })
          assert.isTrue(Redacted.value(yield* crypto.decryptSymmetric({ ...sealed, key })) === plaintext)
        }))

      it.effect.each(gcmVectors)("agree with the standard: $name", (vector) =>
        Effect.gen(function*() {
          const crypto = yield* Crypto.Crypto
          const decrypted = crypto.decryptSymmetric({
            ciphertext: base64OfHex(vector.ciphertext),
            iv: base64OfHex(vector.iv),
            tag: base64OfHex(vector.tag),
            key: Redacted.make(base64OfHex(vector.key))
          })
          if (vector.text === undefined) yield* refused(decrypted)
          else assert.strictEqual(Redacted.value(yield* decrypted), vector.text)
        }))

      it.effect.prop(
        "open nothing of which any one bit was changed",
        [FastCheck.string({ unit: "binary", minLength: 1 }), FastCheck.constantFrom(...fields), FastCheck.nat()],
        ([plaintext, field, random]) =>
          Effect.gen(function*() {
            const { crypto, key, open } = yield* sealedText
            const sealed = yield* crypto.encryptSymmetric({ plaintext, key })
            const bit = random % (8 * bytesOf(sealed[field]).length)
            yield* refused(open({ ...sealed, [field]: flipBit(sealed[field], bit) }))
          })
      )

      it.effect("open a short text only while each of its 288 bits is as it was", () =>
        Effect.gen(function*() {
          const { open, sealed } = yield* sealedText
          assert.strictEqual(Redacted.value(yield* open(sealed)), "a secret")
          let bits = 0
          for (const field of fields) {
            for (let bit = 0; bit < 8 * bytesOf(sealed[field]).length; bit++, bits++) {
              yield* refused(open({ ...sealed, [field]: flipBit(sealed[field], bit) }), `${field} ${bit}`)
            }
          }
          assert.strictEqual(bits, 8 * (8 + 12 + 16))
        }))

      it.effect.each([0, 4, 8, 12, 13, 14, 15])(
        "do not accept a tag cut to %i bytes",
        (length) =>
          Effect.gen(function*() {
            const { open, sealed } = yield* sealedText
            yield* refused(open({ ...sealed, tag: bytesOf(sealed.tag).subarray(0, length).toString("base64") }))
          })
      )

      it.effect("do not accept a moved boundary between ciphertext and tag", () =>
        Effect.gen(function*() {
          const { open, sealed } = yield* sealedText
          const whole = Buffer.concat([bytesOf(sealed.ciphertext), bytesOf(sealed.tag)])
          for (let boundary = 0; boundary <= whole.length; boundary++) {
            const moved = {
              ciphertext: whole.subarray(0, boundary).toString("base64"),
              iv: sealed.iv,
              tag: whole.subarray(boundary).toString("base64")
            }
            if (boundary === 8) assert.strictEqual(Redacted.value(yield* open(moved)), "a secret")
            else yield* refused(open(moved), String(boundary))
          }
        }))

      it.effect("do not accept an empty or a huge IV", () =>
        Effect.gen(function*() {
          const { open, sealed } = yield* sealedText
          yield* refused(open({ ...sealed, iv: "" }))
          yield* refused(open({ ...sealed, iv: Buffer.alloc(100_000).toString("base64") }))
        }))

      it.effect("do not accept what is not base64, whatever could be guessed from it", () =>
        Effect.gen(function*() {
          const { crypto, key, open } = yield* sealedText
          for (const field of fields) {
            // Often enough for `+`, `/`, `A` and padding to be among it.
            for (let tries = 0; tries < 20; tries++) {
              const sealed = yield* crypto.encryptSymmetric({ plaintext: "longer than the IV and the tag", key })
              const good = sealed[field]
              const bad = [
                "!!!",
                "=",
                "====",
                `!${good.slice(1)}`,
                `${good}!`,
                `${good}=`,
                `${good}====`,
                `=${good}`,
                `${good} `,
                ` ${good}`,
                `${good.slice(0, 4)}    ${good.slice(4)}`,
                `${good}\0`,
                good.replace(/=+$/, "").concat("-"),
                ...(good.includes("=") ? [good.replace(/=+$/, "")] : []),
                ...(/[+/]/.test(good) ? [good.replaceAll("+", "-").replaceAll("/", "_")] : []),
                // Its low byte is that of "A", which is all that Node's decoder looks at.
                ...(good.includes("A") ? [good.replaceAll("A", "\u0141")] : []),
                bytesOf(good).toString("hex")
              ]
              for (const text of bad) yield* refused(open({ ...sealed, [field]: text }), `${field} ${text} (${good})`)
            }
          }
        }))

      it.effect.prop(
        "accept of base64 exactly what effect/Encoding accepts",
        [
          FastCheck.constantFrom(...fields),
          FastCheck.array(
            FastCheck.tuple(FastCheck.nat({ max: 60 }), FastCheck.constantFrom(..."AB9+/-_=\n\r \0\u0141é🔑")),
            { minLength: 1, maxLength: 4 }
          ),
          FastCheck.boolean()
        ],
        ([field, edits, replacing]) =>
          Effect.gen(function*() {
            const { open, sealed } = yield* sealedText
            const edited = edits.reduce(
              (text, [at, insert]) => text.slice(0, at) + insert + text.slice(replacing ? at + 1 : at),
              sealed[field]
            )
            const same = Either.match(Encoding.decodeBase64(edited), {
              onLeft: () => false,
              onRight: (bytes) => bytesOf(sealed[field]).equals(bytes)
            })
            const result = yield* Effect.either(open({ ...sealed, [field]: edited }))
            assert.strictEqual(Either.isRight(result), same, JSON.stringify(edited))
          }),
        { fastCheck: { numRuns: 500 } }
      )

      it.effect("read base64 with line breaks, as PEM has them, and with bits that nothing uses", () =>
        Effect.gen(function*() {
          const { open, sealed } = yield* sealedText
          const lines = (text: string) => text.replaceAll(/.{4}/g, "$&\r\n")
          const broken = { ciphertext: lines(sealed.ciphertext), iv: lines(sealed.iv), tag: lines(sealed.tag) }
          assert.strictEqual(Redacted.value(yield* open(broken)), "a secret")
          // A tag of 16 bytes ends in a character of which four bits are not used: all are 0 as it is written.
          const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
          const next = alphabet.charAt(alphabet.indexOf(sealed.tag.charAt(21)) + 1)
          const loose = { ...sealed, tag: `${sealed.tag.slice(0, 21)}${next}==` }
          assert.strictEqual(Redacted.value(yield* open(loose)), "a secret")
        }))

      it.effect("do not open with another key", () =>
        Effect.gen(function*() {
          const { crypto, key, sealed } = yield* sealedText
          const other = yield* crypto.createSymmetricKey
          const near = Redacted.make(flipBit(Redacted.value(key), 255))
          yield* refused(crypto.decryptSymmetric({ ...sealed, key: other }))
          yield* refused(crypto.decryptSymmetric({ ...sealed, key: near }))
        }))

      it.effect.each([
        "",
        "not base64 at all!",
        Buffer.alloc(31, "k").toString("base64"),
        Buffer.alloc(33, "k").toString("base64"),
        Buffer.alloc(32, "\xfb\xff").toString("base64url"),
        "6dff049a8cbdd39f6fefefa494a4267e"
      ])("call \"%s\" a malformed key, and do not quote it", (malformed) =>
        Effect.gen(function*() {
          const { crypto, sealed } = yield* sealedText
          const key = Redacted.make(malformed)
          yield* invalid(crypto.encryptSymmetric({ plaintext: "a", key }), "key", malformed)
          yield* invalid(crypto.decryptSymmetric({ ...sealed, key }), "key", malformed)
        }))

      it.effect.each(["\uD83D", "before \uDD11 after", "\uDD11\uD83D", "🔑\uD83D"])(
        "do not take half a surrogate pair, which would be lost",
        (plaintext) =>
          Effect.gen(function*() {
            const { crypto, key } = yield* sealedText
            yield* invalid(crypto.encryptSymmetric({ plaintext, key }), "plaintext", plaintext)
            yield* invalid(
              crypto.encryptSymmetric({ plaintext: Redacted.make(plaintext), key }),
              "plaintext",
              plaintext
            )
          })
      )
    })

    describe("projectCipher", () => {
      it.effect.prop(
        "gives back any text, under a fresh IV of 16 bytes and with a tag of 16",
        [text],
        ([plaintext]) =>
          Effect.gen(function*() {
            const cipher = yield* Effect.flatMap(Crypto.Crypto, ({ projectCipher }) => projectCipher(projectKey))
            const sealed = yield* cipher.encrypt(plaintext)
            assert.deepStrictEqual(fields.map((field) => bytesOf(sealed[field]).length), [
              Buffer.byteLength(plaintext),
              16,
              16
            ])
            assert.notStrictEqual(sealed.iv, (yield* cipher.encrypt(plaintext)).iv)
            assert.strictEqual(yield* cipher.decrypt(sealed), plaintext)
          })
      )

      it.effect.each([Redacted.value(projectKey), "é".repeat(16), "🔑".repeat(8)])(
        "uses the UTF-8 bytes of the text \"%s\" as the key",
        (key) =>
          Effect.gen(function*() {
            const cipher = yield* Effect.flatMap(
              Crypto.Crypto,
              ({ projectCipher }) => projectCipher(Redacted.make(key))
            )
            const sealed = yield* cipher.encrypt("a secret")
            const decipher = NodeApi.createDecipheriv("aes-256-gcm", Buffer.from(key, "utf8"), bytesOf(sealed.iv))
              .setAuthTag(bytesOf(sealed.tag))
            const plaintext = decipher.update(sealed.ciphertext, "base64", "utf8") + decipher.final("utf8")
            assert.strictEqual(plaintext, "a secret")
          })
      )

      it.effect.each(["", "k".repeat(31), "k".repeat(33), "é".repeat(32), "ff".repeat(32)])(
        "calls \"%s\" a malformed key, and does not quote it",
        (key) =>
          Effect.flatMap(
            Crypto.Crypto,
            ({ projectCipher }) => invalid(projectCipher(Redacted.make(key)), "key", key)
          )
      )

      it.effect("does not show its key", () =>
        Effect.gen(function*() {
          const cipher = yield* Effect.flatMap(Crypto.Crypto, ({ projectCipher }) => projectCipher(projectKey))
          const shown = JSON.stringify(cipher) + inspect(cipher, { depth: null, showHidden: true })
          assert.isFalse(shown.includes(Redacted.value(projectKey)))
        }))

      it.effect.prop(
        "decrypts many, and what is broken is undefined and hurts no other",
        [FastCheck.array(FastCheck.tuple(text, FastCheck.option(FastCheck.constantFrom(...fields))))],
        ([many]) =>
          Effect.gen(function*() {
            const cipher = yield* Effect.flatMap(Crypto.Crypto, ({ projectCipher }) => projectCipher(projectKey))
            const sealed = yield* Effect.forEach(many, ([plaintext, broken]) =>
              Effect.map(cipher.encrypt(plaintext), (sealed) =>
                broken === null ? sealed : { ...sealed, [broken]: `${sealed[broken]}!` }))
            const expected = many.map(([plaintext, broken]) =>
              broken === null ? plaintext : undefined
            )
            assert.deepStrictEqual(yield* cipher.decryptAll(sealed), expected)
            for (const [index, one] of sealed.entries()) {
              if (expected[index] === undefined) yield* refused(cipher.decrypt(one))
            }
          })
      )
    })

    describe("sealBox and openBox", () => {
      it.effect("make key pairs of 32 bytes, another each time, whose private key does not show itself", () =>
        Effect.gen(function*() {
          const { alice, bob } = yield* boxedText
          assert.strictEqual(bytesOf(alice.publicKey).length, 32)
          assert.strictEqual(bytesOf(Redacted.value(alice.privateKey)).length, 32)
          assert.notDeepEqual(alice, bob)
          assert.isFalse(inspect(alice, { depth: null }).includes(Redacted.value(alice.privateKey)))
        }))

      it.effect.prop(
        "give back any text, with 16 bytes more, under a fresh nonce of 24 bytes",
        [text],
        ([plaintext]) =>
          Effect.gen(function*() {
            const { open, seal } = yield* boxedText
            const box = yield* seal(plaintext)
            assert.strictEqual(bytesOf(box.ciphertext).length, 16 + Buffer.byteLength(plaintext))
            assert.strictEqual(bytesOf(box.nonce).length, 24)
            assert.notStrictEqual(box.nonce, (yield* seal(plaintext)).nonce)
            assert.strictEqual(Redacted.value(yield* open(box)), plaintext)
          })
      )

      it.effect("agree with NaCl: a box under its published keys, from either side", () =>
        Effect.gen(function*() {
          const { openBox } = yield* Crypto.Crypto
          const box = { ciphertext: naclBox, nonce: base64OfHex(nacl.nonce) }
          const pairs = [
            { publicKey: nacl.alicePublicKey, privateKey: nacl.bobPrivateKey },
            { publicKey: nacl.bobPublicKey, privateKey: nacl.alicePrivateKey }
          ]
          for (const { privateKey, publicKey } of pairs) {
            const keys = { publicKey: base64OfHex(publicKey), privateKey: Redacted.make(base64OfHex(privateKey)) }
            assert.strictEqual(Redacted.value(yield* openBox({ ...box, ...keys })), naclText)
            // Authentic too, but not UTF-8.
            yield* refused(openBox({ ...box, ...keys, ciphertext: base64OfHex(nacl.tag + nacl.ciphertext) }))
          }
        }))

      it.effect.prop(
        "open nothing of which any one bit was changed",
        [FastCheck.constantFrom("ciphertext" as const, "nonce" as const), FastCheck.nat()],
        ([field, random]) =>
          Effect.gen(function*() {
            const { box, open } = yield* boxedText
            assert.strictEqual(Redacted.value(yield* open(box)), "a secret")
            const bit = random % (8 * bytesOf(box[field]).length)
            yield* refused(open({ ...box, [field]: flipBit(box[field], bit) }))
          })
      )

      it.effect("do not open with another key, a nonce of another length, a cut box or what is not base64", () =>
        Effect.gen(function*() {
          const { alice, bob, box, crypto, open } = yield* boxedText
          const other = yield* crypto.createBoxKeyPair
          const keys = { publicKey: alice.publicKey, privateKey: bob.privateKey }
          yield* refused(crypto.openBox({ ...box, ...keys, privateKey: other.privateKey }))
          yield* refused(crypto.openBox({ ...box, ...keys, publicKey: other.publicKey }))
          yield* refused(crypto.openBox({ ...box, ...keys, publicKey: "" }))
          yield* refused(crypto.openBox({ ...box, ...keys, publicKey: base64OfHex("00".repeat(32)) }))
          yield* refused(crypto.openBox({ ...box, ...keys, privateKey: Redacted.make("!") }))
          for (const length of [0, 12, 23, 25]) {
            yield* refused(open({ ...box, nonce: Buffer.alloc(length).toString("base64") }))
          }
          for (const length of [0, 1, 15, 16, 23]) {
            yield* refused(open({ ...box, ciphertext: bytesOf(box.ciphertext).subarray(0, length).toString("base64") }))
          }
          yield* refused(open({ ...box, ciphertext: `${box.ciphertext}!` }))
          yield* refused(open({ ...box, nonce: `!${box.nonce}` }))
        }))

      it.effect("name a malformed key before anything is sealed, and do not quote it", () =>
        Effect.gen(function*() {
          const { alice, bob, crypto } = yield* boxedText
          const good = { plaintext: Redacted.make("a"), publicKey: bob.publicKey, privateKey: alice.privateKey }
          for (const bad of ["", "not base64 at all!", Buffer.alloc(31, "k").toString("base64")]) {
            yield* invalid(crypto.sealBox({ ...good, publicKey: bad }), "publicKey", bad)
            yield* invalid(crypto.sealBox({ ...good, privateKey: Redacted.make(bad) }), "privateKey", bad)
          }
          // All zero: whoever has it shares the same secret with everybody.
          const zero = base64OfHex("00".repeat(32))
          yield* invalid(crypto.sealBox({ ...good, publicKey: zero }), "publicKey", zero)
        }))

      it.effect("do not take half a surrogate pair, which would be lost", () =>
        Effect.gen(function*() {
          const { seal } = yield* boxedText
          yield* invalid(seal("before \uDD11 after"), "plaintext", "before \uDD11 after")
        }))
    })

    describe("what a real server recorded", () => {
      it.effect("decrypts to what was written there", () =>
        Effect.gen(function*() {
          const { exchanges, world } = yield* recordings
          const { projectCipher } = yield* Crypto.Crypto
          const cipher = yield* projectCipher(world.projects.projectV1.projectKey)
          const descriptions = descriptionsOf(world)
          const seen = { names: 0, values: 0, comments: 0, described: 0, garbage: 0 }

          for (const exchange of exchanges) {
            const found = [...walk(exchange.request.body), ...walk(exchange.response.body)]
            for (const item of found) {
              const name = yield* Effect.transposeMapOption(
                sealedOf(item.secretKeyCiphertext, item.secretKeyIV, item.secretKeyTag),
                cipher.decrypt
              )
              const sealedValue = sealedOf(item.secretValueCiphertext, item.secretValueIV, item.secretValueTag)
              if (Option.contains(name, "W_GARBAGE")) {
                yield* refused(
                  Effect.flatMap(sealedValue, cipher.decrypt).pipe(
                    Effect.catchTag("NoSuchElementException", () => Effect.succeed("no value at all"))
                  )
                )
                seen.garbage++
                continue
              }
              const value = yield* Effect.transposeMapOption(sealedValue, cipher.decrypt)
              const comment = yield* Effect.transposeMapOption(
                sealedOf(item.secretCommentCiphertext, item.secretCommentIV, item.secretCommentTag),
                cipher.decrypt
              )
              seen.names += name._tag === "Some" ? 1 : 0
              seen.values += value._tag === "Some" ? 1 : 0
              seen.comments += comment._tag === "Some" ? 1 : 0

              // A single secret does not say its path, and the label of an import is that of what it imports itself.
              const named = descriptions.filter(({ environment, name: described }) =>
                Option.contains(name, described) && environment === item.environment
              )
              const exact = named.filter(({ secretPath }) => secretPath === item.secretPath)
              const possible = exact.length > 0 ? exact : named
              if (possible.length === 0) {
                assert.isTrue(
                  exchange.name.startsWith("write/") || exchange.name.startsWith("names/") || name._tag === "None",
                  `${exchange.name} holds ${JSON.stringify(name)}, of which world.json knows nothing`
                )
                continue
              }
              seen.described++
              const personal = item.type === "personal"
              assert.include(
                possible.map((description) => ({
                  value: personal ? description.personal : description.shared,
                  comment: description.comment
                })).map((one) => inspect(one)),
                inspect({ value: Option.getOrNull(value), comment: Option.getOrNull(comment) }),
                exchange.name
              )
            }
          }
          assert.deepStrictEqual(seen, { names: 238, values: 240, comments: 152, described: 143, garbage: 3 })
        }))

      it.effect("has each odd name encrypted as it stands in the address", () =>
        Effect.gen(function*() {
          const { exchanges, world } = yield* recordings
          const { projectCipher } = yield* Crypto.Crypto
          const cipher = yield* projectCipher(world.projects.projectV1.projectKey)
          const names = new Set<string>()
          for (const exchange of exchanges.filter(({ name }) => name.startsWith("names/"))) {
            const inAddress = decodeURIComponent(exchange.request.path.replace(/^.*\/secrets\/|[?].*$/g, ""))
            for (const item of [exchange.request.body, exchange.response.body].flatMap((body) => walk(body))) {
              const sealed = sealedOf(item.secretKeyCiphertext, item.secretKeyIV, item.secretKeyTag)
              const name = yield* Effect.transposeMapOption(sealed, cipher.decrypt)
              if (Option.isNone(name)) continue
              names.add(name.value)
              assert.strictEqual(name.value.trim(), inAddress.trim(), exchange.name)
            }
          }
          assert.deepStrictEqual(
            names,
            new Set([
              " PADDED ",
              "..",
              "A\"B'C",
              "A%2FB",
              "A:B",
              "A\\B",
              "ключ_密码_🔑",
              "L".repeat(100),
              "L".repeat(101)
            ])
          )
        }))

      it.effect("gives each service token its project key, and none to a wrong key part", () =>
        Effect.gen(function*() {
          const { exchanges, world } = yield* recordings
          const crypto = yield* Crypto.Crypto
          const Answer = Schema.Struct({
            id: Schema.String,
            encryptedKey: Schema.String,
            iv: Schema.String,
            tag: Schema.String
          })
          const answers = exchanges.flatMap(({ response }) =>
            Option.toArray(Schema.decodeUnknownOption(Answer)(response.body))
          )
          const opened: Record<string, number> = {}
          for (const [name, { token }] of Object.entries(world.serviceTokens)) {
            const credential = yield* Effect.either(Credential.serviceToken(token))
            if (
              Either.isLeft(credential) || credential.right._tag !== "ServiceToken" ||
              Option.isNone(credential.right.key)
            ) {
              assert.include(["noKeyPart", "malformed"], name)
              continue
            }
            const { accessToken, key: { value: key } } = credential.right
            const own = answers.filter(({ id }) => Redacted.value(accessToken).startsWith(`st.${id}.`))
            const cipher = yield* crypto.projectCipher(key)
            for (const { encryptedKey, iv, tag } of own) {
              const decrypted = cipher.decrypt({ ciphertext: encryptedKey, iv, tag })
              if (name === "wrongKeyPart") yield* refused(decrypted)
              else assert.strictEqual(yield* decrypted, Redacted.value(world.projects.projectV1.projectKey), name)
            }
            if (own.length > 0) opened[name] = own.length
          }
          // Two names share the id of a good token: the server alone knows the secret part, we alone the key part.
          assert.deepStrictEqual(opened, { full: 4, readOnly: 1, wrongSecretPart: 4, wrongKeyPart: 4 })
        }))
    })
  })
}

cryptoSuite("Crypto.layer (Web Crypto)", Crypto.layer)
cryptoSuite("NodeCrypto.layer (node:crypto)", NodeCrypto.layer)

describe("The layers", () => {
  const services = Effect.all([
    Effect.provide(Crypto.Crypto, Crypto.layer),
    Effect.provide(Crypto.Crypto, NodeCrypto.layer)
  ])

  it.effect.prop("open what the other sealed", [text], ([plaintext]) =>
    Effect.gen(function*() {
      const [web, node] = yield* services
      for (const [from, to] of [[web, node], [node, web]] as const) {
        const key = yield* from.createSymmetricKey
        const symmetric = yield* from.encryptSymmetric({ plaintext, key })
        assert.strictEqual(Redacted.value(yield* to.decryptSymmetric({ ...symmetric, key })), plaintext)

        const sealed = yield* Effect.flatMap(from.projectCipher(projectKey), (cipher) => cipher.encrypt(plaintext))
        const cipher = yield* to.projectCipher(projectKey)
        assert.deepStrictEqual(yield* cipher.decryptAll([sealed]), [plaintext])

        const alice = yield* from.createBoxKeyPair
        const bob = yield* to.createBoxKeyPair
        const box = yield* from.sealBox({
          plaintext: Redacted.make(plaintext),
          publicKey: bob.publicKey,
          privateKey: alice.privateKey
        })
        const opened = yield* to.openBox({ ...box, publicKey: alice.publicKey, privateKey: bob.privateKey })
        assert.strictEqual(Redacted.value(opened), plaintext)
      }
    }))

  it.effect("seal the box that NaCl would, under the same keys and nonce", () =>
    Effect.gen(function*() {
      const { sealBox } = Crypto.make({
        randomBytes: () => Effect.succeed(Buffer.from(nacl.nonce, "hex")),
        deriveKey: () => Effect.never,
        importKey: () => Effect.dieMessage("a box needs none")
      })
      const box = yield* sealBox({
        plaintext: Redacted.make(naclText),
        publicKey: base64OfHex(nacl.bobPublicKey),
        privateKey: Redacted.make(base64OfHex(nacl.alicePrivateKey))
      })
      assert.deepStrictEqual(box, { ciphertext: naclBox, nonce: base64OfHex(nacl.nonce) })
    }))
})
