/**
 * Checks a description and fills in its defaults.
 *
 * @since 0.1.0
 */
import * as Array from "effect/Array"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { fromParseError, type Mistake, mistake, WorldError } from "./mistakes.js"
import { isFolderPath } from "./paths.js"
import type { Identity, Role, ServiceToken } from "./schemas.js"
import { Folder, type Input, Project, World } from "./schemas.js"
import * as Served from "./wireRoutes.js"

/**
 * The name of the project and of the service token that exist where none are described.
 *
 * @since 0.1.0
 * @category constants
 */
export const mainName = "main"

/**
 * Checks a world and fills in what it leaves out, except for what has to be generated.
 *
 * Fails with `WorldError`, which names every mistake and its place.
 *
 * @since 0.1.0
 * @category constructors
 */
export const decode = (input: Input): Effect.Effect<World, WorldError> =>
  Schema.decodeUnknown(World, { errors: "all", onExcessProperty: "error" })(input).pipe(
    Effect.mapError((error) => new WorldError({ mistakes: fromParseError(error) })),
    Effect.map(expandShortcut),
    Effect.filterOrFail(
      (world) => mistakesOf(world).length === 0,
      (world) => new WorldError({ mistakes: mistakesOf(world) })
    )
  )

/**
 * The name of the project that a service token belongs to, if that is clear.
 *
 * @since 0.1.0
 * @category getters
 */
export const projectOf = (world: World, token: ServiceToken): Option.Option<string> => {
  const names = Object.keys(world.projects)
  const only = names.length === 1 ? names[0] : undefined
  const name = token.project ?? (names.includes(mainName) ? mainName : only)
  return name !== undefined && names.includes(name) ? Option.some(name) : Option.none()
}

/**
 * A project that a machine identity is described to be a member of, and what it may do there.
 *
 * @since 0.1.0
 * @category models
 */
export interface Membership {
  /** Where it is said. */
  readonly key: PropertyKey
  /** The project's name. */
  readonly project: string
  readonly role: Role
}

/**
 * The projects that a machine identity is a member of: where it says nothing, all of these.
 *
 * @since 0.1.0
 * @category getters
 */
export const membershipsOf = (
  { projects, role }: Identity,
  all: ReadonlyArray<string>
): ReadonlyArray<Membership> =>
  projects === undefined || isList(projects)
    ? (projects ?? all).map((project, key) => ({ key, project, role }))
    : Object.entries(projects).map(([project, role]) => ({ key: project, project, role }))

const isList = (projects: NonNullable<Identity["projects"]>): projects is ReadonlyArray<string> =>
  Array.isArray(projects)

// `secrets` becomes a part of the project `main`, so that everything after this knows one form only.
const expandShortcut = (world: World): World => {
  const { secrets: shortcut } = world
  if (Object.keys(shortcut).length === 0 && Object.keys(world.projects).length > 0) return world
  const main = world.projects[mainName] ?? Project.make({})
  const dev = main.folders["dev"] ?? {}
  const root = dev["/"] ?? Folder.make({})
  return {
    ...world,
    projects: {
      ...world.projects,
      [mainName]: {
        ...main,
        folders: { ...main.folders, dev: { ...dev, "/": { ...root, secrets: { ...shortcut, ...root.secrets } } } }
      }
    }
  }
}

const mistakesOf = (world: World): ReadonlyArray<Mistake> => {
  const mistakes: Array<Mistake> = []
  const report = (path: ReadonlyArray<PropertyKey>, problem: string) => {
    mistakes.push(mistake(path, problem))
  }

  const places = new Map<string, ReadonlyArray<PropertyKey>>()
  const unique = (path: ReadonlyArray<PropertyKey>, id: string | undefined) => {
    if (id === undefined) return
    const other = places.get(id)
    if (other === undefined) places.set(id, path)
    else report(path, `is the same as ${mistake(other, "").place}`)
  }

  for (const route of Object.keys(world.rateLimit?.routes ?? {})) {
    const [method = "", path = ""] = route.split(" ")
    if (!Served.isServed(path, method)) {
      report(
        ["rateLimit", "routes", route],
        "must be a method and the pattern of a route, such as \"GET /api/v3/secrets/:secretName\""
      )
    }
  }

  for (const [projectName, project] of Object.entries(world.projects)) {
    unique(["projects", projectName, "id"], project.id)
    if (project.engine === "v2" && (project.endToEndEncrypted || world.era === "2024-07")) {
      report(
        ["projects", projectName, "engine"],
        project.endToEndEncrypted
          ? "must be v1 where the project is end-to-end encrypted"
          : "must be v1 on a server of 2024-07"
      )
    }
    const known = `must be one of the project's environments: ${project.environments.join(", ")}`
    for (const [environment, folders] of Object.entries(project.folders)) {
      const place = ["projects", projectName, "folders", environment]
      if (!project.environments.includes(environment)) report(place, known)
      for (const [path, folder] of Object.entries(folders)) {
        if (!isFolderPath(path)) {
          report([...place, path], "must be a path of letters, digits, dashes and underscores, such as \"/folder\"")
        }
        unique([...place, path, "id"], folder.id)
        folder.imports.forEach((one, position) => {
          if (!project.environments.includes(one.environment)) {
            report([...place, path, "imports", position, "environment"], known)
          }
          if (!isFolderPath(one.path)) {
            report([...place, path, "imports", position, "path"], "must be a path, such as \"/folder\"")
          }
        })
        for (const [name, secret] of Object.entries(folder.secrets)) {
          if (name !== name.trim() || name === "") {
            report([...place, path, "secrets", name], "must be a name without space around it")
          }
          if (typeof secret !== "string") {
            unique([...place, path, "secrets", name, "id"], secret.id)
            secret.tags?.forEach((slug, index) => {
              if (project.tags[slug] === undefined) {
                report([...place, path, "secrets", name, "tags", index], "must be the slug of a tag of the project")
              }
            })
          }
          for (const user of Object.keys(typeof secret === "string" ? {} : secret.personal ?? {})) {
            if (world.users[user] === undefined) {
              report([...place, path, "secrets", name, "personal", user], "must be the name of one of the users")
            }
          }
        }
      }
    }
  }

  for (const [name, identity] of Object.entries(world.identities)) {
    const place = ["identities", name]
    unique([...place, "id"], identity.id)
    unique([...place, "clientId"], identity.clientId)
    for (const { key, project } of membershipsOf(identity, [])) {
      if (world.projects[project] === undefined) {
        report([...place, "projects", key], `must be one of the projects: ${Object.keys(world.projects).join(", ")}`)
      }
    }
    const { accessTokenMaxTTL, accessTokenTTL } = identity
    if (accessTokenMaxTTL !== undefined && accessTokenMaxTTL > 0 && accessTokenMaxTTL < accessTokenTTL) {
      report([...place, "accessTokenMaxTTL"], "must not be less than accessTokenTTL")
    }
  }

  world.approvalPolicies.forEach(({ project }, index) => {
    if (project !== undefined && world.projects[project] === undefined) {
      report(
        ["approvalPolicies", index, "project"],
        `must be one of the projects: ${Object.keys(world.projects).join(", ")}`
      )
    }
  })

  for (const [name, user] of Object.entries(world.users)) {
    unique(["users", name, "id"], user.id)
    unique(["users", name, "jwt"], user.jwt)
  }

  for (const [name, token] of Object.entries(world.serviceTokens)) {
    const place = ["serviceTokens", name]
    // Two tokens of one id would be one; of a v3 token the whole says which it is.
    unique([...place, "token"], token.version === "v2" ? token.token?.split(".")[1] : token.token)
    const project = Option.map(projectOf(world, token), (projectName) => world.projects[projectName])
    if (Option.isNone(project)) {
      report([...place, "project"], `must be one of the projects: ${Object.keys(world.projects).join(", ")}`)
    }
    if (token.expiresAt !== undefined && token.ttl !== undefined) report(place, "has both expiresAt and ttl: give one")
    token.scopes?.forEach((scope, index) => {
      const environments = Option.getOrUndefined(project)?.environments ?? [scope.environment]
      if (!environments.includes(scope.environment)) {
        report(
          [...place, "scopes", index, "environment"],
          `must be one of the project's environments: ${environments.join(", ")}`
        )
      }
    })
  }
  return mistakes
}
