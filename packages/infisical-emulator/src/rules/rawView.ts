/** How the server writes a secret that it decrypted. */
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import type * as EmulatorState from "../state/EmulatorState.js"
import type { Actor } from "./authentication.js"
import type { PlainText } from "./decryption.js"
import type { Version } from "./rawSecrets.js"
import * as Secrets from "./secrets.js"

/** Where a secret is that was imported. */
export const folderOf = ({ project, secret }: Secrets.Found): string =>
  Option.match(HashMap.findFirst(project.folders, ({ id }) => id === secret.row.folderId), {
    onNone: () => "/",
    onSome: ([, { path }]) => path
  })

interface View {
  readonly hidden: boolean
  readonly version: Version
  readonly era: EmulatorState.State["era"]
}

export const viewOf = (
  { era }: EmulatorState.State,
  actor: Actor,
  version: Version,
  viewSecretValue: string | undefined
): View => ({
  era,
  version,
  hidden: era === "current" &&
    (viewSecretValue === "false" || (actor._tag === "Identity" && actor.identity.hidesValues))
})

export const shown = (
  found: Secrets.Found,
  plain: PlainText,
  { era, hidden, version }: View,
  extra: { readonly tags: boolean; readonly path: boolean }
) => {
  const { environment, project, secret } = found
  const secretPath = found.secretPath ?? (version === "v4" ? folderOf(found) : undefined)
  return {
    id: secret.row.id,
    _id: secret.row.id,
    workspace: project.id,
    environment,
    version: secret.row.version,
    type: secret.row.type,
    secretKey: secret.name,
    secretValue: hidden ? "<hidden-by-infisical>" : plain.value,
    secretComment: plain.comment,
    ...(extra.path && secretPath !== undefined && { secretPath }),
    ...((extra.tags || era === "current") && { tags: Secrets.tagsOf(project, secret) }),
    ...(era === "current" && {
      secretValueHidden: hidden,
      secretMetadata: Object.entries(secret.metadata).map(([key, value]) => ({ key, value, isEncrypted: false })),
      secretReminderNote: secret.row.secretReminderNote,
      secretReminderRepeatDays: secret.row.secretReminderRepeatDays,
      skipMultilineEncoding: secret.row.skipMultilineEncoding,
      createdAt: secret.row.createdAt,
      updatedAt: secret.row.updatedAt
    })
  }
}
