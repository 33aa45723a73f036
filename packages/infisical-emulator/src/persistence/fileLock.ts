/**
 * A lock on a file, so that one process at a time uses it.
 *
 * Each process makes a lock file of its own, and only then looks for those of others: of two that start at the same
 * time, each sees the other, so both never hold the lock. A lock file that a dead process left is removed, and no
 * other process can make one of that name.
 */
import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Array from "effect/Array"
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { hostname } from "node:os"

/** A process, as the name of its lock file says. */
export interface Holder {
  readonly host: string
  readonly pid: number
  /** In milliseconds since 1970. A process that was restarted in a container has the same pid. */
  readonly startedAt: number
}

/** Another process, or another emulator in this one, holds the lock. */
export class HeldError extends Data.TaggedError("HeldError")<{
  readonly holder: Holder
  readonly lockFile: string
}> {}

const self: Holder = {
  host: hostname().replaceAll(/[^A-Za-z0-9-]/g, "-"),
  pid: process.pid,
  startedAt: Math.round(performance.timeOrigin)
}

const nameOf = (base: string, { host, pid, startedAt }: Holder): string => `${base}.${host}.${pid}.${startedAt}.lock`

/** The holder that the name of a lock file for this file says. */
export const parse = (base: string, name: string): Option.Option<Holder> => {
  const [, host, pid, startedAt] = name.startsWith(`${base}.`)
    ? /^([A-Za-z0-9-]+)\.(\d+)\.(\d+)\.lock$/.exec(name.slice(base.length + 1)) ?? []
    : []
  return host === undefined
    ? Option.none()
    : Option.some({ host, pid: Number(pid), startedAt: Number(startedAt) })
}

/** Whether this process is running. Of a process on another host, it cannot be known, so it counts as running. */
const isAlive = ({ host, pid, startedAt }: Holder): boolean =>
  host !== self.host || (pid === self.pid ? startedAt === self.startedAt : hasProcess(pid))

const hasProcess = (pid: number): boolean => {
  try {
    // Signal 0 is not sent.
    return process.kill(pid, 0)
  } catch (error) {
    // EPERM: a process of another user.
    return error instanceof Error && "code" in error && error.code === "EPERM"
  }
}

/** Locks a file until the end of the scope. */
export const hold = (
  file: string
): Effect.Effect<void, HeldError | PlatformError, FileSystem.FileSystem | Path.Path | Scope.Scope> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const folder = path.dirname(file)
    const base = path.basename(file)
    const lockFile = path.join(folder, nameOf(base, self))

    const remove = (name: string) => fs.remove(path.join(folder, name), { force: true })
    const release = Effect.ignore(remove(nameOf(base, self)))
    const refuseOthers = Effect.gen(function*() {
      const others = Array.filterMap(yield* fs.readDirectory(folder), (name) => parse(base, name)).filter((holder) =>
        holder.host !== self.host || holder.pid !== self.pid || holder.startedAt !== self.startedAt
      )
      const holder = others.find(isAlive)
      if (holder !== undefined) {
        return yield* new HeldError({ holder, lockFile: path.join(folder, nameOf(base, holder)) })
      }
      yield* Effect.forEach(others, (dead) => remove(nameOf(base, dead)), { discard: true })
    })
    const acquire = fs.writeFileString(lockFile, `${self.pid}\n`, { flag: "wx", mode: 0o600 }).pipe(
      Effect.mapError((error) =>
        error._tag === "SystemError" && error.reason === "AlreadyExists"
          ? new HeldError({ holder: self, lockFile })
          : error
      ),
      Effect.zipRight(Effect.onError(refuseOthers, () => release))
    )
    yield* Effect.acquireRelease(
      // Of several that start at the same time, one gets it with the next attempt.
      Effect.withClock(
        Effect.retry(acquire, { schedule: attempts, while: (error) => error._tag === "HeldError" }),
        Clock.make()
      ),
      () => release
    )
  })

/** Three more, about 100 ms apart by the system's clock: a test's clock would stand still. */
const attempts = Schedule.intersect(
  Schedule.recurs(3),
  Schedule.jitteredWith(Schedule.spaced("100 millis"), {
    min: 0.5,
    max: 1.5
  })
)
