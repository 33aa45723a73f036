import { it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { Credential, Infisical, Secrets } from "effect-infisical"
import { Emulator } from "effect-infisical-emulator"

// #region layer
const InfisicalTest = Layer.unwrapEffect(
  Effect.gen(function*() {
    const emulator = yield* Emulator.Emulator
    const { clientId, clientSecret } = yield* emulator.universalAuth()
    return Infisical.layer({
      credential: Credential.universalAuth({ clientId, clientSecret }),
      projectId: yield* emulator.projectId()
    })
  })
).pipe(
  Layer.provide(Emulator.layerHttpClient),
  Layer.provideMerge(Emulator.layer({ secrets: { NAME: "value" }, identities: { main: {} } }))
)
// #endregion layer

it.effect("reads without a socket", () =>
  Effect.flatMap(Secrets.Secrets, (secrets) => secrets.get("NAME")).pipe(Effect.provide(InfisicalTest)))
