/**
 * A resource that is built from a secret, for example a database pool, and is replaced when the secret changes.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as HashMap from "effect/HashMap"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Random from "effect/Random"
import * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import type { ReadError } from "./model/InfisicalError.js"
import type { Secret } from "./model/Secret.js"
import * as Secrets from "./Secrets.js"

/**
 * A resource that is replaced when its secret changes.
 *
 * @since 0.1.0
 * @category models
 */
export interface RotatingResource<A> {
  /**
   * Uses the current resource. The resource stays open until the use ends, even if the secret changes.
   *
   * Dies after the scope of the rotating resource is closed.
   */
  readonly use: <B, E, R>(use: (resource: A) => Effect.Effect<B, E, R>) => Effect.Effect<B, E, R>
  /**
   * The current resource. It stays open until the caller's scope is closed.
   *
   * Dies after the scope of the rotating resource is closed.
   */
  readonly get: Effect.Effect<A, never, Scope.Scope>
}

/**
 * Which secret a resource is built from, and how.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options<A, E, R> extends Secrets.ReadOptions {
  /** The secret's name. */
  readonly name: string
  /** Builds the resource. What it acquires in its scope is released with the resource. */
  readonly acquire: (secret: Secret) => Effect.Effect<A, E, R>
}

/**
 * How long closing the scope waits for callers that use a resource. After that the resource is released while they use
 * it.
 *
 * @since 0.1.0
 * @category constants
 */
export const useTimeout: Duration.Duration = Duration.seconds(5)

/**
 * How long closing the scope waits for releases to end. After that they continue in the background.
 *
 * @since 0.1.0
 * @category constants
 */
export const releaseTimeout: Duration.Duration = Duration.seconds(5)

/**
 * Builds a resource from the current value of a secret, and again from each new value.
 *
 * The new resource is acquired before the old one is released. The old one is released when its last use ends, in the
 * background: a release that never ends does not block callers or later rotations. If acquiring the new one fails, the
 * old one stays in use, and acquiring is retried after a pause that grows from one second to one minute. A newer value
 * replaces a value that is still being retried, or whose acquisition hangs.
 *
 * Closing the scope waits up to 5 seconds (`useTimeout`) for callers to finish with the resource and up to 5 seconds
 * (`releaseTimeout`) for it to be released. After that `use` and `get` die.
 *
 * `acquire` and what it releases run with the context and the fiber refs of `make`, never with those of a caller of
 * `use`. The log does not show why `acquire` failed, since the error of a driver can contain the secret.
 *
 * Fails with the errors of `Secrets.get`, and with those of `acquire` for the first resource.
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
  options: Options<A, E, R>
): Effect.Effect<
  RotatingResource<A>,
  E | ReadError,
  Secrets.Secrets | Scope.Scope | Exclude<R, Scope.Scope>
> =>
  // Uninterruptible, so that a resource that was acquired always gets its finalizer.
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function*() {
      const { acquire, name, ...where } = options
      const secrets = yield* Secrets.Secrets
      const context = withoutParentSpan(yield* Effect.context<Exclude<R, Scope.Scope>>())

      const secret = yield* restore(secrets.get(name, where))
      const first = yield* build(0, secret, restore(acquire(secret)), context)
      const core = yield* makeCore(name, first)

      /** Ends when the value is in use, or another value superseded it. */
      const rotate = (id: number, secret: Secret): Effect.Effect<void> =>
        Effect.uninterruptibleMask((restore) =>
          Effect.flatMap(
            build(id, secret, restore(acquire(secret)), context),
            (generation) =>
              Effect.flatMap(core.transition(install(generation)), (isInstalled) =>
                isInstalled
                  ? Effect.logInfo(`Rotated the resource built from secret "${name}"`)
                  : core.release(generation))
          )
        ).pipe(retryBuild(name))

      const watcher = yield* secrets.watch(name, where).pipe(
        Stream.runForEach((secret) => startRotation(core, secret, rotate)),
        Effect.sandbox,
        Effect.retry(Schedule.spaced("1 minute")),
        Effect.ignore,
        fork
      )
      yield* Effect.addFinalizer(() => close(core, watcher))

      const begin = Effect.flatten(core.transition(beginUse(name)))
      const end = ({ id }: Generation<A>) => core.transition(endUse(id))
      return {
        use: (use) => Effect.acquireUseRelease(begin, ({ resource }) => use(resource), end),
        get: Effect.map(Effect.acquireRelease(begin, end), ({ resource }) => resource)
      }
    })
  )

/**
 * `make` as a service: a layer that builds the resource, and releases it with the layer.
 *
 * @example
 * ```ts
 * import { RotatingResource } from "effect-infisical"
 * import { Context, Effect, Redacted } from "effect"
 *
 * interface Pool {
 *   readonly query: (sql: string) => Effect.Effect<number>
 *   readonly end: Effect.Effect<void>
 * }
 * declare const makePool: (url: string) => Effect.Effect<Pool>
 *
 * class Database extends Context.Tag("Database")<Database, RotatingResource.RotatingResource<Pool>>() {
 *   static readonly layer = RotatingResource.layer(Database, {
 *     name: "DATABASE_URL",
 *     acquire: (secret) => Effect.acquireRelease(makePool(Redacted.value(secret.value)), (pool) => pool.end)
 *   })
 * }
 *
 * const count = Effect.flatMap(Database, (database) => database.use((pool) => pool.query("select 1")))
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = <Self, A, E, R>(
  tag: Context.Tag<Self, RotatingResource<A>>,
  options: Options<A, E, R>
): Layer.Layer<Self, E | ReadError, Secrets.Secrets | Exclude<R, Scope.Scope>> => Layer.scoped(tag, make(options))

// The state. A transition is a pure function: the next state, a result, and the resources to release.

/** The resource built from one value of the secret. */
interface Generation<A> {
  readonly id: number
  readonly value: Secret["value"]
  readonly resource: A
  readonly scope: Scope.CloseableScope
  readonly users: number
  /** Done with the exit of its release. */
  readonly released: Deferred.Deferred<void>
}

type Retired<A> = HashMap.HashMap<number, Generation<A>>

interface Open<A> {
  readonly _tag: "Open"
  readonly current: Generation<A>
  /** The id of the last value seen. Only a generation with this id may become the current one. */
  readonly latestId: number
  /** Builds the last value seen, or has done it. */
  readonly rotation: Option.Option<Fiber.RuntimeFiber<void>>
  /** Replaced, but in use or not released yet. */
  readonly retired: Retired<A>
}

type State<A> = Open<A> | { readonly _tag: "Closed"; readonly retired: Retired<A> }

interface Transition<A, B> {
  readonly next: State<A>
  readonly result: B
  /** No longer in use. */
  readonly release: ReadonlyArray<Generation<A>>
}

const to = <A, B>(next: State<A>, result: B, release: ReadonlyArray<Generation<A>> = []): Transition<A, B> => ({
  next,
  result,
  release: release.filter(({ users }) => users === 0)
})

const retire = <A>(retired: Retired<A>, generation: Generation<A>) => HashMap.set(retired, generation.id, generation)

const beginUse = (name: string) => <A>(state: State<A>): Transition<A, Effect.Effect<Generation<A>>> => {
  if (state._tag === "Closed") return to(state, Effect.dieMessage(closedMessage(name)))
  const current = { ...state.current, users: state.current.users + 1 }
  return to({ ...state, current }, Effect.succeed(current))
}

const endUse = (id: number) => <A>(state: State<A>): Transition<A, void> => {
  if (state._tag === "Open" && state.current.id === id) {
    return to({ ...state, current: { ...state.current, users: state.current.users - 1 } }, undefined)
  }
  const generation = Option.getOrUndefined(HashMap.get(state.retired, id))
  // Released while in use, after `useTimeout`.
  if (generation === undefined || generation.users === 0) return to(state, undefined)
  const left = { ...generation, users: generation.users - 1 }
  return to({ ...state, retired: retire(state.retired, left) }, undefined, [left])
}

/** A new value was seen: no build of an earlier one may be installed. Gives the id of the build to start, if any. */
const supersede = (value: Secret["value"]) =>
<A>(state: State<A>): Transition<A, {
  readonly id: Option.Option<number>
  readonly previous: Option.Option<Fiber.RuntimeFiber<void>>
}> => {
  if (state._tag === "Closed") return to(state, { id: Option.none(), previous: Option.none() })
  const latestId = state.latestId + 1
  return to({ ...state, latestId, rotation: Option.none() }, {
    id: Equal.equals(state.current.value, value) ? Option.none() : Option.some(latestId),
    previous: state.rotation
  })
}

/** Whether the rotation may go on. */
const started = (rotation: Fiber.RuntimeFiber<void>) => <A>(state: State<A>): Transition<A, boolean> =>
  state._tag === "Closed" ? to(state, false) : to({ ...state, rotation: Option.some(rotation) }, true)

/** Whether the generation is the current one now. If not, it was superseded, and has no users. */
const install = <A>(generation: Generation<A>) => (state: State<A>): Transition<A, boolean> =>
  state._tag === "Closed" || state.latestId !== generation.id
    ? to(state, false)
    : to({ ...state, current: generation, retired: retire(state.retired, state.current) }, true, [state.current])

const forget = (id: number) => <A>(state: State<A>): Transition<A, void> =>
  to({ ...state, retired: HashMap.remove(state.retired, id) }, undefined)

const closeState = <A>(state: State<A>): Transition<A, Option.Option<Fiber.RuntimeFiber<void>>> =>
  state._tag === "Closed"
    ? to(state, Option.none())
    : to({ _tag: "Closed", retired: retire(state.retired, state.current) }, state.rotation, [state.current])

/** Takes the generations out of use that are still in use. Gives their number. */
const endAllUses = <A>(state: State<A>): Transition<A, number> => {
  const used = HashMap.toValues(state.retired).filter(({ users }) => users > 0)
  const unused = used.map((generation) => ({ ...generation, users: 0 }))
  return to({ ...state, retired: unused.reduce(retire, state.retired) }, used.length, unused)
}

// The fibers around it.

interface Core<A> {
  readonly name: string
  readonly state: Ref.Ref<State<A>>
  /** Applies a transition, and starts to release what is no longer in use. */
  readonly transition: <B>(f: (state: State<A>) => Transition<A, B>) => Effect.Effect<B>
  readonly release: (generation: Generation<A>) => Effect.Effect<void>
  readonly releaser: Fiber.RuntimeFiber<void>
}

const makeCore = <A>(name: string, first: Generation<A>): Effect.Effect<Core<A>> =>
  Effect.gen(function*() {
    const state = yield* Ref.make<State<A>>({
      _tag: "Open",
      current: first,
      latestId: first.id,
      rotation: Option.none(),
      retired: HashMap.empty()
    })
    const queue = yield* Queue.unbounded<Generation<A>>()

    const transition: Core<A>["transition"] = (f) =>
      Effect.uninterruptible(Effect.flatMap(
        Ref.modify(state, (before) => {
          const applied = f(before)
          return [applied, applied.next]
        }),
        ({ release, result }) => Effect.as(Queue.offerAll(queue, release), result)
      ))

    const release = (generation: Generation<A>) =>
      Scope.close(generation.scope, Exit.void).pipe(
        Effect.tapErrorCause(() => Effect.logWarning(`Releasing a resource built from secret "${name}" died`)),
        Effect.exit,
        Effect.flatMap((exit) =>
          Effect.zipRight(transition(forget(generation.id)), Deferred.done(generation.released, exit))
        ),
        Effect.asVoid
      )

    // Releases run here, and not in the fiber of a caller that ends a use, for whose services they are none.
    const releaser = yield* Queue.take(queue).pipe(
      Effect.flatMap((generation) => Effect.forkDaemon(Effect.uninterruptible(release(generation)))),
      Effect.forever,
      fork
    )
    return { name, state, transition, release, releaser }
  })

/** Builds a generation. If that fails, waits at most `releaseTimeout` until what was acquired is released. */
const build = <A, E, R>(
  id: number,
  secret: Secret,
  acquire: Effect.Effect<A, E, R>,
  context: Context.Context<Exclude<R, Scope.Scope>>
): Effect.Effect<Generation<A>, E> =>
  Effect.gen(function*() {
    const scope = yield* Scope.make()
    const released = yield* Deferred.make<void>()
    const resource = yield* Scope.extend(acquire, scope).pipe(
      Effect.provide(context),
      Effect.onError((cause) =>
        Effect.flatMap(
          fork(Scope.close(scope, Exit.failCause(cause))),
          (closing) => waitFor(Fiber.join(closing), releaseTimeout)
        )
      )
    )
    return { id, value: secret.value, resource, scope, users: 0, released }
  })

/** Interrupts the build of the previous value, but does not wait for it: an acquisition can be uninterruptible. */
const startRotation = <A>(
  core: Core<A>,
  secret: Secret,
  rotate: (id: number, secret: Secret) => Effect.Effect<void>
) =>
  Effect.uninterruptible(Effect.gen(function*() {
    const { id, previous } = yield* core.transition(supersede(secret.value))
    if (Option.isSome(previous)) yield* Fiber.interruptFork(previous.value)
    if (Option.isNone(id)) return
    const rotation = yield* fork(rotate(id.value, secret))
    if (!(yield* core.transition(started(rotation)))) yield* Fiber.interruptFork(rotation)
  }))

const retryBuild = (name: string) => <E>(rotation: Effect.Effect<void, E>): Effect.Effect<void> => {
  const pause = (failures: number) =>
    Effect.flatMap(Random.nextRange(0.8, 1.2), (jitter) => {
      const seconds = Math.min(60, 2 ** failures * jitter)
      return Effect.logWarning(
        `Building the resource from the new value of secret "${name}" failed; keeping the current one, ` +
          `retrying in ${seconds.toFixed(1)} s`
      ).pipe(Effect.zipRight(Effect.sleep(Duration.seconds(seconds))))
    })
  const attempt = (failures: number): Effect.Effect<void> =>
    Effect.catchAllCause(rotation, () => Effect.flatMap(pause(failures), () => attempt(failures + 1)))
  return attempt(0)
}

/** Closes in bounded time. Fails as the releases do. */
const close = <A>({ name, releaser, state, transition }: Core<A>, watcher: Fiber.RuntimeFiber<void>) =>
  Effect.gen(function*() {
    const rotations = Option.toArray(yield* transition(closeState))
    yield* Effect.forEach([watcher, ...rotations], Fiber.interruptFork)

    const generations = HashMap.toValues((yield* Ref.get(state)).retired)
    const used = generations.filter(({ users }) => users > 0)
    yield* waitFor(awaitReleases(used), useTimeout)
    const stillUsed = yield* transition(endAllUses)
    const resource = `resource built from secret "${name}"`
    if (stillUsed > 0) {
      const after = Duration.format(useTimeout)
      yield* Effect.logWarning(
        `A ${resource} is still in use ${after} after its scope began to close; releasing it now`
      )
    }
    const end = Effect.zipLeft(awaitReleases(generations), Fiber.awaitAll(rotations))
    const exit = yield* waitFor(end, releaseTimeout)
    if (Option.isNone(exit)) {
      const time = Duration.format(releaseTimeout)
      yield* Effect.logWarning(`Releasing a ${resource} has not ended within ${time}; it continues in the background`)
    }
    yield* Fiber.interruptFork(releaser)
    return yield* Option.getOrElse(exit, () => Exit.void)
  })

const awaitReleases = <A>(generations: ReadonlyArray<Generation<A>>): Effect.Effect<Exit.Exit<void>> =>
  Effect.map(
    Effect.forEach(generations, ({ released }) => Effect.exit(Deferred.await(released))),
    (exits) => Exit.asVoid(Option.getOrElse(Exit.all(exits), () => Exit.succeed([])))
  )

/** Ends in time even if the region is uninterruptible, as finalizers are. */
const waitFor = <A, E>(effect: Effect.Effect<A, E>, duration: Duration.Duration) =>
  Effect.timeoutOption(Effect.interruptible(effect), duration)

/** In a fiber that no caller owns. It has the fiber refs of the one that forks it, but outlives the span. */
const fork = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<Fiber.RuntimeFiber<A, E>, never, R> =>
  Effect.interruptible(Effect.mapInputContext(effect, withoutParentSpan<R>)).pipe(
    Effect.forkDaemon,
    // The log would show what a defect quotes, such as the secret.
    Effect.withUnhandledErrorLogLevel(Option.none())
  )

const withoutParentSpan = <R>(context: Context.Context<R>): Context.Context<R> => {
  const services = new Map(context.unsafeMap)
  services.delete(Tracer.ParentSpan.key)
  return Context.unsafeMake(services)
}

const closedMessage = (name: string) =>
  `The resource built from secret "${name}" was used after the scope of its RotatingResource was closed. ` +
  `Keep that scope open for as long as the resource is used.`
