/** Where writes are only recorded until somebody approves them. */
import type * as EmulatorState from "../EmulatorState.js"
import * as Glob from "./glob.js"
import * as Secrets from "./secrets.js"

/** Whether a policy covers the place of a write. */
export const cover = (state: EmulatorState.State, place: Secrets.Place): boolean => {
  const { environment, path, projectId } = Secrets.placeOf(place)
  return state.approvalPolicies.some((policy) =>
    (policy.project === undefined || policy.project === projectId) && policy.environment === environment &&
    Glob.matches(policy.secretPath, path)
  )
}
