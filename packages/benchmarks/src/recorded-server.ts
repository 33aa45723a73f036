/**
 * The process of `RecordedServer`: asks an emulator everything once, and from then on answers with those bytes from
 * memory, so that what it costs does not disturb what is measured.
 */
import { FetchHttpClient, HttpClient, HttpClientRequest } from "@effect/platform"
import { Effect, Redacted, Schema } from "effect"
import { Emulator, type World } from "effect-infisical-emulator"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { type Count, folders, largeSize, mediumSize, type Ready, secretName } from "./RecordedServer.js"

// Distinct values of 23 to 55 characters. Comments are empty, as most are, since `infisical-node` leaves them out.
const secrets = (count: number) =>
  Object.fromEntries(
    Array.from({ length: count }, (_, index) => [
      secretName(index),
      `postgres://app:${String(index).padStart(8, "0")}${"x".repeat(index % 33)}`
    ])
  )

const world: World.Input = {
  era: "2024-07",
  projects: {
    main: {
      folders: {
        dev: {
          [folders.large]: { secrets: secrets(largeSize) },
          [folders.medium]: { secrets: secrets(mediumSize) },
          [folders.small]: { secrets: secrets(1) }
        }
      }
    }
  },
  serviceTokens: { main: {} }
}

interface Recorded {
  readonly etag: string
  readonly body: Buffer
}

const tokenPath = "/api/v2/service-token"
const listPath = "/api/v3/secrets"

/** What distinguishes one answer from another. */
const keyOf = (url: URL): string => `${url.pathname} ${url.searchParams.get("secretPath") ?? ""}`

const record = Effect.gen(function*() {
  const emulator = yield* Emulator.Emulator
  const token = Redacted.value(yield* emulator.serviceToken())
  const client = (yield* HttpClient.HttpClient).pipe(
    HttpClient.mapRequest(HttpClientRequest.bearerToken(token.slice(0, token.lastIndexOf(".")))),
    HttpClient.filterStatusOk
  )
  const answers = new Map<string, Recorded>()

  const ask = (path: string, urlParams: Readonly<Record<string, string>> = {}) =>
    Effect.gen(function*() {
      const url = new URL(path, emulator.url)
      for (const [name, value] of Object.entries(urlParams)) url.searchParams.set(name, value)
      const response = yield* client.get(url)
      const body = Buffer.from(yield* response.arrayBuffer)
      answers.set(keyOf(url), { etag: response.headers["etag"] ?? "", body })
      return body
    })

  const { workspace: workspaceId } = yield* Schema.decode(
    Schema.parseJson(Schema.Struct({ workspace: Schema.String }))
  )((yield* ask(tokenPath)).toString())
  for (const secretPath of Object.values(folders)) {
    yield* ask(listPath, { workspaceId, environment: "dev", secretPath, include_imports: "true" })
  }
  for (let index = 0; index < mediumSize; index++) {
    yield* ask(`${listPath}/${secretName(index)}`, {
      workspaceId,
      environment: "dev",
      secretPath: folders.medium,
      type: "shared"
    })
  }
  return { answers, token }
}).pipe(Effect.provide([Emulator.layer(world), FetchHttpClient.layer]))

const serve = ({ answers, token }: Effect.Effect.Success<typeof record>) => {
  let requests = 0
  let notModified = 0

  const server = createServer((request, response) => {
    requests += 1
    const answer = answers.get(keyOf(new URL(request.url ?? "/", "http://localhost")))
    if (answer === undefined) {
      response.writeHead(404).end()
      return
    }
    const headers = { "content-type": "application/json; charset=utf-8", etag: answer.etag }
    if (request.headers["if-none-match"] === answer.etag) {
      notModified += 1
      response.writeHead(304, headers).end()
    } else {
      response.writeHead(200, { ...headers, "content-length": answer.body.length }).end(answer.body)
    }
  })
  // As long as Infisical keeps an idle connection.
  server.keepAliveTimeout = 72_000

  const tell = (message: typeof Ready.Type | typeof Count.Type) => process.send?.(message)
  process.on("message", () => tell({ requests, notModified }))
  process.on("disconnect", () => process.exit())
  server.listen(0, "127.0.0.1", () => {
    const address = server.address()
    tell({
      siteUrl: `http://127.0.0.1:${isAddressInfo(address) ? address.port : 0}`,
      token,
      largeBytes: answers.get(`${listPath} ${folders.large}`)?.body.length ?? 0
    })
  })
}

const isAddressInfo = (address: AddressInfo | string | null): address is AddressInfo =>
  typeof address === "object" && address !== null

Effect.runPromise(Effect.map(record, serve))
