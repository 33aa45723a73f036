/** The signature of Oracle Cloud Infrastructure: HTTP Signatures with RSA-SHA256. */
import { createPrivateKey, sign } from "node:crypto"

/**
 * The header `authorization` of a request without a body.
 *
 * https://docs.oracle.com/en-us/iaas/Content/API/Concepts/signingrequests.htm
 */
export const authorizationOf = (request: {
  readonly keyId: string
  readonly privateKey: string
  readonly passphrase: string | undefined
  /** The method in lower case, and the path. */
  readonly target: string
  readonly host: string
  readonly date: string
}): string => {
  const { date, host, keyId, passphrase, privateKey, target } = request
  const key = createPrivateKey({ key: privateKey, ...passphrase !== undefined && { passphrase } })
  const text = `date: ${date}\n(request-target): ${target}\nhost: ${host}`
  const signature = sign("sha256", Buffer.from(text), key).toString("base64")
  return `Signature version="1",headers="date (request-target) host",keyId="${keyId}",algorithm="rsa-sha256",signature="${signature}"`
}
