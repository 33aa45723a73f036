/** What reads do here because servers do it differently or not at all: flags, filters, references, hidden values. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { Secrets } from "effect-infisical"
import type { World } from "effect-infisical-emulator"
import {
  changing,
  clientLayer,
  type Exchange,
  type Hook,
  isRecord,
  type Json,
  type Kind,
  kinds,
  mapSecrets,
  Wire
} from "./support/sources.js"

const text = ({ value }: { readonly value: Redacted.Redacted<string> }) => Redacted.value(value)

const list = (options?: Secrets.ListOptions) => Effect.flatMap(Secrets.Secrets, (secrets) => secrets.list(options))

const namesOf = (options: Secrets.ListOptions) =>
  Effect.map(list(options), ({ secrets }) => secrets.map(({ name }) => name).toSorted())

const get = (name: string, options?: Secrets.GetOptions) =>
  Effect.flatMap(Secrets.Secrets, (secrets) => secrets.get(name, options))

const isRead = ({ method, path }: Exchange) => method === "GET" && /\/api\/v[34]\/secrets/.test(path)

/** The queries of all reads so far. */
const recordingQueries = (queries: Array<Json>): Hook => (exchange) => {
  if (isRead(exchange)) queries.push(Object.fromEntries(exchange.query))
  return exchange.respond
}

for (const [kind, era] of [["v3", "2024-07"], ["v3", "2026"], ["v4", "2026"]] as const) {
  it.effect(`A read says each flag, and both spellings of the imports flag: ${kind} on ${era}`, () =>
    Effect.gen(function*() {
      const { setHook } = yield* Wire
      const queries: Array<Json> = []
      yield* setHook(recordingQueries(queries))
      const flags = { viewSecretValue: "true", expandSecretReferences: "false" }
      const imports = (flag: string) => ({ include_imports: flag, includeImports: flag })
      yield* list()
      yield* list({ includeImports: false, recursive: true, expandReferences: false })
      yield* get("A", { version: 1 })
      assert.deepInclude(queries[0], {
        ...flags,
        ...imports("true"),
        includePersonalOverrides: "true",
        recursive: "false"
      })
      assert.deepInclude(queries[1], {
        ...flags,
        ...imports("false"),
        includePersonalOverrides: "true",
        recursive: "true"
      })
      assert.deepInclude(queries[2], { ...flags, ...imports("true"), type: "shared", version: "1" })
      assert.strictEqual(queries.length, 3)
    }).pipe(Effect.provide(clientLayer(kind, { secrets: { A: "a" }, era }))))
}

const filtered: World.Input = {
  projects: {
    main: {
      tags: { db: {}, web: {} },
      folders: {
        dev: {
          "/": {
            secrets: {
              URL: { value: "url", tags: ["db"], metadata: { team: "core", "a=b": "c,d|e" } },
              KEY: { value: "key", tags: ["web"], metadata: { team: "web" } },
              NONE: "none"
            },
            imports: [{ environment: "staging", path: "/shared" }]
          }
        },
        staging: {
          "/shared": {
            secrets: {
              NONE: { value: "imported", metadata: { team: "core" } },
              MORE: { value: "more", metadata: { team: "core" } }
            }
          }
        }
      }
    }
  }
}

/** Servers of 2024 ignore a filter, and no server applies it to imports or states the tags of imports. */
const withoutTagsOfImports: Hook = changing(
  ["GET"],
  mapSecrets((secret) => secret, ({ tags: _, ...secret }) => secret)
)

describe("A filter", () => {
  for (
    const [kind, era] of [["end-to-end-encrypted", "2024-07"], ["v3", "2024-07"], ["v3", "2026"], [
      "v4",
      "2026"
    ]] as const
  ) {
    const onServer = <A, E>(effect: Effect.Effect<A, E, Secrets.Secrets | Wire>) =>
      Effect.flatMap(Wire, ({ setHook }) => Effect.zipRight(setHook(withoutTagsOfImports), effect)).pipe(
        Effect.provide(clientLayer(kind, { ...filtered, era }))
      )

    it.effect(`by tags gives secrets with one of them, and no imports: ${kind} on ${era}`, () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* namesOf({ tagSlugs: ["db"] }), ["URL"])
        assert.deepStrictEqual(yield* namesOf({ tagSlugs: ["db", "web"] }), ["KEY", "URL"])
        assert.deepStrictEqual(yield* namesOf({ tagSlugs: ["other"] }), [])
        assert.deepStrictEqual(yield* namesOf({}), ["KEY", "MORE", "NONE", "URL"])
      }).pipe(onServer))

    it.effect(`by metadata gives secrets with all of it, imports as well: ${kind} on ${era}`, () =>
      Effect.gen(function*() {
        const has = era === "2026"
        assert.deepStrictEqual(yield* namesOf({ metadata: { team: "core" } }), has ? ["MORE", "URL"] : [])
        assert.deepStrictEqual(yield* namesOf({ metadata: { team: "core", "a=b": "c,d|e" } }), has ? ["URL"] : [])
        assert.deepStrictEqual(yield* namesOf({ metadata: { "a=b": "c" } }), [])
      }).pipe(onServer))
  }

  it.effect("of the memory source is the same", () =>
    Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      yield* secrets.create("URL", Redacted.make("url"), { tagIds: ["db"], metadata: { "a=b": "c,d|e" } })
      assert.deepStrictEqual(yield* namesOf({ tagSlugs: ["db", "web"] }), ["URL"])
      assert.deepStrictEqual(yield* namesOf({ metadata: { "a=b": "c,d|e" } }), ["URL"])
      assert.deepStrictEqual(yield* namesOf({ metadata: { "a=b": "c" } }), [])
    }).pipe(Effect.provide(Secrets.layerTest({ NONE: "none" }))))
})

const referring: World.Input = {
  projects: {
    main: {
      folders: {
        dev: {
          "/": { secrets: { LINES: "one\ntwo", SELF: "${SELF}", DEEP: "${dev.app.URL}" } },
          "/app": { secrets: { HOST: "db", URL: "pg://${HOST}/${dev.other.NAME}" } },
          "/other": { secrets: { NAME: "main ${literal}" } },
          "/importing": { imports: [{ environment: "dev", path: "/app" }] }
        }
      }
    }
  },
  users: { jane: {} }
}

const expected = "pg://db/main ${literal}"

for (const kind of kinds) {
  describe(`A reference on ${kind}`, () => {
    it.effect("is expanded in a folder, an import, a recursive list, and by name, and not twice", () =>
      Effect.gen(function*() {
        assert.strictEqual(text(yield* get("URL", { secretPath: "/app" })), expected)
        assert.strictEqual(text(yield* get("DEEP")), expected)
        assert.strictEqual(text(yield* get("URL", { secretPath: "/app", version: 1 })), expected)
        assert.strictEqual(text(yield* get("URL", { secretPath: "/importing" })), expected)
        const { secrets } = yield* list({ recursive: true })
        assert.deepStrictEqual(secrets.filter(({ name }) => name === "URL").map(text), [expected])
        assert.strictEqual(text(yield* get("SELF")), "${SELF}")
        assert.strictEqual(text(yield* get("LINES")), "one\ntwo")
        assert.strictEqual(
          text(yield* get("URL", { secretPath: "/app", expandReferences: false })),
          "pg://${HOST}/${dev.other.NAME}"
        )
      }).pipe(Effect.provide(clientLayer(kind, referring))))

    it.effect("is the new value after a write of what it refers to", () =>
      Effect.gen(function*() {
        const secrets = yield* Secrets.Secrets
        yield* get("DEEP")
        yield* secrets.update("NAME", Redacted.make("new"), { secretPath: "/other" })
        assert.strictEqual(text(yield* get("DEEP")), "pg://db/new")
      }).pipe(Effect.provide(clientLayer(kind, referring))))
  })
}

describe("A user's list", () => {
  for (const kind of ["v3", "v4"] as const) {
    it.effect(`has the personal and the shared value of one name, whatever they refer to: ${kind}`, () =>
      Effect.gen(function*() {
        const secrets = yield* Secrets.Secrets
        yield* secrets.create("P", Redacted.make("shared ${LINES}"))
        yield* secrets.create("P", Redacted.make("mine"), { type: "personal" })
        yield* secrets.refresh()
        assert.strictEqual(text(yield* get("P", { type: "shared" })), "shared one\ntwo")
        assert.strictEqual(text(yield* get("P")), "mine")
      }).pipe(Effect.provide(clientLayer(kind, referring, { user: "jane" }))))
  }

  it.effect("has the shared value where the server gives personal ones in place of shared ones", () =>
    Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      const { setHook } = yield* Wire
      yield* secrets.create("P", Redacted.make("shared"))
      yield* secrets.create("P", Redacted.make("mine"), { type: "personal" })
      yield* setHook((exchange) =>
        changing(["GET"], (body) => {
          if (!isRecord(body) || !Array.isArray(body["secrets"])) return body
          const all: ReadonlyArray<Json> = body["secrets"].filter(isRecord)
          const wanted = exchange.query.get("includePersonalOverrides") === "true"
          const overridden = new Set(wanted ? all.filter(isPersonal).map(({ secretKey }) => secretKey) : [])
          const secrets = all.filter((secret) => isPersonal(secret) ? wanted : !overridden.has(secret["secretKey"]))
          return { ...body, secrets }
        })(exchange)
      )
      yield* secrets.refresh()
      assert.strictEqual(text(yield* get("P", { type: "shared" })), "shared")
      assert.strictEqual(text(yield* get("P")), "mine")
      assert.strictEqual(text(yield* get("LINES", { type: "shared" })), "one\ntwo")
    }).pipe(Effect.provide(clientLayer("v4", referring, { user: "jane" }))))
})

const isPersonal = ({ type }: Json) => type === "personal"

it.effect("A reference to another project is left to the server, and its folder is fetched whole each time", () =>
  Effect.gen(function*() {
    const secrets = yield* Secrets.Secrets
    const { setHook, takeRequests } = yield* Wire
    yield* setHook((exchange) =>
      changing(
        ["GET"],
        mapSecrets((secret) => ({
          ...secret,
          ...exchange.query.get("expandSecretReferences") === "true" && secret["secretKey"] === "FAR"
            ? { secretValue: "from afar" }
            : {}
        }))
      )(exchange)
    )
    assert.strictEqual(text(yield* get("FAR")), "from afar")
    assert.strictEqual(text(yield* get("LINES")), "one\ntwo")
    yield* takeRequests
    yield* secrets.refresh()
    assert.deepStrictEqual(yield* takeRequests, ["GET /api/v4/secrets 200", "GET /api/v4/secrets 200"])
    assert.strictEqual(text(yield* get("FAR", { version: 1 })), "from afar")
  }).pipe(Effect.provide(clientLayer("v4", { secrets: { FAR: "${other::prod.db.NAME}", LINES: "one\ntwo" } }))))

const forbidden = { statusCode: 403, message: "You are not allowed to read on secrets", error: "PermissionDenied" }

/** A Node server: refuses what shows a value that may not be read, and hides the values where none are wanted. */
const describing = (readable: ReadonlyArray<string>): Hook => (exchange) => {
  if (!isRead(exchange)) return exchange.respond
  const name = exchange.path.split("/")[exchange.path.includes("/raw") ? 5 : 4]
  if (exchange.query.get("viewSecretValue") === "true") {
    return name !== undefined && readable.includes(name)
      ? exchange.respond
      : Effect.succeed(exchange.reply(403, forbidden))
  }
  return changing(
    ["GET"],
    mapSecrets((secret) => ({
      ...secret,
      secretValue: "<hidden-by-infisical>",
      secretValueHidden: true
    }))
  )(exchange)
}

describe("An identity that may describe secrets", () => {
  for (const kind of ["v3", "v4"] as const satisfies ReadonlyArray<Kind>) {
    const world = { secrets: { A: "a", B: "b", REFERRING: "to ${A} and ${B}" }, era: "2026" as const }

    it.effect(`and read none of them is given each as hidden, and get says why: ${kind}`, () =>
      Effect.gen(function*() {
        const { setHook } = yield* Wire
        yield* setHook(describing([]))
        const { hidden, secrets } = yield* list()
        assert.deepStrictEqual(secrets, [])
        assert.deepStrictEqual(hidden.map(({ name }) => name).toSorted(), ["A", "B", "REFERRING"])
        assert.include(yield* Effect.flip(get("A")), { _tag: "PermissionError", problem: "hidden value" })
        assert.include(yield* Effect.flip(get("A")), { _tag: "PermissionError", problem: "hidden value" })
        assert.include(yield* Effect.flip(get("NOPE")), { _tag: "NotFoundError" })
      }).pipe(Effect.provide(clientLayer(kind, world))))

    it.effect(`and read some of them reads those by name, as references, too: ${kind}`, () =>
      Effect.gen(function*() {
        const { setHook, takeRequests } = yield* Wire
        yield* setHook(describing(["A", "REFERRING"]))
        assert.strictEqual((yield* list()).hidden.length, 3)
        assert.strictEqual(text(yield* get("A")), "a")
        assert.include(yield* Effect.flip(get("B")), { _tag: "PermissionError", problem: "hidden value" })
        assert.strictEqual(text(yield* get("REFERRING")), "to a and ${B}")
        yield* takeRequests
        for (let turn = 0; turn < 3; turn++) yield* Effect.all([get("A"), get("REFERRING"), Effect.flip(get("B"))])
        assert.deepStrictEqual(yield* takeRequests, [])
      }).pipe(Effect.provide(clientLayer(kind, world))))
  }

  it.effect("on a server that knows no lists without values is refused as before", () =>
    Effect.gen(function*() {
      const { setHook } = yield* Wire
      yield* setHook((exchange) => isRead(exchange) ? Effect.succeed(exchange.reply(403, forbidden)) : exchange.respond)
      assert.include(yield* Effect.flip(list()), { _tag: "PermissionError", problem: "scope" })
    }).pipe(Effect.provide(clientLayer("v3", { secrets: { A: "a" }, era: "2024-07" }))))
})
