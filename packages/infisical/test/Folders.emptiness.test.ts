/** Deleting folders without force on a server that deletes any folder, by whether the lists of the credential prove that it is empty. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import { Credential, Folders } from "effect-infisical"
import { clientLayer, Wire } from "./support/sources.js"

const world = {
  projects: { main: { folders: { dev: { "/app": { secrets: { B: "b" } }, "/app/web": {}, "/empty": {} } } } }
}

const inApp = { secretPath: "/app" }

const paths = (folders: ReadonlyArray<Folders.Folder>) => folders.map(({ secretPath }) => secretPath)

const takeWrites = Effect.flatMap(
  Wire,
  ({ takeRequests }) => Effect.map(takeRequests, (requests) => requests.filter((request) => !request.startsWith("GET")))
)

describe("A service token on a server without v2 of the routes", () => {
  const id = "8a15230e-b33a-4cb0-9dd8-a0d98b51c936"
  const token = `st.${id}.${"0".repeat(32)}`
  const serviceTokens = {
    main: { token: `${token}.${"1".repeat(32)}`, scopes: [{ environment: "dev", secretPath: "/app" }] }
  }

  it.effect.each(["serviceToken", "accessToken"] as const)(
    "deletes by force only, since an empty list may be that of another folder: %s",
    (constructor) =>
      Effect.gen(function*() {
        const folders = yield* Folders.Folders
        const error = yield* Effect.flip(folders.delete("web", inApp))
        assert.include(error, { _tag: "InvalidRequestError", parameter: "forceDelete" })
        assert.include(error.message, "service token")
        assert.deepStrictEqual(yield* takeWrites, [])
      }).pipe(Effect.provide(Layer.unwrapEffect(Effect.map(
        Effect.all({
          serviceToken: Credential.serviceToken(Redacted.make(token)),
          accessToken: Credential.accessToken(Redacted.make(token))
        }),
        ({ [constructor]: credential }) =>
          clientLayer("v3", { ...world, era: "2024-10", serviceTokens }, { options: { credential } })
      ))))
  )

  it.effect("deletes no folder with secrets, whose list is pinned to another folder", () =>
    Effect.gen(function*() {
      const folders = yield* Folders.Folders
      yield* Effect.flip(folders.delete("inner", { secretPath: "/outer" }))
      assert.deepStrictEqual(yield* takeWrites, [])
    }).pipe(Effect.provide(Layer.unwrapEffect(Effect.map(
      Credential.serviceToken(Redacted.make(token)),
      (credential) =>
        clientLayer("v3", {
          projects: { main: { folders: { dev: { "/outer": {}, "/outer/inner": { secrets: { X: "precious" } } } } } },
          era: "2024-10",
          serviceTokens: { main: { ...serviceTokens.main, scopes: [{ environment: "dev", secretPath: "/outer" }] } }
        }, { options: { credential } })
    )))))
})

describe("An access token of a user on a server without v2 of the routes", () => {
  it.effect("deletes an empty folder", () =>
    Effect.gen(function*() {
      const folders = yield* Folders.Folders
      yield* folders.delete("empty")
      assert.notInclude(paths(yield* folders.list()), "/empty")
    }).pipe(Effect.provide(clientLayer("v3", {
      ...world,
      era: "2024-10",
      users: { someone: {} }
    }, { user: "someone" }))))
})
