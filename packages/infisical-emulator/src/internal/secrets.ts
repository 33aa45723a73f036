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

/** `GET /api/v3/secrets` */
export const list = (
  state: EmulatorState.State,
  actor: Actor,
  query: Place & { readonly include_imports?: string | undefined; readonly recursive?: string | undefined }
): Refusable<Answer.Answer> =>
  Either.gen(function*() {
    const { environment, path, projectId } = placeOf(query)
    const project = yield* findProject(state, actor, projectId)
    const withImports = query.include_imports === "true"

    const folders: ReadonlyArray<{ readonly folder: EmulatorState.Folder; readonly path: string }> =
      query.recursive === "true"
        ? yield* foldersBelow(project, actor, environment, path)
        : Option.match(yield* openFolder(project, actor, "read", environment, path), {
          onNone: () => [],
          onSome: (folder) => [{ folder, path }]
        })
    // Said of a folder that does not exist, asked for or not.
    if (query.recursive !== "true" && folders.length === 0) return Answer.ok({ secrets: [], imports: [] })

    const secrets = folders.flatMap(({ folder, path }) =>
      folder.secrets.filter((secret) => isVisible(secret, actor)).map((secret) => ({
        ...secret.row,
        _id: secret.row.id,
        workspace: project.id,
        environment,
        secretPath: path,
        tags: []
      }))
    ).toSorted((left, right) => left.id < right.id ? -1 : left.id > right.id ? 1 : 0)

    return Answer.ok(
      withImports
        ? {
          secrets,
          imports: Imports.flatten(project, Imports.inOrder(folders.map(({ folder }) => folder))).map(listed)
        }
        : { secrets }
    )
  })

const listed = (entry: Imports.Entry) => ({
  secretPath: entry.secretPath,
  environment: entry.environment,
  folderId: entry.folderId,
  secrets: entry.secrets.map(({ environment, secret }) => ({
    ...secret.row,
    _id: secret.row.id,
    workspace: "",
    environment
  }))
})

/** `GET /api/v3/secrets/:secretName` */
export const get = (
  state: EmulatorState.State,
  actor: Actor,
  secretName: string,
  query: Place & {
    readonly type?: Wire.SecretType | undefined
    readonly include_imports?: string | undefined
    readonly version?: number | undefined
  }
): Refusable<Answer.Answer> =>
  Either.gen(function*() {
    const { environment, path, projectId } = placeOf(query)
    const name = secretName.trim()
    const project = yield* findProject(state, actor, projectId)
    const folder = yield* existing(yield* openFolder(project, actor, "read", environment, path))
    // A service token reads what is shared, whatever it asks for.
    const type = actor._tag === "User" ? query.type ?? "shared" : "shared"

    const own = query.version === undefined
      ? Option.map(find(folder, name, type, actor), ({ row }) => row)
      : oldest(folder, name, type, actor)
    if (Option.isSome(own)) return single(own.value, project.id, environment)

    const imported = query.include_imports === "true"
      ? Array.findLast(Imports.flatten(project, folder.imports.map((one) => ({ into: folder, from: one }))), (entry) =>
        Option.map(
          Array.findFirst(entry.secrets, ({ secret }) =>
            secret.name === name),
          ({ secret }) => single(secret.row, project.id, entry.environment)
        ))
      : Option.none()
    return yield* Either.fromOption(imported, () =>
      Answer.secretNotFound)
  })

const single = (row: EmulatorState.SecretRow, workspace: string, environment: string): Answer.Answer =>
  Answer.ok({ secret: { ...row, workspace, environment } })

// The server looks for any version of that name, whichever is asked for, and finds the first that was stored.
const oldest = (
  folder: EmulatorState.Folder,
  name: string,
  type: Wire.SecretType,
  actor: Actor
): Option.Option<EmulatorState.SecretRow> =>
  Array.findFirst(folder.secrets, (secret) =>
    secret.row.type === type && isVisible(secret, actor)
      ? Option.fromNullable([...secret.earlier, secret].find((version) => version.name === name)?.row)
      : Option.none())

/** `POST /api/v3/secrets/:secretName` */
export const create = (
  state: EmulatorState.State,
  actor: Actor,
  secretName: string,
  payload: typeof Wire.CreateSecretPayload.Type,
  made: { readonly id: string; readonly time: string }
): Change =>
  Either.gen(function*() {
    const { environment, path, projectId } = placeOf(payload)
    const name = secretName.trim()
    const type = payload.type ?? "shared"
    const project = yield* findProject(state, actor, projectId)
    const folder = yield* existing(yield* openFolder(project, actor, "create", environment, path))
    const userId = yield* ownerOf(actor, type)
    if (Option.isSome(find(folder, name, type, actor))) return yield* Either.left(Answer.secretExists)
    if (type === "personal" && Option.isNone(find(folder, name, "shared", actor))) {
      return yield* Either.left(Answer.personalWithoutShared)
    }
    const row = EmulatorState.newRow(
      {
        ...payload,
        secretCommentCiphertext: payload.secretCommentCiphertext ?? null,
        secretCommentIV: payload.secretCommentIV ?? null,
        secretCommentTag: payload.secretCommentTag ?? null
      },
      { ...made, folderId: folder.id, userId }
    )
    const written = EmulatorState.putSecret(folder, { name, row, earlier: [] })
    return [changed(row, project.id, environment), EmulatorState.putFolder(state, project, written)]
  })

/** `PATCH /api/v3/secrets/:secretName` */
export const update = (
  state: EmulatorState.State,
  actor: Actor,
  secretName: string,
  payload: typeof Wire.UpdateSecretPayload.Type,
  time: string
): Change =>
  Either.gen(function*() {
    const { environment, path, projectId } = placeOf(payload)
    const type = payload.type ?? "shared"
    const newName = payload.secretName?.trim()
    const project = yield* findProject(state, actor, projectId)
    const opened = yield* openFolder(project, actor, "edit", environment, path)
    if (newName === "") return yield* Either.left(Answer.newNameEmpty)
    const folder = yield* existing(opened)
    yield* ownerOf(actor, type)
    const secret = yield* toWrite(find(folder, secretName, type, actor), secretName)
    if (newName !== undefined && type === "personal") return yield* Either.left(Answer.personalCannotBeRenamed)
    if (newName !== undefined && Option.isSome(find(folder, newName, "shared", actor))) {
      return yield* Either.left(Answer.secretExists)
    }
    const next = EmulatorState.nextVersion(secret, newName ?? secretName, encryptedFieldsOf(payload), time)
    const written = EmulatorState.putSecret(folder, next)
    return [changed(next.row, project.id, environment), EmulatorState.putFolder(state, project, written)]
  })

/** `DELETE /api/v3/secrets/:secretName` */
export const remove = (
  state: EmulatorState.State,
  actor: Actor,
  secretName: string,
  payload: typeof Wire.DeleteSecretPayload.Type
): Change =>
  Either.gen(function*() {
    const { environment, path, projectId } = placeOf(payload)
    const type = payload.type ?? "shared"
    const project = yield* findProject(state, actor, projectId)
    const folder = yield* existing(yield* openFolder(project, actor, "delete", environment, path))
    yield* ownerOf(actor, type)
    const shared = yield* toWrite(find(folder, secretName, "shared", actor), secretName)
    const personal = find(folder, secretName, "personal", actor)
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
    return [changed(deleted.row, project.id, environment), EmulatorState.putFolder(state, project, kept)]
  })

const changed = (row: EmulatorState.SecretRow, workspace: string, environment: string): Answer.Answer =>
  Answer.ok({ secret: { ...row, _id: row.id, workspace, environment } })

const encryptedFieldsOf = (payload: typeof Wire.UpdateSecretPayload.Type): Partial<EmulatorState.EncryptedFields> => ({
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

const placeOf = (place: Place) => {
  const path = (place.secretPath ?? "/").trim()
  return {
    projectId: place.workspaceId.trim(),
    environment: place.environment.trim(),
    path: path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path
  }
}

const findProject = (
  state: EmulatorState.State,
  actor: Actor,
  projectId: string
): Refusable<EmulatorState.Project> =>
  actor._tag === "User"
    ? Either.fromOption(HashMap.get(state.projects, projectId), () => Answer.userNotInProject)
    : Either.fromOption(
      Option.filter(HashMap.get(state.projects, projectId), () => actor.token.projectId === projectId),
      () => Answer.projectNotAuthorized
    )

const isAllowed = (actor: Actor, action: Answer.Action, environment: string, path: string): boolean =>
  actor._tag === "User" ||
  (actor.token.permissions.includes(action === "read" ? "read" : "write") &&
    actor.token.scopes.some((scope) => scope.environment === environment && Glob.matches(scope.secretPath, path)))

/** The folder, if there is one: whether that matters is for the route to say. */
const openFolder = (
  project: EmulatorState.Project,
  actor: Actor,
  action: Answer.Action,
  environment: string,
  path: string
): Refusable<Option.Option<EmulatorState.Folder>> =>
  !isAllowed(actor, action, environment, path)
    ? Either.left(Answer.permissionDenied(action))
    : World.segments(path).every((segment) => /^[\w-]+$/.test(segment))
    ? Either.right(EmulatorState.findFolder(project, environment, path))
    : Either.left(Answer.folderPathInvalid)

const existing = (folder: Option.Option<EmulatorState.Folder>): Refusable<EmulatorState.Folder> =>
  Either.fromOption(folder, () => Answer.folderNotFound)

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
          isAllowed(actor, "read", environment, folder.path)
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

const find = (
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
