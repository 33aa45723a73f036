/** G12: every default is sent explicitly. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { SecretImports, Secrets } from "effect-infisical"
import { clientLayer, isRecord, Wire } from "./support/sources.js"

const world = { era: "2026" as const, projects: { main: { folders: { dev: { "/": { secrets: { A: "a" } }, "/to": {} } } } } }

describe("Every default is sent", () => {
  it.effect("mode of a batch PATCH, isReplication of an import", () =>
    Effect.gen(function*() {
      const { setHook } = yield* Wire
      const sent: Array<unknown> = []
      yield* setHook(({ body, method, path, respond }) => {
        if (method !== "GET" && isRecord(body)) sent.push([`${method} ${path}`, body["mode"], body["isReplication"]])
        return respond
      })
      yield* (yield* Secrets.Secrets).updateMany([{ name: "A", value: Redacted.make("b") }])
      yield* (yield* SecretImports.SecretImports).create({ environment: "dev", secretPath: "/to" })
      assert.deepStrictEqual(sent.slice(-2), [
        ["PATCH /api/v4/secrets/batch", "failOnNotFound", undefined],
        ["POST /api/v2/secret-imports", undefined, false]
      ])
    }).pipe(Effect.provide(clientLayer("v4", world))))
})
