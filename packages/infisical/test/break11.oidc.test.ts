/** current.md 3: a server refuses an OIDC login with 500 OidcAuthError. */
import { assert, it } from "@effect/vitest"
import { ConfigProvider, Effect, Fiber, Redacted } from "effect"
import { Credential, Secrets } from "effect-infisical"
import { advance, clientLayer, Wire } from "./support/sources.js"

const credential = Effect.runSync(Credential.jwt({
  method: "oidc-auth",
  identityId: "8a15230e-b33a-4cb0-9dd8-a0d98b51c936",
  jwt: Redacted.make("a.b.c")
}))

it.effect("A login that is refused with 500 OidcAuthError is offered once, and no fallback hides it", () =>
  Effect.gen(function*() {
    const secrets = yield* Secrets.Secrets
    const { setHook } = yield* Wire
    let logins = 0
    yield* setHook(({ path, reply, respond }) => {
      if (!path.endsWith("/oidc-auth/login")) return respond
      logins++
      return Effect.succeed(reply(500, {
        reqId: "req-1",
        statusCode: 500,
        error: "OidcAuthError",
        message: "jwt audience invalid. expected: infisical"
      }))
    })
    const fiber = yield* Effect.fork(Effect.either(secrets.get("A")))
    yield* advance(30)
    const result = yield* Fiber.join(fiber)
    assert.deepStrictEqual([logins, result._tag], [1, "Left"])
  }).pipe(
    Effect.provide(clientLayer("v4", {}, { options: { credential, fallback: true, retry: { times: 3 } } })),
    Effect.withConfigProvider(ConfigProvider.fromMap(new Map([["A", "from the environment"]])))
  ))
