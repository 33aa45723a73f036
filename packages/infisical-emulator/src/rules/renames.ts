/** What a rename changes elsewhere, on servers that do so: values that refer to the secret refer to it by its new name. */
import type { Crypto } from "effect-infisical"
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as EmulatorState from "../state/EmulatorState.js"
import * as Identifier from "../support/identifier.js"
import { decryptorOf } from "./decryption.js"
import * as References from "./references.js"

/** A secret whose value refers to the renamed one, and its next version. */
interface Rewritten {
  readonly folder: EmulatorState.Folder
  readonly secret: EmulatorState.Secret
  readonly next: EmulatorState.Secret
}

/** Writes a new version of each value of the project that refers to the secret: all of them at once. */
export const rewriteReferences = (
  self: EmulatorState.Service,
  projectId: string,
  rename: References.Rename
): Effect.Effect<void, never, Crypto.Crypto> =>
  Effect.gen(function*() {
    const found = HashMap.get((yield* Ref.get(self.state)).projects, projectId)
    if (Option.isNone(found)) return
    const project = found.value
    const decrypt = yield* decryptorOf(project)
    const cipher = yield* EmulatorState.cipherOf(project.key)
    const time = yield* Identifier.now
    const all: Array<Rewritten> = []
    for (const folder of HashMap.values(project.folders)) {
      const place = { environment: folder.environment, secretPath: folder.path }
      for (const secret of folder.secrets) {
        const { comment, value } = yield* decrypt(secret)
        const rewritten = References.renamed({ ...place, name: secret.name, value }, rename)
        if (rewritten === value) continue
        const encrypted = yield* EmulatorState.encrypt(cipher, secret.name, rewritten, comment)
        all.push({ folder, secret, next: EmulatorState.nextVersion(secret, secret.name, encrypted, time) })
      }
    }
    yield* Ref.update(self.state, (state) => all.reduce((state, one) => put(state, projectId, one), state))
  })

/** A secret that another request has changed in between stays as that request left it. */
const put = (
  state: EmulatorState.State,
  projectId: string,
  { folder: { environment, path }, next, secret }: Rewritten
): EmulatorState.State =>
  HashMap.get(state.projects, projectId).pipe(
    Option.flatMap((project) =>
      EmulatorState.findFolder(project, environment, path).pipe(
        Option.filter(({ secrets }) => secrets.includes(secret)),
        Option.map((folder) => EmulatorState.putFolder(state, project, EmulatorState.putSecret(folder, next)))
      )
    ),
    Option.getOrElse(() => state)
  )
