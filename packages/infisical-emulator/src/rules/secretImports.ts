/** What the routes of imports do to the state. Plain functions: callers bring ids and the time. */
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Answer from "../eras/Answer.js"
import * as EmulatorState from "../state/EmulatorState.js"
import type * as World from "../world/World.js"
import * as Access from "./access.js"
import type { Actor } from "./authentication.js"
import { type Change, type Place, placeOf, type Refusable, samePath } from "./folders.js"

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
    const project = yield* Access.findProject(state, actor, projectId)
    const folder = yield* Either.fromOption(
      yield* Access.openFolder(project, actor, "read", environment, path),
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
    const opened = yield* Access.openFolder(project, actor, "create", environment, path)
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
    const project = yield* Access.findProject(state, actor, projectId)
    const folder = yield* Either.fromOption(
      yield* Access.openFolder(project, actor, "edit", environment, path),
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
      return yield* Either.left(Answer.importedEnvironmentNotFound)
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
    const project = yield* Access.findProject(state, actor, projectId)
    const folder = yield* Either.fromOption(
      yield* Access.openFolder(project, actor, "delete", environment, path),
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
