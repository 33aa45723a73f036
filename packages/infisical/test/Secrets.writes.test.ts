/** Writes beyond the legacy client's, recursive lists and versions, on whichever source the run is for. */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Option, Redacted, Ref } from "effect"
import { Folders, Secrets } from "effect-infisical"
import { get, on, Simulation, value } from "./Simulation.js"
import { kinds } from "./support/sources.js"

const secret = (text: string) => Redacted.make(text)

const world = {
  projects: {
    main: {
      folders: {
        dev: {
          "/": { secrets: { A: "a", B: "b" } },
          "/app": { secrets: { A: "app a" } },
          "/app/web": { secrets: { C: "web c" } },
          "/apple": { secrets: { D: "apple d" } }
        }
      }
    }
  }
}

const awaitCount = (count: Ref.Ref<number>, wanted: number) =>
  Effect.repeat(Effect.yieldNow(), { while: () => Effect.map(Ref.get(count), (count) => count < wanted) })

const names = ({ secrets }: { readonly secrets: ReadonlyArray<{ readonly name: string }> }) =>
  secrets.map(({ name }) => name).toSorted()

for (const source of kinds) {
  const isEndToEndEncrypted = source === "end-to-end-encrypted"
  const { run } = on(source)

  describe(`On ${source}`, () => {
    describe("upsert", () => {
      it.effect("creates what there is not, and updates what there is", () =>
        Effect.gen(function*() {
          const secrets = yield* Secrets.Secrets
          assert.strictEqual(value(yield* secrets.upsert("NEW", secret("first"))), "first")
          assert.strictEqual(value(yield* secrets.upsert("NEW", secret("second"))), "second")
          assert.strictEqual(value(yield* get("NEW")), "second")
        }).pipe(run(world)))

      it.effect("of one name by many at once makes one secret with one of their values", () =>
        Effect.gen(function*() {
          const secrets = yield* Secrets.Secrets
          const values = Array.from({ length: 10 }, (_, index) => `value ${index}`)
          yield* Effect.forEach(values, (text) => secrets.upsert("NEW", secret(text)), { concurrency: "unbounded" })
          yield* secrets.refresh()
          const found = (yield* secrets.list()).secrets.filter(({ name }) => name === "NEW")
          assert.strictEqual(found.length, 1)
          assert.include(values, found.map(value)[0])
        }).pipe(run(world)))
    })

    describe("A write", () => {
      const imported = {
        projects: {
          main: {
            folders: {
              dev: {
                "/": { secrets: { URL: "db://${PASSWORD}", PASSWORD: "old", EARLY: "${LATE}" } },
                "/x": { secrets: { B: "old" } },
                "/y": { imports: [{ environment: "dev", path: "/x" }] }
              }
            }
          }
        }
      }

      it.effect("is in the references to it", () =>
        Effect.gen(function*() {
          const secrets = yield* Secrets.Secrets
          assert.strictEqual(value(yield* get("URL")), "db://old")
          yield* secrets.update("PASSWORD", secret("new"))
          assert.strictEqual(value(yield* get("URL")), "db://new")
        }).pipe(run(imported)))

      it.effect("of what there was not is in the references to it", () =>
        Effect.gen(function*() {
          const secrets = yield* Secrets.Secrets
          assert.strictEqual(value(yield* get("EARLY")), "${LATE}")
          yield* secrets.create("LATE", secret("here"))
          assert.strictEqual(value(yield* get("EARLY")), "here")
        }).pipe(run(imported)))

      it.effect("that is a deletion leaves the references to it as they are written", () =>
        Effect.gen(function*() {
          const secrets = yield* Secrets.Secrets
          assert.strictEqual(value(yield* get("URL")), "db://old")
          yield* secrets.delete("PASSWORD")
          assert.strictEqual(value(yield* get("URL")), "db://${PASSWORD}")
        }).pipe(run(imported)))

      it.effect("with references is read with what they refer to", () =>
        Effect.gen(function*() {
          const secrets = yield* Secrets.Secrets
          yield* get("PASSWORD")
          yield* secrets.update("URL", secret("pg://${PASSWORD}"))
          assert.strictEqual(value(yield* get("URL")), "pg://old")
        }).pipe(run(imported)))

      it.effect("is in what is read after it, even where an older answer is still under way", () =>
        Effect.gen(function*() {
          const { holdAnswers, settle } = yield* Simulation
          const secrets = yield* Secrets.Secrets
          assert.strictEqual(value(yield* get("B", { secretPath: "/y" })), "old")
          const arrive = yield* Deferred.make<void>()
          const held = yield* Ref.make(0)
          yield* holdAnswers(Effect.zipRight(Ref.update(held, (count) => count + 1), Deferred.await(arrive)))
          const refreshing = yield* Effect.fork(secrets.refresh({ secretPath: "/y" }))
          yield* awaitCount(held, 1)
          yield* holdAnswers(Effect.void)
          yield* secrets.update("B", secret("new"), { secretPath: "/x" })
          assert.strictEqual(value(yield* get("B", { secretPath: "/y" })), "new")
          yield* Deferred.succeed(arrive, undefined)
          yield* Fiber.join(refreshing)
          yield* settle
          assert.strictEqual(value(yield* get("B", { secretPath: "/y" })), "new")
        }).pipe(run(imported)))

      it.effect("is read live as soon as the server is back, where it was gone right after", () =>
        Effect.gen(function*() {
          const { advance, setFault } = yield* Simulation
          const secrets = yield* Secrets.Secrets
          yield* get("B", { secretPath: "/y" })
          yield* secrets.update("B", secret("new"), { secretPath: "/x" })
          yield* setFault(() => "unreachable")
          assert.strictEqual((yield* get("B", { secretPath: "/y" })).source, "stale")
          yield* setFault(() => undefined)
          yield* advance("2 seconds")
          assert.strictEqual(value(yield* get("B", { secretPath: "/y" })), "new")
        }).pipe(run(imported)))

      it.effect("into a folder that there was not ends what was remembered of that", () =>
        Effect.gen(function*() {
          const secrets = yield* Secrets.Secrets
          const folders = yield* Folders.Folders
          const secretPath = "/new"
          assert.include(yield* Effect.flip(get("A", { secretPath })), { _tag: "NotFoundError" })
          yield* folders.create("new")
          yield* secrets.create("A", secret("a"), { secretPath })
          assert.strictEqual(value(yield* get("A", { secretPath })), "a")
        }).pipe(run(world)))
    })

    describe("rename", () => {
      it.effect("gives a secret another name and keeps value and comment", () =>
        Effect.gen(function*() {
          const secrets = yield* Secrets.Secrets
          yield* secrets.update("A", secret("a"), { comment: "a comment" })
          const renamed = yield* secrets.rename("A", "Z")
          assert.include(renamed, { name: "Z", comment: "a comment" })
          assert.strictEqual(value(yield* get("Z")), "a")
          assert.include(yield* Effect.flip(get("A")), { _tag: "NotFoundError", secretName: "A" })
          yield* secrets.refresh()
          assert.strictEqual(value(yield* get("Z")), "a")
          assert.include(yield* Effect.flip(get("A")), { _tag: "NotFoundError", secretName: "A" })
        }).pipe(run(world)))

      it.effect("to a name that is taken fails, and changes nothing", () =>
        Effect.gen(function*() {
          const secrets = yield* Secrets.Secrets
          assert.include(yield* Effect.flip(secrets.rename("A", "B")), { _tag: "AlreadyExistsError" })
          yield* secrets.refresh()
          assert.strictEqual(value(yield* get("A")), "a")
          assert.strictEqual(value(yield* get("B")), "b")
        }).pipe(run(world)))

      it.effect("of what there is not says so, and no name is taken that cannot be one", () =>
        Effect.gen(function*() {
          const secrets = yield* Secrets.Secrets
          assert.include(yield* Effect.flip(secrets.rename("NOPE", "Z")), { _tag: "NotFoundError", secretName: "NOPE" })
          assert.include(yield* Effect.flip(secrets.rename("A", "..")), { _tag: "InvalidRequestError" })
        }).pipe(run(world)))
    })

    describe("A recursive list", () => {
      it.effect("has the folders in the folder, each secret with its path, and two of one name in two folders", () =>
        Effect.gen(function*() {
          const secrets = yield* Secrets.Secrets
          const list = yield* secrets.list({ recursive: true })
          const found = list.secrets.map((secret) => `${secret.secretPath} ${secret.name}=${value(secret)}`).toSorted()
          assert.deepStrictEqual(found, ["/ A=a", "/ B=b", "/app A=app a", "/app/web C=web c", "/apple D=apple d"])
        }).pipe(run(world)))

      it.effect("has no folder whose path only begins with the same letters", () =>
        Effect.gen(function*() {
          const secrets = yield* Secrets.Secrets
          assert.deepStrictEqual(names(yield* secrets.list({ recursive: true, secretPath: "/app" })), ["A", "C"])
        }).pipe(run(world)))

      it.effect("has what was just written into one of its folders", () =>
        Effect.gen(function*() {
          const secrets = yield* Secrets.Secrets
          yield* secrets.list({ recursive: true })
          yield* secrets.create("E", secret("e"), { secretPath: "/app/web" })
          assert.include(names(yield* secrets.list({ recursive: true })), "E")
        }).pipe(run(world)))

      it.effect("tells what changed by folder", () =>
        Effect.gen(function*() {
          const secrets = yield* Secrets.Secrets
          const before = yield* secrets.list({ recursive: true })
          assert.strictEqual(before.secrets.filter(({ name }) => name === "A").length, 2)
          yield* secrets.update("A", secret("changed"), { secretPath: "/app" })
          const after = yield* secrets.list({ recursive: true })
          assert.deepStrictEqual(after.secrets.filter(({ name }) => name === "A").map(value).toSorted(), [
            "a",
            "changed"
          ])
        }).pipe(run(world)))
    })

    describe("A batch", () => {
      it.effect("is created, updated and deleted as a whole", () =>
        Effect.gen(function*() {
          const secrets = yield* Secrets.Secrets
          const created = yield* secrets.createMany([
            { name: "ONE", value: secret("1"), comment: "the first" },
            { name: "TWO", value: secret("2") }
          ])
          assert.deepStrictEqual(names({ secrets: created }), ["ONE", "TWO"])
          assert.strictEqual((yield* get("ONE")).comment, "the first")
          yield* secrets.updateMany([{ name: "ONE", value: secret("uno") }, { name: "TWO", value: secret("due") }])
          yield* secrets.refresh()
          assert.deepStrictEqual([value(yield* get("ONE")), value(yield* get("TWO"))], ["uno", "due"])
          yield* secrets.deleteMany(["ONE", "TWO"])
          assert.include(yield* Effect.flip(get("ONE")), { _tag: "NotFoundError", secretName: "ONE" })
          yield* secrets.refresh()
          assert.deepStrictEqual(names(yield* secrets.list()), ["A", "B"])
        }).pipe(run(world)))

      it.effect("with a name that is taken names it, and nothing of it is written", () =>
        Effect.gen(function*() {
          const secrets = yield* Secrets.Secrets
          const many = [{ name: "NEW", value: secret("new") }, { name: "B", value: secret("other") }]
          const error = yield* Effect.flip(secrets.createMany(many))
          assert.include(error, { _tag: "AlreadyExistsError", secretName: "B" })
          yield* secrets.refresh()
          assert.deepStrictEqual(names(yield* secrets.list()), ["A", "B"])
          assert.strictEqual(value(yield* get("B")), "b")
        }).pipe(run(world)))

      it.effect("with a name that there is not names it, and nothing of it is written or deleted", () =>
        Effect.gen(function*() {
          const secrets = yield* Secrets.Secrets
          const many = [{ name: "A", value: secret("other") }, { name: "NOPE", value: secret("x") }]
          assert.include(yield* Effect.flip(secrets.updateMany(many)), { _tag: "NotFoundError", secretName: "NOPE" })
          // Servers of 2025 name with the same words those that are there: on v4 it cannot be told which of the two is missing.
          assert.include(yield* Effect.flip(secrets.deleteMany(["A", "NOPE"])), {
            _tag: "NotFoundError",
            ...(source !== "v4" && { secretName: "NOPE" })
          })
          yield* secrets.refresh()
          assert.strictEqual(value(yield* get("A")), "a")
        }).pipe(run(world)))

      it.effect("with a name twice is refused before any request, since the server would make two secrets of it", () =>
        Effect.gen(function*() {
          const secrets = yield* Secrets.Secrets
          const { takeRequests } = yield* Simulation
          const twice = [{ name: "NEW", value: secret("1") }, { name: "NEW", value: secret("2") }]
          assert.include(yield* Effect.flip(secrets.createMany(twice)), { _tag: "InvalidRequestError" })
          assert.include(yield* Effect.flip(secrets.deleteMany(["A", "A"])), { _tag: "InvalidRequestError" })
          assert.deepStrictEqual(yield* takeRequests, [])
        }).pipe(run(world)))

      it.effect("of nothing is nothing", () =>
        Effect.gen(function*() {
          const secrets = yield* Secrets.Secrets
          const { takeRequests } = yield* Simulation
          assert.deepStrictEqual(yield* secrets.createMany([]), [])
          assert.deepStrictEqual(yield* secrets.updateMany([]), [])
          yield* secrets.deleteMany([])
          assert.deepStrictEqual(yield* takeRequests, [])
        }).pipe(run(world)))
    })

    describe("A version", () => {
      it.effect("is read by its number, and the newest one without", () =>
        Effect.gen(function*() {
          const secrets = yield* Secrets.Secrets
          yield* secrets.update("A", secret("second"))
          assert.strictEqual(value(yield* get("A", { version: 1 })), "a")
          // A server of 2024-07 has only the oldest one of what is end-to-end encrypted.
          const second = Effect.map(get("A", { version: 2 }), value)
          if (isEndToEndEncrypted) assert.include(yield* Effect.flip(second), { _tag: "UnexpectedResponseError" })
          else assert.strictEqual(yield* second, "second")
          assert.strictEqual(value(yield* get("A")), "second")
        }).pipe(run(world)))

      it.effect("that there is not is not found, and has no fallback", () =>
        Effect.gen(function*() {
          const error = yield* Effect.flip(get("A", { version: 9 }))
          assert.strictEqual(error._tag, isEndToEndEncrypted ? "UnexpectedResponseError" : "NotFoundError")
        }).pipe(run(world, { fallback: true })))
    })

    describe("What belongs to a secret", () => {
      it.effect("is its reminder, which stays until it is removed", () =>
        Effect.gen(function*() {
          const secrets = yield* Secrets.Secrets
          const reminder = { repeatDays: 30, note: "rotate it" }
          if (source === "v3") {
            // A server of 2024-07 stores none if it decrypts.
            const refused = yield* Effect.flip(secrets.update("A", secret("a"), { reminder }))
            return assert.include(refused, { _tag: "InvalidRequestError", parameter: "reminder" })
          }
          yield* secrets.update("A", secret("a"), { reminder })
          yield* secrets.refresh()
          assert.deepStrictEqual((yield* get("A")).details.reminder, Option.some(reminder))
          yield* secrets.update("A", secret("other"))
          yield* secrets.refresh()
          assert.deepStrictEqual((yield* get("A")).details.reminder, Option.some(reminder))
          yield* secrets.update("A", secret("other"), { reminder: null })
          yield* secrets.refresh()
          assert.deepStrictEqual((yield* get("A")).details.reminder, Option.none())
        }).pipe(run(world)))
    })
  })
}
