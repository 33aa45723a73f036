/** What the routes of folders do to the state. Plain functions: callers bring ids and the time. */
import * as Either from "effect/Either"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Answer from "../eras/Answer.js"
import * as Eras from "../eras/eras.js"
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
      return yield* Either.left(Answer.folderEnvironmentNotFound("get folders", environment, projectId))
    }
    if (Option.isNone(Access.lookUp(state, project, environment, path))) return Answer.ok({ folders: [] })
    const folders = HashMap.toValues(project.folders)
      .filter((folder) =>
        folder.environment === environment && folder.path !== "/" && samePath(parentOf(folder.path), path)
      )
      .toSorted((left, right) => left.path < right.path ? -1 : 1)
    return Answer.ok({ folders: folders.map((folder) => shown(project, folder)) })
  })

/** `GET /api/v1/folders/:id`: with where it is. */
export const get = (state: EmulatorState.State, actor: Actor, id: string): Refusable<Answer.Answer> =>
  Either.gen(function*() {
    const found = HashMap.toValues(state.projects).flatMap((project) =>
      HashMap.toValues(project.folders).filter((folder) =>
        folder.id === id
      ).map((folder) => ({ folder, project }))
    )[0]
    if (found === undefined) return yield* Either.left(Answer.folderByIdNotFound(id))
    const { folder, project } = found
    yield* Access.findProject(state, actor, project.id)
    return Answer.ok({
      folder: {
        ...shown(project, folder),
        environment: {
          envId: project.environmentIds[folder.environment],
          envName: environmentName(folder.environment),
          envSlug: folder.environment
        },
        path: folder.path,
        projectId: project.id
      }
    })
  })

/** As a new project has them. */
const environmentNames: Readonly<Record<string, string>> = {
  dev: "Development",
  staging: "Staging",
  prod: "Production"
}

/** What an environment is called. */
export const environmentName = (slug: string): string => environmentNames[slug] ?? slug

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
    yield* Access.openFolder(state, project, actor, "create", environment, path)
    if (!project.environments.includes(environment)) {
      return yield* Either.left(Answer.folderEnvironmentNotFound("Create folder", environment, projectId))
    }
    const name = payload.name.trim()
    const target = name === "" ? path : pathIn(path, name)
    // A real server makes a folder of a name with a slash, which cannot be found again: here it is refused.
    if (target !== path && !World.isFolderName(name)) return yield* Either.left(Answer.folderPathInvalid)
    if (
      Eras.does(state, "folderExists") === "refused" &&
      Option.isSome(EmulatorState.findFolder(project, environment, target))
    ) {
      return yield* Either.left(Answer.folderExists(name, path))
    }
    const next = made.reduce(
      (next, folder) =>
        HashMap.get(next.projects, projectId).pipe(
          Option.filter((project) => Option.isNone(EmulatorState.findFolder(project, environment, folder.path))),
          Option.match({ onNone: () => next, onSome: (project) => EmulatorState.putFolder(next, project, folder) })
        ),
      state
    )
    const grown = yield* Access.findProject(next, actor, projectId)
    const folder = yield* Access.existing(
      EmulatorState.findFolder(grown, environment, target),
      environment,
      target,
      "NotFound"
    )
    return [Answer.ok({ folder: shown(grown, folder) }), next]
  })

/** A folder below a path, by its id or its name. */
const findByIdOrName = (
  project: EmulatorState.Project,
  { environment, path }: { readonly environment: string; readonly path: string },
  idOrName: string
): Option.Option<EmulatorState.Folder> =>
  Option.fromNullable(
    HashMap.toValues(project.folders).find((folder) =>
      folder.environment === environment && folder.path !== "/" && samePath(parentOf(folder.path), path) &&
      (folder.id === idOrName || nameOf(folder.path) === idOrName)
    )
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
    yield* Access.openFolder(state, project, actor, "edit", environment, path)
    const folder = yield* Either.fromOption(
      findByIdOrName(project, { environment, path }, id),
      () => Answer.folderToRenameNotFound(id)
    )
    const target = pathIn(parentOf(folder.path), payload.name)
    if (payload.name.includes("/")) return yield* Either.left(Answer.folderPathInvalid)
    if (Option.isSome(EmulatorState.findFolder(project, environment, target)) && target !== folder.path) {
      return yield* Either.left(Answer.newFolderNameTaken)
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
                ...(one.id === folder.id && { version: one.version + 1, updatedAt: time })
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
    const renamed = yield* Access.existing(
      EmulatorState.findFolder(changed, environment, target),
      environment,
      target,
      "NotFound"
    )
    return [Answer.ok({ folder: shown(changed, renamed) }), next]
  })

/** `DELETE /api/v1/folders/:id`, or its name: with everything in it. */
export const remove = (state: EmulatorState.State, actor: Actor, id: string, payload: Place): Change =>
  Either.gen(function*() {
    const { environment, path, projectId } = placeOf(payload)
    const project = yield* Access.findProject(state, actor, projectId)
    yield* Access.openFolder(state, project, actor, "delete", environment, path)
    const folder = yield* Either.fromOption(
      findByIdOrName(project, { environment, path }, id),
      () => Answer.folderToDeleteNotFound(id)
    )
    return [
      Answer.ok({ folder: shown(project, folder) }),
      EmulatorState.removeFolders(state, project, within(project, folder))
    ]
  })

/** The folders that a new one needs above it, and itself. */
export const pathOfNew = ({ name, path }: { readonly name: string; readonly path?: string | undefined }): string =>
  name.trim() === "" ? path ?? "/" : pathIn(path ?? "/", name.trim())
