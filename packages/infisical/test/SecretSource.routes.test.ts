/** Finding out the routes, and updates without a value. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Option, Redacted } from "effect"
import { Folders, Location, Secrets, SecretSource } from "effect-infisical"
import { advance, changing, clientLayer, kinds, mapSecrets, settle, sourceLayer, Wire } from "./support/sources.js"

const world = { secrets: { A: { value: "a ${B}", comment: "first" }, B: "b" } }

describe("Finding out the routes", () => {
  for (const era of ["2024-07", "2026"] as const) {
    it.effect(`ends if the first request is an upsert of a personal secret: ${era}`, () =>
      Effect.gen(function*() {
        const secrets = yield* Secrets.Secrets
        // Time stands still: a call that waited for itself would not end.
        yield* Effect.exit(secrets.upsert("A", Redacted.make("x"), { type: "personal" }))
      }).pipe(Effect.provide(clientLayer(undefined, { ...world, era }))))

    it.effect(`sends a write once if that is the first request: ${era}`, () =>
      Effect.gen(function*() {
        yield* Effect.flatMap(Secrets.Secrets, (secrets) => secrets.create("NEW", Redacted.make("x")))
        assert.deepStrictEqual(
          yield* Effect.flatMap(Wire, ({ takeRequests }) => takeRequests),
          era === "2026"
            ? ["GET /api/v4/secrets 200", "POST /api/v4/secrets/NEW 200"]
            : ["GET /api/v4/secrets 404", "POST /api/v3/secrets/raw/NEW 200"]
        )
      }).pipe(Effect.provide(clientLayer(undefined, { ...world, era }))))
  }

  it.effect("against a server that hangs fails for all callers within one deadline", () =>
    Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      const { setHook } = yield* Wire
      yield* setHook(({ path, respond }) => path.startsWith("/api/v4") ? Effect.never : respond)
      const fibers = yield* Effect.forEach(
        Array.from({ length: 10 }, (_, index) => `/folder${index}`),
        (secretPath) => Effect.fork(Effect.exit(secrets.list({ secretPath })))
      )
      yield* settle
      yield* advance(31)
      for (const fiber of fibers) {
        const exit = yield* Fiber.poll(fiber)
        assert.isTrue(Option.isSome(exit) && Exit.isSuccess(exit.value) && Exit.isFailure(exit.value.value))
      }
    }).pipe(Effect.provide(clientLayer(undefined, { ...world, era: "2026" }))))
})

describe("A call of Folders", () => {
  it.effect("ends at one deadline for all of its requests", () =>
    Effect.gen(function*() {
      const folders = yield* Folders.Folders
      const { setHook } = yield* Wire
      yield* folders.create("one")
      yield* setHook(({ respond }) => Effect.delay(respond, "3 seconds"))
      const fiber = yield* Effect.fork(Effect.flip(folders.rename("one", "two")))
      yield* settle
      yield* advance(5)
      assert.isTrue(Option.isSome(yield* Fiber.poll(fiber)))
      assert.include(yield* Fiber.join(fiber), { _tag: "NetworkError", reason: "Timeout", mayHaveBeenApplied: true })
    }).pipe(Effect.provide(clientLayer("v4", world, { options: { retry: { times: 0, deadline: "4 seconds" } } }))))
})

for (const kind of kinds) {
  it.effect(`An update without a value keeps it as written, and returns it: ${kind}`, () =>
    Effect.gen(function*() {
      const source = yield* SecretSource.SecretSource
      const { setHook } = yield* Wire
      // v4 answers a PATCH with the fields of the request only.
      if (kind === "v4") {
        yield* setHook(changing(
          ["PATCH"],
          mapSecrets((secret) => ({
            ...secret,
            secretValue: "",
            secretComment: "",
            secretMetadata: null,
            tags: null
          }))
        ))
      }
      const location = yield* Location.make({ environment: "dev", secretPath: "/" })
      const row = yield* source.update(
        { location, name: "A", type: "shared" },
        kind === "v4" ? { metadata: { team: "core" } } : { comment: "second" }
      )
      assert.strictEqual(Redacted.value(row.payload.value), "a ${B}")
      assert.strictEqual(row.payload.comment, kind === "v4" ? "first" : "second")
      if (kind === "v4") assert.deepStrictEqual(row.details.metadata, { team: "core" })
    }).pipe(Effect.provide(sourceLayer(kind, world))))
}

describe("A fetched row", () => {
  it.effect("keeps the metadata key __proto__ as a key", () =>
    Effect.gen(function*() {
      const { setHook } = yield* Wire
      yield* setHook(changing(
        ["GET"],
        mapSecrets((secret) => ({
          ...secret,
          secretMetadata: [{ key: "__proto__", value: "x" }]
        }))
      ))
      const location = yield* Location.make({ environment: "dev", secretPath: "/" })
      const { content } = yield* (yield* SecretSource.SecretSource).fetch(location, Option.none())
      assert.deepStrictEqual(Object.entries(content.own[0]?.details.metadata ?? {}), [["__proto__", "x"]])
    }).pipe(Effect.provide(sourceLayer("v4", world))))

  it.effect("is another one if its ciphertext changed, even with the same id and version", () =>
    Effect.gen(function*() {
      const source = yield* SecretSource.SecretSource
      const { setHook } = yield* Wire
      const location = yield* Location.make({ environment: "dev", secretPath: "/" })
      const { content } = yield* source.fetch(location, Option.none())
      const other = { secretValueCiphertext: "b3RoZXI=", secretValueTag: "b3RoZXI=" }
      yield* setHook(changing(["GET"], mapSecrets((secret) => ({ ...secret, ...other }))))
      const next = yield* source.fetch(location, Option.some({ content, etag: Option.none() }))
      for (const { payload } of next.content.own) {
        assert.isTrue(payload._tag === "Encrypted" && payload.value.ciphertext === other.secretValueCiphertext)
      }
    }).pipe(Effect.provide(sourceLayer("end-to-end-encrypted", world))))
})
