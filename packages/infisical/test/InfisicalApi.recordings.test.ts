import { HttpClient, HttpClientResponse } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Option, Redacted } from "effect"
import { Credential, InfisicalApi, InfisicalConfig, type InfisicalError, Location } from "effect-infisical"
import { meaningOf } from "./meaning.js"
import { load, type Recording } from "./Recordings.js"

const groups = ["service-token", "list", "get", "write", "names", "etag"]

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

  "etag/list-bad-token-with-etag": "AuthenticationError Refused"
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
      assert.isAbove(seen, own ? 170 : 0)
    }).pipe(Effect.provide(NodeContext.layer)))

  it.effect("takes the same fields of a secret from every route", () =>
    Effect.gen(function*() {
      const { recordings } = yield* load(["get"])
      const recording = recordings.find(({ name }) => name === "get/found-shared")
      if (recording === undefined) return
      const api = yield* Effect.provide(InfisicalApi.InfisicalApi, answering(recording))
      const secret = yield* api.getSecret(target("ROOT_ONLY"))
      assert.strictEqual(secret.id, "727cd22f-5e1a-415c-a768-172e10438ff7")
      assert.strictEqual(secret.environment, "dev")
      assert.isUndefined(secret.secretPath)
    }).pipe(Effect.provide(NodeContext.layer)))
})

type CallError = InfisicalApi.WriteCallError | InfisicalError.AlreadyExistsError

const accessToken = Redacted.make("st.id.secret")

const location = Effect.runSync(Location.make({ environment: "dev", secretPath: "/", includeImports: true }))

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

/** The call of ours that makes this recorded request; none for routes that we do not speak. */
const callOf = (
  { request }: Recording
): Effect.Effect<unknown, CallError, InfisicalApi.InfisicalApi> | undefined => {
  if (request === undefined) return undefined
  const url = new URL(request.path, "http://recorded")
  const using = (call: (api: InfisicalApi.Service) => Effect.Effect<unknown, CallError>) =>
    Effect.flatMap(InfisicalApi.InfisicalApi, call)
  if (url.pathname === "/api/v2/service-token") return using((api) => api.getServiceToken(accessToken))
  if (url.pathname === "/api/v3/service-token/me/key") return using((api) => api.getServiceTokenKey(accessToken))
  if (url.pathname === "/api/v3/secrets") {
    const secretPath = url.searchParams.get("secretPath") ?? "/"
    return using((api) =>
      api.listSecrets({ accessToken, projectId: "project", location: { ...location, secretPath }, etag: Option.none() })
    )
  }
  if (url.pathname.startsWith("/api/v3/secrets/raw")) return undefined
  const name = decodeURIComponent(url.pathname.split("/")[4] ?? "")
  switch (request.method) {
    case "GET":
      return using((api) => api.getSecret(target(name)))
    case "POST":
      return using((api) => api.createSecret(target(name), encrypted))
    case "PATCH":
      return using((api) => api.updateSecret(target(name), encrypted))
    case "DELETE":
      return using((api) => api.deleteSecret(target(name)))
  }
  return undefined
}

const describeExit = (exit: Exit.Exit<unknown, CallError | InfisicalError.InvalidCredentialError>): string => {
  if (Exit.isSuccess(exit)) return ok
  if (exit.cause._tag !== "Fail") return `Defect ${exit.cause._tag}`
  return meaningOf(exit.cause.error)
}

const answering = ({ response }: Recording) =>
  InfisicalApi.layer.pipe(
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
