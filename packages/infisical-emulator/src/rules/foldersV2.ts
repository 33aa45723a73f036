/** What the routes of folders of v2 do to the state, where that is not what v1 does. */
import * as Either from "effect/Either"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Answer from "../eras/Answer.js"
import * as EmulatorState from "../state/EmulatorState.js"
import * as World from "../world/World.js"
import * as Access from "./access.js"
import type { Actor } from "./authentication.js"
import * as Folders from "./folders.js"

/** A request of v2 says `projectId`. */
export const placeOfV2 = <A extends { readonly projectId: string }>(request: A) => ({
  ...request,
  workspaceId: request.projectId
})

/** A folder with its path, as writes answer. */
const withPath = (project: EmulatorState.Project, folder: EmulatorState.Folder) => ({
  ...Folders.shown(project, folder),
  path: folder.path
})

/** `GET /api/v2/folders`: whatever the scopes of the credential are. Of a folder that does not exist it is empty. */
export const list = (
  state: EmulatorState.State,
  actor: Actor,
  query: Folders.Place & { readonly recursive?: "true" | "false" | undefined }
): Folders.Refusable<Answer.Answer> =>
  Either.gen(function*() {
    const { environment, path, projectId } = Folders.placeOf(query)
    const project = yield* Access.findProject(state, actor, projectId)
    if (!project.environments.includes(environment)) {
      return yield* Either.left(Answer.folderEnvironmentNotFound("get folders", environment, projectId))
    }
    const parent = Option.getOrUndefined(EmulatorState.findFolder(project, environment, path))
    if (parent === undefined) return Answer.ok({ folders: [] })
    const below = HashMap.toValues(project.folders)
      .filter((folder) => folder.environment === environment && isBelow(folder.path, parent.path))
      .toSorted((left, right) => left.path < right.path ? -1 : 1)
    return Answer.ok({
      folders: query.recursive === "true"
        ? below.map((folder) => ({
          ...Folders.shown(project, folder),
          relativePath: parent.path === "/" ? folder.path : folder.path.slice(parent.path.length)
        }))
        : below
          .filter((folder) => Folders.samePath(Folders.parentOf(folder.path), parent.path))
          .map((folder) => Folders.shown(project, folder))
    })
  })

const isBelow = (path: string, parent: string): boolean =>
  path !== parent && path.startsWith(parent === "/" ? "/" : `${parent}/`)

/** `POST /api/v2/folders`: with those above it. */
export const create = (
  state: EmulatorState.State,
  actor: Actor,
  payload: Folders.Place & { readonly name: string },
  made: ReadonlyArray<EmulatorState.Folder>
): Folders.Change =>
  Either.gen(function*() {
    const { environment, path, projectId } = Folders.placeOf(payload)
    const name = payload.name.trim()
    if (!World.isFolderName(name)) return yield* Either.left(Answer.folderNameInvalid)
    const project = yield* Access.findProject(state, actor, projectId)
    yield* Access.openFolder(state, project, actor, "create", environment, path)
    const target = Folders.pathIn(path, name)
    if (Option.isSome(EmulatorState.findFolder(project, environment, target))) {
      return yield* Either.left(Answer.folderExists(name, path))
    }
    const [, next] = yield* Folders.create(state, actor, { ...payload, name }, made)
    const grown = yield* Access.findProject(next, actor, projectId)
    const folder = yield* Access.existing(
      EmulatorState.findFolder(grown, environment, target),
      environment,
      target,
      "NotFound"
    )
    return [Answer.ok({ folder: withPath(grown, folder) }), next]
  })

/** `PATCH /api/v2/folders/:id`: what is in it moves along, and so does what imports it. */
export const rename = (
  state: EmulatorState.State,
  actor: Actor,
  id: string,
  payload: Folders.Place & { readonly name: string },
  time: string
): Folders.Change =>
  Either.gen(function*() {
    const name = payload.name.trim()
    if (!World.isFolderName(name)) return yield* Either.left(Answer.folderNameInvalid)
    const { environment, path, projectId } = Folders.placeOf(payload)
    const [, next] = yield* Folders.rename(state, actor, id, { ...payload, name }, time)
    const changed = yield* Access.findProject(next, actor, projectId)
    const target = Folders.pathIn(path, name)
    const folder = yield* Access.existing(
      EmulatorState.findFolder(changed, environment, target),
      environment,
      target,
      "NotFound"
    )
    return [Answer.ok({ folder: withPath(changed, folder) }), next]
  })

/** `DELETE /api/v2/folders/:idOrName`: a folder with secrets or folders in it only where it is forced. */
export const remove = (
  state: EmulatorState.State,
  actor: Actor,
  idOrName: string,
  payload: Folders.Place & { readonly forceDelete?: boolean | undefined }
): Folders.Change =>
  Either.gen(function*() {
    const { environment, path, projectId } = Folders.placeOf(payload)
    const project = yield* Access.findProject(state, actor, projectId)
    yield* Access.openFolder(state, project, actor, "delete", environment, path)
    const inParent = HashMap.toValues(project.folders).filter((folder) =>
      folder.environment === environment && folder.path !== "/" &&
      Folders.samePath(Folders.parentOf(folder.path), path)
    )
    const folder = yield* Either.fromNullable(
      inParent.find((one) => Folders.nameOf(one.path) === idOrName) ?? inParent.find(({ id }) => id === idOrName),
      () => Answer.folderToDeleteNotFound(idOrName)
    )
    const content = Folders.within(project, folder)
    if (payload.forceDelete !== true && (content.length > 1 || folder.secrets.length > 0)) {
      return yield* Either.left(Answer.folderNotEmpty(Folders.nameOf(folder.path)))
    }
    return [
      Answer.ok({ folder: Folders.shown(project, folder) }),
      EmulatorState.removeFolders(state, project, content)
    ]
  })
