/** Writes the code of the snippets into the pages: `npm run docs:snippets`. */
import { FileSystem } from "@effect/platform"
import { NodeContext, NodeRuntime } from "@effect/platform-node"
import { Effect } from "effect"
import { pages } from "./snippets.js"

Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const changed = (yield* pages).filter(({ rendered, text }) => rendered !== text)
  yield* Effect.forEach(changed, ({ file, rendered }) => fs.writeFileString(file, rendered))
  yield* Effect.forEach(changed, ({ file }) => Effect.log(`Wrote the code of ${file}`))
}).pipe(Effect.provide(NodeContext.layer), NodeRuntime.runMain)
