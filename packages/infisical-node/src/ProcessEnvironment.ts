/**
 * Secrets as environment variables of this process, for code that reads only those.
 *
 * @since 0.1.0
 */
import { type InfisicalError, Secrets } from "effect-infisical"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"

/**
 * Which secrets are attached, and what of the variables that are there.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends Secrets.ReadOptions {
  /** Whether a variable that is set already gets the secret's value. Default `true`. */
  readonly overwrite?: boolean
}

/**
 * What became of each secret, by name.
 *
 * @since 0.1.0
 * @category models
 */
export interface Attached {
  /** Now in the environment. */
  readonly attached: ReadonlyArray<string>
  /** Not attached, since a variable of that name was set and `overwrite` is off. */
  readonly kept: ReadonlyArray<string>
  /**
   * Not attached, since no variable can have that name or value: a name with `=`, or a NUL in either. Secrets that
   * could not be decrypted are logged as a warning.
   */
  readonly unsuitable: ReadonlyArray<string>
  /** Not attached, since the credential may see that they are there, but not their values. */
  readonly hidden: ReadonlyArray<string>
  /** Not attached, since a secret that they refer to could not be read. */
  readonly unresolved: ReadonlyArray<string>
}

/**
 * Lists a location's secrets and sets each as an environment variable of this process.
 *
 * Every process that this one starts from then on inherits them. Raises what `Secrets.list` raises, and then has
 * changed nothing.
 *
 * @example
 * ```ts
 * import { ProcessEnvironment } from "effect-infisical-node"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const { attached } = yield* ProcessEnvironment.attach({ environment: "prod", overwrite: false })
 *   yield* Effect.log(`${attached.length} secrets attached`)
 * })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const attach = (
  options: Options = {}
): Effect.Effect<Attached, InfisicalError.ReadError, Secrets.Secrets> =>
  Effect.gen(function*() {
    const secrets = yield* Secrets.Secrets
    const { overwrite = true, ...where } = options
    const list = yield* secrets.list(where)
    for (const error of list.undecryptable) yield* Effect.logWarning(error.message)
    const withheld = {
      hidden: list.hidden.map(({ name }) => name),
      unresolved: list.unresolved.map(({ secret }) => secret.name)
    }
    return yield* Effect.sync(() => {
      const attached: Array<string> = []
      const kept: Array<string> = []
      const unsuitable: Array<string> = []
      for (const { name, value } of list.secrets) {
        const text = Redacted.value(value)
        if (name.includes("=") || name.includes("\0") || text.includes("\0")) unsuitable.push(name)
        else if (!overwrite && Object.hasOwn(process.env, name)) kept.push(name)
        else {
          process.env[name] = text
          attached.push(name)
        }
      }
      return { attached, kept, unsuitable, ...withheld }
    })
  })
