/**
 * What reads and writes do to secrets, whoever decrypts them. Plain functions: callers bring ids and the time.
 */
import type { Wire } from "effect-infisical"
import * as Array from "effect/Array"
import * as Either from "effect/Either"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Answer from "../eras/Answer.js"
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

export const reminderOf = (
  { secretReminderNote, secretReminderRepeatDays }: Details
): Partial<Pick<EmulatorState.SecretRow, "secretReminderNote" | "secretReminderRepeatDays">> => ({
  ...(secretReminderNote !== undefined && { secretReminderNote }),
  ...(secretReminderRepeatDays !== undefined && { secretReminderRepeatDays })
})

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

/** Who a secret of this type belongs to. */
const ownerOf = (actor: Actor, type: Wire.SecretType): Refusable<string | undefined> =>
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
  Array.findFirst(
    folder.secrets,
    (secret) => secret.name === name && secret.row.type === type && isVisible(secret, actor)
  )

export const toWrite = (
  secret: Option.Option<EmulatorState.Secret>,
  secretName: string
): Refusable<EmulatorState.Secret> => Either.fromOption(secret, () => Answer.secretToWriteNotFound(secretName))
