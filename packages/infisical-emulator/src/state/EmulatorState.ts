/**
 * What the server holds, in memory. Secrets are rows as they are stored: encrypted by the client or the server that wrote them.
 *
 * @since 0.1.0
 */
export * from "./folders.js"
export * from "./model.js"
export * from "./operator.js"
export * from "./secrets.js"
export { make } from "./seed.js"
export * from "./service.js"
