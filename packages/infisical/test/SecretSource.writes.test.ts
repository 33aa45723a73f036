/**
 * Writes on servers that ignore parts of a request, or answer an update with less than the secret. Each server is the
 * emulator with what the recordings show, or what `wire/current.md` says, of requests and responses.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, Redacted } from "effect"
import { Location, Secrets, SecretSource } from "effect-infisical"
import type { World } from "effect-infisical-emulator"
import {
  changing,
  clientLayer,
  type Exchange,
  type Hook,
  isRecord,
  type Json,
  type Kind,
  mapSecrets,
  sourceLayer,
  Wire
} from "./support/sources.js"

const without = (body: unknown, fields: ReadonlyArray<string>): unknown =>
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

/** A server of 2024-07. */
const as2024_07: Hook = (exchange) =>
  exchange.method === "GET" || exchange.body === undefined
    ? exchange.respond
    : exchange.respondTo(without(exchange.body, ignoredIn2024_07(exchange)))

/** A server from 2024-10 on, which answers an update of one secret with the fields of the request, and never with tags. */
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

const world: World.Input = {
  projects: {
    main: {
      tags: { db: {}, web: {} },
      folders: {
        dev: {
          "/": {
            secrets: {
              A: { value: "a ${B}", comment: "first", tags: ["db"] },
              B: { value: "b", comment: "second" }
            }
          }
        }
      }
    }
  }
}

interface Server {
  readonly kind: Kind
  readonly era: World.Era
  readonly hook: Hook
}

const servers: Readonly<Record<string, Server>> = {
  "2024-07, end-to-end encrypted": { kind: "end-to-end-encrypted", era: "2024-07", hook: as2024_07 },
  "2024-07": { kind: "v3", era: "2024-07", hook: as2024_07 },
  "2025, on v3": { kind: "v3", era: "2026", hook: echoing },
  "2025": { kind: "v4", era: "2026", hook: echoing }
}

const onServer = ({ era, hook, kind }: Server, input: World.Input = world) =>
<A, E>(
  effect: Effect.Effect<A, E, Secrets.Secrets | Wire>
) =>
  Effect.flatMap(Wire, ({ setHook }) => Effect.zipRight(setHook(hook), effect)).pipe(
    Effect.provide(clientLayer(kind, { ...input, era }))
  )

const text = ({ value }: { readonly value: Redacted.Redacted<string> }) => Redacted.value(value)

const slugs = ({ details }: { readonly details: { readonly tags: ReadonlyArray<{ readonly slug: string }> } }) =>
  details.tags.map(({ slug }) => slug)

const written = { expandReferences: false } as const

/** The secret as it is returned now, and after another fetch. */
const nowAndLater = (name: string) =>
  Effect.gen(function*() {
    const secrets = yield* Secrets.Secrets
    const now = yield* secrets.get(name, written)
    yield* secrets.refresh()
    return [now, yield* secrets.get(name, written)] as const
  })

for (const [name, server] of Object.entries(servers)) {
  /** Lists of 2024-07 that the server decrypts have no tags. */
  const listsTags = name !== "2024-07"

  describe(`On a server of ${name}`, () => {
    it.effect("a rename gives the new name, keeps value, comment and tags, and leaves no old name", () =>
      Effect.gen(function*() {
        const secrets = yield* Secrets.Secrets
        const renamed = yield* secrets.rename("A", "Z")
        assert.include(renamed, { name: "Z", comment: "first" })
        assert.strictEqual(text(renamed), "a ${B}")
        assert.deepStrictEqual(slugs(renamed), ["db"])
        for (const secret of yield* nowAndLater("Z")) {
          assert.strictEqual(text(secret), "a ${B}")
          assert.strictEqual(secret.comment, "first")
        }
        assert.include(yield* Effect.flip(secrets.get("A")), { _tag: "NotFoundError" })
        assert.include(yield* Effect.flip(secrets.rename("Z", "B")), { _tag: "AlreadyExistsError" })
        yield* secrets.refresh()
        assert.strictEqual(text(yield* secrets.get("Z", written)), "a ${B}")
        assert.strictEqual(text(yield* secrets.get("B")), "b")
      }).pipe(onServer(server)))

    for (const isCached of [true, false]) {
      it.effect(`an update keeps comment and tags, ${isCached ? "with" : "without"} a known version before it`, () =>
        Effect.gen(function*() {
          const secrets = yield* Secrets.Secrets
          const { takeRequests } = yield* Wire
          if (isCached) yield* secrets.list()
          yield* takeRequests
          const updated = yield* secrets.update("A", Redacted.make("new"))
          if (isCached && listsTags) {
            assert.deepStrictEqual((yield* takeRequests).map((request) => request.split(" ")[0]), ["PATCH"])
          }
          assert.include(updated, { name: "A", comment: "first", version: 2 })
          if (listsTags) assert.deepStrictEqual(slugs(updated), ["db"])
          for (const secret of yield* nowAndLater("A")) {
            assert.strictEqual(text(secret), "new")
            assert.strictEqual(secret.comment, "first")
            if (listsTags) assert.deepStrictEqual(slugs(secret), ["db"])
          }
        }).pipe(onServer(server)))
    }

    it.effect("a changed comment is stored, and keeps the value as it is written", () =>
      Effect.gen(function*() {
        const secrets = yield* Secrets.Secrets
        yield* secrets.list()
        const annotated = yield* secrets.annotate("A", { comment: "other" })
        assert.strictEqual(annotated.comment, "other")
        assert.strictEqual(text(annotated), "a ${B}")
        for (const secret of yield* nowAndLater("A")) {
          assert.strictEqual(secret.comment, "other")
          assert.strictEqual(text(secret), "a ${B}")
        }
        const updated = yield* secrets.update("A", Redacted.make("new"), { comment: "third" })
        assert.strictEqual(updated.comment, "third")
        assert.strictEqual((yield* nowAndLater("A"))[1].comment, "third")
      }).pipe(onServer(server)))

    it.effect("new tags are returned and stored: of an update, a new secret, and a batch", () =>
      Effect.gen(function*() {
        const secrets = yield* Secrets.Secrets
        const source = yield* Secrets.Secrets
        const tagIds = (yield* source.rename("A", "TAGGED")).details.tags.map(({ id }) => id)
        assert.strictEqual(tagIds.length, 1)
        assert.deepStrictEqual(slugs(yield* secrets.update("B", Redacted.make("b"), { tagIds })), ["db"])
        assert.deepStrictEqual(slugs(yield* secrets.create("C", Redacted.make("c"), { tagIds })), ["db"])
        const many = yield* secrets.createMany([{ name: "D", value: Redacted.make("d"), tagIds }, {
          name: "E",
          value: Redacted.make("e")
        }])
        if (listsTags) {
          assert.deepStrictEqual(many.map(slugs), [["db"], []])
          for (const name of ["B", "C", "D"]) {
            for (const secret of yield* nowAndLater(name)) assert.deepStrictEqual(slugs(secret), ["db"])
          }
        }
        assert.deepStrictEqual(slugs(yield* secrets.annotate("C", { tagIds: [] })), [])
      }).pipe(onServer(server)))

    it.effect("a batch of updates keeps the comments and tags that it leaves out", () =>
      Effect.gen(function*() {
        const secrets = yield* Secrets.Secrets
        const rows = yield* secrets.updateMany([{ name: "A", value: Redacted.make("1") }, {
          name: "B",
          value: Redacted.make("2"),
          comment: "changed"
        }])
        assert.deepStrictEqual(rows.map(({ comment }) => comment), ["first", "changed"])
        for (const secret of yield* nowAndLater("A")) {
          assert.strictEqual(secret.comment, "first")
          if (listsTags) assert.deepStrictEqual(slugs(secret), ["db"])
        }
        assert.strictEqual((yield* nowAndLater("B"))[1].comment, "changed")
      }).pipe(onServer(server)))

    it.effect("a reminder is stored, or refused before anything is written", () =>
      Effect.gen(function*() {
        const secrets = yield* Secrets.Secrets
        const { takeRequests } = yield* Wire
        const reminder = { repeatDays: 30, note: "rotate" }
        const writes = {
          create: secrets.create("C", Redacted.make("c"), { reminder }),
          update: secrets.update("A", Redacted.make("a"), { reminder }),
          annotate: secrets.annotate("B", { reminder })
        }
        for (const write of Object.values(writes)) {
          if (name !== "2024-07") {
            assert.deepStrictEqual((yield* write).details.reminder, Option.some(reminder))
            continue
          }
          assert.include(yield* Effect.flip(write), { _tag: "InvalidRequestError", parameter: "reminder" })
        }
        const methods = (yield* takeRequests).map((request) => request.split(" ")[0])
        if (name === "2024-07") assert.notIncludeMembers(methods, ["POST", "PATCH", "DELETE"])
      }).pipe(onServer(server)))

    it.effect("metadata is stored, or refused before anything is written", () =>
      Effect.gen(function*() {
        const secrets = yield* Secrets.Secrets
        const { takeRequests } = yield* Wire
        const write = secrets.update("A", Redacted.make("a"), { metadata: { team: "core" } })
        if (server.era === "2026") {
          assert.deepStrictEqual((yield* write).details.metadata, { team: "core" })
          for (const { details } of yield* nowAndLater("A")) assert.deepStrictEqual(details.metadata, { team: "core" })
          assert.deepStrictEqual((yield* secrets.update("A", Redacted.make("x"))).details.metadata, { team: "core" })
        } else {
          assert.include(yield* Effect.flip(write), { _tag: "InvalidRequestError", parameter: "metadata" })
          const methods = (yield* takeRequests).map((request) => request.split(" ")[0])
          assert.notIncludeMembers(methods, ["POST", "PATCH", "DELETE"])
        }
      }).pipe(onServer(server)))

    it.effect("a credential that may only write is told what it wrote, and nothing of it is cached", () =>
      Effect.gen(function*() {
        const secrets = yield* Secrets.Secrets
        const { setHook } = yield* Wire
        yield* setHook((exchange) =>
          exchange.method === "GET" && exchange.path.includes("secrets")
            ? Effect.succeed(exchange.reply(403, {
              statusCode: 403,
              message: "You are not allowed to read on secrets",
              error: "PermissionDenied"
            }))
            : server.hook(exchange)
        )
        assert.strictEqual(text(yield* secrets.create("C", Redacted.make("c"))), "c")
        assert.strictEqual(text(yield* secrets.update("A", Redacted.make("new"))), "new")
        yield* setHook(server.hook)
        const [now] = yield* nowAndLater("A")
        assert.strictEqual(text(now), "new")
        assert.strictEqual(now.comment, "first")
      }).pipe(onServer(server)))
  })
}

describe("A rename on a server of 2024-07", () => {
  const server: Server = { kind: "v3", era: "2024-07", hook: as2024_07 }

  it.effect("creates the secret under its new name before it deletes the old one", () =>
    Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      const { takeRequests } = yield* Wire
      yield* secrets.rename("B", "Z")
      const writes = (yield* takeRequests).filter((request) => !request.startsWith("GET"))
      assert.deepStrictEqual(writes, ["POST /api/v3/secrets/raw/Z 200", "DELETE /api/v3/secrets/raw/B 200"])
    }).pipe(onServer(server)))

  for (
    const [status, expected] of [
      [401, { _tag: "UnexpectedResponseError" }],
      [502, { _tag: "NetworkError", mayHaveBeenApplied: true }]
    ] as const
  ) {
    it.effect(`says that the old one is still there if it cannot be deleted, and loses no value: ${status}`, () =>
      Effect.gen(function*() {
        const secrets = yield* Secrets.Secrets
        const { setHook } = yield* Wire
        yield* setHook((exchange) =>
          exchange.method === "DELETE"
            ? Effect.succeed(exchange.reply(
              status,
              status === 502
                ? {}
                : { statusCode: 401, message: "You are not allowed to delete on secrets", error: "PermissionDenied" }
            ))
            : as2024_07(exchange)
        )
        const error = yield* Effect.flip(secrets.rename("B", "Z"))
        assert.include(error, expected)
        if (status === 401) assert.include(error.message, "the old one was not deleted")
        assert.strictEqual(text(yield* secrets.get("B")), "b")
        assert.strictEqual(text(yield* secrets.get("Z")), "b")
      }).pipe(onServer(server)))
  }

  it.effect("is refused if the user has a personal secret of that name, which a deletion would take along", () =>
    Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      const { setHook, takeRequests } = yield* Wire
      yield* setHook(as2024_07)
      yield* secrets.create("B", Redacted.make("mine"), { type: "personal" })
      yield* takeRequests
      const error = yield* Effect.flip(secrets.rename("B", "Z"))
      assert.include(error, { _tag: "InvalidRequestError", parameter: "name" })
      assert.notIncludeMembers((yield* takeRequests).map((request) => request.split(" ")[0]), ["POST", "DELETE"])
    }).pipe(Effect.provide(clientLayer("v3", { ...world, era: "2024-07", users: { jane: {} } }, { user: "jane" }))))
})

describe("An update whose part the server ignores", () => {
  it.effect("is an error that says which, and that the rest was written", () =>
    Effect.gen(function*() {
      const source = yield* SecretSource.SecretSource
      const { setHook } = yield* Wire
      yield* setHook((exchange) =>
        exchange.method === "PATCH" ? exchange.respondTo(without(exchange.body, ["secretMetadata"])) : exchange.respond
      )
      const location = yield* Location.make({ environment: "dev", secretPath: "/" })
      const error = yield* Effect.flip(
        source.update({ location, name: "A", type: "shared" }, { metadata: { team: "core" } })
      )
      assert.include(error, { _tag: "InvalidRequestError", parameter: "metadata", status: 200 })
      assert.include(error.message, "was updated")
    }).pipe(Effect.provide(sourceLayer("v4", world))))
})
