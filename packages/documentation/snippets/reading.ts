// #region get
import { Effect, Redacted } from "effect"
import { Secrets } from "effect-infisical"

export const connectionString = Effect.gen(function*() {
  const secrets = yield* Secrets.Secrets
  const url = yield* secrets.get("DATABASE_URL")
  return Redacted.value(url.value)
})
// #endregion get

// #region place
export const smtpPassword = Effect.flatMap(
  Secrets.Secrets,
  (secrets) => secrets.get("SMTP_PASSWORD", { environment: "prod", secretPath: "/mail", type: "shared" })
)
// #endregion place

// #region list
export const names = Effect.gen(function*() {
  const secrets = yield* Secrets.Secrets
  const list = yield* secrets.list({ recursive: true })
  for (const { name, secretPath } of list.hidden) yield* Effect.log(`May not read ${secretPath} ${name}`)
  for (const error of list.undecryptable) yield* Effect.logWarning(error.message)
  return list.secrets.map(({ name }) => name)
})
// #endregion list

// #region write
export const write = Effect.gen(function*() {
  const secrets = yield* Secrets.Secrets
  yield* secrets.create("API_KEY", Redacted.make("first"), { comment: "of the payment provider" })
  yield* secrets.update("API_KEY", Redacted.make("second"))
  yield* secrets.upsert("REGION", Redacted.make("eu"))
  yield* secrets.rename("REGION", "CLOUD_REGION")
  yield* secrets.deleteMany(["API_KEY", "CLOUD_REGION"])
})
// #endregion write
