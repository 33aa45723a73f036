/**
 * A start without Infisical. The last secrets are kept on disk, encrypted with a key from the credential. A process that
 * starts while Infisical is down reads them from there, and goes on with live ones as soon as it is back.
 *
 *     npm run example -- offline-start
 *
 * It starts the program twice, the second time without a server. Against an Infisical of your own it starts once: stop
 * Infisical and start it again.
 */
import { FetchHttpClient } from "@effect/platform"
import { NodeContext, NodeRuntime } from "@effect/platform-node"
import { Config, DateTime, Effect, Layer } from "effect"
import { Secrets } from "effect-infisical"
import { NodeInfisical, NodeSnapshotStorage } from "effect-infisical-node"

const program = Effect.gen(function*() {
  const secrets = yield* Secrets.Secrets
  const secret = yield* secrets.get("DATABASE_URL")
  const { fetchedAt, name, source } = secret
  // `source` is `live`, or `sealed` for a secret from the disk.
  yield* Effect.log(`${name} is ${source}, from ${DateTime.formatIso(fetchedAt)}`)
  return secret
})

/** A directory that outlives the process: in a container, a volume. */
const StorageLive = Layer.unwrapEffect(
  Effect.map(
    Config.withDefault(Config.string("SNAPSHOT_DIRECTORY"), "/var/lib/my-service/secrets"),
    (directory) => NodeSnapshotStorage.layer({ directory })
  )
)

const InfisicalLive = NodeInfisical.layerSealedConfig().pipe(
  Layer.provide(StorageLive),
  Layer.provide([FetchHttpClient.layer, NodeContext.layer])
)

export const main = Effect.provide(program, InfisicalLive)

if (process.argv[1] === import.meta.filename) NodeRuntime.runMain(main)
