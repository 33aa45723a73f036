/** The report of `npm run classify -- DIR`. */
import { Effect } from "effect"
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

/**
 * What each recorded exchange of a folder becomes, one a line, with a line of counts at the end. It is good if there
 * are exchanges, and none becomes an `UnexpectedResponseError` or a defect.
 */
export const classifyFolder = (folder: string) =>
  Effect.gen(function*() {
    const recordings = yield* loadFolder(folder)
    const outcomes = yield* Effect.forEach(recordings, outcomeOf)
    const lines = recordings.map(({ name, response }, index) => {
      const outcome = outcomes[index]
      return `${name}  ${response.status}  ${outcome === undefined ? "" : describe(outcome)}`
    })
    const count = (is: (outcome: Outcome) => boolean) => outcomes.filter(is).length
    const wrong = count(isWrong)
    const counts = [
      `${outcomes.length} exchanges: ${count(({ _tag }) => _tag === "Answer")} decoded`,
      `${count((outcome) => outcome._tag === "Failure" && !isWrong(outcome))} failures with a meaning`,
      `${count(({ _tag }) => _tag === "LeftOut")} left out`,
      `${wrong} unexpected`
    ]
    return { lines: [...lines, counts.join(", ")], isGood: outcomes.length > 0 && wrong === 0 }
  })
