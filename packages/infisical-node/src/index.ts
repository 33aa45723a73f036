/**
 * What Node adds to `effect-infisical`.
 *
 * @since 0.1.0
 */
export * as JwtFile from "./JwtFile.js"
export * as NodeCrypto from "./NodeCrypto.js"
export * as NodeInfisical from "./NodeInfisical.js"
export * as NodeSnapshotStorage from "./NodeSnapshotStorage.js"
export * as ProcessEnvironment from "./ProcessEnvironment.js"
