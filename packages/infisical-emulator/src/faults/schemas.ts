/**
 * What can go wrong, as data.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import * as Http from "node:http"
import { DurationInput } from "../support/duration.js"
import * as Served from "../world/wireRoutes.js"
import * as World from "../world/World.js"

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
 * The encoded side of a rule.
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

export const decode = (input: unknown): Effect.Effect<Rule, FaultError> =>
  Schema.decodeUnknown(Rule, { errors: "all", onExcessProperty: "error" })(input).pipe(
    Effect.mapError((error) => new FaultError({ mistakes: World.fromParseError(error) })),
    Effect.filterOrFail(
      ({ fault }) => headersOf(fault).every(canBeSent),
      () =>
        new FaultError({ mistakes: [World.mistake(["fault"], "must have only headers that can be sent over HTTP")] })
    ),
    // A rule for a route that does not exist would never apply, and it would be hard to find out why.
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

export const drawn = (share: number): Effect.Effect<boolean> =>
  share === 1 ? Effect.succeed(true) : Effect.map(Random.next, (number) => number < share)
