/** The tokens that the server signs: JSON Web Tokens with HMAC-SHA256. */
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as NodeCrypto from "node:crypto"

/** What a token says; times are in seconds since 1970. */
export type Claims = Readonly<Record<string, string | number>>

const Claimed = Schema.parseJson(Schema.Struct({ exp: Schema.optional(Schema.Number) }))

const header = Encoding.encodeBase64Url(JSON.stringify({ alg: "HS256", typ: "JWT" }))

/** A token that says this. */
export const sign = (secret: Redacted.Redacted<string>, claims: Claims): Redacted.Redacted<string> => {
  const content = `${header}.${Encoding.encodeBase64Url(JSON.stringify(claims))}`
  return Redacted.make(`${content}.${signature(secret, content)}`)
}

const signature = (secret: Redacted.Redacted<string>, content: string): string =>
  NodeCrypto.createHmac("sha256", Redacted.value(secret)).update(content).digest("base64url")

/** What of a token of ours matters to its checks: when it ends, if it does, in seconds since 1970. */
export interface Checked {
  readonly exp: number | undefined
}

/** A text that is to be a token of ours; what is wrong with it, in the words of the server's library. */
export const check = (
  secret: Redacted.Redacted<string>,
  jwt: string
): Either.Either<
  Checked,
  "jwt must be provided" | "jwt malformed" | "invalid token" | "invalid signature" | "jwt signature is required"
> => {
  if (jwt === "") return Either.left("jwt must be provided")
  const [head, payload, tail, ...more] = jwt.split(".")
  if (head === undefined || payload === undefined || tail === undefined || more.length > 0) {
    return Either.left("jwt malformed")
  }
  const parsed = Either.flatMap(Encoding.decodeBase64UrlString(head), (text) => Either.try(() => JSON.parse(text)))
  if (Either.isLeft(parsed)) return Either.left("invalid token")
  if (tail === "") return Either.left("jwt signature is required")
  if (signature(secret, `${head}.${payload}`) !== tail) return Either.left("invalid signature")
  const claims = Either.flatMap(Encoding.decodeBase64UrlString(payload), Schema.decodeEither(Claimed))
  return Either.right({ exp: Either.match(claims, { onLeft: () => undefined, onRight: ({ exp }) => exp }) })
}
