/** Decrypts secrets and expands their references. */
import type { Crypto } from "effect-infisical"
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Answer from "../eras/Answer.js"
import * as Eras from "../eras/eras.js"
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

type Expand = (found: Secrets.Found, plain: PlainText) => Effect.Effect<string, Answer.Answer>

export const asIs: Expand = (_, { value }) => Effect.succeed(value)

/** What expands references: in the one secret of a get, or in those of a list of a path. */
export const expander = (
  state: EmulatorState.State,
  project: EmulatorState.Project,
  actor: Actor,
  decrypt: Decrypt,
  what: "get" | { readonly path: string; readonly listed: ReadonlyArray<Secrets.Found> }
): Effect.Effect<Expand> => {
  const isGet = what === "get"
  if (!isGet && !Eras.does(state, "expandsWithoutOwnSecrets")) {
    if (!what.listed.some(({ secretPath }) => secretPath === what.path)) return Effect.succeed(asIs)
  }
  const skipsOwnFolder = isGet && !Eras.does(state, "expandsOwnFolderInGet")
  // Whatever may be referred to is decrypted once, since to replace is no effect.
  return Effect.map(Effect.cached(referable(project, actor, decrypt)), (referable): Expand => (found, { value }) => {
    const own = isGet ? undefined : overrideOf(state, what.listed, found)
    const written = own === undefined ? Effect.succeed(value) : Effect.map(decrypt(own), ({ value }) => value)
    return Effect.flatMap(written, (value) => {
      if (!value.includes("${")) return Effect.succeed(formatted(found, value))
      return Effect.flatMap(referable, (values) => {
        const problems: Array<Answer.Answer> = []
        const origin = { environment: found.environment, secretPath: found.secretPath ?? folderOf(found) }
        const expanded = References.expand(
          { ...origin, name: found.secret.name, value },
          (environment, path, name) => {
            if (skipsOwnFolder && environment === found.environment && path === found.secretPath) return undefined
            if (isGet && Eras.does(state, "refusesUnknownReferences")) {
              if (Option.isNone(EmulatorState.findFolder(project, environment, path))) {
                problems.push(Answer.referenceNotFound)
              } else if (!Access.isAllowed(project, actor, "read", environment, path)) {
                problems.push(Answer.referenceForbidden(name, environment, path))
              }
            }
            return values.get(placed(environment, path, name))
          },
          Eras.does(state, "references")
        )
        const [problem] = problems
        return problem === undefined ? Effect.succeed(formatted(found, expanded)) : Effect.fail(problem)
      })
    })
  })
}

/** The secret that overrides another one of its list, where the era takes it for that. */
const overrideOf = (
  state: EmulatorState.State,
  listed: ReadonlyArray<Secrets.Found>,
  { secret, secretPath }: Secrets.Found
): EmulatorState.Secret | undefined =>
  Eras.does(state, "mixesOverrides") && secret.row.type === "shared"
    ? listed.find((other) =>
      other.secret.name === secret.name && other.secretPath === secretPath && other.secret.row.type === "personal"
    )?.secret
    : undefined

// With references, the server writes what it was told not to encode as a quoted line.
const formatted = ({ secret }: Secrets.Found, value: string): string =>
  secret.row.skipMultilineEncoding && value.includes("\n") ? `"${value.replaceAll("\n", "\\n")}"` : value

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
