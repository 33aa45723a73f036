import { Option, Schema } from "effect"
import type { World } from "effect-infisical-emulator"
import * as Fs from "node:fs"
import { fileURLToPath } from "node:url"

/** The copies here, or another folder of recordings. */
const folder = process.env["WIRE_DIR"] ?? fileURLToPath(new URL("../../recordings/2024-07", import.meta.url))

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

/** The recorded exchanges, in the order in which they were recorded. */
export const exchanges: ReadonlyArray<Exchange> = Fs.readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== "maintenance")
  .flatMap((group) =>
    Fs.readdirSync(`${folder}/${group.name}`).map((file) =>
      Schema.decodeUnknownSync(Exchange)(Fs.readFileSync(`${folder}/${group.name}/${file}`, "utf8"))
    )
  )
  .toSorted((left, right) => left.order - right.order)

/** Whether there is a recording of this name in maintenance mode. */
export const isInMaintenance = (name: string): boolean => Fs.existsSync(`${folder}/maintenance/${name}.json`)

/** What was answered in maintenance mode; of the requests there are only the names. */
export const inMaintenance = (name: string) =>
  Schema.decodeUnknownSync(Schema.parseJson(Schema.Struct({ response: Response })))(
    Fs.readFileSync(`${folder}/maintenance/${name}.json`, "utf8")
  ).response

/** Why an exchange is not replayed. */
export const notReplayed: Readonly<Record<string, string>> = {
  "write/race-list-after-20-parallel-creates": "the 20 parallel creates before it are not in the recording",
  "write/race-delete": "the 20 parallel creates before it are not in the recording",
  "folders/create-bad-name-slash": "a folder of such a name has no place in a path, so that none is made here",
  "imports/get-secrets": "no client needs the route, since lists have what is imported"
}

const bearerOf = ({ request }: Exchange): string => request.headers["authorization"]?.slice("Bearer ".length) ?? ""

const Claims = Schema.parseJson(Schema.Struct({ identityId: Schema.String }))

const identityOf = (jwt: string): string | undefined =>
  Option.getOrUndefined(
    Option.map(
      Schema.decodeOption(Claims)(Buffer.from(jwt.split(".")[1] ?? "", "base64url").toString()),
      ({ identityId }) => identityId
    )
  )

const identityOfExchange = (name: string): string | undefined =>
  exchanges.filter((exchange) => exchange.name === name).map(bearerOf).map(identityOf)[0]

/** Access tokens whose logins are not in the recording, with the identity's name. Whose is not known is the admin's. */
export const accessTokens: ReadonlyArray<readonly [accessToken: string, identity: string]> = (() => {
  const given = exchanges.map(({ response }) => JSON.stringify(response.body))
  const names = new Map([
    [identityOfExchange("raw/list-viewer"), "viewer"],
    [identityOfExchange("raw/list-no-membership"), "noProject"]
  ])
  return [...new Set(exchanges.map(bearerOf))]
    .filter((jwt) =>
      identityOf(jwt) !== undefined && !given.some((body) => body.includes(jwt)) &&
      // What the server never let in was none of its tokens.
      (names.has(identityOf(jwt)) ||
        exchanges.some((exchange) => bearerOf(exchange) === jwt && exchange.response.status < 400))
    )
    .map((jwt) => [jwt, names.get(identityOf(jwt)) ?? "admin"] as const)
})()

const RecordedWorld = Schema.parseJson(Schema.Struct({
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
      clientId: Schema.String,
      clientSecret: Schema.String,
      role: Schema.String,
      accessTokenTTL: Schema.optional(Schema.Number),
      accessTokenMaxTTL: Schema.optional(Schema.Number),
      accessTokenNumUsesLimit: Schema.optional(Schema.Number)
    })
  }),
  secretsInBothProjects: Schema.Record({
    key: Schema.String,
    value: Schema.Record({ key: Schema.String, value: Schema.String })
  }),
  importsInBothProjects: Schema.Array(Schema.Struct({ into: Schema.String, from: Schema.Array(Schema.String) }))
}))

export const recorded = Schema.decodeUnknownSync(RecordedWorld)(Fs.readFileSync(`${folder}/world.json`, "utf8"))

const place = (text: string) => {
  const [environment = "", path = ""] = text.split(":")
  return { environment, path }
}

/** Values carry their comment and their personal override in brackets behind them. */
const secret = (text: string) => {
  const comment = / \(comment: (.*)\)$/.exec(text)
  const personal = / \(and a personal override of the user: (.*)\)$/.exec(text)
  return {
    value: text.replace(/ \((?:comment|and a personal override of the user): .*\)$/, ""),
    ...(comment?.[1] !== undefined && { comment: comment[1] }),
    ...(personal?.[1] !== undefined && { personal: { user: personal[1] } })
  }
}

const folders: Record<string, Record<string, typeof World.Folder.Encoded>> = {}
for (const [text, secrets] of Object.entries(recorded.secretsInBothProjects)) {
  const { environment, path } = place(text)
  const imports = recorded.importsInBothProjects.filter(({ into }) => into === text)
  folders[environment] = {
    ...folders[environment],
    [path]: {
      secrets: Object.fromEntries(Object.entries(secrets).map(([name, value]) => [name, secret(value)])),
      imports: imports.flatMap(({ from }) => from).map(place)
    }
  }
}

/** Tokens that only show what a client may get wrong are not the server's. */
const isOfTheServer = (name: string) =>
  !["wrongSecretPart", "wrongKeyPart", "unknownId", "noKeyPart", "malformed"].includes(name)

/** The world that was recorded. Of the expired tokens it does not say when: long ago, on any clock. */
export const world: World.Input = {
  projects: Object.fromEntries(
    Object.entries(recorded.projects).map(([name, { id, projectKey, slug }]) => [
      name,
      {
        id,
        slug,
        key: projectKey,
        endToEndEncrypted: name === "projectV1",
        environments: recorded.environments,
        folders
      }
    ])
  ),
  identities: Object.fromEntries(
    Object.entries(recorded.identities).map(([name, { role, ...identity }]) => [
      name,
      {
        ...identity,
        projects: role === "member of no project"
          ? []
          : role === "projectV1 only"
          ? ["projectV1"]
          : Object.keys(recorded.projects),
        role: role.startsWith("viewer") ? "viewer" : "admin"
      }
    ])
  ),
  users: { user: recorded.user },
  serviceTokens: Object.fromEntries(
    Object.entries(recorded.serviceTokens).filter(([name]) => isOfTheServer(name)).map(([name, token]) => [
      name,
      {
        token: token.token,
        project: token.project,
        scopes: token.scopes,
        permissions: token.permissions,
        ...(name.startsWith("expired") && { expiresAt: "1969-01-01T00:00:00.000Z" })
      }
    ])
  )
}
