/**
 * An Infisical server for development and tests: in memory, on a free port of the loopback interface, gone with its
 * scope.
 *
 * @example
 * ```ts
 * import { Emulator } from "effect-infisical-emulator"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const emulator = yield* Emulator.Emulator
 *   const token = yield* emulator.serviceToken()
 *   // hand emulator.url and token to a client
 * }).pipe(Effect.provide(Emulator.layer({ secrets: { NAME: "value" } })))
 * ```
 *
 * @since 0.1.0
 */
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpServerError from "@effect/platform/HttpServerError"
import { Crypto } from "effect-infisical"
import * as Chunk from "effect/Chunk"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Record from "effect/Record"
import * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import type * as Scope from "effect/Scope"
import * as EmulatorApp from "./EmulatorApp.js"
import * as Faults from "./faults/Faults.js"
import * as Control from "./routes/control.js"
import { withoutSocket } from "./server/client.js"
import { listen } from "./server/listen.js"
import * as EmulatorState from "./state/EmulatorState.js"
import * as World from "./world/World.js"

/**
 * The place of a secret in the world. By default project `main` (or the only one), environment `dev`, path `/`.
 *
 * @since 0.1.0
 * @category models
 */
export interface SecretPlace {
  /** The project's name in the world. */
  readonly project?: string | undefined
  readonly environment?: string | undefined
  readonly secretPath?: string | undefined
}

/**
 * The service behind `Emulator`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** Where it listens: `http://127.0.0.1:<port>`, without a slash at the end. */
  readonly url: string
  /** What the description of the world became. */
  readonly world: World.Resolved
  /** A project of the world, by default `main`, or the only one; there must be one of this name. */
  readonly project: (name?: string) => Effect.Effect<World.ResolvedProject>
  /** The id of a project of the world. */
  readonly projectId: (name?: string) => Effect.Effect<string>
  /** A service token of the world, by default `main`, or the only one; there must be one of this name. */
  readonly serviceToken: (name?: string) => Effect.Effect<Redacted.Redacted<string>>
  /** A user of the world, by default `main`, or the only one; there must be one of this name. */
  readonly user: (name?: string) => Effect.Effect<World.ResolvedUser>
  /** A machine identity of the world, by default `main`, or the only one; there must be one of this name. */
  readonly universalAuth: (name?: string) => Effect.Effect<World.ResolvedIdentity>
  /** The id of a machine identity of the world. */
  readonly identityId: (name?: string) => Effect.Effect<string>
  /** Every request that was answered since the start or the last reset, oldest first, over sockets or without. */
  readonly requests: Effect.Effect<ReadonlyArray<EmulatorState.AnsweredRequest>>
  /** How many they are by method and route, for example `GET /api/v3/secrets/:secretName`. */
  readonly requestCounts: Effect.Effect<Readonly<Record<string, number>>>
  /** Forgets the requests. */
  readonly resetRequests: Effect.Effect<void>
  /**
   * Writes a shared secret behind the clients' backs: creates it and its folder, or makes a new version.
   *
   * Fails with `WorldError` where there is no such project or environment, or the path can have no folder.
   */
  readonly setSecret: (
    options: SecretPlace & {
      readonly name: string
      readonly value: string | Redacted.Redacted<string>
      readonly comment?: string | undefined
    }
  ) => Effect.Effect<void, World.WorldError>
  /**
   * Removes a secret with what overrides it, if there is one.
   *
   * Fails with `WorldError` where there is no such project or environment, or the path can have no folder.
   */
  readonly removeSecret: (options: SecretPlace & { readonly name: string }) => Effect.Effect<void, World.WorldError>
  /** Revokes the service token of this name in the world, if it still exists. */
  readonly revokeServiceToken: (name?: string) => Effect.Effect<void>
  /** Revokes every access token of the identity of this name in the world. */
  readonly revokeAccessTokens: (identity?: string) => Effect.Effect<void>
  /** Whether requests are answered. Where not, each gets its connection reset, as if the server were gone. */
  readonly setAvailable: (available: boolean) => Effect.Effect<void>
  /** Whether it is in maintenance mode: it answers reads and logins, and refuses everything else. */
  readonly setMaintenance: (on: boolean) => Effect.Effect<void>
  /** What goes wrong from now on. */
  readonly faults: Faults.Service
  /** Hands requests to the server without a socket, whatever their host, and answers them in the fiber that asks. */
  readonly httpClient: HttpClient.HttpClient
}

/**
 * An Infisical server for development and tests.
 *
 * @since 0.1.0
 * @category tags
 */
export class Emulator extends Context.Tag("effect-infisical-emulator/Emulator")<Emulator, Service>() {}

/**
 * How it is served.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The address it listens on. Default `127.0.0.1`: every client that can reach it can read every secret. */
  readonly host?: string | undefined
  /** The port it listens on. Default 0: one that is free. */
  readonly port?: number | undefined
  /** Whether faults can be added, listed and cleared at `/__emulator/faults`. Default `false`. */
  readonly controlRoute?: boolean | undefined
  /** Wraps the whole server, for example to log what it answers. */
  readonly middleware?:
    | ((app: HttpApp.Default<Faults.ConnectionLost>) => HttpApp.Default<Faults.ConnectionLost>)
    | undefined
}

/**
 * Starts a server that holds a world. It stops with its scope, whatever connections are open.
 *
 * Fails with `WorldError` where the world has mistakes, with `ServeError` where there is no port to be had.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  world: World.Input = {},
  options: Options = {}
): Effect.Effect<Service, World.WorldError | HttpServerError.ServeError, Crypto.Crypto | Scope.Scope> =>
  Effect.flatMap(seed(world), (held) => serve(held, options))

/**
 * The state that a world describes: what it leaves out is generated, and its secrets are encrypted. Hand it to `serve`.
 *
 * Fails with `WorldError` where the world has mistakes.
 *
 * @since 0.1.0
 * @category constructors
 */
export const seed: (
  world?: World.Input
) => Effect.Effect<EmulatorState.Held, World.WorldError, Crypto.Crypto> = (world = {}) => EmulatorState.make(world)

/**
 * Starts a server on a state that there is already. It stops with its scope, whatever connections are open.
 *
 * Fails with `ServeError` where there is no port to be had.
 *
 * @since 0.1.0
 * @category constructors
 */
export const serve = (
  { service: state, world: resolved }: EmulatorState.Held,
  { controlRoute = false, host = "127.0.0.1", middleware = identity, port = 0 }: Options = {}
): Effect.Effect<Service, HttpServerError.ServeError, Crypto.Crypto | Scope.Scope> =>
  Effect.gen(function*() {
    const crypto = yield* Crypto.Crypto
    const available = yield* Ref.make(true)
    const faults = yield* Faults.make
    const server = yield* EmulatorApp.make.pipe(
      Effect.provideService(EmulatorState.EmulatorState, state),
      Effect.provideService(Faults.Faults, faults)
    )
    const app = whileAvailable(available, middleware(controlRoute ? Control.route(faults, server) : server))
    const url = yield* listen(app, host, port)

    const placeOf = (place: SecretPlace) =>
      Effect.gen(function*() {
        const wrong = (option: string, problem: string) =>
          new World.WorldError({ mistakes: [World.mistake([option], problem)] })
        const name = chosen(resolved.projects, place.project)
        const project = name === undefined ? undefined : resolved.projects[name]
        if (project === undefined) {
          return yield* wrong("project", `must be one of the projects: ${Object.keys(resolved.projects).join(", ")}`)
        }
        const { environment = "dev", secretPath = "/" } = place
        if (!project.environments.includes(environment)) {
          return yield* wrong(
            "environment",
            `must be one of the project's environments: ${project.environments.join(", ")}`
          )
        }
        if (!World.isFolderPath(secretPath)) {
          return yield* wrong("secretPath", "must be a path of letters, digits, dashes and underscores")
        }
        return { projectId: project.id, environment, secretPath }
      })

    return {
      url,
      world: resolved,
      project: (name) => entryOf("project", resolved.projects, name),
      projectId: (name) => Effect.map(entryOf("project", resolved.projects, name), ({ id }) => id),
      serviceToken: (name) => entryOf("service token", resolved.serviceTokens, name),
      user: (name) => entryOf("user", resolved.users, name),
      universalAuth: (name) => entryOf("identity", resolved.identities, name),
      identityId: (name) => Effect.map(entryOf("identity", resolved.identities, name), ({ id }) => id),
      requests: Effect.map(Ref.get(state.requests), Chunk.toReadonlyArray),
      requestCounts: Effect.map(Ref.get(state.requests), countsOf),
      resetRequests: Ref.set(state.requests, Chunk.empty()),
      setSecret: ({ comment, name, value, ...place }) =>
        Effect.flatMap(placeOf(place), (found) =>
          Effect.provideService(
            EmulatorState.writePlain(state, {
              ...found,
              name,
              value: Redacted.isRedacted(value) ? Redacted.value(value) : value,
              comment
            }),
            Crypto.Crypto,
            crypto
          )),
      removeSecret: ({ name, ...place }) =>
        Effect.flatMap(placeOf(place), (found) => EmulatorState.removePlain(state, { ...found, name })),
      revokeServiceToken: (name) =>
        Effect.flatMap(
          nameOf("service token", resolved.serviceTokens, name),
          (tokenName) => EmulatorState.revoke(state, tokenName)
        ),
      revokeAccessTokens: (name) =>
        Effect.flatMap(
          entryOf("identity", resolved.identities, name),
          ({ id }) => EmulatorState.revokeAccessTokens(state, id)
        ),
      setAvailable: (value) => Ref.set(available, value),
      setMaintenance: (on) => Ref.set(state.maintenance, on),
      faults,
      httpClient: withoutSocket(app)
    }
  })

/**
 * A server that holds a world, encrypting with Web Crypto.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  world: World.Input = {},
  options: Options = {}
): Layer.Layer<Emulator, World.WorldError | HttpServerError.ServeError> =>
  Layer.provide(Layer.scoped(Emulator, make(world, options)), Crypto.layer)

/**
 * An `HttpClient` that hands every request to the emulator without a socket, in the fiber that asks.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerHttpClient: Layer.Layer<HttpClient.HttpClient, never, Emulator> = Layer.effect(
  HttpClient.HttpClient,
  Effect.map(Emulator, ({ httpClient }) => httpClient)
)

const chosen = <A>(entries: Readonly<Record<string, A>>, name: string | undefined): string | undefined => {
  const names = Object.keys(entries)
  const byDefault = names.includes(World.mainName) ? World.mainName : names.length === 1 ? names[0] : undefined
  const wanted = name ?? byDefault
  return wanted !== undefined && names.includes(wanted) ? wanted : undefined
}

const nameOf = <A>(
  kind: string,
  entries: Readonly<Record<string, A>>,
  name: string | undefined
): Effect.Effect<string> => {
  const found = chosen(entries, name)
  return found === undefined
    ? Effect.dieMessage(
      `The world has no ${kind} "${name ?? World.mainName}", only: ${Object.keys(entries).join(", ") || "none"}`
    )
    : Effect.succeed(found)
}

const entryOf = <A>(kind: string, entries: Readonly<Record<string, A>>, name: string | undefined): Effect.Effect<A> =>
  Effect.flatMap(nameOf(kind, entries, name), (found) => Effect.orDie(Effect.fromNullable(entries[found])))

const countsOf = (requests: Chunk.Chunk<EmulatorState.AnsweredRequest>): Readonly<Record<string, number>> =>
  Chunk.reduce(requests, Record.empty<string, number>(), (counts, { method, route }) => {
    const key = `${method} ${route ?? "(no such route)"}`
    return { ...counts, [key]: (counts[key] ?? 0) + 1 }
  })

const whileAvailable = (
  available: Ref.Ref<boolean>,
  app: HttpApp.Default<Faults.ConnectionLost>
): HttpApp.Default<Faults.ConnectionLost> =>
  Effect.flatMap(Ref.get(available), (yes) => yes ? app : new Faults.ConnectionLost({ how: "reset" }))
