// #region layer
import { assert, it } from "@effect/vitest"
import { Effect, Layer, TestClock } from "effect"
import { Credential, Infisical, Secrets } from "effect-infisical"
import { Emulator } from "effect-infisical-emulator"

const InfisicalTest = Layer.unwrapEffect(
  Effect.gen(function*() {
    const emulator = yield* Emulator.Emulator
    const { clientId, clientSecret } = yield* emulator.universalAuth()
    return Infisical.layer({
      credential: Credential.universalAuth({ clientId, clientSecret }),
      projectId: yield* emulator.projectId(),
      cacheTtl: "5 minutes",
      refresh: false,
      retry: { times: 0 }
    })
  })
).pipe(
  Layer.provide(Emulator.layerHttpClient),
  Layer.provideMerge(Emulator.layer({ secrets: { NAME: "value" }, identities: { main: {} } }))
)
// #endregion layer

// #region test
it.effect("keeps working while the server is down", () =>
  Effect.gen(function*() {
    const emulator = yield* Emulator.Emulator
    const secrets = yield* Secrets.Secrets
    yield* secrets.get("NAME")
    yield* emulator.setAvailable(false)
    yield* TestClock.adjust("6 minutes")
    const { source } = yield* secrets.get("NAME")
    assert.strictEqual(source, "stale")
  }).pipe(Effect.provide(InfisicalTest)))
// #endregion test

// #region faults
it.effect("reports a busy server, and reads once it answers", () =>
  Effect.gen(function*() {
    const { faults, requestCounts } = yield* Emulator.Emulator
    yield* faults.add({ fault: { _tag: "Respond", status: 503 }, route: "/api/v4/secrets", times: 1 })
    const secrets = yield* Secrets.Secrets
    const failed = yield* Effect.flip(secrets.get("NAME"))
    assert.strictEqual(failed._tag, "NetworkError")
    yield* secrets.refresh()
    assert.strictEqual((yield* requestCounts)["GET /api/v4/secrets"], 2)
  }).pipe(Effect.provide(InfisicalTest)))
// #endregion faults
