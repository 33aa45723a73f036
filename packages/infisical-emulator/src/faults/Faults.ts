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
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as Array from "effect/Array"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import * as EmulatorState from "../state/EmulatorState.js"
import { inflict } from "./inflict.js"
import type { ConnectionLost, Fault, FaultError, Rule } from "./schemas.js"
import { decode, drawn, type Input } from "./schemas.js"

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

export { ConnectionLost, Fault, FaultError, type Input, Rule } from "./schemas.js"
