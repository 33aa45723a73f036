/**
 * Prints what each recorded exchange of a folder becomes: `npm run classify -- DIR`. An exchange that no call of ours
 * makes is left out, with the reason. Exits with 1 if an exchange becomes an `UnexpectedResponseError` or a defect.
 */
import { NodeContext } from "@effect/platform-node"
import { Console, Effect } from "effect"
import { resolve } from "node:path"
import { type Outcome, outcomeOf } from "./recordedCalls.js"
import { loadFolder } from "./Recordings.js"

const describe = (outcome: Outcome): string => {
  switch (outcome._tag) {
    case "LeftOut":
      return `left out: ${outcome.reason}`
    case "Answer":
      return `decoded: ${outcome.summary}`
    case "Failure":
      return `${outcome.meaning}: ${outcome.error.message}`
    case "Defect":
      return `DEFECT: ${outcome.problem}`
  }
}

const isWrong = (outcome: Outcome): boolean =>
  outcome._tag === "Defect" || (outcome._tag === "Failure" && outcome.error._tag === "UnexpectedResponseError")

const classifyFolder = (folder: string) =>
  Effect.gen(function*() {
    const recordings = yield* loadFolder(folder)
    const outcomes = yield* Effect.forEach(recordings, (recording) =>
      Effect.tap(outcomeOf(recording), (outcome) =>
        Console.log(`${recording.name}  ${recording.response.status}  ${describe(outcome)}`)))
    const count = (is: (outcome: Outcome) => boolean) =>
      outcomes.filter(is).length
    const wrong = count(isWrong)
    yield* Console.log(
      `${outcomes.length} exchanges: ${
        count(({ _tag }) => _tag === "Answer")
      } decoded, ${count((outcome) => outcome._tag === "Failure" && !isWrong(outcome))} failures with a meaning, ${
        count(({ _tag }) => _tag === "LeftOut")
      } left out, ${wrong} unexpected`
    )
    return outcomes.length > 0 && wrong === 0 ? 0 : 1
  })

const [folder] = process.argv.slice(2)

if (folder === undefined) {
  process.stderr.write("Say which folder: npm run classify -- DIR\n")
  process.exitCode = 2
} else {
  process.exitCode = await Effect.runPromise(
    classifyFolder(resolve(process.env["INIT_CWD"] ?? process.cwd(), folder)).pipe(Effect.provide(NodeContext.layer))
  )
}
