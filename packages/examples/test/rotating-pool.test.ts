import { Reactivity } from "@effect/experimental"
import { FetchHttpClient } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { SqlError } from "@effect/sql"
import { PgClient } from "@effect/sql-pg"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, Fiber, Layer, Option, Redacted, Ref } from "effect"
import { Credential, Secrets } from "effect-infisical"
import { Emulator } from "effect-infisical-emulator"
import { NodeInfisical } from "effect-infisical-node"
import { Database, main, query } from "../src/rotating-pool.js"
import { binaries, temporaryPostgres } from "../src/support/postgres.js"

const isInstalled = await Effect.runPromise(Effect.provide(Effect.map(binaries, Option.isSome), NodeContext.layer))

const connect = (url: Redacted.Redacted) =>
  Effect.flatMap(PgClient.make({ url }), (sql) => sql`SELECT 1`).pipe(Effect.scoped, Effect.provide(Reactivity.layer))

/** A PostgreSQL with the role `app`, and an emulator whose `DATABASE_URL` has its password. */
const databases = Effect.gen(function*() {
  const { admin, url } = yield* temporaryPostgres
  const emulator = yield* Emulator.Emulator
  const alterRole = (password: string) => admin.unsafe(`ALTER ROLE app PASSWORD '${password}'`)
  const setSecret = (password: string) => emulator.setSecret({ name: "DATABASE_URL", value: url("app", password) })
  yield* admin`CREATE ROLE app LOGIN PASSWORD 'planted0-0'`
  yield* setSecret("planted0-0")
  const { clientId, clientSecret } = yield* emulator.universalAuth()
  const client = Layer.provideMerge(
    Database.layer,
    NodeInfisical.layer({
      siteUrl: emulator.url,
      projectId: yield* emulator.projectId(),
      credential: Credential.universalAuth({ clientId, clientSecret })
    }).pipe(Layer.provide(FetchHttpClient.layer))
  )
  /** The process ids of the connections of the pools. */
  const connections = Effect.map(
    admin<{ pid: number }>`SELECT pid FROM pg_stat_activity WHERE usename LIKE 'app%'`,
    (rows) => rows.map(({ pid }) => pid)
  )
  return { admin, alterRole, client, connections, emulator, setSecret, url }
})

const eventually = <A, E, R>(effect: Effect.Effect<A, E, R>, until: (a: A) => boolean) =>
  Effect.repeat(Effect.delay(effect, "20 millis"), { until }).pipe(Effect.timeout("20 seconds"))

const environment = Layer.merge(Emulator.layer({ identities: { main: {} } }), NodeContext.layer)

describe.skipIf(!isInstalled)("A pool whose password is rotated", () => {
  it.scopedLive("opens no connection with a wrong password, nor with the one before", () =>
    Effect.gen(function*() {
      const { alterRole, url } = yield* databases
      yield* connect(url("app", "planted0-0"))
      yield* alterRole("planted0-1")
      for (const password of ["wrong", "planted0-0"]) {
        const error = yield* Effect.flip(connect(url("app", password)))
        assert.instanceOf(error, SqlError.SqlError)
        assert.propertyVal(error.cause, "code", "28P01")
      }
      yield* connect(url("app", "planted0-1"))
    }).pipe(Effect.provide(environment)))

  it.scopedLive("loses no query of 20 fibers, without any retry, even if a new password is wrong, and closes each old pool", () =>
    Effect.gen(function*() {
      const { alterRole, client, connections, setSecret } = yield* databases
      yield* Effect.gen(function*() {
        const database = yield* Database
        const secrets = yield* Secrets.Secrets
        const count = yield* Ref.make(0)
        const once = Effect.zipRight(
          database.use((sql) => sql.withTransaction(sql`SELECT pg_sleep(0.005)`)),
          Ref.update(count, (count) => count + 1)
        )
        const load = Effect.all(Array.from({ length: 20 }, () => Effect.forever(once)), { concurrency: "unbounded" })

        const rotations = Effect.gen(function*() {
          for (const password of ["planted0-1", "planted0-2", "planted0-3"]) {
            const before = yield* eventually(connections, (pids) => pids.length === 10)
            yield* alterRole(password)
            yield* setSecret(password)
            yield* secrets.refresh()
            yield* eventually(connections, (pids) => pids.length === 10 && !pids.some((pid) => before.includes(pid)))
            const reached = yield* Ref.get(count)
            yield* eventually(Ref.get(count), (count) => count > reached + 100)
          }
        })
        const mistake = Effect.gen(function*() {
          const before = yield* eventually(connections, (pids) => pids.length === 10)
          yield* setSecret("wrong")
          yield* secrets.refresh()
          const reached = yield* Ref.get(count)
          yield* eventually(Ref.get(count), (count) => count > reached + 200)
          assert.sameMembers([...yield* connections], before)
        })
        yield* Effect.raceFirst(load, Effect.zipRight(rotations, mistake))
      }).pipe(Effect.provide(client))
      yield* eventually(connections, (pids) => pids.length === 0)
    }).pipe(Effect.provide(environment)))

  it.scopedLive("makes queries wait that need a new connection before the new password is known", () =>
    Effect.gen(function*() {
      const { alterRole, client, emulator, setSecret } = yield* databases
      yield* Effect.gen(function*() {
        const database = yield* Database
        const sleep = (sql: PgClient.PgClient) => sql`SELECT pg_sleep(0.05)`
        const twenty = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
          Effect.all(Array.from({ length: 20 }, () => Effect.either(effect)), { concurrency: "unbounded" })

        yield* alterRole("planted0-1")
        assert.isTrue((yield* twenty(database.use(sleep))).some(Either.isLeft))

        yield* emulator.resetRequests
        const waiting = yield* Effect.fork(twenty(query(sleep)))
        yield* eventually(emulator.requests, (requests) => requests.length >= 2)
        yield* setSecret("planted0-1")
        assert.isTrue((yield* Fiber.join(waiting)).every(Either.isRight))
      }).pipe(Effect.provide(client))
    }).pipe(Effect.provide(environment)))

  it.scopedLive("opens new connections at any time, if two users alternate", () =>
    Effect.gen(function*() {
      const { admin, client, connections, emulator, url } = yield* databases
      const rotate = (user: string, password: string) =>
        Effect.gen(function*() {
          yield* admin.unsafe(`ALTER ROLE ${user} PASSWORD '${password}'`)
          yield* emulator.setSecret({ name: "DB_USER", value: user })
          yield* emulator.setSecret({ name: "DB_PASSWORD", value: password })
        })
      yield* admin`CREATE ROLE app_1 LOGIN`
      yield* admin`CREATE ROLE app_2 LOGIN`
      yield* rotate("app_1", "planted0-1")
      const value = Redacted.value(url("USER", "PASSWORD")).replace("USER:PASSWORD", "${DB_USER}:${DB_PASSWORD}")
      yield* emulator.setSecret({ name: "DATABASE_URL", value })

      yield* Effect.gen(function*() {
        const database = yield* Database
        const secrets = yield* Secrets.Secrets
        const twenty = Effect.all(
          Array.from({ length: 20 }, () => database.use((sql) => sql<{ user: string }>`SELECT current_user AS user`)),
          { concurrency: "unbounded" }
        ).pipe(Effect.map((rows) => [...new Set(rows.flat().map(({ user }) => user))]))

        assert.lengthOf(yield* connections, 1)
        yield* rotate("app_2", "planted0-2")
        // The pool has one connection, and opens more with the old password.
        assert.deepStrictEqual(yield* twenty, ["app_1"])
        assert.lengthOf(yield* connections, 10)
        yield* secrets.refresh()
        yield* eventually(twenty, (users) => users.length === 1 && users[0] === "app_2")
      }).pipe(Effect.provide(client))
    }).pipe(Effect.provide(environment)))

  it.live("is shown by the program", () => main)
})
