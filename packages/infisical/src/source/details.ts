/** What belongs to a secret beside its value, from the wire and to it. */
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type { DecryptedSecret } from "../api/wire/decryptedSecrets.js"
import { type Details, noDetails, type Reminder } from "../model/Secret.js"

type OnTheWire = Pick<
  DecryptedSecret,
  "tags" | "secretMetadata" | "secretReminderNote" | "secretReminderRepeatDays"
>

const hasNone = ({ secretMetadata, secretReminderRepeatDays, tags }: OnTheWire): boolean =>
  (tags ?? []).length === 0 && (secretMetadata ?? []).length === 0 && !secretReminderRepeatDays

export const make = (secret: OnTheWire): Details => {
  // Most have none, and of those there is but one.
  if (hasNone(secret)) return noDetails
  const metadata: Record<string, string> = {}
  const encryptedMetadata: Record<string, Redacted.Redacted<string>> = {}
  for (const { isEncrypted, key, value } of secret.secretMetadata ?? []) {
    if (isEncrypted === true) encryptedMetadata[key] = Redacted.make(value ?? "")
    else metadata[key] = value ?? ""
  }
  return {
    tags: (secret.tags ?? []).map(({ id, name, slug }) => ({ id, slug, name: name ?? slug })),
    metadata,
    encryptedMetadata,
    reminder: Option.map(
      Option.filter(Option.fromNullable(secret.secretReminderRepeatDays), (days) => days > 0),
      (repeatDays) => ({ repeatDays, note: secret.secretReminderNote ?? "" })
    )
  }
}

/** Whether it can be told without more ado that nothing of this changed. */
export const areSame = (details: Details, secret: OnTheWire): boolean => details === noDetails && hasNone(secret)

export const reminderFields = (reminder: Reminder | null | undefined) =>
  reminder === undefined
    ? {}
    : { secretReminderNote: reminder?.note ?? null, secretReminderRepeatDays: reminder?.repeatDays ?? null }
