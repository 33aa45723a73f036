import { Data, Effect } from "effect"
import * as Http from "node:http"

/** The connection broke before there was an answer. */
export class ConnectionError extends Data.TaggedError("ConnectionError")<{ readonly code: string | undefined }> {}

export interface Answered {
  readonly status: number
  readonly headers: Http.IncomingHttpHeaders
  readonly text: string
  readonly body: unknown
}

/** One request as it is written: neither the path nor the headers are touched, as `fetch` would. */
export const request = (
  url: string,
  path: string,
  options: {
    readonly method?: string
    readonly headers?: Record<string, string>
    readonly body?: string | undefined
    readonly agent?: Http.Agent
    /** The address that the client has. */
    readonly localAddress?: string
  } = {}
): Effect.Effect<Answered, ConnectionError> =>
  Effect.async((resume) => {
    const { hostname, port } = new URL(url)
    const outgoing = Http.request({
      hostname,
      port,
      path,
      method: options.method ?? "GET",
      agent: options.agent ?? false,
      ...(options.localAddress !== undefined && { localAddress: options.localAddress }),
      headers: {
        ...options.headers,
        ...(options.body !== undefined && { "content-length": String(Buffer.byteLength(options.body)) })
      }
    }, (incoming) => {
      const chunks: Array<Buffer> = []
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk))
      incoming.on("end", () => {
        const text = Buffer.concat(chunks).toString("utf8")
        const isJson = incoming.headers["content-type"]?.startsWith("application/json") === true && text !== ""
        resume(Effect.succeed({
          status: incoming.statusCode ?? 0,
          headers: incoming.headers,
          text,
          body: isJson ? JSON.parse(text) : text
        }))
      })
    })
    outgoing.on("error", (error: NodeJS.ErrnoException) => {
      resume(Effect.fail(new ConnectionError({ code: error.code })))
    })
    outgoing.end(options.body)
  })
