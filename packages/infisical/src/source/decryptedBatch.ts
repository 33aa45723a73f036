/** Writes of many secrets that the server encrypts: all of them, or none. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import type * as InfisicalApi from "../api/InfisicalApi.js"
import type { DecryptedSecret } from "../api/Wire.js"
import type { AlreadyExistsError, ReadError, UnexpectedResponseError, WriteError } from "../model/InfisicalError.js"
import type * as Location from "../model/Location.js"
import { defined } from "../support/defined.js"
import * as Reads from "./decryptedReads.js"
import * as Rows from "./decryptedRows.js"
import * as Details from "./details.js"
import * as Fit from "./fit.js"
import type { Routes } from "./routes.js"
import type * as SecretSource from "./SecretSource.js"
import * as Stored from "./stored.js"

/** What writes need of the source. */
export interface Options extends Pick<Reads.Reads, "current" | "currentList" | "features" | "tagged"> {
  readonly send: Reads.Send
}

export type Row = SecretSource.WrittenRow

export interface Batch {
  readonly createMany: (
    routes: Routes,
    location: Location.Location,
    secrets: SecretSource.Batch
  ) => Effect.Effect<ReadonlyArray<Row>, WriteError | AlreadyExistsError>
  readonly updateMany: (
    routes: Routes,
    location: Location.Location,
    secrets: SecretSource.Batch,
    known: SecretSource.Known | undefined
  ) => Effect.Effect<ReadonlyArray<Row>, WriteError>
}

export const make = (options: Options): Batch => {
  const { currentList, send, tagged } = options

  const storedNow = (routes: Routes, location: Location.Location, secrets: SecretSource.Batch) => {
    const list = currentList(routes, location)
    return secrets.some(([, { tagIds = [] }]) => tagIds.length > 0)
      ? Effect.flatMap(list, (stored) => tagged(Reads.cheapest(location), stored))
      : list
  }

  /** The secrets as they are stored now, by one list. */
  const readBack = (
    routes: Routes,
    done: "created" | "updated",
    location: Location.Location,
    secrets: SecretSource.Batch,
    rows: ReadonlyArray<Row>
  ): Effect.Effect<ReadonlyArray<Row>, ReadError> =>
    Effect.matchEffect(storedNow(routes, location, secrets), {
      onFailure: (error) =>
        error._tag === "PermissionError" || !secrets.some(([, input]) => Stored.isAnnotated(input))
          ? Effect.succeed(rows.map((row) => ({ ...row, isPartial: true })))
          : Effect.fail(Stored.afterWrite(`PATCH ${routes.path} (batch)`, done)(error)),
      onSuccess: (stored) => {
        const byId = new Map(stored.map((secret) => [secret.id, secret]))
        const inputs = new Map(secrets)
        return Effect.forEach(rows, (row) => {
          const secret = byId.get(row.id)
          // Another client has deleted it since.
          if (secret === undefined) return Effect.succeed({ ...row, isPartial: true })
          const ignored = Stored.ignored(routes, inputs.get(row.name) ?? {}, secret)
          return ignored === undefined
            ? Effect.orElseSucceed(
              Rows.readableRow(routes, location, secret),
              (): Row => ({ ...row, isPartial: true })
            )
            : Effect.fail(Stored.notStored(ignored, done))
        })
      }
    })

  return {
    createMany: (routes, location, secrets) =>
      Effect.gen(function*() {
        const inputs = secrets.map(([, input]) => input)
        yield* checkStorable(options, routes, location, inputs)
        const rows = yield* send(location, (place) =>
          Effect.flatMap(
            routes.createMany(place, secrets.map(batchItem)),
            (answer) => writtenMany(routes, "POST", place, secrets, answer)
          ))
        return inputs.some(Stored.needsConfirmation)
          ? yield* readBack(routes, "created", location, secrets, rows)
          : rows
      }),

    updateMany: (routes, location, secrets, known) =>
      Effect.gen(function*() {
        const commented = routes.keepsValues ? secrets : yield* withComments(options, routes, location, secrets)
        const rows = yield* send(location, (place) =>
          Effect.flatMap(
            routes.updateMany(place, commented.map(batchItem)),
            (answer) => writtenMany(routes, "PATCH", place, secrets, answer)
          ))
        const inputs = new Map(secrets)
        const merged = Option.all(rows.map((row) => Stored.merged(known?.(row.name), inputs.get(row.name) ?? {}, row)))
        return Option.isSome(merged) ? merged.value : yield* readBack(routes, "updated", location, secrets, rows)
      })
  }
}

/** Servers of 2024-07 empty the comments that a batch leaves out, so that it has to send them. */
const withComments = (
  options: Options,
  routes: Routes,
  location: Location.Location,
  secrets: SecretSource.Batch
): Effect.Effect<SecretSource.Batch, ReadError> =>
  Effect.gen(function*() {
    const known = yield* Ref.get(options.features)
    const isOther = Option.exists(known, (features) => !Stored.isOf2024_07(features))
    if (isOther || secrets.every(([, { comment }]) => comment !== undefined)) {
      yield* checkStorable(options, routes, location, secrets.map(([, input]) => input))
      return secrets
    }
    const stored = yield* options.currentList(routes, location)
    yield* checkStorable(options, routes, location, secrets.map(([, input]) => input))
    if (!Stored.isOf2024_07(yield* featuresOr(options.features))) return secrets
    const comments = new Map(stored.flatMap(({ secretComment, secretKey, type }) =>
      type === "shared" ? [[secretKey, secretComment ?? ""] as const] : []
    ))
    return secrets.map(([name, input]) =>
      [name, { ...input, comment: input.comment ?? comments.get(name) }] as const
    )
  })

/** Fails if the server cannot store a part of a write. Lists the folder if that is not known yet. */
export const checkStorable = (
  { currentList, features }: Pick<Options, "currentList" | "features">,
  routes: Routes,
  location: Location.Location,
  inputs: ReadonlyArray<SecretSource.Annotations>
): Effect.Effect<void, ReadError> =>
  Effect.gen(function*() {
    if (routes.keepsValues || !inputs.some(Stored.needsFeatures)) return
    if (Option.isNone(yield* Ref.get(features))) yield* currentList(routes, location)
    const supported = yield* featuresOr(features)
    for (const input of inputs) {
      const refusal = Stored.refusal(supported, input)
      if (refusal !== undefined) return yield* refusal
    }
  })

/** An empty folder does not show what a server stores. Then the secret that is read back does. */
export const featuresOr = (features: Options["features"]): Effect.Effect<Stored.Features> =>
  Effect.map(Ref.get(features), Option.getOrElse(() => Stored.everything))

export const writtenMany = (
  { path }: Pick<Routes, "path">,
  method: string,
  place: InfisicalApi.Place,
  secrets: SecretSource.Batch,
  answer: ReadonlyArray<DecryptedSecret>
): Effect.Effect<ReadonlyArray<Row>, UnexpectedResponseError> => {
  const endpoint = `${method} ${path} (batch)`
  const sent = new Map(secrets)
  const names = [...sent.keys()]
  return Effect.forEach(answer, (secret) =>
    Effect.as(
      Fit.check(endpoint, Fit.named({ ...place, names, type: "shared" }, secret, secret.secretKey)),
      Rows.writtenRow(place.location, secret, "", sent.get(secret.secretKey)?.value)
    )).pipe(Effect.flatMap((rows) => Fit.batch(endpoint, names, rows)))
}

const batchItem = ([secretKey, input]: SecretSource.Batch[number]) => ({
  secretKey,
  written: { secretValue: Redacted.value(input.value), ...annotations(input) }
})

export const annotations = ({ comment, metadata, reminder, tagIds }: SecretSource.Annotations) => ({
  ...defined({
    secretComment: comment,
    tagIds,
    secretMetadata: metadata === undefined
      ? undefined
      : Object.entries(metadata).map(([key, value]) => ({ key, value }))
  }),
  ...Details.reminderFields(reminder)
})
