/**
 * The servers that reads and writes must be the same on. Each is the emulator, with a hook for what the recordings show, or
 * what is read from Infisical's source, of requests and responses that the emulator does not play.
 */
import { Effect } from "effect"
import type { World } from "effect-infisical-emulator"
import { changing, type Exchange, type Hook, isRecord, type Json, type Kind, mapSecrets } from "./sources.js"

export interface Server {
  readonly kind: Kind
  readonly era: World.Era
  readonly hook: Hook
  /** Whether lists state tags. Those of 2024-07 that the server decrypts do not. */
  readonly listsTags: boolean
  /** What the server stores beside value, comment and tags. */
  readonly stores: { readonly reminders: boolean; readonly metadata: boolean }
}

/** A body without some of its fields, those of the secrets in it as well. */
export const without = (body: unknown, fields: ReadonlyArray<string>): unknown =>
  !isRecord(body) ? body : Object.fromEntries(
    Object.entries(body).filter(([field]) => !fields.includes(field)).map(([field, value]) => [
      field,
      field === "secrets" && Array.isArray(value) ? value.map((item) => without(item, fields)) : value
    ])
  )

const reminder = ["secretReminderNote", "secretReminderRepeatDays"]

/** What a server of 2024-07 ignores in a request. */
const ignoredIn2024_07 = ({ method, path }: Exchange): ReadonlyArray<string> =>
  path === "/api/v3/secrets/batch/raw"
    ? ["newSecretName", "secretMetadata", ...reminder]
    : path.startsWith("/api/v3/secrets/raw/")
    ? method === "PATCH"
      ? ["newSecretName", "secretComment", "secretMetadata", ...reminder]
      : ["secretMetadata", ...reminder]
    : method === "POST"
    ? ["tags", ...reminder]
    : []

const as2024_07: Hook = (exchange) =>
  exchange.method === "GET" || exchange.body === undefined
    ? exchange.respond
    : exchange.respondTo(without(exchange.body, ignoredIn2024_07(exchange)))

/** From 2024-10 on, an update of one secret is answered with the fields of the request, and no write with tags. */
const echoing: Hook = (exchange) => {
  const { body, method, path } = exchange
  const sent: Json = isRecord(body) ? body : {}
  return changing(
    ["POST", "PATCH"],
    mapSecrets((secret) => ({
      ...secret,
      tags: undefined,
      ...method === "PATCH" && !path.includes("/batch")
        ? {
          secretValue: sent["secretValue"] ?? "",
          secretComment: sent["secretComment"] ?? "",
          secretMetadata: undefined,
          secretPath: undefined
        }
        : {}
    }))
  )(exchange)
}

const hasValues = (body: unknown): boolean =>
  isRecord(body) && (Array.isArray(body["secrets"])
    ? body["secrets"].every(hasValues)
    : typeof body["secretValue"] === "string")

/** A server of 2024-10 wants a value in each update, and knows no metadata. */
const as2024_10: Hook = (exchange) =>
  exchange.method === "PATCH" && !hasValues(exchange.body)
    ? Effect.succeed(exchange.reply(401, { statusCode: 401, message: [], error: "ValidationFailure" }))
    : changing(
      ["GET", "POST", "PATCH"],
      mapSecrets((secret) => without(secret, hidden), (secret) => without(secret, hidden))
    )({ ...exchange, respond: echoing(exchange) })

const hidden = ["secretMetadata", "secretValueHidden"]

const everything = { reminders: true, metadata: true }

export const servers = {
  "2024-07, end-to-end encrypted": {
    kind: "end-to-end-encrypted",
    era: "2024-07",
    hook: as2024_07,
    listsTags: true,
    stores: { reminders: true, metadata: false }
  },
  "2024-07": {
    kind: "v3",
    era: "2024-07",
    hook: as2024_07,
    listsTags: false,
    stores: { reminders: false, metadata: false }
  },
  "2024-10": {
    kind: "v3",
    era: "2026",
    hook: as2024_10,
    listsTags: true,
    stores: { reminders: true, metadata: false }
  },
  "2025, on v3": { kind: "v3", era: "2026", hook: echoing, listsTags: true, stores: everything },
  "2025": { kind: "v4", era: "2026", hook: echoing, listsTags: true, stores: everything }
} as const satisfies Readonly<Record<string, Server>>
