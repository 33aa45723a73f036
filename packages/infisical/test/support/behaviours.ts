/**
 * What `Secrets` does on any server, whoever decrypts: the emulator of each era, or a live server.
 */
import { assert, type Vitest } from "@effect/vitest"
import { ConfigProvider, Effect, Either, Layer, Option, Redacted, type Scope } from "effect"
import { Secrets } from "effect-infisical"
import type { TestContext } from "vitest"
import * as TestServer from "../TestServer.js"
import * as Scratch from "./scratch.js"

const get = (name: string, options?: Secrets.ReadOptions) =>
  Effect.flatMap(Secrets.Secrets, (secrets) => secrets.get(name, options))

/** What a client that has never read before gets. */
const getAfresh = (name: string) => Effect.provide(get(name), Layer.fresh(TestServer.client({ fallback: false })))

const value = (secret: { readonly value: Redacted.Redacted<string> }) => Redacted.value(secret.value)

/** Servers of 2025 and later refuse them. */
const mayRefuse = (name: string): boolean => /[/:]/.test(name)

export const behaviours = (
  it: Vitest.MethodsNonLive<Secrets.Secrets | TestServer.TestServer, boolean>,
  { cannotWrite, isEndToEndEncrypted, isUser = false }: {
    /** Whether the client decrypts. */
    readonly isEndToEndEncrypted: boolean
    /** Whether the credential may be that of a user, who may write personal secrets. */
    readonly isUser?: boolean
    /** Why the tests that write are skipped, if they are. */
    readonly cannotWrite: Option.Option<string>
  }
) => {
  const writes = (
    name: string,
    test: (context: TestContext) => Effect.Effect<void, unknown, Secrets.Secrets | TestServer.TestServer | Scope.Scope>
  ) =>
    it.scoped(name, (context) =>
      Option.match(cannotWrite, {
        onNone: () => test(context),
        onSome: (reason) => Effect.sync(() => context.skip(reason))
      }))

  writes("gives a created secret to the next get, and to every other client", () =>
    Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      const name = yield* Scratch.name("CREATED")
      const created = yield* secrets.create(name, Redacted.make("first value"), { comment: "a comment" })
      assert.include(created, { name, type: "shared", comment: "a comment", version: 1, source: "live" })
      for (const secret of [created, yield* get(name), yield* getAfresh(name)]) {
        assert.strictEqual(value(secret), "first value")
        assert.strictEqual(secret.comment, "a comment")
        assert.strictEqual(secret.id, created.id)
      }
    }))

  writes(
    "gives an updated secret to the next get, and keeps its comment where none is given",
    () =>
      Effect.gen(function*() {
        const secrets = yield* Secrets.Secrets
        const name = yield* Scratch.name("UPDATED")
        yield* secrets.create(name, Redacted.make("first value"), { comment: "a comment" })
        const updated = yield* secrets.update(name, Redacted.make("second value"))
        assert.include(updated, { version: 2, comment: "a comment" })
        for (const secret of [updated, yield* get(name), yield* getAfresh(name)]) {
          assert.strictEqual(value(secret), "second value")
          assert.strictEqual(secret.comment, "a comment")
        }
        yield* secrets.update(name, Redacted.make("third value"), { comment: "another" })
        assert.strictEqual((yield* getAfresh(name)).comment, "another")
      })
  )

  writes("no longer finds a deleted secret", () =>
    Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      const name = yield* Scratch.name("DELETED")
      yield* secrets.create(name, Redacted.make("value"))
      yield* secrets.delete(name)
      for (const error of [yield* Effect.flip(get(name)), yield* Effect.flip(getAfresh(name))]) {
        assert.include(error, { _tag: "NotFoundError", resource: "secret", secretName: name })
      }
    }))

  writes("lists a created secret, with and without imports", () =>
    Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      const name = yield* Scratch.name("LISTED")
      yield* secrets.create(name, Redacted.make("value"))
      for (const includeImports of [true, false]) {
        const list = yield* secrets.list({ includeImports })
        const found = list.secrets.filter((secret) => secret.name === name)
        assert.deepStrictEqual(found.map(value), ["value"])
        assert.strictEqual(list.source, "live")
      }
    }))

  writes("creates no second secret of one name", () =>
    Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      const name = yield* Scratch.name("TWICE")
      yield* secrets.create(name, Redacted.make("first"))
      const error = yield* Effect.flip(secrets.create(name, Redacted.make("second")))
      assert.include(error, { _tag: "AlreadyExistsError", secretName: name })
      assert.strictEqual(value(yield* get(name)), "first")
    }))

  writes("neither updates nor deletes what is not there", () =>
    Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      const name = yield* Scratch.name("ABSENT")
      for (const write of [secrets.update(name, Redacted.make("value")), secrets.delete(name)]) {
        assert.include(yield* Effect.flip(write), { _tag: "NotFoundError", resource: "secret" })
      }
    }))

  writes("writes no personal secret with a service token or an identity", (context) =>
    Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      if (isUser) return context.skip("the access token may be that of a user")
      const name = yield* Scratch.name("PERSONAL")
      yield* secrets.create(name, Redacted.make("shared"))
      const error = yield* Effect.flip(secrets.create(name, Redacted.make("personal"), { type: "personal" }))
      assert.include(error, { _tag: "PermissionError", problem: "personal secret" })
      assert.include(yield* get(name), { type: "shared" })
    }))

  for (
    const [kind, name] of Object.entries({
      "a slash": "A/B",
      "percent signs": "A%2FB%",
      "spaces": "A B  C",
      "unicode": "ключ_密码_🔑",
      "quotes": `A"B'C`,
      "a colon and a backslash": "A:B\\C",
      "a question mark, a hash and an ampersand": "A?B#C&D",
      "a dot before and after": ".A."
    })
  ) {
    writes(`creates, reads, updates and deletes a secret whose name has ${kind}`, (context) =>
      Effect.gen(function*() {
        const secrets = yield* Secrets.Secrets
        const full = yield* Scratch.name(name)
        const created = yield* Effect.either(secrets.create(full, Redacted.make("first")))
        if (Either.isLeft(created) && created.left._tag === "InvalidRequestError" && mayRefuse(name)) {
          return context.skip("the server refuses such a name")
        }
        yield* created
        assert.strictEqual(value(yield* getAfresh(full)), "first")
        yield* secrets.update(full, Redacted.make("second"))
        assert.strictEqual(value(yield* getAfresh(full)), "second")
        yield* secrets.delete(full)
        assert.include(yield* Effect.flip(getAfresh(full)), { _tag: "NotFoundError" })
      }))
  }

  writes("keeps a name of 100 characters whole", () =>
    Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      const name = yield* Scratch.name("L".repeat(100))
      assert.strictEqual(name.length, 100)
      yield* secrets.create(name, Redacted.make("value"))
      assert.strictEqual((yield* getAfresh(name)).name, name)
    }))

  for (
    const [kind, text] of Object.entries({
      "an empty": "",
      "a multi-line": "-----BEGIN-----\nline one\r\nline two\n\n-----END-----\n",
      "a unicode": "пароль 密码 🔑 \u0000 \u{10ffff}",
      "a space-padded": "  padded\t",
      "a 500 KB": "x".repeat(500_000)
    })
  ) {
    writes(
      `keeps ${kind} value whole, or without the space around it where the server decrypts`,
      () =>
        Effect.gen(function*() {
          const secrets = yield* Secrets.Secrets
          const name = yield* Scratch.name("VALUE")
          yield* secrets.create(name, Redacted.make(text))
          const kept = isEndToEndEncrypted ? text : `${text.trim()}${text.endsWith("\n") ? "\n" : ""}`
          assert.isTrue(value(yield* getAfresh(name)) === kept)
          assert.isTrue(value(yield* get(name)) === kept)
        })
    )
  }

  writes("says that a value is too large, and creates nothing", () =>
    Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      const name = yield* Scratch.name("LARGE")
      const error = yield* Effect.flip(secrets.create(name, Redacted.make("x".repeat(1_100_000))))
      assert.include(error, { _tag: "InvalidRequestError", parameter: "value" })
      assert.include(yield* Effect.flip(getAfresh(name)), { _tag: "NotFoundError" })
    }))

  it.effect("does not answer for an environment that does not exist", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(get("NAME", { environment: "no-such-environment" }))
      assert.include(["PermissionError", "NotFoundError"], error._tag)
    }))

  it.effect("says that the server refuses a token, also where the fallback has such a name", () =>
    Effect.gen(function*() {
      const error = yield* get("NAME").pipe(
        Effect.provide(Layer.fresh(TestServer.client({ spoiled: "secret" }))),
        Effect.withConfigProvider(ConfigProvider.fromMap(new Map([["NAME", "from the environment"]]))),
        Effect.flip
      )
      assert.include(error, { _tag: "AuthenticationError" })
    }))

  it.effect.runIf(isEndToEndEncrypted)(
    "says that the key part of a token does not open the project, also where the fallback has such a name",
    () =>
      Effect.gen(function*() {
        const error = yield* get("NAME").pipe(
          Effect.provide(Layer.fresh(TestServer.client({ spoiled: "key" }))),
          Effect.withConfigProvider(ConfigProvider.fromMap(new Map([["NAME", "from the environment"]]))),
          Effect.flip
        )
        assert.include(error, { _tag: "DecryptError", subject: "project key" })
      })
  )

  writes("takes a secret that is not there from the ConfigProvider, and says so", () =>
    Effect.gen(function*() {
      const name = yield* Scratch.name("FALLBACK")
      const fromEnvironment = Effect.withConfigProvider(
        ConfigProvider.fromMap(new Map([[name, "from the environment"]]))
      )
      const secret = yield* get(name).pipe(
        Effect.provide(TestServer.client({ fallback: true })),
        fromEnvironment
      )
      assert.strictEqual(value(secret), "from the environment")
      assert.strictEqual(secret.source, "fallback")
      assert.include(yield* Effect.flip(get(name)).pipe(fromEnvironment), { _tag: "NotFoundError" })
    }))
}
