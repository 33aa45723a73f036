/**
 * Where sealed snapshots are kept. `Infisical.layerSealed` and `Infisical.layerSealedConfig` require it.
 *
 * @example
 * ```ts
 * import { FetchHttpClient, KeyValueStore } from "@effect/platform"
 * import { Infisical, SnapshotStorage } from "effect-infisical"
 * import { Layer } from "effect"
 *
 * const InfisicalLive = Infisical.layerSealedConfig().pipe(
 *   Layer.provide(SnapshotStorage.layerKeyValueStore()),
 *   Layer.provide([KeyValueStore.layerMemory, FetchHttpClient.layer])
 * )
 * ```
 *
 * @since 0.1.0
 */
import * as KeyValueStore from "@effect/platform/KeyValueStore"
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"

/**
 * Where sealed snapshots are kept: a store of texts by key.
 *
 * The store needs no encryption of its own. It must replace a text at once, so that a reader sees the old text or the
 * new one. Operations that hang or fail are logged as warnings and affect no read.
 *
 * @since 0.1.0
 * @category tags
 */
export class SnapshotStorage extends Context.Tag("effect-infisical/SnapshotStorage")<
  SnapshotStorage,
  KeyValueStore.KeyValueStore
>() {}

/**
 * Keeps sealed snapshots in the `KeyValueStore` of the context.
 *
 * Each call makes a new layer, so that two clients can use two stores.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerKeyValueStore = (): Layer.Layer<SnapshotStorage, never, KeyValueStore.KeyValueStore> =>
  Layer.effect(SnapshotStorage, KeyValueStore.KeyValueStore)
