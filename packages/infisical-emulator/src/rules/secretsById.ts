/** Secrets of v4 by their id: reads of one, and moves to another folder. */
import type { Wire } from "effect-infisical"
import * as Array from "effect/Array"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Answer from "../eras/Answer.js"
import * as EmulatorState from "../state/EmulatorState.js"
import * as Identifier from "../support/identifier.js"
import * as Access from "./access.js"
import * as Approvals from "./approvals.js"
import type { Actor } from "./authentication.js"
import { decryptorOf } from "./decryption.js"
import { openProject, type Outcome, type Who } from "./rawSecrets.js"
import { shown, viewOf } from "./rawView.js"
import type * as Secrets from "./secrets.js"

type Requester = Pick<Who, "self" | "actor">

/** `GET /api/v4/secrets/id/:secretId` */
export const get = ({ actor, self }: Requester, id: string): Outcome =>
  Effect.gen(function*() {
    const state = yield* Ref.get(self.state)
    const found = yield* findById(state, actor, id)
    yield* openProject(state, actor, found.project.id)
    const plain = yield* Effect.flatMap(decryptorOf(found.project), (decrypt) => decrypt(found.secret))
    const { secretValueHidden: _, ...secret } = shown(found, plain, viewOf(state, actor, "v4", undefined), "got")
    return Answer.ok({ secret })
  })

const findById = (state: EmulatorState.State, actor: Actor, id: string): Access.Refusable<Secrets.Found> =>
  Either.gen(function*() {
    const { folder, project, secret } = yield* Either.fromOption(
      Array.findFirst(
        HashMap.toValues(state.projects).flatMap((project) =>
          HashMap.toValues(project.folders).map((folder) => ({ project, folder }))
        ),
        ({ folder, project }) =>
          Option.map(
            Array.findFirst(folder.secrets, ({ row }) => row.id === id),
            (secret) => ({ folder, project, secret })
          )
      ),
      () => Answer.secretByIdNotFound(id)
    )
    const { environment, path } = folder
    yield* Access.findProject(state, actor, project.id)
    return Access.isAllowed(project, actor, "read", environment, path)
      ? { secret, project, environment, secretPath: path }
      : yield* Either.left(Answer.permissionDenied("read"))
  })

type Move = typeof Wire.MoveSecretsPayload.Type

/** `POST /api/v4/secrets/move`: all of them, or none. A secret gets a new id in its new folder. */
export const move = ({ actor, self }: Requester, payload: Move): Outcome =>
  Effect.gen(function*() {
    const project = yield* openProject(yield* Ref.get(self.state), actor, payload.projectId)
    const decrypt = yield* decryptorOf(project)
    const rows = HashMap.toValues(project.folders).flatMap(({ secrets }) => secrets)
    const values = new Map(
      yield* Effect.forEach(
        rows,
        (secret) => Effect.map(decrypt(secret), ({ value }) => [secret.row.id, value] as const)
      )
    )
    const made = yield* Effect.forEach(payload.secretIds, () => Identifier.uuid)
    const time = yield* Identifier.now
    return yield* EmulatorState.change(self, (state) => moved(state, actor, payload, values, { ids: made, time }))
  })

const moved = (
  state: EmulatorState.State,
  actor: Actor,
  payload: Move,
  values: ReadonlyMap<string, string>,
  made: { readonly ids: ReadonlyArray<string>; readonly time: string }
): Access.Refusable<readonly [Answer.Answer, EmulatorState.State]> =>
  Either.gen(function*() {
    const from = placeOf(payload.projectId, payload.sourceEnvironment, payload.sourceSecretPath)
    const to = placeOf(payload.projectId, payload.destinationEnvironment, payload.destinationSecretPath)
    const project = yield* Access.findProject(state, actor, from.projectId)
    const source = yield* folderOfMove(project, "Source", from)
    const destination = yield* folderOfMove(project, "Destination", to)
    const secrets = source.secrets.filter(({ row }) => row.type === "shared" && payload.secretIds.includes(row.id))
    if (secrets.length !== payload.secretIds.length) {
      return yield* Either.left(Answer.secretsToMoveNotFound(from.environment, from.path))
    }
    if (!Access.isAllowed(project, actor, "delete", from.environment, from.path)) {
      return yield* Either.left(Answer.permissionDenied("delete"))
    }
    const existing = (name: string) => destination.secrets.find((one) => one.name === name && one.row.type === "shared")
    const created = secrets.filter(({ name }) => existing(name) === undefined)
    const replaced = secrets.filter(({ name, row }) => {
      const taken = existing(name)
      return taken !== undefined && values.get(taken.row.id) !== values.get(row.id)
    })
    if (replaced.length > 0 && !payload.shouldOverwrite) {
      return yield* Either.left(Answer.namesTakenInDestination(replaced.map(({ name }) => name)))
    }
    if (created.length + replaced.length === 0) return yield* Either.left(Answer.nothingToMove)
    if (!Access.isAllowed(project, actor, "create", to.environment, to.path)) {
      return yield* Either.left(Answer.permissionDenied("create"))
    }
    const isUpdated = ({ environment, path, projectId }: typeof from) =>
      !Approvals.cover(state, actor, { workspaceId: projectId, environment, secretPath: path })
    const isSourceUpdated = isUpdated(from)
    const isDestinationUpdated = isUpdated(to)
    const arrivals = [
      ...created.map((secret, index) => arrival(secret, destination, made.ids[index] ?? secret.row.id, made.time)),
      ...replaced.flatMap((secret) => {
        const taken = existing(secret.name)
        return taken === undefined ? [] : [replacement(secret, taken, made.time)]
      })
    ]
    const withArrivals = isDestinationUpdated
      ? EmulatorState.putFolder(state, project, arrivals.reduce(EmulatorState.putSecret, destination))
      : state
    const next = isSourceUpdated
      ? EmulatorState.putFolder(withArrivals, yield* Access.findProject(withArrivals, actor, from.projectId), {
        ...source,
        secrets: source.secrets.filter((secret) => !secrets.includes(secret))
      })
      : withArrivals
    return [Answer.ok({ isSourceUpdated, isDestinationUpdated }), next]
  })

const placeOf = (projectId: string, environment: string, secretPath: string) =>
  Access.placeOf({ workspaceId: projectId, environment, secretPath })

const folderOfMove = (
  project: EmulatorState.Project,
  which: "Source" | "Destination",
  { environment, path }: ReturnType<typeof placeOf>
) =>
  Either.fromOption(
    EmulatorState.findFolder(project, environment, path),
    () => Answer.folderOfMoveNotFound(which, environment, path)
  )

/** A secret as it arrives in a folder that has none of its name. */
const arrival = (
  { metadata, name, row, tagIds }: EmulatorState.Secret,
  { id: folderId }: EmulatorState.Folder,
  id: string,
  time: string
): EmulatorState.Secret => ({
  name,
  row: { ...row, id, folderId, version: 1, createdAt: time, updatedAt: time },
  tagIds,
  metadata,
  earlier: []
})

/** The secret of the destination with what the moved one has. */
const replacement = (
  { metadata, name, row, tagIds }: EmulatorState.Secret,
  taken: EmulatorState.Secret,
  time: string
): EmulatorState.Secret => ({
  ...EmulatorState.nextVersion(taken, name, encryptedFields(row), time),
  tagIds,
  metadata
})

const encryptedFields = (row: EmulatorState.SecretRow): EmulatorState.EncryptedFields => ({
  secretKeyCiphertext: row.secretKeyCiphertext,
  secretKeyIV: row.secretKeyIV,
  secretKeyTag: row.secretKeyTag,
  secretValueCiphertext: row.secretValueCiphertext,
  secretValueIV: row.secretValueIV,
  secretValueTag: row.secretValueTag,
  secretCommentCiphertext: row.secretCommentCiphertext,
  secretCommentIV: row.secretCommentIV,
  secretCommentTag: row.secretCommentTag
})
