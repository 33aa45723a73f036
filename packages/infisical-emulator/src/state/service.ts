/**
 * The state of a running server, and how it changes.
 *
 * @since 0.1.0
 */
import * as Chunk from "effect/Chunk"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as HashMap from "effect/HashMap"
import * as Ref from "effect/Ref"
import type * as World from "../world/World.js"
import type { AnsweredRequest, Counted, State } from "./model.js"

/**
 * The service behind `EmulatorState`. What is beside the state is gone when the server stops.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  readonly state: Ref.Ref<State>
  readonly requests: Ref.Ref<Chunk.Chunk<AnsweredRequest>>
  /** What the rate limit counts, by client address and route. */
  readonly counted: Ref.Ref<HashMap.HashMap<string, Counted>>
  /** Whether it is in maintenance mode, in which it refuses what is not read. */
  readonly maintenance: Ref.Ref<boolean>
}

/**
 * A state, and what the description of the world became in it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Held {
  readonly service: Service
  readonly world: World.Resolved
}

/**
 * What the server holds, and what it was asked.
 *
 * @since 0.1.0
 * @category tags
 */
export class EmulatorState extends Context.Tag("effect-infisical-emulator/EmulatorState")<EmulatorState, Service>() {}

/**
 * A server that holds a state and was not asked yet.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeService = (state: State): Effect.Effect<Service> =>
  Effect.all({
    state: Ref.make(state),
    requests: Ref.make(Chunk.empty<AnsweredRequest>()),
    counted: Ref.make(HashMap.empty<string, Counted>()),
    maintenance: Ref.make(false)
  })

/**
 * Keeps in mind that a request came, and what became of it.
 *
 * @since 0.1.0
 * @category combinators
 */
export const record = (
  self: Service,
  { request, route, status }: {
    readonly request: { readonly method: string; readonly url: string }
    readonly route: string | undefined
    readonly status: number | undefined
  }
): Effect.Effect<void> =>
  Ref.update(self.requests, Chunk.append({ method: request.method, route, path: request.url, status }))

/**
 * Changes the state, or leaves it as it is and says why.
 *
 * @since 0.1.0
 * @category combinators
 */
export const change = <A, E>(
  self: Service,
  f: (state: State) => Either.Either<readonly [answer: A, state: State], E>
): Effect.Effect<A, E> =>
  Effect.flatten(Ref.modify(self.state, (state) =>
    Either.match(f(state), {
      onLeft: (problem): readonly [Effect.Effect<A, E>, State] => [Effect.fail(problem), state],
      onRight: ([answer, next]): readonly [Effect.Effect<A, E>, State] => [Effect.succeed(answer), next]
    })))
