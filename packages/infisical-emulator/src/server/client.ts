/** A client of an app, without a socket. */
import type * as HttpApp from "@effect/platform/HttpApp"
import type * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type * as Faults from "../faults/Faults.js"

export const withoutSocket = (app: HttpApp.Default<Faults.ConnectionLost>): HttpClient.HttpClient =>
  HttpClient.make((request, url) => {
    const failed = (reason: "Transport" | "Encode", cause: unknown) =>
      new HttpClientError.RequestError({ request, reason, cause })
    return Effect.gen(function*() {
      const body = yield* Effect.mapError(bodyOf(request.body), (cause) => failed("Encode", cause))
      const { headers, method } = request
      const webRequest = yield* Effect.try({
        try: () => new Request(url, { method, headers, ...(body !== undefined && { body }) }),
        catch: (cause) => failed("Encode", cause)
      })
      const response = yield* app.pipe(
        Effect.provideService(HttpServerRequest.HttpServerRequest, HttpServerRequest.fromWeb(webRequest)),
        Effect.scoped,
        Effect.mapError((cause) => failed("Transport", cause))
      )
      return HttpClientResponse.fromWeb(
        request,
        HttpServerResponse.toWeb(response, {
          withoutBody: method === "HEAD",
          runtime: yield* Effect.runtime<never>()
        })
      )
    })
  })

const bodyOf = (body: HttpBody.HttpBody): Effect.Effect<Blob | FormData | undefined, unknown> => {
  switch (body._tag) {
    case "Empty":
      return Effect.succeed(undefined)
    case "FormData":
      return Effect.succeed(body.formData)
    case "Uint8Array":
      return Effect.succeed(new Blob([new Uint8Array(body.body)]))
    case "Raw":
      return Effect.sync(() => new Blob([typeof body.body === "string" ? body.body : JSON.stringify(body.body)]))
    case "Stream":
      return Effect.map(
        Stream.runCollect(body.stream),
        (chunks) => new Blob(Chunk.toReadonlyArray(chunks).map((chunk) => new Uint8Array(chunk)))
      )
  }
}
