/**
 * Does everything that can be done, lets everything fail that can fail, and looks for planted secrets in all that was
 * logged, traced, counted, printed or inspected on the way.
 */
import { FetchHttpClient } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import {
  Cause,
  ConfigProvider,
  Context,
  Effect,
  Exit,
  Layer,
  Logger,
  LogLevel,
  Metric,
  Option,
  Redacted,
  TestClock
} from "effect"
import { Credential, Crypto, Infisical, InfisicalConfig, Secrets } from "effect-infisical"
import { Emulator } from "effect-infisical-emulator"
import { inspect } from "node:util"
import { planted, printingTracer } from "../../../vitest.leaks.js"

const printings = (value: unknown): ReadonlyArray<string> => [
  String(value),
  JSON.stringify(value) ?? "",
  inspect(value, { depth: 8, showHidden: true }),
  value instanceof Error ? `${value.message}\n${value.stack ?? ""}\n${inspect(value.cause, { depth: 20 })}` : ""
]

const value = (name: string) => `${planted}value ${name} ${"z".repeat(20)}`

describe("Nothing that the library shows", () => {
  it.scoped("has a value, a token or a key in it", () =>
    Effect.gen(function*() {
      const seen: Array<string> = []
      const show = (what: unknown) => seen.push(...printings(what))

      const emulator = yield* Effect.map(
        Layer.build(Emulator.layer({
          era: "2024-07",
          secrets: { A: value("A"), B: { value: value("B"), comment: "a comment" } },
          serviceTokens: { main: {}, readOnly: { permissions: ["read"] } },
          identities: {
            main: {},
            jwt: { acceptedJwts: ["an.accepted.jwt"], ldap: { username: "me", password: `${planted}password` } }
          }
        })),
        Context.get(Emulator.Emulator)
      )
      const token = yield* emulator.serviceToken("main")
      const project = yield* emulator.project()
      const { encryptedKey } = yield* Effect.promise(() =>
        fetch(`${emulator.url}/api/v2/service-token`, {
          headers: { authorization: `Bearer ${Redacted.value(token)}` }
        }).then((response) => response.json())
      ).pipe(Effect.map((body) => ({ encryptedKey: String(Object(body)["encryptedKey"]) })))
      const [, id = "", secret = "", key = ""] = Redacted.value(token).split(".")
      const identity = yield* emulator.universalAuth("main")
      const needles: Record<string, string> = {
        "a client secret": Redacted.value(identity.clientSecret),
        "an access token": "eyJhbGciOi",
        "a planted value": planted,
        "the token": Redacted.value(token),
        "the token's secret part": secret,
        "the token's key part": key,
        "the project key": Redacted.value(project.key),
        "the encrypted project key": encryptedKey
      }

      const client = (options: Partial<InfisicalConfig.Options> = {}) =>
        Infisical.layer({
          credential: Credential.serviceToken(token),
          siteUrl: emulator.url,
          retry: { times: 0 },
          debug: true,
          ...options
        }).pipe(Layer.provide(FetchHttpClient.layer))

      const attempt = <A, E>(what: Effect.Effect<A, E>) =>
        Effect.gen(function*() {
          const exit = yield* Effect.exit(Effect.withSpan(what, "attempt"))
          show(exit)
          if (Exit.isFailure(exit)) {
            seen.push(Cause.pretty(exit.cause, { renderErrorCause: true }))
            yield* Effect.logError("It failed", exit.cause)
            const failure = Cause.failureOption(exit.cause)
            if (Option.isSome(failure)) show(failure.value)
          } else yield* Effect.log("It gave", exit.value)
        })

      const using = <A, E>(
        call: (secrets: Secrets.Service) => Effect.Effect<A, E>,
        layer: ReturnType<typeof client>
      ) => attempt(Effect.provide(Effect.flatMap(Secrets.Secrets, call), layer))

      const everything = Effect.gen(function*() {
        show(Credential.serviceToken(token))
        show(
          yield* Effect.withConfigProvider(
            InfisicalConfig.fromEnvironment,
            ConfigProvider.fromMap(new Map([["INFISICAL_TOKEN", Redacted.value(token)]]))
          )
        )
        const credential = yield* Credential.serviceToken(token)
        show(credential)
        show(yield* InfisicalConfig.make({ credential }))
        show(client())

        const context = yield* Layer.build(client())
        const secrets = Context.get(context, Secrets.Secrets)
        const crypto = Context.get(context, Crypto.Crypto)
        show(context)
        yield* attempt(secrets.get("A"))
        yield* attempt(secrets.get("B"))
        yield* attempt(secrets.list())
        yield* attempt(secrets.create("C", Redacted.make(value("C")), { comment: "a comment" }))
        yield* attempt(secrets.update("C", Redacted.make(value("C again"))))
        yield* attempt(secrets.create("C", Redacted.make(value("C"))))
        yield* attempt(secrets.create("D", Redacted.make(value("D").repeat(30_000))))
        yield* attempt(secrets.create("E", Redacted.make(value("E")), { type: "personal" }))
        yield* attempt(secrets.create("F", Redacted.make(value("F")), { secretPath: "/nowhere" }))
        yield* attempt(secrets.create("G", Redacted.make(`${value("G")}\ud800`)))
        yield* attempt(secrets.delete("C"))
        yield* attempt(secrets.get("C"))
        const symmetricKey = yield* crypto.createSymmetricKey
        needles["a symmetric key"] = Redacted.value(symmetricKey)
        const sealed = yield* crypto.encryptSymmetric({ plaintext: Redacted.make(value("text")), key: symmetricKey })
        yield* attempt(crypto.decryptSymmetric({ ...sealed, key: symmetricKey }))
        yield* attempt(crypto.decryptSymmetric({ ...sealed, tag: sealed.iv, key: symmetricKey }))
        yield* attempt(crypto.decryptSymmetric({ ...sealed, key: Redacted.make(`${planted}key`) }))

        yield* using((secrets) => secrets.get("A"), client({ siteUrl: "http://127.0.0.1:65535" }))
        yield* using(
          (secrets) => secrets.create("H", Redacted.make(value("H"))),
          client({ credential: Credential.serviceToken(yield* emulator.serviceToken("readOnly")) })
        )
        for (
          const broken of [
            `st.${id}.${planted}.${key}`,
            `st.${id}.${secret}.${planted}${key}`,
            `${planted}${Redacted.value(token)}`,
            `{"publicKey":"${planted}","privateKey":"${planted}","serviceToken":"${planted}"}`,
            `{"${planted}`
          ]
        ) {
          yield* using(
            (secrets) => secrets.get("A"),
            client({ credential: Credential.serviceToken(Redacted.make(broken)) })
          )
        }
        const identityClient = (options: Partial<InfisicalConfig.Options> = {}) =>
          client({
            credential: Credential.universalAuth(identity),
            projectId: project.id,
            headers: { "x-gateway": Redacted.make(`${planted}header`) },
            revokeOnRelease: true,
            ...options
          })
        show(Credential.universalAuth(identity))
        show(yield* Effect.flatMap(Credential.universalAuth(identity), ({ login }) => login))
        show(identityClient())
        const calls: ReadonlyArray<(secrets: Secrets.Service) => Effect.Effect<unknown, unknown>> = [
          (secrets) => secrets.get("A"),
          (secrets) => secrets.list({ recursive: true }),
          (secrets) => secrets.get("A", { version: 7 }),
          (secrets) => secrets.upsert("J", Redacted.make(value("J"))),
          (secrets) => secrets.rename("J", "K"),
          (secrets) => secrets.createMany([{ name: "A", value: Redacted.make(value("A")) }]),
          (secrets) => secrets.updateMany([{ name: "Z", value: Redacted.make(value("Z")) }]),
          (secrets) => secrets.deleteMany(["Z"])
        ]
        for (const call of calls) yield* using(call, identityClient())
        const identityId = yield* emulator.identityId("jwt")
        for (
          const credential of [
            Credential.universalAuth({ ...identity, clientSecret: Redacted.make(`${planted}wrong`) }),
            Credential.jwt({ method: "oidc-auth", identityId, jwt: Redacted.make(`${planted}.jwt.signed`) }),
            Credential.jwt({ method: "jwt-auth", identityId, jwt: Redacted.make(`${planted} with spaces`) }),
            Credential.ldapAuth({ identityId, username: "me", password: Redacted.make(`${planted}password`) }),
            Credential.ldapAuth({ identityId, username: "me", password: Redacted.make(`${planted}other`) }),
            Credential.accessToken(Redacted.make(`eyJhbGciOi.${planted}.x`))
          ]
        ) {
          show(credential)
          yield* using((secrets) => secrets.get("A"), identityClient({ credential }))
        }
        show(
          yield* Effect.withConfigProvider(
            InfisicalConfig.fromEnvironment,
            ConfigProvider.fromMap(
              new Map([
                ["INFISICAL_UNIVERSAL_AUTH_CLIENT_ID", identity.clientId],
                ["INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET", Redacted.value(identity.clientSecret)],
                ["INFISICAL_CUSTOM_HEADERS", `X-Gateway=${planted}header`]
              ])
            )
          )
        )
        yield* emulator.setAvailable(false)
        yield* using((secrets) => secrets.get("A"), identityClient())
        yield* TestClock.adjust("5 minutes")
        yield* attempt(secrets.get("A"))
        yield* attempt(secrets.update("A", Redacted.make(value("A again"))))
        yield* emulator.setAvailable(true)
        yield* emulator.revokeServiceToken("main")
        yield* TestClock.adjust("1 hour")
        yield* attempt(secrets.get("A"))
        show(yield* emulator.requests)
        show(yield* Metric.snapshot)
      })

      const logger = Logger.make<unknown, void>((options) => {
        seen.push(Logger.logfmtLogger.log(options), Logger.stringLogger.log(options), Logger.jsonLogger.log(options))
        show(options.message)
      })
      yield* everything.pipe(
        Logger.withMinimumLogLevel(LogLevel.All),
        Effect.provide(Logger.add(logger)),
        Effect.withTracer(printingTracer((text) => seen.push(text)))
      )

      const all = seen.join("\n")
      assert.isAbove(all.length, 20_000)
      assert.include(all, "<redacted>")
      assert.include(all, "GET /api/v3/secrets")
      for (const [what, needle] of Object.entries(needles)) {
        const found = all.indexOf(needle)
        assert.strictEqual(found, -1, `${what} was shown: …${all.slice(Math.max(0, found - 120), Math.max(0, found))}`)
      }
    }))
})
