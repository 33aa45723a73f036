/** What callers of one session share: its flights, its refusals, and its end. Without a cache above it. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Deferred, Effect, Exit, Fiber, FiberRef, Layer, Option, Redacted, Ref, Scope, TestClock } from "effect"
import { Credential, InfisicalError, Session } from "effect-infisical"
import type { InfisicalConfig } from "effect-infisical"
import * as AccessToken from "../src/session/accessToken.js"
import * as Flight from "../src/session/flight.js"
import * as State from "../src/session/identityState.js"
import {
  layer,
  refused as refusal,
  request,
  run,
  session,
  settle,
  thirtyDays,
  TokenServer
} from "./support/TokenServer.js"

const refused = new InfisicalError.AuthenticationError({ reason: "Refused", endpoint: "GET /", status: 401 })

/** Builds a session in a scope that the test closes. */
const inScope = (options: Partial<InfisicalConfig.Options> = {}) =>
  Effect.gen(function*() {
    const scope = yield* Scope.make()
    const context = yield* Layer.buildWithScope(session(options), scope)
    return { request: Effect.provide(request, context), close: Scope.close(scope, Exit.void) }
  })

const token = (text: string, now: number, previous: Option.Option<AccessToken.AccessToken> = Option.none()) =>
  AccessToken.fromAnswer({ accessToken: text, expiresIn: 3600, accessTokenMaxTTL: 7200 }, now, previous)

describe("A refused access token", () => {
  it.effect("is an error of the network if no other can be had in an outage", () =>
    Effect.gen(function*() {
      const { revokeAll, setFault } = yield* TokenServer
      yield* request
      yield* revokeAll
      yield* setFault(() => "unreachable")
      const errors = yield* Effect.replicateEffect(Effect.flip(request), 20).pipe(Effect.withConcurrency(20))
      for (const error of errors) assert.strictEqual(error._tag, "NetworkError")
      yield* setFault(() => undefined)
      yield* request
    }).pipe(run(thirtyDays)))

  it.effect("is not returned to the caller who reported it, although a renewal of it was in flight", () =>
    Effect.gen(function*() {
      const flight = yield* Flight.make<AccessToken.AccessToken, Session.LoginError>()
      const other = yield* Flight.make<AccessToken.AccessToken, Session.LoginError>()
      const first = token("first", 0)
      const now = 2_500_000
      const [login, starting] = State.acquire(State.initial, 0, flight)
      assert.strictEqual(login._tag, "Start")
      const loggedIn = State.accepted(State.loggedIn(starting, 0, flight, first), first)
      const [renewal, renewing] = State.acquire(loggedIn, now, flight)
      assert.strictEqual(renewal._tag, "UseAndStart")
      const [report, reported] = State.report(renewing, now, other, first, refused)
      assert.strictEqual(report._tag, "Wait")
      const [useless] = State.renewed(reported, now, flight, first, token("first", now, Option.some(first)))
      assert.isTrue(Option.isNone(useless))
      const [useful, renewed] = State.renewed(reported, now, flight, first, token("second", now, Option.some(first)))
      assert.isTrue(Option.isSome(useful))
      // The flight has its result. A caller whose new token is refused, too, must not join it.
      const [again] = State.report(
        State.accepted(renewed, token("second", now)),
        now,
        other,
        token("second", now),
        refused
      )
      assert.deepInclude(again, { _tag: "Start", flight: other })
    }))
})

describe("A release with `revokeOnRelease`", () => {
  it.effect("ends within 5 seconds although the server hangs, also if it cannot be interrupted", () =>
    Effect.gen(function*() {
      const { setFault, take } = yield* TokenServer
      const { close, request } = yield* inScope({ revokeOnRelease: true, requestTimeout: "1 hour" })
      yield* request
      yield* setFault(() => "hangs")
      const closing = yield* Effect.fork(Effect.uninterruptible(close))
      yield* settle
      yield* TestClock.adjust("5 seconds")
      yield* settle
      assert.isTrue(Option.isSome(yield* Fiber.poll(closing)))
      assert.deepInclude((yield* take).at(-1), { route: "revoke", status: 0 })
    }).pipe(Effect.provide(layer(thirtyDays))))

  it.effect("revokes the tokens that were replaced, too", () =>
    Effect.gen(function*() {
      const { goodTokens } = yield* TokenServer
      const { close, request } = yield* inScope({ revokeOnRelease: true })
      yield* request
      yield* TestClock.adjust("45 minutes")
      yield* request
      yield* settle
      assert.strictEqual((yield* goodTokens).length, 2)
      yield* close
      assert.deepStrictEqual(yield* goodTokens, [])
    }).pipe(Effect.provide(layer({ expiresIn: 3600, accessTokenMaxTTL: 3600, renewal: "same JWT" }))))
})

describe("A login in flight", () => {
  it.effect("ends with an explanation for its callers if the layer is released", () =>
    Effect.gen(function*() {
      const { setFault } = yield* TokenServer
      const { close, request } = yield* inScope()
      yield* setFault(() => "hangs")
      const waiting = yield* Effect.fork(request)
      yield* settle
      yield* Effect.fork(close)
      yield* settle
      const exit = yield* Fiber.await(waiting)
      assert.isTrue(Exit.isFailure(exit) && !Cause.isInterrupted(exit.cause))
      assert.include(Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "", "has been released")
    }).pipe(Effect.provide(layer(thirtyDays))))

  it.effect("runs with the context of the layer, not with that of its first caller", () =>
    Effect.gen(function*() {
      const mark = FiberRef.unsafeMake("layer")
      const seen = yield* Ref.make<ReadonlyArray<string>>([])
      const credential = Credential.jwt({
        method: "oidc-auth",
        identityId: "id",
        jwt: Effect.flatMap(FiberRef.get(mark), (mark) =>
          Effect.as(Ref.update(seen, (seen) => [...seen, mark]), Redacted.make("a.b.c")))
      })
      yield* Effect.locally(request, mark, "caller").pipe(run(thirtyDays, { credential }))
      assert.deepStrictEqual(yield* Ref.get(seen), ["layer"])
    }))

  it.effect("goes on for the other callers if the first one is interrupted", () =>
    Effect.gen(function*() {
      const { takeCounts } = yield* TokenServer
      const first = yield* Effect.fork(request)
      const second = yield* Effect.fork(request)
      yield* Effect.yieldNow()
      yield* Fiber.interrupt(first)
      yield* Fiber.join(second)
      assert.deepStrictEqual(yield* takeCounts, { "login 200": 1 })
    }).pipe(run(thirtyDays)))
})

describe("An effect that reads the credential", () => {
  for (
    const [what, jwt] of [
      ["dies", Effect.die(new Error("planted0secret"))],
      ["interrupts itself", Effect.interrupt],
      [
        "throws",
        Effect.sync((): Redacted.Redacted<string> => {
          throw new Error("planted0secret")
        })
      ]
    ] as const
  ) {
    it.effect(`is an InvalidCredentialError if it ${what}`, () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(request)
        assert.include(error, { _tag: "InvalidCredentialError", part: "login" })
        assert.notInclude(JSON.stringify(error) + String(error), "planted0secret")
      }).pipe(run(thirtyDays, { credential: Credential.jwt({ method: "oidc-auth", identityId: "id", jwt }) })))
  }
})

describe("A refused AWS login", () => {
  /** Signs each login differently, with the credentials of the ref. */
  const signing = (credentials: Ref.Ref<string>) =>
    Effect.map(Ref.make(0), (signatures) =>
      Credential.machineIdentity({
        id: "aws-auth id",
        secret: Option.none(),
        login: Effect.gen(function*() {
          const signature = yield* Ref.updateAndGet(signatures, (n) => n + 1)
          return {
            method: "aws-auth",
            identityId: "id",
            iamHttpRequestMethod: "POST",
            iamRequestBody: "body",
            iamRequestHeaders: Redacted.make(`signature ${signature}`),
            signedWith: Redacted.make(yield* Ref.get(credentials))
          } as const
        })
      }))

  it.effect("is not offered again with another signature, but with other credentials", () =>
    Effect.gen(function*() {
      const { setFault, takeCounts } = yield* TokenServer
      const credentials = yield* Ref.make("first")
      yield* Effect.gen(function*() {
        yield* setFault(() => refusal(401))
        for (let hours = 0; hours < 24; hours++) {
          assert.include(yield* Effect.flip(request), { _tag: "AuthenticationError" })
          yield* TestClock.adjust("1 hour")
        }
        assert.deepStrictEqual(yield* takeCounts, { "login 401": 1 })
        yield* setFault(() => undefined)
        yield* Ref.set(credentials, "second")
        yield* request
        assert.deepStrictEqual(yield* takeCounts, { "login 200": 1 })
      }).pipe(Effect.provide(session({ credential: yield* signing(credentials) })))
    }).pipe(Effect.provide(layer(thirtyDays))))
})

describe("A token that we were given and that is refused", () => {
  it.effect("begins with the shortest pause again after a success, and one refusal of many at once counts", () =>
    Effect.gen(function*() {
      const isGood = yield* Ref.make(false)
      const requests = yield* Ref.make(0)
      const gate = yield* Deferred.make<void>()
      const use = Effect.flatMap(Session.Session, ({ use }) =>
        use(() =>
          Ref.update(requests, (n) => n + 1).pipe(
            Effect.zipRight(Deferred.await(gate)),
            Effect.zipRight(Effect.if(Ref.get(isGood), { onTrue: () => Effect.void, onFalse: () => refused }))
          )
        ))
      const many = yield* Effect.forkAll(Array.from({ length: 50 }, () => Effect.flip(use)))
      yield* settle
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(many)
      assert.strictEqual(yield* Ref.getAndSet(requests, 0), 50)
      yield* Effect.flip(use)
      assert.strictEqual(yield* Ref.get(requests), 0)
      yield* TestClock.adjust("10 seconds")
      yield* Effect.flip(use)
      yield* TestClock.adjust("20 seconds")
      yield* Ref.set(isGood, true)
      yield* use
      yield* Ref.set(isGood, false)
      yield* Effect.flip(use)
      yield* TestClock.adjust("10 seconds")
      yield* Ref.set(isGood, true)
      yield* use
      assert.strictEqual(yield* Ref.get(requests), 4)
    }).pipe(run(thirtyDays, { credential: Credential.accessToken(Redacted.make("a.b.c")) })))
})
