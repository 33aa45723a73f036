/** Writes on servers that ignore parts of a request, or answer an update with less than the secret. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, Redacted } from "effect"
import { Location, type Secret, Secrets, SecretSource } from "effect-infisical"
import type { World } from "effect-infisical-emulator"
import { type Server, servers, without } from "./support/servers.js"
import { changing, clientLayer, mapSecrets, sourceLayer, Wire } from "./support/sources.js"

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

for (const [name, server] of Object.entries<Server>(servers)) {
  const { listsTags, stores } = server

  describe(`On a server of ${name}`, () => {
    it.effect("a rename has what refers to the old name fetched again, since a server may rewrite it", () =>
      Effect.gen(function*() {
        const secrets = yield* Secrets.Secrets
        const { takeRequests } = yield* Wire
        yield* secrets.get("A", written)
        yield* secrets.rename("B", "Y")
        yield* takeRequests
        yield* secrets.get("A", written)
        assert.lengthOf(yield* takeRequests, 1)
      }).pipe(onServer(server)))

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
          if (stores.reminders) {
            assert.deepStrictEqual((yield* write).details.reminder, Option.some(reminder))
            continue
          }
          assert.include(yield* Effect.flip(write), { _tag: "InvalidRequestError", parameter: "reminder" })
        }
        const methods = (yield* takeRequests).map((request) => request.split(" ")[0])
        if (!stores.reminders) assert.notIncludeMembers(methods, ["POST", "PATCH", "DELETE"])
      }).pipe(onServer(server)))

    it.effect("metadata is stored, or refused before anything is written", () =>
      Effect.gen(function*() {
        const secrets = yield* Secrets.Secrets
        const { takeRequests } = yield* Wire
        const write = secrets.update("A", Redacted.make("a"), { metadata: { team: "core" } })
        if (stores.metadata) {
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
  const server = servers["2024-07"]

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
            : server.hook(exchange)
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
      yield* setHook(server.hook)
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

  it.effect("is that error for a reminder, too", () =>
    Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      const { setHook } = yield* Wire
      yield* setHook((exchange) =>
        exchange.method === "POST"
          ? exchange.respondTo(without(exchange.body, ["secretReminderNote", "secretReminderRepeatDays"]))
          : exchange.respond
      )
      const reminder = { repeatDays: 30, note: "rotate" }
      const error = yield* Effect.flip(secrets.create("C", Redacted.make("c"), { reminder }))
      assert.include(error, { _tag: "InvalidRequestError", parameter: "reminder", status: 200 })
      assert.deepStrictEqual((yield* secrets.annotate("C", { reminder })).details.reminder, Option.some(reminder))
      assert.deepStrictEqual((yield* secrets.annotate("C", { reminder: null })).details.reminder, Option.none())
    }).pipe(onServer(servers["2024-10"])))

  it.effect("is that error as well if an empty folder did not show before that the server stores none", () =>
    Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      const place = { secretPath: "/empty" }
      const reminder = { repeatDays: 30, note: "rotate" }
      const error = yield* Effect.flip(secrets.create("C", Redacted.make("c"), { ...place, reminder }))
      assert.include(error, { _tag: "InvalidRequestError", parameter: "reminder", status: 200 })
      assert.include(error.message, "was created")
      assert.strictEqual(text(yield* secrets.get("C", place)), "c")
      const many = [{ name: "D", value: Redacted.make("d"), metadata: { team: "core" } }]
      const refused = yield* Effect.flip(secrets.createMany(many, place))
      assert.include(refused, { _tag: "InvalidRequestError", parameter: "metadata" })
      assert.include(yield* Effect.flip(secrets.get("D", place)), { _tag: "NotFoundError" })
    }).pipe(onServer(servers["2024-07"], { projects: { main: { folders: { dev: { "/empty": {} } } } } })))
})

describe("An update of value, comment and tags on a server of 2024-07 that refuses the tags", () => {
  const noTag = "8a15230e-b33a-4cb0-9dd8-a0d98b51c936"
  const update = Effect.flatMap(
    Secrets.Secrets,
    (secrets) => Effect.flip(secrets.update("B", Redacted.make("new"), { comment: "c", tagIds: [noTag] }))
  )

  it.effect("says that the rest was carried out, and the value before it is not returned any more", () =>
    Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      assert.strictEqual(text(yield* secrets.get("B")), "b")
      const error = yield* update
      assert.include(error, { _tag: "UnexpectedResponseError", status: 200 })
      assert.include(error.message, "but not its tags")
      assert.strictEqual(text(yield* secrets.get("B")), "new")
    }).pipe(Effect.provide(clientLayer("v3", { ...world, era: "2024-07" }))))
})

for (const era of ["2025", "2026"] as const) {
  describe(`On a server of ${era} that masks values in reads`, () => {
    const value = Redacted.make("new")

    for (
      const [name, write] of [
        ["update", (secrets) => secrets.update("A", value)],
        ["update with a comment", (secrets) => secrets.update("A", value, { comment: "c" })],
        ["upsert", (secrets) => secrets.upsert("A", value)],
        ["create with metadata", (secrets) => secrets.create("N", value, { metadata: { k: "v" } })],
        [
          "updateMany",
          (secrets) => Effect.flatMap(secrets.updateMany([{ name: "A", value }]), ([one]) => Effect.fromNullable(one))
        ]
      ] satisfies ReadonlyArray<
        readonly [string, (secrets: Secrets.Service) => Effect.Effect<Secret.Secret, unknown>]
      >
    ) {
      it.effect(`${name} returns the written value`, () =>
        Effect.gen(function*() {
          const { setHook } = yield* Wire
          yield* setHook(changing(
            ["GET"],
            mapSecrets((secret) => ({ ...secret, secretValue: "<hidden-by-infisical>", secretValueHidden: true }))
          ))
          assert.strictEqual(text(yield* write(yield* Secrets.Secrets)), "new")
        }).pipe(Effect.provide(clientLayer("v4", { ...world, era }))))
    }
  })
}

describe("Tags on a server of 2024-07, whose lists do not state them", () => {
  const tag = "5b0c7a3e-52f1-4d56-9c0b-6a1d1c3a9f10"
  const ids = ({ details }: Secret.Secret) => details.tags.map(({ id }) => id)
  const run = Effect.provide(clientLayer("v3", {
    projects: { main: { folders: { dev: { "/": { secrets: { A: "a" } } } }, tags: { t: { id: tag } } } },
    era: "2024-07"
  }))

  it.effect("are returned by createMany, and stored", () =>
    Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      const created = yield* secrets.createMany([{ name: "N", value: Redacted.make("n"), tagIds: [tag] }])
      assert.deepStrictEqual(created.map(ids), [[tag]])
      assert.deepStrictEqual(ids(yield* secrets.annotate("N", { comment: "c" })), [tag])
    }).pipe(run))

  it.effect("are returned by updateMany", () =>
    Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      const updated = yield* secrets.updateMany([{ name: "A", value: Redacted.make("n"), tagIds: [tag] }])
      assert.deepStrictEqual(updated.map(ids), [[tag]])
    }).pipe(run))

  it.effect("are kept by a batch update without tags, a comment and a rename", () =>
    Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      yield* secrets.update("A", Redacted.make("b"), { tagIds: [tag] })
      yield* secrets.updateMany([{ name: "A", value: Redacted.make("n") }])
      assert.deepStrictEqual(ids(yield* secrets.annotate("A", { comment: "c" })), [tag])
      const renamed = yield* secrets.rename("A", "A2")
      assert.deepStrictEqual([ids(renamed), text(renamed), renamed.comment], [[tag], "n", "c"])
    }).pipe(run))
})
