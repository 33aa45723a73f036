/**
 * What the routes of end-to-end encrypted secrets do to the state. Plain functions: whoever calls them brings ids and
 * the time.
 */
import type { Wire } from "effect-infisical"
import * as Array from "effect/Array"
import * as Either from "effect/Either"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Answer from "../Answer.js"
import * as EmulatorState from "../EmulatorState.js"
import * as World from "../World.js"
import type { Actor } from "./authentication.js"
import * as Glob from "./glob.js"
import * as Imports from "./imports.js"

/** The place of a request, as it is in its query or body. */
export interface Place {
  readonly workspaceId: string
  readonly environment: string
  readonly secretPath?: string | undefined
}

type Refusable<A> = Either.Either<A, Answer.Answer>

/** A change is answered with the secret it changed. */
type Change = Refusable<readonly [answer: Answer.Answer, state: EmulatorState.State]>

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
    const folders: ReadonlyArray<{ readonly folder: EmulatorState.Folder; readonly path: string }> =
      query.recursive === "true"
        ? yield* foldersBelow(project, actor, environment, path)
        : Option.match(yield* openFolder(project, actor, "read", environment, path), {
          onNone: () => [],
          onSome: (folder) => [{ folder, path }]
        })
    if (folders.length === 0 && query.recursive !== "true" && state.era === "current") {
      return yield* Either.left(
        project.environments.includes(environment)
          ? Answer.folderNotFound(environment, path)
          : Answer.environmentUnknown(environment)
      )
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
    const isMissing = query.recursive !== "true" && folders.length === 0
    return {
      project,
      secrets,
      imports: isMissing ? Option.some([]) : query.include_imports === "true"
        ? Option.some(
          Imports.flatten(project, Imports.inOrder(folders.map(({ folder }) => folder))).map((entry) => ({
            environment: entry.environment,
            secretPath: entry.secretPath,
            folderId: entry.folderId,
            secrets: entry.secrets.map(({ environment, secret }) => ({
              secret,
              project,
              environment,
              secretPath: undefined
            }))
          }))
        )
        : Option.none()
    }
  })

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
    const folder = yield* existing(yield* openFolder(project, actor, "read", environment, path), environment, path)
    // A service token reads what is shared, whatever it asks for.
    const type = actor._tag === "ServiceToken" || actor._tag === "ServiceTokenV3" ? "shared" : query.type ?? "shared"

    const { version } = query
    const own = version === undefined
      ? findIn(folder, name, type, actor)
      : Array.findFirst(
        folder.secrets,
        (secret) =>
          secret.row.type === type && isVisible(secret, actor) ? versionOf(secret, name, version) : Option.none()
      )
    if (Option.isSome(own)) return { secret: own.value, project, environment, secretPath: path }

    const imported = query.include_imports === "true"
      ? Array.findLast(Imports.flatten(project, folder.imports.map((one) => ({ into: folder, from: one }))), (entry) =>
        Option.map(
          Array.findFirst(entry.secrets, ({ secret }) =>
            secret.name === name),
          ({ secret }): Found => ({ secret, project, environment: entry.environment, secretPath: undefined })
        ))
      : Option.none()
    return yield* Either.fromOption(imported, () =>
      Answer.secretNotFound(name))
  })

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
}

export const insert = (
  state: EmulatorState.State,
  actor: Actor,
  secretName: string,
  payload: Place & { readonly type?: Wire.SecretType | undefined },
  encrypted: EmulatorState.EncryptedFields,
  details: Details,
  made: { readonly id: string; readonly time: string; readonly version?: number }
): Refusable<Written> =>
  Either.gen(function*() {
    const { environment, path, projectId } = placeOf(payload)
    const name = secretName.trim()
    const type = payload.type ?? "shared"
    const project = yield* findProject(state, actor, projectId)
    const folder = yield* existing(yield* openFolder(project, actor, "create", environment, path), environment, path)
    const userId = yield* ownerOf(actor, type)
    if (Option.isSome(findIn(folder, name, type, actor))) return yield* Either.left(Answer.secretExists)
    if (type === "personal" && Option.isNone(findIn(folder, name, "shared", actor))) {
      return yield* Either.left(Answer.personalWithoutShared)
    }
    const row = EmulatorState.newRow(encrypted, { ...made, folderId: folder.id, userId })
    const secret = {
      name,
      row: { ...row, version: made.version ?? row.version, ...reminderOf(details) },
      tagIds: details.tagIds ?? [],
      metadata: details.metadata ?? {},
      earlier: []
    }
    return {
      found: { secret, project, environment, secretPath: path },
      state: EmulatorState.putFolder(state, project, EmulatorState.putSecret(folder, secret))
    }
  })

const reminderOf = (
  { secretReminderNote, secretReminderRepeatDays }: Details
): Partial<Pick<EmulatorState.SecretRow, "secretReminderNote" | "secretReminderRepeatDays">> => ({
  ...(secretReminderNote !== undefined && { secretReminderNote }),
  ...(secretReminderRepeatDays !== undefined && { secretReminderRepeatDays })
})

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

export const alter = (
  state: EmulatorState.State,
  actor: Actor,
  secretName: string,
  payload: Place & { readonly type?: Wire.SecretType | undefined; readonly newName?: string | undefined },
  encrypted: Partial<EmulatorState.EncryptedFields>,
  details: Details,
  time: string
): Refusable<Written> =>
  Either.gen(function*() {
    const { environment, path, projectId } = placeOf(payload)
    const type = payload.type ?? "shared"
    const newName = payload.newName?.trim()
    const project = yield* findProject(state, actor, projectId)
    const opened = yield* openFolder(project, actor, "edit", environment, path)
    if (newName === "") return yield* Either.left(Answer.newNameEmpty)
    const folder = yield* existing(opened, environment, path)
    yield* ownerOf(actor, type)
    const secret = yield* toWrite(findIn(folder, secretName, type, actor), secretName)
    if (newName !== undefined && type === "personal") return yield* Either.left(Answer.personalCannotBeRenamed)
    if (newName !== undefined && Option.isSome(findIn(folder, newName, "shared", actor))) {
      return yield* Either.left(Answer.secretExists)
    }
    const next = {
      ...EmulatorState.nextVersion(secret, newName ?? secretName, { ...encrypted, ...reminderOf(details) }, time),
      tagIds: details.tagIds ?? secret.tagIds,
      metadata: details.metadata ?? secret.metadata
    }
    return {
      found: { secret: next, project, environment, secretPath: path },
      state: EmulatorState.putFolder(state, project, EmulatorState.putSecret(folder, next))
    }
  })

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

/** Whether the folder is there, and no such secret in it. */
export const isMissing = (
  state: EmulatorState.State,
  actor: Actor,
  secretName: string,
  payload: Place & { readonly type?: Wire.SecretType | undefined }
): boolean => {
  const { environment, path, projectId } = placeOf(payload)
  return HashMap.get(state.projects, projectId).pipe(
    Option.flatMap((project) => EmulatorState.findFolder(project, environment, path)),
    Option.exists((folder) => Option.isNone(findIn(folder, secretName, payload.type ?? "shared", actor)))
  )
}

export const take = (
  state: EmulatorState.State,
  actor: Actor,
  secretName: string,
  payload: Place & { readonly type?: Wire.SecretType | undefined }
): Refusable<Written> =>
  Either.gen(function*() {
    const { environment, path, projectId } = placeOf(payload)
    const type = payload.type ?? "shared"
    const project = yield* findProject(state, actor, projectId)
    const folder = yield* existing(yield* openFolder(project, actor, "delete", environment, path), environment, path)
    yield* ownerOf(actor, type)
    const shared = yield* toWrite(findIn(folder, secretName, "shared", actor), secretName)
    const personal = findIn(folder, secretName, "personal", actor)
    const deleted = type === "shared"
      ? shared
      : yield* Either.fromOption(personal, () => Answer.personalToDeleteNotFound)
    const kept = {
      ...folder,
      // What overrides a shared secret goes with it.
      secrets: folder.secrets.filter((secret) =>
        type === "shared" ? secret.name !== secretName : secret.row.id !== deleted.row.id
      )
    }
    return {
      found: { secret: deleted, project, environment, secretPath: path },
      state: EmulatorState.putFolder(state, project, kept)
    }
  })

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

export const placeOf = (place: Place) => {
  const path = (place.secretPath ?? "/").trim()
  return {
    projectId: place.workspaceId.trim(),
    environment: place.environment.trim(),
    path: path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path
  }
}

export const findProject = (
  state: EmulatorState.State,
  actor: Actor,
  projectId: string
): Refusable<EmulatorState.Project> => {
  const project = HashMap.get(state.projects, projectId)
  switch (actor._tag) {
    case "User":
      return Either.fromOption(project, () => Answer.userNotInProject)
    case "Identity":
      return Either.fromOption(
        Option.filter(project, ({ id }) => actor.identity.roles[id] !== undefined),
        () => Answer.identityNotInProject
      )
    default:
      return Either.fromOption(
        Option.filter(project, () => actor.token.projectId === projectId),
        () => Answer.projectNotAuthorized
      )
  }
}

const inScope = (scopes: ReadonlyArray<World.Scope>, environment: string, path: string): boolean =>
  scopes.some((scope) => scope.environment === environment && Glob.matches(scope.secretPath, path))

export const isAllowed = (
  project: EmulatorState.Project,
  actor: Actor,
  action: Answer.Action,
  environment: string,
  path: string
): boolean => {
  switch (actor._tag) {
    case "User":
      return true
    case "Identity": {
      const { roles, scopes } = actor.identity
      return (roles[project.id] === "admin" || (roles[project.id] === "viewer" && action === "read")) &&
        Option.match(scopes, { onNone: () => true, onSome: (scopes) => inScope(scopes, environment, path) })
    }
    default:
      return actor.token.permissions.includes(action === "read" ? "read" : "write") &&
        inScope(actor.token.scopes, environment, path)
  }
}

/** The folder, if there is one: whether that matters is for the route to say. */
export const openFolder = (
  project: EmulatorState.Project,
  actor: Actor,
  action: Answer.Action,
  environment: string,
  path: string
): Refusable<Option.Option<EmulatorState.Folder>> =>
  !isAllowed(project, actor, action, environment, path)
    ? Either.left(Answer.permissionDenied(action))
    : World.segments(path).every((segment) => /^[\w-]+$/.test(segment))
    ? Either.right(EmulatorState.findFolder(project, environment, path))
    : Either.left(Answer.folderPathInvalid)

export const existing = (
  folder: Option.Option<EmulatorState.Folder>,
  environment: string,
  path: string
): Refusable<EmulatorState.Folder> => Either.fromOption(folder, () => Answer.folderNotFound(environment, path))

/** The folders whose path begins as asked, by text: `/folder` finds `/folders`, too. Those out of scope are left out. */
const foldersBelow = (
  project: EmulatorState.Project,
  actor: Actor,
  environment: string,
  path: string
): Refusable<ReadonlyArray<{ readonly folder: EmulatorState.Folder; readonly path: string }>> =>
  project.environments.includes(environment)
    ? Either.right(
      HashMap.toValues(project.folders)
        .filter((folder) =>
          folder.environment === environment && folder.path.startsWith(path) &&
          isAllowed(project, actor, "read", environment, folder.path)
        )
        .map((folder) => ({ folder, path: folder.path }))
        .toSorted((left, right) => left.path < right.path ? -1 : 1)
    )
    : Either.left(Answer.environmentNotFound(environment, project.id))

/** Who a secret of this type belongs to. */
const ownerOf = (actor: Actor, type: Wire.SecretType): Refusable<string | undefined> =>
  type === "shared"
    ? Either.right(undefined)
    : actor._tag === "User"
    ? Either.right(actor.user.id)
    : Either.left(Answer.mustBeUser)

const isVisible = (secret: EmulatorState.Secret, actor: Actor): boolean =>
  secret.row.type === "shared" || (actor._tag === "User" && secret.row.userId === actor.user.id)

const findIn = (
  folder: EmulatorState.Folder,
  name: string,
  type: Wire.SecretType,
  actor: Actor
): Option.Option<EmulatorState.Secret> =>
  Array.findFirst(
    folder.secrets,
    (secret) => secret.name === name && secret.row.type === type && isVisible(secret, actor)
  )

const toWrite = (
  secret: Option.Option<EmulatorState.Secret>,
  secretName: string
): Refusable<EmulatorState.Secret> => Either.fromOption(secret, () => Answer.secretToWriteNotFound(secretName))
