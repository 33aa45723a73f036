import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Console, Effect, Exit, Redacted, Ref } from "effect"
import { Emulator, type World } from "effect-infisical-emulator"
import { run } from "../src/cli.js"

const world: World.Input = {
  projects: {
    main: {
      folders: {
        dev: {
          "/": { secrets: { NAME: "Ada Lovelace" } },
          "/app": { secrets: { API_KEY: "planted0" } },
          "/app/db": { secrets: { PASSWORD: "planted0" } }
        },
        prod: { "/": { secrets: { NAME: "Grace Hopper" } } }
      }
    }
  },
  identities: { main: {} }
}

/** What a command prints, and how it ends. */
const output = (...args: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const emulator = yield* Emulator.Emulator
    const { clientId, clientSecret } = yield* emulator.universalAuth()
    const lines = yield* Ref.make<ReadonlyArray<string>>([])
    const print = (...texts: ReadonlyArray<unknown>) => Ref.update(lines, (lines) => [...lines, texts.join(" ")])
    const variables = {
      INFISICAL_API_URL: emulator.url,
      INFISICAL_PROJECT_ID: yield* emulator.projectId(),
      INFISICAL_UNIVERSAL_AUTH_CLIENT_ID: clientId,
      INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET: Redacted.value(clientSecret)
    }
    const console = yield* Effect.console
    const exit = yield* run(args).pipe(
      Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(variables)))),
      Console.withConsole({ ...console, log: print, error: print }),
      Effect.exit
    )
    return { succeeded: Exit.isSuccess(exit), lines: yield* Ref.get(lines) }
  })

describe("The script", () => {
  it.live("prints one value and nothing else", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* output("get", "NAME"), { succeeded: true, lines: ["Ada Lovelace"] })
      assert.deepStrictEqual(yield* output("get", "--env", "prod", "NAME"), {
        succeeded: true,
        lines: ["Grace Hopper"]
      })
    }).pipe(Effect.provide(Emulator.layer(world))))

  it.live("lists the names of a folder and those below, without values", () =>
    Effect.gen(function*() {
      const { lines, succeeded } = yield* output("list", "--path", "/app")
      assert.isTrue(succeeded)
      assert.deepStrictEqual(lines.toSorted(), ["/app API_KEY", "/app/db PASSWORD"])
    }).pipe(Effect.provide(Emulator.layer(world))))

  it.live("fails with one line that says what is missing", () =>
    Effect.gen(function*() {
      const { lines, succeeded } = yield* output("get", "MISSING")
      assert.isFalse(succeeded)
      assert.strictEqual(lines.length, 1)
      assert.include(lines[0] ?? "", "MISSING")
    }).pipe(Effect.provide(Emulator.layer(world))))

  it.live("prints its help without a request", () =>
    Effect.gen(function*() {
      const { lines, succeeded } = yield* output("--help")
      assert.isTrue(succeeded)
      assert.include(lines.join("\n"), "Print the value of a secret")
      const emulator = yield* Emulator.Emulator
      assert.lengthOf(yield* emulator.requests, 0)
    }).pipe(Effect.provide(Emulator.layer(world))))
})
