/** Decrypts secrets and expands their references. */
import type { Crypto } from "effect-infisical"
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as EmulatorState from "../state/EmulatorState.js"
import * as Access from "./access.js"
import type { Actor } from "./authentication.js"
import { folderOf } from "./rawView.js"
import * as References from "./references.js"
import type * as Secrets from "./secrets.js"

export interface PlainText {
  readonly value: string
  readonly comment: string
}

type Decrypt = (secret: EmulatorState.Secret) => Effect.Effect<PlainText>

/** Decrypts under the project key; what does not open is empty, as it is to the server. */
export const decryptorOf = (project: EmulatorState.Project): Effect.Effect<Decrypt, never, Crypto.Crypto> =>
  Effect.map(EmulatorState.cipherOf(project.key), (cipher) => ({ row }) =>
    Effect.map(
      cipher.decryptAll([
        { ciphertext: row.secretValueCiphertext, iv: row.secretValueIV, tag: row.secretValueTag },
        {
          ciphertext: row.secretCommentCiphertext ?? "",
          iv: row.secretCommentIV ?? "",
          tag: row.secretCommentTag ?? ""
        }
      ]),
      ([value = "", comment = ""]) => ({ value, comment })
    ))

type Expand = (found: Secrets.Found, plain: PlainText) => Effect.Effect<string>

export const asIs: Expand = (_, { value }) => Effect.succeed(value)

export const expander = (
  project: EmulatorState.Project,
  actor: Actor,
  decrypt: Decrypt,
  withLocal = true
): Effect.Effect<Expand> =>
  // Whatever may be referred to is decrypted once, since to replace is no effect.
  Effect.map(Effect.cached(referable(project, actor, decrypt)), (referable) => (found, { value }) =>
    value.includes("${")
      ? Effect.map(referable, (values) =>
        References.expand(
          {
            environment: found.environment,
            secretPath: found.secretPath ?? folderOf(found),
            name: found.secret.name,
            value
          },
          (environment, path, name) =>
            !withLocal && environment === found.environment && path === found.secretPath
              ? undefined
              : values.get(placed(environment, path, name))
        ))
      : Effect.succeed(value))

/** The values that references may lead to. */
const referable = (
  project: EmulatorState.Project,
  actor: Actor,
  decrypt: Decrypt
): Effect.Effect<ReadonlyMap<string, string>> =>
  Effect.map(
    Effect.forEach(
      HashMap.toValues(project.folders).filter(({ environment, path }) =>
        Access.isAllowed(project, actor, "read", environment, path)
      ),
      ({ environment, path, secrets }) =>
        Effect.forEach(
          secrets.filter(({ row }) => row.type === "shared"),
          (secret) =>
            Effect.map(decrypt(secret), ({ value }) => [placed(environment, path, secret.name), value] as const)
        )
    ),
    (entries) => new Map(entries.flat())
  )

const placed = (environment: string, path: string, name: string): string => JSON.stringify([environment, path, name])
