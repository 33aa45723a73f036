/** A line for each request, with nothing in it that may be secret. */
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"

/** The app, which logs method, path, status and duration of what it answers. */
export const logged = <E, R>(app: HttpApp.Default<E, R>): HttpApp.Default<E, R> =>
  Effect.gen(function*() {
    const { method, url } = yield* HttpServerRequest.HttpServerRequest
    const start = yield* Clock.currentTimeMillis
    return yield* Effect.onExit(app, (exit) =>
      Effect.flatMap(Clock.currentTimeMillis, (end) =>
        // The query is left out: what clients put there by mistake may be secret.
        Effect.logInfo(
          `${method} ${url.split("?", 1)[0]} ${Exit.isSuccess(exit) ? exit.value.status : "without an answer"} in ${
            end - start
          } ms`
        )))
  })
