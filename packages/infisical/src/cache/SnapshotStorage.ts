/**
 * Where sealed snapshots are kept: nowhere, unless a layer of this module is provided to that of `Infisical`.
 *
 * @example
 * ```ts
 * import { KeyValueStore } from "@effect/platform"
 * import { Infisical, SnapshotStorage } from "effect-infisical"
 * import { Layer } from "effect"
 *
 * const InfisicalLive = Infisical.layerConfig().pipe(
 *   Layer.provide(SnapshotStorage.layerKeyValueStore),
 *   Layer.provide(KeyValueStore.layerMemory)
 * )
 * ```
 *
 * @since 0.1.0
 */
import * as KeyValueStore from "@effect/platform/KeyValueStore"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"

/**
 * Where sealed snapshots are kept.
 *
 * @since 0.1.0
 * @category tags
 */
export class SnapshotStorage extends Context.Reference<SnapshotStorage>()("effect-infisical/SnapshotStorage", {
  defaultValue: (): Option.Option<KeyValueStore.KeyValueStore> => Option.none()
}) {}

/**
 * Keeps sealed snapshots in the `KeyValueStore` of the context, one value for each location.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerKeyValueStore: Layer.Layer<SnapshotStorage, never, KeyValueStore.KeyValueStore> = Layer.effect(
  SnapshotStorage,
  Effect.map(KeyValueStore.KeyValueStore, Option.some)
)
