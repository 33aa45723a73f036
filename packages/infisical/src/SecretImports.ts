/**
 * Imports of a project: list, create, change, move and delete them. An import gives a folder the secrets of another
 * folder.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Deadline from "./api/deadline.js"
import * as InfisicalApi from "./api/InfisicalApi.js"
import * as SecretCache from "./cache/SecretCache.js"
import * as InfisicalConfig from "./config/InfisicalConfig.js"
import {
  InvalidRequestError,
  NotFoundError,
  type ReadError,
  UnexpectedResponseError,
  type WriteError
} from "./model/InfisicalError.js"
import * as Location from "./model/Location.js"
import type { PlaceOptions } from "./model/Location.js"
import * as AtPlace from "./session/atPlace.js"
import type * as Session from "./session/Session.js"

/**
 * An import. A folder that imports another folder also has its secrets.
 *
 * @since 0.1.0
 * @category models
 */
export interface SecretImport {
  readonly id: string
  /** The environment of the imported folder. */
  readonly environment: string
  /** The path of the imported folder. */
  readonly secretPath: string
  /** Counted from 1. If two imports have a secret of one name, the last one wins. */
  readonly position: number
}

/**
 * The folder to import.
 *
 * @since 0.1.0
 * @category models
 */
export interface ImportSource {
  readonly environment: string
  readonly secretPath: string
}

/**
 * The service behind `SecretImports`. The options name the importing folder. Each call ends within `retry.deadline`.
 *
 * The calls use `/api/v2/secret-imports`, and `/api/v1/secret-imports` on servers without it. The first request of the
 * layer finds out which.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /**
   * Lists the imports of a folder, in order.
   *
   * Raises `NotFoundError` if the folder or environment does not exist, `AuthenticationError`, `PermissionError`,
   * `NetworkError` and `UnexpectedResponseError`.
   */
  readonly list: (options?: PlaceOptions) => Effect.Effect<ReadonlyArray<SecretImport>, ReadError>
  /**
   * Imports a folder, after all existing imports. The folder may be missing, and may be imported already.
   *
   * Raises `InvalidRequestError` if the folder imports this one or is this one, `NotFoundError` if the environment of
   * the source does not exist, and the errors of `list`.
   */
  readonly create: (source: ImportSource, options?: PlaceOptions) => Effect.Effect<SecretImport, WriteError>
  /**
   * Makes an import one of another folder. Its id and position stay.
   *
   * Raises `NotFoundError` if the import does not exist, `InvalidRequestError` if `id` is not a UUID, and the errors of
   * `create`.
   */
  readonly update: (
    id: string,
    source: ImportSource,
    options?: PlaceOptions
  ) => Effect.Effect<SecretImport, WriteError>
  /**
   * Moves an import to a position. The imports between the two positions move by one.
   *
   * Raises `NotFoundError` if the import does not exist, `InvalidRequestError` if `id` is not a UUID or if there is no
   * such position, and the errors of `list`.
   */
  readonly move: (id: string, position: number, options?: PlaceOptions) => Effect.Effect<SecretImport, WriteError>
  /**
   * Deletes an import by its id. The secrets stay in the imported folder.
   *
   * Raises `NotFoundError` if the import does not exist, `InvalidRequestError` if `id` is not a UUID, and the errors of
   * `list`.
   */
  readonly delete: (id: string, options?: PlaceOptions) => Effect.Effect<void, WriteError>
}

/**
 * Imports of a project.
 *
 * @since 0.1.0
 * @category tags
 */
export class SecretImports extends Context.Tag("effect-infisical/SecretImports")<SecretImports, Service>() {}

/**
 * Makes the service from those that it needs. `layer` is the usual way to have it.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<
  Service,
  never,
  | InfisicalApi.InfisicalApi
  | InfisicalConfig.InfisicalConfig
  | Scope.Scope
  | SecretCache.SecretCache
  | Session.Session
> = Effect.gen(function*() {
  const api = yield* InfisicalApi.InfisicalApi
  const cache = yield* SecretCache.SecretCache
  const { retry } = yield* InfisicalConfig.InfisicalConfig
  const at = yield* AtPlace.make<ReadonlyArray<WireImport>, InfisicalApi.SecretImports>({
    endpoint: "GET /api/v2/secret-imports",
    newest: api.secretImportsV2,
    older: api.secretImports
  })
  const within = (endpoint: string, isWrite: boolean) =>
    Deadline.within({ duration: retry.deadline, endpoint, isWrite })
  const changing = Effect.ensuring(cache.invalidateAll)

  return {
    list: (options = {}) =>
      at(options, ({ list }) => Effect.map(list, inOrder)).pipe(within("SecretImports.list", false)),

    create: (source, options = {}) =>
      Effect.flatMap(sourceOf(source), (source) =>
        at(options, ({ place, routes }) =>
          Effect.zipRight(
            checkNotItself(source, place),
            routes.create(place, source).pipe(
              Effect.catchTag("AlreadyExistsError", unexpectedConflict),
              Effect.flatMap(checked("create", source)),
              changing
            )
          ))).pipe(within("SecretImports.create", true)),

    update: (id, source, options = {}) =>
      Effect.flatMap(
        Effect.zipRight(checkId(id), sourceOf(source)),
        (source) =>
          at(options, ({ place, routes }) =>
            Effect.zipRight(
              checkNotItself(source, place),
              routes.update(place, id, source).pipe(Effect.flatMap(checked("update", { id, ...source })), changing)
            ))
      ).pipe(within("SecretImports.update", true)),

    move: (id, position, options = {}) =>
      Effect.zipRight(
        checkId(id),
        at(options, ({ list, place, routes }) =>
          Effect.flatMap(list, (imports) =>
            Effect.zipRight(
              checkMove(inOrder(imports), id, position, place.location),
              routes.update(place, id, { position }).pipe(Effect.flatMap(checked("update", { id, position })), changing)
            )))
      ).pipe(within("SecretImports.move", true)),

    delete: (id, options = {}) =>
      Effect.zipRight(
        checkId(id),
        at(options, ({ place, routes }) => changing(routes.delete(place, id)))
      ).pipe(within("SecretImports.delete", true))
  }
})

/**
 * The service as a layer. Each call makes a new one.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (): Layer.Layer<
  SecretImports,
  never,
  InfisicalApi.InfisicalApi | InfisicalConfig.InfisicalConfig | SecretCache.SecretCache | Session.Session
> => Layer.scoped(SecretImports, make)

const invalid = (parameter: string, problem: string) => Effect.fail(new InvalidRequestError({ parameter, problem }))

// The server answers another id with status 500.
const checkId = (id: string): Effect.Effect<void, InvalidRequestError> =>
  /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(id)
    ? Effect.void
    : invalid("id", "it must be the id of an import, a UUID. List the imports of the folder for their ids.")

const sourceOf = (source: ImportSource): Effect.Effect<InfisicalApi.ImportSource, InvalidRequestError> =>
  Effect.map(Location.make(source), ({ environment, secretPath }) => ({
    environment: environment.trim(),
    path: secretPath
  }))

// Some servers accept it, and then refuse to move it.
const checkNotItself = ({ environment, path }: InfisicalApi.ImportSource, { location }: InfisicalApi.Place) =>
  environment === location.environment && path === location.secretPath
    ? invalid("source", "a folder cannot import itself")
    : Effect.void

// A server takes any number, and no longer orders the imports by it.
const checkMove = (
  imports: ReadonlyArray<SecretImport>,
  id: string,
  position: number,
  { environment, secretPath }: Location.Location
): Effect.Effect<void, InvalidRequestError | NotFoundError> => {
  const last = imports.at(-1)?.position ?? 0
  return imports.every((one) => one.id !== id)
    ? Effect.fail(new NotFoundError({ resource: "import", environment, secretPath }))
    : Number.isInteger(position) && position >= 1 && position <= last
    ? Effect.void
    : invalid("position", `it must be a whole number from 1 to ${last}, the position of the last import`)
}

type WireImport = Effect.Effect.Success<ReturnType<InfisicalApi.SecretImports["list"]>>[number]

/** The import of a write's response, which must be the requested one. */
const checked = (
  write: "create" | "update",
  requested: InfisicalApi.ImportChange & { readonly id?: string }
) =>
(written: WireImport): Effect.Effect<SecretImport, UnexpectedResponseError> => {
  const { environment, id, path, position } = requested
  const { importEnv, importPath } = written
  return (id === undefined || written.id === id) && (environment === undefined || importEnv.slug === environment) &&
      (path === undefined || importPath === path) && (position === undefined || written.position === position)
    ? Effect.succeed(fromWire(written))
    : new UnexpectedResponseError({
      endpoint: `SecretImports.${write}`,
      status: 200,
      problem: "it has another import than requested"
    })
}

const unexpectedConflict = () =>
  new UnexpectedResponseError({
    endpoint: "SecretImports.create",
    status: 400,
    problem: "it reports a name conflict, but an import has no name"
  })

const inOrder = (imports: ReadonlyArray<WireImport>): ReadonlyArray<SecretImport> =>
  imports.map(fromWire).toSorted((one, other) => one.position - other.position)

const fromWire = ({ id, importEnv, importPath, position }: WireImport): SecretImport => ({
  id,
  environment: importEnv.slug,
  secretPath: importPath,
  position
})
