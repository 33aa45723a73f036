import { expect, it, layer } from "@effect/vitest"
import { Effect, HashMap, Option, Predicate, Ref } from "effect"
import { Emulator } from "effect-infisical-emulator"
import * as NodeCrypto from "node:crypto"
import type { Exchange } from "./recordings.js"
import { exchanges, recorded, world } from "./recordings.js"
import { request } from "./request.js"

/** Why an exchange is not replayed. */
const reasonNotReplayed = (exchange: Exchange): string | undefined => {
  const authorization = exchange.request.headers["authorization"] ?? ""
  if (exchange.request.path.startsWith("/api/v3/secrets/raw")) return "raw routes are not served yet"
  if (authorization.startsWith("Bearer eyJ") && !authorization.includes(recorded.user.jwt)) {
    return "machine identities are not served yet"
  }
  if (exchange.order === 291 || exchange.order === 292) {
    return "the 20 parallel creates before it are not in the recording"
  }
  return undefined
}

// The marks that the recording has in the place of what it cut from long strings.
const restore = (value: unknown): unknown =>
  typeof value === "string"
    ? value.replace(/\.\.\.<cut, (\d+) chars>$/, (_, length: string) => "A".repeat(Number(length)))
    : Array.isArray(value)
    ? value.map(restore)
    : Predicate.isReadonlyRecord(value)
    ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, restore(inner)]))
    : value

const bodyOf = ({ body }: Exchange["request"]): string | undefined =>
  body === undefined || typeof body === "string" ? body : JSON.stringify(restore(body))

const field = (value: unknown, name: string): unknown => Predicate.isReadonlyRecord(value) ? value[name] : undefined

const decrypt = (row: unknown, what: string): string => {
  const text = (name: string) => String(field(row, `secret${what}${name}`) ?? "")
  if (text("Ciphertext").includes("<cut") || text("Ciphertext").length > 10_000) return "a long text"
  try {
    const decipher = NodeCrypto.createDecipheriv(
      "aes-256-gcm",
      recorded.projects["projectV1"]?.projectKey ?? "",
      Buffer.from(text("IV"), "base64")
    )
    decipher.setAuthTag(Buffer.from(text("Tag"), "base64"))
    return decipher.update(text("Ciphertext"), "base64", "utf8") + decipher.final("utf8")
  } catch {
    return `${text("Ciphertext")}, not decryptable`
  }
}

/** A row with what differs from server to server left out: its ids, its times, and how it is encrypted. */
const essence = (row: unknown) => ({
  fields: Predicate.isReadonlyRecord(row) ? Object.keys(row) : row,
  name: decrypt(row, "Key"),
  value: decrypt(row, "Value"),
  comment: decrypt(row, "Comment"),
  commentIsNull: field(row, "secretCommentIV") === null,
  version: field(row, "version"),
  type: field(row, "type"),
  userId: field(row, "userId"),
  environment: field(row, "environment"),
  workspace: field(row, "workspace"),
  secretPath: field(row, "secretPath"),
  tags: field(row, "tags")
})

const inAnyOrder = (values: ReadonlyArray<unknown>) =>
  values.toSorted((left, right) => JSON.stringify(left) < JSON.stringify(right) ? -1 : 1)

// By id, which is random.
const sorted = (rows: unknown) => Array.isArray(rows) ? inAnyOrder(rows.map(essence)) : rows

/** What two servers must agree on. */
const essenceOf = (exchange: Exchange, status: number, body: unknown) => {
  const imports = field(body, "imports")
  return {
    status,
    fields: Predicate.isReadonlyRecord(body) ? Object.keys(body).toSorted() : body,
    error: field(body, "error"),
    code: field(body, "code"),
    message: field(body, "message"),
    permissions: field(body, "permissions"),
    scopes: field(body, "scopes"),
    projectId: field(body, "projectId"),
    expiresAt: field(body, "expiresAt"),
    secret: field(body, "secret") === undefined ? undefined : essence(field(body, "secret")),
    secrets: sorted(field(body, "secrets")),
    // Of folders that are listed together, no order of the imports is promised.
    imports: exchange.request.path.includes("recursive=true") && Array.isArray(imports)
      ? inAnyOrder(imports.map(entryOf))
      : Array.isArray(imports)
      ? imports.map(entryOf)
      : imports
  }
}

const entryOf = (entry: unknown) => ({
  fields: Predicate.isReadonlyRecord(entry) ? Object.keys(entry) : entry,
  environment: field(entry, "environment"),
  secretPath: field(entry, "secretPath"),
  secrets: sorted(field(entry, "secrets"))
})

it("replays every recorded exchange that it can", () => {
  const left = exchanges.flatMap((exchange) => {
    const reason = reasonNotReplayed(exchange)
    return reason === undefined ? [] : [`${exchange.name}: ${reason}`]
  })
  expect(left).toEqual([
    "service-token/identity-token: machine identities are not served yet",
    "list/unknown-environment-identity: machine identities are not served yet",
    "list/identity-on-e2ee-v1: machine identities are not served yet",
    "etag/raw-list-if-none-match: raw routes are not served yet",
    "get/type-personal-by-identity: machine identities are not served yet",
    "write/post-unknown-env-identity: machine identities are not served yet",
    "write/race-list-after-20-parallel-creates: the 20 parallel creates before it are not in the recording",
    "write/race-delete: the 20 parallel creates before it are not in the recording"
  ])
})

// The ETags of the recording, and ours in their place.
const etags = Ref.unsafeMake(HashMap.empty<string, string>())

layer(Emulator.layer(world))("a server of 2024-07", (it) => {
  for (const exchange of exchanges.filter((one) => reasonNotReplayed(one) === undefined)) {
    it.effect(`answers ${exchange.name} as recorded`, () =>
      Effect.gen(function*() {
        const emulator = yield* Emulator.Emulator
        const known = yield* Ref.get(etags)
        const headers = Object.fromEntries(
          Object.entries(exchange.request.headers).map(([name, value]) => [
            name,
            name === "if-none-match"
              ? value.replace(/"[^"]*"/g, (etag) => Option.getOrElse(HashMap.get(known, etag), () => etag))
              : value
          ])
        )
        const answered = yield* request(emulator.url, exchange.request.path, {
          method: exchange.request.method,
          headers,
          body: bodyOf(exchange.request)
        })
        const etag = exchange.response.headers["etag"]
        if (etag !== undefined && answered.headers.etag !== undefined) {
          yield* Ref.update(etags, HashMap.set(etag, answered.headers.etag))
        }
        expect(essenceOf(exchange, answered.status, answered.body)).toEqual(
          essenceOf(exchange, exchange.response.status, exchange.response.body)
        )
        expect(answered.headers["content-type"]).toBe(exchange.response.headers["content-type"])
        expect(answered.headers.etag !== undefined).toBe(etag !== undefined)
      }))
  }
})
