/** The tokens that the server signs: JSON Web Tokens with HMAC-SHA256. */
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Redacted from "effect/Redacted"
import * as NodeCrypto from "node:crypto"

/** What a token says; times are in seconds since 1970. */
export type Claims = Readonly<Record<string, string | number>>

const header = Encoding.encodeBase64Url(JSON.stringify({ alg: "HS256", typ: "JWT" }))

/** A token that says this. */
export const sign = (secret: Redacted.Redacted<string>, claims: Claims): Redacted.Redacted<string> => {
  const content = `${header}.${Encoding.encodeBase64Url(JSON.stringify(claims))}`
  return Redacted.make(`${content}.${signature(secret, content)}`)
}

const signature = (secret: Redacted.Redacted<string>, content: string): string =>
  NodeCrypto.createHmac("sha256", Redacted.value(secret)).update(content).digest("base64url")

/** What is wrong with a text that is to be a token of ours, in the words of the server's library. */
export const check = (
  secret: Redacted.Redacted<string>,
  jwt: string
): Either.Either<void, "jwt must be provided" | "jwt malformed" | "invalid token" | "invalid signature"> => {
  if (jwt === "") return Either.left("jwt must be provided")
  const [head, payload, tail, ...more] = jwt.split(".")
  if (head === undefined || payload === undefined || tail === undefined || more.length > 0) {
    return Either.left("jwt malformed")
  }
  const parsed = Either.flatMap(Encoding.decodeBase64UrlString(head), (text) => Either.try(() => JSON.parse(text)))
  if (Either.isLeft(parsed)) return Either.left("invalid token")
  return signature(secret, `${head}.${payload}`) === tail ? Either.void : Either.left("invalid signature")
}
