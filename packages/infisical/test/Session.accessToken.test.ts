/** The rules of an access token's life, as a table, and what hostile answers make of it. */
import { assert, describe, it } from "@effect/vitest"
import { Encoding, FastCheck, Option, Redacted } from "effect"
import * as AccessToken from "../src/session/accessToken.js"

const now = 1_000_000_000_000
const second = 1000
const hour = 3600 * second

const jwt = (claims: unknown, id = "") =>
  `${Encoding.encodeBase64Url(`{"id":"${id}"}`)}.${Encoding.encodeBase64Url(JSON.stringify(claims))}.signature`

const token = (
  expiresIn: number,
  accessTokenMaxTTL: number | null | undefined,
  accessToken = "opaque",
  previous: Option.Option<AccessToken.AccessToken> = Option.none(),
  at = now
) => AccessToken.fromAnswer({ accessToken, expiresIn, accessTokenMaxTTL }, at, previous)

const forever = Number.POSITIVE_INFINITY

describe("The life of an access token", () => {
  const cases: ReadonlyArray<readonly [name: string, token: AccessToken.AccessToken, life: number]> = [
    ["is its TTL", token(3600, 86_400), hour],
    ["is its maximum TTL if that is shorter", token(86_400, 3600), hour],
    [
      "is that of its JWT if that is shorter, by the server's clock",
      token(86_400, 86_400, jwt({ iat: 5, exp: 3605 })),
      hour
    ],
    ["has no end if the TTL is 0", token(0, 0), forever],
    ["has the end of its JWT if the TTL is 0", token(0, 0, jwt({ iat: 0, exp: 7200 })), 2 * hour],
    ["has no maximum if that is 0", token(3600, 0), hour],
    ["has no maximum if that is null", token(3600, null), hour],
    ["has no maximum if that is missing", token(3600, undefined), hour],
    ["has no end if the TTL is negative", token(-1, 0), forever],
    ["has no end if the TTL is NaN", token(Number.NaN, Number.NaN), forever],
    ["has no end if the TTL is beyond all numbers", token(1e308, 1e308), forever],
    ["is a second at least", token(1e-9, 0), second],
    ["ignores a JWT that ends before it begins", token(3600, 0, jwt({ iat: 10, exp: 5 })), hour],
    ["ignores a JWT that states no beginning", token(3600, 0, jwt({ exp: 5 })), hour],
    ["ignores claims that are no numbers", token(3600, 0, jwt({ iat: "0", exp: "5" })), hour],
    ["ignores claims that are no object", token(3600, 0, jwt([0, 5])), hour],
    ["ignores a payload that is no JSON", token(3600, 0, `a.${Encoding.encodeBase64Url("{")}.c`), hour],
    ["ignores a payload that is no base64", token(3600, 0, "a.!.c"), hour],
    [
      "ignores a payload that is nested deeply",
      token(3600, 0, `a.${Encoding.encodeBase64Url(`${"[".repeat(20_000)}${"]".repeat(20_000)}`)}.c`),
      hour
    ]
  ]
  for (const [name, { expiresAt, replaceAt }, life] of cases) {
    it(name, () => {
      assert.strictEqual(expiresAt, now + life)
      assert.strictEqual(replaceAt, life === forever ? forever : expiresAt - life / 3)
    })
  }

  it("is as it was after a renewal that returns the same JWT", () => {
    const same = jwt({ iat: 0, exp: 7200 })
    const first = token(3600, 7200, same)
    const renewed = token(3600, 7200, same, Option.some(first), now + 1.5 * hour)
    assert.strictEqual(renewed.expiresAt, now + 2 * hour)
    assert.isTrue(AccessToken.isExtended(renewed, first))
    const again = token(3600, 0, same, Option.some(renewed), now + 1.9 * hour)
    assert.isFalse(AccessToken.isExtended(again, renewed))
  })

  it("begins again with a renewal that returns another JWT, up to the maximum since the login", () => {
    const first = token(3600, 7200, jwt({ iat: 0, exp: 3600 }, "1"))
    const renewed = token(3600, 7200, jwt({ iat: 2400, exp: 6000 }, "2"), Option.some(first), now + 2 * hour / 3)
    assert.strictEqual(renewed.expiresAt, now + 5 * hour / 3)
    const last = token(3600, 7200, jwt({ iat: 5000, exp: 8600 }, "3"), Option.some(renewed), now + 1.5 * hour)
    assert.strictEqual(last.expiresAt, now + 2 * hour)
  })

  it("is over late rather than never if the clock is set back", () => {
    assert.isTrue(AccessToken.isDue(token(3600, 0), now - 1))
    assert.isFalse(AccessToken.isDue(token(3600, 0), now))
    assert.isFalse(AccessToken.isRenewable(token(3600, 0), now - 1))
  })
})

describe("A renewal", () => {
  const cases: ReadonlyArray<readonly [name: string, token: AccessToken.AccessToken, after: number, helps: boolean]> = [
    ["helps while a whole TTL fits before the maximum", token(3600, 7200), hour - 6 * second, true],
    ["is refused if the TTL goes past the maximum", token(3600, 7200), hour - 4 * second, false],
    ["is refused if the TTL is the maximum", token(3600, 3600), hour / 2, false],
    ["helps if there is no maximum", token(3600, 0), hour / 2, true],
    ["helps if no maximum is stated", token(3600, undefined), hour / 2, true],
    ["does not help a token without an end", token(0, 0), hour / 2, false],
    [
      "helps a token without a TTL whose JWT ends, as a server of 2026 makes it",
      token(0, 0, jwt({ iat: 0, exp: 3600 })),
      hour / 2,
      true
    ],
    [
      "does not help a token without a TTL whose JWT ends at the maximum",
      token(0, 3600, jwt({ iat: 0, exp: 3600 })),
      hour / 2,
      false
    ],
    ["does not help a token that has expired", token(3600, 86_400), hour, false],
    [
      "goes to the end of a JWT that outlives the TTL, as an old server makes it",
      token(3600, undefined, jwt({ iat: 0, exp: 7200 })),
      1.5 * hour,
      false
    ],
    [
      "goes past the end of a JWT that ends with the TTL",
      token(3600, undefined, jwt({ iat: 0, exp: 3600 })),
      hour / 2,
      true
    ]
  ]
  for (const [name, token, after, helps] of cases) {
    it(name, () => assert.strictEqual(AccessToken.isRenewable(token, now + after), helps))
  }
})

describe("A token of a server that states anything", () => {
  const number = FastCheck.oneof(FastCheck.double(), FastCheck.integer(), FastCheck.constantFrom(0, -0, 1e308, NaN))
  const text = FastCheck.oneof(
    FastCheck.string(),
    FastCheck.json().map((json) => `a.${Encoding.encodeBase64Url(json)}.c`),
    FastCheck.record({ iat: number, exp: number }).map((claims) => jwt(claims))
  )

  it.prop("is used at least once, replaced before it ends, and never at a time that is none", [
    number,
    FastCheck.option(number),
    text,
    text,
    FastCheck.nat(1e12)
  ], ([expiresIn, maximum, first, second, later]) => {
    const one = token(expiresIn, maximum, first)
    const two = token(expiresIn, maximum, second, Option.some(one), now + later)
    assert.isTrue(AccessToken.isGood(one, now))
    for (const { expiresAt, issuedAt, jwtExpiresAt, lastEnd, replaceAt, ttl, value } of [one, two]) {
      for (const time of [expiresAt, replaceAt, ttl, lastEnd, jwtExpiresAt]) assert.isFalse(Number.isNaN(time))
      assert.isAtMost(replaceAt, Math.max(expiresAt, issuedAt))
      assert.isDefined(Redacted.value(value))
    }
    if (AccessToken.isRenewable(two, now + later)) assert.isAtMost(two.ttl, two.lastEnd - two.issuedAt)
  })
})

describe("A text", () => {
  it("can be sent if it is printable and not too long", () => {
    assert.isTrue(AccessToken.isSendable(jwt({})))
    for (const text of ["", " ", "a b", "a\nb", "ü", "x".repeat(65_537)]) assert.isFalse(AccessToken.isSendable(text))
  })
})
