/** Machine identities over days and weeks: how often they log in, and that no request is lost for want of a token. */
import { HttpBody, HttpClientResponse } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Layer, Redacted, Ref, Schema } from "effect"
import { Credential, type InfisicalConfig, InfisicalError, Secrets } from "effect-infisical"
import type { World } from "effect-infisical-emulator"
import { client, get, layer, Simulation, value } from "./Simulation.js"

const world = (
  identity: NonNullable<World.Input["identities"]>[string],
  era: World.Era = "2024-07"
): World.Input => ({
  projects: {
    main: {
      folders: {
        dev: { "/": { secrets: { A: "a" } }, "/one": { secrets: { B: "b" } }, "/two": { secrets: { C: "c" } } }
      }
    }
  },
  identities: { main: identity },
  era
})

/** A client that logs in as the identity `main`, and asks only when it is read. */
const identityClient = (
  options: Partial<InfisicalConfig.Options> & { readonly clientSecret?: Redacted.Redacted<string> } = {}
) =>
  Layer.unwrapEffect(Effect.gen(function*() {
    const { emulator } = yield* Simulation
    const { clientId, clientSecret } = yield* emulator.universalAuth()
    const { clientSecret: given, ...rest } = options
    return client({
      credential: Credential.universalAuth({ clientId, clientSecret: given ?? clientSecret }),
      projectId: (yield* emulator.project()).id,
      source: "v3",
      refresh: false,
      cacheTtl: "30 minutes",
      missTtl: 0,
      ...rest
    })
  }))

const run =
  (world: World.Input, options: Parameters<typeof identityClient>[0] = {}) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.provide(effect, Layer.provideMerge(identityClient(options), layer(world)))

/** What was asked of the session's routes since the last time, each with how often. */
const takeCounts = Effect.gen(function*() {
  const { takeLogins } = yield* Simulation
  const counts: Record<string, number> = {}
  for (const { path, status } of yield* takeLogins) {
    const name = `${path.split("/").at(-1)} ${status}`
    counts[name] = (counts[name] ?? 0) + 1
  }
  return counts
})

/** Reads once each hour, as long as that takes; every read must be answered live. */
const readHourly = (duration: Duration.DurationInput) =>
  Effect.gen(function*() {
    const { advance } = yield* Simulation
    for (let hours = Duration.toHours(duration); hours > 0; hours--) {
      const secret = yield* get("A")
      assert.strictEqual(secret.source, "live")
      yield* advance("1 hour")
    }
  })

/** The statuses of the requests for secrets since the last time. */
const takeStatuses = Effect.gen(function*() {
  const { takeRequests } = yield* Simulation
  return new Set((yield* takeRequests).map(({ status }) => status))
})

describe("A machine identity", () => {
  it.effect("logs in once however many wait for it", () =>
    Effect.gen(function*() {
      const folders = ["/", "/one", "/two"]
      yield* Effect.forEach(
        Array.from({ length: 300 }, (_, index) => folders[index % 3]),
        (secretPath) => Effect.flatMap(Secrets.Secrets, (secrets) => secrets.list({ secretPath })),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(yield* takeCounts, { "login 200": 1 })
      assert.strictEqual((yield* Effect.flatMap(Simulation, ({ takeRequests }) => takeRequests)).length, 3)
    }).pipe(run(world({}))))

  it.effect("with a token for thirty days logs in anew before that ends, and never renews what cannot be renewed", () =>
    Effect.gen(function*() {
      yield* readHourly("31 days")
      assert.deepStrictEqual(yield* takeCounts, { "login 200": 2 })
      assert.deepStrictEqual(yield* takeStatuses, new Set([200, 304]))
    }).pipe(run(world({}))))

  it.effect("with a token for an hour of a day renews it through the day, and then logs in", () =>
    Effect.gen(function*() {
      const { advance } = yield* Simulation
      for (let quarters = 0; quarters < 4 * 24 * 3; quarters++) {
        assert.strictEqual((yield* get("A")).source, "live")
        yield* advance("15 minutes")
      }
      const counts = yield* takeCounts
      assert.deepStrictEqual(Object.keys(counts).toSorted(), ["login 200", "renew 200"])
      assert.isAtMost(counts["login 200"] ?? 0, 4)
      assert.isAtLeast(counts["renew 200"] ?? 0, 60)
      assert.deepStrictEqual(yield* takeStatuses, new Set([200, 304]))
    }).pipe(run(world({ accessTokenTTL: 3600, accessTokenMaxTTL: 86_400 }), { cacheTtl: "5 minutes" })))

  it.effect("whose token lives no longer than it may at all only ever logs in", () =>
    Effect.gen(function*() {
      yield* readHourly("1 day")
      assert.deepStrictEqual(yield* takeCounts, { "login 200": 24 })
      assert.deepStrictEqual(yield* takeStatuses, new Set([200, 304]))
    }).pipe(run(world({ accessTokenTTL: 600, accessTokenMaxTTL: 600 }))))

  it.effect("whose token lives for seconds is served all the same", () =>
    Effect.gen(function*() {
      const { advance } = yield* Simulation
      for (let turn = 0; turn < 20; turn++) {
        assert.strictEqual((yield* get("A")).source, "live")
        yield* advance("2 seconds")
      }
      assert.deepStrictEqual(yield* takeStatuses, new Set([200, 304]))
    }).pipe(run(world({ accessTokenTTL: 3, accessTokenMaxTTL: 6 }), { cacheTtl: "1 second" })))

  it.effect("whose token is revoked gets another one, once for all, and makes the request again", () =>
    Effect.gen(function*() {
      const { emulator } = yield* Simulation
      yield* get("A")
      yield* takeCounts
      yield* emulator.revokeAccessTokens()
      const secrets = yield* Secrets.Secrets
      const lists = yield* Effect.forEach(
        ["/", "/one", "/two"],
        (secretPath) => Effect.zipRight(secrets.refresh({ secretPath }), secrets.list({ secretPath })),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(lists.map(({ source }) => source), ["live", "live", "live"])
      assert.deepStrictEqual(yield* takeCounts, { "login 200": 1 })
    }).pipe(run(world({}))))

  it.effect("whose token may be used twice logs in for every third request", () =>
    Effect.gen(function*() {
      const { advance } = yield* Simulation
      for (let turn = 0; turn < 10; turn++) {
        assert.strictEqual((yield* get("A")).source, "live")
        yield* advance("1 hour")
      }
      assert.deepStrictEqual(yield* takeCounts, { "login 200": 5 })
    }).pipe(run(world({ accessTokenNumUsesLimit: 2 }))))

  it.effect("whose renewal is refused logs in", () =>
    Effect.gen(function*() {
      const { advance, emulator } = yield* Simulation
      yield* get("A")
      // What is to be renewed is gone by then.
      yield* advance("56 minutes")
      yield* emulator.revokeAccessTokens()
      assert.strictEqual((yield* get("A")).source, "live")
      const counts = yield* takeCounts
      assert.deepStrictEqual(counts, { "login 200": 2, ...counts["renew 403"] === undefined ? {} : { "renew 403": 1 } })
    }).pipe(run(world({ accessTokenTTL: 3600, accessTokenMaxTTL: 86_400 }))))

  it.effect("that is refused is told so at once, and is not offered again in a month", () =>
    Effect.gen(function*() {
      const { advance } = yield* Simulation
      const errors = yield* Effect.forEach(
        Array.from({ length: 100 }),
        () => Effect.flip(get("A")),
        { concurrency: "unbounded" }
      )
      for (const error of errors) assert.include(error, { _tag: "AuthenticationError", reason: "Refused" })
      for (let days = 0; days < 31; days++) {
        yield* advance("1 day")
        assert.include(yield* Effect.flip(get("A")), { _tag: "AuthenticationError" })
      }
      assert.deepStrictEqual(yield* takeCounts, { "login 403": 1 })
    }).pipe(run(world({}), { clientSecret: Redacted.make("wrong") })))

  it.effect("that is locked is told so, and asks again when the lock is over", () =>
    Effect.gen(function*() {
      const { advance, emulator, httpClient: _ } = yield* Simulation
      const clientSecret = Redacted.make("wrong")
      for (let times = 0; times < 3; times++) {
        yield* Effect.provide(Effect.flip(get("A")), Layer.fresh(identityClient({ clientSecret })))
      }
      assert.deepStrictEqual(yield* takeCounts, { "login 401": 3 })
      for (let times = 0; times < 10; times++) {
        assert.include(yield* Effect.flip(get("A")), { _tag: "AuthenticationError", reason: "Locked" })
      }
      assert.deepStrictEqual(yield* takeCounts, { "login 401": 1 })
      yield* advance("5 minutes")
      assert.strictEqual(value(yield* get("A")), "a")
      assert.deepStrictEqual(yield* takeCounts, { "login 200": 1 })
      assert.isDefined(emulator)
    }).pipe(run(world({}, "2026"), { source: "v4" })))

  it.effect("keeps a token to its end while the server cannot be asked for another", () =>
    Effect.gen(function*() {
      const { advance, setFault } = yield* Simulation
      yield* get("A")
      yield* setFault((path) => path.includes("/auth/") ? "unreachable" : undefined)
      yield* advance("59 minutes")
      assert.strictEqual((yield* get("A")).source, "live")
      yield* advance("31 minutes")
      assert.strictEqual((yield* get("A")).source, "stale")
      yield* setFault(() => undefined)
      yield* advance("5 minutes")
      assert.strictEqual((yield* get("A")).source, "live")
    }).pipe(run(world({ accessTokenTTL: 3600, accessTokenMaxTTL: 86_400 }))))

  it.scoped("revokes what it logged in for when its scope closes, where that is asked for", () =>
    Effect.gen(function*() {
      yield* Effect.provide(get("A"), identityClient({ revokeOnRelease: true }))
      assert.deepStrictEqual(yield* takeCounts, { "login 200": 1, "revoke 200": 1 })
      yield* Effect.provide(get("A"), Layer.fresh(identityClient()))
      assert.deepStrictEqual(yield* takeCounts, { "login 200": 1 })
    }).pipe(Effect.provide(layer(world({})))))

  it.effect("reads its JWT anew at each login, and offers a refused one no second time", () =>
    Effect.gen(function*() {
      const { advance, emulator } = yield* Simulation
      const jwt = yield* Ref.make("first.jwt.signed")
      const reads = yield* Ref.make(0)
      const credential = Credential.jwt({
        method: "kubernetes-auth",
        identityId: yield* emulator.identityId(),
        jwt: Effect.zipRight(Ref.update(reads, (n) => n + 1), Effect.map(Ref.get(jwt), Redacted.make))
      })
      yield* Effect.gen(function*() {
        assert.include(yield* Effect.flip(get("A")), { _tag: "AuthenticationError" })
        yield* advance("1 hour")
        assert.include(yield* Effect.flip(get("A")), { _tag: "AuthenticationError" })
        assert.deepStrictEqual(yield* takeCounts, { "login 403": 1 })
        yield* Ref.set(jwt, "second.jwt.signed")
        assert.strictEqual(value(yield* get("A")), "a")
        assert.deepStrictEqual(yield* takeCounts, { "login 200": 1 })
      }).pipe(Effect.provide(identityClient({ credential })))
      assert.isAtLeast(yield* Ref.get(reads), 3)
    }).pipe(Effect.provide(layer(world({ acceptedJwts: ["second.jwt.signed"] })))))

  it.effect("whose JWT cannot be read goes on with what it read before", () =>
    Effect.gen(function*() {
      const { advance, emulator } = yield* Simulation
      const readable = yield* Ref.make(true)
      const unreadable = new InfisicalError.InvalidCredentialError({ part: "jwt", problem: "cannot be read" })
      const credential = Credential.jwt({
        method: "oidc-auth",
        identityId: yield* emulator.identityId(),
        jwt: Effect.flatMap(Ref.get(readable), (readable) =>
          readable ? Effect.succeed(Redacted.make("a.b.c")) : unreadable)
      })
      yield* Effect.gen(function*() {
        assert.strictEqual((yield* get("A")).source, "live")
        yield* Ref.set(readable, false)
        yield* advance("11 minutes")
        assert.strictEqual((yield* get("A")).source, "stale")
        assert.include(
          yield* Effect.flip(Effect.flatMap(Secrets.Secrets, (secrets) =>
            secrets.refresh())),
          { _tag: "InvalidCredentialError", part: "jwt" }
        )
        yield* Ref.set(readable, true)
        yield* Effect.flatMap(Secrets.Secrets, (secrets) => secrets.refresh())
        assert.strictEqual((yield* get("A")).source, "live")
      }).pipe(Effect.provide(identityClient({ credential, cacheTtl: "1 minute" })))
    }).pipe(Effect.provide(layer(world({ accessTokenTTL: 600, accessTokenMaxTTL: 600 })))))
})

describe("An access token that we were given", () => {
  it.effect("is used as it is, and neither renewed nor revoked", () =>
    Effect.gen(function*() {
      const { advance } = yield* Simulation
      const token = yield* accessToken
      yield* takeCounts
      yield* Effect.gen(function*() {
        yield* get("A")
        yield* advance("1 day")
        yield* get("A")
      }).pipe(Effect.provide(identityClient({ credential: Credential.accessToken(token), revokeOnRelease: true })))
      assert.deepStrictEqual(yield* takeCounts, {})
    }).pipe(Effect.provide(layer(world({})))))

  it.effect("is tried again once it is refused, after a pause that grows from 10 seconds to 10 minutes", () =>
    Effect.gen(function*() {
      const { advance, takeRequests } = yield* Simulation
      const readRefused = Effect.gen(function*() {
        assert.include(yield* Effect.flip(get("A")), { _tag: "AuthenticationError" })
        return (yield* takeRequests).length
      })
      yield* Effect.gen(function*() {
        for (const seconds of [10, 20, 40, 80, 160, 320, 600, 600]) {
          assert.strictEqual(yield* readRefused, 1)
          yield* advance(Duration.seconds(seconds - 1))
          assert.strictEqual(yield* readRefused, 0)
          yield* advance("1 second")
        }
      }).pipe(
        Effect.provide(identityClient({ credential: Credential.accessToken(Redacted.make("not.a.jwt")) }))
      )
    }).pipe(Effect.provide(layer(world({})))))
})

/** What a login of the identity `main` gives. */
const accessToken = Effect.gen(function*() {
  const { emulator, httpClient } = yield* Simulation
  const { clientId, clientSecret } = yield* emulator.universalAuth()
  const response = yield* httpClient.post("http://infisical.test/api/v1/auth/universal-auth/login", {
    body: HttpBody.unsafeJson({ clientId, clientSecret: Redacted.value(clientSecret) })
  })
  const { accessToken } = yield* HttpClientResponse.schemaBodyJson(Schema.Struct({ accessToken: Schema.String }))(
    response
  )
  return Redacted.make(accessToken)
})
