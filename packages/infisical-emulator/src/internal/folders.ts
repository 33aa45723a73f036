/**
 * What the routes of folders and of their imports do to the state. Plain functions: whoever calls them brings ids and
 * the time.
 */
import * as Either from "effect/Either"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Answer from "../Answer.js"
import * as EmulatorState from "../EmulatorState.js"
import * as World from "../World.js"
import type { Actor } from "./authentication.js"
import * as Secrets from "./secrets.js"

/** The place of a request, as it is in its query or body. */
export interface Place {
  readonly workspaceId: string
  readonly environment: string
  readonly path?: string | undefined
}

type Refusable<A> = Either.Either<A, Answer.Answer>

type Change = Refusable<readonly [answer: Answer.Answer, state: EmulatorState.State]>

const placeOf = ({ environment, path, workspaceId }: Place) =>
  Secrets.placeOf({ workspaceId, environment, secretPath: path })

const parentOf = (path: string): string => `/${World.segments(path).slice(0, -1).join("/")}`

const nameOf = (path: string): string => World.segments(path).at(-1) ?? "root"

const pathIn = (path: string, name: string): string => `/${[...World.segments(path), name].join("/")}`

const shown = (project: EmulatorState.Project, folder: EmulatorState.Folder) => ({
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
    const project = yield* Secrets.findProject(state, actor, projectId)
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

const samePath = (left: string, right: string): boolean =>
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
    const project = yield* Secrets.findProject(state, actor, projectId)
    yield* Secrets.openFolder(project, actor, "create", environment, path)
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
    const grown = yield* Secrets.findProject(next, actor, projectId)
    const folder = yield* Secrets.existing(EmulatorState.findFolder(grown, environment, target), environment, target)
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

const within = (project: EmulatorState.Project, { environment, path }: EmulatorState.Folder) =>
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
    const project = yield* Secrets.findProject(state, actor, projectId)
    yield* Secrets.openFolder(project, actor, "edit", environment, path)
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
    const changed = yield* Secrets.findProject(next, actor, projectId)
    const renamed = yield* Secrets.existing(EmulatorState.findFolder(changed, environment, target), environment, target)
    return [Answer.ok({ folder: shown(changed, renamed) }), next]
  })

/** `DELETE /api/v1/folders/:id`: with everything in it. */
export const remove = (state: EmulatorState.State, actor: Actor, id: string, payload: Place): Change =>
  Either.gen(function*() {
    const { environment, path, projectId } = placeOf(payload)
    const project = yield* Secrets.findProject(state, actor, projectId)
    yield* Secrets.openFolder(project, actor, "delete", environment, path)
    const folder = yield* findById(project, environment, id, "Delete folder")
    return [
      Answer.ok({ folder: shown(project, folder) }),
      EmulatorState.removeFolders(state, project, within(project, folder))
    ]
  })

const shownImport = (
  project: EmulatorState.Project,
  folder: EmulatorState.Folder,
  one: EmulatorState.Import,
  position: number
) => ({
  id: one.id,
  version: 1,
  importPath: one.path,
  position,
  createdAt: one.createdAt,
  updatedAt: one.updatedAt,
  folderId: folder.id,
  isReplication: false,
  isReplicationSuccess: null,
  replicationStatus: null,
  lastReplicated: null,
  isReserved: false,
  importEnv: {
    name: environmentNames[one.environment] ?? one.environment,
    slug: one.environment,
    id: project.environmentIds[one.environment]
  }
})

/** As a new project has them. */
const environmentNames: Readonly<Record<string, string>> = {
  dev: "Development",
  staging: "Staging",
  prod: "Production"
}

/** `GET /api/v1/secret-imports` */
export const listImports = (state: EmulatorState.State, actor: Actor, query: Place): Refusable<Answer.Answer> =>
  Either.gen(function*() {
    const { environment, path, projectId } = placeOf(query)
    const project = yield* Secrets.findProject(state, actor, projectId)
    const folder = yield* Either.fromOption(
      yield* Secrets.openFolder(project, actor, "read", environment, path),
      () => Answer.importingFolderNotFound("Get imports", environment, path)
    )
    return Answer.ok({
      message: "Successfully fetched secret imports",
      secretImports: folder.imports.map((one, index) => shownImport(project, folder, one, index + 1))
    })
  })

interface Location {
  readonly environment: string
  readonly path: string
}

/** Whether the source of an import imports the folder in turn. */
const isImportedBy = (project: EmulatorState.Project, source: Location, folder: Location): boolean =>
  Option.exists(
    EmulatorState.findFolder(project, source.environment, source.path),
    ({ imports }) => imports.some((from) => from.environment === folder.environment && samePath(from.path, folder.path))
  )

/** `POST /api/v1/secret-imports` */
export const createImport = (
  state: EmulatorState.State,
  actor: Actor,
  payload: Place & { readonly import: World.Import },
  made: { readonly id: string; readonly time: string }
): Change =>
  Either.gen(function*() {
    const { environment, path, projectId } = placeOf(payload)
    const source = placeOf({ workspaceId: projectId, ...payload.import })
    const project = yield* Secrets.findProject(state, actor, projectId)
    const opened = yield* Secrets.openFolder(project, actor, "create", environment, path)
    if (!Secrets.isAllowed(project, actor, "create", source.environment, source.path)) {
      return yield* Either.left(Answer.permissionDenied("create"))
    }
    const folder = yield* Either.fromOption(opened, () =>
      Answer.importingFolderNotFound("Create import", environment, path))
    if (!project.environments.includes(source.environment)) {
      return yield* Either.left(Answer.importedEnvironmentNotFound(source.environment))
    }
    const isItself = source.environment === environment && samePath(source.path, path)
    if (!isItself && isImportedBy(project, source, { environment, path })) {
      return yield* Either.left(Answer.importCyclic)
    }
    const one = {
      environment: source.environment,
      path: source.path,
      id: made.id,
      createdAt: made.time,
      updatedAt: made.time
    }
    const imports = [...folder.imports, one]
    return [
      Answer.ok({
        message: "Successfully created secret import",
        secretImport: shownImport(project, folder, one, imports.length)
      }),
      EmulatorState.putFolder(state, project, { ...folder, imports })
    ]
  })

/** `PATCH /api/v1/secret-imports/:id`: another source, another position, or both. */
export const updateImport = (
  state: EmulatorState.State,
  actor: Actor,
  id: string,
  payload: Place & {
    readonly import: {
      readonly environment?: string | undefined
      readonly path?: string | undefined
      readonly position?: number | undefined
    }
  },
  time: string
): Change =>
  Either.gen(function*() {
    const { environment, path, projectId } = placeOf(payload)
    const project = yield* Secrets.findProject(state, actor, projectId)
    const folder = yield* Either.fromOption(
      yield* Secrets.openFolder(project, actor, "edit", environment, path),
      () => Answer.importingFolderNotFound("Update import", environment, path)
    )
    const index = folder.imports.findIndex((one) => one.id === id)
    const one = yield* Either.fromNullable(folder.imports[index], () => Answer.importNotFound)
    const source = placeOf({
      workspaceId: projectId,
      environment: payload.import.environment ?? one.environment,
      path: payload.import.path ?? one.path
    })
    if (!project.environments.includes(source.environment)) {
      return yield* Either.left(Answer.importedEnvironmentNotFound(source.environment))
    }
    if (isImportedBy(project, source, { environment, path })) return yield* Either.left(Answer.importCyclic)
    const changed = { ...one, environment: source.environment, path: source.path, updatedAt: time }
    const others = folder.imports.filter((other) => other !== one)
    const target = payload.import.position === undefined ? index : payload.import.position - 1
    return [
      Answer.ok({
        message: "Successfully updated secret import",
        secretImport: shownImport(project, folder, changed, target + 1)
      }),
      EmulatorState.putFolder(state, project, { ...folder, imports: others.toSpliced(target, 0, changed) })
    ]
  })

/** `DELETE /api/v1/secret-imports/:id`: those after it move up. */
export const removeImport = (state: EmulatorState.State, actor: Actor, id: string, payload: Place): Change =>
  Either.gen(function*() {
    const { environment, path, projectId } = placeOf(payload)
    const project = yield* Secrets.findProject(state, actor, projectId)
    const folder = yield* Either.fromOption(
      yield* Secrets.openFolder(project, actor, "delete", environment, path),
      () => Answer.importingFolderNotFound("Delete import", environment, path)
    )
    const position = folder.imports.findIndex((one) => one.id === id)
    const one = yield* Either.fromNullable(folder.imports[position], () => Answer.importNotFound)
    return [
      Answer.ok({
        message: "Successfully deleted secret import",
        secretImport: shownImport(project, folder, one, position + 1)
      }),
      EmulatorState.putFolder(state, project, {
        ...folder,
        imports: folder.imports.filter((other) => other !== one)
      })
    ]
  })

/** The folders that a new one needs above it, and itself. */
export const pathOfNew = ({ name, path }: { readonly name: string; readonly path?: string | undefined }): string =>
  name === "" ? path ?? "/" : pathIn(path ?? "/", name)
