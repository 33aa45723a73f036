/**
 * A script with `@effect/cli` that reads secrets.
 *
 *     npm run example -- cli get DATABASE_URL
 *     npm run example -- cli list --path /app --env prod
 *     npm run example -- cli --help
 *
 * `list` prints no values; `get` prints one, and nothing else, for `URL=$(… get DATABASE_URL)`.
 */
import { Args, Command, Options } from "@effect/cli"
import { FetchHttpClient } from "@effect/platform"
import { NodeContext, NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Layer, Option, Redacted } from "effect"
import { Secrets } from "effect-infisical"
import { NodeInfisical } from "effect-infisical-node"

/** Left out, each is what the environment says: `INFISICAL_ENVIRONMENT`, `INFISICAL_SECRET_PATH`. */
const place = {
  env: Options.text("env").pipe(Options.withDescription("The slug of the environment"), Options.optional),
  path: Options.text("path").pipe(Options.withDescription("The path of the folder"), Options.optional)
}

const placeOf = ({ env, path }: Record<"env" | "path", Option.Option<string>>) => ({
  environment: Option.getOrUndefined(env),
  secretPath: Option.getOrUndefined(path)
})

const get = Command.make(
  "get",
  { name: Args.text({ name: "name" }), ...place },
  ({ name, ...rest }) =>
    Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      const { value } = yield* secrets.get(name, placeOf(rest))
      yield* Console.log(Redacted.value(value))
    })
).pipe(Command.withDescription("Print the value of a secret"))

const list = Command.make("list", place, (rest) =>
  Effect.gen(function*() {
    const secrets = yield* Secrets.Secrets
    const found = yield* secrets.list({ ...placeOf(rest), recursive: true })
    yield* Effect.forEach(found.secrets, ({ name, secretPath }) => Console.log(`${secretPath} ${name}`))
  })).pipe(Command.withDescription("List the names of secrets, with those of the folders below"))

const command = Command.make("secrets").pipe(
  Command.withDescription("Read secrets from Infisical"),
  Command.withSubcommands([get, list]),
  // Only a command that runs needs a client: `--help` does not.
  Command.provide(NodeInfisical.layerConfig().pipe(Layer.provide(FetchHttpClient.layer)))
)

const cli = Command.run(command, { name: "secrets", version: "1.0.0" })

export const run = (args: ReadonlyArray<string>) =>
  cli(["node", "secrets", ...args]).pipe(
    // An error of Infisical says what to do, without a value. One of the arguments has been printed by then.
    Effect.tapError((error) => "message" in error ? Console.error(error.message) : Effect.void),
    Effect.provide(NodeContext.layer)
  )

if (process.argv[1] === import.meta.filename) {
  NodeRuntime.runMain(run(process.argv.slice(2)), { disableErrorReporting: true })
}
