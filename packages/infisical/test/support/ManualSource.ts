/** A source whose fetches and writes end when the test says so, under the test's clock. */
import { Deferred, Effect, type Exit, FiberRef, Layer, Option, Redacted, type Scope } from "effect"
import { InfisicalConfig, InfisicalError, SealedSnapshots, SecretCache, Secrets, SecretSource } from "effect-infisical"
import type { Location } from "effect-infisical"
import { content, row } from "./snapshots.js"

type FetchExit = Exit.Exit<Readonly<Record<string, string>>, InfisicalError.ReadError>

export interface Call {
  readonly location: Location.Location
  /** What the fiber that fetches has of the test's FiberRef. */
  readonly mark: string
  /** Whether the source is given a previous answer, whose rows it may keep. */
  readonly hasPrevious: boolean
  readonly end: (exit: FetchExit) => Effect.Effect<void>
}

export interface WriteCall {
  readonly name: string
  readonly end: (exit: Exit.Exit<void, InfisicalError.WriteError>) => Effect.Effect<void>
}

/** Whose value a fetch sees: the caller's, or the layer's. */
export const mark: FiberRef.FiberRef<string> = FiberRef.unsafeMake("layer")

export interface ManualSource {
  /** The fetches that have begun, in order. */
  readonly calls: ReadonlyArray<Call>
  /** The writes that have begun, in order. */
  readonly writes: ReadonlyArray<WriteCall>
  readonly secrets: Secrets.Service
  readonly cache: SecretCache.Service
}

/** A client on a manual source, in the scope. */
export const make = (
  options: Omit<InfisicalConfig.Options, "credential"> = {},
  sealed: Partial<SealedSnapshots.Service> = {}
): Effect.Effect<ManualSource, InfisicalError.InvalidRequestError, Scope.Scope> =>
  Effect.gen(function*() {
    const calls: Array<Call> = []
    const writes: Array<WriteCall> = []

    const write = (name: string) =>
      Effect.gen(function*() {
        const done = yield* Deferred.make<void, InfisicalError.WriteError>()
        writes.push({ name, end: (exit) => Effect.zipRight(Deferred.done(done, exit), settle) })
        yield* Deferred.await(done)
      })
    const put = (target: SecretSource.Target, changes: SecretSource.Changes) =>
      Effect.as(
        write(target.name),
        row(target.name, Redacted.value(changes.value ?? Redacted.make("")), 2)
      )
    const source: SecretSource.Service = {
      expandsReferences: false,
      readsByName: false,
      fetch: (location, previous) =>
        Effect.gen(function*() {
          const done = yield* Deferred.make<Readonly<Record<string, string>>, InfisicalError.ReadError>()
          calls.push({
            location,
            mark: yield* FiberRef.get(mark),
            hasPrevious: Option.isSome(previous),
            end: (exit) => Effect.zipRight(Deferred.done(done, exit), settle)
          })
          const values = yield* Deferred.await(done)
          return { content: content(values), etag: Option.none(), rateLimit: Option.none() }
        }),
      create: put,
      update: put,
      upsert: put,
      delete: ({ name }) => write(name),
      createMany: () => Effect.dieMessage("not in these tests"),
      updateMany: () => Effect.dieMessage("not in these tests"),
      deleteMany: () => Effect.dieMessage("not in these tests"),
      getById: () => Effect.dieMessage("not in these tests"),
      move: () => Effect.dieMessage("not in these tests")
    }
    const context = yield* Layer.build(
      Secrets.layer().pipe(
        Layer.provideMerge(SecretCache.layer()),
        Layer.provide(Layer.effect(
          SealedSnapshots.SealedSnapshots,
          Effect.map(SealedSnapshots.SealedSnapshots, (disabled) => ({ ...disabled, ...sealed }))
        )),
        Layer.provide(SealedSnapshots.layerDisabled),
        Layer.provide(Layer.succeed(SecretSource.SecretSource, source)),
        Layer.provide(InfisicalConfig.layerTest({ refresh: false, ...options }))
      )
    )
    return yield* Effect.provide(
      Effect.all({
        calls: Effect.succeed(calls),
        writes: Effect.succeed(writes),
        secrets: Secrets.Secrets,
        cache: SecretCache.SecretCache
      }),
      context
    )
  })

/** Lets every fiber go as far as it can. */
export const settle: Effect.Effect<void> = Effect.repeatN(Effect.yieldNow(), 30)

export const unreachable = new InfisicalError.NetworkError({
  reason: "Transport",
  endpoint: "GET /",
  mayHaveBeenApplied: false
})
