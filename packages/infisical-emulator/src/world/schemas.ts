/**
 * What a description of a world may say.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import { DurationInput } from "../support/duration.js"

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
    /** Whether a value of several lines is left as it is for those who write it to a file. Default: not. */
    skipMultilineEncoding: Schema.optional(Schema.Boolean),
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
 * What keeps a project's secrets: `v1` keeps them as clients encrypt them, by the hash of their names (the blind index);
 * `v2` encrypts on the server, and its projects have no encrypted secrets.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Engine = Schema.Literal("v1", "v2")

/**
 * @since 0.1.0
 * @category models
 */
export type Engine = typeof Engine.Type

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
  /**
   * Default: `v1` where it is end-to-end encrypted or the server is of July 2024, else `v2`. A project of `v2` that is
   * end-to-end encrypted is none.
   */
  engine: Schema.optional(Engine),
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
 * What a machine identity may do in a project: everything, or read, or nothing (`no-access`). With `none` it is not a
 * member.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Role = Schema.Literal("admin", "viewer", "no-access", "none")

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
  /** Whether it sees that secrets are there, but not their values. Only servers from 2025 on know such. */
  hidesValues: Schema.optionalWith(Schema.Boolean, { default: () => false }),
  /** In seconds; 0 is without end, which servers before 2025 do not know. Default: 2592000. */
  accessTokenTTL: Schema.optionalWith(Schema.NonNegative, { default: () => 2_592_000 }),
  /** In seconds; 0 is without end. Default: `accessTokenTTL`, so that a token cannot be renewed. */
  accessTokenMaxTTL: Schema.optional(Schema.NonNegative),
  /** How often a token may be used. Default: 0, which is without limit. */
  accessTokenNumUsesLimit: Schema.optionalWith(Schema.NonNegativeInt, { default: () => 0 }),
  /** How often it may log in with its client secret. Default: 0, which is without limit. */
  clientSecretNumUsesLimit: Schema.optionalWith(Schema.NonNegativeInt, { default: () => 0 }),
  /** How long after the start its client secret expires, in seconds. Default: 0, which is never. */
  clientSecretTTL: Schema.optionalWith(Schema.NonNegative, { default: () => 0 }),
  /** The ways that it may log in, such as `universal-auth`. Default: all. */
  methods: Schema.optional(Schema.Array(Schema.String)),
  /** The JWTs that it may log in with. They are not verified. Default: any. */
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
 * Where writes are only recorded until they are approved.
 *
 * @since 0.1.0
 * @category schemas
 */
export const ApprovalPolicy = Schema.Struct({
  /** The project's name; by default every one. */
  project: Schema.optional(Schema.String),
  environment: Schema.String,
  /** A path, or a glob of paths. */
  secretPath: Schema.String,
  /** Whose writes wait: those of users, as on real servers, or those of service tokens and identities, too. */
  binds: Schema.optionalWith(Schema.Literal("users", "everyone"), { default: () => "users" as const })
})

/**
 * @since 0.1.0
 * @category models
 */
export type ApprovalPolicy = typeof ApprovalPolicy.Type

/**
 * The age of the server. Servers of different ages differ in routes, statuses, words and in what they ignore.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Era = Schema.Literal("2024-07", "2024-10", "2025", "2026")

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
  /** Default `2026`, the newest. */
  era: Schema.optionalWith(Era, { default: () => "2026" as const })
})

/**
 * @since 0.1.0
 * @category models
 */
export type World = typeof World.Type

/**
 * The encoded side of a world.
 *
 * @since 0.1.0
 * @category models
 */
export type Input = typeof World.Encoded
