/** The API reference, generated from the wire. The page needs nothing from the network. */
import * as HttpApiSwagger from "@effect/platform/HttpApiSwagger"
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpLayerRouter from "@effect/platform/HttpLayerRouter"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { Wire } from "effect-infisical"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** Where it is. */
export const path = "/docs"

/** Makes the page, and gives what puts it before an app. `/` leads there. */
export const make: Effect.Effect<
  <E>(app: HttpApp.Default<E>) => HttpApp.Default<E>,
  never,
  Scope.Scope
> = Effect.map(
  HttpLayerRouter.toHttpEffect(HttpApiSwagger.layerHttpLayerRouter({ api: Wire.api, path })),
  (page) => (app) =>
    Effect.flatMap(HttpServerRequest.HttpServerRequest, ({ method, url }) =>
      method !== "GET"
        ? app
        : url === "/"
        ? Effect.succeed(HttpServerResponse.redirect(path))
        : url === path
        ? Effect.orElse(Effect.scoped(page), () => app)
        : app)
)
