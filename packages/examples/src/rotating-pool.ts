/**
 * A PostgreSQL pool that survives a rotated password. `PgClient` takes no password that changes, so each new value of
 * `DATABASE_URL` gets a pool of its own, and queries move to it.
 *
 *     npm run example -- rotating-pool
 *
 * It starts a PostgreSQL (from the binaries that are installed) and an emulator, and changes the password under load.
 *
 * What the recipe guarantees:
 * - The new pool has run a query before it replaces the old one. If it cannot connect, the old pool stays in use, and
 *   connecting is retried.
 * - Queries and transactions under way end on the pool where they began. The old pool is closed after the last of them.
 * - PostgreSQL checks a password only when a connection is opened: the open connections of the old pool keep working.
 *
 * What it cannot: from `ALTER ROLE` until the new value is here, a new connection is refused, since the only password
 * known is the old one. `query` refreshes the secret then and retries, so the queries wait. Infisical's own rotation of
 * PostgreSQL credentials has no such gap: it alternates between two users, and the old password stays valid. It writes a
 * user name and a password; let `DATABASE_URL` refer to both: `postgres://${DB_USER}:${DB_PASSWORD}@db.internal/app`.
 */
import { Reactivity } from "@effect/experimental"
import { FetchHttpClient } from "@effect/platform"
import { NodeContext, NodeRuntime } from "@effect/platform-node"
import { SqlError } from "@effect/sql"
import { PgClient } from "@effect/sql-pg"
import { Context, Effect, Layer, Predicate, Redacted, Ref, Schedule } from "effect"
import { Credential, RotatingResource, Secrets } from "effect-infisical"
import { Emulator } from "effect-infisical-emulator"
import { NodeInfisical } from "effect-infisical-node"
import { Pool } from "pg"
import { temporaryPostgres } from "./support/postgres.js"

const acquirePool = (url: Redacted.Redacted) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const pool = new Pool({ connectionString: Redacted.value(url), max: 10 })
      // Without a listener, the error of an idle connection that the server closed ends the process.
      return pool.on("error", () => {})
    }),
    (pool) => Effect.promise(() => pool.end())
  )

export class Database
  extends Context.Tag("Database")<Database, RotatingResource.RotatingResource<PgClient.PgClient>>()
{
  static readonly layer = RotatingResource.layer(Database, {
    name: "DATABASE_URL",
    acquire: ({ value }) =>
      PgClient.fromPool({ acquire: acquirePool(value) }).pipe(
        // If this fails, the old pool stays in use.
        Effect.tap((sql) => Effect.timeout(sql`SELECT 1`, "10 seconds"))
      )
  }).pipe(Layer.provide(Reactivity.layer))
}

/** `invalid_password` and `invalid_authorization_specification`: no connection was opened, so nothing was executed. */
const isRefused = (error: unknown) =>
  error instanceof SqlError.SqlError && Predicate.hasProperty(error.cause, "code") &&
  (error.cause.code === "28P01" || error.cause.code === "28000")

const untilRotated = Schedule.exponential("100 millis").pipe(
  Schedule.union(Schedule.spaced("2 seconds")),
  Schedule.jittered,
  Schedule.upTo("1 minute")
)

/** Runs one statement, or one transaction, on the current pool. */
export const query = <A, E, R>(use: (sql: PgClient.PgClient) => Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const database = yield* Database
    const secrets = yield* Secrets.Secrets
    return yield* database.use(use).pipe(
      Effect.tapError((error) => Effect.when(Effect.ignoreLogged(secrets.refresh()), () => isRefused(error))),
      Effect.retry({ while: isRefused, schedule: untilRotated })
    )
  })

/** Twenty fibers query without pause while the password is changed twice. */
const program = Effect.gen(function*() {
  const { admin, url } = yield* temporaryPostgres
  const emulator = yield* Emulator.Emulator
  const setSecret = (password: string) => emulator.setSecret({ name: "DATABASE_URL", value: url("app", password) })
  yield* admin`CREATE ROLE app LOGIN PASSWORD 'first'`
  yield* setSecret("first")

  const { clientId, clientSecret } = yield* emulator.universalAuth()
  const InfisicalLive = NodeInfisical.layer({
    siteUrl: emulator.url,
    projectId: yield* emulator.projectId(),
    credential: Credential.universalAuth({ clientId, clientSecret })
  }).pipe(Layer.provide(FetchHttpClient.layer))

  const count = yield* Ref.make(0)
  const once = Effect.zipRight(query((sql) => sql`SELECT pg_sleep(0.01)`), Ref.update(count, (count) => count + 1))
  const load = Effect.all(Array.from({ length: 20 }, () => Effect.forever(once)), { concurrency: "unbounded" })

  const rotations = Effect.gen(function*() {
    const secrets = yield* Secrets.Secrets
    for (const password of ["second", "third"]) {
      yield* Effect.sleep("1 second")
      yield* admin.unsafe(`ALTER ROLE app PASSWORD '${password}'`)
      yield* Effect.log(`Changed the password in PostgreSQL, after ${yield* Ref.get(count)} queries`)
      yield* setSecret(password)
      // The library refreshes by itself; this is only so that you need not wait for minutes.
      yield* secrets.refresh()
    }
    yield* Effect.sleep("1 second")
    yield* Effect.log(`No query failed, of ${yield* Ref.get(count)}`)
  })
  // Ends with the rotations, or with the first query that fails.
  yield* Effect.raceFirst(load, rotations).pipe(Effect.provide(Layer.provideMerge(Database.layer, InfisicalLive)))
})

export const main = program.pipe(
  Effect.scoped,
  Effect.provide([Emulator.layer({ identities: { main: {} } }), NodeContext.layer])
)

if (process.argv[1] === import.meta.filename) NodeRuntime.runMain(main)
