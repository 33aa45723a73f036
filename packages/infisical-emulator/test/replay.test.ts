import { expect, it, layer } from "@effect/vitest"
import { Context, Effect, HashMap, Layer, Predicate, Ref, TestClock } from "effect"
import { Emulator } from "effect-infisical-emulator"
import * as NodeCrypto from "node:crypto"
import type { Exchange } from "./recordings.js"
import { accessTokens, exchanges, inMaintenance, isInMaintenance, notReplayed, recorded, world } from "./recordings.js"
import type { Answered } from "./request.js"
import { request } from "./request.js"

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

const isLong = (text: unknown): boolean => typeof text === "string" && (text.includes("<cut") || text.length > 10_000)

/** A secret with what differs from server to server left out: its ids, its times, and how it is encrypted. */
const essence = (row: unknown) => ({
  fields: fieldsOf(row),
  name: field(row, "secretKey") ?? decrypt(row, "Key"),
  value: isLong(field(row, "secretValue")) ? "a long text" : field(row, "secretValue") ?? decrypt(row, "Value"),
  comment: field(row, "secretComment") ?? decrypt(row, "Comment"),
  commentIsNull: field(row, "secretCommentIV") === null,
  ...pick(row, ["version", "type", "userId", "environment", "workspace", "secretPath", "tags"])
})

const essenceOfFolder = (folder: unknown) => ({
  fields: fieldsOf(folder),
  isRoot: field(folder, "parentId") === null,
  ...pick(folder, ["name", "version", "isReserved"])
})

const essenceOfImport = (one: unknown) => ({
  fields: fieldsOf(one),
  environment: pick(field(one, "importEnv"), ["name", "slug"]),
  ...pick(one, ["version", "importPath", "position", "isReplication", "isReserved"])
})

const fieldsOf = (value: unknown) => Predicate.isReadonlyRecord(value) ? Object.keys(value).toSorted() : value

const pick = (value: unknown, names: ReadonlyArray<string>) =>
  Object.fromEntries(names.map((name) => [name, field(value, name)]))

const inAnyOrder = (values: ReadonlyArray<unknown>) =>
  values.toSorted((left, right) => JSON.stringify(left) < JSON.stringify(right) ? -1 : 1)

// By id, which is random.
const sorted = (values: unknown, essence: (value: unknown) => unknown) =>
  Array.isArray(values) ? inAnyOrder(values.map(essence)) : values

const one = (value: unknown, essence: (value: unknown) => unknown) => value === undefined ? undefined : essence(value)

/** What an access token says, without who and when. */
const claimsOf = (jwt: unknown) => {
  const [header = "", payload = ""] = String(jwt).split(".")
  const read = (part: string): unknown => JSON.parse(Buffer.from(part, "base64url").toString())
  const claims = read(payload)
  return {
    header: read(header),
    claims: fieldsOf(claims),
    lifetime: Number(field(claims, "exp")) - Number(field(claims, "iat")),
    authTokenType: field(claims, "authTokenType")
  }
}

const rateLimitHeaders = ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "retry-after"]

/** What two servers must agree on. */
const essenceOf = (exchange: Exchange, status: number, headers: unknown, body: unknown) => {
  const imports = field(body, "imports")
  return {
    status,
    fields: fieldsOf(body),
    ...pick(body, ["error", "code", "message", "permissions", "scopes", "projectId", "expiresAt"]),
    ...pick(body, ["expiresIn", "accessTokenMaxTTL", "tokenType"]),
    ...(exchange.name.startsWith("ratelimit/") && pick(headers, rateLimitHeaders)),
    accessToken: one(field(body, "accessToken"), claimsOf),
    secret: one(field(body, "secret"), essence),
    secrets: exchange.name === "imports/get-secrets"
      ? sorted(field(body, "secrets"), entryOf)
      : sorted(field(body, "secrets"), essence),
    folder: one(field(body, "folder"), essenceOfFolder),
    folders: sorted(field(body, "folders"), essenceOfFolder),
    secretImport: one(field(body, "secretImport"), essenceOfImport),
    secretImports: Array.isArray(field(body, "secretImports"))
      ? sorted(field(body, "secretImports"), essenceOfImport)
      : undefined,
    // Of folders that are listed together, no order of the imports is promised.
    imports: exchange.request.path.includes("recursive=true")
      ? sorted(imports, entryOf)
      : Array.isArray(imports)
      ? imports.map(entryOf)
      : imports
  }
}

const entryOf = (entry: unknown) => ({
  fields: fieldsOf(entry),
  ...pick(entry, ["environment", "secretPath"]),
  secrets: sorted(field(entry, "secrets"), essence)
})

/** What the recorded server made up, and ours in its place: ETags, access tokens, ids of folders and imports. */
class Substitutes extends Context.Tag("test/Substitutes")<Substitutes, Ref.Ref<HashMap.HashMap<string, string>>>() {}

const substitutes = Layer.effect(Substitutes, Ref.make(HashMap.empty<string, string>()))

const substituted = (text: string) =>
  Effect.gen(function*() {
    const known = yield* Effect.flatMap(Substitutes, Ref.get)
    return HashMap.reduce(known, text, (text, ours, theirs) => text.replaceAll(theirs, ours))
  })

const substitute = (theirs: unknown, ours: unknown) =>
  Effect.flatMap(Substitutes, (known) =>
    typeof theirs === "string" && typeof ours === "string" && theirs !== ours
      ? Ref.update(known, HashMap.set(theirs, ours))
      : Effect.void)

const login = (identity: { readonly clientId: string; readonly clientSecret: string } | undefined) =>
  Effect.flatMap(Emulator.Emulator, ({ url }) =>
    request(url, "/api/v1/auth/universal-auth/login", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ clientId: identity?.clientId, clientSecret: identity?.clientSecret })
    }))

const replay = (exchange: Exchange, localAddress?: string) =>
  Effect.gen(function*() {
    const emulator = yield* Emulator.Emulator
    const { request: { headers, method, path }, response } = exchange
    const body = bodyOf(exchange.request)
    const answered = yield* request(emulator.url, yield* substituted(path), {
      method,
      headers: Object.fromEntries(
        yield* Effect.forEach(
          Object.entries(headers),
          ([name, value]) => Effect.map(substituted(value), (value) => [name, value] as const)
        )
      ),
      body: body === undefined ? undefined : yield* substituted(body),
      ...(localAddress !== undefined && { localAddress })
    })
    yield* substitute(response.headers["etag"], answered.headers.etag)
    yield* substitute(field(response.body, "accessToken"), field(answered.body, "accessToken"))
    for (const name of ["folder", "secretImport"]) {
      yield* substitute(field(field(response.body, name), "id"), field(field(answered.body, name), "id"))
    }
    return answered
  })

/** The answer that a conditional request goes back to, where that is not in the recording. */
const learnETag = ({ request, ...exchange }: Exchange) => {
  const { "if-none-match": theirs, ...headers } = request.headers
  return Effect.flatMap(
    replay({ ...exchange, request: { ...request, headers } }),
    (answered) => substitute(theirs, answered.headers.etag)
  )
}

const expectAsRecorded = (exchange: Exchange, answered: Answered) => {
  const { response } = exchange
  expect(essenceOf(exchange, answered.status, answered.headers, answered.body)).toEqual(
    essenceOf(exchange, response.status, response.headers, response.body)
  )
  expect(answered.headers["content-type"]).toBe(response.headers["content-type"])
  expect(answered.headers.etag !== undefined).toBe(response.headers["etag"] !== undefined)
}

it("replays at least 95 of 100 recorded exchanges", () => {
  const names = exchanges.map(({ name }) => name)
  const left = names.filter((name) => notReplayed[name] !== undefined)
  expect(left.length / names.length).toBeLessThan(0.05)
})

const isOf = (group: string) => ({ name }: Exchange) => name.startsWith(`${group}/`)

layer(Layer.mergeAll(Emulator.layer(world), substitutes))("a server of 2024-07", (it) => {
  it.effect("lets in who logged in before the recording", () =>
    Effect.forEach(accessTokens, ([accessToken, name]) =>
      Effect.gen(function*() {
        const { body } = yield* login(recorded.identities[name])
        expect(field(body, "accessToken")).toBeTypeOf("string")
        yield* substitute(accessToken, field(body, "accessToken"))
      })))

  for (const exchange of exchanges.filter((one) => !isOf("ratelimit")(one) && notReplayed[one.name] === undefined)) {
    it.effect(`answers ${exchange.name} as recorded`, () =>
      Effect.gen(function*() {
        yield* TestClock.setTime(exchange.at * 1000)
        if (exchange.name === "etag/raw-list-if-none-match") yield* learnETag(exchange)
        expectAsRecorded(exchange, yield* replay(exchange))
      }))
  }
})

/** How often it was asked the same just before, which the recording leaves out. */
const askedBefore: Readonly<Record<string, number>> = { "ratelimit/list-limited": 59, "ratelimit/login-limited": 200 }

const rateLimit = { limit: 60, routes: { "POST /api/v1/auth/universal-auth/login": 200 } }

layer(Layer.mergeAll(Emulator.layer({ ...world, rateLimit }), substitutes))("a server with rate limits", (it) => {
  for (const exchange of exchanges.filter(isOf("ratelimit"))) {
    it.effect(`answers ${exchange.name} as recorded`, () =>
      Effect.gen(function*() {
        yield* TestClock.setTime(exchange.at * 1000)
        const address = exchange.name === "ratelimit/other-ip" ? "127.0.0.2" : "127.0.0.1"
        const again = replay(exchange, address)
        yield* Effect.replicateEffect(again, askedBefore[exchange.name] ?? 0, { discard: true, concurrency: 20 })
        expectAsRecorded(exchange, yield* again)
      }))
  }
})

/** It was recorded in another world, whose keys are not known. */
const shapeOf = (...[exchange, status, headers, body]: Parameters<typeof essenceOf>) => ({
  ...essenceOf(exchange, status, headers, body),
  secrets: sorted(field(body, "secrets"), fieldsOf)
})

layer(Layer.mergeAll(Emulator.layer(world), substitutes))("a server in maintenance mode", (it) => {
  const named = (name: string) => exchanges.filter((exchange) => exchange.name === name)
  const requests = {
    get: named("list/ok"),
    login: named("auth/login-ok"),
    post: named("write/post-ok"),
    status: named("status/ok")
  }
  for (const [name, found] of Object.entries(requests).filter(([name]) => isInMaintenance(name))) {
    it.effect(`answers maintenance/${name} as recorded`, () =>
      Effect.gen(function*() {
        yield* Effect.flatMap(Emulator.Emulator, ({ setMaintenance }) => setMaintenance(true))
        expect(found).toHaveLength(1)
        for (const exchange of found) {
          const recorded = inMaintenance(name)
          const { body, headers, status } = yield* replay(exchange)
          expect(shapeOf(exchange, status, headers, body)).toEqual(
            shapeOf(exchange, recorded.status, recorded.headers, recorded.body)
          )
        }
      }))
  }
})
