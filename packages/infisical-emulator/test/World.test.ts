import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { Crypto } from "effect-infisical"
import { Emulator, World } from "effect-infisical-emulator"

const mistakes = (world: World.Input) => Effect.map(Effect.flip(World.decode(world)), (error) => error.mistakes)

describe("a world", () => {
  it.effect("has a project and a service token where it says nothing", () =>
    Effect.gen(function*() {
      const world = yield* World.decode({})
      expect(Object.keys(world.projects)).toEqual(["main"])
      expect(Object.keys(world.serviceTokens)).toEqual(["main"])
      expect(world.projects["main"]?.environments).toEqual(["dev", "staging", "prod"])
    }))

  it.effect("takes the short form of secrets beside a project main of its own", () =>
    Effect.gen(function*() {
      const world = yield* World.decode({
        secrets: { SHORT: "short" },
        projects: { main: { folders: { dev: { "/": { secrets: { LONG: "long" } } } } } }
      })
      expect(world.projects["main"]?.folders["dev"]?.["/"]?.secrets).toEqual({ SHORT: "short", LONG: "long" })
    }))

  it.effect("with an unknown environment, path, user or scope is reported with every place", () =>
    Effect.gen(function*() {
      const known = "must be one of the project's environments: dev, staging, prod"
      expect(
        yield* mistakes({
          projects: {
            main: {
              folders: {
                nope: {},
                dev: {
                  "foo": {},
                  "/": {
                    secrets: { " A": "a", B: { value: "b", personal: { nobody: "c" } } },
                    imports: [{ environment: "dev", path: "/ok" }, { environment: "nowhere", path: "bad" }]
                  }
                }
              }
            }
          },
          serviceTokens: { main: { scopes: [{ environment: "never", secretPath: "/**" }] } }
        })
      ).toEqual([
        { place: "projects.main.folders.nope", problem: known },
        {
          place: "projects.main.folders.dev.foo",
          problem: "must be a path of letters, digits, dashes and underscores, such as \"/folder\""
        },
        {
          place: "projects.main.folders.dev[\"/\"].imports[1].environment",
          problem: known
        },
        {
          place: "projects.main.folders.dev[\"/\"].imports[1].path",
          problem: "must be a path, such as \"/folder\""
        },
        {
          place: "projects.main.folders.dev[\"/\"].secrets[\" A\"]",
          problem: "must be a name without space around it"
        },
        {
          place: "projects.main.folders.dev[\"/\"].secrets.B.personal.nobody",
          problem: "must be the name of one of the users"
        },
        { place: "serviceTokens.main.scopes[0].environment", problem: known }
      ])
    }))

  it.effect("with a service token of no clear project is reported", () =>
    Effect.gen(function*() {
      expect(yield* mistakes({ projects: { a: {}, b: {} } })).toEqual([
        { place: "serviceTokens.main.project", problem: "must be one of the projects: a, b" }
      ])
    }))

  it.effect("with one id in two places is reported", () =>
    Effect.gen(function*() {
      const id = "77fa7aed-9288-401e-a4c9-3a9430be62a0"
      expect(yield* mistakes({ projects: { a: { id }, b: { id } }, serviceTokens: {} })).toEqual([
        { place: "projects.b.id", problem: "is the same as projects.a.id" }
      ])
    }))

  it.effect("with a rate limit for a route that does not exist is reported", () =>
    Effect.gen(function*() {
      const routes = {
        "GET /api/v3/secret": 1,
        "/api/v3/secrets": 1,
        "PUT /api/v3/secrets": 1,
        "GET /api/v3/secrets": 1
      }
      expect((yield* mistakes({ rateLimit: { limit: 60, routes } })).map(({ place }) => place)).toEqual([
        "rateLimit.routes[\"GET /api/v3/secret\"]",
        "rateLimit.routes[\"/api/v3/secrets\"]",
        "rateLimit.routes[\"PUT /api/v3/secrets\"]"
      ])
    }))

  it.effect("with a field it does not know, or of the wrong type, is reported without the value", () =>
    Effect.gen(function*() {
      const misspelt: object = {
        project: {},
        secrets: { NAME: 424242 },
        serviceTokens: { main: { ttl: "a while of 987654" } },
        projects: { main: { key: "not-a-key" } }
      }
      const error = yield* Effect.flip(World.decode(misspelt))
      expect(error.mistakes.map(({ place }) => place)).toEqual(
        expect.arrayContaining(["project", "secrets.NAME", "serviceTokens.main.ttl", "projects.main.key"])
      )
      for (const value of ["424242", "987654", "not-a-key"]) expect(error.message).not.toContain(value)
    }))

  it.effect("with mistakes within mistakes is reported once for each place, as what was meant", () =>
    Effect.gen(function*() {
      const wrong: object = {
        secrets: { NUMBER: 5, COMMENT: { comment: "no value" }, VALUE: { value: 5 } },
        projects: {
          main: {
            environments: "dev",
            folders: {
              dev: {
                "/": { secrets: { A: { value: "a", personal: { alice: 5 } } }, imports: [{ environment: "dev" }] }
              }
            }
          },
          other: []
        },
        serviceTokens: {
          main: {
            scopes: [{ environment: "dev", path: "/" }],
            permissions: ["admin"],
            expiresAt: "tomorrow",
            version: "v4"
          }
        }
      }
      expect(Object.fromEntries((yield* mistakes(wrong)).map(({ place, problem }) => [place, problem]))).toEqual({
        "secrets.NUMBER": "must be a string or an object with a value",
        "secrets.COMMENT.value": "is missing",
        "secrets.VALUE.value": "must be a string",
        "projects.main.environments": "must be a list",
        "projects.main.folders.dev[\"/\"].secrets.A.personal.alice": "must be a string",
        "projects.main.folders.dev[\"/\"].imports[0].path": "is missing",
        "projects.other": "must be an object",
        "serviceTokens.main.scopes[0].path": "is not known here",
        "serviceTokens.main.scopes[0].secretPath": "is missing",
        "serviceTokens.main.permissions[0]": "must be \"read\" or \"write\"",
        "serviceTokens.main.expiresAt": "must be a moment, such as \"2030-12-31T23:59:59Z\"",
        "serviceTokens.main.version": "must be \"v2\" or \"v3\""
      })
    }))

  it.effect("that is none at all is reported", () =>
    Effect.gen(function*() {
      const list: object = []
      const error = yield* Effect.flip(World.decode(list))
      expect(error.message).toBe("The world has a mistake: must be an object")
    }))

  it.scoped("with a malformed token is reported without the token", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(
        Emulator.make({ serviceTokens: { "first one": { token: "st.id.secret.short" } } })
      )
      expect(error.message).toBe(
        "The world has a mistake: serviceTokens[\"first one\"].token is malformed: key must be 32 hexadecimal characters"
      )
    }).pipe(Effect.provide(Crypto.layer)))
})
