/** Rows, contents and locations for tests of the cache, without a server. */
import { DateTime, Effect, Option, Redacted } from "effect"
import { Location, Secret } from "effect-infisical"
import type { FetchResult } from "../../src/source/SecretSource.js"
import type * as Snapshot from "../../src/source/Snapshot.js"

export const row = (name: string, text: string, version = 1): Snapshot.WrittenRow => ({
  id: `id of ${name}`,
  name,
  type: "shared",
  version,
  environment: "dev",
  secretPath: "/",
  details: Secret.noDetails,
  payload: { _tag: "Decrypted", value: Redacted.make(text), comment: "" }
})

export const content = (values: Readonly<Record<string, string>>): Snapshot.Content => ({
  own: Object.entries(values).map(([name, text]) => row(name, text)),
  imported: [],
  undecryptableNames: [],
  cipher: { decryptAll: () => Effect.succeed([]) }
})

export const fetched = (values: Readonly<Record<string, string>>): FetchResult => ({
  content: content(values),
  etag: Option.none(),
  rateLimit: Option.none()
})

export const put = (name: string, text: string): Snapshot.Change => ({ put: [row(name, text)], deleted: [] })

export const remove = (name: string): Snapshot.Change => ({ put: [], deleted: [{ name, type: "shared" }] })

/** The values of a snapshot by name. */
export const values = (snapshot: Snapshot.Snapshot): Readonly<Record<string, string>> =>
  Object.fromEntries(
    snapshot.content.own.flatMap(({ name, payload }) =>
      payload._tag === "Decrypted" ? [[name, Redacted.value(payload.value)] as const] : []
    )
  )

export const locationOf = (options: Partial<Location.Options> = {}): Location.Location =>
  Effect.runSync(Location.make({ environment: "dev", secretPath: "/", ...options }))

export const at = (millis: number): DateTime.Utc => DateTime.unsafeMake(millis)
