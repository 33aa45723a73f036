/** The environment in which the programs of the pages run, and those that are processes. */
import { Effect, Redacted } from "effect"
import { Emulator } from "effect-infisical-emulator"
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"

/** The environment variables of a program that uses the emulator. */
export const variables = Effect.gen(function*() {
  const emulator = yield* Emulator.Emulator
  const { clientId, clientSecret } = yield* emulator.universalAuth()
  return {
    INFISICAL_API_URL: emulator.url,
    INFISICAL_PROJECT_ID: yield* emulator.projectId(),
    INFISICAL_UNIVERSAL_AUTH_CLIENT_ID: clientId,
    INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET: Redacted.value(clientSecret)
  }
})

/** Runs a snippet as a process that uses the emulator, and gives what it prints. */
export const outputOf = (snippet: string) =>
  Effect.flatMap(variables, (env) =>
    Effect.async<string, Error>((resume) => {
      execFile(
        process.execPath,
        [fileURLToPath(new URL(`../../dist/${snippet}.js`, import.meta.url))],
        { env },
        (error, stdout) => resume(error === null ? Effect.succeed(stdout) : Effect.fail(error))
      )
    }))
