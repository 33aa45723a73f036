import { Command, FetchHttpClient } from "@effect/platform"
import { Data, Deferred, Effect, Layer, Option, Redacted, Ref, Stream } from "effect"
import { Credential, Infisical, Secrets } from "effect-infisical"
import { fileURLToPath } from "node:url"

const bin = fileURLToPath(new URL("../dist/bin.js", import.meta.url))

const command = (...args: ReadonlyArray<string>) => Command.make(globalThis.process.execPath, bin, ...args)

const text = <E>(stream: Stream.Stream<Uint8Array, E>) => Stream.mkString(Stream.decodeText(stream))

/** The command ended before it listened. */
export class EndedError extends Data.TaggedError("EndedError")<{ readonly log: string }> {}

/** Runs the command to its end. */
export const run = (...args: ReadonlyArray<string>) =>
  Effect.scoped(Effect.flatMap(
    Command.start(command(...args)),
    (process) =>
      Effect.all(
        { exitCode: process.exitCode, stdout: text(process.stdout), stderr: text(process.stderr) },
        { concurrency: "unbounded" }
      )
  ))

/** Starts the command, and waits until it listens. It is killed with the scope, if it still runs. */
export const start = (...args: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    // The era in which service tokens come with encrypted secrets, unless another one is given.
    const process = yield* Command.start(command("--era", "2024-07", ...args))
    const log = yield* Ref.make("")
    const printed = yield* Ref.make("")
    const listening = yield* Deferred.make<{ readonly url: string; readonly token: Redacted.Redacted<string> }>()
    // Both are read to their ends: a process whose output nobody reads stands still.
    yield* process.stderr.pipe(
      Stream.decodeText(),
      Stream.runForEach((chunk) => Ref.update(log, (all) => all + chunk)),
      Effect.forkScoped
    )
    yield* process.stdout.pipe(
      Stream.decodeText(),
      Stream.splitLines,
      Stream.runForEach((line) => {
        const [, token, url] = /^INFISICAL_TOKEN=(\S+) SITE_URL=(\S+)/.exec(line) ?? []
        return Effect.zipRight(
          Ref.update(printed, (all) => `${all}${line}\n`),
          token === undefined || url === undefined
            ? Effect.void
            : Deferred.succeed(listening, { token: Redacted.make(token), url })
        )
      }),
      Effect.forkScoped
    )
    const { token, url } = yield* Effect.raceFirst(
      Deferred.await(listening),
      Effect.exit(process.exitCode).pipe(
        Effect.zipRight(Ref.get(log)),
        Effect.flatMap((log) => new EndedError({ log }))
      )
    )
    return { url, token, process, log: Ref.get(log), printed: Ref.get(printed) }
  })

export type Running = Effect.Effect.Success<ReturnType<typeof start>>

/** The SDK, as a user of the command sets it. */
export const client = ({ token, url }: Pick<Running, "token" | "url">) =>
  Layer.build(
    Infisical.layer({
      credential: Credential.serviceToken(token),
      siteUrl: url,
      fallback: false,
      refresh: false,
      retry: { times: 0 }
    }).pipe(Layer.provide(FetchHttpClient.layer))
  ).pipe(Effect.flatMap((context) => Effect.provide(Secrets.Secrets, context)))

/** The value of a secret, if there is one. */
export const valueOf = (secrets: Secrets.Service, name: string) =>
  secrets.get(name).pipe(
    Effect.map(({ value }) => Option.some(Redacted.value(value))),
    Effect.catchTag("NotFoundError", () => Effect.succeedNone)
  )
