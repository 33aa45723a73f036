import { Context, Effect, Redacted } from "effect"
import { RotatingResource } from "effect-infisical"

interface Pool {
  readonly query: (sql: string) => Effect.Effect<number>
  readonly end: Effect.Effect<void>
}
declare const makePool: (url: string) => Effect.Effect<Pool>

export class Database extends Context.Tag("Database")<Database, RotatingResource.RotatingResource<Pool>>() {
  static readonly layer = RotatingResource.layer(Database, {
    name: "DATABASE_URL",
    acquire: (secret) => Effect.acquireRelease(makePool(Redacted.value(secret.value)), (pool) => pool.end)
  })
}

export const count = Effect.flatMap(Database, (database) => database.use((pool) => pool.query("select 1")))
