import { FetchHttpClient, FileSystem, HttpServerRequest } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { expect, layer } from "@effect/vitest"
import { Array, Deferred, Effect, HashMap, Layer, Logger, LogLevel, Option, Random, Redacted, Ref } from "effect"
import { Credential, Crypto, Infisical, Secrets } from "effect-infisical"
import type { World } from "effect-infisical-emulator"
import { Emulator, Persistence } from "effect-infisical-emulator"
import type * as EmulatorState from "../src/state/EmulatorState.js"
import * as Operator from "../src/state/operator.js"
import { client, run, type Running, start, valueOf } from "./process.js"

const file = Effect.map(
  Effect.flatMap(FileSystem.FileSystem, (fs) => fs.makeTempDirectoryScoped()),
  (folder) => `${folder}/state.json`
)

const open = (path: string, world: World.Input = {}) =>
  Persistence.make(path, Emulator.seed({ era: "2024-07", ...world }))

/** A world that has something of everything. */
const rich: World.Input = {
  users: { alice: {} },
  projects: {
    main: {
      folders: {
        dev: {
          "/": {
            secrets: { NAME: { value: "value", comment: "comment", personal: { alice: "hers" } } },
            imports: [{ environment: "prod", path: "/shared" }]
          },
          "/a/b": {}
        }
      }
    },
    other: {}
  },
  serviceTokens: { main: { ttl: "1 hour" }, third: { version: "v3", project: "other", permissions: ["read"] } }
}

layer(Layer.merge(NodeContext.layer, Crypto.layer), { excludeTestServices: true })("a state in a file", (it) => {
  it.scoped("is the same after a restart, with everything that it holds", () =>
    Effect.gen(function*() {
      const path = yield* file
      const first = yield* Effect.scoped(open(path, rich))
      const second = yield* open(path, { secrets: { IGNORED: "value" } })
      expect([first.restored, second.restored]).toEqual([false, true])
      const revealed = ({ service, world }: EmulatorState.Held) =>
        Effect.map(Ref.get(service.state), (state) => ({
          projects: HashMap.toEntries(state.projects).map(([id, project]) => ({
            ...project,
            id,
            key: Redacted.value(project.key),
            folders: HashMap.toEntries(project.folders).toSorted(([left], [right]) => left < right ? -1 : 1)
          })),
          tokens: HashMap.toEntries(state.serviceTokens).map(([id, token]) => ({
            ...token,
            id,
            expiresAt: Option.getOrNull(token.expiresAt),
            secret: Redacted.value(token.secret)
          })).toSorted((left, right) => left.id < right.id ? -1 : 1),
          users: state.users.map((user) => ({ ...user, jwt: Redacted.value(user.jwt) })),
          owner: state.owner.id,
          admitsServiceTokenV3: state.admitsServiceTokenV3,
          credentials: Object.entries(world.serviceTokens).map(([name, token]) => [name, Redacted.value(token)])
        }))
      expect(yield* revealed(second.held)).toEqual(yield* revealed(first.held))
    }))

  it.scoped("is readable by its owner alone, and leaves nothing beside it", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const path = yield* file
      yield* open(path)
      expect(((yield* fs.stat(path)).mode & 0o777).toString(8)).toBe("600")
      expect(yield* fs.readDirectory(path.replace("/state.json", ""))).toEqual(["state.json"])
    }))

  it.scoped("survives what a crash left of another write", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const path = yield* file
      yield* Effect.scoped(open(path))
      yield* fs.writeFileString(`${path}.tmp`, "{ half of")
      const { held, save } = yield* open(path)
      yield* Operator.revoke(held.service, "main")
      yield* save
      expect(HashMap.size((yield* Ref.get((yield* open(path)).held.service.state)).serviceTokens)).toBe(0)
    }))

  it.scoped("that is corrupt is reported with its place, and left as it is", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const path = yield* file
      yield* Effect.scoped(open(path, rich))
      const whole = yield* fs.readFileString(path)
      for (
        const [content, problem] of [
          [whole.slice(0, -10), "is corrupt: it is not JSON"],
          [whole.replace("\"version\":1", "\"version\":2"), "is corrupt: version must be 1"],
          [whole.replace("\"owner\":", "\"planted0\":"), "is corrupt: state.planted0 is not known here"],
          [
            whole.replace("\"secretValueTag\":", "\"planted0\":"),
            expect.stringMatching(
              /^is corrupt: state\.projects\[\d\]\S+\.secrets\[0\]\.row\.secretValueTag is missing$/
            )
          ],
          ["", "is corrupt: it is not JSON"]
        ] as const
      ) {
        yield* fs.writeFileString(path, content)
        const error = yield* Effect.flip(open(path))
        expect(error).toMatchObject({ _tag: "PersistenceError", problem })
        expect(yield* fs.readFileString(path)).toBe(content)
      }
    }))

  it.scoped("is written once for many writes that come at the same time, before any is acknowledged", () =>
    Effect.gen(function*() {
      const path = yield* file
      const fs = yield* FileSystem.FileSystem
      const renames = yield* Ref.make(0)
      const names = Array.makeBy(200, (index) => `NAME_${index}`)
      // The first write to the file ends only after the server has handled all requests, however slow they come in.
      const gate = yield* Ref.make<Effect.Effect<void>>(Effect.void)
      const handled = yield* Ref.make(0)
      const allHandled = yield* Deferred.make<void>()
      const counted = FileSystem.FileSystem.of({
        ...fs,
        rename: (from, to) =>
          Ref.update(renames, (count) => count + 1).pipe(
            Effect.zipRight(Effect.flatten(Ref.get(gate))),
            Effect.zipRight(fs.rename(from, to))
          )
      })
      const persisted = yield* Effect.provideService(open(path), FileSystem.FileSystem, counted)
      yield* Ref.set(renames, 0)
      yield* Ref.set(gate, Deferred.await(allHandled))
      const emulator = yield* Emulator.serve(persisted.held, {
        middleware: (app) =>
          Persistence.acknowledge(
            persisted,
            Effect.tap(app, () =>
              Effect.flatMap(HttpServerRequest.HttpServerRequest, ({ method }) =>
                method === "POST"
                  ? Effect.flatMap(
                    Ref.updateAndGet(handled, (count) => count + 1),
                    (count) => count === names.length ? Deferred.succeed(allHandled, undefined) : Effect.void
                  )
                  : Effect.void))
          )
      })
      const secrets = yield* client({ url: emulator.url, token: yield* emulator.serviceToken() })
      yield* Effect.forEach(names, (name) => secrets.create(name, Redacted.make(name)), {
        concurrency: "unbounded",
        discard: true
      })
      // By now everything is in the file: nothing is saved after the answers.
      const [project] = HashMap.toValues((yield* Ref.get((yield* open(path)).held.service.state)).projects)
      const folders = project === undefined ? [] : HashMap.toValues(project.folders)
      expect(folders.flatMap(({ secrets }) => secrets.map(({ name }) => name)).toSorted()).toEqual(names.toSorted())
      // One for the request that came first, and one for all others.
      expect(yield* Ref.get(renames)).toBe(2)
    }))

  it.scoped("that cannot be written any more is no acknowledgement", () =>
    Effect.gen(function*() {
      const path = yield* file
      const fs = yield* FileSystem.FileSystem
      const persisted = yield* open(path)
      const emulator = yield* Emulator.serve(persisted.held, {
        middleware: (app) => Persistence.acknowledge(persisted, app)
      })
      const credential = Credential.serviceToken(yield* emulator.serviceToken())
      const context = yield* Layer.build(
        Infisical.layer({ credential, siteUrl: emulator.url, fallback: false, retry: { times: 0 } }).pipe(
          Layer.provide(FetchHttpClient.layer)
        )
      )
      // Something that is in the way of the temporary file.
      yield* fs.makeDirectory(`${path}.tmp`)
      const error = yield* Secrets.Secrets.pipe(
        Effect.flatMap((secrets) => secrets.create("NAME", Redacted.make("value"))),
        Effect.provide(context),
        Effect.flip
      )
      expect(error).toMatchObject({ _tag: "NetworkError", reason: "ServerFailure", mayHaveBeenApplied: true })
    }).pipe(Logger.withMinimumLogLevel(LogLevel.None)))
})

layer(NodeContext.layer, { excludeTestServices: true })("the command with a file", (it) => {
  it.scoped("has after a stop what it had before, whatever the world file says", () =>
    Effect.gen(function*() {
      const path = yield* file
      const { token } = yield* Effect.scoped(Effect.gen(function*() {
        const running = yield* start("--persist", path)
        const secrets = yield* client(running)
        yield* secrets.create("NAME", Redacted.make("value"))
        yield* running.process.kill("SIGTERM")
        return running
      }))
      const running = yield* start("--persist", path)
      expect(Redacted.value(running.token)).toBe(Redacted.value(token))
      expect(yield* valueOf(yield* client(running), "NAME")).toEqual(Option.some("value"))
    }))

  it.scoped("that is corrupt ends with 1, and leaves it", () =>
    Effect.gen(function*() {
      const path = yield* file
      const fs = yield* FileSystem.FileSystem
      yield* fs.writeFileString(path, "{\"version\":1,")
      const { exitCode, stderr } = yield* run("--persist", path)
      expect([exitCode, stderr]).toEqual([1, `${path} is corrupt: it is not JSON\n`])
      expect(yield* fs.readFileString(path)).toBe("{\"version\":1,")
    }))

  it.scoped("has every write that was acknowledged when it is killed at any moment", () =>
    Effect.gen(function*() {
      const kills = yield* Effect.all([killedTenTimes, killedTenTimes], { concurrency: "unbounded" })
      for (const acknowledged of kills) expect(acknowledged).toBeGreaterThanOrEqual(10)
    }))
})

/** One file, and ten processes that are killed while they write to it: how many secrets they acknowledged. */
const killedTenTimes = Effect.gen(function*() {
  const path = yield* file
  /** The value that was acknowledged last. */
  const acknowledged = yield* Ref.make(HashMap.empty<string, string>())

  const expectAll = (running: Running) =>
    Effect.gen(function*() {
      const { secrets } = yield* Effect.flatMap(client(running), (secrets) => secrets.list())
      const values = new Map(secrets.map(({ name, value }) => [name, Redacted.value(value)]))
      for (const [name, value] of yield* Ref.get(acknowledged)) {
        // The update that follows a create may be there, too, although its answer was cut off.
        expect([name, values.get(name)]).toEqual([name, expect.stringMatching(value === "1" ? /^[12]$/ : /^2$/)])
      }
    })

  const writeUntilKilled = (running: Running, kill: number) =>
    Effect.gen(function*() {
      const secrets = yield* client(running)
      const begun = yield* Deferred.make<void>()
      const acknowledge = (name: string, value: string) =>
        Effect.zipRight(Ref.update(acknowledged, HashMap.set(name, value)), Deferred.succeed(begun, undefined))
      const write = (name: string) =>
        secrets.create(name, Redacted.make("1")).pipe(
          Effect.zipRight(acknowledge(name, "1")),
          Effect.zipRight(secrets.update(name, Redacted.make("2"))),
          Effect.zipRight(acknowledge(name, "2"))
        )
      const writers = Effect.forEach(
        Array.range(1, 8),
        (writer) =>
          Effect.iterate(0, {
            while: () => true,
            body: (count) => Effect.as(write(`NAME_${kill}_${writer}_${count}`), count + 1)
          }),
        { concurrency: "unbounded" }
      )
      const killer = Effect.gen(function*() {
        yield* Deferred.await(begun)
        yield* Effect.sleep(yield* Random.nextIntBetween(0, 150))
        yield* running.process.kill("SIGKILL")
      })
      yield* Effect.all([Effect.ignore(writers), killer], { concurrency: "unbounded" })
    })

  for (const kill of Array.range(1, 10)) {
    yield* Effect.scoped(Effect.gen(function*() {
      const running = yield* start("--persist", path)
      yield* expectAll(running)
      yield* writeUntilKilled(running, kill)
    }))
  }
  yield* Effect.scoped(Effect.flatMap(start("--persist", path), expectAll))
  return HashMap.size(yield* Ref.get(acknowledged))
})
