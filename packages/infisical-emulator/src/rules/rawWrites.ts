/** Secrets that the server decrypts and encrypts: writes by `/api/v3/secrets/raw` and `/api/v4/secrets`. */
import type { Crypto, Wire } from "effect-infisical"
import * as Array from "effect/Array"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Answer from "../eras/Answer.js"
import * as Eras from "../eras/eras.js"
import * as EmulatorState from "../state/EmulatorState.js"
import * as Identifier from "../support/identifier.js"
import * as Access from "./access.js"
import * as Approvals from "./approvals.js"
import { decryptorOf } from "./decryption.js"
import { checkNames } from "./names.js"
import { openProject, type Outcome, type Who } from "./rawSecrets.js"
import { shown, viewOf } from "./rawView.js"
import { rewriteReferences } from "./renames.js"
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
  readonly skipMultilineEncoding?: boolean | null | undefined
}

/** What is written of one secret of a batch, all of which are shared. */
export interface BatchItem extends Omit<Payload, keyof Access.Place> {
  readonly secretKey: string
}

/** `POST` of one secret. */
export const create = (who: Who, secretName: string, payload: Payload): Outcome =>
  Effect.flatMap(Ref.get(who.self.state), (state) => {
    const item = { ...payload, ...ignored(Eras.does(state, "postIgnores")), secretKey: secretName }
    return writing(who, {
      action: "create",
      operation: "CreateSecret",
      place: payload,
      items: [item],
      step: insertOne(who, false),
      review: reviewOf(who, "create"),
      answer: (project, found) => single(who, project, found)
    })
  })

/** `PATCH` of one secret. Where the v2 engine keeps it, the answer holds only what the request carried. */
export const update = (who: Who, secretName: string, payload: Payload): Outcome =>
  Effect.gen(function*() {
    const state = yield* Ref.get(who.self.state)
    if (payload.secretReminderRepeatDays === 0 && !Eras.does(state, "storesReminderOfZeroDays")) {
      return yield* Effect.fail(Answer.reminderTooSmall(["secretReminderRepeatDays"]))
    }
    const { environment, path } = Access.placeOf(payload)
    const item = { ...payload, ...ignored(Eras.does(state, "patchIgnores")), secretKey: secretName }
    return yield* writing(who, {
      action: "edit",
      operation: "UpdateSecret",
      place: payload,
      items: [item],
      step: updateOne(who, false),
      keepsSpaces: true,
      review: reviewOf(who, "update", Eras.does(state, "reviewsRenames")),
      answer: (project, found) =>
        Effect.zipRight(
          payload.newSecretName !== undefined && Eras.does(state, "rewritesReferences")
            ? rewriteReferences(who.self, project.id, {
              environment,
              secretPath: path,
              name: secretName.trim(),
              newName: payload.newSecretName
            })
            : Effect.void,
          single(
            who,
            project,
            found,
            project.engine === "v1" ? undefined : {
              value: trimmed(payload.secretValue ?? ""),
              comment: payload.secretComment ?? ""
            }
          )
        )
    })
  })

/** `DELETE` of one secret. */
export const remove = (who: Who, secretName: string, payload: Payload): Outcome =>
  writing(who, {
    action: "delete",
    operation: "DeleteSecret",
    place: payload,
    items: [{ ...payload, secretKey: secretName }],
    step: (state, item) => Secrets.remove(state, who.actor, item.secretKey, item),
    review: reviewOf(who, "delete"),
    answer: (project, found) => single(who, project, found)
  })

/** `POST` of a batch: all of it, or nothing. */
export const createMany = (who: Who, place: Access.Place, items: ReadonlyArray<BatchItem>): Outcome =>
  writing(who, {
    action: "create",
    operation: "CreateManySecret",
    place,
    items: items.map(shared),
    step: insertOne(who, true),
    before: (folder, project) => {
      const there = names(items).filter((name) => isThere(folder, who, name))
      return there.length === 0
        ? Either.void
        : Either.left(project.engine === "v1" ? Answer.secretExists() : Answer.secretExists(...there))
    },
    answer: (project, found) => many(who, project, found)
  })

/** `PATCH` of a batch: all of it, or nothing. */
export const updateMany = (
  who: Who,
  place: Access.Place,
  items: ReadonlyArray<BatchItem>,
  mode: "failOnNotFound" | "upsert" | "ignore" = "failOnNotFound"
): Outcome =>
  Effect.flatMap(Ref.get(who.self.state), (state) => {
    const change = updateOne(who, true)
    const insert = insertOne(who, true)
    const isStrict = mode === "failOnNotFound" || !Eras.does(state, "upserts")
    const withoutIgnored = ignored(Eras.does(state, "batchPatchIgnores"))
    return writing(who, {
      action: "edit",
      operation: "UpdateManySecret",
      place,
      items: items.map((item) => ({ ...shared(item), ...withoutIgnored })),
      prepare: (project, item) =>
        // The v1 engine empties the comments that a batch leaves out.
        project.engine === "v1" ? { ...item, secretComment: item.secretComment ?? "" } : item,
      step: (state, item, sealed, made) =>
        isStrict || !Secrets.isMissing(state, who.actor, item.secretKey, item)
          ? change(state, item, sealed, made)
          : mode === "upsert"
          ? insert(state, item, sealed, made)
          : Either.right(undefined),
      before: (folder, project) => {
        if (!isStrict) return Either.void
        const [missing, present] = Array.partition(names(items), (name) => isThere(folder, who, name))
        if (missing.length === 0 && new Set(present).size === present.length) return Either.void
        return Either.left(
          project.engine === "v1"
            ? Answer.blindIndexNotFound(...missing)
            : Answer.secretsToUpdateNotFound({ missing, present: Array.dedupe(present), path: folder.path })
        )
      },
      answer: (project, found) => many(who, project, found)
    })
  })

/** `DELETE` of a batch: all of it, or nothing. */
export const removeMany = (who: Who, place: Access.Place, items: ReadonlyArray<BatchItem>): Outcome =>
  writing(who, {
    action: "delete",
    operation: "DeleteManySecret",
    place,
    items: items.map(shared),
    step: (state, item) => Secrets.remove(state, who.actor, item.secretKey, item, { isInBatch: true }),
    before: (folder, project) => {
      const wanted = names(items)
      const rows = folder.secrets.filter(({ name, row }) => row.type === "shared" && wanted.includes(name))
      const missing = wanted.filter((name) => !isThere(folder, who, name))
      if (project.engine === "v1") {
        return missing.length === 0 && new Set(wanted).size === wanted.length
          ? Either.void
          : Either.left(Answer.blindIndexNotFound(...missing))
      }
      return rows.length === wanted.length
        ? Either.void
        : Either.left(Answer.secretsToDeleteNotFound({ missing, present: rows.map(({ name }) => name) }))
    },
    answer: (project, found) => many(who, project, found)
  })

const names = (items: ReadonlyArray<BatchItem>): ReadonlyArray<string> => items.map(({ secretKey }) => secretKey)

const isThere = (folder: EmulatorState.Folder, { actor }: Who, name: string): boolean =>
  Option.isSome(Secrets.findIn(folder, name, "shared", actor))

const shared = (item: BatchItem): BatchItem => ({ ...item, type: "shared" })

/** Takes away what the era ignores. */
const ignored = (
  fields: ReadonlyArray<"newSecretName" | "secretComment" | "reminder" | "skipMultilineEncoding">
): Partial<BatchItem> =>
  Object.fromEntries(
    fields.flatMap((field) =>
      field === "reminder"
        ? [["secretReminderNote", undefined], ["secretReminderRepeatDays", undefined]]
        : [[field, undefined]]
    )
  )

type Step = (
  state: EmulatorState.State,
  item: BatchItem & Access.Place,
  sealed: Partial<EmulatorState.EncryptedFields>,
  made: { readonly id: string; readonly time: string }
) => Either.Either<Secrets.Written | undefined, Answer.Answer>

const insertOne = ({ actor }: Who, isInBatch: boolean): Step => (state, item, sealed, made) => {
  // The v1 engine begins to count the versions of a batch at 0.
  const isV1 = Option.exists(EmulatorState.findProject(state, item.workspaceId.trim()), ({ engine }) => engine === "v1")
  return Secrets.insert(
    state,
    actor,
    item.secretKey,
    item,
    { ...nothingSealed, ...sealed },
    detailsOf(state, item),
    { ...made, version: isInBatch && isV1 ? 0 : 1 },
    { isInBatch }
  )
}

const updateOne = ({ actor }: Who, isInBatch: boolean): Step => (state, item, sealed, { time }) => {
  const target = { ...item, newName: item.newSecretName }
  return Secrets.update(state, actor, item.secretKey, target, sealed, detailsOf(state, item), time, { isInBatch })
}

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

const detailsOf = (state: EmulatorState.State, item: BatchItem): Secrets.Details => ({
  tagIds: item.tagIds,
  metadata: item.secretMetadata === undefined || !Eras.does(state, "hasMetadata")
    ? undefined
    : Object.fromEntries(item.secretMetadata.map(({ key, value }) => [key, value])),
  secretReminderNote: item.secretReminderNote,
  secretReminderRepeatDays: item.secretReminderRepeatDays,
  skipMultilineEncoding: item.skipMultilineEncoding
})

interface Writing {
  readonly action: Answer.Action
  readonly operation: Answer.Operation
  readonly place: Access.Place
  readonly items: ReadonlyArray<BatchItem>
  readonly step: Step
  /** What of an item depends on the project. */
  readonly prepare?: (project: EmulatorState.Project, item: BatchItem) => BatchItem
  /** Whether the v2 engine does not trim comments. */
  readonly keepsSpaces?: boolean
  /** What is seen of all items before the first is written. */
  readonly before?: (folder: EmulatorState.Folder, project: EmulatorState.Project) => Access.Refusable<void>
  /** What is seen of an item that awaits approval, in the words of the approvals. */
  readonly review?: (folder: EmulatorState.Folder, item: BatchItem) => Access.Refusable<void>
  readonly answer: (project: EmulatorState.Project, found: ReadonlyArray<Secrets.Found>) => Outcome
}

/** What was written, or the answer where it awaits approval. */
type Done = { readonly found: ReadonlyArray<Secrets.Found> } | { readonly awaits: Answer.Answer }

/** Takes every step or none, and answers with what was written. */
const writing = ({ actor, self }: Who, writing: Writing): Outcome =>
  Effect.gen(function*() {
    const { action, answer, items, operation, place, prepare = (_, item) => item, step } = writing
    if (items.length === 0) return yield* Effect.fail(Answer.batchEmpty())
    const state = yield* Ref.get(self.state)
    if (Eras.does(state, "checksNames")) yield* checkNames(writing)
    const project = yield* openProject(state, actor, place.workspaceId)
    const cipher = yield* EmulatorState.cipherOf(project.key)
    const prepared = yield* Effect.forEach(items.map((item) => prepare(project, item)), (item) =>
      Effect.gen(function*() {
        const { newSecretName, secretComment, secretKey, secretValue } = item
        const sealed = yield* EmulatorState.encrypt(
          cipher,
          (newSecretName ?? secretKey).trim(),
          trimmed(secretValue ?? ""),
          writing.keepsSpaces === true && project.engine === "v2" ? secretComment : secretComment?.trim()
        )
        const made = { id: yield* Identifier.uuid, time: yield* Identifier.now }
        return { item: { ...place, ...item }, sealed: carried(item, sealed), made }
      }))
    const approval = yield* Approvals.prepare
    const written = yield* EmulatorState.change(self, (state) =>
      Either.gen(function*() {
        const { environment, path, projectId } = Access.placeOf(place)
        const project = yield* Access.findProject(state, actor, projectId)
        const opened = yield* Access.openFolder(state, project, actor, action, environment, path)
        const folder = yield* Access.existing(opened, environment, path, operation)
        const isReviewed = items.every(({ type }) => Approvals.cover(state, actor, { ...place, type }))
        if (isReviewed) { for (const item of items) yield* writing.review?.(folder, item) ?? Either.void }
        yield* writing.before?.(folder, project) ?? Either.void
        const found: Array<Secrets.Found> = []
        let next = state
        for (const { item, made, sealed } of prepared) {
          const written = yield* step(next, item, sealed, made)
          if (written === undefined) continue
          found.push(written.found)
          next = written.state
        }
        const outcome: readonly [Done, EmulatorState.State] = isReviewed
          ? [{ awaits: approval(actor, folder) }, state]
          : [{ found }, next]
        return outcome
      }))
    return "awaits" in written ? written.awaits : yield* answer(project, written.found)
  })

/** What approvals say of a secret that is there, or is not. */
const reviewOf =
  (who: Who, action: "create" | "update" | "delete", canRename = true) =>
  (folder: EmulatorState.Folder, { newSecretName, secretKey }: BatchItem): Access.Refusable<void> => {
    const found = isThere(folder, who, secretKey)
    if (action === "create") return found ? Either.left(Answer.secretExists(secretKey)) : Either.void
    if (!found) return Either.left(Answer.secretToReviewNotFound([]))
    return newSecretName === undefined || canRename
      ? Either.void
      : Either.left(Answer.renameToReviewRefused(newSecretName))
  }

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

interface Echo {
  readonly value: string
  readonly comment: string
}

const single = (
  who: Who,
  project: EmulatorState.Project,
  [found]: ReadonlyArray<Secrets.Found>,
  echo?: Echo
): Outcome =>
  found === undefined
    ? Effect.fail(Answer.secretNotFound(""))
    : Effect.map(showWritten(who, project, found, echo), (secret) => Answer.ok({ secret }))

const many = (who: Who, project: EmulatorState.Project, found: ReadonlyArray<Secrets.Found>): Outcome =>
  Effect.map(
    Effect.forEach(found, (one) => showWritten(who, project, one)),
    (secrets) => Answer.ok({ secrets })
  )

const showWritten = (
  { actor, self, version }: Who,
  project: EmulatorState.Project,
  found: Secrets.Found,
  echo?: Echo
): Effect.Effect<Readonly<Record<string, unknown>>, never, Crypto.Crypto> =>
  Effect.gen(function*() {
    const state = yield* Ref.get(self.state)
    const plain = echo ?? (yield* Effect.flatMap(decryptorOf(project), (decrypt) => decrypt(found.secret)))
    return shown(found, plain, viewOf(state, actor, version, undefined), "written")
  })
