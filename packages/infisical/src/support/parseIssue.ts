/** What is wrong with a value that a schema refused, without anything of the value. */
import * as Option from "effect/Option"
import type * as ParseResult from "effect/ParseResult"
import * as SchemaAST from "effect/SchemaAST"

type Issue = ParseResult.ParseIssue

export interface Leaf {
  readonly issue: Issue
  readonly path: ReadonlyArray<PropertyKey>
}

/**
 * The issues at the leaves with their paths. The formatters of `ParseResult` print what was received, and overflow the
 * stack on what is nested deeply; this descends no deeper than the schema.
 */
export function* leavesOf(
  issue: Issue,
  path: ReadonlyArray<PropertyKey> = [],
  isField: (key: PropertyKey) => boolean = () => false
): Generator<Leaf> {
  switch (issue._tag) {
    case "Pointer":
      // A key that is no field of the schema is a part of the value.
      yield* leavesOf(issue.issue, path.concat([issue.path].flat().map((key) => isField(key) ? key : "[key]")))
      break
    case "Composite":
      for (const inner of listOf(issue.issues)) yield* leavesOf(inner, path, isFieldOf(issue.ast))
      break
    case "Refinement":
    case "Transformation":
      yield* leavesOf(issue.issue, path, isField)
      break
    default:
      yield { issue, path }
  }
}

const isFieldOf = (ast: SchemaAST.AST) => (key: PropertyKey): boolean =>
  typeof key === "number" ||
  (SchemaAST.isTypeLiteral(ast) && ast.propertySignatures.some(({ name }) => name === key))

const listOf = (issues: ParseResult.SingleOrNonEmpty<Issue>): ReadonlyArray<Issue> =>
  "_tag" in issues ? [issues] : issues

/** The first leaf as a sentence: its path, and what the schema wants there. */
export const describeIssue = (issue: Issue): string => {
  for (const { issue: leaf, path } of leavesOf(issue)) {
    const place = path.length === 0 ? "" : `${path.map(String).join(".")} `
    if (leaf._tag === "Missing") return `${place}is missing`
    if (leaf._tag === "Unexpected") return `${place}is not expected`
    if (leaf._tag === "Type" || leaf._tag === "Forbidden") return `${place}must be ${kindOf(leaf.ast)}`
  }
  return "is not what the schema describes"
}

const kindOf = (ast: SchemaAST.AST): string =>
  Option.getOrElse(SchemaAST.getDescriptionAnnotation(ast), () => {
    const name = Option.orElse(SchemaAST.getTitleAnnotation(ast), () => SchemaAST.getIdentifierAnnotation(ast))
    return `of type ${Option.getOrElse(name, () => String(ast))}`
  })
