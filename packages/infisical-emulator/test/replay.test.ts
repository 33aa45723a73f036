import { describe, expect, layer } from "@effect/vitest"
import { Context, Effect, HashMap, Layer, Option, Predicate, Ref, TestClock } from "effect"
import { Emulator } from "effect-infisical-emulator"
import * as NodeCrypto from "node:crypto"
import { copies, type Exchange, inMaintenance, rateLimitOf, read, type Recording, routeOf } from "./recordings.js"
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

/** The recordings here, or the folder that `npm run replay` names. */
const folders = process.env["WIRE_DIR"] === undefined ? copies : { "the folder": process.env["WIRE_DIR"] }

const recordings = Object.entries(folders).map(([name, folder]) => ({ name, ...read(folder) }))

/** Of every project: nothing says which project a row is of. */
const keys = recordings.flatMap(({ recorded }) => Object.values(recorded.projects).map(({ projectKey }) => projectKey))

const decrypt = (row: unknown, what: string): string => {
  const text = (name: string) => String(field(row, `secret${what}${name}`) ?? "")
  const ciphertext = text("Ciphertext")
  if (ciphertext.includes("<cut") || ciphertext.length > 10_000) return "a long text"
  for (const key of keys) {
    try {
      const decipher = NodeCrypto.createDecipheriv("aes-256-gcm", key, Buffer.from(text("IV"), "base64"))
      decipher.setAuthTag(Buffer.from(text("Tag"), "base64"))
      return decipher.update(ciphertext, "base64", "utf8") + decipher.final("utf8")
    } catch {
      // It was another one.
    }
  }
  return `${ciphertext}, not decryptable`
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

/** Lets in who logged in before the recording. */
const logInBefore = ({ accessTokens, recorded }: Recording) =>
  Effect.forEach(accessTokens, ([accessToken, name]) =>
    Effect.gen(function*() {
      const { body } = yield* login(recorded.identities[name])
      expect(field(body, "accessToken")).toBeTypeOf("string")
      yield* substitute(accessToken, field(body, "accessToken"))
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
const learnETag = (exchange: Exchange, { exchanges }: Recording) => {
  const { "if-none-match": theirs, ...headers } = exchange.request.headers
  const isKnown = exchanges.some(({ order, response }) =>
    order < exchange.order && response.status !== 304 && response.headers["etag"] === theirs
  )
  return theirs === undefined || isKnown || exchange.response.status !== 304
    ? Effect.void
    : Effect.flatMap(
      replay({ ...exchange, request: { ...exchange.request, headers } }),
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

/** It was recorded in another world, whose keys are not known. */
const shapeOf = (...[exchange, status, headers, body]: Parameters<typeof essenceOf>) => ({
  ...essenceOf(exchange, status, headers, body),
  secrets: sorted(field(body, "secrets"), fieldsOf)
})

const isOf = (group: string) => ({ name }: Exchange) => name.startsWith(`${group}/`)

const addressOf = ({ order }: Exchange): string => `127.1.${Math.floor(order / 250)}.${1 + order % 250}`

/** The requests between two exchanges of the rate limits, which are not in the recording. */
class Counters extends Context.Tag("test/Counters")<
  Counters,
  Ref.Ref<HashMap.HashMap<string, { readonly times: number; readonly begun: number }>>
>() {}

/** Which address it came from, how often that one asked the same just before, and since when. */
const limitsOf = ({ at, name, request, response }: Exchange, times: number, begun: number) => {
  const limit = Number(response.headers["x-ratelimit-limit"])
  const remaining = Number(response.headers["x-ratelimit-remaining"])
  const reset = Number(response.headers["x-ratelimit-reset"])
  const before = response.status === 429 ? limit : limit - remaining - 1
  const counted = at - begun >= 60 ? 0 : times
  return {
    before,
    counted,
    isOther: response.status !== 429 && before < counted,
    begins: at + reset - 60,
    name,
    request
  }
}

const replayLimited = (exchange: Exchange) =>
  Effect.gen(function*() {
    const key = routeOf(exchange)
    if (key === undefined || exchange.response.headers["x-ratelimit-limit"] === undefined) {
      yield* TestClock.setTime(exchange.at * 1000)
      return yield* replay(exchange, "127.0.0.1")
    }
    const counters = yield* Counters
    const { begun, times } = yield* Effect.map(Ref.get(counters), (all) =>
      HashMap.get(all, key).pipe((found) =>
        found._tag === "Some" ? found.value : { times: 0, begun: exchange.at }
      ))
    const { before, begins, counted, isOther } = limitsOf(exchange, times, begun)
    if (isOther) {
      yield* TestClock.setTime(exchange.at * 1000)
      return yield* replay(exchange, "127.0.0.2")
    }
    const again = replay(exchange, "127.0.0.1")
    const missing = Math.max(0, before - counted)
    if (counted === 0 && missing > 0) {
      // The window began with the first of them.
      yield* TestClock.setTime(begins * 1000)
      yield* again
    }
    yield* TestClock.setTime(exchange.at * 1000)
    yield* Effect.replicateEffect(again, missing - (counted === 0 && missing > 0 ? 1 : 0), {
      discard: true,
      concurrency: 20
    })
    yield* Ref.update(
      counters,
      HashMap.set(key, { times: Math.max(before, counted) + 1, begun: counted === 0 ? begins : begun })
    )
    return yield* again
  })

const counters = Layer.effect(Counters, Ref.make(HashMap.empty<string, { times: number; begun: number }>()))

for (const recording of recordings) {
  const { era, exchanges, name, world } = recording
  const inScope = exchanges.filter((exchange) => recording.outOfScope(exchange) === undefined)
  const isReplayed = (exchange: Exchange) => recording.notReplayed(exchange) === undefined
  const isLimited = isOf("ratelimit")
  const rateLimit = rateLimitOf(inScope.filter(isLimited))

  describe(`the recording ${name}`, () => {
    layer(Layer.mergeAll(Emulator.layer({ ...world, rateLimit }), substitutes, counters))(
      `on a server of ${era}`,
      (it) => {
        it.effect("lets in who logged in before it", () => logInBefore(recording))

        for (const exchange of inScope.filter(isReplayed)) {
          it.effect(`answers ${exchange.name} as recorded`, () =>
            Effect.gen(function*() {
              if (isLimited(exchange)) return expectAsRecorded(exchange, yield* replayLimited(exchange))
              yield* TestClock.setTime(exchange.at * 1000)
              yield* learnETag(exchange, recording)
              // From an address of its own, as it was recorded: so that no limit is reached.
              expectAsRecorded(exchange, yield* replay(exchange, addressOf(exchange)))
            }))
        }
      }
    )

    // The requests have names alone: these are like them.
    const like = { get: "list/ok", login: "auth/login-ok", post: "write/post-ok", status: "status/ok" }
    const inMaintenanceMode = Object.entries(like).flatMap(([request, likeIt]) => {
      const exchange = exchanges.find(({ name }) => name === likeIt)
      const recorded = Option.getOrUndefined(inMaintenance(recording, request))
      return exchange === undefined || recorded === undefined ? [] : [{ exchange, recorded, request }]
    })
    if (inMaintenanceMode.length === 0) return
    layer(Layer.mergeAll(Emulator.layer(world), substitutes))("on a server in maintenance mode", (it) => {
      for (const { exchange, recorded, request } of inMaintenanceMode) {
        it.effect(`answers maintenance/${request} as recorded`, () =>
          Effect.gen(function*() {
            yield* Effect.flatMap(Emulator.Emulator, ({ setMaintenance }) => setMaintenance(true))
            const { body, headers, status } = yield* replay(exchange)
            expect(shapeOf(exchange, status, headers, body)).toEqual(
              shapeOf(exchange, recorded.status, recorded.headers, recorded.body)
            )
          }))
      }
    })
  })
}
