/**
 * What is accepted as a credential, what an error says of one that is not, and that neither ever shows it.
 */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, FastCheck, Option, Redacted } from "effect"
import { Credential, InfisicalError } from "effect-infisical"
import { inspect } from "node:util"

const parse = (token: string) => Credential.serviceToken(Redacted.make(token))

/** Every way in which something may reach a log. */
const printings = (value: unknown): ReadonlyArray<string> => [
  String(value),
  String(JSON.stringify(value)),
  inspect(value),
  inspect(value, { depth: null, showHidden: true }),
  Cause.pretty(Cause.fail(value)),
  String(JSON.stringify(Cause.fail(value))),
  ...(value instanceof Error ? [value.message, String(value.stack), String(value.cause)] : [])
]

/** The windows of a text that are long enough to be a piece of a secret, and too long to be there by chance. */
const pieces = (text: string): ReadonlyArray<string> =>
  Array.from({ length: Math.max(0, text.length - 5) }, (_, at) => text.slice(at, at + 6))

const assertQuotesNothing = (error: InfisicalError.InvalidCredentialError, secrets: ReadonlyArray<string>) => {
  const printed = printings(error).join("\n")
  for (const piece of secrets.flatMap(pieces)) {
    assert.isFalse(printed.includes(piece), `"${piece}" is quoted in ${printed.slice(0, 400)}`)
  }
}

/** The token is refused, the error names the part and quotes nothing. */
const assertRefused = (
  token: string,
  part: string,
  problem: string,
  secrets: ReadonlyArray<string> = [token]
) =>
  Effect.map(Effect.flip(parse(token)), (error) => {
    assert.instanceOf(error, InfisicalError.InvalidCredentialError)
    assert.strictEqual(error.part, part)
    assert.include(error.problem, problem)
    assert.include(error.message, `${part} ${error.problem}`)
    assertQuotesNothing(error, secrets)
  })

const id = "d81703ad-ae12-40eb-952f-226aba3d99cd"
const secret = "65d6c21c44e9a342285f30862bd60796"
const key = "5100f3b08f995fd366d71c66fec18ff3"

const publicKey = Buffer.alloc(32, "public").toString("base64")
const privateKey = Buffer.alloc(32, "\xfb\xefprivate", "latin1").toString("base64")
const serviceToken = "proj_token.66aa12.Zk9-_x"

const json = (fields: Record<string, unknown>): string =>
  JSON.stringify({ publicKey, privateKey, serviceToken, ...fields })

/** Not `FastCheck.string`, which has a liking for words of JavaScript, and these stand in every stack. */
const digits = (characters: Iterable<string>, minLength: number, maxLength: number) =>
  FastCheck.array(FastCheck.constantFrom(...characters), { minLength, maxLength }).map((all) => all.join(""))
const hexadecimal = "0123456789abcdef"
const alphanumeric = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
const symbols = `${alphanumeric}!"#$%&'()*+,/:;<=>?@[\\]^_|}~ äßλ密🔑`

describe("A service token (v2)", () => {
  it.effect("is sent without its key part", () =>
    Effect.gen(function*() {
      const credential = yield* parse(`st.${id}.${secret}.${key}`)
      assert.strictEqual(credential._tag, "ServiceToken")
      assert.strictEqual(Redacted.value(credential.accessToken), `st.${id}.${secret}`)
      assert.strictEqual(credential._tag === "ServiceToken" && Redacted.value(Option.getOrThrow(credential.key)), key)
    }))

  it.effect("may come without its key part", () =>
    Effect.gen(function*() {
      const credential = yield* parse(`st.${id}.${secret}`)
      assert.strictEqual(Redacted.value(credential.accessToken), `st.${id}.${secret}`)
      assert.isTrue(credential._tag === "ServiceToken" && Option.isNone(credential.key))
      assert.isFalse(Credential.hasProjectKey(credential))
    }))

  it.effect.prop(
    "is accepted whatever its id, secret and key",
    [
      digits(`${alphanumeric}-`, 1, 40),
      digits(alphanumeric, 1, 80),
      digits(`${hexadecimal}ABCDEF`, 32, 32),
      digits(" \t\r\n", 0, 3)
    ],
    ([id, secret, key, space]) =>
      Effect.gen(function*() {
        const credential = yield* parse(`${space}st.${id}.${secret}.${key}${space}`)
        assert.deepStrictEqual(credential, {
          _tag: "ServiceToken",
          id,
          accessToken: Redacted.make(`st.${id}.${secret}`),
          key: Option.some(Redacted.make(key))
        })
        assert.strictEqual(Redacted.value(credential.accessToken), `st.${id}.${secret}`)
        assert.strictEqual(credential._tag === "ServiceToken" && Redacted.value(Option.getOrThrow(credential.key)), key)
      })
  )

  it.effect.each([
    { what: "nothing", token: "", part: "service token", problem: "must begin with \"st.\"" },
    { what: "blank", token: " \n", part: "service token", problem: "must begin with \"st.\"" },
    { what: "a JWT", token: "eyJhbGciOi.eyJhdXRoVG9r.dskuCbtSvJ", part: "service token", problem: "must begin" },
    { what: "of another prefix", token: `ST.${id}.${secret}.${key}`, part: "service token", problem: "must begin" },
    { what: "quoted", token: `"st.${id}.${secret}.${key}"`, part: "service token", problem: "must begin" },
    { what: "only the prefix", token: "st", part: "service token", problem: "but has 1" },
    { what: "cut off", token: `st.${id}`, part: "service token", problem: "but has 2" },
    { what: "too long by a part", token: `st.${id}.${secret}.${key}.x`, part: "service token", problem: "but has 5" },
    { what: "twice", token: `st.${id}.${secret}.${key}st.${id}.${secret}.${key}`, part: "service token", problem: "7" },
    { what: "without an id", token: `st..${secret}.${key}`, part: "id", problem: "letters, digits and dashes" },
    { what: "of an odd id", token: `st.${id}/.${secret}.${key}`, part: "id", problem: "letters, digits and dashes" },
    { what: "without a secret", token: `st.${id}..${key}`, part: "secret", problem: "letters and digits" },
    { what: "of an odd secret", token: `st.${id}.${secret}é.${key}`, part: "secret", problem: "letters and digits" },
    { what: "broken by a line", token: `st.${id}.${secret}\n.${key}`, part: "secret", problem: "letters and digits" },
    { what: "of an empty key", token: `st.${id}.${secret}.`, part: "key", problem: "32 hexadecimal" },
    { what: "cut", token: `st.${id}.${secret}.${key.slice(1)}`, part: "key", problem: "32 hexadecimal" },
    { what: "of a long key", token: `st.${id}.${secret}.${key}0`, part: "key", problem: "32 hexadecimal" },
    { what: "of another key", token: `st.${id}.${secret}.${key.slice(1)}g`, part: "key", problem: "32 hexadecimal" },
    { what: "all wrong", token: `st.${id}!.${secret}!.${key}!`, part: "id", problem: "letters, digits and dashes" }
  ])("that is $what is refused", ({ part, problem, token }) => assertRefused(token, part, problem))
})

describe("A service token v3", () => {
  it.effect.each([
    json({}),
    ` \n${json({})}\r\n\t`,
    JSON.stringify({ publicKey, privateKey, serviceToken, name: "more" }, null, 2)
  ])("is sent as its serviceToken: %#", (token) =>
    Effect.gen(function*() {
      const credential = yield* parse(token)
      assert.deepStrictEqual(Object.keys(credential), ["_tag", "id", "accessToken", "privateKey"])
      assert.strictEqual(credential._tag, "ServiceTokenV3")
      assert.strictEqual(Redacted.value(credential.accessToken), serviceToken)
      assert.strictEqual(credential._tag === "ServiceTokenV3" && Redacted.value(credential.privateKey), privateKey)
    }))

  it.effect.each([
    { what: "cut", token: json({}).slice(0, -1) },
    { what: "only a brace", token: "{" },
    { what: "followed by something", token: `${json({})} st.${id}.${secret}` },
    { what: "of single quotes", token: json({}).replaceAll("\"", "'") },
    { what: "of bare values", token: `{"publicKey": ${publicKey}, "privateKey": ${privateKey}}` },
    { what: "of a broken line", token: json({}).replace(serviceToken, `${serviceToken}\n`) }
  ])(
    "that is JSON $what is refused",
    ({ token }) =>
      assertRefused(token, "service token v3", "must be JSON of publicKey, privateKey and serviceToken", [
        publicKey,
        privateKey,
        serviceToken,
        id,
        secret
      ])
  )

  const malformed: ReadonlyArray<readonly [value: unknown, problem: string]> = [
    [undefined, "is missing"],
    [null, "must be text"],
    [1_234_567_890, "must be text"],
    [["inside of an array"], "must be text"],
    [{ inside: "of an object" }, "must be text"]
  ]
  const malformedKey: ReadonlyArray<readonly [value: unknown, problem: string]> = [
    ["", "must be base64 of 32 bytes"],
    ["un-encoded, un-padded!", "must be base64 of 32 bytes"],
    [Buffer.alloc(31, "short!").toString("base64"), "must be base64 of 32 bytes"],
    [Buffer.alloc(33, "longer").toString("base64"), "must be base64 of 32 bytes"],
    [Buffer.alloc(32, "\xfb\xef", "latin1").toString("base64url"), "must be base64 of 32 bytes"],
    [Buffer.alloc(32, "hexadecimal").toString("hex"), "must be base64 of 32 bytes"]
  ]
  const cases = [
    ...["publicKey", "privateKey"].flatMap((field) =>
      [...malformed, ...malformedKey].map(([value, problem]) => ({ field, value, problem }))
    ),
    ...[
      ...malformed,
      ["", "printable"] as const,
      ["two words", "printable"] as const,
      ["schlüssel", "printable"] as const
    ]
      .map(([value, problem]) => ({ field: "serviceToken", value, problem }))
  ]

  it.effect.each(cases)(
    "whose $field is $value is refused",
    ({ field, problem, value }) =>
      assertRefused(json({ [field]: value }), field, problem, [
        publicKey,
        privateKey,
        serviceToken,
        ...(value === undefined ? [] : [JSON.stringify(value)])
      ])
  )

  it.effect("of which all is missing is refused for the first", () => assertRefused("{}", "publicKey", "is missing"))

  it.effect.each([
    { what: "an array", token: json({ publicKey: 0 }).replace("0", "[".repeat(50_000) + "]".repeat(50_000)) },
    {
      what: "an object",
      token: json({ publicKey: 0 }).replace("0", "{\"a\":".repeat(50_000) + "1" + "}".repeat(50_000))
    }
  ])("whose publicKey is $what of many levels is refused, too", ({ token }) =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(parse(token))
      assert.include({ ...error }, { _tag: "InvalidCredentialError", part: "publicKey", problem: "must be text" })
    }))

  it.effect("that is JSON of many levels is refused", () =>
    assertRefused(
      `{"a":${"[".repeat(50_000)}${"]".repeat(50_000)}}`,
      "publicKey",
      "is missing",
      []
    ))
})

describe("A credential", () => {
  it.effect.each([
    { token: `st.${id}.${secret}.${key}`, secrets: [secret, key] },
    { token: json({}), secrets: [privateKey, serviceToken] }
  ])("shows itself as redacted, however it is printed: %#", ({ secrets, token }) =>
    Effect.gen(function*() {
      const credential = yield* parse(token)
      const printed = [...printings(credential), ...Object.values(credential).flatMap(printings)].join("\n")
      assert.include(JSON.stringify(credential), "<redacted>")
      assert.include(inspect(credential), "<redacted>")
      for (const piece of secrets.flatMap(pieces)) assert.isFalse(printed.includes(piece), piece)
    }))

  const value = digits(symbols, 0, 60)
  const unicode = FastCheck.array(FastCheck.string({ unit: "binary", minLength: 1, maxLength: 1 }), { minLength: 6 })
    .map((all) => all.join(""))
  const good = digits(hexadecimal, 32, 32)
  const malformedToken = FastCheck.oneof(
    // Anything at all.
    FastCheck.oneof(value, unicode).map((token) => [token, [token]] as const),
    // Any number of any parts.
    FastCheck.array(FastCheck.oneof(good, value), { maxLength: 6 })
      .map((parts) => ["st", ...parts].join("."))
      .map((token) => [token, [token]] as const),
    // One that is good but for a character.
    FastCheck.tuple(good, good, good, FastCheck.nat({ max: 100 }), FastCheck.constantFrom(..."!. é\n\0"))
      .map(([id, secret, key, at, odd]) => `${`st.${id}.${secret}.${key}`.slice(0, at)}${odd}${key}`)
      .map((token) => [token, [token]] as const),
    // JSON of any values; the names of its fields may be repeated.
    FastCheck.tuple(FastCheck.dictionary(FastCheck.constantFrom("publicKey", "privateKey", "serviceToken"), value))
      .map(([fields]) => [JSON.stringify(fields), Object.values(fields)] as const),
    // JSON that was cut, or has something amid it.
    FastCheck.tuple(good, good, FastCheck.nat({ max: 250 }), value).map(([secret, key, at, inserted]) => {
      const whole = json({ privateKey: Buffer.from(key).toString("base64"), serviceToken: secret })
      return [
        `${whole.slice(0, at)}${inserted}${at % 2 === 0 ? whole.slice(at) : ""}`,
        [secret, Buffer.from(key).toString("base64"), publicKey, inserted]
      ] as const
    })
  )

  it.effect.prop(
    "that is malformed is not quoted, not by six characters in a row",
    [malformedToken],
    ([[token, secrets]]) =>
      Effect.match(parse(token), {
        onSuccess: () => undefined,
        onFailure: (error) => assertQuotesNothing(error, secrets)
      }),
    { fastCheck: { numRuns: 400 } }
  )
})
