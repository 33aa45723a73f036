/**
 * Parses service tokens. No error quotes any part of a token.
 *
 * The parts are checked one by one, without Schema: its formatters recurse into the input, and a token of many nested
 * levels would overflow the stack.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { InvalidCredentialError } from "../model/InfisicalError.js"
import type { ServiceToken, ServiceTokenV3 } from "./Credential.js"

interface Rule {
  readonly isMet: (text: string) => boolean
  readonly problem: string
}

const rule = (pattern: RegExp, problem: string): Rule => ({ isMet: (text) => pattern.test(text), problem })

const base64Of32Bytes: Rule = {
  isMet: (text) => Option.exists(Either.getRight(Encoding.decodeBase64(text)), (bytes) => bytes.length === 32),
  problem: "must be base64 of 32 bytes"
}

const checkPart = (
  part: string,
  value: unknown,
  { isMet, problem }: Rule
): Either.Either<string, InvalidCredentialError> =>
  typeof value === "string" && isMet(value) ? Either.right(value) : Either.left(
    new InvalidCredentialError({
      part,
      problem: value === undefined ? "is missing" : typeof value === "string" ? problem : "must be text"
    })
  )

/** `st.<id>.<secret>.<key>`, or the same without its key. */
export const parseServiceToken = (text: string): Effect.Effect<ServiceToken, InvalidCredentialError> => {
  const parts = text.split(".")
  if (parts[0] !== "st") {
    return Effect.fail(
      new InvalidCredentialError({ part: "service token", problem: "must begin with \"st.\", or be JSON" })
    )
  }
  if (parts.length !== 3 && parts.length !== 4) {
    return Effect.fail(
      new InvalidCredentialError({
        part: "service token",
        problem:
          `must have four parts separated by dots (st.<id>.<secret>.<key>), or three without its key, but has ${parts.length}`
      })
    )
  }
  const [, id, secret, key] = parts
  return Either.map(
    Either.all({
      id: checkPart("id", id, rule(/^[0-9A-Za-z-]+$/, "must be letters, digits and dashes")),
      secret: checkPart("secret", secret, rule(/^[0-9A-Za-z]+$/, "must be letters and digits")),
      key: key === undefined
        ? Either.right(Option.none())
        : Either.map(checkPart("key", key, rule(/^[0-9a-fA-F]{32}$/, "must be 32 hexadecimal characters")), Option.some)
    }),
    ({ id, key, secret }) => ({
      _tag: "ServiceToken",
      id,
      accessToken: Redacted.make(`st.${id}.${secret}`),
      key: Option.map(key, Redacted.make)
    })
  )
}

const decodeJson = Schema.decodeOption(Schema.parseJson())

/** The JSON of a service token v3. */
export const parseServiceTokenV3 = (text: string): Effect.Effect<ServiceTokenV3, InvalidCredentialError> => {
  const json = decodeJson(text)
  if (Option.isNone(json) || !Predicate.isReadonlyRecord(json.value)) {
    return Effect.fail(
      new InvalidCredentialError({
        part: "service token v3",
        problem: "must be JSON of publicKey, privateKey and serviceToken"
      })
    )
  }
  const { privateKey, publicKey, serviceToken } = json.value
  return Either.map(
    Either.all({
      publicKey: checkPart("publicKey", publicKey, base64Of32Bytes),
      privateKey: checkPart("privateKey", privateKey, base64Of32Bytes),
      serviceToken: checkPart(
        "serviceToken",
        serviceToken,
        rule(/^[\x21-\x7e]+$/, "must be printable characters without spaces")
      )
    }),
    ({ privateKey, publicKey, serviceToken }) => ({
      _tag: "ServiceTokenV3",
      id: publicKey,
      accessToken: Redacted.make(serviceToken),
      privateKey: Redacted.make(privateKey)
    })
  )
}
