/** Rows of end-to-end encrypted secrets, from the wire. Names are decrypted at once, values when they are first used. */
import * as Effect from "effect/Effect"
import type * as InfisicalApi from "../api/InfisicalApi.js"
import type { EncryptedSecret } from "../api/Wire.js"
import type { Cipher } from "../crypto/Crypto.js"
import { DecryptError, type UnexpectedResponseError } from "../model/InfisicalError.js"
import type * as Location from "../model/Location.js"
import { encrypted } from "./decryption.js"
import * as Details from "./details.js"
import * as Encrypted from "./encryptedFields.js"
import * as Filter from "./filter.js"
import * as Fit from "./fit.js"
import * as Merge from "./merge.js"
import type * as SecretSource from "./SecretSource.js"

interface EncryptedList {
  readonly secrets: ReadonlyArray<EncryptedSecret>
  readonly imports: ReadonlyArray<
    { readonly secretPath?: string | null | undefined; readonly secrets: ReadonlyArray<EncryptedSecret> }
  >
}

export const read = (
  cipher: Cipher,
  place: InfisicalApi.Place,
  list: EncryptedList,
  previous: Merge.Previous
): Effect.Effect<SecretSource.Content, UnexpectedResponseError> =>
  Effect.suspend(() => {
    for (const secret of list.secrets) {
      const mismatch = Fit.own(place, secret)
      if (mismatch !== undefined) return Effect.fail(Fit.unexpected("GET /api/v3/secrets", mismatch))
    }
    for (const { secrets } of list.imports) {
      for (const secret of secrets) {
        const mismatch = Fit.imported(place, secret)
        if (mismatch !== undefined) return Effect.fail(Fit.unexpected("GET /api/v3/secrets", mismatch))
      }
    }
    return contentOf(cipher, place.location, list, previous)
  })

export const contentOf = (
  cipher: Cipher,
  location: Location.Location,
  { imports, secrets }: EncryptedList,
  previous: Merge.Previous
): Effect.Effect<SecretSource.Content> =>
  Effect.suspend(() => {
    const known = Merge.knownRows(previous)
    const arrivals: Array<Arrival> = []
    const unnamed: Array<EncryptedSecret> = []
    Merge.inOrder(location, secrets, imports, (secret, secretPath, isImported) => {
      const known_ = known.get(secret.id)
      const same = isSame(known_, secret, secretPath) ? known_ : undefined
      arrivals.push({ secret, secretPath, isImported, same })
      if (same === undefined) unnamed.push(secret)
    })
    return Effect.map(cipher.decryptAll(unnamed.map(Encrypted.name)), (names) => {
      const own: Array<SecretSource.Row> = []
      const imported: Array<SecretSource.Row> = []
      const undecryptableNames: Array<DecryptError> = []
      let next = 0
      for (const { isImported, same, secret, secretPath } of arrivals) {
        const rows = isImported ? imported : own
        if (same !== undefined) rows.push(same)
        else {
          const name = names[next++]
          if (name === undefined) {
            if (Filter.isWanted(location, Details.make(secret))) undecryptableNames.push(undecryptableName(secret))
          } else rows.push(encryptedRow(name, secret, location.environment, secretPath))
        }
      }
      return { own, imported, undecryptableNames, cipher }
    })
  })

/** A secret of a response, with its previous row if it is unchanged. */
interface Arrival {
  readonly secret: EncryptedSecret
  readonly secretPath: string
  readonly isImported: boolean
  readonly same: SecretSource.Row | undefined
}

const undecryptableName = (secret: EncryptedSecret) =>
  new DecryptError({
    subject: "secret name",
    secretId: secret.id,
    problem: "it is not authentic, or was encrypted with another key"
  })

// An unchanged row stays the same object, so neither its name nor its value is decrypted again.
const isSame = (
  row: SecretSource.Row | undefined,
  secret: EncryptedSecret,
  secretPath: string
): row is SecretSource.Row =>
  row !== undefined && row.version === secret.version && row.type === secret.type && row.secretPath === secretPath &&
  Details.areSame(row.details, secret) &&
  (row.payload._tag !== "Encrypted" ||
    (row.payload.value.tag === secret.secretValueTag && row.payload.value.ciphertext === secret.secretValueCiphertext))

const encryptedRow = (
  name: string,
  secret: EncryptedSecret,
  environment: string,
  secretPath: string
): SecretSource.Row => ({
  id: secret.id,
  name,
  type: secret.type,
  version: secret.version,
  environment: secret.environment || environment,
  secretPath,
  details: Details.make(secret),
  payload: encrypted(Encrypted.value(secret), Encrypted.comment(secret))
})

/** The decrypted name, or `undefined` if it cannot be decrypted. */
export const nameOf = (cipher: Cipher, secret: EncryptedSecret): Effect.Effect<string | undefined> =>
  Effect.map(cipher.decryptAll([Encrypted.name(secret)]), ([name]) => name)
