import { FetchHttpClient, type HttpClient } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer, Redacted } from "effect"
import { Credential } from "effect-infisical"
import { Emulator, type World } from "effect-infisical-emulator"
import { NodeInfisical } from "effect-infisical-node"
import { readFileSync } from "node:fs"
import * as Http from "node:http"
import * as Https from "node:https"
import { type AddressInfo, connect } from "node:net"
import { fileURLToPath } from "node:url"
import { main, privateAuthority, program, proxy } from "../src/network.js"

const pem = (name: string) => readFileSync(new URL(`./certificates/${name}`, import.meta.url), "utf8")

const portOf = (address: AddressInfo | string | null): number =>
  typeof address === "object" && address !== null ? address.port : 0

const listening = <S extends Http.Server | Https.Server>(make: () => S) =>
  Effect.acquireRelease(
    Effect.async<S>((resume) => {
      const server = make()
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) =>
      Effect.sync(() => {
        server.closeAllConnections()
        server.close()
      })
  )

/** The emulator behind TLS, with a certificate of an authority that nobody knows. */
const behindTls = Effect.gen(function*() {
  const { url } = yield* Emulator.Emulator
  const server = yield* listening(() =>
    Https.createServer({ key: pem("server.key"), cert: pem("server.pem") }, (request, response) => {
      const { headers, method, url: path } = request
      const forwarded = Http.request(`${url}${path ?? ""}`, { method, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers)
        answer.pipe(response)
      })
      request.pipe(forwarded)
    })
  )
  return `https://localhost:${portOf(server.address())}`
})

/** A proxy, and the hosts that were asked for through it. */
const tunnelling = Effect.gen(function*() {
  const hosts: Array<string> = []
  const server = yield* listening(() =>
    Http.createServer().on("connect", (request, client) => {
      hosts.push(request.url ?? "")
      const [host, port] = (request.url ?? "").split(":")
      const target = connect(Number(port), host, () => {
        client.write("HTTP/1.1 200 Connection Established\r\n\r\n")
        target.pipe(client)
        client.pipe(target)
      })
      target.on("error", () => client.destroy())
      client.on("error", () => target.destroy())
    })
  )
  return { hosts, uri: `http://127.0.0.1:${portOf(server.address())}` }
})

const read = (siteUrl: string, httpClient: Layer.Layer<HttpClient.HttpClient>) =>
  Effect.gen(function*() {
    const emulator = yield* Emulator.Emulator
    const secret = yield* Effect.provide(
      program,
      NodeInfisical.layer({
        credential: Credential.serviceToken(yield* emulator.serviceToken()),
        siteUrl,
        fallback: false,
        retry: { times: 0 }
      }).pipe(Layer.provide(httpClient))
    )
    return Redacted.value(secret.value)
  })

/** The program in an environment that has also a credential. */
const runMain = (variables: Record<string, string>) =>
  Effect.gen(function*() {
    const emulator = yield* Emulator.Emulator
    const { clientId, clientSecret } = yield* emulator.universalAuth()
    const credential = {
      INFISICAL_PROJECT_ID: yield* emulator.projectId(),
      INFISICAL_UNIVERSAL_AUTH_CLIENT_ID: clientId,
      INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET: Redacted.value(clientSecret)
    }
    return yield* Effect.withConfigProvider(
      main,
      ConfigProvider.fromMap(new Map(Object.entries({ ...credential, ...variables })))
    )
  })

const world: World.Input = {
  era: "2024-07",
  secrets: { DATABASE_URL: "postgres://" },
  serviceTokens: { main: {} },
  identities: { main: {} }
}

describe("A network that is not open", () => {
  it.scoped("is reached with its private certificate authority, and not without it", () =>
    Effect.gen(function*() {
      const siteUrl = yield* behindTls
      assert.strictEqual(yield* read(siteUrl, privateAuthority(pem("ca.pem"))), "postgres://")
      const error = yield* Effect.flip(read(siteUrl, FetchHttpClient.layer))
      assert.include(error, { _tag: "NetworkError", reason: "Transport" })
    }).pipe(Effect.provide(Emulator.layer(world))))

  it.scoped("is reached through a proxy", () =>
    Effect.gen(function*() {
      const siteUrl = yield* behindTls
      const { hosts, uri } = yield* tunnelling
      assert.strictEqual(yield* read(siteUrl, proxy(uri, pem("ca.pem"))), "postgres://")
      assert.isAtLeast(hosts.length, 1)
      assert.include(siteUrl, hosts[0] ?? "no host")
    }).pipe(Effect.provide(Emulator.layer(world))))

  it.scoped("is reached with what the environment says", () =>
    Effect.gen(function*() {
      const siteUrl = yield* behindTls
      const { hosts, uri } = yield* tunnelling
      const CA_FILE = fileURLToPath(new URL("./certificates/ca.pem", import.meta.url))
      const direct = yield* runMain({ INFISICAL_API_URL: siteUrl, CA_FILE })
      assert.strictEqual(Redacted.value(direct.value), "postgres://")
      assert.lengthOf(hosts, 0)
      const proxied = yield* runMain({ INFISICAL_API_URL: siteUrl, CA_FILE, HTTPS_PROXY: uri })
      assert.strictEqual(Redacted.value(proxied.value), "postgres://")
      assert.isAtLeast(hosts.length, 1)
      const { url } = yield* Emulator.Emulator
      assert.strictEqual(Redacted.value((yield* runMain({ INFISICAL_API_URL: url })).value), "postgres://")
    }).pipe(Effect.provide(Emulator.layer(world))))

  it.scoped("is reached through a gateway that asks for headers", () =>
    Effect.gen(function*() {
      const emulator = yield* Emulator.Emulator
      const seen: Array<string | undefined> = []
      const gateway = yield* listening(() =>
        Http.createServer((request, response) => {
          seen.push(
            `${String(request.headers["cf-access-client-id"])} ${String(request.headers["cf-access-client-secret"])}`
          )
          const forwarded = Http.request(
            `${emulator.url}${request.url ?? ""}`,
            { method: request.method, headers: request.headers },
            (answer) => {
              response.writeHead(answer.statusCode ?? 500, answer.headers)
              answer.pipe(response)
            }
          )
          request.pipe(forwarded)
        })
      )
      const secret = yield* runMain({
        INFISICAL_API_URL: `http://127.0.0.1:${portOf(gateway.address())}`,
        INFISICAL_CUSTOM_HEADERS: "CF-Access-Client-Id=backend CF-Access-Client-Secret=planted0"
      })
      assert.strictEqual(Redacted.value(secret.value), "postgres://")
      assert.isAtLeast(seen.length, 2)
      for (const headers of seen) assert.strictEqual(headers, "backend planted0")
    }).pipe(Effect.provide(Emulator.layer(world))))
})
