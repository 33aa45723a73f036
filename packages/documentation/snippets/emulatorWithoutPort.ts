import { Effect, Layer } from "effect"
import { Credential, Infisical } from "effect-infisical"
import { Emulator } from "effect-infisical-emulator"

export const InfisicalTest = Layer.unwrapEffect(
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
