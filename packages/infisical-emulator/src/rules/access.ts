/** Where a request is about, and whether its actor may go there. */
import * as Either from "effect/Either"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Answer from "../eras/Answer.js"
import * as Eras from "../eras/eras.js"
import * as EmulatorState from "../state/EmulatorState.js"
import * as Glob from "../support/glob.js"
import type * as World from "../world/World.js"
import type { Actor } from "./authentication.js"

/** The place of a request, as it is in its query or body. */
export interface Place {
  readonly workspaceId: string
  readonly environment: string
  readonly secretPath?: string | undefined
}

export type Refusable<A> = Either.Either<A, Answer.Answer>

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
      return Either.fromOption(project, () => Answer.userNotInProject(projectId))
    case "Identity":
      return Either.fromOption(
        Option.filter(project, ({ id }) => actor.identity.roles[id] !== undefined),
        () => Answer.identityNotInProject(projectId)
      )
    default:
      return Either.fromOption(
        Option.filter(project, () => actor.token.projectId === projectId),
        () => Answer.projectNotAuthorized(projectId)
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

/** The folder at a path as it was sent: it begins with a slash, and in most eras has no empty names within. */
export const lookUp = (
  state: EmulatorState.State,
  project: EmulatorState.Project,
  environment: string,
  path: string
): Option.Option<EmulatorState.Folder> =>
  path.startsWith("/") && (Eras.does(state, "ignoresEmptyNames") || !/\/\/./.test(path))
    ? EmulatorState.findFolder(project, environment, path)
    : Option.none()

/** The folder, if there is one: whether that matters is for the route to say. */
export const openFolder = (
  state: EmulatorState.State,
  project: EmulatorState.Project,
  actor: Actor,
  action: Answer.Action,
  environment: string,
  path: string
): Refusable<Option.Option<EmulatorState.Folder>> =>
  !isAllowed(project, actor, action, environment, path)
    ? Either.left(Answer.permissionDenied(action))
    : /^[\w/-]*$/.test(path)
    ? Either.right(lookUp(state, project, environment, path))
    : Either.left(Answer.folderPathInvalid)

/** The folder of a place, without a check of permissions. */
export const folderAt = (state: EmulatorState.State, place: Place): Option.Option<EmulatorState.Folder> => {
  const { environment, path, projectId } = placeOf(place)
  return Option.flatMap(
    EmulatorState.findProject(state, projectId),
    (project) => EmulatorState.findFolder(project, environment, path)
  )
}

export const existing = (
  folder: Option.Option<EmulatorState.Folder>,
  environment: string,
  path: string,
  operation: Answer.Operation
): Refusable<EmulatorState.Folder> =>
  Either.fromOption(folder, () => Answer.folderNotFound(environment, path, operation))

/** The folder and those below it, without those out of scope. By text: in most eras `/folder` finds `/folders`, too. */
export const foldersBelow = (
  state: EmulatorState.State,
  project: EmulatorState.Project,
  actor: Actor,
  environment: string,
  path: string
): Refusable<ReadonlyArray<{ readonly folder: EmulatorState.Folder; readonly path: string }>> => {
  const isBelow = (other: string) =>
    other.startsWith(path) &&
    (path === "/" || other.length === path.length || other[path.length] === "/" ||
      Eras.does(state, "recursiveMatchesPrefix"))
  return project.environments.includes(environment)
    ? Either.right(
      HashMap.toValues(project.folders)
        .filter((folder) =>
          folder.environment === environment && isBelow(folder.path) &&
          isAllowed(project, actor, "read", environment, folder.path)
        )
        .map((folder) => ({ folder, path: folder.path }))
        .toSorted((left, right) => left.path < right.path ? -1 : 1)
    )
    : Either.left(Answer.environmentNotFound(environment, project.id))
}
