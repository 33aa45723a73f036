/** Environment variables. An empty one counts as not set. No error quotes a value. */
import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as Either from "effect/Either"
import type * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"

const isNotSet = Either.left(ConfigError.MissingData([], "It is empty"))

/** A variable of plain text, without the spaces around it. */
export const optionalText = (name: string): Config.Config<Option.Option<string>> =>
  Config.option(
    Config.mapOrFail(Config.string(name), (text) => text.trim() === "" ? isNotSet : Either.right(text.trim()))
  )

/** A variable of secret text, as it is. */
export const optionalSecret = (name: string): Config.Config<Option.Option<Redacted.Redacted<string>>> =>
  Config.option(
    Config.mapOrFail(
      Config.redacted(name),
      (secret) => Redacted.value(secret).trim() === "" ? isNotSet : Either.right(secret)
    )
  )
