/**
 * From nothing to a decrypted secret: an emulated Infisical, a web app that greets with a secret of it, a visitor, and
 * everything that the library does. `npm run demo` runs it.
 */
import { FetchHttpClient, HttpClient, HttpServer } from "@effect/platform"
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Layer, Logger, Redacted } from "effect"
import { Credential, Crypto, type InfisicalConfig, type Secret, Secrets } from "effect-infisical"
import { Emulator, type World } from "effect-infisical-emulator"
import { NodeInfisical, ProcessEnvironment } from "effect-infisical-node"
import * as HttpGreeting from "./http-server.js"

const colourful = process.stdout.isTTY && process.env["NO_COLOR"] === undefined
const paint = (code: number) => (text: string) => colourful ? `\u001b[${code}m${text}\u001b[0m` : text
const bold = paint(1)
const dim = paint(2)
const red = paint(31)
const green = paint(32)
const cyan = paint(36)

const title = (text: string) => Console.log(`\n${bold(text)}`)
const line = (what: string, outcome: string) => Console.log(`  ${green("✓")} ${what.padEnd(50)} ${outcome}`)
const failure = (what: string, error: { readonly _tag: string; readonly message: string }) =>
  Console.log(`  ${green("✓")} ${what}\n    ${red(error._tag)}  ${dim(error.message)}`)

/** A secret with its value, which only `Redacted.value` gives. */
const shown = (secret: Secret.Secret) =>
  `${secret.name} = ${bold(Redacted.value(secret.value))}  ${
    dim(
      secret.version === undefined
        ? secret.source
        : `${secret.environment}:${secret.secretPath}, version ${secret.version}, ${secret.source}`
    )
  }`

const world: World.Input = {
  era: "2024-07",
  projects: {
    main: {
      environments: ["dev", "prod"],
      folders: {
        dev: {
          "/": {
            secrets: {
              NAME: { value: "Ada Lovelace", comment: "who greets" },
              DATABASE_URL: "postgres://app:s3cr3t@db.internal/app"
            },
            imports: [{ environment: "dev", path: "/shared" }]
          },
          "/shared": { secrets: { SMTP_PASSWORD: "correct horse battery staple" } }
        },
        prod: { "/": { secrets: { DATABASE_URL: "postgres://app:0ther@db.prod/app" } } }
      }
    }
  },
  serviceTokens: {
    main: {},
    readOnly: { scopes: [{ environment: "dev", secretPath: "/**" }], permissions: ["read"] }
  }
}

/** Keeps what the library logs for the end of the report. */
const logged: Array<string> = []
const logger = Logger.replace(
  Logger.defaultLogger,
  Logger.make(({ logLevel, message }) => void logged.push(`${logLevel.label} ${String(message)}`))
)

const demo = Effect.gen(function*() {
  const emulator = yield* Emulator.Emulator
  const full = yield* emulator.serviceToken("main")

  const client = (options: Partial<InfisicalConfig.Options> = {}) =>
    NodeInfisical.layer({
      credential: Credential.serviceToken(full),
      siteUrl: emulator.url,
      fallback: false,
      retry: { times: 0 },
      ...options
    }).pipe(Layer.provide(FetchHttpClient.layer))

  yield* Console.log(bold("\n  effect-infisical") + dim("  secrets for backends written with Effect"))

  yield* title("An Infisical of our own")
  yield* line("The emulator listens on", cyan(emulator.url))
  yield* line("It holds a project, end-to-end encrypted", "environments dev and prod")

  yield* title("A web app that greets with a secret")
  yield* Effect.gen(function*() {
    const server = yield* HttpServer.HttpServer
    const address = HttpServer.formatAddress(server.address)
    yield* line("The app listens on", cyan(address))
    const response = yield* HttpClient.get(address)
    yield* line("A visitor asks, and hears", bold(yield* response.text))
    const mistaken = yield* Secrets.Secrets.pipe(
      Effect.flatMap((secrets) => secrets.get("NAME")),
      Effect.provide(client({ siteUrl: address })),
      Effect.flip
    )
    yield* failure("An app that is taken for an Infisical", mistaken)
  }).pipe(
    Effect.provide(
      HttpGreeting.layer({ host: "127.0.0.1", port: 0 }).pipe(
        Layer.provide(client()),
        Layer.merge(FetchHttpClient.layer)
      )
    )
  )

  yield* Effect.gen(function*() {
    const secrets = yield* Secrets.Secrets
    const crypto = yield* Crypto.Crypto

    yield* title("Reading")
    const list = yield* secrets.list()
    yield* line("A list has the folder's secrets and its imports", `${list.secrets.length} secrets`)
    for (const secret of list.secrets) yield* Console.log(`      ${shown(secret)}`)
    yield* emulator.resetRequests
    yield* Effect.replicateEffect(secrets.get("DATABASE_URL"), 1000, { discard: true })
    yield* line("A thousand more reads cost", `${(yield* emulator.requests).length} requests`)
    const { name, value } = yield* secrets.get("NAME")
    yield* line("Wherever a secret is printed, it is", `${name} = ${value}`)

    yield* title("Writing")
    const created = yield* secrets.create("API_KEY", Redacted.make("key-1"), { comment: "for the demo" })
    yield* line("Created", shown(created))
    const updated = yield* secrets.update("API_KEY", Redacted.make("key-2"))
    yield* line("Updated", shown(updated))
    yield* line("The next read gives the new value", shown(yield* secrets.get("API_KEY")))
    yield* secrets.delete("API_KEY")
    const gone = yield* Effect.flip(secrets.get("API_KEY"))
    yield* line("Deleted, and gone", dim(gone._tag))

    yield* title("Encrypting a text of your own")
    const key = yield* crypto.createSymmetricKey
    const sealed = yield* crypto.encryptSymmetric({ plaintext: "meet me at noon", key })
    yield* line("A fresh key of 256 bits, which does not print", String(key))
    yield* line("Encrypted", dim(sealed.ciphertext))
    const opened = yield* crypto.decryptSymmetric({ ...sealed, key })
    yield* line("Decrypted", bold(Redacted.value(opened)))

    yield* title("In the process environment")
    const { attached } = yield* ProcessEnvironment.attach({ environment: "prod" })
    yield* line("Attached", attached.join(", "))

    yield* title("What goes wrong, goes wrong with a name")
    yield* failure("A secret that is not there", yield* Effect.flip(secrets.get("NO_SUCH_SECRET")))
    yield* failure("A name that is taken", yield* Effect.flip(secrets.create("NAME", Redacted.make("Grace Hopper"))))
    yield* failure("A path without its slash", yield* Effect.flip(secrets.get("NAME", { secretPath: "shared" })))
    yield* failure(
      "A text that was tampered with",
      yield* Effect.flip(crypto.decryptSymmetric({ ...sealed, tag: "AAAAAAAAAAAAAAAAAAAAAA==", key }))
    )
  }).pipe(Effect.provide(client()))

  const failing = (options: Partial<InfisicalConfig.Options>) =>
    Secrets.Secrets.pipe(
      Effect.flatMap((secrets) => secrets.get("NAME")),
      Effect.provide(client(options)),
      Effect.flip
    )

  const readOnly = yield* emulator.serviceToken("readOnly")
  yield* failure(
    "A write with a token that may only read",
    yield* Secrets.Secrets.pipe(
      Effect.flatMap((secrets) => secrets.create("API_KEY", Redacted.make("key-1"))),
      Effect.provide(client({ credential: Credential.serviceToken(readOnly) })),
      Effect.flip
    )
  )
  yield* failure(
    "A token that the server does not know",
    yield* failing({ credential: Credential.serviceToken(Redacted.make(`st.unknown.token.${"0".repeat(32)}`)) })
  )
  yield* failure(
    "A token that was not copied whole",
    yield* failing({ credential: Credential.serviceToken(Redacted.make("st.unknown.token.0123")) })
  )
  yield* failure("A server that cannot be reached", yield* failing({ siteUrl: "http://127.0.0.1:65535" }))

  yield* title("And if the server cannot be reached, but the environment has the secret")
  yield* Effect.gen(function*() {
    const secret = yield* Effect.flatMap(Secrets.Secrets, (secrets) => secrets.get("DATABASE_URL"))
    yield* line("It is served, and says where it came from", shown(secret))
  }).pipe(Effect.provide(client({ siteUrl: "http://127.0.0.1:65535", fallback: true })))

  yield* title("What the library logged meanwhile")
  for (const message of logged) yield* Console.log(dim(`    ${message}`))

  yield* Console.log(dim("\n  Read packages/examples/src/demo.ts to see how each line came about.\n"))
})

demo.pipe(Effect.provide([Emulator.layer(world), logger]), NodeRuntime.runMain({ disablePrettyLogger: true }))
