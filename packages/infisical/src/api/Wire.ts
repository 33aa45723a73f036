/**
 * The wire: the routes of Infisical's HTTP API that this library speaks, each with the schemas of what is sent and
 * what comes back. One definition, for the client (`InfisicalApi`) and for the emulator.
 *
 * Answers are read tolerantly: unknown fields are dropped, and what some routes or eras leave out is optional. Requests
 * are exact. Failures are not declared here, since Infisical's statuses alone mislead: `InfisicalApi` classifies them.
 *
 * @since 0.1.0
 */
import * as HttpApi from "@effect/platform/HttpApi"
import { authentication } from "./wire/authentication.js"
import { rawSecrets, secrets, secretsById } from "./wire/decryptedSecrets.js"
import { encryptedSecrets } from "./wire/encryptedSecrets.js"
import { folders, foldersV2, secretImports, secretImportsV2 } from "./wire/folders.js"
import { serviceToken } from "./wire/serviceToken.js"

export * from "./wire/authentication.js"
export * from "./wire/common.js"
export * from "./wire/decryptedSecrets.js"
export * from "./wire/encryptedSecrets.js"
export * from "./wire/folders.js"
export * from "./wire/serviceToken.js"

/**
 * The API: every route, in groups.
 *
 * @since 0.1.0
 * @category api
 */
export const api = HttpApi.make("infisical")
  .add(serviceToken)
  .add(authentication)
  .add(encryptedSecrets)
  .add(rawSecrets)
  .add(secrets)
  .add(secretsById)
  .add(folders)
  .add(foldersV2)
  .add(secretImports)
  .add(secretImportsV2)
