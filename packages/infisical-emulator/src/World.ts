/**
 * A plain description of what an emulator holds when it starts: projects with their folders and secrets in plain text,
 * service tokens, users. Everything has a default, so that `{ secrets: { NAME: "value" } }` is a world.
 *
 * Ids, keys and tokens may be given, for a world that has to be the same every time; those that are not are generated.
 *
 * @since 0.1.0
 */
import * as Array from "effect/Array"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { DurationInput } from "./internal/duration.js"
import * as Served from "./internal/served.js"

/**
 * A secret: its value, or its value with what belongs to it.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Secret = Schema.Union(
  Schema.String,
  Schema.Struct({
    value: Schema.String,
    comment: Schema.optional(Schema.String),
    id: Schema.optional(Schema.UUID),
    /** Slugs of tags of the project. */
    tags: Schema.optional(Schema.Array(Schema.String)),
    metadata: Schema.optional(Schema.Record({ key: Schema.String, value: Schema.String })),
    reminder: Schema.optional(Schema.Struct({ repeatDays: Schema.Number, note: Schema.String })),
    /** The values that override it, by the name of the user who alone sees it. */
    personal: Schema.optional(Schema.Record({ key: Schema.String, value: Schema.String }))
  }).annotations({ title: "an object with a value" })
)

/**
 * @since 0.1.0
 * @category models
 */
export type Secret = typeof Secret.Type

/**
 * A folder that is imported. Its environment must exist, it itself need not: a server keeps an import whose source is
 * gone.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Import = Schema.Struct({ environment: Schema.String, path: Schema.String })

/**
 * @since 0.1.0
 * @category models
 */
export type Import = typeof Import.Type

const secrets = Schema.Record({ key: Schema.String, value: Secret })

/**
 * A folder: its secrets by name, and what it imports, in position order.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Folder = Schema.Struct({
  id: Schema.optional(Schema.UUID),
  secrets: Schema.optionalWith(secrets, { default: () => ({}) }),
  imports: Schema.optionalWith(Schema.Array(Import), { default: () => [] })
})

/**
 * @since 0.1.0
 * @category models
 */
export type Folder = typeof Folder.Type

/**
 * A tag of a project.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Tag = Schema.Struct({
  id: Schema.optional(Schema.UUID),
  name: Schema.optional(Schema.String),
  color: Schema.optional(Schema.String)
})

/**
 * @since 0.1.0
 * @category models
 */
export type Tag = typeof Tag.Type

/**
 * A project: the slugs of its environments, and its folders by environment and path.
 *
 * Each environment has the folder `/`, and each folder the ones above it.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Project = Schema.Struct({
  id: Schema.optional(Schema.UUID),
  /** By default its name in the world. */
  slug: Schema.optional(Schema.String),
  /** Whether the server has no key to it (a project of version 1), so that it decrypts none of it. */
  endToEndEncrypted: Schema.optionalWith(Schema.Boolean, { default: () => false }),
  /** The tags that its secrets may have, by slug. */
  tags: Schema.optionalWith(Schema.Record({ key: Schema.String, value: Tag }), { default: () => ({}) }),
  /** The project key: 32 hexadecimal characters, used as text. */
  key: Schema.optional(
    Schema.String.pipe(
      Schema.pattern(/^[0-9a-f]{32}$/, { message: () => "must be 32 hexadecimal characters" })
    )
  ),
  environments: Schema.optionalWith(Schema.Array(Schema.String), { default: () => ["dev", "staging", "prod"] }),
  folders: Schema.optionalWith(
    Schema.Record({ key: Schema.String, value: Schema.Record({ key: Schema.String, value: Folder }) }),
    { default: () => ({}) }
  )
})

/**
 * @since 0.1.0
 * @category models
 */
export type Project = typeof Project.Type

/**
 * Where a service token may read or write: an environment, and a path or a glob of paths (`/`, `/folder/**`, `/**`).
 *
 * @since 0.1.0
 * @category schemas
 */
export const Scope = Schema.Struct({ environment: Schema.String, secretPath: Schema.String })

/**
 * @since 0.1.0
 * @category models
 */
export type Scope = typeof Scope.Type

/**
 * What a service token may do.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Permission = Schema.Literal("read", "write")

/**
 * @since 0.1.0
 * @category models
 */
export type Permission = typeof Permission.Type

/**
 * A service token. Without anything said it is a v2 token that may read and write everywhere and does not expire.
 *
 * @since 0.1.0
 * @category schemas
 */
export const ServiceToken = Schema.Struct({
  /** The project's name; by default `main` if there is one, or else the only one. */
  project: Schema.optional(Schema.String),
  version: Schema.optionalWith(Schema.Literal("v2", "v3"), { default: () => "v2" as const }),
  /** By default every environment of the project, with the path `/**`. */
  scopes: Schema.optional(Schema.Array(Scope)),
  permissions: Schema.optionalWith(Schema.Array(Permission), { default: () => ["read", "write"] as const }),
  /** When it expires, ISO 8601. At most one of this and `ttl`. */
  expiresAt: Schema.optional(
    Schema.DateTimeUtc.annotations({ message: () => "must be a moment, such as \"2030-12-31T23:59:59Z\"" })
  ),
  /** How long after the start it expires. */
  ttl: Schema.optional(DurationInput),
  /** The token itself: `st.<id>.<secret>.<key>`, or for v3 its JSON. */
  token: Schema.optional(Schema.String)
})

/**
 * @since 0.1.0
 * @category models
 */
export type ServiceToken = typeof ServiceToken.Type

/**
 * A user, who is a member of every project and may do everything there.
 *
 * @since 0.1.0
 * @category schemas
 */
export const User = Schema.Struct({
  id: Schema.optional(Schema.UUID),
  email: Schema.optional(Schema.String),
  /** The access token. */
  jwt: Schema.optional(Schema.String)
})

/**
 * @since 0.1.0
 * @category models
 */
export type User = typeof User.Type

/**
 * What a machine identity may do in a project: everything, or read, or nothing.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Role = Schema.Literal("admin", "viewer", "none")

/**
 * @since 0.1.0
 * @category models
 */
export type Role = typeof Role.Type

/**
 * A machine identity. Without anything said it may do everything in every project, and logs in by Universal Auth for
 * tokens of thirty days.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Identity = Schema.Struct({
  id: Schema.optional(Schema.UUID),
  clientId: Schema.optional(Schema.String),
  clientSecret: Schema.optional(Schema.String),
  /** The names of the projects that it is a member of, or its role in each. Default: all. */
  projects: Schema.optional(
    Schema.Union(Schema.Array(Schema.String), Schema.Record({ key: Schema.String, value: Role }))
  ),
  /** Its role in the projects for which none is said. Default: admin. */
  role: Schema.optionalWith(Role, { default: () => "admin" as const }),
  /** Where it may do so. Default: everywhere. */
  scopes: Schema.optional(Schema.Array(Scope)),
  /** The names of the only secrets that it may read, by name, without listing them. */
  readableNames: Schema.optional(Schema.Array(Schema.String)),
  /** Whether it sees that secrets are there, but not their values. Only servers of today know such. */
  hidesValues: Schema.optionalWith(Schema.Boolean, { default: () => false }),
  /** In seconds. Default: 2592000. */
  accessTokenTTL: Schema.optionalWith(Schema.Positive, { default: () => 2_592_000 }),
  /** In seconds. Default: `accessTokenTTL`, so that a token cannot be renewed. */
  accessTokenMaxTTL: Schema.optional(Schema.Positive),
  /** How often a token may be used. Default: 0, which is without limit. */
  accessTokenNumUsesLimit: Schema.optionalWith(Schema.NonNegativeInt, { default: () => 0 }),
  /** The JWTs that it may log in with, which nobody verifies. Default: any. */
  acceptedJwts: Schema.optional(Schema.Array(Schema.String)),
  /** What it may log in with by LDAP. Default: nothing. */
  ldap: Schema.optional(Schema.Struct({ username: Schema.String, password: Schema.String }))
})

/**
 * @since 0.1.0
 * @category models
 */
export type Identity = typeof Identity.Type

/**
 * Where writes are only recorded until somebody approves them.
 *
 * @since 0.1.0
 * @category schemas
 */
export const ApprovalPolicy = Schema.Struct({
  /** The project's name; by default every one. */
  project: Schema.optional(Schema.String),
  environment: Schema.String,
  /** A path, or a glob of paths. */
  secretPath: Schema.String
})

/**
 * @since 0.1.0
 * @category models
 */
export type ApprovalPolicy = typeof ApprovalPolicy.Type

/**
 * The age of the server: one of July 2024, or one of today. They differ in routes, statuses and words.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Era = Schema.Literal("2024-07", "current")

/**
 * @since 0.1.0
 * @category models
 */
export type Era = typeof Era.Type

const PositiveInt = Schema.Int.pipe(Schema.positive({ message: () => "must be a positive number" }))

/**
 * How often the clients of one address may ask one route.
 *
 * @since 0.1.0
 * @category schemas
 */
export const RateLimit = Schema.Struct({
  /** So many requests within the window. */
  limit: PositiveInt,
  /** Default: one minute. */
  window: Schema.optionalWith(DurationInput, { default: () => Duration.minutes(1) }),
  /** What it is for some routes instead, for example `{ "POST /api/v1/auth/universal-auth/login": 200 }`. */
  routes: Schema.optionalWith(Schema.Record({ key: Schema.String, value: PositiveInt }), { default: () => ({}) })
})

/**
 * @since 0.1.0
 * @category models
 */
export type RateLimit = typeof RateLimit.Type

/**
 * A world. Without anything said it has one project `main` with the environments `dev`, `staging` and `prod`, and one
 * service token `main` for all of it.
 *
 * @since 0.1.0
 * @category schemas
 */
export const World = Schema.Struct({
  /** The short way to name the secrets of project `main`, environment `dev`, path `/`. */
  secrets: Schema.optionalWith(secrets, { default: () => ({}) }),
  projects: Schema.optionalWith(Schema.Record({ key: Schema.String, value: Project }), { default: () => ({}) }),
  serviceTokens: Schema.optionalWith(
    Schema.Record({ key: Schema.String, value: ServiceToken }),
    { default: () => ({ main: ServiceToken.make({}) }) }
  ),
  users: Schema.optionalWith(Schema.Record({ key: Schema.String, value: User }), { default: () => ({}) }),
  identities: Schema.optionalWith(Schema.Record({ key: Schema.String, value: Identity }), { default: () => ({}) }),
  approvalPolicies: Schema.optionalWith(Schema.Array(ApprovalPolicy), { default: () => [] }),
  /** Default: none. */
  rateLimit: Schema.optional(RateLimit),
  /** Default `2024-07`. */
  era: Schema.optionalWith(Era, { default: () => "2024-07" as const })
})

/**
 * @since 0.1.0
 * @category models
 */
export type World = typeof World.Type

/**
 * A world as it is written.
 *
 * @since 0.1.0
 * @category models
 */
export type Input = typeof World.Encoded

/**
 * One mistake: its place, for example `projects.main.folders.dev["/"].imports[0].environment`, and what is wrong there.
 *
 * @since 0.1.0
 * @category models
 */
export interface Mistake {
  readonly place: string
  readonly problem: string
}

/**
 * A mistake at the place that these keys lead to.
 *
 * @since 0.1.0
 * @category constructors
 */
export const mistake = (path: ReadonlyArray<PropertyKey>, problem: string): Mistake => ({
  place: path.map((key, index) =>
    /^\d+$/.test(String(key))
      ? `[${String(key)}]`
      : /^\w+$/.test(String(key))
      ? `${index === 0 ? "" : "."}${String(key)}`
      : `["${String(key)}"]`
  ).join(""),
  problem
})

/**
 * The description of a world has mistakes. No value of it is quoted, since values of worlds are secrets.
 *
 * @since 0.1.0
 * @category errors
 */
export class WorldError extends Data.TaggedError("WorldError")<{
  readonly mistakes: ReadonlyArray<Mistake>
}> {
  override get message(): string {
    return `The world has ${this.mistakes.length === 1 ? "a mistake" : "mistakes"}: ${
      this.mistakes.map(({ place, problem }) => place === "" ? problem : `${place} ${problem}`).join("; ")
    }`
  }
}

/**
 * What a world became: everything that was given or generated, by the names in the description.
 *
 * @since 0.1.0
 * @category models
 */
export interface Resolved {
  readonly projects: Readonly<Record<string, ResolvedProject>>
  /** The credentials to hand to a client: v2 as `st.<id>.<secret>.<key>`, v3 as JSON. */
  readonly serviceTokens: Readonly<Record<string, Redacted.Redacted<string>>>
  readonly users: Readonly<Record<string, ResolvedUser>>
  readonly identities: Readonly<Record<string, ResolvedIdentity>>
}

/**
 * @since 0.1.0
 * @category models
 */
export interface ResolvedIdentity {
  readonly id: string
  readonly clientId: string
  readonly clientSecret: Redacted.Redacted<string>
}

/**
 * @since 0.1.0
 * @category models
 */
export interface ResolvedProject {
  readonly id: string
  readonly slug: string
  readonly key: Redacted.Redacted<string>
  readonly environments: ReadonlyArray<string>
}

/**
 * @since 0.1.0
 * @category models
 */
export interface ResolvedUser {
  readonly id: string
  readonly email: string
  readonly jwt: Redacted.Redacted<string>
}

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

/**
 * The names of the folders along a path. Empty ones do not count, as on the server.
 *
 * @since 0.1.0
 * @category getters
 */
export const segments = (path: string): ReadonlyArray<string> => path.split("/").filter((segment) => segment !== "")

/**
 * Whether a folder can be called so: letters, digits, dashes and underscores.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isFolderName = (name: string): boolean => /^[\w-]+$/.test(name)

/**
 * Whether a path can have a folder: it begins with a slash, and each name along it is one of a folder.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isFolderPath = (path: string): boolean =>
  path === "/" || (path.startsWith("/") && path.slice(1).split("/").every(isFolderName))

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
    if (identity.accessTokenMaxTTL !== undefined && identity.accessTokenMaxTTL < identity.accessTokenTTL) {
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

/**
 * The mistakes that a schema found, one for each place. The formatter ends a message with what it found there, which may
 * be a secret: that is dropped.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromParseError = (error: ParseResult.ParseError): ReadonlyArray<Mistake> => {
  const issues = ParseResult.ArrayFormatter.formatErrorSync(error)
    // What can be left out could be undefined, too, which nobody who wrote something there wants to know.
    .filter(({ message }) => !message.startsWith("Expected undefined,"))
  const mistakes = issues
    // Of what can have several forms, that which goes deepest is the one that was meant.
    .filter(({ path }) =>
      !issues.some((other) => other.path.length > path.length && path.every((key, index) => key === other.path[index]))
    )
    .map((issue) =>
      mistake(
        issue.path,
        issue._tag === "Missing"
          ? "is missing"
          : issue._tag === "Unexpected"
          ? "is not known here"
          : issue.message.startsWith("must ")
          ? issue.message
          : expected(issue.message)
      )
    )
  return Object.entries(Array.groupBy(mistakes, ({ place }) => place)).map(([place, alike]) => ({
    place,
    problem: Array.dedupe(alike.map(({ problem }) => problem)).join(" or ").replaceAll(" or must be ", " or ")
  }))
}

// What does not begin so may quote the value anywhere.
const expected = (message: string): string => {
  const kind = /^Expected (.*), actual/s.exec(message)?.[1]
  return kind === undefined
    ? "is not right"
    : `must be ${
      kind.startsWith("{") || /^\(?Struct/.test(kind)
        ? "an object"
        : kind.startsWith("ReadonlyArray<")
        ? "a list"
        : ["string", "number", "boolean"].includes(kind)
        ? `a ${kind}`
        : kind
    }`
}
