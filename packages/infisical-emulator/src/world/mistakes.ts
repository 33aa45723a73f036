/**
 * What is wrong with a description, and where.
 *
 * @since 0.1.0
 */
import * as Array from "effect/Array"
import * as Data from "effect/Data"
import * as ParseResult from "effect/ParseResult"

/**
 * One mistake: its place, for example `projects.main.folders.dev["/"].imports[0].environment`, and what is wrong there.
 *
 * @since 0.1.0
 * @category models
 */
export interface Mistake {
  readonly place: string
  readonly problem: string
}

/**
 * A mistake at the place that these keys lead to.
 *
 * @since 0.1.0
 * @category constructors
 */
export const mistake = (path: ReadonlyArray<PropertyKey>, problem: string): Mistake => ({
  place: path.map((key, index) =>
    /^\d+$/.test(String(key))
      ? `[${String(key)}]`
      : /^\w+$/.test(String(key))
      ? `${index === 0 ? "" : "."}${String(key)}`
      : `["${String(key)}"]`
  ).join(""),
  problem
})

/**
 * The description of a world has mistakes. No value of it is quoted, since values of worlds are secrets.
 *
 * @since 0.1.0
 * @category errors
 */
export class WorldError extends Data.TaggedError("WorldError")<{
  readonly mistakes: ReadonlyArray<Mistake>
}> {
  override get message(): string {
    return `The world has ${this.mistakes.length === 1 ? "a mistake" : "mistakes"}: ${
      this.mistakes.map(({ place, problem }) => place === "" ? problem : `${place} ${problem}`).join("; ")
    }`
  }
}

/**
 * The mistakes that a schema found, one for each place. The formatter ends a message with what it found there, which may
 * be a secret: that is dropped.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromParseError = (error: ParseResult.ParseError): ReadonlyArray<Mistake> => {
  const issues = ParseResult.ArrayFormatter.formatErrorSync(error)
    // What can be left out could be undefined, too, which does not help a reader who wrote something there.
    .filter(({ message }) => !message.startsWith("Expected undefined,"))
  const mistakes = issues
    // Of what can have several forms, that which goes deepest is the one that was meant.
    .filter(({ path }) =>
      !issues.some((other) => other.path.length > path.length && path.every((key, index) => key === other.path[index]))
    )
    .map((issue) =>
      mistake(
        issue.path,
        issue._tag === "Missing"
          ? "is missing"
          : issue._tag === "Unexpected"
          ? "is not known here"
          : issue.message.startsWith("must ")
          ? issue.message
          : expected(issue.message)
      )
    )
  return Object.entries(Array.groupBy(mistakes, ({ place }) => place)).map(([place, alike]) => ({
    place,
    problem: Array.dedupe(alike.map(({ problem }) => problem)).join(" or ").replaceAll(" or must be ", " or ")
  }))
}

// What does not begin so may quote the value anywhere.
const expected = (message: string): string => {
  const kind = /^Expected (.*), actual/s.exec(message)?.[1]
  return kind === undefined
    ? "is not right"
    : `must be ${
      kind.startsWith("{") || /^\(?Struct/.test(kind)
        ? "an object"
        : kind.startsWith("ReadonlyArray<")
        ? "a list"
        : ["string", "number", "boolean"].includes(kind)
        ? `a ${kind}`
        : kind
    }`
}
