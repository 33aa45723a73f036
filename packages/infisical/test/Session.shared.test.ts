/** What a session shares between its callers, and how it ends: against a server that knows its tokens. */
import { assert, describe, it } from "@effect/vitest"
import {
  Cause,
  Config,
  ConfigProvider,
  Context,
  Duration,
  Effect,
  Exit,
  Fiber,
  Layer,
  Logger,
  Option,
  Redacted,
  Ref,
  Scope,
  TestClock
} from "effect"
import { Credential, type InfisicalConfig, Session } from "effect-infisical"
import { within } from "../src/api/deadline.js"
import type { Rules } from "./support/TokenServer.js"
import { layer, refused, request, run, session, settle, thirtyDays, TokenServer } from "./support/TokenServer.js"

const hourOfDay: Rules = { expiresIn: 3600, accessTokenMaxTTL: 86_400, renewal: "new JWT" }

const universalAuth: Credential.Login = {
  method: "universal-auth",
  clientId: "client",
  clientSecret: Redacted.make("planted0 secret")
}

const identity = (login: Credential.MachineIdentity["login"]) =>
  Credential.machineIdentity({ id: "identity", login, secret: Option.none() })

const advance = (millis: number) => Effect.zipRight(TestClock.adjust(millis), settle)

/** A session in a scope of its own, with the requests that it makes. */
const inScope = (options: Partial<InfisicalConfig.Options> = {}) =>
  Effect.gen(function*() {
    const scope = yield* Scope.make()
    const { use } = Context.get(yield* Layer.buildWithScope(session(options), scope), Session.Session)
    const { check } = yield* TokenServer
    return {
      request: use(({ accessToken }) => check(accessToken)),
      close: Scope.close(scope, Exit.void)
    }
  })

const errorOf = <A, E>(exit: Exit.Exit<A, E>) =>
  Exit.isFailure(exit) ? Option.getOrUndefined(Cause.failureOption(exit.cause)) : undefined

describe("A login", () => {
  it.effect("sees the ConfigProvider of the layer, not that of the first caller", () => {
    const provider = (who: string) => ConfigProvider.fromMap(new Map([["WHO", who]]))
    const seen: Array<string> = []
    const login = Effect.map(Effect.orDie(Config.string("WHO")), (who) => {
      seen.push(who)
      return universalAuth
    })
    return Effect.gen(function*() {
      yield* Effect.withConfigProvider(request, provider("caller"))
      assert.deepStrictEqual(seen, ["layer"])
    }).pipe(run(thirtyDays, { credential: identity(login) }), Effect.withConfigProvider(provider("layer")))
  })

  it.effect("goes on for the others if the first caller leaves", () =>
    Effect.gen(function*() {
      const { setFault, takeCounts } = yield* TokenServer
      yield* setFault(() => "hangs")
      const first = yield* Effect.fork(request)
      yield* settle
      const second = yield* Effect.fork(request)
      yield* settle
      yield* Fiber.interrupt(first)
      yield* settle
      assert.deepStrictEqual(yield* takeCounts, { "login 0": 1 })
      yield* Fiber.interrupt(second)
    }).pipe(run(thirtyDays)))

  it.effect("that hangs holds up no caller beyond the caller's own deadline", () =>
    Effect.gen(function*() {
      const { setFault } = yield* TokenServer
      yield* setFault(() => "hangs")
      const patient = yield* Effect.fork(Effect.exit(request))
      yield* settle
      const hurried = yield* request.pipe(
        within({ duration: Duration.seconds(1), endpoint: "a call", isWrite: false }),
        Effect.exit,
        Effect.fork
      )
      yield* settle
      yield* advance(1100)
      const exit = yield* Fiber.join(hurried)
      assert.include(errorOf(exit), { _tag: "NetworkError", reason: "Timeout" })
      assert.isTrue(Option.isNone(yield* Fiber.poll(patient)))
      yield* Fiber.interrupt(patient)
    }).pipe(run(thirtyDays)))

  it.effect("whose effect dies, interrupts itself or never ends is a credential that cannot be read", () =>
    Effect.gen(function*() {
      for (
        const login of [
          Effect.die(new Error("planted0 defect")),
          Effect.dieMessage("planted0 message"),
          Effect.interrupt,
          Effect.never
        ]
      ) {
        const lines: Array<string> = []
        const logger = Logger.make(({ cause, message }) => void lines.push(`${String(message)} ${Cause.pretty(cause)}`))
        const fiber = yield* request.pipe(
          run(thirtyDays, { credential: identity(login) }),
          Effect.exit,
          Effect.provide(Logger.replace(Logger.defaultLogger, logger)),
          Effect.fork
        )
        yield* settle
        yield* advance(31_000)
        assert.include(errorOf(yield* Fiber.join(fiber)), { _tag: "InvalidCredentialError" })
        assert.notInclude(lines.join("\n"), "planted0")
      }
    }))
})

describe("A token that the server refuses", () => {
  it.effect("is never given back to the caller that reported it, whoever logs in at the same time", () =>
    Effect.gen(function*() {
      const { revokeAll, takeCounts } = yield* TokenServer
      const first = yield* request
      yield* revokeAll
      const tokens = yield* Effect.all(Array.from({ length: 10 }, () => request), { concurrency: "unbounded" })
      assert.deepStrictEqual(new Set(tokens).size, 1)
      assert.notInclude(tokens, first)
      assert.deepStrictEqual(yield* takeCounts, { "login 200": 2 })
    }).pipe(run(thirtyDays)))

  it.effect("in an outage ends in the NetworkError of the login, not in the refusal", () =>
    Effect.gen(function*() {
      const { revokeAll, setFault } = yield* TokenServer
      yield* request
      yield* revokeAll
      yield* setFault(() => "unreachable")
      const exits = yield* Effect.all(Array.from({ length: 5 }, () => Effect.exit(request)), {
        concurrency: "unbounded"
      })
      for (const exit of exits) assert.include(errorOf(exit), { _tag: "NetworkError" })
    }).pipe(run(hourOfDay)))
})

describe("A refused login", () => {
  it.effect("of AWS is not offered again although each signature differs, and is once the credential is another", () => {
    let accessKeyId = "first"
    let signatures = 0
    const login = Effect.sync((): Credential.Login => ({
      method: "aws-auth",
      identityId: "identity",
      iamHttpRequestMethod: "POST",
      iamRequestBody: "",
      iamRequestHeaders: Redacted.make(`signature ${++signatures}`),
      signedWith: Redacted.make(accessKeyId)
    }))
    return Effect.gen(function*() {
      const { setFault, takeCounts } = yield* TokenServer
      yield* setFault(() => refused())
      for (let hour = 0; hour < 24; hour++) {
        assert.include(yield* Effect.flip(request), { _tag: "AuthenticationError" })
        yield* advance(3_600_000)
      }
      assert.deepStrictEqual(yield* takeCounts, { "login 401": 1 })
      accessKeyId = "second"
      yield* setFault(() => undefined)
      yield* request
      assert.deepStrictEqual(yield* takeCounts, { "login 200": 1 })
    }).pipe(run(thirtyDays, { credential: identity(login) }))
  })
})

describe("The release of a session", () => {
  it.effect("in the middle of a login tells the callers why", () =>
    Effect.gen(function*() {
      const { setFault } = yield* TokenServer
      yield* setFault(() => "hangs")
      const { close, request } = yield* inScope()
      const waiting = yield* Effect.fork(request)
      yield* settle
      const closing = yield* Effect.fork(close)
      yield* settle
      yield* advance(6000)
      yield* Fiber.join(closing)
      const exit = yield* Fiber.await(waiting)
      assert.isTrue(Exit.isFailure(exit) && Cause.isDie(exit.cause) && !Cause.isInterrupted(exit.cause))
      assert.include(String(exit), "has been released")
      assert.include(String(yield* Effect.exit(request)), "has been released")
    }).pipe(Effect.provide(layer(thirtyDays))))

  it.effect("revokes every token, those that were replaced before, too", () =>
    Effect.gen(function*() {
      const { goodTokens, take } = yield* TokenServer
      const { close, request } = yield* inScope({ revokeOnRelease: true })
      // Each token is of a login of its own, since none can be renewed.
      yield* request
      yield* advance(2_400_000)
      yield* request
      yield* settle
      assert.strictEqual((yield* goodTokens).length, 2)
      yield* take
      yield* close
      assert.deepStrictEqual(yield* goodTokens, [])
    }).pipe(Effect.provide(layer({ expiresIn: 3600, accessTokenMaxTTL: 3600, renewal: "new JWT" }))))

  it.effect("ends within seconds although the server hangs, in an uninterruptible region", () =>
    Effect.gen(function*() {
      const { setFault } = yield* TokenServer
      const { close, request } = yield* inScope({ revokeOnRelease: true })
      yield* request
      yield* setFault(() => "hangs")
      const isClosed = yield* Ref.make(false)
      yield* Effect.forkDaemon(Effect.uninterruptible(Effect.zipRight(close, Ref.set(isClosed, true))))
      yield* settle
      assert.isFalse(yield* Ref.get(isClosed))
      yield* advance(5100)
      assert.isTrue(yield* Ref.get(isClosed))
    }).pipe(Effect.provide(layer(thirtyDays))))
})
