/** What a service token may know of itself. */
import * as Option from "effect/Option"
import * as Answer from "../eras/Answer.js"
import type * as EmulatorState from "../state/EmulatorState.js"
import * as Identifier from "../support/identifier.js"
import type { Actor } from "./authentication.js"

/** `GET /api/v2/service-token` */
export const get = (state: EmulatorState.State, actor: Actor, url: string): Answer.Answer => {
  if (actor._tag !== "ServiceToken" || actor.token.projectKey.version !== "v2") return Answer.tokenOfAnotherKind(url)
  const { owner } = state
  const { token } = actor
  const { sealed } = actor.token.projectKey
  const ownerSince = Identifier.timestamp(owner.createdAt)
  return Answer.ok({
    id: token.id,
    name: token.name,
    scopes: token.scopes.map(({ environment, secretPath }) => ({ secretPath, environment })),
    permissions: token.permissions,
    lastUsed: Identifier.timestamp(token.lastUsed),
    expiresAt: Option.getOrNull(Option.map(token.expiresAt, Identifier.timestamp)),
    // The server shows a bcrypt hash here, which no client has a use for.
    secretHash: `$2b$10$${"x".repeat(53)}`,
    encryptedKey: sealed.ciphertext,
    iv: sealed.iv,
    tag: sealed.tag,
    createdAt: Identifier.timestamp(token.createdAt),
    updatedAt: Identifier.timestamp(token.lastUsed),
    createdBy: owner.id,
    projectId: token.projectId,
    workspace: token.projectId,
    user: {
      authMethods: ["email"],
      id: owner.id,
      createdAt: ownerSince,
      updatedAt: ownerSince,
      devices: null,
      email: owner.email,
      firstName: "",
      lastName: "",
      mfaMethods: null,
      __v: 0,
      _id: owner.id
    },
    _id: token.id,
    __v: 0
  })
}

/** `GET /api/v3/service-token/me/key` */
export const getKey = (actor: Actor, url: string): Answer.Answer => {
  if (actor._tag !== "ServiceTokenV3" || actor.token.projectKey.version !== "v3") return Answer.tokenOfAnotherKind(url)
  const { box, publicKey } = actor.token.projectKey
  return Answer.ok({
    key: {
      id: actor.token.id,
      workspace: actor.token.projectId,
      encryptedKey: box.ciphertext,
      publicKey,
      nonce: box.nonce
    }
  })
}
