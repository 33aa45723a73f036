/**
 * The source whose server decrypts and encrypts, for machine identities, access tokens, and service tokens without their
 * key part: `/api/v4/secrets`, or `/api/v3/secrets/raw` on servers without v4.
 *
 * Unlike with `EncryptedSource`, the server trims values except for one final newline, may hide values, and replaces
 * references, except that a GET by name on 2024-07 leaves those to the same folder.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type * as InfisicalApi from "../api/InfisicalApi.js"
import type { DecryptedSecret, DecryptedSecretList } from "../api/Wire.js"
import type * as InfisicalConfig from "../config/InfisicalConfig.js"
import { NetworkError, PermissionError, type ReadError, UnexpectedResponseError } from "../model/InfisicalError.js"
import type * as Location from "../model/Location.js"
import * as Session from "../session/Session.js"
import { defined } from "../support/defined.js"
import * as Details from "./details.js"
import * as Fit from "./fit.js"
import * as Merge from "./merge.js"
import * as Routes from "./routes.js"
import * as SecretSource from "./SecretSource.js"

/**
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<
  SecretSource.Service,
  never,
  InfisicalApi.InfisicalApi | InfisicalConfig.InfisicalConfig | Scope.Scope | Session.Session
> = Effect.gen(function*() {
  const session = yield* Session.Session
  const { find } = yield* Routes.make

  const routesFor = (location: Location.Location) => Effect.map(find(cheapest(location)), ({ routes }) => routes)

  /** Runs one request. The session may repeat it with another access token, so it must not be more than one. */
  const send = <A, E>(
    location: Location.Location,
    request: (place: InfisicalApi.Place) => Effect.Effect<A, E>
  ): Effect.Effect<A, E | Session.LoginError> =>
    session.use(({ accessToken, projectId }) => request({ accessToken, projectId, location }))

  const use = <A, E>(
    location: Location.Location,
    request: (routes: Routes.Routes, place: InfisicalApi.Place) => Effect.Effect<A, E>
  ): Effect.Effect<A, E | ReadError> =>
    Effect.flatMap(routesFor(location), (routes) => send(location, (place) => request(routes, place)))

  const list = (location: Location.Location, previous: Merge.Previous) =>
    Effect.flatMap(find(location), ({ list, routes }) => {
      const result = (projectId: string, response: InfisicalApi.ConditionalResponse<DecryptedSecretList>) =>
        Merge.fetchResult(previous, response, (list) => read(routes, { projectId, location }, list, previous))
      return Option.match(list, {
        onSome: ({ projectId, response }) => Effect.flatMap(response, (response) => result(projectId, response)),
        onNone: () =>
          send(
            location,
            (place) =>
              Effect.flatMap(routes.list(place, etagOf(previous)), (response) => result(place.projectId, response))
          )
      })
    })

  const getByName = (location: Location.Location, name: string, previous: Merge.Previous) =>
    use(
      location,
      (routes, place) =>
        Effect.flatMap(get(routes, { ...place, name, type: "shared" }, etagOf(previous)), (response) =>
          Merge.fetchResult(previous, response, (secret) =>
            Effect.succeed(contentOf(location, { secrets: [secret], imports: [] }, previous))))
    )

  /** A secret as it is written, without imports and with its references. */
  const current = (target: SecretSource.Target, routes: Routes.Routes) => {
    const location = { ...target.location, expandReferences: false, includeImports: false }
    return send(
      location,
      (place) =>
        Effect.flatMap(
          get(routes, { ...place, name: target.name, type: target.type }, Option.none()),
          (response): Effect.Effect<SecretSource.WrittenRow, ReadError> =>
            response._tag === "NotModified" ? Merge.unexpectedNotModified : valueOf(routes, target, response.answer)
        )
    )
  }

  const source: SecretSource.Service = {
    expandsReferences: true,
    readsByName: true,

    fetch: (location, previous) =>
      location.secretName === undefined
        ? list(location, previous)
        : getByName(location, location.secretName, previous),

    create: (target, input) =>
      use(target.location, (routes, place) =>
        Effect.flatMap(
          routes.create({ ...place, ...target }, { secretValue: Redacted.value(input.value), ...annotations(input) }),
          (secret) => written(routes, "POST", { ...place, ...target }, [target.name], secret, input.value)
        )),

    update: (target, changes) =>
      Effect.gen(function*() {
        const routes = yield* routesFor(target.location)
        const { newName, value } = changes
        const sent = value ?? (routes.keepsValues ? undefined : (yield* current(target, routes)).payload.value)
        const row = yield* send(target.location, (place) =>
          Effect.flatMap(
            routes.update({ ...place, ...target }, {
              ...defined({
                secretValue: sent === undefined ? undefined : Redacted.value(sent),
                newSecretName: newName
              }),
              ...annotations(changes)
            }),
            (secret) =>
              written(routes, "PATCH", { ...place, ...target }, [newName ?? target.name, target.name], secret, sent)
          ))
        // The response has the fields of the request only (`wire/current.md` 1).
        return value === undefined
          ? yield* Effect.mapError(current({ ...target, name: row.name }, routes), afterUpdate(routes))
          : row
      }),

    upsert: (target, input) =>
      Effect.flatMap(
        routesFor(target.location),
        ({ upsert, ...routes }) =>
          upsert === undefined || target.type === "personal"
            ? SecretSource.upsertWithRetry(source, target, input)
            : send(target.location, (place) =>
              Effect.flatMap(
                upsert({ ...place, ...target }, { secretValue: Redacted.value(input.value), ...annotations(input) }),
                (secret) => written(routes, "PATCH", { ...place, ...target }, [target.name], secret, input.value)
              ))
      ),

    delete: (target) => use(target.location, (routes, place) => routes.delete({ ...place, ...target })),

    createMany: (location, secrets) =>
      SecretSource.withConflictingName(
        use(location, (routes, place) =>
          Effect.flatMap(
            routes.createMany(place, secrets.map(batchItem)),
            (answer) => writtenMany(routes, "POST", place, secrets, answer)
          )),
        source,
        location,
        secrets.map(([name]) => name)
      ),

    updateMany: (location, secrets) =>
      use(location, (routes, place) =>
        Effect.flatMap(
          routes.updateMany(place, secrets.map(batchItem)),
          (answer) => writtenMany(routes, "PATCH", place, secrets, answer)
        )),

    deleteMany: (location, names) => use(location, (routes, place) => routes.deleteMany(place, names))
  }
  return source
})

/**
 * @since 0.1.0
 * @category layers
 */
export const layer = (): Layer.Layer<
  SecretSource.SecretSource,
  never,
  InfisicalApi.InfisicalApi | InfisicalConfig.InfisicalConfig | Session.Session
> => Layer.scoped(SecretSource.SecretSource, make)

/** The location for a list that only finds out the routes. */
const cheapest = (location: Location.Location): Location.Location => ({
  ...location,
  includeImports: false,
  expandReferences: false
})

const etagOf = (previous: Merge.Previous) => Option.flatMap(previous, ({ etag }) => etag)

/** Reads a secret by its name, and compares the response with the request. */
const get = (routes: Routes.Routes, target: InfisicalApi.Target, etag: Option.Option<string>) =>
  Effect.tap(routes.get(target, etag), (response) =>
    response._tag === "NotModified" ? Effect.void : Fit.check(
      `GET ${routes.path}/:secretName`,
      Fit.read({ ...target, names: [target.name] }, response.answer, response.answer.secretKey)
    ))

/** The row of a secret whose value is needed. */
const valueOf = (
  { path }: Routes.Routes,
  { location }: SecretSource.Target,
  secret: DecryptedSecret
): Effect.Effect<SecretSource.WrittenRow, PermissionError> => {
  const row = rowOf(secret, location.environment, location.secretPath)
  const { payload } = row
  return payload._tag === "Decrypted" ? Effect.succeed({ ...row, payload }) : Effect.fail(
    new PermissionError({
      endpoint: `GET ${path}/:secretName`,
      problem: "hidden value",
      action: "read",
      environment: location.environment,
      secretPath: location.secretPath
    })
  )
}

/** Errors of reading a secret back say that it has been updated. */
const afterUpdate = ({ path }: Routes.Routes) => (error: ReadError): ReadError =>
  error._tag === "NetworkError"
    ? new NetworkError({ ...error, endpoint: `PATCH ${path}/:secretName`, mayHaveBeenApplied: true })
    : new UnexpectedResponseError({
      endpoint: `PATCH ${path}/:secretName`,
      status: 200,
      problem: `the secret was updated, but cannot be read back (${error._tag})`
    })

const read = (
  { path }: Routes.Routes,
  request: Omit<InfisicalApi.Place, "accessToken">,
  list: DecryptedSecretList,
  previous: Merge.Previous
): Effect.Effect<SecretSource.Content, UnexpectedResponseError> =>
  Effect.suspend(() => {
    for (const secret of list.secrets) {
      const mismatch = Fit.own(request, secret)
      if (mismatch !== undefined) return Effect.fail(Fit.unexpected(`GET ${path}`, mismatch))
    }
    for (const { secrets } of list.imports) {
      for (const secret of secrets) {
        const mismatch = Fit.imported(request, secret)
        if (mismatch !== undefined) return Effect.fail(Fit.unexpected(`GET ${path}`, mismatch))
      }
    }
    return Effect.succeed(contentOf(request.location, list, previous))
  })

const contentOf = (
  location: Location.Location,
  { imports, secrets }: DecryptedSecretList,
  previous: Merge.Previous
): SecretSource.Content => {
  const known = Merge.knownRows(previous)
  const own: Array<SecretSource.Row> = []
  const imported: Array<SecretSource.Row> = []
  Merge.inOrder(location, secrets, imports, (secret, secretPath, isImported) => {
    const same = known.get(secret.id)
    const row = isSame(same, secret, secretPath) ? same : rowOf(secret, location.environment, secretPath)
    ;(isImported ? imported : own).push(row)
  })
  return { own, imported, undecryptableNames: [], cipher: nothingToDecrypt }
}

const nothingToDecrypt: SecretSource.Content["cipher"] = { decryptAll: () => Effect.succeed([]) }

// An unchanged row stays the same object, and so does its secret.
const isSame = (
  row: SecretSource.Row | undefined,
  secret: DecryptedSecret,
  secretPath: string
): row is SecretSource.Row =>
  row !== undefined && row.version === secret.version && row.type === secret.type && row.name === secret.secretKey &&
  row.secretPath === secretPath && Details.areSame(row.details, secret) &&
  (row.payload._tag === "Decrypted"
    ? secret.secretValueHidden !== true && Redacted.value(row.payload.value) === (secret.secretValue ?? "") &&
      row.payload.comment === (secret.secretComment ?? "")
    : row.payload._tag === "Hidden" && secret.secretValueHidden === true)

const rowOf = (secret: DecryptedSecret, environment: string, secretPath: string): SecretSource.Row => ({
  id: secret.id,
  name: secret.secretKey,
  type: secret.type,
  version: secret.version,
  environment: secret.environment || environment,
  secretPath,
  details: Details.make(secret),
  payload: secret.secretValueHidden === true
    ? { _tag: "Hidden" }
    : { _tag: "Decrypted", value: Redacted.make(secret.secretValue ?? ""), comment: secret.secretComment ?? "" }
})

/** The row of a written secret, after comparing the response with the request. */
const written = (
  { path }: Pick<Routes.Routes, "path">,
  method: string,
  target: InfisicalApi.Target,
  names: ReadonlyArray<string>,
  secret: DecryptedSecret,
  sent: Redacted.Redacted<string> | undefined
): Effect.Effect<SecretSource.WrittenRow, UnexpectedResponseError> =>
  Effect.as(
    Fit.check(`${method} ${path}/:secretName`, Fit.named({ ...target, names }, secret, secret.secretKey)),
    writtenRow(target.location, secret, names[0] ?? target.name, sent)
  )

const writtenMany = (
  { path }: Pick<Routes.Routes, "path">,
  method: string,
  place: InfisicalApi.Place,
  secrets: SecretSource.Batch,
  answer: ReadonlyArray<DecryptedSecret>
): Effect.Effect<ReadonlyArray<SecretSource.WrittenRow>, UnexpectedResponseError> => {
  const endpoint = `${method} ${path} (batch)`
  const sent = new Map(secrets)
  const names = [...sent.keys()]
  return Effect.forEach(answer, (secret) =>
    Effect.as(
      Fit.check(endpoint, Fit.named({ ...place, names, type: "shared" }, secret, secret.secretKey)),
      writtenRow(place.location, secret, "", sent.get(secret.secretKey)?.value)
    )).pipe(Effect.flatMap((rows) => Fit.batch(endpoint, names, rows)))
}

/**
 * The response has the value as the server has stored it, trimmed for example. The value that was sent is kept if the
 * response hides it, or does not have it.
 */
const writtenRow = (
  location: Location.Location,
  secret: DecryptedSecret,
  name: string,
  sent: Redacted.Redacted<string> | undefined
): SecretSource.WrittenRow => {
  const answered = secret.secretValueHidden === true ? "" : secret.secretValue ?? ""
  const isKnown = answered !== "" || sent === undefined || Redacted.value(sent).trim() === ""
  return {
    ...rowOf(secret, location.environment, location.secretPath),
    name: secret.secretKey || name,
    payload: {
      _tag: "Decrypted",
      value: isKnown ? Redacted.make(answered) : sent,
      comment: secret.secretComment ?? ""
    }
  }
}

const batchItem = ([secretKey, input]: SecretSource.Batch[number]) => ({
  secretKey,
  written: { secretValue: Redacted.value(input.value), ...annotations(input) }
})

const annotations = ({ comment, metadata, reminder, tagIds }: SecretSource.Annotations) => ({
  ...defined({
    secretComment: comment,
    tagIds,
    secretMetadata: metadata === undefined
      ? undefined
      : Object.entries(metadata).map(([key, value]) => ({ key, value }))
  }),
  ...Details.reminderFields(reminder)
})
