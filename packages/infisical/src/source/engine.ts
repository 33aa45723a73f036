/**
 * Chooses between the two sources for a service token with its key part, since what the token reads depends on the
 * engine of its project. A project of the first engine has end-to-end encrypted secrets. A project of the second one
 * (`secret-v2-bridge`, servers from 2024-10 on) answers the encrypted list with status 200 and no secrets, and any other
 * encrypted request with 404. There the server decrypts.
 *
 * The engine is found out once: by an encrypted response that is not empty, or by a request of the server-decrypted
 * routes, which a project of the first engine refuses as end-to-end encrypted. While a folder is empty for both, nothing
 * is decided, and the next fetch asks both again.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import { isRouteMissing } from "../api/classify.js"
import type { AlreadyExistsError, WriteError } from "../model/InfisicalError.js"
import type { Content, Service } from "./SecretSource.js"

type Engine = "unknown" | "end-to-end encrypted" | "server-decrypted"

type Failure = WriteError | AlreadyExistsError

export const make = (encrypted: Service, decrypted: Service): Effect.Effect<Service> =>
  Effect.map(Ref.make<Engine>("unknown"), (engine) => {
    const decide = (found: Engine) => Ref.set(engine, found)

    const fetchUnknown: Service["fetch"] = (location, previous) =>
      Effect.gen(function*() {
        const result = yield* encrypted.fetch(location, previous)
        if (!isEmpty(result.content)) {
          yield* decide("end-to-end encrypted")
          return result
        }
        const other = yield* orUndecryptable(decrypted.fetch(location, Option.none()))
        if (Option.isNone(other)) yield* decide("end-to-end encrypted")
        if (Option.isNone(other) || isEmpty(other.value.content)) return result
        yield* decide("server-decrypted")
        return other.value
      })

    /** Runs a write with the source of the project. An encrypted write that is refused as missing has written nothing. */
    const either = <A, E extends Failure>(
      run: (source: Service) => Effect.Effect<A, E>
    ): Effect.Effect<A, E> =>
      Effect.flatMap(Ref.get(engine), (known) => {
        if (known !== "unknown") return run(known === "end-to-end encrypted" ? encrypted : decrypted)
        return Effect.catchIf(
          Effect.tap(run(encrypted), () => decide("end-to-end encrypted")),
          mayBeServerDecrypted,
          (refusal) =>
            Effect.flatMap(
              orUndecryptable(run(decrypted)),
              Option.match({
                onNone: () => Effect.zipRight(decide("end-to-end encrypted"), Effect.fail(refusal)),
                onSome: (answer) => Effect.as(decide("server-decrypted"), answer)
              })
            )
        )
      })

    /** Only the server-decrypted source has these. */
    const decided = <A, E>(run: (source: Service) => Effect.Effect<A, E>): Effect.Effect<A, E> =>
      Effect.flatMap(Ref.get(engine), (known) => run(known === "end-to-end encrypted" ? encrypted : decrypted))

    return {
      expandsReferences: false,
      readsByName: false,
      fetch: (location, previous) =>
        Effect.flatMap(Ref.get(engine), (known) =>
          known === "end-to-end encrypted"
            ? encrypted.fetch(location, previous)
            : known === "server-decrypted"
            ? decrypted.fetch(location, previous)
            : location.secretName === undefined
            ? fetchUnknown(location, previous)
            : either((source) => source.fetch(location, Option.none()))),
      create: (target, input) => either((source) => source.create(target, input)),
      update: (target, changes, known) => either((source) => source.update(target, changes, known)),
      upsert: (target, input, known) => either((source) => source.upsert(target, input, known)),
      delete: (target) => either((source) => source.delete(target)),
      createMany: (location, secrets) => either((source) => source.createMany(location, secrets)),
      updateMany: (location, secrets, known) => either((source) => source.updateMany(location, secrets, known)),
      deleteMany: (location, names) => either((source) => source.deleteMany(location, names)),
      getById: (id) => decided((source) => source.getById(id)),
      move: (move) =>
        Effect.gen(function*() {
          if ((yield* Ref.get(engine)) === "unknown") yield* fetchUnknown(move.location, Option.none())
          return yield* decided((source) => source.move(move))
        })
    }
  })

const isEmpty = ({ imported, own, undecryptableNames }: Content): boolean =>
  own.length === 0 && imported.length === 0 && undecryptableNames.length === 0

/** Whether the server says that it cannot decrypt the project, or is too old to decrypt any. */
const isUndecryptable = (error: Failure): boolean =>
  (error._tag === "InvalidRequestError" && error.parameter === "project") || isRouteMissing(error)

const orUndecryptable = <A, E extends Failure>(effect: Effect.Effect<A, E>): Effect.Effect<Option.Option<A>, E> =>
  Effect.catchIf(Effect.asSome(effect), isUndecryptable, () => Effect.succeedNone)

/** A project of the second engine refuses encrypted requests with "Blind index … not found". */
const mayBeServerDecrypted = (error: Failure): boolean =>
  error._tag === "NotFoundError" || (error._tag === "InvalidRequestError" && error.parameter === "project")
