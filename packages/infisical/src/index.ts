/**
 * Infisical for backends written with Effect.
 *
 * @since 0.1.0
 */
export * as InfisicalApi from "./api/InfisicalApi.js"
export * as Wire from "./api/Wire.js"
export * as SealedSnapshots from "./cache/SealedSnapshots.js"
export * as SecretCache from "./cache/SecretCache.js"
export * as SecretChange from "./cache/SecretChange.js"
export * as SecretMetrics from "./cache/SecretMetrics.js"
export * as SnapshotStorage from "./cache/SnapshotStorage.js"
export * as Credential from "./config/Credential.js"
export * as CredentialConfig from "./config/CredentialConfig.js"
export * as InfisicalConfig from "./config/InfisicalConfig.js"
export * as Crypto from "./crypto/Crypto.js"
export * as Folders from "./Folders.js"
export * as Infisical from "./Infisical.js"
export * as InfisicalError from "./model/InfisicalError.js"
export * as Location from "./model/Location.js"
export * as Secret from "./model/Secret.js"
export * as RotatingResource from "./RotatingResource.js"
export * as SecretImports from "./SecretImports.js"
export * as Secrets from "./Secrets.js"
export * as Session from "./session/Session.js"
export * as DecryptedSource from "./source/DecryptedSource.js"
export * as EncryptedSource from "./source/EncryptedSource.js"
export * as MemorySource from "./source/MemorySource.js"
export * as SecretSource from "./source/SecretSource.js"
