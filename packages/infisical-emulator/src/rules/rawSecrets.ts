/** Secrets that the server decrypts and encrypts: reads by `/api/v3/secrets/raw` and `/api/v4/secrets`. */
import type { Crypto } from "effect-infisical"
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Answer from "../eras/Answer.js"
import * as Eras from "../eras/eras.js"
import type * as EmulatorState from "../state/EmulatorState.js"
import * as Access from "./access.js"
import type { Actor } from "./authentication.js"
import { asIs, decryptorOf, expander } from "./decryption.js"
import { admit, shown, viewOf } from "./rawView.js"
import * as Secrets from "./secrets.js"

/** Which of the two routes was requested. */
export type Version = "v3" | "v4"

/** A list's query, by the names that both routes have for it. */
export interface ListQuery extends Secrets.ListQuery {
  readonly includeImports?: string | undefined
  readonly expandSecretReferences?: string | undefined
  readonly viewSecretValue?: string | undefined
  readonly tagSlugs?: string | undefined
  readonly metadataFilter?: string | undefined
  readonly includePersonalOverrides?: string | undefined
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
    const query = { ...asked, include_imports: wantsImports(state, version, asked) }
    yield* openProject(state, actor, query.workspaceId)
    const { imports, project, secrets } = yield* Secrets.find(state, actor, query)
    yield* admit(state, actor, asked.viewSecretValue)
    const decrypt = yield* decryptorOf(project)
    const view = viewOf(state, actor, version, asked.viewSecretValue)
    const expand = wantsExpansion(state, version, asked)
      ? yield* expander(state, project, actor, decrypt, {
        listed: secrets,
        path: Access.placeOf(query).path
      })
      : asIs
    // On v3 a user's list always holds both rows of a secret that is overridden.
    const listsOverrides = version === "v3" || asked.includePersonalOverrides === "true"
    const slugs = Eras.does(state, "filtersByTags") ? slugsOf(asked.tagSlugs) : []
    const isShown = Eras.does(state, "showsFilteredTagsOnly") && slugs.length > 0
      ? ({ slug }: EmulatorState.Tag) => slugs.includes(slug)
      : () => true
    const tagsOf = ({ project, secret }: Secrets.Found) => Secrets.tagsOf(project, secret).filter(isShown)
    const show = (where: "listed" | "imported") => (found: Secrets.Found) =>
      Effect.flatMap(
        decrypt(found.secret),
        (plain) =>
          Effect.map(
            expand(found, plain),
            (value) => shown(found, { ...plain, value }, view, where, tagsOf(found))
          )
      )
    const wanted = secrets.filter(({ secret }) =>
      (listsOverrides || secret.row.type === "shared") && matchesTags(project, secret, slugs) &&
      (!Eras.does(state, "hasMetadata") || matchesMetadata(secret, asked.metadataFilter))
    )
    const shownImports = yield* Effect.forEach(Option.getOrElse(imports, () => []), ({ secrets, ...entry }) =>
      Effect.map(Effect.forEach(secrets, show("imported")), (secrets) => ({
        secretPath: entry.secretPath,
        environment: entry.environment,
        folderId: entry.folderId,
        secrets
      })))
    return Answer.ok({
      secrets: yield* Effect.forEach(wanted, show("listed")),
      ...((Option.isSome(imports) || Eras.does(state, "alwaysListsImports")) && { imports: shownImports })
    })
  })

/** `GET /api/v3/secrets/raw/:secretName`, `GET /api/v4/secrets/:secretName` */
export const get = ({ actor, self, version }: Who, secretName: string, asked: GetQuery): Outcome =>
  Effect.gen(function*() {
    const state = yield* Ref.get(self.state)
    const query = { ...asked, include_imports: wantsImports(state, version, asked) }
    yield* openProject(state, actor, query.workspaceId)
    const found = yield* Secrets.findOne(state, actor, secretName, query, versionOf)
    yield* admit(state, actor, asked.viewSecretValue)
    const decrypt = yield* decryptorOf(found.project)
    const plain = yield* decrypt(found.secret)
    const expand = wantsExpansion(state, version, asked)
      ? yield* expander(state, found.project, actor, decrypt, "get")
      : asIs
    const value = yield* expand(found, plain)
    const where = found.secretPath === undefined ? "gotImported" : "got"
    const secret = shown(found, { ...plain, value }, viewOf(state, actor, version, asked.viewSecretValue), where)
    // An earlier version has no tags.
    const { tags: _, ...withoutTags } = secret
    const isVersion = Eras.does(state, "readsVersions") && asked.version !== undefined &&
      !Eras.does(state, "showsTagsOfVersions")
    return Answer.ok({ secret: isVersion ? withoutTags : secret })
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
    if (Option.isNone(project)) return yield* Effect.fail(Answer.projectNotFound(projectId.trim()))
    if (project.value.endToEndEncrypted) return yield* Effect.fail(Answer.projectEndToEndEncrypted(projectId.trim()))
    return yield* Access.findProject(state, actor, projectId.trim())
  })

// Each version and era knows the flag by one name alone, and drops the other.
const wantsImports = (state: EmulatorState.State, version: Version, query: ListQuery | GetQuery) =>
  version === "v3"
    ? query.include_imports
    : query[Eras.does(state, "importsFlag")] ?? Eras.does(state, "importsByDefault")

const wantsExpansion = (state: EmulatorState.State, version: Version, query: ListQuery | GetQuery): boolean =>
  (query.expandSecretReferences ?? (version === "v4" ? Eras.does(state, "expandsByDefault") : "false")) === "true"

const slugsOf = (tagSlugs: string | undefined): ReadonlyArray<string> =>
  (tagSlugs ?? "").split(",").map((slug) => slug.trim()).filter((slug) => slug !== "")

const matchesTags = (
  project: EmulatorState.Project,
  secret: EmulatorState.Secret,
  slugs: ReadonlyArray<string>
): boolean => slugs.length === 0 || Secrets.tagsOf(project, secret).some(({ slug }) => slugs.includes(slug))

const matchesMetadata = ({ metadata }: EmulatorState.Secret, filter: string | undefined): boolean =>
  (filter ?? "").split("|").every((pair) => {
    const { key, value } = Object.fromEntries(pair.split(",").map((part) => part.split("=", 2)))
    return key === undefined || (value === undefined ? key in metadata : metadata[key] === value)
  })
