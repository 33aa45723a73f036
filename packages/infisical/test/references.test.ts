import { assert, describe, it } from "@effect/vitest"
import { Effect, FastCheck, Option } from "effect"
import * as References from "../src/source/references.js"

/** Secrets by environment, path and name; `undefined` for what there is not. */
const lookup = (secrets: Readonly<Record<string, string>>) => (place: References.Place) =>
  Effect.succeed(Option.fromNullable(secrets[`${place.environment}:${place.secretPath}:${place.name}`]))

const expand = (text: string, secrets: Readonly<Record<string, string>>) =>
  References.expand(text, { environment: "dev", secretPath: "/", name: "SELF" }, lookup(secrets))

describe("A reference", () => {
  it.effect.each([
    { what: "to a secret of the same folder", text: "a=${A}", expanded: "a=one" },
    { what: "to a secret of another environment", text: "${prod.A}", expanded: "live" },
    { what: "to a secret of another folder", text: "<${dev.foo.bar.DEEP}>", expanded: "<deep>" },
    { what: "that is there twice", text: "${A}${A}", expanded: "oneone" },
    { what: "beside another", text: "${A}-${prod.A}", expanded: "one-live" },
    { what: "with space around the name", text: "${ A }", expanded: "one" },
    { what: "to a value with a reference, read where that one is", text: "${dev.foo.OUTER}", expanded: "[inner]" },
    { what: "to a value with a dollar sign", text: "${DOLLAR}", expanded: "$1$&" },
    { what: "to nothing", text: "${NOPE} ${nope.NOPE}", expanded: "${NOPE} ${nope.NOPE}" },
    { what: "to itself", text: "me ${SELF}", expanded: "me ${SELF}" },
    { what: "in a circle", text: "${ROUND}", expanded: "(${ROUND})" },
    { what: "without a name", text: "${} ${", expanded: "${} ${" }
  ])("$what is replaced as the server does it", ({ expanded, text }) =>
    Effect.gen(function*() {
      const secrets = {
        "dev:/:A": "one",
        "dev:/:SELF": "me ${SELF}",
        "dev:/:ROUND": "(${ROUND})",
        "dev:/:DOLLAR": "$1$&",
        "prod:/:A": "live",
        "dev:/foo/bar:DEEP": "deep",
        "dev:/foo:OUTER": "[${INNER}]",
        "dev:/foo:INNER": "inner"
      }
      assert.strictEqual(yield* expand(text, secrets), expanded)
    }))

  it.effect("to what doubles itself again and again stops before the memory is full", () =>
    Effect.gen(function*() {
      const secrets = Object.fromEntries(
        Array.from({ length: 40 }, (_, index) => [`dev:/:A${index}`, `\${A${index + 1}}\${A${index + 1}}`])
      )
      assert.isBelow((yield* expand("${A0}", secrets)).length, 100_000)
    }))

  it.effect.prop("leaves texts without one as they are", [FastCheck.string()], ([text]) =>
    Effect.gen(function*() {
      FastCheck.pre(!text.includes("${"))
      assert.strictEqual(yield* expand(text, { "dev:/:A": "one" }), text)
    }))

  it.effect("that cannot be looked up now is an error, and no text", () =>
    Effect.gen(function*() {
      const place = { environment: "dev", secretPath: "/", name: "SELF" }
      const error = yield* Effect.flip(References.expand("${A}", place, () => Effect.fail("unreachable")))
      assert.strictEqual(error, "unreachable")
    }))

  it.effect("through a chain is replaced as deep as servers do it, and stays as written below", () =>
    Effect.gen(function*() {
      const secrets = Object.fromEntries(
        Array.from({ length: 20 }, (_, index) => [`dev:/:A${index + 1}`, `${index + 1} \${A${index + 2}}`])
      )
      assert.strictEqual(yield* expand("${A1}", secrets), "1 2 3 4 5 6 7 8 9 10 ${A11}")
    }))

  it.effect("to nothing is looked up once, from however many values", () =>
    Effect.gen(function*() {
      const lookups: Array<string> = []
      const place = { environment: "dev", secretPath: "/", name: "SELF" }
      const expanded = yield* References.expand("${A}${NOPE}", place, ({ name }) =>
        Effect.sync(() => {
          lookups.push(name)
          return name === "A" ? Option.some("${NOPE}") : Option.none()
        }))
      assert.strictEqual(expanded, "${NOPE}${NOPE}")
      assert.deepStrictEqual(lookups, ["A", "NOPE"])
    }))

  it.effect("is looked up once, however often it is there, and no more than a thousand are", () =>
    Effect.gen(function*() {
      let lookups = 0
      const text = Array.from({ length: 1500 }, (_, index) => `\${A${index}}`.repeat(2)).join("")
      const expanded = yield* References.expand(
        text,
        { environment: "dev", secretPath: "/", name: "SELF" },
        () => Effect.sync(() => Option.some(String(++lookups)))
      )
      assert.strictEqual(lookups, 1000)
      assert.isTrue(expanded.endsWith("${A1499}${A1499}"))
    }))

  for (
    const [what, secrets] of Object.entries({
      "five values that refer to each other many times": Object.fromEntries(
        ["A0", "A1", "A2", "A3", "A4"].map((name, index) => [
          `dev:/:${name}`,
          ["A0", "A1", "A2", "A3", "A4"].filter((_, other) => other !== index).map((other) => `\${${other}}`).join("")
            .repeat(25)
        ])
      ),
      "ten levels of ten names": Object.fromEntries(
        Array.from({ length: 100 }, (_, index) => {
          const [level, number] = [Math.floor(index / 10), index % 10]
          return [
            `dev:/:A${level === 0 ? number : `${level}_${number}`}`,
            Array.from({ length: 10 }, (_, next) => `\${A${level + 1}_${next}}`).join("")
          ]
        })
      ),
      "a value that doubles a hundred thousand times": {
        "dev:/:A0": "${A1}".repeat(100_000),
        "dev:/:A1": "${A2}".repeat(100_000),
        "dev:/:A2": "x".repeat(100_000)
      }
    })
  ) {
    it.live(`in ${what} ends soon, within the length that a server takes`, () =>
      Effect.gen(function*() {
        const expanded = yield* expand("${A0}", secrets)
        assert.isAtMost(expanded.length, 1024 * 1024)
      }).pipe(Effect.timeout("20 seconds")))
  }
})
