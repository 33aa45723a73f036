/** Decodes with a schema of the wire, and reports what is wrong in the words of the server's validator. */
import * as Array from "effect/Array"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import type * as AST from "effect/SchemaAST"
import * as Answer from "../eras/Answer.js"

type Path = ReadonlyArray<PropertyKey>

/** Decodes an input; where the endpoint declares no such input, that is a mistake of ours. */
export const decode = <A, I>(
  schema: Option.Option<Schema.Schema<A, I>>,
  input: unknown
): Effect.Effect<A, Answer.Answer> =>
  Option.match(schema, {
    onNone: () => Effect.dieMessage("A handler asked for an input that its endpoint does not declare"),
    onSome: (declared) =>
      Effect.mapError(
        Schema.decodeUnknown(declared, { errors: "all" })(input),
        (error) => Answer.validationFailure(issuesOf(error.issue, []))
      )
  })

const issuesOf = (issue: ParseResult.ParseIssue, path: Path): ReadonlyArray<Answer.ValidationIssue> => {
  switch (issue._tag) {
    case "Pointer":
      return issuesOf(issue.issue, path.concat(issue.path))
    case "Missing":
      return [invalidType(expected(issue.ast.type), "undefined", path)]
    case "Composite": {
      const issues = Array.ensure(issue.issues)
      if (issue.ast._tag !== "Union") return issues.flatMap((one) => issuesOf(one, path))
      // What can be left out is as wrong as it would be if it could not.
      const transformation = issues.find((one) => one._tag === "Transformation")
      return transformation === undefined
        ? [mismatch(issue.ast, issue.actual, path)]
        : issuesOf(transformation, path)
    }
    case "Transformation":
      return issue.kind === "Encoded"
        ? issuesOf(issue.issue, path)
        : [invalidType(expected(issue.ast.to), "nan", path)]
    case "Refinement":
      return issuesOf(issue.issue, path)
    case "Type":
      return [mismatch(issue.ast, issue.actual, path)]
    // Neither is raised: what is not declared is dropped, and nothing here is asynchronous.
    case "Unexpected":
    case "Forbidden":
      return [invalidType("nothing", kindOf(issue.actual), path)]
  }
}

const mismatch = (ast: AST.AST, actual: unknown, path: Path): Answer.ValidationIssue => {
  const options = literals(ast)
  return options.length > 0 && typeof actual === "string"
    ? {
      received: actual,
      code: "invalid_enum_value",
      options,
      path,
      message: `Invalid enum value. Expected ${quoted(options)}, received '${actual}'`
    }
    : invalidType(expected(ast), kindOf(actual), path)
}

const invalidType = (wanted: string, received: string, path: Path): Answer.ValidationIssue => ({
  code: "invalid_type",
  expected: wanted,
  received,
  path,
  message: received === "undefined" ? "Required" : `Expected ${wanted}, received ${received}`
})

const quoted = (options: ReadonlyArray<string>): string => options.map((option) => `'${option}'`).join(" | ")

const literals = (ast: AST.AST): ReadonlyArray<string> =>
  ast._tag === "Union"
    ? ast.types.flatMap(literals)
    : ast._tag === "Literal" && typeof ast.literal === "string"
    ? [ast.literal]
    : []

const expected = (ast: AST.AST): string => {
  const options = literals(ast)
  if (options.length > 0) return quoted(options)
  switch (ast._tag) {
    case "StringKeyword":
      return "string"
    case "NumberKeyword":
      return "number"
    case "BooleanKeyword":
      return "boolean"
    case "TypeLiteral":
      return "object"
    case "TupleType":
      return "array"
    case "Refinement":
    case "Transformation":
      return expected(ast.from)
    case "Union":
      return ast.types.filter((type) => type._tag !== "UndefinedKeyword").map(expected).join(" | ")
    default:
      return "unknown"
  }
}

const kindOf = (value: unknown): string => value === null ? "null" : Array.isArray(value) ? "array" : typeof value
