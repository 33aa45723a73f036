/**
 * Prints what each recorded exchange of a folder becomes: `npm run classify -- DIR`. An exchange that no call of ours
 * makes is left out, with the reason. Exits with 1 if an exchange becomes an `UnexpectedResponseError` or a defect.
 */
import { NodeContext } from "@effect/platform-node"
import { Console, Effect } from "effect"
import { resolve } from "node:path"
import { classifyFolder } from "./classifyFolder.js"

const [folder] = process.argv.slice(2)

if (folder === undefined) {
  process.stderr.write("Say which folder: npm run classify -- DIR\n")
  process.exitCode = 2
} else {
  process.exitCode = await Effect.runPromise(
    classifyFolder(resolve(process.env["INIT_CWD"] ?? process.cwd(), folder)).pipe(
      Effect.tap(({ lines }) => Effect.forEach(lines, (line) => Console.log(line))),
      Effect.map(({ isGood }) => isGood ? 0 : 1),
      Effect.catchAll(({ message }) => Effect.as(Console.error(`The folder cannot be read: ${message}`), 2)),
      Effect.provide(NodeContext.layer)
    )
  )
}
