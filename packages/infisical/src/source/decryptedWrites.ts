/**
 * Writes of secrets that the server encrypts. No response to a write is taken for the secret as it is stored: v4 answers
 * an update with the fields of the request, and servers of 2024 leave out tags or ignore parts of the request. What a
 * response does not state is merged from the known version before it, or read back.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import type * as InfisicalApi from "../api/InfisicalApi.js"
import type { DecryptedSecret } from "../api/Wire.js"
import {
  type AlreadyExistsError,
  InvalidRequestError,
  type ReadError,
  type WriteError
} from "../model/InfisicalError.js"
import { defined } from "../support/defined.js"
import { annotations, checkStorable, featuresOr, type Options, type Row, writtenMany } from "./decryptedBatch.js"
import * as Rows from "./decryptedRows.js"
import * as Details from "./details.js"
import * as Fit from "./fit.js"
import type { Routes } from "./routes.js"
import type * as SecretSource from "./SecretSource.js"
import * as Stored from "./stored.js"

type Put = Effect.Effect<Row, WriteError | AlreadyExistsError>

/** Writes of one secret. */
export interface Single {
  readonly create: (routes: Routes, target: SecretSource.Target, input: SecretSource.SecretInput) => Put
  readonly update: (
    routes: Routes,
    target: SecretSource.Target,
    changes: SecretSource.Changes,
    known: SecretSource.Known | undefined
  ) => Put
  readonly upsert: (
    routes: Routes,
    upsert: NonNullable<Routes["upsert"]>,
    target: SecretSource.Target,
    input: SecretSource.SecretInput,
    known: SecretSource.Known | undefined
  ) => Put
}

export const single = (options: Options): Single => {
  const { current, features, send } = options
  const readBack = readerOf(options)

  const create: Single["create"] = (routes, target, input) =>
    Effect.gen(function*() {
      yield* checkStorable(options, routes, target.location, [input])
      const row = yield* sent(options, routes, "POST", target, input, (target) =>
        routes.create(target, { secretValue: Redacted.value(input.value), ...annotations(input) }))
      return Stored.needsConfirmation(input) ? yield* readBack(routes, "created", target, input, row) : row
    })

  const patch = (routes: Routes, target: SecretSource.Target, changes: SecretSource.Changes) =>
    sent(options, routes, "PATCH", target, changes, (target) =>
      routes.update(target, {
        ...defined({
          secretValue: changes.value === undefined ? undefined : Redacted.value(changes.value),
          newSecretName: changes.newName
        }),
        ...annotations(changes)
      }))

  const rename = renamer({ ...options, create })

  /** On servers of 2024-07 a PATCH of one secret stores its value and tags only. A comment takes a batch. */
  const updateOld = (
    routes: Routes,
    target: SecretSource.Target,
    { comment, tagIds, value }: SecretSource.Changes & Pick<SecretSource.SecretInput, "value">,
    known: SecretSource.Known | undefined
  ): Put =>
    Effect.gen(function*() {
      if (comment === undefined) {
        const row = yield* patch(routes, target, { value, tagIds })
        return yield* Option.match(Stored.merged(known?.(target.name), { value, tagIds }, row), {
          onNone: () => readBack(routes, "updated", target, { value, tagIds }, row),
          onSome: Effect.succeed
        })
      }
      if (target.type === "personal") return yield* personalComment
      const [row] = yield* send(target.location, (place) =>
        Effect.flatMap(
          routes.updateMany(place, [{
            secretKey: target.name,
            written: { secretValue: Redacted.value(value), secretComment: comment }
          }]),
          (answer) => writtenMany(routes, "PATCH", place, [[target.name, { value }]], answer)
        ))
      if (tagIds !== undefined) {
        yield* Effect.mapError(
          patch(routes, target, { value, tagIds }),
          Stored.afterWrite(`PATCH ${routes.path}/:secretName`, "updated", "but not its tags")
        )
      }
      return row === undefined
        ? yield* Fit.unexpected(`PATCH ${routes.path} (batch)`, "name")
        : yield* readBack(routes, "updated", target, { value, comment, tagIds }, row)
    })

  return {
    create,

    update: (routes, target, changes, known) =>
      Effect.gen(function*() {
        const { newName } = changes
        const isUnknown = Option.isNone(yield* Ref.get(features)) && Stored.isAnnotated(changes)
        // Servers of v3 want the value in each update, and a rename may have to create the secret from it.
        const before = !routes.keepsValues && (changes.value === undefined || newName !== undefined || isUnknown)
          ? Option.some(yield* current(routes, target))
          : Option.none()
        const supported = routes.keepsValues ? Stored.everything : yield* featuresOr(features)
        const refusal = Stored.refusal(supported, changes)
        if (refusal !== undefined) return yield* refusal
        const value = changes.value ?? (yield* Effect.transposeMapOption(before, (secret) =>
          Effect.map(Rows.readableRow(routes, target.location, secret), ({ payload }) =>
            payload.value)).pipe(Effect.map(Option.getOrUndefined)))
        if (Stored.isOf2024_07(supported) && value !== undefined) {
          return newName !== undefined && Option.isSome(before)
            ? yield* rename(routes, target, newName, changes, before.value)
            : yield* updateOld(routes, target, { ...changes, value }, known)
        }
        const row = yield* patch(routes, target, { ...changes, value })
        if (newName !== undefined && row.name !== newName) {
          const secret = Option.isSome(before) ? before.value : yield* current(routes, target)
          return yield* rename(routes, target, newName, changes, secret)
        }
        return yield* Option.match(Stored.merged(known?.(target.name), changes, row), {
          onNone: () =>
            readBack(routes, "updated", target, { ...changes, value }, row),
          onSome: Effect.succeed
        })
      }),

    upsert: (routes, upsert, target, input, known) =>
      Effect.gen(function*() {
        const row = yield* sent(options, routes, "PATCH", target, input, (target) =>
          upsert(target, { secretValue: Redacted.value(input.value), ...annotations(input) }))
        return yield* Option.match(Stored.merged(known?.(target.name), input, row), {
          onNone: () =>
            readBack(routes, "updated", target, input, row),
          onSome: Effect.succeed
        })
      })
  }
}

/** One request that writes a secret, and its row, after comparing the response with the request. */
const sent = <E>(
  { send }: Pick<Options, "send">,
  { path }: Routes,
  method: "POST" | "PATCH",
  target: SecretSource.Target,
  { newName, value }: SecretSource.Changes,
  request: (target: InfisicalApi.Target) => Effect.Effect<DecryptedSecret, E>
) =>
  send(target.location, (place) =>
    Effect.flatMap(request({ ...place, ...target }), (secret) =>
      Effect.as(
        Fit.check(
          `${method} ${path}/:secretName`,
          // A server that ignores the new name answers with the old one.
          Fit.named({ ...place, ...target, names: [newName ?? target.name, target.name] }, secret, secret.secretKey)
        ),
        Rows.writtenRow(target.location, secret, newName ?? target.name, value)
      )))

/** Reads a written secret as it is stored now. If that fails, `row` is returned if it has all that was written. */
const readerOf = ({ current }: Pick<Options, "current">) =>
(
  routes: Routes,
  done: "created" | "updated",
  target: SecretSource.Target,
  changes: SecretSource.Changes,
  row: Row
): Effect.Effect<Row, ReadError> => {
  const failed = Stored.afterWrite(`PATCH ${routes.path}/:secretName`, done)
  return Effect.matchEffect(current(routes, { ...target, name: row.name }), {
    onFailure: (error) =>
      changes.value !== undefined && (error._tag === "PermissionError" || !Stored.isAnnotated(changes))
        ? Effect.succeed({ ...row, isPartial: true })
        : Effect.fail(failed(error)),
    onSuccess: (secret): Effect.Effect<Row, ReadError> => {
      const ignored = Stored.ignored(routes, changes, secret)
      return ignored === undefined
        ? Effect.catchAll(
          Rows.readableRow(routes, target.location, secret),
          (hidden) =>
            changes.value === undefined ? Effect.fail(failed(hidden)) : Effect.succeed({ ...row, isPartial: true })
        )
        : Effect.fail(Stored.notStored(ignored, done))
    }
  })
}

/** Renames a secret by creating it under its new name and deleting the old one, in this order. */
const renamer = ({ create, current, send }: Pick<Options, "current" | "send"> & Pick<Single, "create">) => {
  const hasPersonal = (routes: Routes, target: SecretSource.Target) =>
    current(routes, { ...target, type: "personal" }).pipe(
      Effect.as(true),
      // A service token that asks for a personal secret gets the shared one, which is another type than requested.
      Effect.catchIf(
        ({ _tag }) => _tag === "NotFoundError" || _tag === "PermissionError" || _tag === "UnexpectedResponseError",
        () => Effect.succeed(false)
      )
    )
  return (
    routes: Routes,
    target: SecretSource.Target,
    newName: string,
    { comment, tagIds, value }: SecretSource.Changes,
    before: DecryptedSecret
  ): Put =>
    Effect.gen(function*() {
      const { payload } = yield* Rows.readableRow(routes, target.location, before)
      if (target.type === "personal") return yield* personalRename
      if (yield* hasPersonal(routes, target)) return yield* overridden
      const row = yield* create(routes, { ...target, name: newName }, {
        value: value ?? payload.value,
        comment: comment ?? payload.comment,
        tagIds: tagIds ?? Details.make(before).tags.map(({ id }) => id)
      })
      yield* Effect.logWarning(
        "This server cannot rename a secret: it is created under its new name, and the old one is deleted with its versions, its reminder and the personal secrets of other users"
      )
      yield* Effect.mapError(
        send(target.location, (place) => routes.delete({ ...place, ...target })),
        Stored.afterWrite(
          `DELETE ${routes.path}/:secretName`,
          "created",
          "under its new name, but the old one was not deleted: delete it"
        )
      )
      return row
    })
}

const personalRename = new InvalidRequestError({
  parameter: "type",
  problem: "this server cannot rename personal secrets. Create one under the new name and delete the old one."
})

const overridden = new InvalidRequestError({
  parameter: "name",
  problem:
    "there is a personal secret of this name, which this server would delete with the rename. Delete it first, and create it under the new name."
})

const personalComment = new InvalidRequestError({
  parameter: "comment",
  problem: "a server of 2024-07 stores no changed comment of a personal secret. Delete the secret and create it again."
})
