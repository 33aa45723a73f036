import { HttpClient, HttpClientResponse } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Option, Redacted, Schema } from "effect"
import { Credential, InfisicalApi, InfisicalConfig, type InfisicalError, Location } from "effect-infisical"
import { meaningOf } from "./meaning.js"
import { load, type Recording } from "./Recordings.js"

const groups = [
  "service-token",
  "list",
  "get",
  "write",
  "names",
  "etag",
  "auth",
  "raw",
  "batch",
  "folders",
  "imports",
  "ratelimit",
  "maintenance"
]

/** What each recorded failure means. */
const meanings: Record<string, string> = {
  "service-token/empty-bearer": "AuthenticationError Refused",
  "service-token/expired-first-use": "AuthenticationError Expired",
  "service-token/expired-second-use": "AuthenticationError Refused",
  "service-token/identity-token": "AuthenticationError Refused",
  "service-token/no-auth": "AuthenticationError Refused",
  "service-token/no-bearer-prefix": "AuthenticationError Refused",
  "service-token/non-uuid-id": "AuthenticationError Refused",
  "service-token/st-only-prefix": "AuthenticationError Refused",
  "service-token/user-jwt": "AuthenticationError Refused",
  "service-token/v3-me-key": "InvalidRequestError siteUrl",
  "service-token/wrong-secret": "AuthenticationError Refused",

  "list/empty-environment": "PermissionError scope",
  "list/expired-token-first": "AuthenticationError Expired",
  "list/imports-1": "InvalidRequestError include_imports",
  "list/imports-True-capital": "InvalidRequestError include_imports",
  "list/missing-environment": "InvalidRequestError environment",
  "list/missing-workspaceId": "InvalidRequestError workspaceId",
  "list/no-auth": "AuthenticationError Refused",
  "list/non-uuid-project-id": "PermissionError project",
  "list/other-project-id": "PermissionError project",
  "list/path-dotdot": "PermissionError scope",
  "list/path-empty": "PermissionError scope",
  "list/path-glob": "InvalidRequestError secretPath",
  "list/path-no-leading-slash": "PermissionError scope",
  "list/token-foo-exact-on-foo-bar": "PermissionError scope",
  "list/token-without-path-foo-glob-on-root": "PermissionError scope",
  "list/unknown-environment": "PermissionError scope",
  "list/unknown-environment-recursive": "NotFoundError environment",
  "list/writeonly-token": "PermissionError scope",
  "list/wrong-secret": "AuthenticationError Refused",

  "get/imported-without-flag": "NotFoundError secret",
  "get/lowercase-name": "NotFoundError secret",
  "get/missing-environment": "InvalidRequestError environment",
  "get/name-batch": "NotFoundError secret",
  "get/not-found": "NotFoundError secret",
  "get/not-found-folder": "NotFoundError folder",
  "get/token-without-env": "PermissionError scope",
  "get/type-bogus": "InvalidRequestError type",
  "get/type-personal-by-identity": "NotFoundError secret",
  "get/type-personal-without-override-by-user": "NotFoundError secret",

  "write/delete-empty-body-json-ct": "InvalidRequestError request",
  "write/delete-no-body": "InvalidRequestError request",
  "write/delete-not-found": "NotFoundError secret",
  "write/delete-personal-by-st": "PermissionError personal secret",
  "write/delete-query-instead-of-body": "InvalidRequestError request",
  "write/delete-readonly": "PermissionError scope",
  "write/get-old-name-after-rename": "NotFoundError secret",
  "write/large-1MB-post": "InvalidRequestError value",
  "write/large-2MB-post": "InvalidRequestError value",
  "write/large-780KB-post": "InvalidRequestError value",
  "write/large-790KB-post": "InvalidRequestError value",
  "write/patch-missing-value": "InvalidRequestError secretValueCiphertext",
  "write/patch-not-found": "NotFoundError secret",
  "write/patch-personal-by-st": "PermissionError personal secret",
  "write/patch-readonly": "PermissionError scope",
  "write/patch-rename-empty": "InvalidRequestError request",
  "write/patch-rename-to-existing": "AlreadyExistsError",
  "write/post-duplicate": "AlreadyExistsError",
  "write/post-env-not-in-scope": "PermissionError scope",
  "write/post-invalid-json": "InvalidRequestError request",
  "write/post-missing-fields": "InvalidRequestError secretKeyCiphertext",
  "write/post-no-auth": "AuthenticationError Refused",
  "write/post-no-body": "InvalidRequestError request",
  "write/post-other-project": "PermissionError project",
  "write/post-personal-by-st": "PermissionError personal secret",
  "write/post-personal-duplicate-by-user": "AlreadyExistsError",
  "write/post-personal-without-shared-by-user": "NotFoundError secret",
  "write/post-readonly": "PermissionError scope",
  "write/post-text-plain": "InvalidRequestError request",
  "write/post-type-bogus": "InvalidRequestError type",
  "write/post-unknown-env": "PermissionError scope",
  "write/post-unknown-env-identity": "NotFoundError folder",
  "write/post-unknown-folder": "NotFoundError folder",

  "names/len101-delete": "InvalidRequestError siteUrl",
  "names/len101-get": "InvalidRequestError siteUrl",
  "names/len101-patch": "InvalidRequestError siteUrl",
  "names/len101-post": "InvalidRequestError siteUrl",
  "names/space-around-delete": "NotFoundError secret",
  "names/space-around-patch": "NotFoundError secret",

  "etag/list-bad-token-with-etag": "AuthenticationError Refused",

  "auth/login-bad-secret": "AuthenticationError Refused",
  "auth/login-missing-fields": "InvalidRequestError clientId",
  "auth/login-no-body": "InvalidRequestError request",
  "auth/login-non-uuid-client": "AuthenticationError Refused",
  "auth/login-unknown-client": "AuthenticationError Refused",
  "auth/renew-after-revoke": "AuthenticationError Refused",
  "auth/renew-garbage": "AuthenticationError Refused",
  "auth/renew-missing": "InvalidRequestError accessToken",
  "auth/renew-user-jwt": "AuthenticationError Refused",
  "auth/renew-when-ttl-equals-max": "AuthenticationError Expired",
  "auth/short-ttl-use-after-expiry-2": "AuthenticationError Refused",
  "auth/short-ttl-use-after-expiry": "AuthenticationError Expired",
  "auth/two-uses-use-3": "AuthenticationError Expired",
  "auth/two-uses-use-4": "AuthenticationError Refused",
  "auth/use-after-refused-renew": "AuthenticationError Refused",
  "auth/use-after-revoke": "AuthenticationError Refused",

  "raw/batch-post-duplicate": "AlreadyExistsError",
  "raw/batch-with-workspaceId-only": "InvalidRequestError projectSlug",
  "raw/cross-garbage-delete": "NotFoundError secret",
  "raw/cross-garbage-e2ee-post-on-v2": "InvalidRequestError value",
  "raw/delete-not-found": "NotFoundError secret",
  "raw/get-missing-env": "InvalidRequestError request",
  "raw/get-missing-workspace": "InvalidRequestError request",
  "raw/get-not-found-path": "NotFoundError folder",
  "raw/list-garbage-jwt": "AuthenticationError Refused",
  "raw/list-jwt-bad-signature": "AuthenticationError Refused",
  "raw/list-missing-env": "InvalidRequestError request",
  "raw/list-no-membership": "PermissionError project",
  "raw/list-on-v1-project": "InvalidRequestError project",
  "raw/list-unknown-project": "NotFoundError project",
  "raw/list-workspaceSlug-unknown": "NotFoundError project",
  "raw/patch-no-value": "InvalidRequestError secretValue",
  "raw/patch-not-found": "NotFoundError secret",
  "raw/post-1MB": "InvalidRequestError value",
  "raw/post-duplicate": "AlreadyExistsError",
  "raw/post-missing-value": "InvalidRequestError secretValue",
  "raw/post-personal": "PermissionError personal secret",
  "raw/post-unknown-folder": "NotFoundError folder",
  "raw/post-v1-project": "InvalidRequestError project",
  "raw/post-viewer": "PermissionError scope",
  "raw/raw-slash-batch-is-a-name": "InvalidRequestError secretValue",

  "batch/delete-B9": "NetworkError ServerFailure",
  "batch/delete-one-missing": "NotFoundError secret",
  "batch/patch-missing-key-fields": "InvalidRequestError secrets.0.secretKeyCiphertext",
  "batch/patch-one-missing": "NotFoundError secret",
  "batch/post-empty": "InvalidRequestError secrets",
  "batch/post-one-duplicate": "AlreadyExistsError",
  "batch/readonly-post": "PermissionError scope",

  "folders/create-bad-name-space": "InvalidRequestError secretPath",
  "folders/create-readonly": "PermissionError scope",
  "folders/list-missing-env": "InvalidRequestError environment",
  "folders/list-unknown-env": "NotFoundError environment",

  "imports/create-cyclic": "InvalidRequestError source",
  "imports/create-readonly": "PermissionError scope",
  "imports/create-unknown-env": "PermissionError scope",
  "imports/create-unknown-folder": "NotFoundError folder",
  "imports/list-missing-env": "InvalidRequestError environment",
  "imports/list-unknown-path": "NotFoundError folder",

  "ratelimit/bad-token-while-limited": "AuthenticationError Refused",
  "ratelimit/list-limited": "NetworkError RateLimited",
  "ratelimit/login-limited": "NetworkError RateLimited",

  "maintenance/post": "NetworkError ServerFailure"
}

const ok = "Success"

describe("InfisicalApi, given what a real server answered,", () => {
  it.effect("decodes every recorded success and gives every recorded failure the error that its case means", () =>
    Effect.gen(function*() {
      const { own, recordings } = yield* load(groups)
      const wrong: Array<string> = []
      let seen = 0
      for (const recording of recordings) {
        const call = callOf(recording)
        if (call === undefined) continue
        seen++
        const outcome = yield* call.pipe(Effect.provide(answering(recording)), Effect.exit, Effect.map(describeExit))
        const { status } = recording.response
        const expected = status < 400 ? ok : own ? meanings[recording.name] ?? "a meaning in this test" : undefined
        const right = expected === undefined
          ? outcome !== ok && !outcome.startsWith("UnexpectedResponseError") && !outcome.startsWith("Defect")
          : outcome === expected
        if (!right) wrong.push(`${recording.name}: ${outcome}, expected ${expected ?? "a known error"}`)
      }
      assert.deepStrictEqual(wrong, [])
      assert.isAbove(seen, own ? 310 : 0)
    }).pipe(Effect.provide(NodeContext.layer)))

  it.effect("takes the same fields of a secret from every route", () =>
    Effect.gen(function*() {
      const { recordings } = yield* load(["get"])
      const recording = recordings.find(({ name }) => name === "get/found-shared")
      if (recording === undefined) return
      const api = yield* Effect.provide(InfisicalApi.InfisicalApi, answering(recording))
      const answered = yield* api.encryptedSecrets.get(target("ROOT_ONLY"), Option.none())
      assert.strictEqual(answered._tag, "Modified")
      if (answered._tag !== "Modified") return
      const secret = answered.answer
      assert.strictEqual(secret.id, "727cd22f-5e1a-415c-a768-172e10438ff7")
      assert.strictEqual(secret.environment, "dev")
      assert.isUndefined(secret.secretPath)
    }).pipe(Effect.provide(NodeContext.layer)))
})

type CallError = InfisicalApi.WriteCallError | InfisicalError.AlreadyExistsError

const accessToken = Redacted.make("st.id.secret")

const location = Effect.runSync(Location.make({ environment: "dev", secretPath: "/" }))

const target = (name: string): InfisicalApi.Target => ({
  accessToken,
  projectId: "project",
  location,
  name,
  type: "shared"
})

const encrypted = {
  secretKeyCiphertext: "",
  secretKeyIV: "",
  secretKeyTag: "",
  secretValueCiphertext: "",
  secretValueIV: "",
  secretValueTag: ""
}

const place: InfisicalApi.Place = { accessToken, projectId: "project", location }

const written = { secretValue: "value" }

type Request = NonNullable<Recording["request"]>

/** Some have no request, which their name tells. */
const requests: Record<string, Request> = {
  "maintenance/get": { method: "GET", path: "/api/v3/secrets", headers: {} },
  "maintenance/post": { method: "POST", path: "/api/v3/secrets/NAME", headers: {} },
  "maintenance/login": { method: "POST", path: "/api/v1/auth/universal-auth/login", headers: {} }
}

const namesIn = (body: unknown): ReadonlyArray<string> =>
  Option.getOrElse(
    Option.map(decodeBatch(body), ({ secrets }) =>
      secrets.map(({ secretKey, secretName }) => secretKey ?? secretName ?? "")),
    () => []
  )

const folderNameIn = (body: unknown): string =>
  Option.match(Schema.decodeUnknownOption(Schema.Struct({ name: Schema.String }))(body), {
    onNone: () => "name",
    onSome: ({ name }) => name
  })

const decodeBatch = Schema.decodeUnknownOption(Schema.Struct({
  secrets: Schema.Array(Schema.Struct({
    secretKey: Schema.optional(Schema.String),
    secretName: Schema.optional(Schema.String)
  }))
}))

/** The call of ours that makes this recorded request; none for routes that we do not speak. */
const callOf = (
  recording: Recording
): Effect.Effect<unknown, CallError, InfisicalApi.InfisicalApi> | undefined => {
  const request = recording.request ?? requests[recording.name]
  if (request === undefined) return undefined
  const url = new URL(request.path, "http://recorded")
  const call = callOn(url, request)
  return call === undefined ? undefined : Effect.flatMap(InfisicalApi.InfisicalApi, call)
}

const callOn = (
  url: URL,
  { body, headers, method }: Request
): ((api: InfisicalApi.Service) => Effect.Effect<unknown, CallError>) | undefined => {
  const [, , version, surface, third, fourth] = url.pathname.split("/")
  const secretPath = url.searchParams.get("secretPath") ?? "/"
  const there = { ...place, location: { ...location, secretPath } }
  const etag = Option.fromNullable(headers["if-none-match"])
  const byMethod = <A>(calls: Record<string, A>): A | undefined => calls[method]
  switch (`${version}/${surface}`) {
    case "v2/service-token":
      return ({ serviceToken }) => serviceToken.get(accessToken)
    case "v3/service-token":
      return ({ serviceToken }) => serviceToken.getKey(accessToken)
    case "v1/auth":
      return ({ authentication }) =>
        fourth === "renew"
          ? authentication.renew(accessToken)
          : fourth === "revoke"
          ? authentication.revoke(accessToken)
          : authentication.login({ method: "universal-auth", clientId: "id", clientSecret: accessToken })
    case "v1/folders":
      return ({ folders }) =>
        byMethod<Effect.Effect<unknown, CallError>>({
          GET: folders.list(there),
          POST: folders.create(there, folderNameIn(body)),
          PATCH: folders.rename(there, "id", folderNameIn(body)),
          DELETE: folders.delete(there, "id")
        }) ?? Effect.dieMessage("unknown")
    case "v1/secret-imports":
      return third === "secrets" ? undefined : ({ secretImports }) =>
        byMethod<Effect.Effect<unknown, CallError>>({
          GET: secretImports.list(there),
          POST: secretImports.create(there, { environment: "dev", path: "/" }),
          DELETE: secretImports.delete(there, "id")
        }) ?? Effect.dieMessage("unknown")
    case "v3/secrets":
      break
    default:
      return undefined
  }
  const names = namesIn(body)
  if (third === undefined || third === "") return ({ encryptedSecrets }) => encryptedSecrets.list(there, etag)
  if (third === "batch" && method !== "GET") {
    return ({ encryptedSecrets, rawSecrets }) =>
      (fourth === "raw"
        ? byMethod<Effect.Effect<unknown, CallError>>({
          POST: rawSecrets.createMany(there, names.map((secretKey) => ({ secretKey, written }))),
          PATCH: rawSecrets.updateMany(there, names.map((secretKey) => ({ secretKey, written }))),
          DELETE: rawSecrets.deleteMany(there, names)
        })
        : byMethod<Effect.Effect<unknown, CallError>>({
          POST: encryptedSecrets.createMany(there, names.map((secretName) => ({ secretName, ...encrypted }))),
          PATCH: encryptedSecrets.updateMany(there, names.map((secretName) => ({ secretName, ...encrypted }))),
          DELETE: encryptedSecrets.deleteMany(there, names)
        })) ?? Effect.dieMessage("unknown")
  }
  if (third === "raw") {
    if (fourth === undefined) return ({ rawSecrets }) => rawSecrets.list(there, etag)
    const one = target(decodeURIComponent(fourth))
    return ({ rawSecrets }) =>
      byMethod<Effect.Effect<unknown, CallError>>({
        GET: rawSecrets.get(one, etag),
        POST: rawSecrets.create(one, written),
        PATCH: rawSecrets.update(one, written),
        DELETE: rawSecrets.delete(one)
      }) ?? Effect.dieMessage("unknown")
  }
  const one = target(decodeURIComponent(third))
  return ({ encryptedSecrets }) =>
    byMethod<Effect.Effect<unknown, CallError>>({
      GET: encryptedSecrets.get(one, etag),
      POST: encryptedSecrets.create(one, encrypted),
      PATCH: encryptedSecrets.update(one, encrypted),
      DELETE: encryptedSecrets.delete(one)
    }) ?? Effect.dieMessage("unknown")
}

const describeExit = (exit: Exit.Exit<unknown, CallError | InfisicalError.InvalidCredentialError>): string => {
  if (Exit.isSuccess(exit)) return ok
  if (exit.cause._tag !== "Fail") return `Defect ${exit.cause._tag}`
  return meaningOf(exit.cause.error)
}

const answering = ({ response }: Recording) =>
  InfisicalApi.layer().pipe(
    Layer.provide(InfisicalConfig.layer({
      credential: Credential.serviceToken(Redacted.make(`st.id.secret.${"0".repeat(32)}`)),
      retry: { times: 0 }
    })),
    Layer.provide(Layer.succeed(
      HttpClient.HttpClient,
      HttpClient.make((request) =>
        Effect.succeed(HttpClientResponse.fromWeb(
          request,
          new Response(response.status === 304 ? null : JSON.stringify(response.body), {
            status: response.status,
            headers: response.headers
          })
        ))
      )
    ))
  )
