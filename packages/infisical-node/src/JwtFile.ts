/**
 * A JWT in a file, such as the token of a Kubernetes service account, which is replaced there from time to time.
 *
 * @since 0.1.0
 */
import { InfisicalError } from "effect-infisical"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { readFile } from "node:fs/promises"

/**
 * Reads the JWT whenever it is run.
 *
 * Fails with `InvalidCredentialError` where the file cannot be read, or is empty.
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
): Effect.Effect<Redacted.Redacted<string>, InfisicalError.InvalidCredentialError> =>
  Effect.tryPromise({
    try: (signal) => readFile(path, { encoding: "utf8", signal }).then(Redacted.make),
    catch: (error) =>
      new InfisicalError.InvalidCredentialError({
        part: "jwt",
        problem: `cannot be read from ${path}${codeOf(error)}: check that the file is there and readable`
      })
  }).pipe(
    Effect.filterOrFail(
      (jwt) => Redacted.value(jwt).trim() !== "",
      () => new InfisicalError.InvalidCredentialError({ part: "jwt", problem: `is not there: ${path} is empty` })
    )
  )

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? ` (${error.code})` : ""
