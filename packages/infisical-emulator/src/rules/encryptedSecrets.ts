/**
 * What the routes of end-to-end encrypted secrets do to the state. Plain functions: callers bring ids and the time.
 *
 * A project of the v2 engine has none: its list is empty, and it refuses everything else.
 */
import type { Wire } from "effect-infisical"
import * as Array from "effect/Array"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Answer from "../eras/Answer.js"
import * as Eras from "../eras/eras.js"
import * as EmulatorState from "../state/EmulatorState.js"
import * as Access from "./access.js"
import type { Actor } from "./authentication.js"
import * as Secrets from "./secrets.js"

type Refusable<A> = Access.Refusable<A>

/** A change is answered with the secret it changed. */
type Change = Refusable<readonly [answer: Answer.Answer, state: EmulatorState.State]>

/** `GET /api/v3/secrets` */
export const list = (state: EmulatorState.State, actor: Actor, query: Secrets.ListQuery): Refusable<Answer.Answer> =>
  Either.map(Secrets.find(state, actor, query), ({ imports, project, secrets }) => {
    if (project.engine === "v2") {
      return Answer.ok({ secrets: [], ...(Option.isSome(imports) && { imports: [] }) })
    }
    return Answer.ok({
      secrets: secrets.map(({ environment, secret, secretPath }) => ({
        ...secret.row,
        _id: secret.row.id,
        workspace: project.id,
        environment,
        secretPath,
        tags: Secrets.tagsOf(project, secret)
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
    })
  })

/** `GET /api/v3/secrets/:secretName` */
export const get = (
  state: EmulatorState.State,
  actor: Actor,
  secretName: string,
  query: Secrets.GetQuery
): Refusable<Answer.Answer> =>
  Either.gen(function*() {
    yield* hasBlindIndex(state, actor, query, "read", "GetSecretByName")
    const { environment, project, secret } = yield* Secrets.findOne(state, actor, secretName, query, oldest)
    return Answer.ok({ secret: { ...secret.row, workspace: project.id, environment } })
  })

// The server looks for any version of that name, whichever is asked for, and finds the first that was stored.
const oldest = (secret: EmulatorState.Secret, name: string): Option.Option<EmulatorState.Secret> =>
  Option.map(
    Option.fromNullable([...secret.earlier, secret].find((version) => version.name === name)),
    ({ row }) => ({ ...secret, row })
  )

/** Refuses a project of the v2 engine, after what is refused before. */
const hasBlindIndex = (
  state: EmulatorState.State,
  actor: Actor,
  place: Access.Place,
  action: Answer.Action,
  operation: Answer.Operation
): Refusable<void> =>
  Either.gen(function*() {
    const { environment, path, projectId } = Access.placeOf(place)
    const project = yield* Access.findProject(state, actor, projectId)
    if (project.engine === "v1") return
    yield* Access.existing(
      yield* Access.openFolder(state, project, actor, action, environment, path),
      environment,
      path,
      operation
    )
    return yield* Either.left(Answer.noBlindIndex(project.id, operation))
  })

interface Encoding {
  readonly skipMultilineEncoding?: boolean | undefined
}

/** `POST /api/v3/secrets/:secretName`: tags and reminders are dropped. */
export const create = (
  state: EmulatorState.State,
  actor: Actor,
  secretName: string,
  payload: typeof Wire.CreateSecretPayload.Type,
  { skipMultilineEncoding, ...made }: Encoding & { readonly id: string; readonly time: string }
): Change =>
  Either.gen(function*() {
    yield* hasBlindIndex(state, actor, payload, "create", "CreateSecret")
    const written = yield* Secrets.insert(
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
      { skipMultilineEncoding },
      made
    )
    return changed(written)
  })

/** `PATCH /api/v3/secrets/:secretName` */
export const update = (
  state: EmulatorState.State,
  actor: Actor,
  secretName: string,
  payload: typeof Wire.UpdateSecretPayload.Type,
  { skipMultilineEncoding, time }: Encoding & { readonly time: string }
): Change =>
  Either.gen(function*() {
    yield* hasBlindIndex(state, actor, payload, "edit", "CreateSecret")
    if (payload.secretReminderRepeatDays === 0 && !Eras.does(state, "storesReminderOfZeroDays")) {
      return yield* Either.left(Answer.reminderTooSmall(["secretReminderRepeatDays"]))
    }
    const written = yield* Secrets.update(
      state,
      actor,
      secretName,
      { ...payload, newName: payload.secretName },
      encryptedFieldsOf(payload),
      { ...payload, skipMultilineEncoding, tagIds: payload.tags },
      time
    )
    return changed(written)
  })

/** `DELETE /api/v3/secrets/:secretName` */
export const remove = (
  state: EmulatorState.State,
  actor: Actor,
  secretName: string,
  payload: typeof Wire.DeleteSecretPayload.Type
): Change =>
  Either.gen(function*() {
    yield* hasBlindIndex(state, actor, payload, "delete", "DeleteSecret")
    return changed(yield* Secrets.remove(state, actor, secretName, payload))
  })

const changed = (
  { found: { environment, project, secret }, state }: Secrets.Written
): readonly [answer: Answer.Answer, state: EmulatorState.State] => [
  Answer.ok({ secret: { ...secret.row, _id: secret.row.id, workspace: project.id, environment } }),
  state
]

/** What a batch writes of one secret. */
type BatchItem = (typeof Wire.EncryptedBatchPayload.Type)["secrets"][number]

const batched = (secrets: ReadonlyArray<EmulatorState.Secret>): Answer.Answer =>
  Answer.ok({ secrets: secrets.map(({ row }) => row) })

/** The folder of a batch, on a project that can have encrypted secrets. */
const openBatch = (
  state: EmulatorState.State,
  actor: Actor,
  payload: Access.Place & { readonly secrets: ReadonlyArray<unknown> },
  action: "create" | "edit" | "delete",
  operation: "CreateManySecret" | "UpdateManySecret" | "DeleteManySecret"
) =>
  Either.gen(function*() {
    if (payload.secrets.length === 0) return yield* Either.left(Answer.batchEmpty())
    yield* hasBlindIndex(state, actor, payload, action, operation)
    const { environment, path, projectId } = Access.placeOf(payload)
    const project = yield* Access.findProject(state, actor, projectId)
    const opened = yield* Access.openFolder(state, project, actor, action, environment, path)
    return { project, folder: yield* Access.existing(opened, environment, path, operation) }
  })

/** The secrets of these names, each of which has to be there, and named once. */
const named = (folder: EmulatorState.Folder, actor: Actor, names: ReadonlyArray<string>) => {
  const found = Array.filterMap(names, (name) => Secrets.findIn(folder, name, "shared", actor))
  const missing = names.filter((name) => !found.some((secret) => secret.name === name))
  return missing.length > 0 || new Set(names).size < names.length
    ? Either.left(Answer.blindIndexNotFound(...missing))
    : Either.right(found)
}

/** `POST /api/v3/secrets/batch`: versions begin at 0, and of a name that is there twice it makes two secrets. */
export const createMany = (
  state: EmulatorState.State,
  actor: Actor,
  payload: typeof Wire.EncryptedBatchPayload.Type,
  made: { readonly ids: ReadonlyArray<string>; readonly time: string }
): Change =>
  Either.gen(function*() {
    const { folder, project } = yield* openBatch(state, actor, payload, "create", "CreateManySecret")
    const isThere = ({ secretName }: BatchItem) => Option.isSome(Secrets.findIn(folder, secretName, "shared", actor))
    if (payload.secrets.some(isThere)) return yield* Either.left(Answer.secretExists())
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
    ...Secrets.detailsOf(item),
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
    const { folder, project } = yield* openBatch(state, actor, payload, "edit", "UpdateManySecret")
    const found = yield* named(folder, actor, payload.secrets.map(({ secretName }) => secretName))
    const secrets = Array.zipWith(found, payload.secrets, (secret, item) => ({
      ...EmulatorState.nextVersion(
        secret,
        item.secretName,
        { ...encryptedFieldsOf(item), ...Secrets.detailsOf(item) },
        time
      ),
      tagIds: item.tags ?? secret.tagIds
    }))
    return [batched(secrets), EmulatorState.putFolder(state, project, secrets.reduce(EmulatorState.putSecret, folder))]
  })

/** `DELETE /api/v3/secrets/batch` */
export const removeMany = (
  state: EmulatorState.State,
  actor: Actor,
  payload: typeof Wire.EncryptedBatchDeletePayload.Type
): Change =>
  Either.gen(function*() {
    const { folder, project } = yield* openBatch(state, actor, payload, "delete", "DeleteManySecret")
    const names = payload.secrets.map(({ secretName }) => secretName)
    yield* named(folder, actor, names)
    const gone = folder.secrets.filter(({ name }) => names.includes(name))
    const next = EmulatorState.putFolder(
      state,
      project,
      EmulatorState.removeSecrets(folder, ({ name }) => names.includes(name))
    )
    return [gone.length > names.length ? Answer.deletedTwice : batched(gone), next]
  })

const encryptedFieldsOf = (
  payload: Omit<typeof Wire.UpdateSecretPayload.Type, keyof Access.Place | "type" | "secretName">
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
