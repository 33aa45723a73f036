/** Secrets that the server decrypts and encrypts: reads by `/api/v3/secrets/raw` and `/api/v4/secrets`. */
import type { Crypto } from "effect-infisical"
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Answer from "../eras/Answer.js"
import type * as EmulatorState from "../state/EmulatorState.js"
import * as Access from "./access.js"
import type { Actor } from "./authentication.js"
import { asIs, decryptorOf, expander } from "./decryption.js"
import { shown, viewOf } from "./rawView.js"
import * as Secrets from "./secrets.js"

/** Which of the two routes is asked. */
export type Version = "v3" | "v4"

/** A list's query, by the names that both routes have for it. */
export interface ListQuery extends Secrets.ListQuery {
  readonly includeImports?: string | undefined
  readonly expandSecretReferences?: string | undefined
  readonly viewSecretValue?: string | undefined
  readonly tagSlugs?: string | undefined
  readonly metadataFilter?: string | undefined
}

/** A get's query, by the names that both routes have for it. */
export interface GetQuery extends Secrets.GetQuery {
  readonly includeImports?: string | undefined
  readonly expandSecretReferences?: string | undefined
  readonly viewSecretValue?: string | undefined
}

export type Outcome = Effect.Effect<Answer.Answer, Answer.Answer, Crypto.Crypto>

export interface Who {
  readonly self: EmulatorState.Service
  readonly actor: Actor
  readonly version: Version
}

/** `GET /api/v3/secrets/raw`, `GET /api/v4/secrets` */
export const list = ({ actor, self, version }: Who, asked: ListQuery): Outcome =>
  Effect.gen(function*() {
    const state = yield* Ref.get(self.state)
    const query = { ...asked, include_imports: wantsImports(version, asked) }
    yield* openProject(state, actor, query.workspaceId)
    const { imports, project, secrets } = yield* Secrets.find(state, actor, query)
    const decrypt = yield* decryptorOf(project)
    const view = viewOf(state, actor, version, asked.viewSecretValue)
    const expand = asked.expandSecretReferences === "true" ? yield* expander(project, actor, decrypt) : asIs
    const show = (found: Secrets.Found) =>
      Effect.flatMap(decrypt(found.secret), (plain) =>
        Effect.map(
          expand(found, plain),
          (value) => shown(found, { ...plain, value }, view, { tags: version === "v4", path: true })
        ))
    const wanted = secrets.filter(({ secret }) =>
      matchesTags(project, secret, asked.tagSlugs) && matchesMetadata(secret, asked.metadataFilter)
    )
    return Answer.ok({
      secrets: yield* Effect.forEach(wanted, show),
      imports: yield* Effect.forEach(Option.getOrElse(imports, () => []), ({ secrets, ...entry }) =>
        Effect.map(Effect.forEach(secrets, show), (secrets) => ({
          secretPath: entry.secretPath,
          environment: entry.environment,
          folderId: entry.folderId,
          secrets
        })))
    })
  })

/** `GET /api/v3/secrets/raw/:secretName`, `GET /api/v4/secrets/:secretName` */
export const get = ({ actor, self, version }: Who, secretName: string, asked: GetQuery): Outcome =>
  Effect.gen(function*() {
    const state = yield* Ref.get(self.state)
    const query = { ...asked, include_imports: wantsImports(version, asked) }
    yield* openProject(state, actor, query.workspaceId)
    const found = yield* Secrets.findOne(state, actor, secretName, query, versionOf)
    const decrypt = yield* decryptorOf(found.project)
    const plain = yield* decrypt(found.secret)
    const isOwn = found.secretPath !== undefined
    const expand = asked.expandSecretReferences === "true"
      // A server of 2024-07 replaces no references to the same folder here.
      ? yield* expander(found.project, actor, decrypt, state.era === "current")
      : asIs
    const value = yield* expand(found, plain)
    const view = viewOf(state, actor, version, asked.viewSecretValue)
    return Answer.ok({
      secret: shown(found, { ...plain, value }, view, { tags: isOwn, path: version === "v4" })
    })
  })

const versionOf = (
  secret: EmulatorState.Secret,
  name: string,
  version: number
): Option.Option<EmulatorState.Secret> =>
  Option.map(
    Option.fromNullable(
      [...secret.earlier, secret].find((other) => other.name === name && other.row.version === version)
    ),
    ({ row }) => ({ ...secret, row })
  )

/** The project, if there is one that the server has the key of. */
export const openProject = (
  state: EmulatorState.State,
  actor: Actor,
  projectId: string
): Effect.Effect<EmulatorState.Project, Answer.Answer> =>
  Effect.gen(function*() {
    const project = HashMap.get(state.projects, projectId.trim())
    if (Option.isNone(project)) return yield* Effect.fail(Answer.projectNotFound)
    if (project.value.endToEndEncrypted) return yield* Effect.fail(Answer.projectEndToEndEncrypted)
    return yield* Access.findProject(state, actor, projectId.trim())
  })

// Each version knows the flag by one name alone, and drops the other.
const wantsImports = (version: Version, { includeImports, include_imports }: ListQuery | GetQuery) =>
  version === "v4" ? includeImports ?? "true" : include_imports

const matchesTags = (
  project: EmulatorState.Project,
  secret: EmulatorState.Secret,
  tagSlugs: string | undefined
): boolean => {
  const wanted = (tagSlugs ?? "").split(",").map((slug) => slug.trim()).filter((slug) => slug !== "")
  return wanted.length === 0 || Secrets.tagsOf(project, secret).some(({ slug }) => wanted.includes(slug))
}

const matchesMetadata = ({ metadata }: EmulatorState.Secret, filter: string | undefined): boolean =>
  (filter ?? "").split("|").every((pair) => {
    const { key, value } = Object.fromEntries(pair.split(",").map((part) => part.split("=", 2)))
    return key === undefined || (value === undefined ? key in metadata : metadata[key] === value)
  })
