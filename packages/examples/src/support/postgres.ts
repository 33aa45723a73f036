/**
 * A PostgreSQL server for one program, from the binaries that are installed on this machine. It listens on a socket in a
 * temporary directory, checks passwords, and stops with its scope.
 */
import { Reactivity } from "@effect/experimental"
import { Command, FileSystem } from "@effect/platform"
import { PgClient } from "@effect/sql-pg"
import { Data, Effect, Option, Redacted } from "effect"

export class PostgresError extends Data.TaggedError("PostgresError")<{ readonly message: string }> {}

const programs = ["initdb", "pg_ctl", "postgres"]

/** The folder of the binaries: in `PATH`, or where Debian and Ubuntu install them. */
export const binaries = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const debian = "/usr/lib/postgresql"
  const versions = yield* Effect.orElseSucceed(fs.readDirectory(debian), () => [])
  const folders = [...(process.env["PATH"] ?? "").split(":"), ...versions.map((version) => `${debian}/${version}/bin`)]
  return yield* Effect.findFirst(
    folders,
    (folder) => Effect.every(programs, (program) => fs.exists(`${folder}/${program}`))
  )
})

const run = (...[command, ...args]: [string, ...Array<string>]) =>
  Command.exitCode(Command.make(command, ...args)).pipe(
    Effect.filterOrFail(
      (code) => code === 0,
      (code) => new PostgresError({ message: `${command} ${args.join(" ")} failed with exit code ${code}` })
    ),
    Effect.asVoid
  )

/** PostgreSQL does not run as root. */
const asPostgres: ReadonlyArray<string> = process.getuid?.() === 0
  ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
  : ["env"]

export const temporaryPostgres = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const bin = yield* Effect.flatMap(
    binaries,
    Option.match({
      onNone: () => new PostgresError({ message: "Install PostgreSQL: its programs are not in PATH" }),
      onSome: Effect.succeed
    })
  )
  const [command = "env", ...args] = asPostgres
  const pg = (program: string, ...rest: ReadonlyArray<string>) => run(command, ...args, `${bin}/${program}`, ...rest)

  const directory = yield* fs.makeTempDirectoryScoped({ prefix: "postgres-" })
  const data = `${directory}/data`
  const passwordFile = `${directory}/password`
  yield* fs.writeFileString(passwordFile, "owner")
  if (command === "setpriv") yield* run("chown", "-R", "postgres:", directory)

  const owner = ["--username", "owner", "--pwfile", passwordFile, "--auth", "scram-sha-256"]
  yield* pg("initdb", "--pgdata", data, ...owner, "--encoding", "UTF8", "--no-locale", "--no-sync")
  const options = `-k ${directory} -c listen_addresses='' -c fsync=off`
  yield* Effect.acquireRelease(
    pg("pg_ctl", "start", "--wait", "--pgdata", data, "--log", `${directory}/log`, "--options", options),
    () => Effect.ignoreLogged(pg("pg_ctl", "stop", "--wait", "--pgdata", data, "--mode", "immediate"))
  )

  const url = (user: string, password: string) =>
    Redacted.make(`postgres://${user}:${encodeURIComponent(password)}@localhost/postgres?host=${directory}`)
  const admin = yield* PgClient.make({ url: url("owner", "owner"), maxConnections: 1 })
  return { url, admin }
}).pipe(Effect.provide(Reactivity.layer))
