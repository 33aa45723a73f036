/** A folder of recorded exchanges, and the world that its `world.json` describes. */
import { Option, Predicate, Schema } from "effect"
import { Wire } from "effect-infisical"
import { World } from "effect-infisical-emulator"
import * as Fs from "node:fs"
import { fileURLToPath } from "node:url"

/** The copies in this repository, by the name of their folder. */
export const copies: Readonly<Record<string, string>> = Object.fromEntries(
  ["2024-07", "2024-07-b", "2024-10"].map((name) => [
    name,
    fileURLToPath(new URL(`../../recordings/${name}`, import.meta.url))
  ])
)

const Response = Schema.Struct({
  status: Schema.Number,
  headers: Schema.Record({ key: Schema.String, value: Schema.String }),
  body: Schema.Unknown
})

const Exchange = Schema.parseJson(Schema.Struct({
  name: Schema.String,
  order: Schema.Number,
  /** Seconds since the first one. */
  at: Schema.Number,
  request: Schema.Struct({
    method: Schema.String,
    path: Schema.String,
    headers: Schema.Record({ key: Schema.String, value: Schema.String }),
    body: Schema.optional(Schema.Unknown)
  }),
  response: Response
}))

export type Exchange = typeof Exchange.Type

const RecordedWorld = Schema.parseJson(Schema.Struct({
  era: Schema.optionalWith(World.Era, { default: () => "2024-07" as const }),
  projects: Schema.Record({
    key: Schema.String,
    value: Schema.Struct({ id: Schema.String, slug: Schema.String, projectKey: Schema.String })
  }),
  environments: Schema.Array(Schema.String),
  user: Schema.Struct({ id: Schema.String, email: Schema.String, jwt: Schema.String }),
  serviceTokens: Schema.Record({
    key: Schema.String,
    value: Schema.Struct({
      token: Schema.String,
      project: Schema.String,
      scopes: Schema.Array(Schema.Struct({ environment: Schema.String, secretPath: Schema.String })),
      permissions: Schema.Array(Schema.Literal("read", "write")),
      note: Schema.optional(Schema.String)
    })
  }),
  identities: Schema.Record({
    key: Schema.String,
    value: Schema.Struct({
      identityId: Schema.optional(Schema.String),
      clientId: Schema.String,
      clientSecret: Schema.String,
      role: Schema.String,
      accessTokenTTL: Schema.optional(Schema.Number),
      accessTokenMaxTTL: Schema.optional(Schema.Number),
      accessTokenNumUsesLimit: Schema.optional(Schema.Number),
      clientSecretNumUsesLimit: Schema.optional(Schema.Number),
      clientSecretTTL: Schema.optional(Schema.Number)
    })
  }),
  secretsInBothProjects: Schema.Record({
    key: Schema.String,
    value: Schema.Record({ key: Schema.String, value: Schema.String })
  }),
  importsInBothProjects: Schema.Array(Schema.Struct({ into: Schema.String, from: Schema.Array(Schema.String) })),
  tags: Schema.optionalWith(
    Schema.Record({ key: Schema.String, value: Schema.Struct({ id: Schema.String, color: Schema.String }) }),
    { default: () => ({}) }
  ),
  /** By place and name. */
  tagsInProjectV3: Schema.optionalWith(
    Schema.Record({
      key: Schema.String,
      value: Schema.Record({ key: Schema.String, value: Schema.Array(Schema.String) })
    }),
    { default: () => ({}) }
  ),
  approvalPolicies: Schema.optionalWith(
    Schema.Array(Schema.Struct({ project: Schema.String, environment: Schema.String, secretPath: Schema.String })),
    { default: () => [] }
  )
}))

type RecordedWorld = typeof RecordedWorld.Type

/** Why exchanges are left out of the count: the emulator does not serve what they are about. */
const outOfScope: ReadonlyArray<readonly [path: RegExp, reason: string]> = [
  [/^\/api\/v1\/kms\//, "keys of the KMS are not served"],
  [/^\/api\/v1\/dynamic-secrets/, "dynamic secrets are not served"],
  [/^\/api\/v1\/workspace\/[^/]+\/tags/, "tags are not managed"],
  [/^\/api\/v3\/secrets\/tags\//, "tags are not managed"],
  [/^\/api\/v1\/secret-approval/, "approvals are not managed"]
]

/** Why exchanges are counted and not replayed. */
const notReplayed: ReadonlyArray<readonly [exchange: RegExp, reason: string]> = [
  [/^write\/race-/, "the parallel creates before it are not in the recording"],
  [/^folders\/create-bad-name-slash$/, "a folder of such a name has no place in a path, so that none is made here"],
  [/ \/api\/v1\/secret-imports\/secrets/, "no client needs the route, since lists have what is imported"]
]

/** A recording. */
export interface Recording {
  readonly folder: string
  readonly era: World.Era
  /** In the order in which they were recorded, without those of the maintenance mode. */
  readonly exchanges: ReadonlyArray<Exchange>
  readonly world: World.Input
  readonly recorded: RecordedWorld
  /** Access tokens whose logins are not in the recording, with the name of their identity. */
  readonly accessTokens: ReadonlyArray<readonly [accessToken: string, identity: string]>
  /** Why an exchange is left out of the count, or not replayed. */
  readonly outOfScope: (exchange: Exchange) => string | undefined
  readonly notReplayed: (exchange: Exchange) => string | undefined
}

/** Reads a folder. */
export const read = (folder: string): Recording => {
  const recorded = Schema.decodeUnknownSync(RecordedWorld)(Fs.readFileSync(`${folder}/world.json`, "utf8"))
  const exchanges = Fs.readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== "maintenance")
    .flatMap((group) =>
      Fs.readdirSync(`${folder}/${group.name}`).map((file) =>
        Schema.decodeUnknownSync(Exchange)(Fs.readFileSync(`${folder}/${group.name}/${file}`, "utf8"))
      )
    )
    .toSorted((left, right) => left.order - right.order)
  const reasonOf = (reasons: ReadonlyArray<readonly [RegExp, string]>, text: string) =>
    reasons.find(([pattern]) => pattern.test(text))?.[1]
  const ids = identityIdsOf(exchanges, recorded)
  return {
    folder,
    era: recorded.era,
    exchanges,
    recorded,
    world: worldOf(recorded, ids),
    accessTokens: accessTokensOf(exchanges, recorded, ids),
    outOfScope: ({ request }) => reasonOf(outOfScope, request.path),
    notReplayed: ({ name, request }) => reasonOf(notReplayed, name) ?? reasonOf(notReplayed, ` ${request.path}`)
  }
}

/** What was answered in maintenance mode; of the requests there are only the names. */
export const inMaintenance = ({ folder }: Recording, name: string): Option.Option<typeof Response.Type> => {
  const file = `${folder}/maintenance/${name}.json`
  return Fs.existsSync(file)
    ? Option.some(
      Schema.decodeUnknownSync(Schema.parseJson(Schema.Struct({ response: Response })))(Fs.readFileSync(file, "utf8"))
        .response
    )
    : Option.none()
}

const bearerOf = ({ request }: Exchange): string => request.headers["authorization"]?.slice("Bearer ".length) ?? ""

const Claims = Schema.parseJson(Schema.Struct({ identityId: Schema.String }))

const identityIdOf = (jwt: unknown): string | undefined =>
  typeof jwt !== "string"
    ? undefined
    : Option.getOrUndefined(
      Option.map(
        Schema.decodeOption(Claims)(Buffer.from(jwt.split(".")[1] ?? "", "base64url").toString()),
        ({ identityId }) => identityId
      )
    )

const field = (value: unknown, name: string): unknown => Predicate.isReadonlyRecord(value) ? value[name] : undefined

/** The names of identities by their ids: as the world says, or as their logins in the recording do. */
const identityIdsOf = (exchanges: ReadonlyArray<Exchange>, { identities }: RecordedWorld) => {
  const ids = new Map<string, string>()
  for (const [name, { identityId }] of Object.entries(identities)) {
    if (identityId !== undefined) ids.set(identityId, name)
  }
  for (const { request, response } of exchanges) {
    const id = identityIdOf(field(response.body, "accessToken"))
    const clientId = String(field(request.body, "clientId")).trim()
    const name = Object.keys(identities).find((name) => identities[name]?.clientId === clientId)
    if (id !== undefined && name !== undefined) ids.set(id, name)
  }
  return ids
}

/** What a token was refused for that the server did not know. */
const aboutToken = /^(TokenError|UnauthorizedError|Unauthorized access|Internal Server Error)$/

const accessTokensOf = (
  exchanges: ReadonlyArray<Exchange>,
  { identities }: RecordedWorld,
  ids: ReadonlyMap<string, string>
): Recording["accessTokens"] => {
  const given = exchanges.map(({ response }) => JSON.stringify(response.body))
  return [...new Set(exchanges.map(bearerOf))].flatMap((jwt) => {
    const id = identityIdOf(jwt)
    if (id === undefined || given.some((body) => body.includes(jwt))) return []
    const uses = exchanges.filter((exchange) => bearerOf(exchange) === jwt)
    // What the server never let in was none of its tokens.
    const isKnown = uses.some(({ response }) => !aboutToken.test(String(field(response.body, "error") ?? "")))
    if (!isKnown) return []
    // Where nothing says whose it is, what it may do does.
    const all = exchanges.filter((exchange) => identityIdOf(bearerOf(exchange)) === id)
    const isRefused = (error: RegExp, isOther: (exchange: Exchange) => boolean = () => true) =>
      all.some((exchange) => isOther(exchange) && error.test(String(field(exchange.response.body, "error"))))
    const named = (role: RegExp) => Object.keys(identities).find((name) => role.test(identities[name]?.role ?? ""))
    const guessed = isRefused(/not in project|not a member/)
      ? named(/no project/)
      : isRefused(/PermissionDenied/, ({ request }) => request.method !== "GET")
          || !all.some(({ request }) => request.method !== "GET")
      ? named(/^viewer/)
      : named(/^admin/)
    const name = ids.get(id) ?? guessed
    return name === undefined ? [] : [[jwt, name] as const]
  })
}

const placeOf = (text: string) => {
  const [environment = "", path = ""] = text.split(":")
  return { environment, path }
}

/** Values carry their comment and their personal override in brackets behind them. */
const secretOf = (text: string) => {
  const comment = / \(comment: (.*)\)$/s.exec(text)
  const personal = / \(and a personal override of the user: (.*)\)$/s.exec(text)
  return {
    value: text.replace(/ \((?:comment|and a personal override of the user): .*\)$/s, ""),
    ...(comment?.[1] !== undefined && { comment: comment[1] }),
    ...(personal?.[1] !== undefined && { personal: { user: personal[1] } })
  }
}

const foldersOf = (
  { importsInBothProjects, secretsInBothProjects }: RecordedWorld,
  tagged: RecordedWorld["tagsInProjectV3"]
) => {
  const folders: Record<string, Record<string, typeof World.Folder.Encoded>> = {}
  for (const [text, secrets] of Object.entries(secretsInBothProjects)) {
    const { environment, path } = placeOf(text)
    const imports = importsInBothProjects.filter(({ into }) => into === text)
    folders[environment] = {
      ...folders[environment],
      [path]: {
        secrets: Object.fromEntries(
          Object.entries(secrets).map(([name, value]) => [
            name,
            { ...secretOf(value), tags: tagged[text]?.[name] ?? [] }
          ])
        ),
        imports: imports.flatMap(({ from }) => from).map(placeOf)
      }
    }
  }
  return folders
}

/** What an identity may do, from what the world says of it. */
const accessOf = (role: string, projects: ReadonlyArray<string>) => {
  const [, project, environment, path] = /in (\w+), .* read on secrets of (\w+), path (\S+)/.exec(role) ?? []
  if (project !== undefined && environment !== undefined && path !== undefined) {
    return { projects: { [project]: "viewer" as const }, scopes: [{ environment, secretPath: path }] }
  }
  if (role === "member of no project") return { projects: [] }
  const only = /^(\w+) only$/.exec(role)?.[1]
  return {
    projects: only === undefined ? projects : [only],
    role: role.startsWith("viewer")
      ? "viewer" as const
      : role.startsWith("no-access")
      ? "no-access" as const
      : "admin" as const
  }
}

const worldOf = (recorded: RecordedWorld, ids: ReadonlyMap<string, string>): World.Input => {
  const projects = Object.keys(recorded.projects)
  const idOf = (name: string) => [...ids].find(([, known]) => known === name)?.[0]
  const seen = new Set<string>()
  return {
    era: recorded.era,
    projects: Object.fromEntries(
      Object.entries(recorded.projects).map(([name, { id, projectKey, slug }]) => [
        name,
        {
          id,
          slug,
          key: projectKey,
          // A project of version 1.
          endToEndEncrypted: name === "projectV1",
          environments: recorded.environments,
          tags: recorded.tags,
          folders: foldersOf(recorded, name === "projectV3" ? recorded.tagsInProjectV3 : {})
        }
      ])
    ),
    identities: Object.fromEntries(
      Object.entries(recorded.identities).map(([name, { identityId, role, ...identity }]) => [
        name,
        { ...identity, id: identityId ?? idOf(name), methods: ["universal-auth"], ...accessOf(role, projects) }
      ])
    ),
    users: { user: recorded.user },
    approvalPolicies: recorded.approvalPolicies,
    serviceTokens: Object.fromEntries(
      Object.entries(recorded.serviceTokens).flatMap(([name, { note, permissions, project, scopes, token }]) => {
        // Tokens that only show what a client may get wrong are not the server's: they have no scopes, or another's id.
        const id = token.split(".")[1] ?? ""
        if (scopes.length === 0 || seen.has(id)) return []
        seen.add(id)
        // Of the expired ones it does not say when they expired: long ago, on any clock.
        const isExpired = note?.startsWith("expired") === true
        return [[
          name,
          { token, project, scopes, permissions, ...(isExpired && { expiresAt: "1969-01-01T00:00:00.000Z" }) }
        ]]
      })
    )
  }
}

interface Route {
  readonly method: string
  readonly path: string
}

const routes: ReadonlyArray<Route> = Object.values(Wire.api.groups)
  .flatMap((group) => Object.values<Route>(group.endpoints))
  // Those without parameters win.
  .toSorted((left, right) => Number(left.path.includes(":")) - Number(right.path.includes(":")))

/** The method and the pattern of an exchange's route. */
export const routeOf = ({ request }: Exchange): string | undefined => {
  const path = request.path.split("?", 1)[0] ?? ""
  const found = routes.find((route) =>
    route.method === request.method && new RegExp(`^${route.path.replace(/:\w+/g, "[^/]+")}/?$`).test(path)
  )
  return found === undefined ? undefined : `${found.method} ${found.path}`
}

/** The limits that the recorded answers state. */
export const rateLimitOf = (exchanges: ReadonlyArray<Exchange>): typeof World.RateLimit.Encoded => ({
  limit: 60,
  routes: Object.fromEntries(exchanges.flatMap((exchange) => {
    const limit = Number(exchange.response.headers["x-ratelimit-limit"])
    const route = routeOf(exchange)
    return route === undefined || !Number.isFinite(limit) ? [] : [[route, limit]]
  }))
})
