// #region pool
import { Context, Effect, Redacted } from "effect"
import { RotatingResource } from "effect-infisical"
import { makePool, type Pool } from "./pool.js"

class Database extends Context.Tag("Database")<Database, RotatingResource.RotatingResource<Pool>>() {
  static readonly layer = RotatingResource.layer(Database, {
    name: "DATABASE_URL",
    acquire: (secret) => Effect.acquireRelease(makePool(Redacted.value(secret.value)), (pool) => pool.end)
  })
}

export const program = Effect.gen(function*() {
  const database = yield* Database
  return yield* database.use((pool) => pool.query("select 1"))
}).pipe(Effect.provide(Database.layer))
// #endregion pool
