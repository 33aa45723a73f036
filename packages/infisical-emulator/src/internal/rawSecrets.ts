/** Secrets that the server decrypts and encrypts: the routes of `/api/v3/secrets/raw` and `/api/v4/secrets`. */
import type { Crypto, Wire } from "effect-infisical"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Answer from "../Answer.js"
import * as EmulatorState from "../EmulatorState.js"
import * as Approvals from "./approvals.js"
import type { Actor } from "./authentication.js"
import * as Identifier from "./identifier.js"
import * as References from "./references.js"
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

/** What is written of a secret. */
export interface Payload extends Secrets.Place {
  readonly type?: Wire.SecretType | undefined
  readonly secretValue?: string | undefined
  readonly secretComment?: string | undefined
  readonly newSecretName?: string | undefined
  readonly tagIds?: ReadonlyArray<string> | undefined
  readonly secretMetadata?: ReadonlyArray<{ readonly key: string; readonly value: string }> | undefined
  readonly secretReminderNote?: string | null | undefined
  readonly secretReminderRepeatDays?: number | null | undefined
}

/** What is written of one secret of a batch. */
export interface BatchItem extends Omit<Payload, keyof Secrets.Place> {
  readonly secretKey: string
}

type Outcome = Effect.Effect<Answer.Answer, Answer.Answer, Crypto.Crypto>

interface Who {
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

/** `POST` of one secret. */
export const create = (who: Who, secretName: string, payload: Payload): Outcome =>
  writing(who, payload, [{ ...payload, secretKey: secretName }], insertOne(who, 1), single(who))

/** `PATCH` of one secret. */
export const update = (who: Who, secretName: string, payload: Payload): Outcome =>
  writing(who, payload, [{ ...payload, secretKey: secretName }], alterOne(who), single(who))

/** `DELETE` of one secret. */
export const remove = (who: Who, secretName: string, payload: Payload): Outcome =>
  writing(who, payload, [{ ...payload, secretKey: secretName }], takeOne(who), single(who))

/** `POST` of a batch: all of it, or nothing. */
export const createMany = (who: Who, place: Secrets.Place, items: ReadonlyArray<BatchItem>): Outcome =>
  writing(who, place, items, insertOne(who, who.version === "v3" ? 0 : 1), many(who))

/** `PATCH` of a batch: all of it, or nothing. */
export const updateMany = (
  who: Who,
  place: Secrets.Place,
  items: ReadonlyArray<BatchItem>,
  mode: "failOnNotFound" | "upsert" | "ignore" = "failOnNotFound"
): Outcome => {
  const alter = alterOne(who)
  const insert = insertOne(who, 1)
  const change: Step = (state, item, sealed, made) => {
    if (mode === "failOnNotFound" || !Secrets.isMissing(state, who.actor, item.secretKey, item)) {
      return alter(state, item, sealed, made)
    }
    return mode === "upsert" ? insert(state, item, sealed, made) : Either.right(undefined)
  }
  return Effect.flatMap(Ref.get(who.self.state), ({ era }) => {
    // Servers of 2024-07 empty the comments that a batch leaves out.
    const changed = era === "2024-07"
      ? items.map((item) => ({ ...item, secretComment: item.secretComment ?? "" }))
      : items
    return writing(who, place, changed, change, many(who))
  })
}

/** `DELETE` of a batch: all of it, or nothing. */
export const removeMany = (who: Who, place: Secrets.Place, items: ReadonlyArray<BatchItem>): Outcome =>
  writing(who, place, items, takeOne(who), many(who))

type Step = (
  state: EmulatorState.State,
  item: BatchItem & Secrets.Place,
  sealed: Partial<EmulatorState.EncryptedFields>,
  made: { readonly id: string; readonly time: string }
) => Either.Either<Secrets.Written | undefined, Answer.Answer>

const insertOne = ({ actor }: Who, version: number): Step => (state, item, sealed, made) =>
  Secrets.insert(
    state,
    actor,
    item.secretKey,
    item,
    { ...nothingSealed, ...sealed },
    detailsOf(item),
    { ...made, version }
  )

const alterOne = ({ actor }: Who): Step => (state, item, sealed, { time }) => {
  const { newSecretName } = item
  return Secrets.alter(state, actor, item.secretKey, { ...item, newName: newSecretName }, sealed, detailsOf(item), time)
}

const takeOne = ({ actor }: Who): Step => (state, item) => Secrets.take(state, actor, item.secretKey, item)

const nothingSealed = {
  secretKeyCiphertext: "",
  secretKeyIV: "",
  secretKeyTag: "",
  secretValueCiphertext: "",
  secretValueIV: "",
  secretValueTag: "",
  secretCommentCiphertext: null,
  secretCommentIV: null,
  secretCommentTag: null
}

const detailsOf = (item: BatchItem): Secrets.Details => ({
  tagIds: item.tagIds,
  metadata: item.secretMetadata === undefined
    ? undefined
    : Object.fromEntries(item.secretMetadata.map(({ key, value }) => [key, value])),
  secretReminderNote: item.secretReminderNote,
  secretReminderRepeatDays: item.secretReminderRepeatDays
})

/** Takes every step or none, and answers with what was written. */
const writing = (
  { actor, self }: Who,
  place: Secrets.Place,
  items: ReadonlyArray<BatchItem>,
  step: Step,
  answer: (project: EmulatorState.Project, found: ReadonlyArray<Secrets.Found>) => Outcome
): Outcome =>
  Effect.gen(function*() {
    if (items.length === 0) return yield* Effect.fail(Answer.batchEmpty())
    const project = yield* openProject(yield* Ref.get(self.state), actor, place.workspaceId)
    const cipher = yield* EmulatorState.cipherOf(project.key)
    const prepared = yield* Effect.forEach(items, (item) =>
      Effect.gen(function*() {
        const { newSecretName, secretComment, secretKey, secretValue } = item
        const sealed = yield* EmulatorState.encrypt(
          cipher,
          (newSecretName ?? secretKey).trim(),
          trimmed(secretValue ?? ""),
          secretComment?.trim()
        )
        const made = { id: yield* Identifier.uuid, time: yield* Identifier.now }
        return { item: { ...place, ...item }, sealed: carried(item, sealed), made }
      }))
    const found = yield* EmulatorState.change(self, (state) =>
      Either.gen(function*() {
        const found: Array<Secrets.Found> = []
        let next = state
        for (const { item, made, sealed } of prepared) {
          const written = yield* step(next, item, sealed, made)
          if (written === undefined) continue
          found.push(written.found)
          next = written.state
        }
        return Approvals.cover(state, place) ? [undefined, state] as const : [found, next] as const
      }))
    return found === undefined
      ? Answer.approvalRequired({ id: yield* Identifier.uuid, slug: yield* Identifier.hexadecimal(2) })
      : yield* answer(project, found)
  })

// The server trims, and keeps one newline at the end.
const trimmed = (value: string): string => `${value.trim()}${value.endsWith("\n") ? "\n" : ""}`

/** Of what was encrypted, what the request carries: the rest stays as it is. */
const carried = (
  { newSecretName, secretComment, secretValue }: BatchItem,
  sealed: EmulatorState.EncryptedFields
): Partial<EmulatorState.EncryptedFields> => {
  const { secretKeyCiphertext, secretKeyIV, secretKeyTag } = sealed
  const { secretValueCiphertext, secretValueIV, secretValueTag } = sealed
  const { secretCommentCiphertext, secretCommentIV, secretCommentTag } = sealed
  return {
    ...(newSecretName !== undefined || secretValue !== undefined
      ? { secretKeyCiphertext, secretKeyIV, secretKeyTag }
      : {}),
    ...(secretValue !== undefined ? { secretValueCiphertext, secretValueIV, secretValueTag } : {}),
    ...(secretComment !== undefined ? { secretCommentCiphertext, secretCommentIV, secretCommentTag } : {})
  }
}

const single = (who: Who) => (project: EmulatorState.Project, [found]: ReadonlyArray<Secrets.Found>): Outcome =>
  found === undefined
    ? Effect.fail(Answer.secretNotFound(""))
    : Effect.map(showWritten(who, project, found), (secret) => Answer.ok({ secret }))

const many = (who: Who) => (project: EmulatorState.Project, found: ReadonlyArray<Secrets.Found>): Outcome =>
  Effect.map(
    Effect.forEach(found, (one) => showWritten(who, project, one)),
    (secrets) => Answer.ok({ secrets })
  )

const showWritten = ({ actor, self, version }: Who, project: EmulatorState.Project, found: Secrets.Found) =>
  Effect.gen(function*() {
    const state = yield* Ref.get(self.state)
    const plain = yield* Effect.flatMap(decryptorOf(project), (decrypt) => decrypt(found.secret))
    return shown(found, plain, viewOf(state, actor, version, undefined), {
      tags: version === "v4",
      path: version === "v4"
    })
  })

/** The project, if there is one that the server has the key of. */
const openProject = (
  state: EmulatorState.State,
  actor: Actor,
  projectId: string
): Effect.Effect<EmulatorState.Project, Answer.Answer> =>
  Effect.gen(function*() {
    const project = HashMap.get(state.projects, projectId.trim())
    if (Option.isNone(project)) return yield* Effect.fail(Answer.projectNotFound)
    if (project.value.endToEndEncrypted) return yield* Effect.fail(Answer.projectEndToEndEncrypted)
    return yield* Secrets.findProject(state, actor, projectId.trim())
  })

// Each version knows the flag by one name alone, and drops the other.
const wantsImports = (version: Version, { includeImports, include_imports }: ListQuery | GetQuery) =>
  version === "v4" ? includeImports ?? "true" : include_imports

interface PlainText {
  readonly value: string
  readonly comment: string
}

type Decrypt = (secret: EmulatorState.Secret) => Effect.Effect<PlainText>

/** Decrypts under the project key; what does not open is empty, as it is to the server. */
const decryptorOf = (project: EmulatorState.Project): Effect.Effect<Decrypt, never, Crypto.Crypto> =>
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

const asIs: Expand = (_, { value }) => Effect.succeed(value)

const expander = (
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
        Secrets.isAllowed(project, actor, "read", environment, path)
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

/** Where a secret is that was imported. */
const folderOf = ({ project, secret }: Secrets.Found): string =>
  Option.match(HashMap.findFirst(project.folders, ({ id }) => id === secret.row.folderId), {
    onNone: () => "/",
    onSome: ([, { path }]) => path
  })

interface View {
  readonly hidden: boolean
  readonly version: Version
  readonly era: EmulatorState.State["era"]
}

const viewOf = (
  { era }: EmulatorState.State,
  actor: Actor,
  version: Version,
  viewSecretValue: string | undefined
): View => ({
  era,
  version,
  hidden: era === "current" &&
    (viewSecretValue === "false" || (actor._tag === "Identity" && actor.identity.hidesValues))
})

const shown = (
  found: Secrets.Found,
  plain: PlainText,
  { era, hidden, version }: View,
  extra: { readonly tags: boolean; readonly path: boolean }
) => {
  const { environment, project, secret } = found
  const secretPath = found.secretPath ?? (version === "v4" ? folderOf(found) : undefined)
  return {
    id: secret.row.id,
    _id: secret.row.id,
    workspace: project.id,
    environment,
    version: secret.row.version,
    type: secret.row.type,
    secretKey: secret.name,
    secretValue: hidden ? "<hidden-by-infisical>" : plain.value,
    secretComment: plain.comment,
    ...(extra.path && secretPath !== undefined && { secretPath }),
    ...((extra.tags || era === "current") && { tags: Secrets.tagsOf(project, secret) }),
    ...(era === "current" && {
      secretValueHidden: hidden,
      secretMetadata: Object.entries(secret.metadata).map(([key, value]) => ({ key, value, isEncrypted: false })),
      secretReminderNote: secret.row.secretReminderNote,
      secretReminderRepeatDays: secret.row.secretReminderRepeatDays,
      skipMultilineEncoding: secret.row.skipMultilineEncoding,
      createdAt: secret.row.createdAt,
      updatedAt: secret.row.updatedAt
    })
  }
}

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
