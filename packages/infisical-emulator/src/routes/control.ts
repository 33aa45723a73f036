/**
 * The control route: faults from outside of the process, for tests of a client in another language.
 *
 * It has no credential. So that no web page in a browser on this machine can use it, it answers only to a `Host` that
 * is the address of the server or a name of this machine (another name may have been rebound by a hostile name
 * server), and to no `Origin` but its own.
 */
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { IncomingMessage } from "node:http"
import * as Answer from "../eras/Answer.js"
import * as Faults from "../faults/Faults.js"
import * as Body from "./body.js"

/** Where it is. */
export const path = "/__emulator/faults"

/** The app with the control route. What comes there is neither recorded nor struck by faults. */
export const route = <E, R>(faults: Faults.Service, app: HttpApp.Default<E, R>): HttpApp.Default<E, R> =>
  Effect.flatMap(
    HttpServerRequest.HttpServerRequest,
    (request) =>
      request.url.split("?", 1)[0] === path
        ? Effect.map(isAllowed(request) ? control(faults, request) : Effect.succeed(foreign), toResponse)
        : app
  )

const loopback: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"])

const foreign = Answer.always(403, {
  statusCode: 403,
  message: `${path} answers only to the address of the server, and to localhost, as the Host, and to no other Origin`
})

const isAllowed = (request: HttpServerRequest.HttpServerRequest): boolean => {
  // Without a socket there is no browser.
  if (!(request.source instanceof IncomingMessage)) return true
  const { host = "", origin } = request.headers
  const hostname = /^(\[[^\]]*\]|[^:]*)(:\d+)?$/.exec(host.toLowerCase())?.[1] ?? ""
  const { localAddress } = NodeHttpServerRequest.toIncomingMessage(request).socket
  return (loopback.has(hostname) || hostname === hostOf(localAddress ?? "")) &&
    (origin === undefined || origin.toLowerCase() === `http://${host.toLowerCase()}`)
}

/** An address as a URL writes it. A server that listens on `::` sees IPv4 addresses as `::ffff:127.0.0.1`. */
const hostOf = (address: string): string => {
  const plain = address.replace(/^::ffff:(?=\d+\.)/, "")
  return plain.includes(":") ? `[${plain}]` : plain
}

const control = (
  faults: Faults.Service,
  request: HttpServerRequest.HttpServerRequest
): Effect.Effect<Answer.Answer> => {
  // Each rule as it can be posted again.
  const rules = Effect.map(faults.rules, (rules) => Answer.ok({ rules: rules.map((rule) => encode(rule)) }))
  switch (request.method) {
    case "GET":
      return rules
    case "DELETE":
      return Effect.zipRight(faults.clear, rules)
    case "POST":
      // Of another media type than JSON it is a text, which is no rule: so a web page elsewhere cannot send one unasked.
      return Body.read(request).pipe(
        Effect.flatMap((body) =>
          Effect.mapError(
            faults.addUnknown(body),
            ({ message, mistakes }) => Answer.always(400, { statusCode: 400, message, mistakes })
          )
        ),
        Effect.zipRight(rules),
        Effect.merge
      )
    default:
      return Effect.succeed(Answer.always(405, { statusCode: 405, message: `${path} knows GET, POST and DELETE` }))
  }
}

const encode = Schema.encodeSync(Faults.Rule)

const toResponse = ({ said }: Answer.Answer): HttpServerResponse.HttpServerResponse => {
  // The oldest words say most about a body that cannot be read.
  const { body, status } = said["2024-07"]
  return HttpServerResponse.text(JSON.stringify(body), { status, contentType: "application/json" })
}
