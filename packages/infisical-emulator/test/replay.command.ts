/**
 * Replays a folder of recorded exchanges, with the `world.json` beside them, and tells by group which of them the
 * emulator answers as they were recorded: `npm run replay -- DIR`.
 */
import { resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { type Reporter, startVitest, type TestModule } from "vitest/node"
import { type Exchange, read } from "./recordings.js"

const root = fileURLToPath(new URL("../../..", import.meta.url))
const [folder] = process.argv.slice(2)

/** An exchange, by the name of its test. */
const exchangeOf = (name: string) => /^answers (([^/]+)\/.+) as recorded/.exec(name)

const byGroup = (notReplayed: ReadonlyArray<readonly [name: string, reason: string]>): Reporter => ({
  onTestRunEnd: (modules: ReadonlyArray<TestModule>) => {
    const groups = new Map<string, { matched: number; readonly unmatched: Array<string> }>()
    for (const [exchange, reason] of notReplayed) {
      const group = exchange.split("/")[0] ?? ""
      const counts = groups.get(group) ?? { matched: 0, unmatched: [] }
      counts.unmatched.push(`${exchange} is not replayed: ${reason}`)
      groups.set(group, counts)
    }
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const [, exchange = "", group = ""] = exchangeOf(test.name) ?? []
        if (group === "") continue
        const counts = groups.get(group) ?? { matched: 0, unmatched: [] }
        groups.set(group, counts)
        const { errors = [], state } = test.result()
        if (state === "passed") counts.matched += 1
        else counts.unmatched.push(`${exchange}: ${differenceOf(errors[0]) ?? state}`)
      }
    }
    const all = [...groups.values()]
    const matched = all.reduce((sum, { matched }) => sum + matched, 0)
    const total = all.reduce((sum, { matched, unmatched }) => sum + matched + unmatched.length, 0)
    const width = Math.max(5, ...[...groups.keys()].map((name) => name.length))
    const line = (name: string, matched: number, total: number) =>
      `${name.padEnd(width)}  ${String(matched).padStart(4)} of ${String(total).padStart(4)} matched`
    for (const [name, { matched, unmatched }] of [...groups].toSorted(([one], [other]) => one < other ? -1 : 1)) {
      process.stdout.write(`${line(name, matched, matched + unmatched.length)}\n`)
      for (const what of unmatched) process.stdout.write(`  ${what}\n`)
    }
    process.stdout.write(`${line("all", matched, total)} (${(100 * matched / Math.max(1, total)).toFixed(1)} %)\n`)
    process.exitCode = total > 0 && matched / total >= 0.95 ? 0 : 1
  }
})

/** The lines in which what was recorded (-) and what the emulator answers (+) differ. */
const differenceOf = (
  error: { readonly message: string; readonly diff?: string | undefined } | undefined
): string | undefined => {
  // Without the colours of a terminal.
  const lines = error?.diff?.replaceAll(new RegExp(`${String.fromCharCode(27)}\\[\\d+m`, "g"), "").split("\n")
  const different = lines?.filter((line) => /^[-+] (?! *Expected| *Received)/.test(line)).map((line) =>
    line.replace(/\s+/g, " ").slice(0, 160)
  )
  return different === undefined || different.length === 0 ? error?.message.split("\n")[0] : different.join("; ")
}

if (folder === undefined) {
  process.stderr.write("Say which folder: npm run replay -- DIR\n")
  process.exitCode = 2
} else {
  process.env["WIRE_DIR"] = resolve(process.env["INIT_CWD"] ?? process.cwd(), folder)
  const recording = read(process.env["WIRE_DIR"])
  const reasons = (reasonOf: (exchange: Exchange) => string | undefined) =>
    recording.exchanges.flatMap((exchange) => {
      const reason = reasonOf(exchange)
      return reason === undefined ? [] : [[exchange.name, reason] as const]
    })
  const outOfScope = reasons(recording.outOfScope)
  const notReplayed = reasons((exchange) =>
    recording.outOfScope(exchange) === undefined ? recording.notReplayed(exchange) : undefined
  )
  const vitest = await startVitest("test", ["packages/infisical-emulator/test/replay.test.ts"], {
    root,
    run: true,
    watch: false,
    project: ["effect-infisical-emulator"],
    reporters: [byGroup(notReplayed)]
  })
  const { exitCode } = process
  await vitest.close()
  process.stdout.write(
    `The server of ${recording.era} also answered ${outOfScope.length} others, which are not counted:\n`
  )
  for (const reason of new Set(outOfScope.map(([, reason]) => reason))) {
    process.stdout.write(`  ${outOfScope.filter(([, other]) => other === reason).length}: ${reason}\n`)
  }
  process.exitCode = exitCode ?? 1
}
