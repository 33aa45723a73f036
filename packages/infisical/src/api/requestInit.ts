/** The `RequestInit` that the user gave to `fetch`, for example with a dispatcher for a proxy. */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as InfisicalConfig from "../config/InfisicalConfig.js"
import { endAfter } from "./deadline.js"

/**
 * The `RequestInit` that requests of a client are made with. It is provided either to our layer or, as the platform's
 * documentation shows, only to `FetchHttpClient.layer`, where nothing but the client itself sees it.
 *
 * So the client is asked: it prepares a request in the context that it was built with. This request looks up the service
 * there and goes no further, so nothing is sent. What a client does before it prepares a request may fail or take time;
 * then only the service that our layer has is found.
 */
export const ofClient = (
  client: HttpClient.HttpClient,
  { requestTimeout }: InfisicalConfig.Service
): Effect.Effect<RequestInit> =>
  Effect.gen(function*() {
    const found = yield* Deferred.make<RequestInit>()
    const prepared = client.pipe(
      HttpClient.mapRequestInputEffect(() =>
        Effect.zipRight(Effect.flatMap(current, (init) => Deferred.succeed(found, init)), Effect.never)
      )
    )
    return yield* prepared.execute(HttpClientRequest.get("")).pipe(
      Effect.zipRight(current),
      Effect.raceFirst(Deferred.await(found)),
      (lookUp) => endAfter(lookUp, Duration.toMillis(requestTimeout), () => "Timeout" as const),
      Effect.catchAllCause(() => current)
    )
  })

const current = Effect.map(Effect.serviceOption(FetchHttpClient.RequestInit), Option.getOrElse((): RequestInit => ({})))
