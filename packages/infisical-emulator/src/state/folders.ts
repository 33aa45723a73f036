/**
 * Folders of a project.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import type * as Option from "effect/Option"
import * as Identifier from "../support/identifier.js"
import * as World from "../world/World.js"
import type { Folder, Project, State } from "./model.js"

/**
 * The project of an id.
 *
 * @since 0.1.0
 * @category getters
 */
export const findProject = (state: State, projectId: string): Option.Option<Project> =>
  HashMap.get(state.projects, projectId)

/**
 * The folder at a path. Empty names along it do not count, as on the server.
 *
 * @since 0.1.0
 * @category getters
 */
export const findFolder = (project: Project, environment: string, path: string): Option.Option<Folder> =>
  HashMap.get(project.folders, folderKey(environment, path))

/**
 * Puts a folder in the place of the one that was there.
 *
 * @since 0.1.0
 * @category combinators
 */
export const putFolder = (state: State, project: Project, folder: Folder): State => ({
  ...state,
  projects: HashMap.set(state.projects, project.id, withFolder(project, folder))
})

/**
 * Takes folders away.
 *
 * @since 0.1.0
 * @category combinators
 */
export const removeFolders = (state: State, project: Project, folders: ReadonlyArray<Folder>): State => ({
  ...state,
  projects: HashMap.set(state.projects, project.id, {
    ...project,
    folders: folders.reduce(
      (all, { environment, path }) => HashMap.remove(all, folderKey(environment, path)),
      project.folders
    )
  })
})

const folderKey = (environment: string, path: string): string => JSON.stringify([environment, ...World.segments(path)])

export const withFolder = (project: Project, folder: Folder): Project => ({
  ...project,
  folders: HashMap.set(project.folders, folderKey(folder.environment, folder.path), folder)
})

/**
 * Folders without secrets yet, with the root and those above them.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeFolders = (
  described: ReadonlyArray<readonly [path: string, folder: World.Folder]>,
  environment: string
): Effect.Effect<ReadonlyArray<Folder>> => {
  const byPath = new Map(described)
  const paths = new Set(
    ["/", ...byPath.keys()].flatMap((path) => {
      const names = World.segments(path)
      return ["/", ...names.map((_, index) => `/${names.slice(0, index + 1).join("/")}`)]
    })
  )
  return Effect.forEach(paths, (path) => {
    const folder = byPath.get(path)
    return Effect.gen(function*() {
      const time = yield* Identifier.now
      const imports = yield* Effect.forEach(
        folder?.imports ?? [],
        (one) => Effect.map(Identifier.uuid, (id) => ({ ...one, id, createdAt: time, updatedAt: time }))
      )
      return {
        id: folder?.id ?? (yield* Identifier.uuid),
        version: 1,
        environment,
        path,
        secrets: [],
        deleted: [],
        imports,
        createdAt: time,
        updatedAt: time
      }
    })
  })
}
