/** How the server writes a secret that it decrypted. */
import * as Either from "effect/Either"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Answer from "../eras/Answer.js"
import * as Eras from "../eras/eras.js"
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
  hidden: Eras.does({ era }, "hidesValues") &&
    (viewSecretValue === "false" || (actor._tag === "Identity" && actor.identity.hidesValues))
})

/** Refuses values to an identity that may only see that secrets are there. */
export const admit = ({ era }: EmulatorState.State, actor: Actor, viewSecretValue: string | undefined) =>
  Eras.does({ era }, "hidesValues") && viewSecretValue !== "false" && actor._tag === "Identity" &&
    actor.identity.hidesValues
    ? Either.left(Answer.permissionDenied("read"))
    : Either.void

/** The fields that the era has there. */
export const shown = (
  found: Secrets.Found,
  plain: PlainText,
  { era, hidden, version }: View,
  where: Eras.Shown,
  tags: ReadonlyArray<EmulatorState.Tag> = Secrets.tagsOf(found.project, found.secret)
): Readonly<Record<string, unknown>> => {
  const { environment, project, secret } = found
  const { row } = secret
  const isOfProject = where !== "imported" || Eras.does({ era }, "namesProjectOfImported")
  const all: Readonly<Record<string, unknown>> = {
    id: row.id,
    _id: row.id,
    workspace: isOfProject ? project.id : "",
    environment,
    version: row.version,
    type: row.type,
    secretKey: secret.name,
    secretValue: hidden ? "<hidden-by-infisical>" : plain.value,
    secretComment: plain.comment,
    secretReminderNote: row.secretReminderNote,
    secretReminderRepeatDays: row.secretReminderRepeatDays,
    skipMultilineEncoding: row.skipMultilineEncoding,
    metadata: null,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
    secretPath: found.secretPath ?? folderOf(found),
    tags,
    secretValueHidden: hidden,
    secretMetadata: Object.entries(secret.metadata).map(([key, value]) => ({ key, value, isEncrypted: false }))
  }
  const fields = version === "v4" ? Eras.v4Fields[where] : Eras.rawFields[where][era]
  return Object.fromEntries(fields.map((field) => [field, all[field]]))
}
