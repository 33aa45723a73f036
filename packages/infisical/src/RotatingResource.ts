/**
 * A resource that is built from a secret, a database pool for example, and built anew when the secret rotates.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { ReadError } from "./model/InfisicalError.js"
import type { Secret } from "./model/Secret.js"
import * as Secrets from "./Secrets.js"

/**
 * A resource that rotates with its secret.
 *
 * @since 0.1.0
 * @category models
 */
export interface RotatingResource<A> {
  /**
   * Uses the resource as it is now. It stays open until the use is over, whatever happens to the secret meanwhile.
   */
  readonly use: <B, E, R>(use: (resource: A) => Effect.Effect<B, E, R>) => Effect.Effect<B, E, R>
  /** The resource as it is now, which stays open until the scope is closed. */
  readonly get: Effect.Effect<A, never, Scope.Scope>
}

/** One resource, with those who use it. It is changed in place; nothing outside of `make` sees it. */
interface Generation<A> {
  readonly resource: A
  readonly scope: Scope.CloseableScope
  users: number
  retired: boolean
}

/**
 * Builds a resource from the current value of a secret, and again from each new one.
 *
 * The new resource is acquired before the old one is released. Those who are using the old one finish with it; it is
 * released when the last of them is done. If the new one cannot be built the old one stays, and building is tried again
 * after a pause that grows from a second to a minute, or with the next rotation. All are released with the scope.
 *
 * Fails with what `Secrets.get` raises, and with what `acquire` raises for the first resource.
 *
 * @example
 * ```ts
 * import { RotatingResource } from "effect-infisical"
 * import { Effect, Redacted } from "effect"
 *
 * declare const makePool: (url: string) => Effect.Effect<{ readonly end: Effect.Effect<void> }>
 *
 * const pool = RotatingResource.make({
 *   name: "DATABASE_URL",
 *   acquire: (secret) =>
 *     Effect.acquireRelease(makePool(Redacted.value(secret.value)), (pool) => pool.end)
 * })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = <A, E, R>(
  options: Secrets.ReadOptions & {
    /** The secret's name. */
    readonly name: string
    /** Builds the resource; what it acquires in its scope is released with the resource. */
    readonly acquire: (secret: Secret) => Effect.Effect<A, E, R>
  }
): Effect.Effect<
  RotatingResource<A>,
  E | ReadError,
  Secrets.Secrets | Scope.Scope | Exclude<R, Scope.Scope>
> =>
  Effect.gen(function*() {
    const { acquire, name, ...where } = options
    const secrets = yield* Secrets.Secrets
    const context = yield* Effect.context<Exclude<R, Scope.Scope>>()
    const open = new Set<Generation<A>>()

    const build = (secret: Secret): Effect.Effect<Generation<A>, E> =>
      Effect.uninterruptibleMask((restore) =>
        Effect.gen(function*() {
          const scope = yield* Scope.make()
          const resource = yield* restore(Scope.extend(acquire(secret), scope)).pipe(
            Effect.provide(context),
            Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
          )
          const generation: Generation<A> = { resource, scope, users: 0, retired: false }
          open.add(generation)
          return generation
        })
      )

    const close = (generation: Generation<A>) =>
      Effect.suspend(() => {
        open.delete(generation)
        return Scope.close(generation.scope, Exit.void)
      })

    /** Nobody who uses a resource has to do with how an older one ends. */
    const retire = (generation: Generation<A>) =>
      Effect.catchAllCause(close(generation), () =>
        Effect.logWarning(`What was built from an earlier value of secret "${name}" died as it was released`))

    yield* Effect.addFinalizer(() =>
      Effect.flatMap(
        Effect.forEach([...open], (generation) =>
          Effect.exit(close(generation))),
        (exits) => Option.getOrElse(Exit.all(exits), () => Exit.void)
      )
    )
    const first = yield* secrets.get(name, where)
    let built = first.value
    let current = yield* build(first)

    const rotate = (secret: Secret) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.gen(function*() {
          const next = yield* restore(build(secret))
          const old = current
          current = next
          built = secret.value
          old.retired = true
          if (old.users === 0) yield* retire(old)
          yield* Effect.logInfo(`What is built from secret "${name}" was built anew`)
        })
      ).pipe(
        Effect.tapErrorCause(() =>
          Effect.logWarning(`What is built from secret "${name}" cannot be built from its new value; the old one stays`)
        ),
        // What dies of a value may live with the next.
        Effect.sandbox,
        Effect.retry(whenBuildingFails),
        Effect.ignore
      )

    yield* secrets.watch(name, where).pipe(
      Stream.flatMap((secret) => Equal.equals(secret.value, built) ? Stream.void : Stream.fromEffect(rotate(secret)), {
        switch: true
      }),
      Stream.runDrain,
      Effect.sandbox,
      Effect.retry(Schedule.spaced("1 minute")),
      Effect.forkScoped
    )

    const enter = Effect.sync(() => {
      current.users += 1
      return current
    })
    const leave = (generation: Generation<A>) =>
      Effect.suspend(() => {
        generation.users -= 1
        return generation.retired && generation.users === 0 ? retire(generation) : Effect.void
      })

    return {
      use: (use) => Effect.acquireUseRelease(enter, ({ resource }) => use(resource), leave),
      get: Effect.map(Effect.acquireRelease(enter, leave), ({ resource }) => resource)
    }
  })

const whenBuildingFails = Schedule.exponential("1 second").pipe(
  Schedule.jittered,
  Schedule.union(Schedule.spaced("1 minute"))
)
