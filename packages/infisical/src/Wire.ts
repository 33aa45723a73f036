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
import { authentication } from "./internal/wire/authentication.js"
import { rawSecrets, secrets } from "./internal/wire/decryptedSecrets.js"
import { encryptedSecrets } from "./internal/wire/encryptedSecrets.js"
import { folders, secretImports } from "./internal/wire/folders.js"
import { serviceToken } from "./internal/wire/serviceToken.js"

export * from "./internal/wire/authentication.js"
export * from "./internal/wire/common.js"
export * from "./internal/wire/decryptedSecrets.js"
export * from "./internal/wire/encryptedSecrets.js"
export * from "./internal/wire/folders.js"
export * from "./internal/wire/serviceToken.js"

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
  .add(folders)
  .add(secretImports)
