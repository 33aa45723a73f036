/** Maintenance mode, in which the server refuses whatever is not read. */
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import type * as EmulatorState from "../state/EmulatorState.js"

/** Without these, a client that has to log in first could not read. */
const admitted: ReadonlySet<string> = new Set(["/api/v1/auth/universal-auth/login", "/api/v1/auth/token/renew"])

/** Whether the server refuses a request to this route now. */
export const refuses = (self: EmulatorState.Service, method: string, route: string): Effect.Effect<boolean> =>
  Effect.map(Ref.get(self.maintenance), (on) => on && method !== "GET" && method !== "HEAD" && !admitted.has(route))
