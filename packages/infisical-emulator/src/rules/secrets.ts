/**
 * What reads and writes do to secrets, decrypted by the client or by the server. Plain functions: callers bring ids and the time.
 *
 * The engine of a project decides how its secrets are found and the answer for those that are not there.
 */
import type { Wire } from "effect-infisical"
import * as Array from "effect/Array"
import * as Either from "effect/Either"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Answer from "../eras/Answer.js"
import * as Eras from "../eras/eras.js"
import * as EmulatorState from "../state/EmulatorState.js"
import { existing, findProject, foldersBelow, openFolder, type Place, placeOf, type Refusable } from "./access.js"
import type { Actor } from "./authentication.js"
import * as Imports from "./imports.js"

/** A secret that was found, and where. */
export interface Found {
  readonly secret: EmulatorState.Secret
  readonly project: EmulatorState.Project
  readonly environment: string
  /** Not known of an imported one. */
  readonly secretPath: string | undefined
}

/** What the server found for a list. */
export interface Listed {
  readonly project: EmulatorState.Project
  readonly secrets: ReadonlyArray<Found>
  readonly imports: Option.Option<
    ReadonlyArray<Omit<Imports.Entry, "secrets" | "into"> & { readonly secrets: ReadonlyArray<Found> }>
  >
}

/** What a list is about. */
export interface ListQuery extends Place {
  readonly include_imports?: string | undefined
  readonly recursive?: string | undefined
}

export const find = (
  state: EmulatorState.State,
  actor: Actor,
  query: ListQuery
): Refusable<Listed> =>
  Either.gen(function*() {
    const { environment, path, projectId } = placeOf(query)
    const project = yield* findProject(state, actor, projectId)
    if (actor._tag === "Identity" && Option.isSome(actor.identity.readableNames)) {
      return yield* Either.left(Answer.permissionDenied("read"))
    }
    const isRecursive = query.recursive === "true"
    const folders: ReadonlyArray<{ readonly folder: EmulatorState.Folder; readonly path: string }> = isRecursive
      ? yield* foldersBelow(state, project, actor, environment, path)
      : Option.match(yield* openFolder(state, project, actor, "read", environment, path), {
        onNone: () => [],
        onSome: (folder) => [{ folder, path }]
      })
    if (folders.length === 0 && Eras.does(state, "unknownFolderList") === "refused") {
      return yield* Either.left(Answer.secretPathNotFound(environment, path))
    }
    const secrets = folders.flatMap(({ folder, path }) =>
      folder.secrets.filter((secret) => isVisible(secret, actor)).map((secret) => ({
        secret,
        project,
        environment,
        secretPath: path
      }))
    ).toSorted((left, right) =>
      left.secret.row.id < right.secret.row.id ? -1 : left.secret.row.id > right.secret.row.id ? 1 : 0
    )
    // Said of a folder that does not exist, asked for or not.
    const isMissing = !isRecursive && folders.length === 0
    return {
      project,
      secrets,
      imports: isMissing ? Option.some([]) : query.include_imports === "true"
        ? Option.some(imported(project, folders.map(({ folder }) => folder)))
        : Option.none()
    }
  })

const imported = (project: EmulatorState.Project, folders: ReadonlyArray<EmulatorState.Folder>) =>
  Imports.flatten(project, Imports.inOrder(folders)).map((entry) => ({
    environment: entry.environment,
    secretPath: entry.secretPath,
    folderId: entry.folderId,
    secrets: entry.secrets.map(({ environment, secret }) => ({ secret, project, environment, secretPath: undefined }))
  }))

/** The tags of a secret, as the wire has them. */
export const tagsOf = ({ tags }: EmulatorState.Project, { tagIds }: EmulatorState.Secret) =>
  tags.filter(({ id }) => tagIds.includes(id))

/** What a get is about. */
export interface GetQuery extends Place {
  readonly type?: Wire.SecretType | undefined
  readonly include_imports?: string | undefined
  readonly version?: number | undefined
}

export const findOne = (
  state: EmulatorState.State,
  actor: Actor,
  secretName: string,
  query: GetQuery,
  versionOf: (secret: EmulatorState.Secret, name: string, version: number) => Option.Option<EmulatorState.Secret>
): Refusable<Found> =>
  Either.gen(function*() {
    const { environment, path, projectId } = placeOf(query)
    const name = secretName.trim()
    const project = yield* findProject(state, actor, projectId)
    if (
      actor._tag === "Identity" && Option.exists(actor.identity.readableNames, (names) => !names.includes(name))
    ) {
      return yield* Either.left(Answer.permissionDenied("read"))
    }
    const opened = yield* openFolder(state, project, actor, "read", environment, path)
    const folder = yield* existing(opened, environment, path, "GetSecretByName")
    // A service token reads what is shared, whatever it asks for.
    const type = actor._tag === "ServiceToken" || actor._tag === "ServiceTokenV3" ? "shared" : query.type ?? "shared"

    const version = Eras.does(state, "readsVersions") ? query.version : undefined
    const own = version === undefined
      ? findIn(folder, name, type, actor)
      : Array.findFirst(
        [...folder.secrets, ...folder.deleted],
        (secret) =>
          secret.row.type === type && isVisible(secret, actor) ? versionOf(secret, name, version) : Option.none()
      )
    if (Option.isSome(own)) return { secret: own.value, project, environment, secretPath: path }

    const found = query.include_imports === "true"
      ? Array.findLast(
        Imports.flatten(project, folder.imports.map((one) => ({ into: folder, from: one }))),
        (entry) =>
          Option.map(
            Array.findFirst(entry.secrets, ({ secret }) => secret.name === name),
            ({ secret }): Found => ({ secret, project, environment: entry.environment, secretPath: undefined })
          )
      )
      : Option.none()
    return yield* Either.fromOption(found, () => Answer.secretNotFound(name))
  })

/** What was written, and the state after it. */
export interface Written {
  readonly found: Found
  readonly state: EmulatorState.State
}

/** What belongs to a secret beside what is encrypted. */
export interface Details {
  readonly tagIds?: ReadonlyArray<string> | undefined
  readonly metadata?: Readonly<Record<string, string>> | undefined
  readonly secretReminderNote?: string | null | undefined
  readonly secretReminderRepeatDays?: number | null | undefined
  readonly skipMultilineEncoding?: boolean | null | undefined
}

/** Whether it is one of many that are written together: of those it was seen before that they can be. */
export interface Batch {
  readonly isInBatch?: boolean
}

type Target = Place & { readonly type?: Wire.SecretType | undefined }

export const insert = (
  state: EmulatorState.State,
  actor: Actor,
  secretName: string,
  payload: Target,
  encrypted: EmulatorState.EncryptedFields,
  details: Details,
  made: { readonly id: string; readonly time: string; readonly version?: number },
  { isInBatch = false }: Batch = {}
): Refusable<Written> =>
  Either.gen(function*() {
    const { environment, path, projectId } = placeOf(payload)
    const name = secretName.trim()
    const type = payload.type ?? "shared"
    const project = yield* findProject(state, actor, projectId)
    const opened = yield* openFolder(state, project, actor, "create", environment, path)
    const folder = yield* existing(opened, environment, path, isInBatch ? "CreateManySecret" : "CreateSecret")
    const userId = yield* ownerOf(actor, type)
    // The v2 engine makes as many overrides as it is asked for.
    const isOnce = !isInBatch && (type === "shared" || project.engine === "v1")
    if (isOnce && Option.isSome(findIn(folder, name, type, actor))) return yield* Either.left(Answer.secretExists())
    if (type === "personal" && Option.isNone(findIn(folder, name, "shared", actor))) {
      return yield* Either.left(Answer.personalWithoutShared)
    }
    const tagIds = yield* knownTags(project, details.tagIds ?? [])
    const row = EmulatorState.newRow(encrypted, { ...made, folderId: folder.id, userId })
    const secret = {
      name,
      row: { ...row, version: made.version ?? row.version, ...detailsOf(details) },
      tagIds,
      metadata: details.metadata ?? {},
      earlier: []
    }
    return {
      found: { secret, project, environment, secretPath: path },
      state: EmulatorState.putFolder(state, project, EmulatorState.putSecret(folder, secret))
    }
  })

/** The ids, where the project has such tags, each of them once. */
const knownTags = (
  { tags }: EmulatorState.Project,
  tagIds: ReadonlyArray<string>
): Refusable<ReadonlyArray<string>> =>
  tagIds.every((tagId) => tags.some(({ id }) => id === tagId)) && new Set(tagIds).size === tagIds.length
    ? Either.right(tagIds)
    : Either.left(Answer.tagNotFound)

export const detailsOf = (
  { secretReminderNote, secretReminderRepeatDays, skipMultilineEncoding }: Details
): Partial<
  Pick<EmulatorState.SecretRow, "secretReminderNote" | "secretReminderRepeatDays" | "skipMultilineEncoding">
> => ({
  ...(secretReminderNote !== undefined && { secretReminderNote }),
  ...(secretReminderRepeatDays !== undefined && { secretReminderRepeatDays }),
  ...(skipMultilineEncoding !== undefined && { skipMultilineEncoding: skipMultilineEncoding ?? false })
})

export const update = (
  state: EmulatorState.State,
  actor: Actor,
  secretName: string,
  payload: Target & { readonly newName?: string | undefined },
  encrypted: Partial<EmulatorState.EncryptedFields>,
  details: Details,
  time: string,
  { isInBatch = false }: Batch = {}
): Refusable<Written> =>
  Either.gen(function*() {
    const { environment, path, projectId } = placeOf(payload)
    const type = payload.type ?? "shared"
    const project = yield* findProject(state, actor, projectId)
    const isV1 = project.engine === "v1"
    // What comes in the path is trimmed by the v2 engine, the new name by that of v1.
    const name = isV1 ? secretName : secretName.trim()
    const newName = isV1 ? payload.newName?.trim() : payload.newName
    const opened = yield* openFolder(state, project, actor, "edit", environment, path)
    if (newName === "") return yield* Either.left(Answer.newNameEmpty)
    const operation = isInBatch ? "UpdateManySecret" : isV1 ? "CreateSecret" : "UpdateSecret"
    const folder = yield* existing(opened, environment, path, operation)
    yield* ownerOf(actor, type)
    const secret = yield* Either.fromOption(
      findIn(folder, name, type, actor),
      () => isV1 ? Answer.blindIndexNotFound(name) : Answer.secretToUpdateNotFound(name)
    )
    if (newName !== undefined && type === "personal") return yield* Either.left(Answer.personalCannotBeRenamed)
    if (newName !== undefined && Option.isSome(findIn(folder, newName, "shared", actor))) {
      return yield* Either.left(isInBatch ? Answer.newNamesTaken([newName]) : Answer.newNameTaken)
    }
    const tagIds = details.tagIds === undefined ? secret.tagIds : yield* knownTags(project, details.tagIds)
    const next = {
      ...EmulatorState.nextVersion(secret, newName ?? name, { ...encrypted, ...detailsOf(details) }, time),
      tagIds,
      metadata: details.metadata ?? secret.metadata
    }
    return {
      found: { secret: next, project, environment, secretPath: path },
      state: EmulatorState.putFolder(state, project, EmulatorState.putSecret(folder, next))
    }
  })

/** Whether the folder is there, and no such secret in it. */
export const isMissing = (
  state: EmulatorState.State,
  actor: Actor,
  secretName: string,
  payload: Target
): boolean => {
  const { environment, path, projectId } = placeOf(payload)
  return HashMap.get(state.projects, projectId).pipe(
    Option.flatMap((project) => EmulatorState.findFolder(project, environment, path)),
    Option.exists((folder) => Option.isNone(findIn(folder, secretName, payload.type ?? "shared", actor)))
  )
}

export const remove = (
  state: EmulatorState.State,
  actor: Actor,
  secretName: string,
  payload: Target,
  { isInBatch = false }: Batch = {}
): Refusable<Written> =>
  Either.gen(function*() {
    const { environment, path, projectId } = placeOf(payload)
    const type = payload.type ?? "shared"
    const project = yield* findProject(state, actor, projectId)
    const isV1 = project.engine === "v1"
    const name = isV1 ? secretName : secretName.trim()
    const opened = yield* openFolder(state, project, actor, "delete", environment, path)
    const folder = yield* existing(opened, environment, path, isInBatch ? "DeleteManySecret" : "DeleteSecret")
    yield* ownerOf(actor, type)
    const missing = () => isV1 ? Answer.blindIndexNotFound(name) : Answer.secretToDeleteNotFound(name)
    const first = (type: Wire.SecretType) =>
      Array.findFirst(
        folder.secrets,
        (secret) => secret.name === name && secret.row.type === type && isVisible(secret, actor)
      )
    const shared = yield* Either.fromOption(first("shared"), missing)
    const deleted = type === "shared" ? shared : yield* Either.fromOption(
      first("personal"),
      () => isV1 ? Answer.personalToDeleteNotFound : missing()
    )
    // What overrides a shared secret goes with it.
    const isGone = (secret: EmulatorState.Secret) =>
      secret.name === name && (type === "shared" || (secret.row.type === "personal" && isVisible(secret, actor)))
    return {
      found: { secret: deleted, project, environment, secretPath: path },
      state: EmulatorState.putFolder(state, project, EmulatorState.removeSecrets(folder, isGone))
    }
  })

/** Who a secret of this type belongs to. */
export const ownerOf = (actor: Actor, type: Wire.SecretType): Refusable<string | undefined> =>
  type === "shared"
    ? Either.right(undefined)
    : actor._tag === "User"
    ? Either.right(actor.user.id)
    : Either.left(Answer.mustBeUser)

const isVisible = (secret: EmulatorState.Secret, actor: Actor): boolean =>
  secret.row.type === "shared" || (actor._tag === "User" && secret.row.userId === actor.user.id)

export const findIn = (
  folder: EmulatorState.Folder,
  name: string,
  type: Wire.SecretType,
  actor: Actor
): Option.Option<EmulatorState.Secret> =>
  // There may be several: the last one made counts, but for a deletion, which answers with the first.
  Array.findLast(
    folder.secrets,
    (secret) => secret.name === name && secret.row.type === type && isVisible(secret, actor)
  )
