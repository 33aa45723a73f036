/** Rows of secrets that the server decrypts, from the wire. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as InfisicalApi from "../api/InfisicalApi.js"
import type { DecryptedSecret, DecryptedSecretList } from "../api/Wire.js"
import { PermissionError, type UnexpectedResponseError } from "../model/InfisicalError.js"
import type * as Location from "../model/Location.js"
import * as Details from "./details.js"
import * as Fit from "./fit.js"
import * as Merge from "./merge.js"
import type * as Routes from "./routes.js"
import type * as SecretSource from "./SecretSource.js"

/** The content of a list, after comparing the response with the request. */
export const read = (
  { path }: Pick<Routes.Routes, "path">,
  request: Omit<InfisicalApi.Place, "accessToken">,
  list: DecryptedSecretList,
  previous: Merge.Previous
): Effect.Effect<SecretSource.Content, UnexpectedResponseError> =>
  Effect.suspend(() => {
    for (const secret of list.secrets) {
      const mismatch = Fit.own(request, secret)
      if (mismatch !== undefined) return Effect.fail(Fit.unexpected(`GET ${path}`, mismatch))
    }
    for (const { secrets } of list.imports) {
      for (const secret of secrets) {
        const mismatch = Fit.imported(request, secret)
        if (mismatch !== undefined) return Effect.fail(Fit.unexpected(`GET ${path}`, mismatch))
      }
    }
    return Effect.succeed(contentOf(request.location, list, previous))
  })

export const contentOf = (
  location: Location.Location,
  { imports, secrets }: DecryptedSecretList,
  previous: Merge.Previous
): SecretSource.Content => {
  const known = Merge.knownRows(previous)
  const own: Array<SecretSource.Row> = []
  const imported: Array<SecretSource.Row> = []
  Merge.inOrder(location, secrets, imports, (secret, secretPath, isImported) => {
    const same = known.get(secret.id)
    const row = isSame(same, secret, secretPath) ? same : rowOf(secret, location.environment, secretPath)
    ;(isImported ? imported : own).push(row)
  })
  return { own, imported, undecryptableNames: [], cipher: nothingToDecrypt }
}

const nothingToDecrypt: SecretSource.Content["cipher"] = { decryptAll: () => Effect.succeed([]) }

// An unchanged row stays the same object, and so does its secret.
const isSame = (
  row: SecretSource.Row | undefined,
  secret: DecryptedSecret,
  secretPath: string
): row is SecretSource.Row =>
  row !== undefined && row.version === secret.version && row.type === secret.type && row.name === secret.secretKey &&
  row.secretPath === secretPath && Details.areSame(row.details, secret) &&
  (row.payload._tag === "Decrypted"
    ? secret.secretValueHidden !== true && Redacted.value(row.payload.value) === (secret.secretValue ?? "") &&
      row.payload.comment === (secret.secretComment ?? "")
    : row.payload._tag === "Hidden" && secret.secretValueHidden === true)

export const rowOf = (secret: DecryptedSecret, environment: string, secretPath: string): SecretSource.Row => ({
  id: secret.id,
  name: secret.secretKey,
  type: secret.type,
  version: secret.version,
  environment: secret.environment || environment,
  secretPath,
  details: Details.make(secret),
  payload: secret.secretValueHidden === true
    ? { _tag: "Hidden" }
    : { _tag: "Decrypted", value: Redacted.make(secret.secretValue ?? ""), comment: secret.secretComment ?? "" }
})

/** The row of a secret whose value is needed. */
export const readableRow = (
  { path }: Pick<Routes.Routes, "path">,
  { environment, secretPath }: Location.Location,
  secret: DecryptedSecret
): Effect.Effect<SecretSource.WrittenRow, PermissionError> => {
  const row = rowOf(secret, environment, secretPath)
  const { payload } = row
  return payload._tag === "Decrypted" ? Effect.succeed({ ...row, payload }) : Effect.fail(
    new PermissionError({
      endpoint: `GET ${path}/:secretName`,
      problem: "hidden value",
      action: "read",
      environment,
      secretPath
    })
  )
}

/**
 * The row of the response to a write. It has the value as the server has stored it, trimmed for example. The value that
 * was sent is kept if the response hides it, or does not have it.
 */
export const writtenRow = (
  location: Location.Location,
  secret: DecryptedSecret,
  name: string,
  sent: Redacted.Redacted<string> | undefined
): SecretSource.WrittenRow => {
  const answered = secret.secretValueHidden === true ? "" : secret.secretValue ?? ""
  const isKnown = answered !== "" || sent === undefined || Redacted.value(sent).trim() === ""
  return {
    ...rowOf(secret, location.environment, location.secretPath),
    name: secret.secretKey || name,
    payload: {
      _tag: "Decrypted",
      value: isKnown ? Redacted.make(answered) : sent,
      comment: secret.secretComment ?? ""
    }
  }
}
