/**
 * A JWT in a file that another process replaces, such as the token of a Kubernetes service account, or a JWT-SVID that
 * `spiffe-helper` writes.
 *
 * @since 0.1.0
 */
import type { InfisicalError } from "effect-infisical"
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import { readText } from "./internal/readText.js"

/**
 * Reads the JWT each time it runs.
 *
 * Fails with `InvalidCredentialError` if the file cannot be read, is not a regular file, is empty, or has more than 64
 * KiB.
 *
 * @example
 * ```ts
 * import { Credential } from "effect-infisical"
 * import { JwtFile } from "effect-infisical-node"
 *
 * const credential = Credential.jwt({
 *   method: "kubernetes-auth",
 *   identityId: "<identity id>",
 *   jwt: JwtFile.read("/var/run/secrets/kubernetes.io/serviceaccount/token")
 * })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const read = (
  path: string
): Effect.Effect<Redacted.Redacted<string>, InfisicalError.InvalidCredentialError> => readText("jwt", path)
