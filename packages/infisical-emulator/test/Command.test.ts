import { FetchHttpClient, FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { expect, layer } from "@effect/vitest"
import { ConfigProvider, Effect, Layer, Redacted, Ref } from "effect"
import { Infisical, Secrets } from "effect-infisical"
import { parseEnv } from "node:util"
import * as Command from "../src/command/Command.js"
import * as EnvLines from "../src/command/envLines.js"
import { client, run, start, startHere } from "./process.js"
import { request } from "./request.js"

/** A file of this content, in a folder of its own. */
const fileOf = (name: string, content?: string) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const file = `${yield* fs.makeTempDirectoryScoped()}/${name}`
    if (content !== undefined) yield* fs.writeFileString(file, content)
    return file
  })

const worldFile = (world: object) => fileOf("world.json", JSON.stringify(world))

/** What the command prints when it ends by itself. */
const printed = (...args: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const lines = yield* Ref.make("")
    const console = yield* Effect.console
    yield* Effect.withConsole(Command.run(args), {
      ...console,
      log: (line) => Ref.update(lines, (all) => `${all}${String(line)}\n`)
    })
    return yield* Ref.get(lines)
  })

/** The SDK with the variables of a `.env` file, and nothing else. */
const clientOf = (file: string) =>
  Layer.build(
    Infisical.layerConfig().pipe(
      Layer.provide(FetchHttpClient.layer),
      Layer.provide(Layer.setConfigProvider(ConfigProvider.fromMap(
        new Map(Object.entries(parseEnv(file)).map(([name, value]) => [name, value ?? ""]))
      )))
    )
  ).pipe(Effect.flatMap((context) => Effect.provide(Secrets.Secrets, context)))

layer(NodeContext.layer, { excludeTestServices: true })("the command", (it) => {
  it.scoped("prints a .env file on the standard output, logs nothing secret on the other, and stops on SIGTERM", () =>
    Effect.gen(function*() {
      const running = yield* start("--env", yield* fileOf(".env", "# a comment\nNAME=\"planted0 value\"\nOTHER=x\n"))
      expect(running.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
      const printed = yield* running.printed
      expect(printed).toContain("no vault")
      for (const line of printed.split("\n")) expect(line).toMatch(/^($|# |[A-Z_]+=\S+$)/)
      const secrets = yield* client(running)
      const { value } = yield* secrets.get("NAME")
      expect(Redacted.value(value)).toBe("planted0 value")
      yield* secrets.create("NEW", Redacted.make("planted0 new"))
      yield* request(running.url, "/api/v3/secrets?token=planted0", { headers: { authorization: "Bearer planted0" } })
      yield* running.process.kill("SIGTERM")
      expect(yield* running.process.exitCode).toBe(0)
      expect(yield* running.log).toMatch(/GET \/api\/v3\/secrets 200 in \d+ ms/)
      expect(yield* running.log).toMatch(/POST \/api\/v3\/secrets\/NEW 200 in \d+ ms/)
      const [, , secret = "", key = ""] = Redacted.value(running.token).split(".")
      for (const hidden of ["planted0", secret, key]) expect(yield* running.log).not.toContain(hidden)
    }))

  it.scoped("stops on SIGINT with 0, and its port is free, while a connection is open", () =>
    Effect.gen(function*() {
      const { process, url } = yield* start("--control")
      const hang = "{\"fault\":{\"_tag\":\"Hang\"}}"
      yield* request(url, "/__emulator/faults", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: hang
      })
      yield* Effect.forkScoped(Effect.ignore(request(url, "/api/status")))
      yield* process.kill("SIGINT")
      expect(yield* process.exitCode).toBe(0)
      expect((yield* Effect.flip(request(url, "/api/status"))).code).toBe("ECONNREFUSED")
    }))

  it.scoped("ends with 1 where the world has a mistake, and says where without a stack trace", () =>
    Effect.gen(function*() {
      const world = { projects: { main: { folders: { nope: {} } } } }
      const { exitCode, stderr, stdout } = yield* run("--world", yield* worldFile(world))
      expect([exitCode, stdout]).toEqual([1, ""])
      expect(stderr).toBe(
        "The world has a mistake: projects.main.folders.nope must be one of the project's environments: dev, staging, prod\n"
      )
    }))

  it.scoped("prints variables that a client reads from a .env file: those of a machine identity", () =>
    Effect.gen(function*() {
      const { printed, url } = yield* startHere()
      const variables = parseEnv(printed)
      expect(Object.keys(variables).toSorted()).toEqual([
        "INFISICAL_API_URL",
        "INFISICAL_PROJECT_ID",
        "INFISICAL_UNIVERSAL_AUTH_CLIENT_ID",
        "INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET",
        "SITE_URL"
      ])
      expect([variables["INFISICAL_API_URL"], variables["SITE_URL"]]).toEqual([url, url])
      const secrets = yield* clientOf(printed)
      yield* secrets.create("NAME", Redacted.make("value"))
      const { value } = yield* secrets.get("NAME")
      expect(Redacted.value(value)).toBe("value")
    }))

  it.scoped("prints each other credential commented out, which logs in when it is the one that is not", () =>
    Effect.gen(function*() {
      const world = {
        secrets: { NAME: "value" },
        projects: { main: {}, other: { folders: { dev: { "/": { secrets: { NAME: "of other" } } } } } },
        serviceTokens: { third: { version: "v3" }, main: {} },
        identities: {
          elsewhere: { projects: ["other"], clientSecret: "it's#not=easy" },
          main: {}
        }
      }
      const { printed } = yield* startHere("--world", yield* worldFile(world))
      const [shared = "", ...sections] = printed.split(/\n\n(?=# .*(?:identity|token) ")/)
      expect(sections.map((section) => section.split("\n", 1)[0])).toEqual([
        "# machine identity \"main\"",
        "# Instead of the above: machine identity \"elsewhere\"",
        "# Instead of the above: service token \"main\"",
        "# Instead of the above: service token \"third\""
      ])
      const values = yield* Effect.forEach(
        sections,
        (section) =>
          clientOf(`${shared}\n${section.replaceAll(/^# (?=INFISICAL_)/gm, "")}`).pipe(
            Effect.flatMap((secrets) => secrets.get("NAME")),
            Effect.map(({ value }) => Redacted.value(value)),
            Effect.scoped
          )
      )
      expect(values).toEqual(["value", "of other", "value", "value"])
    }))

  for (
    const value of ["plain-1.x", "", "two words", "it's", "a \"b\"", "#", "$HOME", "a\\nb", "line\nline", "`", "é"]
  ) {
    it(`writes ${JSON.stringify(value)} as a line of a .env file`, () => {
      const line = EnvLines.assignment("NAME", value)
      expect(parseEnv(`BEFORE=1\n${line}\nAFTER=2\n`)).toEqual({ BEFORE: "1", NAME: value, AFTER: "2" })
      expect(parseEnv(`BEFORE=1\n${EnvLines.comment(line)}\nAFTER=2\n`)).toEqual({ BEFORE: "1", AFTER: "2" })
    })
  }

  it("says where no quotes fit a value", () => {
    expect(EnvLines.assignment("NAME", "'\"`")).toBe("# NAME cannot be written in a .env file.")
  })

  for (
    const [content, place] of [
      ["{\n  \"secrets\": { \"NAME\": \"planted0\", }\n}", "line 2, column 36"],
      ["{\n  \"secrets\": {\n    \"NAME\": \"planted0\"\n", "line 4, column 1"],
      ["{ \"NAME\": planted0 }", "line 1, column 11"],
      ["planted0", "line 1, column 1"],
      ["", "line 1, column 1"],
      ["{ \"NAME\": \"planted0\n\" }", "line 1, column 20"],
      ["{ \"NAME\": \"\\planted0\" }", "line 1, column 12"],
      ["{ 'NAME': 1 }", "line 1, column 3"],
      ["[1, 2}", "line 1, column 6"],
      ["{} {}", "line 1, column 4"],
      ["{ \"NAME\": 01 }", "line 1, column 11"],
      ["[[[1], {\"a\": [true, null, -1.5e3, \"\\u00e9\"]}], {}, []", "line 1, column 54"]
    ] as const
  ) {
    it.scoped(`says the line and the column where a world file is not JSON: ${JSON.stringify(content)}`, () =>
      Effect.gen(function*() {
        const file = yield* fileOf("world.json", content)
        const { message } = yield* Effect.flip(Command.run(["--world", file]))
        expect(message.replace(file, "world.json")).toBe(`world.json is not JSON: see ${place}`)
      }))
  }

  it.scoped("says that a world file holds no object", () =>
    Effect.gen(function*() {
      const file = yield* fileOf("world.json", "[]")
      const { message } = yield* Effect.flip(Command.run(["--world", file]))
      expect(message.replace(file, "world.json")).toBe("world.json must hold a JSON object")
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

  it.effect("shows its options when it is asked for help, and its version", () =>
    Effect.gen(function*() {
      const help = yield* printed("--help")
      for (
        const option of [
          "--world",
          "--env",
          "--port",
          "--host",
          "--era",
          "--persist",
          "--control",
          "--version",
          "--help"
        ]
      ) {
        expect(help).toContain(option)
      }
      const fs = yield* FileSystem.FileSystem
      const manifest: unknown = JSON.parse(
        yield* fs.readFileString(new URL("../package.json", import.meta.url).pathname)
      )
      expect({ version: (yield* printed("--version")).trim() }).toEqual({ version: expect.any(String) })
      expect(manifest).toMatchObject({ version: (yield* printed("--version")).trim() })
    }))

  it.scoped("has no control route unless it is asked for", () =>
    Effect.gen(function*() {
      const { url } = yield* startHere()
      expect((yield* request(url, "/__emulator/faults")).status).toBe(404)
    }))

  it.scoped("refuses the control route to web pages: by a name that was rebound, or of another origin", () =>
    Effect.gen(function*() {
      const { url } = yield* startHere("--control")
      const { port } = new URL(url)
      const status = (headers: Record<string, string>, method = "GET") =>
        Effect.map(request(url, "/__emulator/faults", { method, headers }), ({ status }) => status)
      for (
        const host of [`127.0.0.1:${port}`, `localhost:${port}`, "LOCALHOST", `[::1]:${port}`, "localhost:8080"]
      ) {
        expect([host, yield* status({ host })]).toEqual([host, 200])
      }
      for (
        const host of ["evil.test", `evil.test:${port}`, "localhost.evil.test", "127.0.0.1.evil.test", "10.0.0.1", "@"]
      ) {
        expect([host, yield* status({ host })]).toEqual([host, 403])
      }
      const host = `localhost:${port}`
      expect(yield* status({ host, origin: `http://localhost:${port}` })).toBe(200)
      for (const origin of ["https://evil.test", `http://evil.test:${port}`, "null", "http://localhost:1", ""]) {
        expect([origin, yield* status({ host, origin }, "DELETE")]).toEqual([origin, 403])
      }
      const rule = "{\"fault\":{\"_tag\":\"Hang\"}}"
      const headers = { host: "evil.test", "content-type": "application/json" }
      expect((yield* request(url, "/__emulator/faults", { method: "POST", headers, body: rule })).status).toBe(403)
      expect((yield* request(url, "/__emulator/faults")).body).toEqual({ rules: [] })
      expect((yield* request(url, "/api/status", { headers: { host: "evil.test" } })).status).toBe(200)
    }))

  it.scoped("answers the control route by the address that a connection reached", () =>
    Effect.gen(function*() {
      const { url } = yield* startHere("--control", "--host", "0.0.0.0")
      const status = (host: string) =>
        Effect.map(
          request(url.replace("127.0.0.1", "127.0.0.2"), "/__emulator/faults", { headers: { host } }),
          ({ status }) => status
        )
      expect([yield* status("127.0.0.2:80"), yield* status("127.0.0.3:80")]).toEqual([200, 403])
    }))

  it.scoped("says plainly where more than this machine can reach it, and that a port is taken", () =>
    Effect.gen(function*() {
      const { printed, url } = yield* startHere("--host", "0.0.0.0")
      expect(printed).toContain("anyone who can reach it can read and change every secret")
      expect((yield* request(url, "/api/status")).status).toBe(200)
      const { message } = yield* Effect.flip(startHere("--port", new URL(url).port))
      expect(message).toContain("EADDRINUSE")
    }))

  it.scoped("has a reference of the API that needs nothing from the network", () =>
    Effect.gen(function*() {
      const { url } = yield* startHere()
      const root = yield* request(url, "/")
      expect([root.status, root.headers.location]).toEqual([302, "/docs"])
      const { headers, text } = yield* request(url, "/docs")
      expect(headers["content-type"]).toContain("text/html")
      expect(text).toContain("/api/v3/secrets/{secretName}")
      expect(text).not.toMatch(/<(script|link|img)[^>]+(src|href)="/)
    }))

  for (const era of ["2024-07", "2026"] as const) {
    it.scoped(`has a reference that says that it is the emulator of era ${era}, and how to authorize`, () =>
      Effect.gen(function*() {
        const { url } = yield* startHere("--era", era)
        const { text } = yield* request(url, "/docs")
        const json = /<script id="swagger-spec" type="application\/json">\s*(.*?)\s*<\/script>/s.exec(text)?.[1] ?? ""
        const specification: Specification = JSON.parse(json)
        expect(specification.info).toMatchObject({ title: "effect-infisical-emulator", version: era })
        for (const word of ["It is not Infisical", `era \`${era}\``, "Authorization: Bearer"]) {
          expect(specification.info.description).toContain(word)
        }
        expect(specification.components.securitySchemes).toMatchObject({ bearer: { type: "http", scheme: "bearer" } })
        const operations = Object.entries(specification.paths).flatMap(([path, methods]) =>
          Object.values(methods).map((operation) => ({ path, ...operation }))
        )
        expect(operations.filter(({ description }) => (description ?? "").length < 10)).toEqual([])
        const open = operations.filter(({ security }) => security.length === 0).map(({ path }) => path)
        expect(open.every((path) => /\/(login|renew|revoke)$/.test(path))).toBe(true)
        expect(operations.some(({ path }) => path.startsWith("/api/v4/"))).toBe(era === "2026")
      }))
  }
})

interface Specification {
  readonly info: { readonly title: string; readonly description: string; readonly version: string }
  readonly components: { readonly securitySchemes: unknown }
  readonly paths: Record<
    string,
    Record<string, { readonly description?: string; readonly security: ReadonlyArray<unknown> }>
  >
}
