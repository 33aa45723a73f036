/**
 * Packs each published package, installs the tarballs into an empty project, and uses them there as its README says:
 * every snippet is type-checked, and the first program runs against the emulator on each runtime that we support.
 * Everything that this needs beyond the repository's own tools is installed in a temporary folder.
 *
 * `npm run check:packages`
 */
import * as esbuild from "esbuild"
import { execFile, spawn } from "node:child_process"
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import { fileURLToPath } from "node:url"
import { parseEnv, promisify } from "node:util"
import { gzipSync } from "node:zlib"

const root = fileURLToPath(new URL("..", import.meta.url))
const packages = ["infisical", "infisical-node", "infisical-emulator"]

/** The versions of the READMEs' install lines. */
const dependencies = ["effect@3", "@effect/platform@0.97", "@effect/platform-node@0.108"]
const testTools = ["vitest@3", "@effect/vitest@0.30", "@types/node@20"]
const tools = [
  "node-20@npm:node@20",
  "node-22@npm:node@22",
  "node-24@npm:node@24",
  "bun@1",
  "deno@2",
  "workerd@1",
  "typescript-5@npm:typescript@5.9",
  "typescript-7@npm:typescript@7",
  "publint@0.3",
  "@arethetypeswrong/cli@0.18"
]

/** Bytes of the SDK, bundled, minified and compressed, without Effect: 2 % more than measured on 2026-11-25. */
const sizes = {
  "the whole SDK": { code: `export * from "effect-infisical"`, limit: 83_860 },
  "Infisical.layerConfig and Secrets": {
    code:
      `export { layerConfig } from "effect-infisical/Infisical"; export { Secrets } from "effect-infisical/Secrets"`,
    limit: 76_422
  }
}

const printed = "DATABASE_URL, version 1: <redacted>"

const execute = promisify(execFile)
const run = async (cwd, command, args, env = {}) => {
  const { stderr, stdout } = await execute(command, args, {
    cwd,
    env: { ...process.env, NO_COLOR: "1", ...env },
    maxBuffer: 1 << 26,
    timeout: 300_000
  })
  return stdout + stderr
}

let failures = 0
const print = (outcome, name, detail = "") =>
  process.stdout.write(`${outcome.padEnd(8)} ${name}${detail && `: ${detail}`}\n`)

/** Runs a check and prints one line. The output of a failed command follows it. */
const check = async (name, body) => {
  const start = performance.now()
  try {
    const detail = await body()
    print("ok", name, detail ?? `${((performance.now() - start) / 1000).toFixed(1)} s`)
  } catch (error) {
    failures++
    print("FAILED", name, `${error.message}\n${error.stdout ?? ""}${error.stderr ?? ""}`.trimEnd())
  }
}

/** A check that needs a downloaded tool. It is skipped, and says why, if the tool does not start. */
const checkWith = async (name, binary, body) => {
  try {
    await run(root, binary, ["--version"])
  } catch (error) {
    return print("skipped:", name, error.message.split("\n")[0])
  }
  return check(name, body)
}

const expectPrinted = (output) => {
  if (!output.includes(printed)) throw new Error(`expected "${printed}", got:\n${output}`)
}

const tarballs = async (folder) => {
  await run(root, "npm", [
    "pack",
    "--pack-destination",
    folder,
    ...packages.flatMap((name) => ["-w", `packages/${name}`])
  ])
  return (await readdir(folder)).filter((file) => file.endsWith(".tgz")).map((file) => join(folder, file))
}

const install = (folder, names) => run(folder, "npm", ["install", "--no-audit", "--no-fund", "--no-save", ...names])

/** Every TypeScript snippet of a package's README, by file name. */
const snippets = async (name) => {
  const text = await readFile(join(root, "packages", name, "README.md"), "utf8")
  return Object.fromEntries(
    [...text.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(([, code], index) => [`${name}-${index + 1}.ts`, code])
  )
}

/** The undici of Bun has no pools of connections, so the README says to use `fetch` there. */
const withFetch = (code) =>
  code.replaceAll("NodeHttpClient.layerUndici", "FetchHttpClient.layer")
    .replace(
      "import { NodeHttpClient, NodeRuntime }",
      `import { FetchHttpClient } from "@effect/platform"\nimport { NodeRuntime }`
    )

const writeProject = async (folder) => {
  await mkdir(folder)
  await writeFile(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }))
  await writeFile(join(folder, "secrets.env"), "DATABASE_URL=postgres://localhost/app\n")
  for (const name of packages) {
    for (const [file, code] of Object.entries(await snippets(name))) {
      await writeFile(join(folder, file), code)
      const { code: plain } = await esbuild.transform(code, { loader: "ts" })
      await writeFile(join(folder, file.replace(".ts", ".mjs")), plain)
    }
  }
  await writeFile(
    join(folder, "infisical-emulator-1.test.ts"),
    (await snippets("infisical-emulator"))["infisical-emulator-1.ts"]
  )
  await writeFile(
    join(folder, "bun-infisical-node-1.ts"),
    withFetch((await snippets("infisical-node"))["infisical-node-1.ts"])
  )
  await writeFile(join(folder, "worker.ts"), worker)
}

/** Declarations of other packages have mistakes, so only errors in ours and in the snippets count. */
const isForeign = (line) => line.startsWith("node_modules/") && !line.startsWith("node_modules/effect-infisical")

const checkTypes = async (project, bin) => {
  for (const [version, major] of [["5.9", "5"], ["7", "7"]]) {
    for (const moduleResolution of ["bundler", "nodenext"]) {
      await check(`TypeScript ${version} with "moduleResolution": "${moduleResolution}"`, async () => {
        const config = `tsconfig.${major}.${moduleResolution}.json`
        const compilerOptions = {
          exactOptionalPropertyTypes: true,
          lib: ["ES2023", "DOM", "DOM.Iterable", "DOM.AsyncIterable"],
          module: moduleResolution === "bundler" ? "preserve" : "nodenext",
          moduleResolution,
          noEmit: true,
          skipLibCheck: false,
          strict: true,
          target: "ES2022",
          types: ["node"]
        }
        await writeFile(join(project, config), JSON.stringify({ compilerOptions, include: ["*.ts"] }))
        const tsc = [join(bin, `typescript-${major}/bin/tsc`), "-p", config, "--pretty", "false"]
        const output = await run(project, process.execPath, tsc).catch(({ stdout }) => stdout)
        const ours = output.split("\n").filter((line) => line.includes("error TS") && !isForeign(line))
        if (ours.length > 0) throw new Error(ours.join("\n"))
      })
    }
  }
}

/** Starts the emulator by its command, as the READMEs do, and gives the variables that it prints. */
const startEmulator = async (project) => {
  const command = join(project, "node_modules/.bin/effect-infisical-emulator")
  const emulator = spawn(command, ["--env", "secrets.env"], { cwd: project, stdio: ["ignore", "pipe", "ignore"] })
  const text = await new Promise((resolve, reject) => {
    let text = ""
    emulator.stdout.on("data", (chunk) => {
      text += chunk
      if (text.includes("INFISICAL_PROJECT_ID=")) resolve(text)
    })
    emulator.on("error", reject).on("exit", () => reject(new Error(`The emulator stopped. It printed:\n${text}`)))
  })
  return { emulator, variables: parseEnv(text) }
}

const checkRuntimes = async (project, bin, variables) => {
  const runtimes = [
    { name: "Node 20", binary: "node-20/bin/node", args: [], extension: "mjs" },
    { name: "Node 22", binary: "node-22/bin/node", args: [], extension: "ts" },
    { name: "Node 24", binary: "node-24/bin/node", args: [], extension: "ts" },
    { name: "Bun", binary: ".bin/bun", args: ["run"], extension: "ts", node: "bun-infisical-node-1" },
    { name: "Deno", binary: ".bin/deno", args: ["run", "--allow-all"], extension: "ts" }
  ]
  for (const { args, binary, extension, name, node = "infisical-node-1" } of runtimes) {
    for (const [source, file] of [["infisical", "infisical-1"], ["infisical-node", node]]) {
      await checkWith(
        `${name} runs the first program of effect-${source}`,
        join(bin, binary),
        async () => expectPrinted(await run(project, join(bin, binary), [...args, `${file}.${extension}`], variables))
      )
    }
  }
}

/** The first program as a worker. Its variables are bindings, so they come with the request. */
const worker = `
import { FetchHttpClient } from "@effect/platform"
import { ConfigProvider, Effect, Layer } from "effect"
import { Infisical, Secrets } from "effect-infisical"

const program = Effect.gen(function*() {
  const secrets = yield* Secrets.Secrets
  const secret = yield* secrets.get("DATABASE_URL")
  return new Response(\`\${secret.name}, version \${secret.version}: \${secret.value}\`)
}).pipe(Effect.provide(Infisical.layerConfig().pipe(Layer.provide(FetchHttpClient.layer))))

export default {
  fetch: (_request: Request, env: Record<string, string>) =>
    Effect.runPromise(Effect.withConfigProvider(program, ConfigProvider.fromJson(env)))
}
`

const workerConfig = (variables) => `
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),
    (name = "internet", network = (allow = ["public", "private"]))
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")]
);
const main :Workerd.Worker = (
  modules = [(name = "worker", esModule = embed "worker.js")],
  compatibilityDate = "2026-01-01",
  bindings = [${Object.entries(variables).map(([name, text]) => `(name = "${name}", text = "${text}")`).join(", ")}]
);
`

const checkWorkerd = (project, bin, variables) =>
  checkWith("workerd runs the first program of effect-infisical", join(bin, ".bin/workerd"), async () => {
    await esbuild.build({
      absWorkingDir: project,
      bundle: true,
      conditions: ["workerd", "worker", "browser"],
      entryPoints: ["worker.ts"],
      format: "esm",
      outfile: "worker.js"
    })
    await writeFile(join(project, "worker.capnp"), workerConfig(variables))
    const args = ["serve", "worker.capnp", "--control-fd=3"]
    const workerd = spawn(join(bin, ".bin/workerd"), args, {
      cwd: project,
      stdio: ["ignore", "ignore", "inherit", "pipe"]
    })
    try {
      const port = await new Promise((resolve, reject) => {
        workerd.stdio[3].on("data", (line) => resolve(JSON.parse(String(line).split("\n")[0]).port))
        workerd.on("error", reject).on("exit", () => reject(new Error("workerd stopped")))
      })
      expectPrinted(await (await fetch(`http://127.0.0.1:${port}`, { signal: AbortSignal.timeout(30_000) })).text())
    } finally {
      workerd.kill()
    }
  })

const checkSizes = async (project) => {
  for (const [name, { code, limit }] of Object.entries(sizes)) {
    await check(`${name} is not larger than ${limit} bytes`, async () => {
      const { outputFiles: [file] } = await esbuild.build({
        bundle: true,
        external: ["effect", "@effect/platform"],
        format: "esm",
        minify: true,
        stdin: { contents: code, resolveDir: project },
        target: "es2022",
        write: false
      })
      const size = gzipSync(file.contents, { level: 9 }).length
      if (size > limit) {
        throw new Error(`${size} bytes. If that is worth it, raise \`sizes\` in ${import.meta.filename}`)
      }
      return `${size} bytes`
    })
  }
}

// `KEEP` leaves the folder to look at.
const folder = await mkdtemp(join(tmpdir(), "check-packages-"))
const project = join(folder, "project")
const bin = join(folder, "tools/node_modules")
const running = []
try {
  await check("npm run build", async () => void await run(root, "npm", ["run", "build"]))
  await check("npm run check:api", async () => void await run(root, "npm", ["run", "check:api"]))
  const packed = await tarballs(folder)
  await writeProject(project)
  await mkdir(join(folder, "tools"))
  await check("install the tools", async () => void await install(join(folder, "tools"), tools))
  await check("install the packages", async () => void await install(project, [...packed, ...dependencies]))
  for (const tarball of packed) {
    const name = basename(tarball)
    await check(
      `publint ${name}`,
      async () => void await run(folder, process.execPath, [join(bin, "publint/src/cli.js"), "--strict", tarball])
    )
    await check(
      `Are The Types Wrong ${name}`,
      async () => void await run(folder, join(bin, ".bin/attw"), ["--profile", "esm-only", tarball])
    )
  }
  await checkSizes(project)
  await check("start the emulator", async () => void running.push(await startEmulator(project)))
  const variables = running[0]?.variables ?? {}
  await checkRuntimes(project, bin, variables)
  await checkWorkerd(project, bin, variables)
  await check("install Vitest", async () => void await install(project, [...packed, ...dependencies, ...testTools]))
  await check(
    "the first test of effect-infisical-emulator passes",
    async () =>
      void await run(project, join(project, "node_modules/.bin/vitest"), ["run", "infisical-emulator-1.test.ts"])
  )
  await checkTypes(project, bin)
} finally {
  for (const { emulator } of running) emulator.kill()
  if (process.env["KEEP"] === undefined) await rm(folder, { force: true, recursive: true })
  else process.stdout.write(`${folder}\n`)
}
print(failures === 0 ? "ok" : "FAILED", `${failures} failures`)
process.exitCode = failures === 0 ? 0 : 1
