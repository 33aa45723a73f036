import type { ReadError } from "./InfisicalError.js"

/**
 * Whether no such secret can be there, so that a default may stand for it. A missing environment or project is a mistake
 * of the configuration.
 */
export const isSecretMissing = (error: ReadError): boolean =>
  (error._tag === "NotFoundError" && (error.resource === "secret" || error.resource === "folder")) ||
  (error._tag === "InvalidRequestError" && error.parameter === "secretName")
