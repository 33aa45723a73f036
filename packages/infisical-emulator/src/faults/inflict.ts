/**
 * What a fault does to a request or its answer.
 *
 * @since 0.1.0
 */
import * as Headers from "@effect/platform/Headers"
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Fault } from "./schemas.js"
import { ConnectionLost } from "./schemas.js"

export const inflict = <E, R>(
  fault: Fault,
  app: HttpApp.Default<E, R>,
  record: (status: number | undefined) => Effect.Effect<void>
): HttpApp.Default<E | ConnectionLost, R> => {
  switch (fault._tag) {
    case "RefuseConnection":
      return Effect.zipRight(record(undefined), Effect.fail(new ConnectionLost({ how: "reset" })))
    case "Hang":
      return Effect.zipRight(record(undefined), Effect.never)
    case "Respond":
      return Effect.as(record(fault.status), respond(fault))
    case "Delay":
      return Effect.zipRight(Effect.sleep(fault.duration), app)
    case "ClockSkew": {
      const by = Duration.toMillis(fault.by) * (fault.direction === "ahead" ? 1 : -1)
      return Effect.clockWith((clock) =>
        Effect.map(
          Effect.withClock(app, skewed(clock, by)),
          HttpServerResponse.setHeader("date", new Date(clock.unsafeCurrentTimeMillis() + by).toUTCString())
        )
      )
    }
    case "WrongETag":
      return Effect.map(app, HttpServerResponse.setHeader("etag", fault.etag))
    case "WrongShape":
      return Effect.map(app, withText(() => "{\"unexpected\":true}"))
    case "MalformedJson":
      return Effect.map(app, withText((text) => text.slice(0, -1)))
    case "ResetMidBody":
      return Effect.map(app, withStream((bytes) => halfThen(bytes, new ConnectionLost({ how: "reset" }))))
    case "Truncate":
      return Effect.map(app, withStream((bytes) => halfThen(bytes, new ConnectionLost({ how: "closed" }))))
    case "Trickle":
      return Effect.map(
        app,
        withStream((bytes) =>
          Stream.unfold(0, (offset) =>
            offset < bytes.length
              ? Option.some([bytes.subarray(offset, offset + fault.bytes), offset + fault.bytes])
              : Option.none()).pipe(Stream.tap(() => Effect.sleep(fault.interval)))
        )
      )
  }
}

const respond = (
  { body, headers, status }: Extract<Fault, { readonly _tag: "Respond" }>
): HttpServerResponse.HttpServerResponse =>
  body === undefined
    ? HttpServerResponse.empty({ status, headers })
    : typeof body === "string"
    ? HttpServerResponse.text(body, { status, headers })
    : HttpServerResponse.text(JSON.stringify(body), {
      status,
      headers: Headers.setAll(Headers.unsafeFromRecord({ "content-type": "application/json" }), headers)
    })

const skewed = (clock: Clock.Clock, by: number): Clock.Clock => {
  const unsafeCurrentTimeMillis = () => clock.unsafeCurrentTimeMillis() + by
  const unsafeCurrentTimeNanos = () => clock.unsafeCurrentTimeNanos() + BigInt(Math.round(by)) * 1_000_000n
  return {
    [Clock.ClockTypeId]: Clock.ClockTypeId,
    unsafeCurrentTimeMillis,
    unsafeCurrentTimeNanos,
    currentTimeMillis: Effect.sync(unsafeCurrentTimeMillis),
    currentTimeNanos: Effect.sync(unsafeCurrentTimeNanos),
    sleep: (duration) => clock.sleep(duration)
  }
}

const bytesOf = ({ body }: HttpServerResponse.HttpServerResponse): Uint8Array =>
  body._tag === "Uint8Array" ? body.body : new Uint8Array()

const withText =
  (f: (text: string) => string) =>
  (response: HttpServerResponse.HttpServerResponse): HttpServerResponse.HttpServerResponse =>
    // An answer without a body (304) stays one.
    response.body._tag === "Empty" ? response : HttpServerResponse.setBody(
      response,
      HttpBody.text(f(new TextDecoder().decode(bytesOf(response))), response.headers["content-type"])
    )

const withStream =
  (f: (bytes: Uint8Array) => Stream.Stream<Uint8Array, ConnectionLost>) =>
  (response: HttpServerResponse.HttpServerResponse): HttpServerResponse.HttpServerResponse => {
    const bytes = bytesOf(response)
    return response.body._tag === "Empty"
      ? response
      : HttpServerResponse.setBody(
        response,
        HttpBody.stream(f(bytes), response.headers["content-type"], bytes.length)
      )
  }

const halfThen = (bytes: Uint8Array, lost: ConnectionLost): Stream.Stream<Uint8Array, ConnectionLost> =>
  Stream.concat(Stream.make(bytes.subarray(0, Math.floor(bytes.length / 2))), Stream.fail(lost))
