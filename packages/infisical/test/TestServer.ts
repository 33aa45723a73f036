/** The server that tests of behaviour run against: an emulator, or a live server. */
import { FetchHttpClient } from "@effect/platform"
import { Context, Effect, Layer, Option, Redacted } from "effect"
import { Credential, Infisical, type InfisicalConfig } from "effect-infisical"
import { Emulator, type World } from "effect-infisical-emulator"
import type { LiveServer } from "./support/LiveServer.js"

/** What of a credential is to be wrong. */
type Spoiled = "secret" | "key" | undefined

export class TestServer extends Context.Tag("test/TestServer")<TestServer, {
  readonly siteUrl: string
  readonly options: (spoiled: Spoiled) => Omit<InfisicalConfig.Options, "siteUrl">
}>() {}

/**
 * An emulator of an era with a project that the client or the server decrypts: a service token with its key for the one,
 * a machine identity for the other.
 */
export const emulated = ({ era, source }: {
  readonly era: World.Era
  readonly source: InfisicalConfig.SourceKind
}) => {
  const isEndToEndEncrypted = source === "end-to-end-encrypted"
  return Layer.effect(
    TestServer,
    Effect.gen(function*() {
      const emulator = yield* Emulator.Emulator
      const { id: projectId, slug: projectSlug } = yield* emulator.project()
      const credential = isEndToEndEncrypted
        ? yield* Credential.serviceToken(yield* emulator.serviceToken())
        : yield* Credential.universalAuth(yield* emulator.universalAuth())
      return {
        siteUrl: emulator.url,
        options: (spoiled) => ({
          credential: spoil(credential, spoiled),
          ...isEndToEndEncrypted ? {} : { projectId, projectSlug, source }
        })
      }
    })
  ).pipe(Layer.provide(Emulator.layer({
    era,
    projects: {
      main: { endToEndEncrypted: isEndToEndEncrypted, folders: { dev: { "/": { secrets: { NAME: "value" } } } } }
    },
    serviceTokens: { main: {} },
    identities: { main: {} }
  })))
}

/** A live server. */
export const live = ({ credential, siteUrl, ...options }: LiveServer["options"]) =>
  Layer.succeed(TestServer, {
    siteUrl,
    options: (spoiled) => ({ ...options, credential: spoil(credential, spoiled) })
  })

/** A client of a site, as patient as a live instance's rate limit may want it. */
export const clientOf = (siteUrl: string, options: Omit<InfisicalConfig.Options, "siteUrl">) =>
  Infisical.layer({ retry: { deadline: "2 minutes" }, ...options, siteUrl }).pipe(Layer.provide(FetchHttpClient.layer))

/** A client of the test's server, with its token or one in which one part is another. */
export const client = (
  { spoiled, ...options }: Partial<InfisicalConfig.Options> & { readonly spoiled?: Spoiled } = {}
) =>
  Layer.unwrapEffect(
    Effect.map(TestServer, (server) => clientOf(server.siteUrl, { ...server.options(spoiled), ...options }))
  )

/** Another secret that a server refuses. A refused login counts towards a lockout, so an identity sends a wrong token. */
const spoil = (credential: Credential.Credential, part: Spoiled): Credential.Credential =>
  part === undefined
    ? credential
    : credential._tag !== "ServiceToken"
    ? { _tag: "AccessToken", id: "wrong", accessToken: Redacted.make("wrong") }
    : part === "key"
    ? { ...credential, key: Option.map(credential.key, other) }
    : { ...credential, accessToken: other(credential.accessToken) }

const other = (secret: Redacted.Redacted<string>) =>
  Redacted.make(Redacted.value(secret).replace(/.$/, (last) => last === "0" ? "1" : "0"))

/** A client of a port that nobody listens on. */
export const unreachable = clientOf("http://127.0.0.1:65535", {
  credential: Credential.serviceToken(Redacted.make(`st.id.secret.${"0".repeat(32)}`))
})
