/** A storage in memory, for what outlives a process. */
import { KeyValueStore } from "@effect/platform"
import { Effect, Layer, Option } from "effect"
import { SnapshotStorage } from "effect-infisical"

export const makeDisk = () => {
  const texts = new Map<string, string>()
  const store = KeyValueStore.makeStringOnly({
    get: (key) => Effect.sync(() => Option.fromNullable(texts.get(key))),
    set: (key, text) => Effect.sync(() => void texts.set(key, text)),
    remove: (key) => Effect.sync(() => void texts.delete(key)),
    clear: Effect.sync(() => texts.clear()),
    size: Effect.sync(() => texts.size)
  })
  return { texts, store }
}

export const storage = (store: KeyValueStore.KeyValueStore) =>
  Layer.provide(SnapshotStorage.layerKeyValueStore(), Layer.succeed(KeyValueStore.KeyValueStore, store))
