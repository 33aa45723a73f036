/**
 * Measures what the design has budgets for, and prints one table. `npm run bench` measures all, `npm run bench -- warm`
 * what is named.
 */
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect } from "effect"
import { bundle } from "./benchmarks/bundle.js"
import { coldList } from "./benchmarks/cold-list.js"
import { memory } from "./benchmarks/memory.js"
import { refresh } from "./benchmarks/refresh.js"
import { requests } from "./benchmarks/requests.js"
import { warmGet } from "./benchmarks/warm-get.js"
import { NotMeasured } from "./Measurement.js"
import * as RecordedServer from "./RecordedServer.js"
import * as Table from "./Table.js"

const benchmarks = [warmGet, coldList, requests, refresh, memory, bundle]

const main = Effect.gen(function*() {
  const wanted = process.argv.slice(2)
  const unknown = wanted.filter((name) => benchmarks.every((benchmark) => benchmark.name !== name))
  if (unknown.length > 0) {
    return yield* new NotMeasured({
      problem: `there is no ${unknown.join(", ")}, only ${benchmarks.map(({ name }) => name).join(", ")}`
    })
  }
  const measurements = yield* Effect.forEach(
    benchmarks.filter(({ name }) => wanted.length === 0 || wanted.includes(name)),
    ({ name, run }) => Effect.zipRight(Console.error(`Measuring ${name} …`), run)
  )
  yield* Console.log(`\n${Table.render(measurements.flat())}`)
})

main.pipe(Effect.provide(RecordedServer.layer), NodeRuntime.runMain)
