/** Where writes are only recorded until somebody approves them. */
import type * as EmulatorState from "../state/EmulatorState.js"
import * as Glob from "../support/glob.js"
import * as Access from "./access.js"

/** Whether a policy covers the place of a write. */
export const cover = (state: EmulatorState.State, place: Access.Place): boolean => {
  const { environment, path, projectId } = Access.placeOf(place)
  return state.approvalPolicies.some((policy) =>
    (policy.project === undefined || policy.project === projectId) && policy.environment === environment &&
    Glob.matches(policy.secretPath, path)
  )
}
