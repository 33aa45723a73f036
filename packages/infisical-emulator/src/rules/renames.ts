/** What a rename changes elsewhere, on servers that do so: values that refer to the secret refer to it by its new name. */
import type { Crypto } from "effect-infisical"
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as Ref from "effect/Ref"
import * as EmulatorState from "../state/EmulatorState.js"
import * as Identifier from "../support/identifier.js"
import { decryptorOf } from "./decryption.js"
import * as References from "./references.js"

/** A secret by its old name, and its new one. */
export interface Rename {
  readonly environment: string
  readonly secretPath: string
  readonly name: string
  readonly newName: string
}

/** Writes a new version of each value of the project that refers to the secret. */
export const rewriteReferences = (
  self: EmulatorState.Service,
  project: EmulatorState.Project,
  rename: Rename
): Effect.Effect<void, never, Crypto.Crypto> =>
  Effect.gen(function*() {
    const decrypt = yield* decryptorOf(project)
    const cipher = yield* EmulatorState.cipherOf(project.key)
    const current = HashMap.get((yield* Ref.get(self.state)).projects, project.id)
    if (current._tag === "None") return
    for (const folder of HashMap.values(current.value.folders)) {
      for (const secret of folder.secrets) {
        const { comment, value } = yield* decrypt(secret)
        const place = { environment: folder.environment, secretPath: folder.path, name: secret.name }
        const rewritten = References.renamed({ ...place, value }, rename)
        if (rewritten === value) continue
        const encrypted = yield* EmulatorState.encrypt(cipher, secret.name, rewritten, comment)
        const time = yield* Identifier.now
        const next = EmulatorState.nextVersion(secret, secret.name, encrypted, time)
        yield* Ref.update(self.state, (state) => withSecret(state, project.id, folder, next))
      }
    }
  })

const withSecret = (
  state: EmulatorState.State,
  projectId: string,
  { environment, path }: EmulatorState.Folder,
  secret: EmulatorState.Secret
): EmulatorState.State => {
  const project = HashMap.get(state.projects, projectId)
  if (project._tag === "None") return state
  const folder = EmulatorState.findFolder(project.value, environment, path)
  return folder._tag === "None"
    ? state
    : EmulatorState.putFolder(state, project.value, EmulatorState.putSecret(folder.value, secret))
}
