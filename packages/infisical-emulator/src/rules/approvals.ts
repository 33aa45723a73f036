/** Where writes are only recorded until they are approved. */
import type { Wire } from "effect-infisical"
import * as Effect from "effect/Effect"
import * as Answer from "../eras/Answer.js"
import * as Eras from "../eras/eras.js"
import type * as EmulatorState from "../state/EmulatorState.js"
import * as Glob from "../support/glob.js"
import * as Identifier from "../support/identifier.js"
import * as Access from "./access.js"
import type { Actor } from "./authentication.js"

/** Whether a policy covers the place of a write, and binds its actor. */
export const cover = (
  state: EmulatorState.State,
  actor: Actor,
  { type, ...place }: Access.Place & { readonly type?: Wire.SecretType | undefined }
): boolean => {
  const { environment, path, projectId } = Access.placeOf(place)
  return (type !== "personal" || Eras.does(state, "reviewsPersonalSecrets")) &&
    state.approvalPolicies.some((policy) =>
      (policy.project === undefined || policy.project === projectId) && policy.environment === environment &&
      Glob.matches(policy.secretPath, path) && (policy.binds === "everyone" || actor._tag === "User")
    )
}

/** What a write is answered with that awaits approval. */
export const prepare: Effect.Effect<(actor: Actor, folder: EmulatorState.Folder) => Answer.Answer> = Effect.map(
  Effect.all({
    id: Identifier.uuid,
    policyId: Identifier.uuid,
    slug: Identifier.hexadecimal(2),
    time: Identifier.now
  }),
  (made) => (actor, folder) =>
    Answer.approvalRequired({
      ...made,
      folderId: folder.id,
      committerUserId: actor._tag === "User"
        ? actor.user.id
        : actor._tag === "Identity"
        ? actor.identity.id
        : actor.token.id
    })
)
