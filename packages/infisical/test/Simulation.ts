/**
 * A server and its clients under the test's clock, without a socket: the emulator's own app answers in the fiber that
 * asks. Requests can be made to fail, and are kept with their times.
 */
import { HttpClient, HttpClientError, HttpClientResponse } from "@effect/platform"
import { Clock, Context, Duration, Effect, Layer, Redacted, TestClock } from "effect"
import { Credential, Crypto, Infisical, InfisicalConfig, Secrets } from "effect-infisical"
import { Emulator, type World } from "effect-infisical-emulator"
import { NodeCrypto } from "effect-infisical-node"
import { eraOf } from "./support/eras.js"
import type { Kind } from "./support/sources.js"

/** What happens to a request instead of an answer, or `undefined` for what the emulator says. */
export type Fault = (path: string) => "unreachable" | Response | undefined

interface Seen {
  /** Seconds since the test began. */
  readonly at: number
  readonly path: string
  readonly status: number
  readonly conditional: boolean
}

const isSecrets = ({ path }: Seen) => /^\/api\/v[34]\/secrets/.test(path)

export class Simulation extends Context.Tag("test/Simulation")<Simulation, {
  readonly emulator: Emulator.Service
  /** The requests for secrets and their outcomes since the last time this was asked for; 0 for no answer. */
  readonly takeRequests: Effect.Effect<ReadonlyArray<Seen>>
  /** All others: logins, renewals, revocations, and what a service token is asked. */
  readonly takeLogins: Effect.Effect<ReadonlyArray<Seen>>
  readonly setFault: (fault: Fault) => Effect.Effect<void>
  /** Answers to requests of this method arrive only after this is done; the server has answered before. */
  readonly holdAnswers: (until: Effect.Effect<void>, method?: string) => Effect.Effect<void>
  /**
   * Moves the clock from one pending sleep to the next. Everything that a sleep sets off comes to its end before the
   * clock moves on: a request never times out because the machine that runs the test is slow. (The step has no effect.)
   */
  readonly advance: (duration: Duration.DurationInput, step?: Duration.DurationInput) => Effect.Effect<void>
  /** Lets everything that is under way come to its end. */
  readonly settle: Effect.Effect<void>
  /** How many texts were decrypted since the last time this was asked for. */
  readonly takeDecryptions: Effect.Effect<number>
  readonly httpClient: HttpClient.HttpClient
  readonly crypto: Crypto.Service
}>() {}

const nextSleep = Effect.map(TestClock.sleeps(), (sleeps) => Math.min(...sleeps, Infinity))

/** Web Crypto works in threads: what was begun before has come to its end after this, on a busy machine, too. */
const poolTurn = Effect.promise(() => globalThis.crypto.subtle.digest("SHA-256", new Uint8Array(1)))

const tick = Effect.async<void>((resume) => void setImmediate(() => resume(Effect.void)))

/**
 * The test clock waits some milliseconds of real time, by this property, before it wakes up a sleeper. Here `settle` lets
 * fibers come to their end, so a tick is enough. A simulated day takes 3 s instead of 13 s.
 */
const hurryTestClock = Effect.map(TestClock.testClock(), (clock) => void Object.assign(clock, { yieldTimer: tick }))

const make = Effect.gen(function*() {
  yield* hurryTestClock
  const emulator = yield* Emulator.Emulator
  const nodeCrypto = yield* Crypto.Crypto
  let requests: Array<Seen> = []
  let fault: Fault = () => undefined
  let hold: Effect.Effect<void> = Effect.void
  let held = "GET"
  let inFlight = 0
  let decryptions = 0

  const httpClient = HttpClient.make((request, url) =>
    Effect.gen(function*() {
      const at = (yield* Clock.currentTimeMillis) / 1000
      const path = url.pathname + url.search
      const conditional = request.headers["if-none-match"] !== undefined
      const happening = fault(path)
      const note = (status: number) => void requests.push({ at, path, status, conditional })
      if (happening === "unreachable") {
        note(0)
        return yield* new HttpClientError.RequestError({
          request,
          reason: "Transport",
          cause: new TypeError("fetch failed", { cause: Object.assign(new Error("refused"), { code: "ECONNREFUSED" }) })
        })
      }
      if (happening !== undefined) {
        note(happening.status)
        return HttpClientResponse.fromWeb(request, happening.clone())
      }
      const response = yield* emulator.httpClient.execute(request)
      note(response.status)
      if (request.method === held) {
        // A held answer is not work that comes to its end.
        inFlight--
        yield* Effect.ensuring(hold, Effect.sync(() => void inFlight++))
      }
      return response
    }).pipe(
      (answering) => {
        inFlight++
        return Effect.ensuring(answering, Effect.sync(() => void inFlight--))
      }
    )
  )

  const settle = Effect.gen(function*() {
    for (let quiet = 0; quiet < 16; quiet = inFlight === 0 ? quiet + 1 : 0) {
      yield* tick
      if (quiet % 4 === 3) yield* poolTurn
    }
  })

  return Simulation.of({
    emulator,
    takeRequests: Effect.sync(() => {
      const taken = requests.filter(isSecrets)
      requests = requests.filter((request) => !isSecrets(request))
      return taken
    }),
    takeLogins: Effect.sync(() => {
      const taken = requests.filter((request) => !isSecrets(request))
      requests = requests.filter(isSecrets)
      return taken
    }),
    setFault: (next) =>
      Effect.sync(() => {
        fault = next
      }),
    holdAnswers: (until, method = "GET") =>
      Effect.sync(() => {
        hold = until
        held = method
      }),
    advance: (duration) =>
      Effect.gen(function*() {
        const end = (yield* Clock.currentTimeMillis) + Duration.toMillis(duration)
        yield* settle
        let next = yield* nextSleep
        while (next <= end) {
          yield* TestClock.setTime(next)
          yield* settle
          next = yield* nextSleep
        }
        yield* TestClock.setTime(end)
        yield* settle
      }),
    settle,
    takeDecryptions: Effect.sync(() => {
      const taken = decryptions
      decryptions = 0
      return taken
    }),
    httpClient,
    crypto: {
      ...nodeCrypto,
      projectCipher: (key) =>
        Effect.map(nodeCrypto.projectCipher(key), (cipher) => ({
          ...cipher,
          decryptAll: (sealed) => {
            decryptions += sealed.length
            return cipher.decryptAll(sealed)
          }
        }))
    }
  })
})

/** A server and its clients, by who decrypts. */
export const on = (source: Kind) => {
  const clientOn = <A, E, R>(services: Layer.Layer<A, E, R>, options: Partial<InfisicalConfig.Options>) =>
    Layer.unwrapEffect(Effect.gen(function*() {
      const { crypto, emulator, httpClient } = yield* Simulation
      const config = {
        ...options.credential === undefined
          ? { credential: Credential.serviceToken(yield* emulator.serviceToken()), source }
          : { credential: options.credential },
        siteUrl: "http://infisical.test",
        projectSlug: Object.values(emulator.world.projects)[0]?.slug ?? "",
        retry: { times: 0 },
        fallback: false,
        ...options
      }
      return services.pipe(
        Layer.provideMerge(Layer.succeed(Crypto.Crypto, crypto)),
        Layer.provide(Layer.succeed(HttpClient.HttpClient, httpClient)),
        Layer.provide(InfisicalConfig.layer(config))
      )
    }))

  /** A server that holds this world. */
  const layer = (world: World.Input) =>
    Layer.effect(Simulation, make).pipe(
      Layer.provide([Emulator.layer({ era: eraOf(source), ...world }), NodeCrypto.layer])
    )

  /** A client of the server that has made no request yet. */
  const client = (options: Partial<InfisicalConfig.Options> = {}) =>
    clientOn(Infisical.layerWithoutDependencies(), options)

  return {
    layer,
    client,
    /** The same with sealed snapshots. */
    sealedClient: (options: Partial<InfisicalConfig.Options> = {}) =>
      clientOn(Infisical.layerSealedWithoutDependencies(), options),
    /** Runs with a server that holds this world and a client of it. */
    run:
      (world: World.Input, options: Partial<InfisicalConfig.Options> = {}) =>
      <A, E, R>(effect: Effect.Effect<A, E, R>) =>
        Effect.provide(effect, Layer.provideMerge(client(options), layer(world)))
  }
}

/** What is the same whoever decrypts is tested where this process does. */
export const { client, layer, run, sealedClient } = on("end-to-end-encrypted")

export const get = (name: string, options?: Secrets.GetOptions) =>
  Effect.flatMap(Secrets.Secrets, (secrets) => secrets.get(name, options))

export const value = (secret: { readonly value: Redacted.Redacted<string> }) => Redacted.value(secret.value)

/** `n` secrets with names and values of their number. */
export const numbered = (n: number) =>
  Object.fromEntries(Array.from({ length: n }, (_, index) => [`NAME_${index}`, `value ${index}`]))
