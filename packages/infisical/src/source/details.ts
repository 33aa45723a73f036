/** The details of a secret, from the wire and to the wire. */
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
  // Most secrets have no details and share one object.
  if (hasNone(secret)) return noDetails
  const metadata = secret.secretMetadata ?? []
  return {
    tags: (secret.tags ?? []).map(({ id, name, slug }) => ({ id, slug, name: name ?? slug })),
    // `Object.fromEntries` takes `__proto__` for a key as any other. An assignment would set the prototype.
    metadata: Object.fromEntries(
      metadata.flatMap(({ isEncrypted, key, value }) => isEncrypted === true ? [] : [[key, value ?? ""]])
    ),
    encryptedMetadata: Object.fromEntries(
      metadata.flatMap(({ isEncrypted, key, value }) => isEncrypted === true ? [[key, Redacted.make(value ?? "")]] : [])
    ),
    reminder: Option.map(
      Option.filter(Option.fromNullable(secret.secretReminderRepeatDays), (days) => days > 0),
      (repeatDays) => ({ repeatDays, note: secret.secretReminderNote ?? "" })
    )
  }
}

/** Whether the details are known to be the same without comparing them: there are none. */
export const areSame = (details: Details, secret: OnTheWire): boolean => details === noDetails && hasNone(secret)

export const reminderFields = (reminder: Reminder | null | undefined) =>
  reminder === undefined
    ? {}
    : { secretReminderNote: reminder?.note ?? null, secretReminderRepeatDays: reminder?.repeatDays ?? null }
