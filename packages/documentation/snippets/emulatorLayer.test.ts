import { FetchHttpClient } from "@effect/platform"
import { assert, it } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import { Credential, Infisical, Secrets } from "effect-infisical"
import { Emulator } from "effect-infisical-emulator"

const InfisicalTest = Layer.unwrapEffect(
  Effect.gen(function*() {
    const emulator = yield* Emulator.Emulator
    const { clientId, clientSecret } = yield* emulator.universalAuth()
    return Infisical.layer({
      credential: Credential.universalAuth({ clientId, clientSecret }),
      projectId: yield* emulator.projectId(),
      siteUrl: emulator.url
    })
  })
).pipe(
  Layer.provide(FetchHttpClient.layer),
  Layer.provideMerge(
    Emulator.layer({ secrets: { DATABASE_URL: "postgres://localhost/test" }, identities: { main: {} } })
  )
)

it.layer(InfisicalTest)("my service", (it) => {
  it.effect("reads its secrets", () =>
    Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      const secret = yield* secrets.get("DATABASE_URL")
      assert.strictEqual(Redacted.value(secret.value), "postgres://localhost/test")
    }))
})
