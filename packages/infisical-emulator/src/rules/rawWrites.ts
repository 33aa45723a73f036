/** Secrets that the server decrypts and encrypts: writes by `/api/v3/secrets/raw` and `/api/v4/secrets`. */
import type { Wire } from "effect-infisical"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Ref from "effect/Ref"
import * as Answer from "../eras/Answer.js"
import * as EmulatorState from "../state/EmulatorState.js"
import * as Identifier from "../support/identifier.js"
import type * as Access from "./access.js"
import * as Approvals from "./approvals.js"
import { decryptorOf } from "./decryption.js"
import { openProject, type Outcome, type Who } from "./rawSecrets.js"
import { shown, viewOf } from "./rawView.js"
import * as Secrets from "./secrets.js"

/** What is written of a secret. */
export interface Payload extends Access.Place {
  readonly type?: Wire.SecretType | undefined
  readonly secretValue?: string | undefined
  readonly secretComment?: string | undefined
  readonly newSecretName?: string | undefined
  readonly tagIds?: ReadonlyArray<string> | undefined
  readonly secretMetadata?: ReadonlyArray<{ readonly key: string; readonly value: string }> | undefined
  readonly secretReminderNote?: string | null | undefined
  readonly secretReminderRepeatDays?: number | null | undefined
}

/** What is written of one secret of a batch. */
export interface BatchItem extends Omit<Payload, keyof Access.Place> {
  readonly secretKey: string
}

/** `POST` of one secret. */
export const create = (who: Who, secretName: string, payload: Payload): Outcome =>
  writing(who, payload, [{ ...payload, secretKey: secretName }], insertOne(who, 1), single(who))

/** `PATCH` of one secret. */
export const update = (who: Who, secretName: string, payload: Payload): Outcome =>
  writing(who, payload, [{ ...payload, secretKey: secretName }], alterOne(who), single(who))

/** `DELETE` of one secret. */
export const remove = (who: Who, secretName: string, payload: Payload): Outcome =>
  writing(who, payload, [{ ...payload, secretKey: secretName }], takeOne(who), single(who))

/** `POST` of a batch: all of it, or nothing. */
export const createMany = (who: Who, place: Access.Place, items: ReadonlyArray<BatchItem>): Outcome =>
  writing(who, place, items, insertOne(who, who.version === "v3" ? 0 : 1), many(who))

/** `PATCH` of a batch: all of it, or nothing. */
export const updateMany = (
  who: Who,
  place: Access.Place,
  items: ReadonlyArray<BatchItem>,
  mode: "failOnNotFound" | "upsert" | "ignore" = "failOnNotFound"
): Outcome => {
  const alter = alterOne(who)
  const insert = insertOne(who, 1)
  const change: Step = (state, item, sealed, made) => {
    if (mode === "failOnNotFound" || !Secrets.isMissing(state, who.actor, item.secretKey, item)) {
      return alter(state, item, sealed, made)
    }
    return mode === "upsert" ? insert(state, item, sealed, made) : Either.right(undefined)
  }
  return Effect.flatMap(Ref.get(who.self.state), ({ era }) => {
    // Servers of 2024-07 empty the comments that a batch leaves out.
    const changed = era === "2024-07"
      ? items.map((item) => ({ ...item, secretComment: item.secretComment ?? "" }))
      : items
    return writing(who, place, changed, change, many(who))
  })
}

/** `DELETE` of a batch: all of it, or nothing. */
export const removeMany = (who: Who, place: Access.Place, items: ReadonlyArray<BatchItem>): Outcome =>
  writing(who, place, items, takeOne(who), many(who))

type Step = (
  state: EmulatorState.State,
  item: BatchItem & Access.Place,
  sealed: Partial<EmulatorState.EncryptedFields>,
  made: { readonly id: string; readonly time: string }
) => Either.Either<Secrets.Written | undefined, Answer.Answer>

const insertOne = ({ actor }: Who, version: number): Step => (state, item, sealed, made) =>
  Secrets.insert(
    state,
    actor,
    item.secretKey,
    item,
    { ...nothingSealed, ...sealed },
    detailsOf(item),
    { ...made, version }
  )

const alterOne = ({ actor }: Who): Step => (state, item, sealed, { time }) => {
  const { newSecretName } = item
  return Secrets.alter(state, actor, item.secretKey, { ...item, newName: newSecretName }, sealed, detailsOf(item), time)
}

const takeOne = ({ actor }: Who): Step => (state, item) => Secrets.take(state, actor, item.secretKey, item)

const nothingSealed = {
  secretKeyCiphertext: "",
  secretKeyIV: "",
  secretKeyTag: "",
  secretValueCiphertext: "",
  secretValueIV: "",
  secretValueTag: "",
  secretCommentCiphertext: null,
  secretCommentIV: null,
  secretCommentTag: null
}

const detailsOf = (item: BatchItem): Secrets.Details => ({
  tagIds: item.tagIds,
  metadata: item.secretMetadata === undefined
    ? undefined
    : Object.fromEntries(item.secretMetadata.map(({ key, value }) => [key, value])),
  secretReminderNote: item.secretReminderNote,
  secretReminderRepeatDays: item.secretReminderRepeatDays
})

/** Takes every step or none, and answers with what was written. */
const writing = (
  { actor, self }: Who,
  place: Access.Place,
  items: ReadonlyArray<BatchItem>,
  step: Step,
  answer: (project: EmulatorState.Project, found: ReadonlyArray<Secrets.Found>) => Outcome
): Outcome =>
  Effect.gen(function*() {
    if (items.length === 0) return yield* Effect.fail(Answer.batchEmpty())
    const project = yield* openProject(yield* Ref.get(self.state), actor, place.workspaceId)
    const cipher = yield* EmulatorState.cipherOf(project.key)
    const prepared = yield* Effect.forEach(items, (item) =>
      Effect.gen(function*() {
        const { newSecretName, secretComment, secretKey, secretValue } = item
        const sealed = yield* EmulatorState.encrypt(
          cipher,
          (newSecretName ?? secretKey).trim(),
          trimmed(secretValue ?? ""),
          secretComment?.trim()
        )
        const made = { id: yield* Identifier.uuid, time: yield* Identifier.now }
        return { item: { ...place, ...item }, sealed: carried(item, sealed), made }
      }))
    const found = yield* EmulatorState.change(self, (state) =>
      Either.gen(function*() {
        const found: Array<Secrets.Found> = []
        let next = state
        for (const { item, made, sealed } of prepared) {
          const written = yield* step(next, item, sealed, made)
          if (written === undefined) continue
          found.push(written.found)
          next = written.state
        }
        return Approvals.cover(state, place) ? [undefined, state] as const : [found, next] as const
      }))
    return found === undefined
      ? Answer.approvalRequired({ id: yield* Identifier.uuid, slug: yield* Identifier.hexadecimal(2) })
      : yield* answer(project, found)
  })

// The server trims, and keeps one newline at the end.
const trimmed = (value: string): string => `${value.trim()}${value.endsWith("\n") ? "\n" : ""}`

/** Of what was encrypted, what the request carries: the rest stays as it is. */
const carried = (
  { newSecretName, secretComment, secretValue }: BatchItem,
  sealed: EmulatorState.EncryptedFields
): Partial<EmulatorState.EncryptedFields> => {
  const { secretKeyCiphertext, secretKeyIV, secretKeyTag } = sealed
  const { secretValueCiphertext, secretValueIV, secretValueTag } = sealed
  const { secretCommentCiphertext, secretCommentIV, secretCommentTag } = sealed
  return {
    ...(newSecretName !== undefined || secretValue !== undefined
      ? { secretKeyCiphertext, secretKeyIV, secretKeyTag }
      : {}),
    ...(secretValue !== undefined ? { secretValueCiphertext, secretValueIV, secretValueTag } : {}),
    ...(secretComment !== undefined ? { secretCommentCiphertext, secretCommentIV, secretCommentTag } : {})
  }
}

const single = (who: Who) => (project: EmulatorState.Project, [found]: ReadonlyArray<Secrets.Found>): Outcome =>
  found === undefined
    ? Effect.fail(Answer.secretNotFound(""))
    : Effect.map(showWritten(who, project, found), (secret) => Answer.ok({ secret }))

const many = (who: Who) => (project: EmulatorState.Project, found: ReadonlyArray<Secrets.Found>): Outcome =>
  Effect.map(
    Effect.forEach(found, (one) => showWritten(who, project, one)),
    (secrets) => Answer.ok({ secrets })
  )

const showWritten = ({ actor, self, version }: Who, project: EmulatorState.Project, found: Secrets.Found) =>
  Effect.gen(function*() {
    const state = yield* Ref.get(self.state)
    const plain = yield* Effect.flatMap(decryptorOf(project), (decrypt) => decrypt(found.secret))
    return shown(found, plain, viewOf(state, actor, version, undefined), {
      tags: version === "v4",
      path: version === "v4"
    })
  })
