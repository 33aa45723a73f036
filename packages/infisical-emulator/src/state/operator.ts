/**
 * Changes by the server's operator, behind the clients' backs.
 *
 * @since 0.1.0
 */
import type { Crypto } from "effect-infisical"
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Identifier from "../support/identifier.js"
import * as World from "../world/World.js"
import { findFolder, makeFolders, putFolder, withFolder } from "./folders.js"
import { cipherOf, encrypt, newRow, nextVersion, putSecret, removeSecrets } from "./secrets.js"
import type { Service } from "./service.js"

/**
 * Writes a shared secret in plain text, as its owner would: makes the folder where it is missing, and counts the
 * version up where there is such a secret.
 *
 * @since 0.1.0
 * @category combinators
 */
export const writePlain = (
  self: Service,
  options: {
    readonly projectId: string
    readonly environment: string
    readonly secretPath: string
    readonly name: string
    readonly value: string
    readonly comment: string | undefined
  }
): Effect.Effect<void, never, Crypto.Crypto> =>
  Effect.gen(function*() {
    const project = HashMap.get((yield* Ref.get(self.state)).projects, options.projectId)
    if (Option.isNone(project)) return
    const cipher = yield* cipherOf(project.value.key)
    const encrypted = yield* encrypt(cipher, options.name, options.value, options.comment)
    const time = yield* Identifier.now
    const folders = yield* makeFolders([[options.secretPath, World.Folder.make({})]], options.environment)
    const id = yield* Identifier.uuid
    yield* Ref.update(self.state, (state) => {
      const current = HashMap.get(state.projects, options.projectId)
      if (Option.isNone(current)) return state
      const grown = folders.reduce(
        (project, folder) =>
          Option.isSome(findFolder(project, folder.environment, folder.path)) ? project : withFolder(project, folder),
        current.value
      )
      const folder = findFolder(grown, options.environment, options.secretPath)
      if (Option.isNone(folder)) return state
      const existing = folder.value.secrets.find(({ name, row }) => name === options.name && row.type === "shared")
      const secret = existing === undefined
        ? {
          name: options.name,
          row: newRow(encrypted, { id, folderId: folder.value.id, time }),
          tagIds: [],
          metadata: {},
          earlier: []
        }
        : nextVersion(existing, options.name, encrypted, time)
      return putFolder(state, grown, putSecret(folder.value, secret))
    })
  })

/**
 * Removes a secret with what overrides it, if there is one.
 *
 * @since 0.1.0
 * @category combinators
 */
export const removePlain = (
  self: Service,
  options: {
    readonly projectId: string
    readonly environment: string
    readonly secretPath: string
    readonly name: string
  }
): Effect.Effect<void> =>
  Ref.update(self.state, (state) =>
    Option.match(
      Option.flatMap(
        HashMap.get(state.projects, options.projectId),
        (project) =>
          Option.map(
            findFolder(project, options.environment, options.secretPath),
            (folder) => putFolder(state, project, removeSecrets(folder, ({ name }) => name === options.name))
          )
      ),
      { onNone: () => state, onSome: (next) => next }
    ))

/**
 * Forgets the service token of this name, if there is one.
 *
 * @since 0.1.0
 * @category combinators
 */
export const revoke = (self: Service, tokenName: string): Effect.Effect<void> =>
  Ref.update(self.state, (state) => ({
    ...state,
    serviceTokens: HashMap.filter(state.serviceTokens, ({ name }) => name !== tokenName)
  }))

/**
 * Deletes every access token of an identity.
 *
 * @since 0.1.0
 * @category combinators
 */
export const revokeAccessTokens = (self: Service, identityId: string): Effect.Effect<void> =>
  Ref.update(self.state, (state) => ({
    ...state,
    accessTokens: state.accessTokens.filter((token) => token.identityId !== identityId)
  }))
