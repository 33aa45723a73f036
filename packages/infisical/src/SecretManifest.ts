/**
 * The secrets that a program needs, declared once with schemas, and read as one typed record. What is missing, invalid or
 * unreachable is reported at once, when the program starts.
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Equal from "effect/Equal"
import { dual, identity } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as ParseResult from "effect/ParseResult"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { ReadError } from "./model/InfisicalError.js"
import { isSecretMissing } from "./model/missing.js"
import * as Secrets from "./Secrets.js"
import { describeIssue } from "./support/parseIssue.js"

/**
 * One secret of a manifest: its name, where it is, what it must be, and what stands for it if it is missing.
 *
 * @since 0.1.0
 * @category models
 */
export interface Entry<out A> {
  readonly name: string
  readonly where: Secrets.ReadOptions
  /** The value, or what is wrong with it, without quoting it. */
  readonly decode: (value: Redacted.Redacted<string>) => Either.Either<A, string>
  /** What stands for a missing secret. None if the secret is required. */
  readonly whenMissing: Option.Option<A>
}

/**
 * The entries of a program, by names of its own.
 *
 * @since 0.1.0
 * @category models
 */
export type Manifest = Readonly<Record<string, Entry<unknown>>>

/**
 * The record that a manifest gives.
 *
 * @since 0.1.0
 * @category models
 */
export type Type<M extends Manifest> = { readonly [Key in keyof M]: M[Key] extends Entry<infer A> ? A : never }

/**
 * A required secret, as `Redacted` of what its schema gives. Without a schema it is a string that is not empty.
 *
 * @example
 * ```ts
 * import { SecretManifest } from "effect-infisical"
 * import { Schema } from "effect"
 *
 * const databaseUrl = SecretManifest.secret("DATABASE_URL", Schema.URL, { secretPath: "/database" })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export function secret(name: string): Entry<Redacted.Redacted<string>>
export function secret<A>(
  name: string,
  schema: Schema.Schema<A, string>,
  where?: Secrets.ReadOptions
): Entry<Redacted.Redacted<A>>
export function secret<A>(
  name: string,
  schema?: Schema.Schema<A, string>,
  where: Secrets.ReadOptions = {}
): Entry<Redacted.Redacted<A | string>> {
  const decode: Entry<A | string>["decode"] = decodeWith(schema)
  return { name, where, decode: (value) => Either.map(decode(value), Redacted.make), whenMissing: Option.none() }
}

/**
 * A required value that is no secret, such as a host or a limit: what its schema gives, not `Redacted`.
 *
 * @since 0.1.0
 * @category constructors
 */
export function plain(name: string): Entry<string>
export function plain<A>(name: string, schema: Schema.Schema<A, string>, where?: Secrets.ReadOptions): Entry<A>
export function plain<A>(
  name: string,
  schema?: Schema.Schema<A, string>,
  where: Secrets.ReadOptions = {}
): Entry<A | string> {
  return { name, where, decode: decodeWith(schema), whenMissing: Option.none() }
}

/**
 * The entry, or `None` if the secret is missing.
 *
 * @since 0.1.0
 * @category combinators
 */
export const optional = <A>({ decode, ...entry }: Entry<A>): Entry<Option.Option<A>> => ({
  ...entry,
  decode: (value) => Either.map(decode(value), Option.some),
  whenMissing: Option.some(Option.none())
})

/**
 * The entry, or a default if the secret is missing. A value that is invalid is an error all the same.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withDefault: {
  <B>(whenMissing: B): <A>(entry: Entry<A>) => Entry<A | B>
  <A, B>(entry: Entry<A>, whenMissing: B): Entry<A | B>
} = dual(2, <A, B>(entry: Entry<A>, whenMissing: B): Entry<A | B> => ({
  ...entry,
  whenMissing: Option.some(whenMissing)
}))

/**
 * What keeps a manifest from being read: all of it, in one error. Its message is a table. It contains no value.
 *
 * @since 0.1.0
 * @category errors
 */
export class ManifestError extends Data.TaggedError("ManifestError")<{
  readonly missing: ReadonlyArray<{ readonly name: string; readonly problem: string }>
  readonly invalid: ReadonlyArray<{ readonly name: string; readonly problem: string }>
  /** What could not be read: an outage, a missing permission, a refused credential, a failed decryption. */
  readonly unreachable: ReadonlyArray<{ readonly name: string; readonly error: ReadError }>
}> {
  override get message(): string {
    const rows = [
      ...this.missing.map(({ name, problem }) => ["missing", name, problem]),
      ...this.invalid.map(({ name, problem }) => ["invalid", name, problem]),
      ...this.unreachable.map(({ error, name }) => ["unreachable", name, error.message])
    ]
    const width = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0))
    const [kind, name] = [width(0), width(1)]
    return `${rows.length} of the secrets that this program needs cannot be used:\n${
      rows.map(([first = "", second = "", third = ""]) => `  ${first.padEnd(kind)}  ${second.padEnd(name)}  ${third}`)
        .join("\n")
    }`
  }
}

/**
 * Reads every secret of a manifest: one request for each location that is not in the cache.
 *
 * Fails with `ManifestError`, which names every secret that is missing, invalid or unreachable.
 *
 * @example
 * ```ts
 * import { SecretManifest } from "effect-infisical"
 * import { Effect, Schema } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const { poolSize, url } = yield* SecretManifest.load({
 *     url: SecretManifest.secret("DATABASE_URL", Schema.URL),
 *     poolSize: SecretManifest.withDefault(SecretManifest.plain("POOL_SIZE", Schema.NumberFromString), 10)
 *   })
 *   return { url, poolSize }
 * })
 * ```
 *
 * @since 0.1.0
 * @category reading
 */
export const load = <const M extends Manifest>(
  manifest: M
): Effect.Effect<Type<M>, ManifestError, Secrets.Secrets> => Effect.map(read(manifest), ({ record }) => record)

/**
 * Emits the record of a manifest, then a new one after each change. Its locations are kept up to date while it runs.
 *
 * If a new value is invalid, or a secret is removed, nothing is emitted and a warning says why.
 *
 * Fails with `ManifestError` as `load` does, and never afterwards.
 *
 * @since 0.1.0
 * @category reading
 */
export const watch = <const M extends Manifest>(
  manifest: M
): Stream.Stream<Type<M>, ManifestError, Secrets.Secrets> =>
  Stream.unwrap(Effect.gen(function*() {
    const secrets = yield* Secrets.Secrets
    return follow(secrets, manifest, yield* read(manifest))
  }))

/**
 * The record of a manifest, now and later: a `SubscriptionRef` that `watch` keeps up to date in the scope.
 *
 * @since 0.1.0
 * @category reading
 */
export const subscribe = <const M extends Manifest>(
  manifest: M
): Effect.Effect<SubscriptionRef.SubscriptionRef<Type<M>>, ManifestError, Secrets.Secrets | Scope.Scope> =>
  Effect.gen(function*() {
    const secrets = yield* Secrets.Secrets
    const first = yield* read(manifest)
    const ref = yield* SubscriptionRef.make(first.record)
    yield* follow(secrets, manifest, first).pipe(
      Stream.drop(1),
      Stream.runForEach((record) => SubscriptionRef.set(ref, record)),
      Effect.forkScoped
    )
    return ref
  })

/**
 * A layer that gives the record of a manifest as a service. The program does not start if a secret is missing or invalid.
 *
 * @example
 * ```ts
 * import { SecretManifest } from "effect-infisical"
 * import { Context, Effect, Schema } from "effect"
 *
 * const manifest = {
 *   databaseUrl: SecretManifest.secret("DATABASE_URL", Schema.URL),
 *   sentryDsn: SecretManifest.optional(SecretManifest.secret("SENTRY_DSN"))
 * }
 *
 * class AppSecrets extends Context.Tag("AppSecrets")<AppSecrets, SecretManifest.Type<typeof manifest>>() {
 *   static readonly layer = SecretManifest.layer(AppSecrets, manifest)
 * }
 *
 * const program = Effect.flatMap(AppSecrets, ({ databaseUrl }) => Effect.log(databaseUrl))
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = <Self, const M extends Manifest>(
  tag: Context.Tag<Self, Type<M>>,
  manifest: M
): Layer.Layer<Self, ManifestError, Secrets.Secrets> => Layer.effect(tag, load(manifest))

/**
 * `layer` with a record that changes: see `subscribe`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerWatched = <Self, const M extends Manifest>(
  tag: Context.Tag<Self, SubscriptionRef.SubscriptionRef<Type<M>>>,
  manifest: M
): Layer.Layer<Self, ManifestError, Secrets.Secrets> => Layer.scoped(tag, subscribe(manifest))

const decodeWith = <A>(schema: Schema.Schema<A, string> | undefined): Entry<A | string>["decode"] => {
  const decode: (text: string) => Either.Either<A | string, ParseResult.ParseError> = schema === undefined
    ? Schema.decodeEither(Schema.NonEmptyString)
    : Schema.decodeEither(schema)
  return (value) =>
    Either.try({
      try: () => Either.mapLeft(decode(Redacted.value(value)), ({ issue }) => describeIssue(issue)),
      catch: () => "is not what the schema describes: its decoding throws"
    }).pipe(Either.flatMap(identity))
}

interface Read<M extends Manifest> {
  readonly record: Type<M>
  /** The values that the record was made from, by which a change is told. */
  readonly values: ReadonlyArray<Redacted.Redacted<string> | undefined>
}

type Outcome =
  | { readonly _tag: "Valid"; readonly decoded: unknown; readonly value: Redacted.Redacted<string> | undefined }
  | { readonly _tag: "Missing" | "Invalid"; readonly problem: string }
  | { readonly _tag: "Unreachable"; readonly error: ReadError }

const outcomeOf = (
  secrets: Secrets.Service,
  { decode, name, whenMissing, where }: Entry<unknown>
): Effect.Effect<Outcome> =>
  Effect.match(secrets.get(name, where), {
    onSuccess: ({ environment, secretPath, value }) =>
      Either.match(decode(value), {
        onLeft: (problem): Outcome => ({ _tag: "Invalid", problem: `${problem} (${environment}:${secretPath})` }),
        onRight: (decoded): Outcome => ({ _tag: "Valid", decoded, value })
      }),
    onFailure: (error): Outcome =>
      !isSecretMissing(error)
        ? { _tag: "Unreachable", error }
        : Option.match(whenMissing, {
          onNone: () => ({ _tag: "Missing", problem: error.message }),
          onSome: (decoded) => ({ _tag: "Valid", decoded, value: undefined })
        })
  })

const read = <M extends Manifest>(manifest: M): Effect.Effect<Read<M>, ManifestError, Secrets.Secrets> =>
  Effect.gen(function*() {
    const secrets = yield* Secrets.Secrets
    const outcomes = yield* Effect.forEach(
      Object.entries(manifest),
      ([key, entry]) => Effect.map(outcomeOf(secrets, entry), (outcome) => ({ key, name: entry.name, outcome })),
      // Those of one location share its request.
      { concurrency: "unbounded" }
    )
    const record = Object.fromEntries(
      outcomes.flatMap(({ key, outcome }) => outcome._tag === "Valid" ? [[key, outcome.decoded]] : [])
    )
    return isComplete(manifest, record)
      ? { record, values: outcomes.map(({ outcome }) => outcome._tag === "Valid" ? outcome.value : undefined) }
      : yield* toError(outcomes)
  })

const isComplete = <M extends Manifest>(manifest: M, record: unknown): record is Type<M> =>
  Predicate.isRecord(record) && Object.keys(manifest).every((key) => Object.hasOwn(record, key))

const toError = (
  outcomes: ReadonlyArray<{ readonly name: string; readonly outcome: Outcome }>
): ManifestError => {
  const problems = (tag: "Missing" | "Invalid") =>
    outcomes.flatMap(({ name, outcome }) => outcome._tag === tag ? [{ name, problem: outcome.problem }] : [])
  return new ManifestError({
    missing: problems("Missing"),
    invalid: problems("Invalid"),
    unreachable: outcomes.flatMap(({ name, outcome }) =>
      outcome._tag === "Unreachable" ? [{ name, error: outcome.error }] : []
    )
  })
}

/** The record that was read first, then each valid one. */
const follow = <M extends Manifest>(
  secrets: Secrets.Service,
  manifest: M,
  first: Read<M>
): Stream.Stream<Type<M>> =>
  signals(secrets, manifest).pipe(
    Stream.mapEffect(() => Effect.either(Effect.provideService(read(manifest), Secrets.Secrets, secrets))),
    Stream.changesWith(isSame),
    Stream.filterMapEffect(Either.match({
      onLeft: (error) =>
        Option.some(
          Effect.as(
            Effect.logWarning(`The last valid secrets stay in use. ${error.message}`),
            Option.none<Read<M>>()
          )
        ),
      onRight: (read) => Option.some(Effect.succeed(Option.some(read)))
    })),
    Stream.filterMap((read) => read),
    (later) => Stream.concat(Stream.succeed(first), later),
    Stream.changesWith(hasSameValues),
    Stream.map(({ record }) => record)
  )

const isSame = <M extends Manifest>(
  one: Either.Either<Read<M>, ManifestError>,
  other: Either.Either<Read<M>, ManifestError>
): boolean =>
  Either.isRight(one) && Either.isRight(other)
    ? hasSameValues(one.right, other.right)
    : Either.isLeft(one) && Either.isLeft(other) && one.left.message === other.left.message

const hasSameValues = <M extends Manifest>(one: Read<M>, other: Read<M>): boolean =>
  one.values.every((value, index) => Equal.equals(value, other.values[index]))

/** When something may have changed. Watching a secret keeps its location up to date. */
const signals = (secrets: Secrets.Service, manifest: Manifest): Stream.Stream<void> => {
  const entries = Object.values(manifest)
  const names = new Set(entries.map(({ name }) => name))
  return Stream.mergeAll([
    ...entries.map(({ name, where }) =>
      secrets.watch(name, where).pipe(
        Stream.as<void>(undefined),
        // A missing one may be created, and its folder, too.
        Stream.retry(Schedule.spaced("1 minute")),
        Stream.catchAll(() => Stream.empty)
      )
    ),
    secrets.changes.pipe(
      Stream.filter((change) => names.has((change._tag === "Removed" ? change.previous : change.secret).name)),
      Stream.as<void>(undefined)
    )
  ], { concurrency: "unbounded" })
}
