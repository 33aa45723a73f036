import { FileSystem, HttpClient, type KeyValueStore, Path } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { SystemError } from "@effect/platform/Error"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Layer, Logger, Option, Redacted, TestClock } from "effect"
import { Credential, Secrets } from "effect-infisical"
import { Emulator } from "effect-infisical-emulator"
import { NodeInfisical, NodeSnapshotStorage } from "effect-infisical-node"
import { execFileSync } from "node:child_process"

const modeOf = (file: string) =>
  Effect.flatMap(FileSystem.FileSystem, (fs) => Effect.map(fs.stat(file), ({ mode }) => mode & 0o777))

const filesIn = (directory: string) =>
  Effect.flatMap(
    FileSystem.FileSystem,
    (fs) => Effect.map(fs.readDirectory(directory), (names) => names.map((name) => `${directory}/${name}`))
  )

/** A directory that is not there yet, in one that goes with the test. */
const newDirectory = Effect.flatMap(
  FileSystem.FileSystem,
  (fs) => Effect.map(fs.makeTempDirectoryScoped(), (parent) => `${parent}/state/snapshots`)
)

const withFiles = <A, E>(
  use: (directory: string, store: KeyValueStore.KeyValueStore) => Effect.Effect<
    A,
    E,
    FileSystem.FileSystem | Path.Path
  >
) =>
  newDirectory.pipe(
    Effect.flatMap((directory) =>
      Effect.flatMap(NodeSnapshotStorage.make({ directory }), (store) => use(directory, store))
    ),
    Effect.scoped,
    Effect.provide(NodeContext.layer)
  )

/** A store on a file system that does something else here and there. */
const onOther = (directory: string, change: (fs: FileSystem.FileSystem) => Partial<FileSystem.FileSystem>) =>
  Effect.flatMap(
    FileSystem.FileSystem,
    (fs) =>
      Effect.provideService(NodeSnapshotStorage.make({ directory }), FileSystem.FileSystem, { ...fs, ...change(fs) })
  )

const failing = (method: string) =>
  Effect.fail(new SystemError({ module: "FileSystem", method, reason: "PermissionDenied", description: "EROFS" }))

describe("A store in files", () => {
  it.effect("gives back what was stored last, until it is removed", () =>
    withFiles((_, store) =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* store.get("key"), Option.none())
        assert.strictEqual(yield* store.size, 0)
        yield* store.set("key", "first")
        yield* store.set("other", "ünïcödé 😀")
        yield* store.set("key", "second")
        assert.deepStrictEqual(yield* store.get("key"), Option.some("second"))
        assert.deepStrictEqual(yield* store.get("other"), Option.some("ünïcödé 😀"))
        assert.strictEqual(yield* store.size, 2)
        yield* store.remove("key")
        yield* store.remove("key")
        assert.isFalse(yield* store.has("key"))
        assert.strictEqual(yield* store.size, 1)
        yield* store.clear
        assert.isTrue(yield* store.isEmpty)
        assert.deepStrictEqual(yield* store.get("other"), Option.none())
        yield* store.clear
      })
    ))

  it.effect("removes and clears where nothing was stored yet", () =>
    withFiles((_, store) =>
      Effect.gen(function*() {
        yield* store.remove("key")
        yield* store.clear
        assert.strictEqual(yield* store.size, 0)
      })
    ))

  it.effect("makes its directory with mode 0700 and its files with mode 0600", () =>
    withFiles((directory, store) =>
      Effect.gen(function*() {
        yield* store.set("key", "text")
        yield* store.set("key", "text again")
        assert.strictEqual(yield* modeOf(directory), 0o700)
        assert.strictEqual(yield* modeOf(`${directory}/..`), 0o700)
        const [file = "", ...others] = yield* filesIn(directory)
        assert.deepStrictEqual(others, [])
        assert.strictEqual(yield* modeOf(file), 0o600)
      })
    ))

  it.effect("leaves a directory that is there, and what else is in it, as they are", () =>
    withFiles((directory, store) =>
      Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        yield* fs.makeDirectory(directory, { recursive: true })
        yield* fs.chmod(directory, 0o750)
        yield* fs.writeFileString(`${directory}/notes.txt`, "not ours")
        yield* store.set("key", "text")
        assert.strictEqual(yield* modeOf(directory), 0o750)
        assert.strictEqual(yield* store.size, 1)
        yield* store.clear
        assert.deepStrictEqual(yield* filesIn(directory), [`${directory}/notes.txt`])
      })
    ))

  it.effect("has a file for any key, in its directory and nowhere else", () =>
    withFiles((directory, store) =>
      Effect.gen(function*() {
        const keys = [
          "",
          ".",
          "..",
          "../../escaped",
          "/etc/x",
          "a/b",
          "a\0b",
          "KEY",
          "key",
          "ä",
          "%2F",
          "x".repeat(5000)
        ]
        yield* Effect.forEach(keys, (key) => store.set(key, `text of ${key}`))
        const found = yield* Effect.forEach(keys, (key) => store.get(key))
        assert.deepStrictEqual(found, keys.map((key) => Option.some(`text of ${key}`)))
        const files = yield* filesIn(directory)
        assert.strictEqual(files.length, keys.length)
        for (const file of files) assert.match(file.slice(directory.length), /^\/[0-9a-f]{64}\.sealed$/)
        assert.deepStrictEqual(yield* filesIn(`${directory}/..`), [`${directory}/../snapshots`])
      })
    ))

  it.effect("is found by the next process", () =>
    withFiles((directory, store) =>
      Effect.gen(function*() {
        yield* store.set("key", "text")
        const next = yield* NodeSnapshotStorage.make({ directory })
        assert.deepStrictEqual(yield* next.get("key"), Option.some("text"))
      })
    ))
})

describe("In place of a file", () => {
  for (const [what, command] of [["FIFO", "mkfifo"], ["directory", "mkdir"]] as const) {
    it.effect(`a ${what} is refused without waiting for it`, () =>
      withFiles((directory, store) =>
        Effect.gen(function*() {
          yield* store.set("key", "text")
          const [file = ""] = yield* filesIn(directory)
          yield* Effect.flatMap(FileSystem.FileSystem, (fs) => fs.remove(file))
          execFileSync(command, [file])
          const error = yield* Effect.flip(store.get("key"))
          assert.include({ ...error }, { _tag: "SystemError", reason: "InvalidData" })
        })
      ))
  }

  it.effect("a file that is too large to be a seal is refused without reading it", () =>
    withFiles((directory, store) =>
      Effect.gen(function*() {
        yield* store.set("key", "text")
        const [file = ""] = yield* filesIn(directory)
        // Sparse: it takes no space.
        yield* Effect.flatMap(FileSystem.FileSystem, (fs) => fs.truncate(file, 513 * 1024 * 1024))
        const error = yield* Effect.flip(store.get("key"))
        assert.include({ ...error }, { _tag: "SystemError", reason: "InvalidData" })
      })
    ))
})

describe("A file", () => {
  const textOf = (letter: string) => letter.repeat(300_000)

  it.effect("is never seen half written, however many write and read it", () =>
    withFiles((directory, store) =>
      Effect.gen(function*() {
        const other = yield* NodeSnapshotStorage.make({ directory })
        yield* store.set("key", textOf("-"))
        const writers = [..."abcdefghijklmnop"].map((letter, index) =>
          (index % 2 === 0 ? store : other).set("key", textOf(letter))
        )
        const readers = Array.from({ length: 100 }, () =>
          Effect.map(store.get("key"), (text) => {
            const whole = Option.getOrElse(text, () => "")
            assert.isTrue(whole === textOf(whole.charAt(0)), "a reader saw half a file")
          }))
        yield* Effect.all([
          Effect.all(writers, { concurrency: 4 }),
          Effect.all(readers, { concurrency: 4 })
        ], { concurrency: 2 })
        assert.strictEqual((yield* filesIn(directory)).length, 1)
      })
    ))

  it.effect("is put in place only when all of it has been written to one beside it, and synced", () =>
    withFiles((directory, store) =>
      Effect.gen(function*() {
        yield* store.set("key", "old")
        const happened: Array<string> = []
        const watched = yield* onOther(directory, (fs) => ({
          open: (file, options) =>
            Effect.map(fs.open(file, options), (opened) => {
              happened.push(`open ${options?.flag}`)
              return {
                ...opened,
                writeAll: (bytes) => Effect.tap(opened.writeAll(bytes), () => void happened.push("write")),
                sync: Effect.tap(opened.sync, () => void happened.push("sync"))
              }
            }),
          rename: (from, to) =>
            Effect.gen(function*() {
              assert.strictEqual(yield* fs.readFileString(from), "new")
              assert.strictEqual(yield* fs.readFileString(to), "old")
              assert.strictEqual((yield* fs.stat(from)).mode & 0o777, 0o600)
              assert.isTrue(from.startsWith(`${directory}/`))
              happened.push("rename")
              yield* fs.rename(from, to)
            }).pipe(Effect.provide(NodeContext.layer))
        }))
        yield* watched.set("key", "new")
        assert.deepStrictEqual(happened, ["open wx", "write", "sync", "rename"])
        assert.deepStrictEqual(yield* store.get("key"), Option.some("new"))
      })
    ))

  for (
    const [where, change] of [
      ["while it is written", (fs: FileSystem.FileSystem): Partial<FileSystem.FileSystem> => ({
        open: (file, options) =>
          Effect.map(fs.open(file, options), (opened) => ({
            ...opened,
            sync: opened.sync,
            writeAll: (bytes) => Effect.zipRight(opened.writeAll(bytes.slice(0, 1)), failing("writeAll"))
          }))
      })],
      ["before it is put in place", (): Partial<FileSystem.FileSystem> => ({ rename: () => failing("rename") })]
    ] as const
  ) {
    it.effect(`stays what it was after a failure ${where}, and nothing is left beside it`, () =>
      withFiles((directory, store) =>
        Effect.gen(function*() {
          yield* store.set("key", "old")
          const broken = yield* onOther(directory, change)
          assert.include(yield* Effect.flip(broken.set("key", "new")), { _tag: "SystemError" })
          assert.deepStrictEqual(yield* store.get("key"), Option.some("old"))
          assert.strictEqual((yield* filesIn(directory)).length, 1)
        })
      ))

    it.effect(`stays what it was after a crash ${where}, and what is left goes an hour later`, () =>
      withFiles((directory, store) =>
        Effect.gen(function*() {
          yield* TestClock.setTime(Date.now())
          yield* store.set("key", "old")
          // Who has crashed tidies nothing up.
          const crashing = yield* onOther(directory, (fs) => ({ ...change(fs), remove: () => Effect.void }))
          yield* Effect.flip(crashing.set("key", "new"))
          const restarted = yield* NodeSnapshotStorage.make({ directory })
          assert.deepStrictEqual(yield* restarted.get("key"), Option.some("old"))
          assert.strictEqual(yield* restarted.size, 1)
          // It might be another process that is writing.
          assert.strictEqual((yield* filesIn(directory)).length, 2)
          yield* restarted.set("key", "newer")
          yield* TestClock.adjust("61 minutes")
          const later = yield* NodeSnapshotStorage.make({ directory })
          assert.strictEqual((yield* filesIn(directory)).length, 1)
          assert.deepStrictEqual(yield* later.get("key"), Option.some("newer"))
        })
      ))
  }

  it.effect("is the old one or the new one, whole, when its writer is interrupted", () =>
    withFiles((directory, store) =>
      Effect.gen(function*() {
        yield* store.set("key", textOf("a"))
        for (let attempt = 0; attempt < 50; attempt++) {
          const letter = attempt % 2 === 0 ? "b" : "a"
          const writing = yield* Effect.fork(store.set("key", textOf(letter)))
          yield* Effect.repeatN(Effect.yieldNow(), attempt)
          const exit = yield* Fiber.interrupt(writing)
          assert.isTrue(Exit.isSuccess(exit) || Cause.isInterruptedOnly(exit.cause))
          const text = Option.getOrElse(yield* store.get("key"), () => "")
          assert.isTrue(text === textOf("a") || text === textOf("b"))
          assert.strictEqual((yield* filesIn(directory)).length, 1)
        }
      })
    ))

  it.effect("is cleared with what a crash left beside it", () =>
    withFiles((directory, store) =>
      Effect.gen(function*() {
        const crashing = yield* onOther(directory, () => ({
          rename: () => failing("rename"),
          remove: () => Effect.void
        }))
        yield* Effect.flip(crashing.set("key", "text"))
        assert.strictEqual((yield* filesIn(directory)).length, 1)
        yield* store.clear
        assert.deepStrictEqual(yield* filesIn(directory), [])
      })
    ))
})

describe("A client whose snapshots are sealed in files", () => {
  /** Runs a process of its own. */
  const inProcess = (directory: string) => <A, E, R>(effect: Effect.Effect<A, E, R | Secrets.Secrets>) =>
    Effect.flatMap(Emulator.Emulator, (emulator) =>
      Effect.provide(
        effect,
        Layer.unwrapEffect(Effect.map(emulator.serviceToken(), (token) =>
          NodeInfisical.layerSealed({
            credential: Credential.serviceToken(token),
            siteUrl: emulator.url,
            retry: { times: 0 },
            fallback: false
          }))).pipe(
            Layer.provide(NodeSnapshotStorage.layer({ directory })),
            Layer.provide(Layer.succeed(HttpClient.HttpClient, emulator.httpClient))
          )
      ))

  const get = (name: string) => Effect.flatMap(Secrets.Secrets, (secrets) => secrets.get(name))

  const setAvailable = (available: boolean) =>
    Effect.flatMap(Emulator.Emulator, (emulator) => emulator.setAvailable(available))

  const withWarnings = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.suspend(() => {
      const logged: Array<string> = []
      const logger = Logger.make<unknown, void>(({ logLevel, message }) => {
        const line = `${logLevel.label} ${String(message)}`
        if (line.includes("seal")) logged.push(line)
      })
      return Effect.map(Effect.provide(effect, Logger.add(logger)), (result) => ({ result, logged }))
    })

  const withServer = <A, E>(
    use: (directory: string) => Effect.Effect<A, E, FileSystem.FileSystem | Path.Path | Emulator.Emulator>
  ) =>
    newDirectory.pipe(
      Effect.flatMap(use),
      Effect.scoped,
      Effect.provide(Layer.merge(NodeContext.layer, Emulator.layer({ era: "2024-07", secrets: { A: "planted0 a" } })))
    )

  it.effect("serves them in a new process while the server is gone", () =>
    withServer((directory) =>
      Effect.gen(function*() {
        const live = yield* get("A").pipe(inProcess(directory))
        yield* setAvailable(false)
        const secret = yield* get("A").pipe(inProcess(directory))
        assert.strictEqual(secret.source, "sealed")
        assert.deepStrictEqual(secret.fetchedAt, live.fetchedAt)
        assert.strictEqual(Redacted.value(secret.value), "planted0 a")
      })
    ))

  it.effect("keeps one file for each location, with nothing in it that can be read", () =>
    withServer((directory) =>
      Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        const token = Redacted.value(yield* Effect.flatMap(Emulator.Emulator, ({ serviceToken }) => serviceToken()))
        for (let process = 0; process < 3; process++) yield* get("A").pipe(inProcess(directory))
        const [file = "", ...others] = yield* filesIn(directory)
        assert.deepStrictEqual(others, [])
        assert.strictEqual(yield* modeOf(file), 0o600)
        const text = yield* fs.readFileString(file)
        for (const secret of ["planted0", ...token.split(".").slice(1)]) assert.notInclude(text, secret)
      })
    ))

  it.effect("ignores a file that was cut off", () =>
    withServer((directory) =>
      Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        yield* get("A").pipe(inProcess(directory))
        const [file = ""] = yield* filesIn(directory)
        yield* fs.truncate(file, 100)
        yield* setAvailable(false)
        const { logged, result } = yield* withWarnings(Effect.flip(get("A")).pipe(inProcess(directory)))
        assert.include(result, { _tag: "NetworkError" })
        assert.deepStrictEqual(logged, [
          "WARN The sealed snapshot of dev at / is ignored: it is corrupt or cut off"
        ])
      })
    ))

  it.effect("reads on where the directory cannot be made, and warns", () =>
    withServer((directory) =>
      Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        // Where the directory ought to be there is a file, which stops even root.
        yield* fs.makeDirectory((yield* Path.Path).dirname(directory), { recursive: true })
        yield* fs.writeFileString(directory, "a file")
        const online = yield* withWarnings(get("A").pipe(inProcess(directory)))
        assert.deepInclude({ ...online.result }, { source: "live", value: Redacted.make("planted0 a") })
        assert.lengthOf(online.logged, 1)
        assert.match(online.logged[0] ?? "", /^WARN The snapshot of dev at \/ could not be sealed: /)
        yield* setAvailable(false)
        const offline = yield* withWarnings(Effect.flip(get("A")).pipe(inProcess(directory)))
        assert.include(offline.result, { _tag: "NetworkError" })
        assert.lengthOf(offline.logged, 1)
        assert.match(
          offline.logged[0] ?? "",
          /^WARN The sealed snapshot of dev at \/ is ignored: it could not be read: /
        )
        assert.strictEqual(yield* fs.readFileString(directory), "a file")
      })
    ))

  it.effect("serves what is there where the directory can be read and not written", () =>
    withServer((directory) =>
      Effect.gen(function*() {
        yield* get("A").pipe(inProcess(directory))
        const readOnly = Effect.updateService(FileSystem.FileSystem, (fs) => ({
          ...fs,
          makeDirectory: () => Effect.void,
          open: () => failing("open"),
          remove: () => failing("remove")
        }))
        const online = yield* withWarnings(get("A").pipe(inProcess(directory), readOnly))
        assert.strictEqual(online.result.source, "live")
        assert.lengthOf(online.logged, 1)
        yield* setAvailable(false)
        const offline = yield* withWarnings(get("A").pipe(inProcess(directory), readOnly))
        assert.strictEqual(offline.result.source, "sealed")
        assert.deepStrictEqual(offline.logged, [])
      })
    ))
})
