/** Reading secrets by id and moving them, from end to end. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { Secrets } from "effect-infisical"
import { eras, hasNewestRoutes } from "./support/eras.js"
import { clientLayer, Wire } from "./support/sources.js"

const world = {
  projects: {
    main: { folders: { dev: { "/": { secrets: { A: "a", B: "b" } }, "/to": { secrets: { B: "another b" } } } } }
  }
}

const run = (era: typeof eras[number]) => Effect.provide(clientLayer(undefined, { ...world, era }))

const to = { secretPath: "/to" }

const valueOf = (name: string, secretPath = "/") =>
  Effect.flatMap(
    Secrets.Secrets,
    (secrets) => Effect.map(secrets.get(name, { secretPath }), ({ value }) => Redacted.value(value))
  )

/** The fields of an error that a test compares: chai prints a whole one until its stack overflows. */
const failure = <A, R>(
  effect: Effect.Effect<A, { readonly _tag: string; readonly resource?: string; readonly message: string }, R>
) => Effect.map(Effect.flip(effect), ({ _tag, message, resource }) => ({ _tag, message, resource }))

for (const era of eras) {
  // Servers with v2 of the routes of folders have v4 of those of secrets.
  const hasV4 = hasNewestRoutes(era)

  describe(`A server of ${era}`, () => {
    it.effect(hasV4 ? "gives a secret by its id" : "has no secrets by id", () =>
      Effect.gen(function*() {
        const secrets = yield* Secrets.Secrets
        const { id = "" } = yield* secrets.get("B", to)
        if (!hasV4) {
          assert.include(yield* failure(secrets.getById(id)), { _tag: "InvalidRequestError" })
          return
        }
        const secret = yield* secrets.getById(id)
        assert.include(secret, { id, name: "B", environment: "dev", secretPath: "/to" })
        assert.strictEqual(Redacted.value(secret.value), "another b")
        assert.include(yield* failure(secrets.getById("00000000-0000-4000-8000-000000000001")), {
          _tag: "NotFoundError",
          resource: "secret"
        })
      }).pipe(run(era)))

    it.effect(
      hasV4 ? "moves secrets, and what was read of both folders is fetched again" : "moves no secrets",
      () =>
        Effect.gen(function*() {
          const secrets = yield* Secrets.Secrets
          assert.strictEqual(yield* valueOf("B", "/to"), "another b")
          if (!hasV4) {
            assert.include(yield* failure(secrets.move(["A"], { to })), { _tag: "InvalidRequestError" })
            const requests = yield* Effect.flatMap(Wire, ({ takeRequests }) => takeRequests)
            assert.deepStrictEqual(requests.filter((request) => request.includes("move")), [])
            return
          }
          assert.deepStrictEqual(yield* secrets.move(["A"], { to }), {
            isSourceUpdated: true,
            isDestinationUpdated: true
          })
          assert.strictEqual(yield* valueOf("A", "/to"), "a")
          assert.include(yield* failure(valueOf("A")), { _tag: "NotFoundError" })
          assert.include(yield* failure(secrets.move(["B"], { to })), { _tag: "AlreadyExistsError" })
          yield* secrets.move(["B"], { to, overwrite: true })
          assert.strictEqual(yield* valueOf("B", "/to"), "b")
        }).pipe(run(era))
    )
  })
}
