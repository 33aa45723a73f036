import { assert, describe, it } from "@effect/vitest"
import { Chunk, Deferred, Effect, Option, Queue, Redacted, Ref, Schedule, Stream } from "effect"
import { Credential, type SecretChange, Secrets } from "effect-infisical"
import { get, numbered, on, Simulation, value } from "./Simulation.js"
import { eraOf } from "./support/eras.js"
import { kinds } from "./support/sources.js"

const every3Minutes = { refresh: Schedule.spaced("3 minutes") }

const forbidden = () =>
  new Response(
    JSON.stringify({ statusCode: 403, error: "PermissionDenied", message: "You are not allowed to read on secrets" }),
    { status: 403 }
  )

/** Collects a stream in the background; gives what came since the last time. */
const collect = <A, E, R>(stream: Stream.Stream<A, E, R>) =>
  Effect.gen(function*() {
    const queue = yield* Queue.unbounded<A>()
    yield* Effect.forkScoped(Stream.runForEach(stream, (one) => Queue.offer(queue, one)))
    return Effect.map(Queue.takeAll(queue), Chunk.toReadonlyArray)
  })

const describeChange = (change: SecretChange.SecretChange): string => {
  const place = `${change.location.environment}:${change.location.secretPath}`
  const shown = (
    secret: { readonly name: string; readonly value: Redacted.Redacted<string>; readonly version?: number }
  ) => `${secret.name}=${value(secret)} v${secret.version ?? "?"}`
  switch (change._tag) {
    case "Added":
      return `added ${shown(change.secret)} at ${place}`
    case "Updated":
      return `updated ${shown(change.previous)} to ${shown(change.secret)} at ${place}`
    case "Removed":
      return `removed ${shown(change.previous)} at ${place}`
  }
}

const changes = Effect.gen(function*() {
  const secrets = yield* Secrets.Secrets
  const take = yield* collect(secrets.changes)
  return Effect.map(take, (changes) => changes.map(describeChange))
})

const watched = (name: string, options?: Secrets.ReadOptions) =>
  Effect.gen(function*() {
    const secrets = yield* Secrets.Secrets
    const take = yield* collect(secrets.watch(name, options))
    return Effect.map(take, (secrets) => secrets.map(value))
  })

/** A secret that refers to one of its own folder, and one that refers to one of another. */
const referring = {
  projects: {
    main: {
      folders: {
        dev: {
          "/": {
            secrets: { NEAR: "db://${PASSWORD}", FAR: "db://${dev.db.PASSWORD}", PASSWORD: "old", PLAIN: "plain" }
          },
          "/db": { secrets: { PASSWORD: "old far" } }
        }
      }
    }
  }
}

for (const source of kinds) {
  const era = eraOf(source)
  const { client, layer, run } = on(source)

  describe(`On ${source}`, () => {
    describe("Secrets.changes", () => {
      it.scoped("tells of secrets that were added, updated and removed on the server, with old and new version", () =>
        Effect.gen(function*() {
          const { advance, emulator, settle } = yield* Simulation
          yield* get("NAME_0")
          const take = yield* changes
          yield* settle
          assert.deepStrictEqual(yield* take, [])
          yield* emulator.setSecret({ name: "NAME_0", value: "new" })
          yield* emulator.setSecret({ name: "LATER", value: "here" })
          yield* emulator.removeSecret({ name: "NAME_1" })
          yield* advance("3 minutes")
          assert.sameMembers([...(yield* take)], [
            "updated NAME_0=value 0 v1 to NAME_0=new v2 at dev:/",
            "added LATER=here v1 at dev:/",
            "removed NAME_1=value 1 v1 at dev:/"
          ])
        }).pipe(run({ secrets: numbered(3) }, every3Minutes)))

      it.scoped("tells of writes of our own", () =>
        Effect.gen(function*() {
          const { settle } = yield* Simulation
          const secrets = yield* Secrets.Secrets
          yield* get("NAME_0")
          const take = yield* changes
          yield* settle
          yield* secrets.update("NAME_0", Redacted.make("new"))
          yield* settle
          assert.deepStrictEqual(yield* take, ["updated NAME_0=value 0 v1 to NAME_0=new v2 at dev:/"])
        }).pipe(run({ secrets: numbered(1) }, every3Minutes)))

      it.scoped("is silent where an answer is the same, or brings equal values", () =>
        Effect.gen(function*() {
          const { advance, emulator, settle, takeRequests } = yield* Simulation
          yield* get("NAME_0")
          const take = yield* changes
          yield* settle
          yield* advance("3 minutes")
          yield* emulator.setSecret({ name: "NAME_0", value: "value 0" })
          yield* advance("3 minutes")
          assert.deepStrictEqual((yield* takeRequests).map(({ status }) => status), [200, 304, 200])
          assert.deepStrictEqual(yield* take, [])
        }).pipe(run({ secrets: numbered(1) }, every3Minutes)))

      it.scoped("tells of values that were read and refer to what changed, wherever that is", () =>
        Effect.gen(function*() {
          const { advance, emulator, settle } = yield* Simulation
          yield* Effect.forEach(["NEAR", "FAR", "PLAIN"], (name) => get(name))
          const take = yield* changes
          yield* settle
          yield* emulator.setSecret({ name: "PASSWORD", value: "new" })
          yield* advance("6 minutes", "1 minutes")
          assert.sameMembers([...(yield* take)], [
            "updated PASSWORD=old v1 to PASSWORD=new v2 at dev:/",
            "updated NEAR=db://old v1 to NEAR=db://new v1 at dev:/"
          ])
          yield* emulator.setSecret({ name: "PASSWORD", value: "new far", secretPath: "/db" })
          yield* advance("6 minutes", "1 minutes")
          const far = (yield* take).filter((change) => change.endsWith(" at dev:/"))
          assert.deepStrictEqual(far, ["updated FAR=db://old far v1 to FAR=db://new far v1 at dev:/"])
          yield* advance("1 hour", "1 minutes")
          assert.deepStrictEqual(yield* take, [])
        }).pipe(run(referring, { ...every3Minutes, idleTtl: "1 day" })))

      it.scoped("tells what was served before a rotation and its references changed at once", () =>
        Effect.gen(function*() {
          const { advance, emulator, settle } = yield* Simulation
          yield* get("NEAR")
          const take = yield* changes
          yield* settle
          yield* emulator.setSecret({ name: "PASSWORD", value: "new" })
          yield* emulator.setSecret({ name: "NEAR", value: "pg://${PASSWORD}" })
          yield* advance("6 minutes", "1 minutes")
          assert.include(yield* take, "updated NEAR=db://old v1 to NEAR=pg://new v2 at dev:/")
        }).pipe(run(referring, every3Minutes)))

      it.scoped("gives a slow subscriber the outcome of what it missed, and holds up nobody", () =>
        Effect.gen(function*() {
          const { advance, emulator, settle } = yield* Simulation
          const secrets = yield* Secrets.Secrets
          yield* get("NAME_0")
          const seen = yield* Ref.make<ReadonlyArray<string>>([])
          const go = yield* Deferred.make<void>()
          yield* Effect.forkScoped(
            Stream.runForEach(
              secrets.changes,
              (change) =>
                Effect.zipRight(Ref.update(seen, (all) => [...all, describeChange(change)]), Deferred.await(go))
            )
          )
          yield* settle
          for (const next of ["one", "two", "three"]) {
            yield* emulator.setSecret({ name: "NAME_0", value: next })
            yield* advance("3 minutes")
            assert.strictEqual(value(yield* get("NAME_0")), next)
          }
          yield* Deferred.succeed(go, undefined)
          yield* settle
          assert.deepStrictEqual(yield* Ref.get(seen), [
            "updated NAME_0=value 0 v1 to NAME_0=one v2 at dev:/",
            "updated NAME_0=one v2 to NAME_0=three v4 at dev:/"
          ])
        }).pipe(run({ secrets: numbered(1) }, every3Minutes)))
    })

    describe("Secrets.watch", () => {
      it.scoped("gives the current value, and then each that it is rotated to, without a restart", () =>
        Effect.gen(function*() {
          const { advance, emulator, settle } = yield* Simulation
          const take = yield* watched("NAME_0")
          yield* settle
          assert.deepStrictEqual(yield* take, ["value 0"])
          yield* emulator.setSecret({ name: "NAME_0", value: "one" })
          yield* emulator.setSecret({ name: "NAME_1", value: "of no interest" })
          yield* advance("3 minutes")
          assert.deepStrictEqual(yield* take, ["one"])
          yield* advance("1 hour", "3 minutes")
          assert.deepStrictEqual(yield* take, [])
          yield* emulator.setSecret({ name: "NAME_0", value: "two" })
          yield* advance("3 minutes")
          assert.deepStrictEqual(yield* take, ["two"])
        }).pipe(run({ secrets: numbered(2) }, { ...every3Minutes, idleTtl: "10 minutes" })))

      for (const [name, where, password] of [["NEAR", "/", "new"], ["FAR", "/db", "new far"]] as const) {
        it.scoped(`follows a reference to ${where}, read by nobody else for however long`, () =>
          Effect.gen(function*() {
            const { advance, emulator, settle } = yield* Simulation
            const take = yield* watched(name)
            yield* settle
            assert.lengthOf(yield* take, 1)
            yield* advance("1 hour", "1 minutes")
            yield* emulator.setSecret({ name: "PASSWORD", value: password, secretPath: where })
            yield* advance("6 minutes", "1 minutes")
            assert.deepStrictEqual(yield* take, [`db://${password}`])
          }).pipe(run(referring, { ...every3Minutes, idleTtl: "10 minutes" })))
      }

      it.scoped("outlasts an outage, the removal of the secret and its return", () =>
        Effect.gen(function*() {
          const { advance, emulator, setFault, settle } = yield* Simulation
          const take = yield* watched("NAME_0")
          yield* settle
          yield* take
          yield* setFault(() => "unreachable")
          yield* advance("30 minutes", "1 minutes")
          yield* emulator.removeSecret({ name: "NAME_0" })
          yield* setFault(() => undefined)
          yield* advance("5 minutes", "1 minutes")
          assert.deepStrictEqual(yield* take, [])
          yield* emulator.setSecret({ name: "NAME_0", value: "back" })
          yield* advance("5 minutes", "1 minutes")
          assert.deepStrictEqual(yield* take, ["back"])
        }).pipe(run({ secrets: numbered(1) }, every3Minutes)))

      it.scoped("outlasts a refusal, since what is watched is asked for again", () =>
        Effect.gen(function*() {
          const { advance, emulator, setFault, settle } = yield* Simulation
          const take = yield* watched("NAME_0")
          yield* settle
          yield* take
          yield* setFault((path) => path.includes("/secrets") ? forbidden() : undefined)
          yield* advance("3 minutes")
          yield* setFault(() => undefined)
          yield* emulator.setSecret({ name: "NAME_0", value: "rotated" })
          yield* advance("3 minutes")
          assert.deepStrictEqual(yield* take, ["rotated"])
        }).pipe(run({ secrets: numbered(1) }, every3Minutes)))

      it.scoped("outlasts a login that dies", () =>
        Effect.gen(function*() {
          const { advance, emulator, settle } = yield* Simulation
          const dies = yield* Ref.make(false)
          const { clientId, clientSecret } = yield* emulator.universalAuth()
          const login = Effect.gen(function*() {
            if (yield* Ref.get(dies)) return yield* Effect.dieMessage("where the login comes from is broken")
            return { method: "universal-auth" as const, clientId, clientSecret }
          })
          yield* Effect.gen(function*() {
            const take = yield* watched("NAME_0")
            yield* settle
            assert.deepStrictEqual(yield* take, ["value 0"])
            yield* Ref.set(dies, true)
            yield* advance("4 minutes", "30 seconds")
            yield* Ref.set(dies, false)
            yield* emulator.setSecret({ name: "NAME_0", value: "rotated" })
            yield* advance("4 minutes", "30 seconds")
            assert.deepStrictEqual(yield* take, ["rotated"])
          }).pipe(Effect.provide(client({
            credential: Credential.machineIdentity({ id: clientId, secret: Option.none(), login }),
            projectId: (yield* emulator.project()).id,
            ...every3Minutes
          })))
        }).pipe(Effect.provide(layer({ era, secrets: numbered(1), identities: { main: { accessTokenTTL: 60 } } }))))

      it.scoped("watches the location that it is told, and no other", () =>
        Effect.gen(function*() {
          const { advance, emulator, settle } = yield* Simulation
          const take = yield* watched("NAME_0", { environment: "prod" })
          yield* get("NAME_0")
          yield* settle
          assert.deepStrictEqual(yield* take, ["in prod"])
          yield* emulator.setSecret({ name: "NAME_0", value: "new in dev" })
          yield* advance("3 minutes")
          assert.deepStrictEqual(yield* take, [])
        }).pipe(run({
          projects: {
            main: {
              folders: {
                dev: { "/": { secrets: { NAME_0: "in dev" } } },
                prod: { "/": { secrets: { NAME_0: "in prod" } } }
              }
            }
          }
        }, every3Minutes)))

      it.effect("fails as get does where there is no current value", () =>
        Effect.gen(function*() {
          const secrets = yield* Secrets.Secrets
          const error = yield* Effect.flip(Stream.runDrain(secrets.watch("NONE")))
          assert.include(error, { _tag: "NotFoundError" })
        }).pipe(run({ secrets: numbered(1) })))
    })
  })
}
