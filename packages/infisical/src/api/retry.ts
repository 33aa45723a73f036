/** Retries, within a deadline that ends the attempt under way as well. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type * as InfisicalConfig from "../config/InfisicalConfig.js"
import type { AnswerError } from "../model/InfisicalError.js"
import { NetworkError } from "../model/InfisicalError.js"
import { backoff } from "../support/backoff.js"
import { remaining } from "./deadline.js"

/**
 * Makes a request until it succeeds, fails for good, or the time is up: `retry.deadline`, or what remains of the call's
 * deadline, whichever comes first. Effect's schedules do not see the pause that a server asks for, so it is computed here.
 */
export const withRetries = <A>(
  { requestTimeout, retry }: InfisicalConfig.Service,
  options: {
    readonly endpoint: string
    readonly mayRetry: (error: AnswerError) => error is NetworkError
    /** Makes one attempt, which must end within these milliseconds. */
    readonly attempt: (timeout: number) => Effect.Effect<A, AnswerError>
  }
): Effect.Effect<A, AnswerError> =>
  Effect.gen(function*() {
    const deadline = (yield* Clock.currentTimeMillis) +
      Math.min(Duration.toMillis(retry.deadline), yield* remaining)
    const run = (attempt: number): Effect.Effect<A, AnswerError> =>
      Effect.flatMap(Clock.currentTimeMillis, (now) =>
        now >= deadline
          // Nothing was sent.
          ? new NetworkError({ reason: "Timeout", endpoint: options.endpoint, mayHaveBeenApplied: false })
          : Effect.catchAll(
            options.attempt(Math.min(Duration.toMillis(requestTimeout), deadline - now)),
            (error) =>
              !options.mayRetry(error) || attempt > retry.times ? Effect.fail(error) : Effect.gen(function*() {
                const pause = yield* pauseBefore(attempt, error, retry)
                if ((yield* Clock.currentTimeMillis) + pause >= deadline) return yield* Effect.fail(error)
                yield* Effect.sleep(pause)
                return yield* run(attempt + 1)
              })
          ))
    return yield* run(1)
  })

const pauseBefore = (attempt: number, error: NetworkError, retry: InfisicalConfig.Service["retry"]) =>
  error.retryAfter !== undefined
    ? Effect.succeed(Math.ceil(Duration.toMillis(error.retryAfter)))
    : Effect.map(Random.nextRange(0.8, 1.2), (jitter) =>
      backoff({
        attempt,
        base: Duration.toMillis(retry.baseDelay),
        max: Duration.toMillis(retry.maxDelay),
        jitter
      }))
