/** What the routes of imports do to the state. Plain functions: callers bring ids and the time. */
import * as Either from "effect/Either"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Answer from "../eras/Answer.js"
import * as EmulatorState from "../state/EmulatorState.js"
import type * as World from "../world/World.js"
import * as Access from "./access.js"
import type { Actor } from "./authentication.js"
import { type Change, environmentName, type Place, placeOf, type Refusable, samePath } from "./folders.js"

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
    name: environmentName(one.environment),
    slug: one.environment,
    id: project.environmentIds[one.environment]
  }
})

/** `GET /api/v1/secret-imports` */
export const listImports = (state: EmulatorState.State, actor: Actor, query: Place): Refusable<Answer.Answer> =>
  Either.gen(function*() {
    const { environment, path, projectId } = placeOf(query)
    const project = yield* Access.findProject(state, actor, projectId)
    const folder = yield* Either.fromOption(
      yield* Access.openFolder(state, project, actor, "read", environment, path),
      () => Answer.importingFolderNotFound("Get imports", environment, path)
    )
    return Answer.ok({
      message: "Successfully fetched secret imports",
      secretImports: folder.imports.map((one, index) => shownImport(project, folder, one, index + 1))
    })
  })

/** Whether the source of an import imports the folder in turn. */
const isImportedBy = (project: EmulatorState.Project, source: World.Import, folder: World.Import): boolean =>
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
    const project = yield* Access.findProject(state, actor, projectId)
    const opened = yield* Access.openFolder(state, project, actor, "create", environment, path)
    if (!Access.isAllowed(project, actor, "create", source.environment, source.path)) {
      return yield* Either.left(Answer.permissionDenied("create"))
    }
    const folder = yield* Either.fromOption(opened, () =>
      Answer.importingFolderNotFound("Create import", environment, path))
    if (!project.environments.includes(source.environment)) {
      return yield* Either.left(Answer.importedEnvironmentNotFound)
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

/** `GET /api/v1/secret-imports/:id`: with where it is. */
export const getImport = (state: EmulatorState.State, actor: Actor, id: string): Refusable<Answer.Answer> =>
  Either.gen(function*() {
    const found = HashMap.toValues(state.projects).flatMap((project) =>
      HashMap.toValues(project.folders).flatMap((folder) =>
        folder.imports.flatMap((one, index) =>
          one.id === id ? [{ folder, one, position: index + 1, project }] : []
        )
      )
    )[0]
    if (found === undefined) return yield* Either.left(Answer.importByIdNotFound(id))
    const { folder, one, position, project } = found
    yield* Access.findProject(state, actor, project.id)
    yield* Access.openFolder(state, project, actor, "read", folder.environment, folder.path)
    const shown = shownImport(project, folder, one, position)
    const { id: environmentId, name, slug } = shown.importEnv
    return Answer.ok({
      secretImport: {
        ...shown,
        environment: { id: environmentId, name, slug },
        projectId: project.id,
        secretPath: folder.path
      }
    })
  })

/** An import of a folder that the actor may change, and where it is among them. */
const openImport = (
  state: EmulatorState.State,
  actor: Actor,
  id: string,
  payload: Place,
  action: "edit" | "delete"
) =>
  Either.gen(function*() {
    const { environment, path, projectId } = placeOf(payload)
    const project = yield* Access.findProject(state, actor, projectId)
    const isUpdate = action === "edit"
    const folder = yield* Either.fromOption(
      yield* Access.openFolder(state, project, actor, action, environment, path),
      () => Answer.importingFolderNotFound(isUpdate ? "Update import" : "Delete import", environment, path)
    )
    const position = folder.imports.findIndex((one) => one.id === id)
    if (position < 0 && !isId.test(id)) {
      return yield* Either.left(Answer.importIdInvalid(isUpdate ? "Find one" : "Delete"))
    }
    const one = yield* Either.fromNullable(
      folder.imports[position],
      () => Answer.importNotFound(isUpdate ? "Sec imp update" : "Sec imp del", folder.id)
    )
    return { folder, one, position, project }
  })

const isId = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** What of an import is changed. */
export interface Changed {
  readonly environment?: string | undefined
  readonly path?: string | undefined
  readonly position?: number | undefined
}

/** `PATCH /api/v1/secret-imports/:id`: moves it among the others, or imports another folder by it. */
export const updateImport = (
  state: EmulatorState.State,
  actor: Actor,
  id: string,
  payload: Place & { readonly import: Changed },
  time: string
): Change =>
  Either.gen(function*() {
    const { folder, one, position, project } = yield* openImport(state, actor, id, payload, "edit")
    const source = placeOf({
      workspaceId: project.id,
      environment: payload.import.environment ?? one.environment,
      path: payload.import.path ?? one.path
    })
    if (!project.environments.includes(source.environment)) {
      return yield* Either.left(Answer.importedEnvironmentNotFound)
    }
    if (isImportedBy(project, source, folder)) return yield* Either.left(Answer.importCyclic)
    const changed = { ...one, environment: source.environment, path: source.path, updatedAt: time }
    const others = folder.imports.filter((other) => other !== one)
    const target = Math.min(Math.max(payload.import.position ?? position + 1, 1), folder.imports.length)
    const imports = [...others.slice(0, target - 1), changed, ...others.slice(target - 1)]
    return [
      Answer.ok({
        message: "Successfully updated secret import",
        secretImport: shownImport(project, folder, changed, target)
      }),
      EmulatorState.putFolder(state, project, { ...folder, imports })
    ]
  })

/** `DELETE /api/v1/secret-imports/:id`: those after it move up. */
export const removeImport = (state: EmulatorState.State, actor: Actor, id: string, payload: Place): Change =>
  Either.gen(function*() {
    const { folder, one, position, project } = yield* openImport(state, actor, id, payload, "delete")
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
