/**
 * Rows of secrets.
 *
 * @since 0.1.0
 */
import { Crypto } from "effect-infisical"
import * as Array from "effect/Array"
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type { Folder, Secret, SecretRow } from "./model.js"

/**
 * Puts a secret in the place of the one that has its id, or adds it.
 *
 * @since 0.1.0
 * @category combinators
 */
export const putSecret = (folder: Folder, secret: Secret): Folder => ({
  ...folder,
  secrets: folder.secrets.some((other) => other.row.id === secret.row.id)
    ? folder.secrets.map((other) => other.row.id === secret.row.id ? secret : other)
    : [...folder.secrets, secret]
})

/**
 * Takes secrets away, and keeps in mind that they were there.
 *
 * @since 0.1.0
 * @category combinators
 */
export const removeSecrets = (folder: Folder, isGone: (secret: Secret) => boolean): Folder => {
  const [kept, gone] = Array.partition(folder.secrets, isGone)
  return { ...folder, secrets: kept, deleted: [...folder.deleted, ...gone] }
}

/**
 * The encrypted fields of a row.
 *
 * @since 0.1.0
 * @category models
 */
export type EncryptedFields = Pick<
  SecretRow,
  | "secretKeyCiphertext"
  | "secretKeyIV"
  | "secretKeyTag"
  | "secretValueCiphertext"
  | "secretValueIV"
  | "secretValueTag"
  | "secretCommentCiphertext"
  | "secretCommentIV"
  | "secretCommentTag"
>

/**
 * The first version of a secret. It is shared unless a user is given.
 *
 * @since 0.1.0
 * @category constructors
 */
export const newRow = (
  encrypted: EncryptedFields,
  options: {
    readonly id: string
    readonly folderId: string
    readonly time: string
    readonly userId?: string | undefined
  }
): SecretRow => ({
  id: options.id,
  version: 1,
  type: options.userId === undefined ? "shared" : "personal",
  secretKeyCiphertext: encrypted.secretKeyCiphertext,
  secretKeyIV: encrypted.secretKeyIV,
  secretKeyTag: encrypted.secretKeyTag,
  secretValueCiphertext: encrypted.secretValueCiphertext,
  secretValueIV: encrypted.secretValueIV,
  secretValueTag: encrypted.secretValueTag,
  secretCommentCiphertext: encrypted.secretCommentCiphertext,
  secretCommentIV: encrypted.secretCommentIV,
  secretCommentTag: encrypted.secretCommentTag,
  secretReminderNote: null,
  secretReminderRepeatDays: null,
  skipMultilineEncoding: false,
  algorithm: "aes-256-gcm",
  keyEncoding: "utf8",
  metadata: null,
  userId: options.userId ?? null,
  folderId: options.folderId,
  createdAt: options.time,
  updatedAt: options.time
})

/**
 * The next version of a secret. What the change does not carry stays.
 *
 * @since 0.1.0
 * @category combinators
 */
export const nextVersion = (
  secret: Secret,
  name: string,
  changed: Partial<SecretRow>,
  time: string
): Secret => ({
  ...secret,
  name,
  row: { ...secret.row, ...changed, version: secret.row.version + 1, updatedAt: time },
  earlier: [...secret.earlier, { name: secret.name, row: secret.row }]
})

/**
 * Encrypts as Infisical's own clients do.
 *
 * @since 0.1.0
 * @category constructors
 */
export const encrypt = (
  cipher: Crypto.Cipher,
  name: string,
  value: string,
  comment: string | undefined
): Effect.Effect<EncryptedFields> =>
  // Infisical's own clients encrypt an absent comment as an empty one.
  Effect.map(Effect.all([cipher.encrypt(name), cipher.encrypt(value), cipher.encrypt(comment ?? "")]), (
    [sealedName, sealedValue, sealedComment]
  ) => ({
    secretKeyCiphertext: sealedName.ciphertext,
    secretKeyIV: sealedName.iv,
    secretKeyTag: sealedName.tag,
    secretValueCiphertext: sealedValue.ciphertext,
    secretValueIV: sealedValue.iv,
    secretValueTag: sealedValue.tag,
    secretCommentCiphertext: sealedComment.ciphertext,
    secretCommentIV: sealedComment.iv,
    secretCommentTag: sealedComment.tag
  }))

/**
 * What encrypts under a project key.
 *
 * @since 0.1.0
 * @category constructors
 */
export const cipherOf = (key: Redacted.Redacted<string>): Effect.Effect<Crypto.Cipher, never, Crypto.Crypto> =>
  // Keys are 32 hexadecimal characters: checked where they are given, or made so.
  Effect.flatMap(Crypto.Crypto, (crypto) => Effect.orDie(crypto.projectCipher(key)))
