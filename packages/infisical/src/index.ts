/**
 * Infisical for backends written with Effect.
 *
 * @since 0.1.0
 */
export * as Credential from "./Credential.js"
export * as Crypto from "./Crypto.js"
export * as Infisical from "./Infisical.js"
export * as InfisicalApi from "./InfisicalApi.js"
export * as InfisicalConfig from "./InfisicalConfig.js"
export * as InfisicalError from "./InfisicalError.js"
export * as Location from "./Location.js"
export * as RotatingResource from "./RotatingResource.js"
export * as SealedSnapshots from "./SealedSnapshots.js"
export * as Secret from "./Secret.js"
export * as SecretCache from "./SecretCache.js"
export * as SecretChange from "./SecretChange.js"
export * as SecretMetrics from "./SecretMetrics.js"
export * as Secrets from "./Secrets.js"
export * as SecretSource from "./SecretSource.js"
export * as Session from "./Session.js"
export * as Snapshot from "./Snapshot.js"
export * as SnapshotStorage from "./SnapshotStorage.js"
export * as Wire from "./Wire.js"
