/**
 * A `ConfigProvider` that reads secrets, so that `Config.redacted("DATABASE_PASSWORD")` gives the secret of that name from
 * the cache. A warm read makes no request.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import type * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as ConfigProvider from "effect/ConfigProvider"
import * as PathPatch from "effect/ConfigProviderPathPatch"
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as HashSet from "effect/HashSet"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type { ReadError } from "./model/InfisicalError.js"
import { isSecretMissing } from "./model/missing.js"
import * as Secrets from "./Secrets.js"

/**
 * Where the secrets are, and how the path of a `Config` becomes a name.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends Secrets.ReadOptions {
  /**
   * What `Config.nested` means: `name` joins the path into one name (`DB_PASSWORD`), `folder` reads the last part of the
   * path in the folder of the others, below `secretPath`, which is then `/` by default (`PASSWORD` of `/DB`). Default
   * `name`.
   */
  readonly nesting?: "name" | "folder" | undefined
  /** What joins the parts of a path into a name. Default `_`, as in `ConfigProvider.fromEnv`. */
  readonly pathDelim?: string | undefined
  /** What separates the values of `Config.array` in one secret. Default `,`. */
  readonly seqDelim?: string | undefined
}

/**
 * A `ConfigProvider` that reads secrets.
 *
 * A secret or a folder that does not exist is `ConfigError.MissingData`, so that `Config.withDefault` and `Config.option`
 * work. Everything else, an outage or a missing permission, is `ConfigError.SourceUnavailable` with the message of our
 * error. A value that is not of the requested type is `ConfigError.InvalidData`, which does not quote it.
 *
 * The errors of `Config.mapOrFail`, `Config.validate`, `Config.logLevel`, `Config.duration` and `Schema.Config` are made
 * outside the provider and may quote a value. Use `Config.redacted` for what is secret, or a `SecretManifest`.
 *
 * `Secrets.get` falls back on the `ConfigProvider` that was current when its layer was built, so it never asks itself.
 *
 * @example
 * ```ts
 * import { InfisicalConfigProvider } from "effect-infisical"
 * import { Config, Effect } from "effect"
 *
 * const password = Effect.gen(function*() {
 *   const provider = yield* InfisicalConfigProvider.make({ secretPath: "/db" })
 *   return yield* Effect.withConfigProvider(Config.redacted("PASSWORD"), provider)
 * })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options: Options = {}
): Effect.Effect<ConfigProvider.ConfigProvider, never, Secrets.Secrets> =>
  Effect.map(Secrets.Secrets, (secrets) => fromSecrets(secrets, options))

/**
 * Makes the secrets the source of every `Config`, in place of the current `ConfigProvider`.
 *
 * @example
 * ```ts
 * import { FetchHttpClient } from "@effect/platform"
 * import { Infisical, InfisicalConfigProvider } from "effect-infisical"
 * import { Config, Effect, Layer } from "effect"
 *
 * const ConfigLive = InfisicalConfigProvider.layer().pipe(
 *   Layer.provide(Infisical.layerConfig()),
 *   Layer.provide(FetchHttpClient.layer)
 * )
 *
 * const program = Effect.gen(function*() {
 *   const password = yield* Config.redacted("DATABASE_PASSWORD")
 *   const hosts = yield* Config.array(Config.string(), "DATABASE_HOSTS")
 *   return { password, hosts }
 * })
 *
 * program.pipe(Effect.provide(ConfigLive))
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options?: Options): Layer.Layer<never, never, Secrets.Secrets> =>
  Layer.unwrapEffect(Effect.map(make(options), Layer.setConfigProvider))

/**
 * Adds the secrets to the current `ConfigProvider`, which comes first.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerAdd = (options?: Options): Layer.Layer<never, never, Secrets.Secrets> =>
  Layer.unwrapEffect(
    Effect.map(make(options), (provider) =>
      Layer.fiberRefLocallyScopedWith(DefaultServices.currentServices, (services) => {
        const current = Context.get(services, ConfigProvider.ConfigProvider)
        return Context.add(
          services,
          ConfigProvider.ConfigProvider,
          ConfigProvider.orElse(current, () =>
            provider)
        )
      }))
  )

const fromSecrets = (
  secrets: Secrets.Service,
  { nesting = "name", pathDelim = "_", seqDelim = ",", ...where }: Options
): ConfigProvider.ConfigProvider => {
  const naming = nesting === "name" ? joined(pathDelim, where) : inFolders(where)
  return ConfigProvider.fromFlat(ConfigProvider.makeFlat({
    patch: PathPatch.empty,
    load: (path, primitive, split) => {
      const { name, where } = naming.secretOf(path)
      return Effect.matchEffect(secrets.get(name, where), {
        onFailure: (error) => Effect.fail(toConfigError(path, error)),
        onSuccess: ({ value }) =>
          parse(path, primitive, split ? splitBy(Redacted.value(value), seqDelim) : [Redacted.value(value)])
      })
    },
    enumerateChildren: (path) => {
      const { children, options } = naming.listOf(path)
      return secrets.list(options).pipe(
        Effect.map(({ hidden, secrets: own, undecryptable, unresolved }) =>
          HashSet.fromIterable([
            ...[...own, ...hidden, ...unresolved.map(({ secret }) => secret)].flatMap(children),
            // Reading one of these says what is wrong with it. The error does not name the folder.
            ...undecryptable.flatMap(({ secretName }) =>
              secretName === undefined || options.recursive === true
                ? []
                : children({ name: secretName, secretPath: options.secretPath ?? "/" })
            )
          ])
        ),
        Effect.catchAll((error) =>
          isSecretMissing(error) ? Effect.succeed(HashSet.empty<string>()) : Effect.fail(toConfigError(path, error))
        )
      )
    }
  }))
}

interface Named {
  readonly name: string
  readonly secretPath: string
}

/** How the path of a `Config` becomes the name and the folder of a secret, and the other way round. */
interface Naming {
  readonly secretOf: (path: ReadonlyArray<string>) => { readonly name: string; readonly where: Secrets.ReadOptions }
  /** What to list for the children of a path, and the child that a listed secret is: one, or none. */
  readonly listOf: (path: ReadonlyArray<string>) => {
    readonly options: Secrets.ListOptions
    readonly children: (secret: Named) => ReadonlyArray<string>
  }
}

/** The part after the beginning, if the parts begin so. */
const childOf = (path: ReadonlyArray<string>, parts: ReadonlyArray<string>): ReadonlyArray<string> =>
  path.every((part, index) => parts[index] === part) ? parts.slice(path.length, path.length + 1) : []

const joined = (delimiter: string, where: Secrets.ReadOptions): Naming => ({
  secretOf: (path) => ({
    // An element of an array has its index beside the name: `HOSTS[0]`.
    name: path.reduce((name, part) => name === "" || isIndex(part) ? name + part : name + delimiter + part, ""),
    where
  }),
  listOf: (path) => ({
    options: where,
    children: ({ name }) => childOf(path, name.split(delimiter).flatMap(withoutIndex))
  })
})

const inFolders = ({ secretPath = "/", ...where }: Secrets.ReadOptions): Naming => {
  const base = partsOf(secretPath)
  const folder = (parts: ReadonlyArray<string>) => ({ ...where, secretPath: `/${[...base, ...parts].join("/")}` })
  return {
    secretOf: (path) => ({ name: path.at(-1) ?? "", where: folder(path.slice(0, -1)) }),
    listOf: (path) => {
      const options = { ...folder(path), recursive: true }
      return {
        options,
        children: ({ name, secretPath }) => [...partsOf(secretPath).slice(base.length + path.length), name].slice(0, 1)
      }
    }
  }
}

const partsOf = (secretPath: string): ReadonlyArray<string> => secretPath.split("/").filter((part) => part !== "")

const isIndex = (part: string): boolean => /^\[\d{1,6}\]$/.test(part)

const withoutIndex = (part: string): ReadonlyArray<string> => {
  const [, name, index] = /^(.+)(\[\d{1,6}\])$/.exec(part) ?? []
  return name === undefined || index === undefined ? [part] : [name, index]
}

const splitBy = (text: string, delimiter: string): ReadonlyArray<string> =>
  text.split(delimiter).map((part) => part.trim())

// The errors of primitives quote the value, so theirs are not passed on.
const parse = <A>(
  path: ReadonlyArray<string>,
  primitive: Config.Config.Primitive<A>,
  texts: ReadonlyArray<string>
): Effect.Effect<Array<A>, ConfigError.ConfigError> =>
  Effect.forEach(
    texts,
    (text) =>
      Either.mapLeft(primitive.parse(text), () =>
        ConfigError.InvalidData([...path], `Expected ${primitive.description}, but the secret is something else`))
  )

const toConfigError = (path: ReadonlyArray<string>, error: ReadError): ConfigError.ConfigError =>
  isSecretMissing(error)
    ? ConfigError.MissingData([...path], error.message)
    : ConfigError.SourceUnavailable([...path], error.message, Cause.fail(error))
