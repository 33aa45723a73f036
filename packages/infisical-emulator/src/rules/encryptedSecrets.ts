/**
 * What the routes of end-to-end encrypted secrets do to the state. Plain functions: callers bring ids and the time.
 */
import type { Wire } from "effect-infisical"
import * as Array from "effect/Array"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Answer from "../eras/Answer.js"
import * as EmulatorState from "../state/EmulatorState.js"
import { existing, findProject, openFolder, type Place, placeOf, type Refusable } from "./access.js"
import type { Actor } from "./authentication.js"
import {
  alter,
  find,
  findIn,
  findOne,
  type GetQuery,
  insert,
  type ListQuery,
  reminderOf,
  tagsOf,
  take,
  toWrite,
  type Written
} from "./secrets.js"

/** A change is answered with the secret it changed. */
type Change = Refusable<readonly [answer: Answer.Answer, state: EmulatorState.State]>

/** `GET /api/v3/secrets` */
export const list = (state: EmulatorState.State, actor: Actor, query: ListQuery): Refusable<Answer.Answer> =>
  Either.map(find(state, actor, query), ({ imports, project, secrets }) =>
    Answer.ok({
      secrets: secrets.map(({ environment, secret, secretPath }) => ({
        ...secret.row,
        _id: secret.row.id,
        workspace: project.id,
        environment,
        secretPath,
        tags: tagsOf(project, secret)
      })),
      ...Option.match(imports, {
        onNone: () => ({}),
        onSome: (entries) => ({
          imports: entries.map(({ secrets, ...entry }) => ({
            secretPath: entry.secretPath,
            environment: entry.environment,
            folderId: entry.folderId,
            secrets: secrets.map(({ environment, secret }) => ({
              ...secret.row,
              _id: secret.row.id,
              workspace: "",
              environment
            }))
          }))
        })
      })
    }))

/** `GET /api/v3/secrets/:secretName` */
export const get = (
  state: EmulatorState.State,
  actor: Actor,
  secretName: string,
  query: GetQuery
): Refusable<Answer.Answer> =>
  Either.map(
    findOne(state, actor, secretName, query, oldest),
    ({ environment, project, secret }) => Answer.ok({ secret: { ...secret.row, workspace: project.id, environment } })
  )

// The server looks for any version of that name, whichever is asked for, and finds the first that was stored.
const oldest = (secret: EmulatorState.Secret, name: string): Option.Option<EmulatorState.Secret> =>
  Option.map(
    Option.fromNullable([...secret.earlier, secret].find((version) => version.name === name)),
    ({ row }) => ({ ...secret, row })
  )

/** `POST /api/v3/secrets/:secretName` */
export const create = (
  state: EmulatorState.State,
  actor: Actor,
  secretName: string,
  payload: typeof Wire.CreateSecretPayload.Type,
  made: { readonly id: string; readonly time: string }
): Change =>
  Either.map(
    insert(
      state,
      actor,
      secretName,
      payload,
      {
        ...payload,
        secretCommentCiphertext: payload.secretCommentCiphertext ?? null,
        secretCommentIV: payload.secretCommentIV ?? null,
        secretCommentTag: payload.secretCommentTag ?? null
      },
      { ...payload, tagIds: payload.tags },
      made
    ),
    changed
  )

/** `PATCH /api/v3/secrets/:secretName` */
export const update = (
  state: EmulatorState.State,
  actor: Actor,
  secretName: string,
  payload: typeof Wire.UpdateSecretPayload.Type,
  time: string
): Change =>
  Either.map(
    alter(
      state,
      actor,
      secretName,
      { ...payload, newName: payload.secretName },
      encryptedFieldsOf(payload),
      { ...payload, tagIds: payload.tags },
      time
    ),
    changed
  )

/** `DELETE /api/v3/secrets/:secretName` */
export const remove = (
  state: EmulatorState.State,
  actor: Actor,
  secretName: string,
  payload: typeof Wire.DeleteSecretPayload.Type
): Change => Either.map(take(state, actor, secretName, payload), changed)

const changed = (
  { found: { environment, project, secret }, state }: Written
): readonly [answer: Answer.Answer, state: EmulatorState.State] => [
  Answer.ok({ secret: { ...secret.row, _id: secret.row.id, workspace: project.id, environment } }),
  state
]

/** What a batch writes of one secret. */
type BatchItem = (typeof Wire.EncryptedBatchPayload.Type)["secrets"][number]

const batched = (secrets: ReadonlyArray<EmulatorState.Secret>): Answer.Answer =>
  Answer.ok({ secrets: secrets.map(({ row }) => row) })

/** `POST /api/v3/secrets/batch`: versions begin at 0, and of a name that is there twice it makes two secrets. */
export const createMany = (
  state: EmulatorState.State,
  actor: Actor,
  payload: typeof Wire.EncryptedBatchPayload.Type,
  made: { readonly ids: ReadonlyArray<string>; readonly time: string }
): Change =>
  Either.gen(function*() {
    if (payload.secrets.length === 0) return yield* Either.left(Answer.batchEmpty())
    const { environment, path, projectId } = placeOf(payload)
    const project = yield* findProject(state, actor, projectId)
    const folder = yield* existing(yield* openFolder(project, actor, "create", environment, path), environment, path)
    if (payload.secrets.some(({ secretName }) => Option.isSome(findIn(folder, secretName, "shared", actor)))) {
      return yield* Either.left(Answer.secretExists)
    }
    const secrets = payload.secrets.map((item, index) => newOf(item, folder.id, made.ids[index] ?? "", made.time))
    return [batched(secrets), EmulatorState.putFolder(state, project, secrets.reduce(EmulatorState.putSecret, folder))]
  })

const newOf = (item: BatchItem, folderId: string, id: string, time: string): EmulatorState.Secret => ({
  name: item.secretName,
  row: {
    ...EmulatorState.newRow(
      {
        ...item,
        secretCommentCiphertext: item.secretCommentCiphertext ?? null,
        secretCommentIV: item.secretCommentIV ?? null,
        secretCommentTag: item.secretCommentTag ?? null
      },
      { id, folderId, time }
    ),
    ...reminderOf(item),
    version: 0
  },
  tagIds: item.tags ?? [],
  metadata: {},
  earlier: []
})

/** `PATCH /api/v3/secrets/batch` */
export const updateMany = (
  state: EmulatorState.State,
  actor: Actor,
  payload: typeof Wire.EncryptedBatchPayload.Type,
  time: string
): Change =>
  Either.gen(function*() {
    if (payload.secrets.length === 0) return yield* Either.left(Answer.batchEmpty())
    const { environment, path, projectId } = placeOf(payload)
    const project = yield* findProject(state, actor, projectId)
    const folder = yield* existing(yield* openFolder(project, actor, "edit", environment, path), environment, path)
    const secrets: Array<EmulatorState.Secret> = []
    for (const item of payload.secrets) {
      const secret = yield* toWrite(findIn(folder, item.secretName, "shared", actor), item.secretName)
      const next = EmulatorState.nextVersion(
        secret,
        item.secretName,
        { ...encryptedFieldsOf(item), ...reminderOf(item) },
        time
      )
      secrets.push({ ...next, tagIds: item.tags ?? secret.tagIds })
    }
    return [batched(secrets), EmulatorState.putFolder(state, project, secrets.reduce(EmulatorState.putSecret, folder))]
  })

/** `DELETE /api/v3/secrets/batch` */
export const removeMany = (
  state: EmulatorState.State,
  actor: Actor,
  payload: typeof Wire.EncryptedBatchDeletePayload.Type
): Change =>
  Either.gen(function*() {
    if (payload.secrets.length === 0) return yield* Either.left(Answer.batchEmpty())
    const { environment, path, projectId } = placeOf(payload)
    const project = yield* findProject(state, actor, projectId)
    const folder = yield* existing(yield* openFolder(project, actor, "delete", environment, path), environment, path)
    const names = payload.secrets.map(({ secretName }) => secretName)
    for (const name of names) yield* toWrite(findIn(folder, name, "shared", actor), name)
    const [kept, gone] = Array.partition(folder.secrets, ({ name }) => names.includes(name))
    const next = EmulatorState.putFolder(state, project, { ...folder, secrets: kept })
    return [gone.length > names.length ? Answer.deletedTwice : batched(gone), next]
  })

const encryptedFieldsOf = (
  payload: Omit<typeof Wire.UpdateSecretPayload.Type, keyof Place | "type" | "secretName">
): Partial<EmulatorState.EncryptedFields> => ({
  secretValueCiphertext: payload.secretValueCiphertext,
  secretValueIV: payload.secretValueIV,
  secretValueTag: payload.secretValueTag,
  ...(payload.secretCommentCiphertext !== undefined && { secretCommentCiphertext: payload.secretCommentCiphertext }),
  ...(payload.secretCommentIV !== undefined && { secretCommentIV: payload.secretCommentIV }),
  ...(payload.secretCommentTag !== undefined && { secretCommentTag: payload.secretCommentTag }),
  ...(payload.secretKeyCiphertext !== undefined && { secretKeyCiphertext: payload.secretKeyCiphertext }),
  ...(payload.secretKeyIV !== undefined && { secretKeyIV: payload.secretKeyIV }),
  ...(payload.secretKeyTag !== undefined && { secretKeyTag: payload.secretKeyTag })
})
