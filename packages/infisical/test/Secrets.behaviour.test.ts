/**
 * What `Secrets` does, shown on a real server: the emulator, or the live instance that `INFISICAL_TOKEN` and
 * `SITE_URL` name in the environment or in `.env`. It writes to `INFISICAL_ENVIRONMENT` and `INFISICAL_SECRET_PATH`
 * (`dev`, `/`) and removes what it wrote.
 */
import { assert, describe, it, layer } from "@effect/vitest"
import { ConfigProvider, Effect, Layer, Redacted } from "effect"
import { Credential, Secrets } from "effect-infisical"
import { isEndToEndEncrypted } from "./source.js"
import * as TestServer from "./TestServer.js"

const get = (name: string, options?: Secrets.ReadOptions) =>
  Effect.flatMap(Secrets.Secrets, (secrets) => secrets.get(name, options))

/** What a client that has never asked before sees. */
const getAfresh = (name: string) => Effect.provide(get(name), Layer.fresh(TestServer.client({ fallback: false })))

const value = (secret: { readonly value: Redacted.Redacted<string> }) => Redacted.value(secret.value)

describe("Secrets", () => {
  // A live instance may limit us, and waits are real then; the emulator never does.
  layer(Layer.provideMerge(TestServer.client({ fallback: false }), TestServer.layer), {
    excludeTestServices: true,
    timeout: "1 minute"
  })("on a real server", (it) => {
    it.scoped("gives a created secret to the next get, and to every other client", () =>
      Effect.gen(function*() {
        const secrets = yield* Secrets.Secrets
        const name = yield* TestServer.scratchName("CREATED")
        const created = yield* secrets.create(name, Redacted.make("first value"), { comment: "a comment" })
        assert.include(created, { name, type: "shared", comment: "a comment", version: 1, source: "live" })
        for (const secret of [created, yield* get(name), yield* getAfresh(name)]) {
          assert.strictEqual(value(secret), "first value")
          assert.strictEqual(secret.comment, "a comment")
          assert.strictEqual(secret.id, created.id)
        }
      }))

    it.scoped("gives an updated secret to the next get, and keeps its comment where none is given", () =>
      Effect.gen(function*() {
        const secrets = yield* Secrets.Secrets
        const name = yield* TestServer.scratchName("UPDATED")
        yield* secrets.create(name, Redacted.make("first value"), { comment: "a comment" })
        const updated = yield* secrets.update(name, Redacted.make("second value"))
        assert.include(updated, { version: 2, comment: "a comment" })
        for (const secret of [updated, yield* get(name), yield* getAfresh(name)]) {
          assert.strictEqual(value(secret), "second value")
          assert.strictEqual(secret.comment, "a comment")
        }
        yield* secrets.update(name, Redacted.make("third value"), { comment: "another" })
        assert.strictEqual((yield* getAfresh(name)).comment, "another")
      }))

    it.scoped("no longer finds a deleted secret", () =>
      Effect.gen(function*() {
        const secrets = yield* Secrets.Secrets
        const name = yield* TestServer.scratchName("DELETED")
        yield* secrets.create(name, Redacted.make("value"))
        yield* secrets.delete(name)
        for (const error of [yield* Effect.flip(get(name)), yield* Effect.flip(getAfresh(name))]) {
          assert.include(error, { _tag: "NotFoundError", resource: "secret", secretName: name })
        }
      }))

    it.scoped("lists a created secret, with and without imports", () =>
      Effect.gen(function*() {
        const secrets = yield* Secrets.Secrets
        const name = yield* TestServer.scratchName("LISTED")
        yield* secrets.create(name, Redacted.make("value"))
        for (const includeImports of [true, false]) {
          const list = yield* secrets.list({ includeImports })
          const found = list.secrets.filter((secret) => secret.name === name)
          assert.deepStrictEqual(found.map(value), ["value"])
          assert.strictEqual(list.source, "live")
        }
      }))

    it.scoped("creates no second secret of one name", () =>
      Effect.gen(function*() {
        const secrets = yield* Secrets.Secrets
        const name = yield* TestServer.scratchName("TWICE")
        yield* secrets.create(name, Redacted.make("first"))
        const error = yield* Effect.flip(secrets.create(name, Redacted.make("second")))
        assert.include(error, { _tag: "AlreadyExistsError", secretName: name })
        assert.strictEqual(value(yield* get(name)), "first")
      }))

    it.scoped("neither updates nor deletes what is not there", () =>
      Effect.gen(function*() {
        const secrets = yield* Secrets.Secrets
        const name = yield* TestServer.scratchName("ABSENT")
        for (const write of [secrets.update(name, Redacted.make("value")), secrets.delete(name)]) {
          assert.include(yield* Effect.flip(write), { _tag: "NotFoundError", resource: "secret" })
        }
      }))

    it.scoped("writes no personal secret with a service token", () =>
      Effect.gen(function*() {
        const secrets = yield* Secrets.Secrets
        const name = yield* TestServer.scratchName("PERSONAL")
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
      it.scoped(`creates, reads, updates and deletes a secret whose name has ${kind}`, () =>
        Effect.gen(function*() {
          const secrets = yield* Secrets.Secrets
          const full = yield* TestServer.scratchName(name)
          yield* secrets.create(full, Redacted.make("first"))
          assert.strictEqual(value(yield* getAfresh(full)), "first")
          yield* secrets.update(full, Redacted.make("second"))
          assert.strictEqual(value(yield* getAfresh(full)), "second")
          yield* secrets.delete(full)
          assert.include(yield* Effect.flip(getAfresh(full)), { _tag: "NotFoundError" })
        }))
    }

    it.scoped("keeps a name of 100 characters whole", () =>
      Effect.gen(function*() {
        const secrets = yield* Secrets.Secrets
        const name = yield* TestServer.scratchName("L".repeat(100))
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
      it.scoped(`keeps ${kind} value whole, or without the space around it where the server decrypts`, () =>
        Effect.gen(function*() {
          const secrets = yield* Secrets.Secrets
          const name = yield* TestServer.scratchName("VALUE")
          yield* secrets.create(name, Redacted.make(text))
          const kept = isEndToEndEncrypted ? text : `${text.trim()}${text.endsWith("\n") ? "\n" : ""}`
          assert.isTrue(value(yield* getAfresh(name)) === kept)
          assert.isTrue(value(yield* get(name)) === kept)
        }))
    }

    it.scoped("says that a value is too large, and creates nothing", () =>
      Effect.gen(function*() {
        const secrets = yield* Secrets.Secrets
        const name = yield* TestServer.scratchName("LARGE")
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

    it.scoped("takes a secret that is not there from the ConfigProvider, and says so", () =>
      Effect.gen(function*() {
        const name = yield* TestServer.scratchName("FALLBACK")
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
  })

  for (
    const [kind, name] of Object.entries({
      "empty": "",
      "blank": "  ",
      "padded with spaces": " NAME ",
      "of 101 characters": "L".repeat(101),
      "with half a surrogate pair": "A\ud800B"
    })
  ) {
    it.effect(`refuses a name that is ${kind}, before any request`, () =>
      Effect.gen(function*() {
        const secrets = yield* Secrets.Secrets
        for (
          const call of [
            secrets.get(name),
            secrets.create(name, Redacted.make("value")),
            secrets.update(name, Redacted.make("value")),
            secrets.delete(name)
          ]
        ) {
          assert.include(yield* Effect.flip(call), { _tag: "InvalidRequestError", parameter: "secretName" })
        }
      }).pipe(Effect.provide(TestServer.unreachable)))
  }

  for (const name of [".", "..", "raw", "batch", "move"]) {
    it.effect(`refuses to write the name "${name}", which no URL or route can carry, before any request`, () =>
      Effect.gen(function*() {
        const secrets = yield* Secrets.Secrets
        for (
          const call of [
            secrets.create(name, Redacted.make("value")),
            secrets.update(name, Redacted.make("value")),
            secrets.delete(name)
          ]
        ) {
          assert.include(yield* Effect.flip(call), { _tag: "InvalidRequestError", parameter: "secretName" })
        }
      }).pipe(Effect.provide(TestServer.unreachable)))
  }

  for (const secretPath of ["foo", "", "/foo//bar", "/foo/../bar", "/*", "/a b", "./foo"]) {
    it.effect(`refuses the path "${secretPath}" before any request, and says how a path begins`, () =>
      Effect.gen(function*() {
        const secrets = yield* Secrets.Secrets
        for (
          const error of [
            yield* Effect.flip(secrets.get("NAME", { secretPath })),
            yield* Effect.flip(secrets.list({ secretPath })),
            yield* Effect.flip(secrets.create("NAME", Redacted.make("value"), { secretPath }))
          ]
        ) {
          assert.include(error, { _tag: "InvalidRequestError", parameter: "secretPath" })
        }
      }).pipe(Effect.provide(TestServer.unreachable)))
  }

  it.effect("refuses a value that UTF-8 would change, before any request", () =>
    Effect.gen(function*() {
      const secrets = yield* Secrets.Secrets
      const error = yield* Effect.flip(secrets.create("NAME", Redacted.make("half \ud83d a pair")))
      assert.include(error, { _tag: "InvalidRequestError", parameter: "value" })
    }).pipe(Effect.provide(TestServer.unreachable)))

  it.effect("is not built with a malformed token", () =>
    Effect.gen(function*() {
      const credential = Credential.serviceToken(Redacted.make("st.id"))
      const error = yield* Effect.flip(Layer.build(TestServer.clientOf("http://127.0.0.1:65535", { credential })))
      assert.include(error, { _tag: "InvalidCredentialError" })
    }).pipe(Effect.scoped))
})
