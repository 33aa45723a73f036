/**
 * The emulated Infisical that the examples run against if no other one is configured, and the variables that lead to it.
 */
import { FileSystem } from "@effect/platform"
import { Effect, Redacted } from "effect"
import { Emulator, type World } from "effect-infisical-emulator"

export const world: World.Input = {
  projects: {
    main: {
      folders: {
        dev: {
          "/": {
            secrets: {
              NAME: "Ada Lovelace",
              DATABASE_URL: "postgres://app:s3cr3t@localhost/app",
              DATABASE_USER: "app",
              DATABASE_PASSWORD: "s3cr3t",
              POOL_SIZE: "20"
            }
          }
        }
      }
    },
    billing: { folders: { dev: { "/": { secrets: { STRIPE_KEY: "sk_test_1" } } } } },
    shop: { folders: { dev: { "/": { secrets: { DATABASE_URL: "postgres://shop:s3cr3t@localhost/shop" } } } } }
  },
  identities: { main: {} }
}

/** Where the secrets of a project are. */
const place = (project: string) =>
  Effect.gen(function*() {
    const emulator = yield* Emulator.Emulator
    return {
      INFISICAL_API_URL: emulator.url,
      INFISICAL_PROJECT_ID: yield* emulator.projectId(project),
      INFISICAL_ENVIRONMENT: "dev",
      INFISICAL_SECRET_PATH: "/"
    }
  })

/** A machine identity with Universal Auth. */
export const universalAuth = (project: string) =>
  Effect.gen(function*() {
    const emulator = yield* Emulator.Emulator
    const { clientId, clientSecret } = yield* emulator.universalAuth()
    return {
      ...yield* place(project),
      INFISICAL_UNIVERSAL_AUTH_CLIENT_ID: clientId,
      INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET: Redacted.value(clientSecret)
    }
  })

const prefixed = (prefix: string, variables: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(variables).map(([name, value]) => [`${prefix}_${name}`, value]))

const kubernetes = Effect.gen(function*() {
  const emulator = yield* Emulator.Emulator
  const fs = yield* FileSystem.FileSystem
  const token = `${yield* fs.makeTempDirectoryScoped()}/token`
  yield* fs.writeFileString(token, "token-of-the-service-account")
  return {
    ...yield* place("main"),
    INFISICAL_KUBERNETES_IDENTITY_ID: yield* emulator.identityId(),
    INFISICAL_KUBERNETES_SERVICE_ACCOUNT_TOKEN_PATH: token
  }
})

const offlineStart = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  return { ...yield* universalAuth("main"), SNAPSHOT_DIRECTORY: yield* fs.makeTempDirectoryScoped() }
})

const twoProjects = Effect.map(
  Effect.all([universalAuth("billing"), universalAuth("shop")]),
  ([billing, shop]) => ({ ...prefixed("BILLING", billing), ...prefixed("SHOP", shop) })
)

const special = { "kubernetes": kubernetes, "offline-start": offlineStart, "two-projects": twoProjects }

const isSpecial = (example: string): example is keyof typeof special => Object.hasOwn(special, example)

/** The variables with which an example runs against the emulator. */
export const variablesOf = (example: string) => isSpecial(example) ? special[example] : universalAuth("main")
