import { Effect } from "effect"
import { Emulator } from "effect-infisical-emulator"

export const program = Effect.gen(function*() {
  const { faults } = yield* Emulator.Emulator
  yield* faults.add({ fault: { _tag: "Respond", status: 503 }, route: "/api/v3/secrets", times: 2 })
  yield* faults.add({ fault: { _tag: "Delay", duration: "3 seconds" }, method: "POST", share: 0.1 })
  yield* faults.clear
})
