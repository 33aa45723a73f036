import { Schema } from "effect"
import type { World } from "effect-infisical-emulator"
import * as Fs from "node:fs"
import { fileURLToPath } from "node:url"

const folder = fileURLToPath(new URL("./recordings", import.meta.url))

const Exchange = Schema.parseJson(Schema.Struct({
  name: Schema.String,
  order: Schema.Number,
  request: Schema.Struct({
    method: Schema.String,
    path: Schema.String,
    headers: Schema.Record({ key: Schema.String, value: Schema.String }),
    body: Schema.optional(Schema.Unknown)
  }),
  response: Schema.Struct({
    status: Schema.Number,
    headers: Schema.Record({ key: Schema.String, value: Schema.String }),
    body: Schema.Unknown
  })
}))

export type Exchange = typeof Exchange.Type

/** The recorded exchanges, in the order in which they were recorded. */
export const exchanges: ReadonlyArray<Exchange> = Fs.readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .flatMap((group) =>
    Fs.readdirSync(`${folder}/${group.name}`).map((file) =>
      Schema.decodeUnknownSync(Exchange)(Fs.readFileSync(`${folder}/${group.name}/${file}`, "utf8"))
    )
  )
  .toSorted((left, right) => left.order - right.order)

const RecordedWorld = Schema.parseJson(Schema.Struct({
  projects: Schema.Record({
    key: Schema.String,
    value: Schema.Struct({ id: Schema.String, projectKey: Schema.String })
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
    Object.entries(recorded.projects).map(([name, { id, projectKey }]) => [
      name,
      { id, key: projectKey, environments: recorded.environments, folders }
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
