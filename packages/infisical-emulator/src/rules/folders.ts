/** What the routes of folders do to the state. Plain functions: callers bring ids and the time. */
import * as Either from "effect/Either"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Answer from "../eras/Answer.js"
import * as EmulatorState from "../state/EmulatorState.js"
import * as World from "../world/World.js"
import * as Access from "./access.js"
import type { Actor } from "./authentication.js"

/** The place of a request, as it is in its query or body. */
export interface Place {
  readonly workspaceId: string
  readonly environment: string
  readonly path?: string | undefined
}

export type Refusable<A> = Either.Either<A, Answer.Answer>

export type Change = Refusable<readonly [answer: Answer.Answer, state: EmulatorState.State]>

export const placeOf = ({ environment, path, workspaceId }: Place) =>
  Access.placeOf({ workspaceId, environment, secretPath: path })

export const parentOf = (path: string): string => `/${World.segments(path).slice(0, -1).join("/")}`

export const nameOf = (path: string): string => World.segments(path).at(-1) ?? "root"

export const pathIn = (path: string, name: string): string => `/${[...World.segments(path), name].join("/")}`

export const shown = (project: EmulatorState.Project, folder: EmulatorState.Folder) => ({
  id: folder.id,
  name: nameOf(folder.path),
  version: folder.version,
  createdAt: folder.createdAt,
  updatedAt: folder.updatedAt,
  envId: project.environmentIds[folder.environment],
  parentId: folder.path === "/"
    ? null
    : Option.getOrNull(
      Option.map(EmulatorState.findFolder(project, folder.environment, parentOf(folder.path)), ({ id }) => id)
    ),
  isReserved: false
})

/** `GET /api/v1/folders`: whatever the token's scopes are. */
export const list = (state: EmulatorState.State, actor: Actor, query: Place): Refusable<Answer.Answer> =>
  Either.gen(function*() {
    const { environment, path, projectId } = placeOf(query)
    const project = yield* Access.findProject(state, actor, projectId)
    if (!project.environments.includes(environment)) {
      return yield* Either.left(Answer.folderEnvironmentNotFound("get folders", environment))
    }
    if (Option.isNone(EmulatorState.findFolder(project, environment, path))) {
      return state.era === "current"
        ? yield* Either.left(Answer.folderNotFound(environment, path))
        : Answer.ok({ folders: [] })
    }
    const folders = HashMap.toValues(project.folders)
      .filter((folder) =>
        folder.environment === environment && folder.path !== "/" && samePath(parentOf(folder.path), path)
      )
      .toSorted((left, right) => left.path < right.path ? -1 : 1)
    return Answer.ok({ folders: folders.map((folder) => shown(project, folder)) })
  })

export const samePath = (left: string, right: string): boolean =>
  World.segments(left).join("/") === World.segments(right).join("/")

/** `POST /api/v1/folders`: with those above it, and the one that there is where it is there. */
export const create = (
  state: EmulatorState.State,
  actor: Actor,
  payload: Place & { readonly name: string },
  made: ReadonlyArray<EmulatorState.Folder>
): Change =>
  Either.gen(function*() {
    const { environment, path, projectId } = placeOf(payload)
    const project = yield* Access.findProject(state, actor, projectId)
    yield* Access.openFolder(project, actor, "create", environment, path)
    if (!project.environments.includes(environment)) {
      return yield* Either.left(Answer.folderEnvironmentNotFound("Create folder", environment))
    }
    const target = payload.name === "" ? path : pathIn(path, payload.name)
    // A real server makes a folder of a name with a slash, which then nobody finds: here it has no place.
    if (target !== path && !World.isFolderName(payload.name)) return yield* Either.left(Answer.folderPathInvalid)
    const next = made.reduce(
      (next, folder) =>
        HashMap.get(next.projects, projectId).pipe(
          Option.filter((project) => Option.isNone(EmulatorState.findFolder(project, environment, folder.path))),
          Option.match({ onNone: () => next, onSome: (project) => EmulatorState.putFolder(next, project, folder) })
        ),
      state
    )
    const grown = yield* Access.findProject(next, actor, projectId)
    const folder = yield* Access.existing(EmulatorState.findFolder(grown, environment, target), environment, target)
    return [Answer.ok({ folder: shown(grown, folder) }), next]
  })

const findById = (
  project: EmulatorState.Project,
  environment: string,
  id: string,
  wanted: "Update folder" | "Delete folder"
): Refusable<EmulatorState.Folder> =>
  Either.fromNullable(
    HashMap.toValues(project.folders).find((folder) =>
      folder.id === id && folder.environment === environment && folder.path !== "/"
    ),
    () => Answer.folderToWriteNotFound(wanted, id)
  )

/** A folder with all folders in it. */
export const within = (project: EmulatorState.Project, { environment, path }: EmulatorState.Folder) =>
  HashMap.toValues(project.folders).filter((folder) =>
    folder.environment === environment && (folder.path === path || folder.path.startsWith(`${path}/`))
  )

/** `PATCH /api/v1/folders/:id`: what is in it moves along, and so does what imports it. */
export const rename = (
  state: EmulatorState.State,
  actor: Actor,
  id: string,
  payload: Place & { readonly name: string },
  time: string
): Change =>
  Either.gen(function*() {
    const { environment, path, projectId } = placeOf(payload)
    const project = yield* Access.findProject(state, actor, projectId)
    yield* Access.openFolder(project, actor, "edit", environment, path)
    const folder = yield* findById(project, environment, id, "Update folder")
    const target = pathIn(parentOf(folder.path), payload.name)
    if (!World.isFolderName(payload.name)) return yield* Either.left(Answer.folderPathInvalid)
    if (Option.isSome(EmulatorState.findFolder(project, environment, target)) && target !== folder.path) {
      return yield* Either.left(Answer.folderExists(payload.name, parentOf(folder.path)))
    }
    const moved = (path: string) =>
      path === folder.path || path.startsWith(`${folder.path}/`) ? `${target}${path.slice(folder.path.length)}` : path
    const moving = within(project, folder)
    const withoutThem = EmulatorState.removeFolders(state, project, moving)
    const withThem = moving.reduce(
      (next, one) =>
        HashMap.get(next.projects, projectId).pipe(
          Option.match({
            onNone: () => next,
            onSome: (project) =>
              EmulatorState.putFolder(next, project, {
                ...one,
                path: moved(one.path),
                ...(one.id === id && { version: one.version + 1, updatedAt: time })
              })
          })
        ),
      withoutThem
    )
    const next = HashMap.get(withThem.projects, projectId).pipe(
      Option.match({
        onNone: () => withThem,
        onSome: (project) =>
          HashMap.toValues(project.folders).reduce((next, one) =>
            one.imports.some((from) => from.environment === environment && moved(from.path) !== from.path)
              ? EmulatorState.putFolder(next, Option.getOrElse(HashMap.get(next.projects, projectId), () => project), {
                ...one,
                imports: one.imports.map((from) =>
                  from.environment === environment ? { ...from, path: moved(from.path) } : from
                )
              })
              : next, withThem)
      })
    )
    const changed = yield* Access.findProject(next, actor, projectId)
    const renamed = yield* Access.existing(EmulatorState.findFolder(changed, environment, target), environment, target)
    return [Answer.ok({ folder: shown(changed, renamed) }), next]
  })

/** `DELETE /api/v1/folders/:id`: with everything in it. */
export const remove = (state: EmulatorState.State, actor: Actor, id: string, payload: Place): Change =>
  Either.gen(function*() {
    const { environment, path, projectId } = placeOf(payload)
    const project = yield* Access.findProject(state, actor, projectId)
    yield* Access.openFolder(project, actor, "delete", environment, path)
    const folder = yield* findById(project, environment, id, "Delete folder")
    return [
      Answer.ok({ folder: shown(project, folder) }),
      EmulatorState.removeFolders(state, project, within(project, folder))
    ]
  })

/** The folders that a new one needs above it, and itself. */
export const pathOfNew = ({ name, path }: { readonly name: string; readonly path?: string | undefined }): string =>
  name === "" ? path ?? "/" : pathIn(path ?? "/", name)
