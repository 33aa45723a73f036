/**
 * Faults on request: what a network, a proxy or a server in trouble does to some of the requests.
 *
 * A fault strikes over sockets and without; where there is no socket, the client sees the nearest `HttpClientError`.
 *
 * @example
 * ```ts
 * import { Emulator } from "effect-infisical-emulator"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const emulator = yield* Emulator.Emulator
 *   yield* emulator.faults.add({ fault: { _tag: "Respond", status: 503 }, route: "/api/v3/secrets", times: 2 })
 *   // the next two lists fail, the third is answered
 * }).pipe(Effect.provide(Emulator.layer({ secrets: { NAME: "value" } })))
 * ```
 *
 * @since 0.1.0
 */
import * as Headers from "@effect/platform/Headers"
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Array from "effect/Array"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Http from "node:http"
import * as EmulatorState from "./EmulatorState.js"
import { DurationInput } from "./internal/duration.js"
import * as Served from "./internal/served.js"
import * as World from "./World.js"

/**
 * What goes wrong.
 *
 * With the first three the request is not carried out. With all others it is, and its answer is tampered with.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Fault = Schema.Union(
  /** The connection is reset before a byte of an answer: the route is not known before the connection stands. */
  Schema.TaggedStruct("RefuseConnection", {}),
  /** There is no answer, for as long as the client waits. */
  Schema.TaggedStruct("Hang", {}),
  /** Another answer: a body that is no text is sent as JSON. */
  Schema.TaggedStruct("Respond", {
    status: Schema.Int.pipe(Schema.between(200, 599, { message: () => "must be a status from 200 to 599" })),
    body: Schema.optional(Schema.Unknown),
    headers: Schema.optionalWith(Schema.Record({ key: Schema.String, value: Schema.String }), { default: () => ({}) })
  }),
  /** Half of the body, then the connection is reset. */
  Schema.TaggedStruct("ResetMidBody", {}),
  /** Half of the body, then the connection is closed as if that were all, although more was announced. */
  Schema.TaggedStruct("Truncate", {}),
  /** The body in pieces, with a pause before each. */
  Schema.TaggedStruct("Trickle", {
    bytes: Schema.optionalWith(
      Schema.Int.pipe(Schema.positive({ message: () => "must be a positive number" })),
      { default: () => 1 }
    ),
    interval: Schema.optionalWith(DurationInput, { default: () => Duration.millis(100) })
  }),
  /** The body without its last character. */
  Schema.TaggedStruct("MalformedJson", {}),
  /** JSON, but nothing that the route is known to answer. */
  Schema.TaggedStruct("WrongShape", {}),
  /** The request is carried out, and answered, so much later. */
  Schema.TaggedStruct("Delay", { duration: DurationInput }),
  /** The ETag is not the one that the server would know again. */
  Schema.TaggedStruct("WrongETag", { etag: Schema.optionalWith(Schema.String, { default: () => "\"wrong\"" }) }),
  /** The server's clock is off: in what it writes, in what it takes for expired, and in its `date`. */
  Schema.TaggedStruct("ClockSkew", {
    by: DurationInput.pipe(
      Schema.lessThanOrEqualToDuration("36500 days", { message: () => "must be a hundred years at most" })
    ),
    direction: Schema.optionalWith(Schema.Literal("ahead", "behind"), { default: () => "ahead" as const })
  })
)

/**
 * @since 0.1.0
 * @category models
 */
export type Fault = typeof Fault.Type

/**
 * A fault, and which requests it strikes: those of a method and a route (each by default all), a share of them, the
 * next so many.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Rule = Schema.Struct({
  fault: Fault,
  method: Schema.optional(Schema.Literal("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")),
  /** The route's pattern, for example `/api/v3/secrets/:secretName`. */
  route: Schema.optional(Schema.String),
  /** How many requests it strikes. By default every one until it is cleared. */
  times: Schema.optional(Schema.Int.pipe(Schema.positive({ message: () => "must be a positive number" }))),
  /** The share of requests that it strikes, from 0 to 1. By default 1. */
  share: Schema.optional(Schema.Number.pipe(Schema.between(0, 1, { message: () => "must be from 0 to 1" })))
})

/**
 * @since 0.1.0
 * @category models
 */
export type Rule = typeof Rule.Type

/**
 * A rule as it is written.
 *
 * @since 0.1.0
 * @category models
 */
export type Input = typeof Rule.Encoded

/**
 * A rule has mistakes.
 *
 * @since 0.1.0
 * @category errors
 */
export class FaultError extends Data.TaggedError("FaultError")<{
  readonly mistakes: ReadonlyArray<World.Mistake>
}> {
  override get message(): string {
    return `The fault has ${this.mistakes.length === 1 ? "a mistake" : "mistakes"}: ${
      this.mistakes.map(({ place, problem }) => place === "" ? problem : `${place} ${problem}`).join("; ")
    }`
  }
}

/**
 * The connection ends before the answer does: reset, or closed as if all were well.
 *
 * @since 0.1.0
 * @category errors
 */
export class ConnectionLost extends Data.TaggedError("ConnectionLost")<{ readonly how: "reset" | "closed" }> {
  override get message(): string {
    return `The connection was ${this.how}`
  }
}

/**
 * The service behind `Faults`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /**
   * From now on this happens, too. Where several rules meet, what was added first acts first.
   *
   * Fails with `FaultError` where the rule has mistakes.
   */
  readonly add: (rule: Input) => Effect.Effect<void, FaultError>
  /** The same, of something that may be no rule. */
  readonly addUnknown: (rule: unknown) => Effect.Effect<void, FaultError>
  /** From now on nothing goes wrong. */
  readonly clear: Effect.Effect<void>
  /** The rules that can still strike, and how many more times. */
  readonly rules: Effect.Effect<ReadonlyArray<Rule>>
  /** The faults that strike this request, each as it comes to its turn. */
  readonly striking: (
    request: { readonly method: string; readonly route: string | undefined }
  ) => Effect.Effect<ReadonlyArray<{ readonly fault: Fault; readonly strikes: Effect.Effect<boolean> }>>
}

/**
 * What goes wrong from now on.
 *
 * @since 0.1.0
 * @category tags
 */
export class Faults extends Context.Tag("effect-infisical-emulator/Faults")<Faults, Service>() {}

/**
 * Nothing goes wrong yet.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<Service> = Effect.map(
  Ref.make<ReadonlyArray<{ readonly rule: Rule; readonly left: Ref.Ref<number> }>>([]),
  (entries): Service => {
    const addUnknown = (input: unknown) =>
      Effect.gen(function*() {
        const rule = yield* decode(input)
        const left = yield* Ref.make(rule.times ?? Number.POSITIVE_INFINITY)
        yield* Ref.update(entries, Array.append({ rule, left }))
      })
    return {
      add: addUnknown,
      addUnknown,
      clear: Ref.set(entries, []),
      rules: Effect.flatMap(
        Ref.get(entries),
        (all) =>
          Effect.map(
            Effect.forEach(all, ({ left, rule }) =>
              Effect.map(Ref.get(left), (times) =>
                rule.times === undefined ? [rule] : times > 0 ? [{ ...rule, times }] : [])),
            (rules) =>
              rules.flat()
          )
      ),
      striking: ({ method, route }) =>
        Effect.map(Ref.get(entries), (all) =>
          all
            .filter(({ rule }) =>
              (rule.method ?? method) === method && (rule.route === undefined || rule.route === route)
            )
            .map(({ left, rule }) => ({
              fault: rule.fault,
              strikes: Effect.if(drawn(rule.share ?? 1), {
                onTrue: () => Ref.modify(left, (times) => times > 0 ? [true, times - 1] : [false, times]),
                onFalse: () => Effect.succeed(false)
              })
            })))
    }
  }
)

/**
 * Nothing goes wrong yet.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<Faults> = Layer.effect(Faults, make)

/**
 * The app as its clients see it when what is to go wrong goes wrong.
 *
 * @since 0.1.0
 * @category combinators
 */
export const afflict = <E, R>(
  self: Service,
  state: EmulatorState.Service,
  route: string | undefined,
  app: HttpApp.Default<E, R>
): HttpApp.Default<E | ConnectionLost, R> =>
  Effect.gen(function*() {
    const request = yield* HttpServerRequest.HttpServerRequest
    const faults = yield* self.striking({ method: request.method, route })
    const record = (status: number | undefined) => EmulatorState.record(state, { request, route, status })
    return yield* faults.reduceRight<HttpApp.Default<E | ConnectionLost, R>>(
      (rest, { fault, strikes }) =>
        Effect.if(strikes, { onTrue: () => inflict(fault, rest, record), onFalse: () => rest }),
      app
    )
  })

const decode = (input: unknown): Effect.Effect<Rule, FaultError> =>
  Schema.decodeUnknown(Rule, { errors: "all", onExcessProperty: "error" })(input).pipe(
    Effect.mapError((error) => new FaultError({ mistakes: World.fromParseError(error) })),
    Effect.filterOrFail(
      ({ fault }) => headersOf(fault).every(canBeSent),
      () =>
        new FaultError({ mistakes: [World.mistake(["fault"], "must have only headers that can be sent over HTTP")] })
    ),
    // A rule for a route that does not exist would never strike, and nobody would know why.
    Effect.filterOrFail(
      ({ method, route }) => route === undefined || Served.isServed(route, method),
      () =>
        new FaultError({
          mistakes: [
            World.mistake(
              ["route"],
              "must be the pattern of a route that the method has, such as \"/api/v3/secrets/:secretName\""
            )
          ]
        })
    )
  )

const headersOf = (fault: Fault): ReadonlyArray<readonly [name: string, value: string]> =>
  fault._tag === "Respond"
    ? Object.entries(fault.headers)
    : fault._tag === "WrongETag"
    ? [["etag", fault.etag]]
    : []

const canBeSent = ([name, value]: readonly [name: string, value: string]): boolean => {
  try {
    Http.validateHeaderName(name)
    Http.validateHeaderValue(name, value)
    return true
  } catch {
    return false
  }
}

const drawn = (share: number): Effect.Effect<boolean> =>
  share === 1 ? Effect.succeed(true) : Effect.map(Random.next, (number) => number < share)

const inflict = <E, R>(
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
