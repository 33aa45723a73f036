import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { expect, layer } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import * as Command from "../src/command/Command.js"
import { client, run, start } from "./process.js"
import { request } from "./request.js"

/** A file of this content, in a folder of its own. */
const fileOf = (name: string, content?: string) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const file = `${yield* fs.makeTempDirectoryScoped()}/${name}`
    if (content !== undefined) yield* fs.writeFileString(file, content)
    return file
  })

layer(NodeContext.layer, { excludeTestServices: true })("the command", (it) => {
  it.scoped("serves a dotenv file, says how to connect, and logs requests without anything secret", () =>
    Effect.gen(function*() {
      const running = yield* start("--env", yield* fileOf(".env", "# a comment\nNAME=\"planted0 value\"\nOTHER=x\n"))
      expect(running.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
      expect(yield* running.printed).toContain("no vault")
      const secrets = yield* client(running)
      const { value } = yield* secrets.get("NAME")
      expect(Redacted.value(value)).toBe("planted0 value")
      yield* secrets.create("NEW", Redacted.make("planted0 new"))
      yield* request(running.url, "/api/v3/secrets?token=planted0", { headers: { authorization: "Bearer planted0" } })
      expect(yield* running.log).toMatch(/GET \/api\/v3\/secrets 200 in \d+ ms/)
      expect(yield* running.log).toMatch(/POST \/api\/v3\/secrets\/NEW 200 in \d+ ms/)
      const [, , secret = "", key = ""] = Redacted.value(running.token).split(".")
      for (const hidden of ["planted0", secret, key]) expect(yield* running.log).not.toContain(hidden)
    }))

  it.scoped("serves a world file, and every token of it is printed as a shell reads it", () =>
    Effect.gen(function*() {
      const world = { secrets: { NAME: "value" }, serviceTokens: { main: {}, third: { version: "v3" } } }
      const running = yield* start("--world", yield* fileOf("world.json", JSON.stringify(world)))
      const secrets = yield* client(running)
      expect((yield* secrets.list()).secrets.map(({ name }) => name)).toEqual(["NAME"])
      expect(yield* running.printed).toMatch(
        /^INFISICAL_TOKEN='\{"publicKey".*\}' SITE_URL=http.* # service token "third"$/m
      )
    }))

  it.scoped("ends with 1 where the world has a mistake, and says where without a stack trace", () =>
    Effect.gen(function*() {
      const world = { projects: { main: { folders: { nope: {} } } } }
      const { exitCode, stderr, stdout } = yield* run("--world", yield* fileOf("world.json", JSON.stringify(world)))
      expect([exitCode, stdout]).toEqual([1, ""])
      expect(stderr).toBe(
        "The world has a mistake: projects.main.folders.nope must be one of the project's environments: dev, staging, prod\n"
      )
    }))

  it.scoped("says where a world file is no JSON, and quotes nothing of it", () =>
    Effect.gen(function*() {
      const problem = (content: string) =>
        Effect.gen(function*() {
          const file = yield* fileOf("world.json", content)
          const { message } = yield* Effect.flip(Command.run(["--world", file]))
          return message.replace(file, "world.json")
        })
      expect(yield* problem("{\n  \"secrets\": { \"NAME\": \"planted0\", }\n}")).toBe(
        "world.json is not JSON: see line 2, column 36"
      )
      expect(yield* problem("[]")).toBe("world.json must hold a JSON object")
    }))

  for (
    const [args, problem] of [
      [["--nonsense"], "Unknown option '--nonsense'"],
      [["--port", "70000"], "--port must be a number from 0 to 65535"],
      [["--world", "a.json", "--env", "b.env"], "give one"],
      [["--world", "no-such-file.json"], "no-such-file.json does not exist"]
    ] as const
  ) {
    it.effect(`refuses ${args.join(" ")}`, () =>
      Effect.gen(function*() {
        const { message } = yield* Effect.flip(Command.run(args))
        expect(message).toContain(problem)
      }))
  }

  it.effect("shows its options when it is asked for help", () =>
    Effect.gen(function*() {
      const { exitCode, stdout } = yield* run("--help")
      expect(exitCode).toBe(0)
      for (const option of ["--world", "--env", "--port", "--host", "--era", "--persist", "--control"]) {
        expect(stdout).toContain(option)
      }
    }))

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    it.scoped(`stops on ${signal} with 0, and its port is free, while a connection is open`, () =>
      Effect.gen(function*() {
        const { process, url } = yield* start("--control")
        const hang = "{\"fault\":{\"_tag\":\"Hang\"}}"
        yield* request(url, "/__emulator/faults", {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: hang
        })
        yield* Effect.forkScoped(Effect.ignore(request(url, "/api/status")))
        yield* process.kill(signal)
        expect(yield* process.exitCode).toBe(0)
        expect((yield* Effect.flip(request(url, "/api/status"))).code).toBe("ECONNREFUSED")
      }))
  }

  it.scoped("has no control route unless it is asked for", () =>
    Effect.gen(function*() {
      const { url } = yield* start()
      expect((yield* request(url, "/__emulator/faults")).status).toBe(404)
    }))

  it.scoped("says plainly where more than this machine can reach it, and that a port is taken", () =>
    Effect.gen(function*() {
      const { printed, url } = yield* start("--host", "0.0.0.0")
      expect(yield* printed).toContain("whoever reaches it can read and change every secret")
      expect((yield* request(url, "/api/status")).status).toBe(200)
      const { exitCode, stderr } = yield* run("--port", new URL(url).port)
      expect([exitCode, stderr]).toMatchObject([1, expect.stringContaining("EADDRINUSE")])
    }))

  it.scoped("has a reference of the API that needs nothing from the network", () =>
    Effect.gen(function*() {
      const { url } = yield* start()
      const root = yield* request(url, "/")
      expect([root.status, root.headers.location]).toEqual([302, "/docs"])
      const { headers, text } = yield* request(url, "/docs")
      expect(headers["content-type"]).toContain("text/html")
      expect(text).toContain("/api/v3/secrets/{secretName}")
      expect(text).not.toMatch(/<(script|link|img)[^>]+(src|href)="/)
    }))
})
